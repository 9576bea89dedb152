//! The chain as it opens: more merchants, stores and programs than the small demo has, the terms on which the
//! merchants are settled, and the cards to sell. All of it is asked for by the people whose work it is.

use domain::{BatchId, ClientId, Currency, IssuerId, MerchantId, ProgramId, TerminalId, command::Actor};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    office::{Desk, Office, ids, items},
    stock::Ware,
};
use crate::{
    commands::demo::catalog::Shop,
    failure::{Failure, Result},
};

/// A merchant as sales need it.
pub(super) struct Merchant {
    pub(super) id: MerchantId,
    /// What its order numbers begin with.
    pub(super) code: &'static str,
    /// The tills; none where it sells on the net only.
    pub(super) tills: Vec<TerminalId>,
    /// As whom its system of tills calls.
    pub(super) actor: Actor,
    /// How many of a hundred sales are its.
    pub(super) share: usize,
    /// The smallest and largest sale, in yuan.
    pub(super) yuan: (i64, i64),
}

/// Cards of a program that were asked for.
pub(super) struct Ordered {
    pub(super) ware: Ware,
    pub(super) batch: BatchId,
    pub(super) face_value: i64,
}

/// The chain.
pub(super) struct Chain {
    pub(super) merchants: Vec<Merchant>,
    pub(super) orders: Vec<Ordered>,
}

/// The places of the merchants in [`Chain::merchants`].
pub(super) const STORE: usize = 0;
pub(super) const CAFE: usize = 1;
pub(super) const MALL: usize = 3;

/// Opens the chain.
pub(super) async fn open(office: &Office, shop: &Shop, first: Date) -> Result<Chain> {
    let manager = office.sign_in("manager", 12).await?;
    let books = manager.make("/v1/merchants", json!({"name": "示例书店 Demo Books"})).await?;
    let mall = manager.make("/v1/merchants", json!({"name": "万家商城 Demo Mall"})).await?;
    let tills = tills(&manager, shop, &books).await?;
    manager.make("/v1/stores", json!({"merchant": mall, "name": "网上商城 Online"})).await?;
    let orders = order_cards(&manager, shop).await?;
    manager.sign_out().await?;
    let admin = office.sign_in("admin", 11).await?;
    let merchants = merchants(&admin, shop, &[books, mall], tills).await?;
    admin.sign_out().await?;
    let maker = office.sign_in("maker", 21).await?;
    agree(&maker, &merchants, first).await?;
    settings(&maker, shop, first).await?;
    maker.sign_out().await?;
    let checker = office.sign_in("checker", 22).await?;
    approve_all(&checker).await?;
    checker.sign_out().await?;
    let orders = orders_placed(office, orders).await?;
    Ok(Chain { merchants, orders })
}

/// A till in each store: of the department store, the café and the bookshop.
async fn tills(manager: &Desk<'_>, shop: &Shop, books: &str) -> Result<[Vec<TerminalId>; 3]> {
    let lujiazui = json!({"merchant": books, "name": "陆家嘴店 Lujiazui"});
    manager.make("/v1/stores", lujiazui).await?;
    manager
        .make("/v1/stores", json!({"merchant": shop.cafe.to_string(), "name": "人民广场店 People's Square"}))
        .await?;
    let mut tills = [vec![shop.terminal], Vec::new(), Vec::new()];
    for store in items(&manager.get("/v1/stores?limit=200").await?) {
        let (store_id, merchant) = (&store["id"], store["merchant"].as_str().unwrap_or_default());
        let place = [shop.merchant.to_string(), shop.cafe.to_string(), books.to_owned()];
        let Some(place) = place.iter().position(|own| own == merchant) else { continue };
        for name in ["收银台 1 Till 1", "收银台 2 Till 2"] {
            if *store_id == json!(shop.store.to_string()) && name.ends_with('1') {
                continue;
            }
            let till = manager.make("/v1/terminals", json!({"store": store_id, "name": name})).await?;
            tills[place].push(TerminalId::parse(&till)?);
        }
    }
    Ok(tills)
}

/// The system of each merchant's tills, as a client of the API.
async fn merchants(
    admin: &Desk<'_>,
    shop: &Shop,
    [books, mall]: &[String; 2],
    tills: [Vec<TerminalId>; 3],
) -> Result<Vec<Merchant>> {
    let [store_tills, cafe_tills, books_tills] = tills;
    let client = async |name: &str, merchant: &str| {
        let scopes = ["catalog_read", "cards_read", "cards_issue", "load", "redeem", "refund"];
        let made =
            admin.post("/v1/clients", json!({"name": name, "merchant": merchant, "scopes": scopes})).await?;
        let id = made["id"].as_str().or_else(|| made["client"]["id"].as_str());
        let id = id.ok_or_else(|| Failure::new("a client was made without an id"))?;
        actor(shop.issuer, id, merchant)
    };
    let make = async |name: &'static str,
                      id: &str,
                      code: &'static str,
                      tills: Vec<TerminalId>,
                      share: usize,
                      yuan: (i64, i64)| {
        let actor = client(name, id).await?;
        Ok::<_, Failure>(Merchant { id: MerchantId::parse(id)?, code, tills, actor, share, yuan })
    };
    let (store, cafe) = (shop.merchant.to_string(), shop.cafe.to_string());
    Ok(vec![
        make("百货收银系统 Store tills", &store, "BH", store_tills, 42, (12, 260)).await?,
        make("咖啡收银系统 Café tills", &cafe, "KF", cafe_tills, 33, (18, 68)).await?,
        make("书店收银系统 Books tills", books, "SD", books_tills, 12, (25, 180)).await?,
        make("商城订单系统 Mall orders", mall, "WJ", Vec::new(), 13, (30, 280)).await?,
    ])
}

fn actor(issuer: IssuerId, client: &str, merchant: &str) -> Result<Actor> {
    let (client, merchant) = (ClientId::parse(client)?, MerchantId::parse(merchant)?);
    Ok(Actor { client, issuer, merchant: Some(merchant) })
}

/// Terms of settlement and bank accounts: different fees and cycles, and the bookshop shares with the café in it.
async fn agree(maker: &Desk<'_>, merchants: &[Merchant], first: Date) -> Result {
    let cafe = merchants[CAFE].id.to_string();
    let share = json!({"kind": "percent", "basis_points": 1000});
    let terms = [
        json!({"cycle": {"kind": "t_plus", "days": 1}, "fees": {"basis_points": 60}, "refunds_return_fee": true}),
        json!({"cycle": {"kind": "weekly", "weekday": "sunday", "plus": 1}, "minimum_payout": 10_000}),
        json!({
            "cycle": {"kind": "t_plus", "days": 3}, "fees": {"basis_points": 80, "fixed": 10},
            "splits": {"base": "gross", "receivers": [{"merchant": cafe, "share": share}]},
        }),
        json!({"cycle": {"kind": "weekly", "weekday": "saturday", "plus": 2}, "fees": {"basis_points": 300, "cap": 5000}}),
    ];
    let payees = [
        ("示例百货有限公司", "31001520313050001234", "中国建设银行上海南京东路支行", "105290036005"),
        ("示例咖啡餐饮管理有限公司", "121907384910608", "招商银行上海静安寺支行", "308290003020"),
        ("示例书店有限公司", "1001244309006912345", "中国工商银行上海陆家嘴支行", "102290024433"),
        ("万家电子商务有限公司", "439059248675", "中国银行上海分行营业部", "104290003582"),
    ];
    for ((merchant, terms), (holder, account, bank, clearing)) in merchants.iter().zip(terms).zip(payees) {
        let id = merchant.id.to_string();
        maker
            .post(
                "/v1/agreements",
                json!({"merchant": id, "currency": "CNY", "effective_from": first.to_string(), "terms": terms}),
            )
            .await?;
        let payee = json!({
            "merchant": id, "currency": "CNY", "effective_from": first.to_string(), "holder_name": holder,
            "account_number": account, "bank_name": bank, "clearing_code": clearing,
        });
        maker.post("/v1/payees", payee).await?;
    }
    Ok(())
}

/// What reports go by: the kind of issuer, expected redemption, money in custody, last year's revenue.
async fn settings(maker: &Desk<'_>, shop: &Shop, first: Date) -> Result {
    let expected = json!({
        shop.gift.id.to_string(): 9500, shop.benefit.id.to_string(): 9900, shop.member.id.to_string(): 9700,
    });
    let profile = json!({"kind": "brand", "services": false});
    let settings = json!({"profile": profile, "expected_redemption_bp": expected});
    maker.put("/v1/reports/settings", settings).await?;
    let custody = json!({"day": first.to_string(), "currency": "CNY", "amount": 20_000_000, "note": "存管账户对账单 custody statement"});
    maker.put("/v1/reports/custody/balance", custody).await?;
    let year = i32::from(first.year()) - 1;
    let revenue = json!({"year": year, "currency": "CNY", "amount": 480_000_000, "note": "上年审计报告 audited accounts"});
    maker.put("/v1/reports/custody/revenue", revenue).await.map(drop)
}

/// Cards are asked for; beyond the manager's limit a second person decides.
async fn order_cards(manager: &Desk<'_>, shop: &Shop) -> Result<Vec<(Ware, ProgramId, i64)>> {
    let festival = manager.make("/v1/programs", festival()).await?;
    let shopping = manager.make("/v1/programs", shopping(shop)).await?;
    let orders = [
        (Ware::Benefit, shop.benefit.id, 70, 50_000, true),
        (Ware::Member, shop.member.id, 60, 30_000, true),
        (Ware::Festival, ProgramId::parse(&festival)?, 30, 10_000, true),
        (Ware::Gift, shop.gift.id, 120, 20_000, false),
        (Ware::Gift, shop.gift.id, 60, 50_000, false),
        (Ware::Shopping, ProgramId::parse(&shopping)?, 80, 50_000, false),
    ];
    for (_, program, count, face_value, activate) in &orders {
        let body = json!({"program": program.to_string(), "count": count, "face_value": face_value, "activate": activate});
        manager.post("/v1/batches", body).await?;
    }
    Ok(orders.into_iter().map(|(ware, program, _, face_value, _)| (ware, program, face_value)).collect())
}

/// Valid for twenty days only, so that there is value that expired.
fn festival() -> Value {
    json!({
        "name": "店庆活动卡 Anniversary card", "currency": "CNY", "number_prefix": "958803", "number_length": 19,
        "rules": {
            "denominations": {"kind": "fixed", "amounts": [10_000]}, "validity": {"kind": "days", "days": 20},
            "residual": "keep_claimable",
        },
    })
}

/// Under the rules for single-purpose cards: anonymous, at most 1,000 yuan, three years, one enterprise.
fn shopping(shop: &Shop) -> Value {
    json!({
        "name": "百货购物卡 Shopping card", "currency": "CNY", "number_prefix": "958804", "number_length": 19,
        "rules": {
            "denominations": {"kind": "fixed", "amounts": [20_000, 50_000, 100_000]},
            "validity": {"kind": "months", "months": 36}, "balance_cap": 100_000,
            "acceptance": {"merchants": [shop.merchant.to_string()]}, "legal_class": "single_enterprise",
            "policy_pack": "cn-single-purpose",
        },
    })
}

/// The second person approves all that waits, but what he asked for himself.
pub(super) async fn approve_all(checker: &Desk<'_>) -> Result {
    let waiting = checker.get("/v1/approvals?state=pending&limit=200").await?;
    for id in ids(&waiting) {
        checker.post(&format!("/v1/approvals/{id}/approve"), json!({"note": "已核对 checked"})).await?;
    }
    Ok(())
}

/// The batches that were asked for, as they are now that they were approved.
async fn orders_placed(office: &Office, orders: Vec<(Ware, ProgramId, i64)>) -> Result<Vec<Ordered>> {
    let manager = office.sign_in("manager", 12).await?;
    let list = manager.get("/v1/batches?limit=200").await?;
    manager.sign_out().await?;
    let mut placed = Vec::with_capacity(orders.len());
    for (ware, program, face_value) in orders {
        let program = program.to_string();
        let is_it =
            |batch: &&Value| batch["program"] == program.as_str() && batch["face_value"] == face_value;
        let found = items(&list).find(is_it).and_then(|batch| batch["id"].as_str());
        let found = found.ok_or_else(|| Failure::new("a batch was not made"))?;
        placed.push(Ordered { ware, batch: BatchId::parse(found)?, face_value });
    }
    Ok(placed)
}

/// The currency of everything here.
pub(super) const CURRENCY: Currency = Currency::CNY;
