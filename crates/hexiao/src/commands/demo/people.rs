//! The demo's users: one for each role that an issuer has, with one password for all, new at each start.

use domain::{MerchantId, StoreId};
use engine::Engine;
use identity::{Identity, Policy, password::Password};
use storage::User;
use vault::{OsRandomness, Randomness};
use zeroize::Zeroizing;

use super::catalog::Shop;
use crate::{
    commands::users::{new_user, owner, told},
    failure::Result,
};

/// Somebody to sign in as.
pub(super) struct DemoUser {
    pub(super) login: &'static str,
    pub(super) role: &'static str,
    pub(super) name: &'static str,
}

/// All of them. The last two work for a merchant, the very last in one store.
const USERS: [DemoUser; 9] = [
    DemoUser { login: "admin", role: "issuer_admin", name: "管理员 Admin" },
    DemoUser { login: "manager", role: "program_manager", name: "卡种经理 Manager" },
    DemoUser { login: "maker", role: "finance_maker", name: "财务经办 Maker" },
    DemoUser { login: "checker", role: "finance_checker", name: "财务复核 Checker" },
    DemoUser { login: "risk", role: "risk_officer", name: "风控 Risk" },
    DemoUser { login: "service", role: "customer_service", name: "客服 Service" },
    DemoUser { login: "auditor", role: "auditor", name: "审计 Auditor" },
    DemoUser { login: "merchant", role: "merchant_manager", name: "商户经理 Merchant" },
    DemoUser { login: "cashier", role: "cashier", name: "收银员 Cashier" },
];

/// The demo's people, and what they sign in with.
pub(super) struct People {
    pub(super) users: &'static [DemoUser],
    pub(super) password: Zeroizing<String>,
}

/// Makes those who are missing, and gives all a new password.
pub(super) async fn prepare(engine: &Engine, shop: &Shop) -> Result<People> {
    let identity = Identity::new(engine.clone(), Policy::default(), Vec::new());
    identity.seed_roles().await.map_err(told)?;
    let password = new_password();
    for demo in &USERS {
        let typed = Password::new(password.to_string());
        if let Some(known) = identity.user_by_login(demo.login).await.map_err(told)? {
            identity.set_password(&known, &typed, None).await.map_err(told)?;
            continue;
        }
        let (merchant, store) = place(demo, shop);
        let user = User { merchant, store, ..new_user(demo.login, demo.name, Some(shop.issuer)) };
        let roles = [demo.role.to_owned()];
        identity.create_user(&owner(Some(shop.issuer)), user, &roles, &typed).await.map_err(told)?;
    }
    Ok(People { users: &USERS, password })
}

fn place(demo: &DemoUser, shop: &Shop) -> (Option<MerchantId>, Option<StoreId>) {
    match demo.role {
        "merchant_manager" => (Some(shop.merchant), None),
        "cashier" => (Some(shop.merchant), Some(shop.store)),
        _ => (None, None),
    }
}

/// Sixteen letters and digits in groups: easy to type from one screen into another.
fn new_password() -> Zeroizing<String> {
    const ALPHABET: &[u8; 32] = b"23456789abcdefghjkmnpqrstuvwxyz7";
    let mut bytes = Zeroizing::new([0; 16]);
    OsRandomness::new().fill(&mut *bytes);
    let mut text = Zeroizing::new(String::with_capacity(20));
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte & 31)]));
    }
    text
}
