//! The demo's issuer, programs, merchants, stores, terminals and clients.

use std::collections::BTreeSet;

use domain::{
    Amount, Currency, IssuerId, MerchantId, Program, ProgramId, StoreId, TerminalId,
    catalog::{Client, Merchant, Scope, Store, Terminal},
    lot::LotOrder,
    program::{Acceptance, Denominations, LegalClass, PinRule, ResidualPolicy, Rules, Status, Validity},
};
use engine::Engine;
use storage::CatalogEntry;
use vault::ClientSecret;

use crate::{
    commands::client::{issuer_scopes, new_client, new_issuer, with_fresh_secret},
    failure::Result,
};

const ISSUER: &str = "示例商贸 Demo Retail";
pub(super) const TIME_ZONE: &str = "Asia/Shanghai";
const MANAGER: &str = "demo";
const CASHIER: &str = "demo-cashier";

/// The demo's catalog.
pub(super) struct Shop {
    pub(super) issuer: IssuerId,
    pub(super) gift: Program,
    pub(super) benefit: Program,
    pub(super) member: Program,
    pub(super) merchant: MerchantId,
    pub(super) store: StoreId,
    pub(super) terminal: TerminalId,
    pub(super) cafe: MerchantId,
    pub(super) manager: (Client, ClientSecret),
    pub(super) cashier: (Client, ClientSecret),
}

/// Makes what is missing, and fresh secrets.
pub(super) async fn prepare(engine: &Engine) -> Result<Shop> {
    let issuer = issuer(engine).await?;
    let make = Make { engine, issuer };
    let merchant = make.merchant("示例百货 Demo Store").await?;
    let store = make.store(merchant, "南京路店 Nanjing Road").await?;
    make.store(merchant, "徐家汇店 Xujiahui").await?;
    let terminal = make.terminal(store, "收银台 1 Till 1").await?;
    let cafe = make.merchant("示例咖啡 Demo Café").await?;
    make.store(cafe, "静安店 Jing'an").await?;
    Ok(Shop {
        issuer,
        gift: make.program("礼品卡 Gift card", "958800", gift_rules()).await?,
        benefit: make.program("员工福利卡 Employee benefit card", "958801", benefit_rules()).await?,
        member: make.program("会员储值卡 Member card", "958802", member_rules()).await?,
        merchant,
        store,
        terminal,
        cafe,
        manager: make.client(MANAGER, None, issuer_scopes()).await?,
        cashier: make.client(CASHIER, Some(merchant), cashier_scopes()).await?,
    })
}

async fn issuer(engine: &Engine) -> Result<IssuerId> {
    if let Some(found) = engine.catalog().issuers.values().find(|issuer| issuer.name == ISSUER) {
        return Ok(found.id);
    }
    let issuer = new_issuer(engine, ISSUER, TIME_ZONE)?;
    let id = issuer.id;
    engine.put_catalog(CatalogEntry::Issuer(issuer)).await?;
    Ok(id)
}

fn cashier_scopes() -> BTreeSet<Scope> {
    [Scope::CatalogRead, Scope::CardsRead, Scope::Load, Scope::Redeem, Scope::Refund].into()
}

struct Make<'a> {
    engine: &'a Engine,
    issuer: IssuerId,
}

impl Make<'_> {
    async fn merchant(&self, name: &str) -> Result<MerchantId> {
        let catalog = self.engine.catalog();
        let mut all = catalog.merchants.values();
        if let Some(found) = all.find(|m| m.issuer == self.issuer && m.name == name) {
            return Ok(found.id);
        }
        let id = MerchantId::new(self.engine.next_id());
        let merchant = Merchant {
            id,
            issuer: self.issuer,
            name: name.to_owned(),
            status: Status::Active,
            created_at: self.engine.now(),
            version: 1,
        };
        self.engine.put_catalog(CatalogEntry::Merchant(merchant)).await?;
        Ok(id)
    }

    async fn store(&self, merchant: MerchantId, name: &str) -> Result<StoreId> {
        let catalog = self.engine.catalog();
        if let Some(found) = catalog.stores.values().find(|s| s.merchant == merchant && s.name == name) {
            return Ok(found.id);
        }
        let id = StoreId::new(self.engine.next_id());
        let store = Store {
            id,
            issuer: self.issuer,
            merchant,
            name: name.to_owned(),
            status: Status::Active,
            created_at: self.engine.now(),
            version: 1,
        };
        self.engine.put_catalog(CatalogEntry::Store(store)).await?;
        Ok(id)
    }

    async fn terminal(&self, store: StoreId, name: &str) -> Result<TerminalId> {
        let catalog = self.engine.catalog();
        if let Some(found) = catalog.terminals.values().find(|t| t.store == store && t.name == name) {
            return Ok(found.id);
        }
        let id = TerminalId::new(self.engine.next_id());
        let terminal = Terminal {
            id,
            issuer: self.issuer,
            store,
            name: name.to_owned(),
            status: Status::Active,
            created_at: self.engine.now(),
            version: 1,
        };
        self.engine.put_catalog(CatalogEntry::Terminal(terminal)).await?;
        Ok(id)
    }

    async fn program(&self, name: &str, prefix: &str, rules: Rules) -> Result<Program> {
        let catalog = self.engine.catalog();
        let mut all = catalog.programs.values();
        if let Some(found) = all.find(|p| p.issuer == self.issuer && p.name == name) {
            return Ok(Program::clone(found));
        }
        let program = Program {
            id: ProgramId::new(self.engine.next_id()),
            issuer: self.issuer,
            name: name.to_owned(),
            currency: Currency::CNY,
            number_prefix: prefix.to_owned(),
            number_length: 19,
            status: Status::Active,
            rules,
            created_at: self.engine.now(),
            version: 1,
        };
        self.engine.put_catalog(CatalogEntry::Program(program.clone())).await?;
        Ok(program)
    }

    /// A client with a secret that is new at each start.
    async fn client(
        &self,
        name: &str,
        merchant: Option<MerchantId>,
        scopes: BTreeSet<Scope>,
    ) -> Result<(Client, ClientSecret)> {
        let catalog = self.engine.catalog();
        let mut all = catalog.clients.values();
        let known = all.find(|c| c.issuer == Some(self.issuer) && c.name == name);
        let (client, secret) = if let Some(known) = known {
            with_fresh_secret(known)?
        } else {
            let (mut client, secret) = new_client(self.engine, Some(self.issuer), name, scopes)?;
            client.merchant = merchant;
            (client, secret)
        };
        self.engine.put_catalog(CatalogEntry::Client(client.clone())).await?;
        Ok((client, secret))
    }
}

/// Rules that the programs vary: free amounts, no PIN, nothing limited.
pub(crate) fn plain_rules(max: Amount) -> Rules {
    Rules {
        denominations: Denominations::Free { min: Amount::ZERO, max },
        validity: Validity::Unlimited,
        acceptance: Acceptance::default(),
        redemption_min: None,
        redemption_max: None,
        daily_count: None,
        daily_amount: None,
        balance_cap: None,
        reloadable: false,
        registered: false,
        pin: PinRule::Never,
        pin_issued: false,
        member_required: false,
        lot_order: LotOrder::ProRata,
        residual: ResidualPolicy::KeepClaimable,
        legal_class: LegalClass::SingleEnterprise,
        transferable: false,
        cash_out: false,
        hold_seconds: 900,
        refund_days: None,
        reversal_seconds: 86_400,
        reactivation_months: None,
        policy_pack: None,
    }
}

/// An amount known to be one.
pub(super) fn fen(minor: i64) -> Amount {
    Amount::new(minor).unwrap_or(Amount::ZERO)
}

/// Anonymous, fixed amounts, valid for three years, at most 1,000 yuan: what the administrative measures
/// for single-purpose commercial prepaid cards (2012) allow an anonymous card, articles 18 and 19.
fn gift_rules() -> Rules {
    Rules {
        denominations: Denominations::Fixed { amounts: [10_000, 20_000, 50_000, 100_000].map(fen).to_vec() },
        validity: Validity::Months { months: 36 },
        balance_cap: Some(fen(100_000)),
        transferable: true,
        ..plain_rules(fen(100_000))
    }
}

/// Registered, with a PIN where no till reads the card, and a limit for each day.
fn benefit_rules() -> Rules {
    Rules {
        daily_amount: Some(fen(100_000)),
        daily_count: Some(20),
        balance_cap: Some(fen(500_000)),
        reloadable: true,
        registered: true,
        pin: PinRule::CardNotPresent,
        pin_issued: true,
        ..plain_rules(fen(500_000))
    }
}

/// Registered, reloadable, up to 5,000 yuan, with bonus value that is consumed in proportion.
fn member_rules() -> Rules {
    Rules {
        balance_cap: Some(fen(500_000)),
        reloadable: true,
        registered: true,
        transferable: true,
        cash_out: true,
        ..plain_rules(fen(500_000))
    }
}
