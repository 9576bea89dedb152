//! What a demo server prints at start.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{Demo, cards::DemoCard};

/// For machines.
pub(super) fn json(demo: &Demo, address: SocketAddr) -> String {
    let cards = |cards: &[DemoCard]| -> Vec<Value> {
        cards
            .iter()
            .map(|card| {
                json!({
                    "id": card.id.to_string(),
                    "number": card.number.expose(),
                    "pin": card.pin.as_ref().map(|pin| pin.as_str()),
                })
            })
            .collect()
    };
    let shop = &demo.shop;
    let user = |user: &super::people::DemoUser| json!({"login": user.login, "password": demo.people.password.as_str(), "role": user.role});
    let users: Vec<Value> = demo.people.users.iter().map(user).collect();
    json!({
        "users": users,
        "server": format!("http://{address}"),
        "key": shop.manager.1.expose(),
        "cashier_key": shop.cashier.1.expose(),
        "issuer": shop.issuer.to_string(),
        "programs": {
            "gift": shop.gift.id.to_string(),
            "benefit": shop.benefit.id.to_string(),
            "member": shop.member.id.to_string(),
        },
        "merchants": [shop.merchant.to_string(), shop.cafe.to_string()],
        "wallet": {"issuer": shop.issuer.to_string(), "phone": super::wallet::PHONE},
        "store": shop.store.to_string(),
        "terminal": shop.terminal.to_string(),
        "cards": {
            "gift": cards(&demo.cards.gift),
            "benefit": cards(&demo.cards.benefit),
            "member": cards(&demo.cards.member),
        },
    })
    .to_string()
}

/// For people.
pub(super) fn text(demo: &Demo, address: SocketAddr) -> String {
    let shop = &demo.shop;
    let server = format!("http://{address}");
    let gift = demo.cards.gift.last().map(|card| card.number.expose()).unwrap_or_default();
    let mut users = String::new();
    for user in demo.people.users {
        users.extend(["  ", &format!("{:<9}", user.login), "  ", user.name, "\n"]);
    }
    let mut text = format!(
        "\n演示数据已备好 · Demo data is ready: {server}/docs\n\n\
         页面 · Pages\n  \
           控制台 console  {server}/\n  \
           收银台 till     {server}/till\n  \
           持卡人 wallet   {server}/wallet?issuer={issuer}\n  \
                         phone 手机号 {phone}\n\n\
         登录 · Log in (password for all, new at each start 所有用户同一密码，每次启动更新)\n  \
           密码 password  {password}\n{users}\n\
         登录密钥 · API keys (new at each start 每次启动更新)\n  \
           发卡企业 issuer   {}\n  \
           收银员   cashier  {}\n\n\
         可用的卡 · Cards to try\n",
        shop.manager.1.expose(),
        shop.cashier.1.expose(),
        password = demo.people.password.as_str(),
        issuer = shop.issuer,
        phone = super::wallet::PHONE,
    );
    let kinds = [
        ("礼品卡 gift     200.00", &demo.cards.gift),
        ("福利卡 benefit  500.00", &demo.cards.benefit),
        ("储值卡 member   300.00", &demo.cards.member),
    ];
    for (kind, cards) in kinds {
        for card in cards.iter().rev().take(2) {
            let pin = card.pin.as_ref().map(|pin| format!("  PIN {}", pin.as_str())).unwrap_or_default();
            text.extend(["  ", kind, "  ", card.number.expose(), &pin, "\n"]);
        }
    }
    text.push_str(&lines(demo, &server, gift));
    text
}

/// Lines to paste, one after the other: each uses what the one before it made.
fn lines(demo: &Demo, server: &str, gift: &str) -> String {
    let shop = &demo.shop;
    format!(
        r#"
复制到另一个终端试一试 · Paste into another terminal
  export HEXIAO={server} KEY={key}
  call() {{ curl -sS -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' "$@"; echo; }}

  # 发卡：做一张卡，按 100 元激活 · issue a gift card: make it, then sell it for 100.00
  CARD=$(call $HEXIAO/v1/cards -d '{{"program":"{program}","face_value":10000}}' | sed 's/.*"id":"\(card_[0-9a-z]*\)".*/\1/')
  call $HEXIAO/v1/activations -H "Idempotency-Key: try-issue-$CARD" -d '{{"card":{{"id":"'$CARD'"}},"currency":"CNY"}}'

  # 核销 35 元；同一行再发一次，答复相同，不会重复扣款 · redeem 35.00; send it twice: same answer, one sale
  call $HEXIAO/v1/redemptions -H 'Idempotency-Key: try-sale-1' -d '{{"card":{{"number":"{gift}"}},"amount":3500,"currency":"CNY","store":"{store}"}}'

  # 余额 · balance
  call $HEXIAO/v1/cards/lookup -d '{{"number":"{gift}"}}'

  # 退款 10 元 · refund 10.00 of that sale
  SALE=$(call $HEXIAO/v1/redemptions -H 'Idempotency-Key: try-sale-1' -d '{{"card":{{"number":"{gift}"}},"amount":3500,"currency":"CNY","store":"{store}"}}' | sed 's/.*"id":"\(op_[0-9a-z]*\)".*/\1/')
  call $HEXIAO/v1/redemptions/$SALE/refunds -H 'Idempotency-Key: try-refund-1' -d '{{"amount":1000}}'

  # 试算平衡：借方合计等于贷方合计 · trial balance: debits equal credits
  call $HEXIAO/v1/ledger/trial-balance

停止 · Stop: Ctrl-C"#,
        key = shop.manager.1.expose(),
        program = shop.gift.id,
        store = shop.store,
    )
}
