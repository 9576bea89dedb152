//! A small catalog, cards and requests. Tests change what they are about and leave the rest.

use std::sync::Arc;

use domain::{
    Account, Amount, BusinessDate, Card, CardId, CardState, Catalog, Channel, ClientId, Command, Currency,
    Fingerprint, IdempotencyKey, IssuerId, Lot, LotNo, MerchantId, PostedTransfer, Posting, PostingKind,
    Program, ProgramId, Request, StoreId, TerminalId, Timestamp,
    account::AccountKind,
    card::{DayCounters, PinDigest, PinState},
    catalog::{Issuer, Merchant, Store, Terminal},
    command::{Actor, Canonical, CardRef, Payment, PinAttempt, Place},
    decide::Secrets,
    lot::{LotOrder, LotSource},
    program::{Acceptance, Denominations, LegalClass, PinRule, ResidualPolicy, Rules, Status, Validity},
};
use jiff::tz::TimeZone;

/// The issuer that tests act for.
pub const ISSUER: IssuerId = IssuerId::new(1);
/// Another issuer, with nothing in common with the first.
pub const FOREIGN_ISSUER: IssuerId = IssuerId::new(2);
/// The program of most cards.
pub const PROGRAM: ProgramId = ProgramId::new(1);
/// Another program of the same issuer.
pub const OTHER_PROGRAM: ProgramId = ProgramId::new(2);
/// Two merchants of the issuer.
pub const MERCHANTS: [MerchantId; 2] = [MerchantId::new(1), MerchantId::new(2)];
/// A store of each merchant.
pub const STORES: [StoreId; 2] = [StoreId::new(11), StoreId::new(12)];
/// A terminal of each store.
pub const TERMINALS: [TerminalId; 2] = [TerminalId::new(111), TerminalId::new(112)];
/// The client that asks.
pub const CLIENT: ClientId = ClientId::new(7);
/// The only PIN that is right.
pub const PIN: &str = "482913";

/// An amount of so many minor units.
///
/// # Panics
/// If it is negative or too large.
pub fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("a test's amount is in bounds")
}

/// 2026-11-22T10:00 in the issuer's time zone.
///
/// # Panics
/// Never.
pub fn noon() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-22T10:00:00+08:00").expect("a moment")
}

/// Rules that allow everything and limit nothing.
pub fn free_rules() -> Rules {
    Rules {
        denominations: Denominations::Free { min: Amount::ZERO, max: Amount::MAX },
        validity: Validity::Unlimited,
        acceptance: Acceptance::default(),
        redemption_min: None,
        redemption_max: None,
        daily_count: None,
        daily_amount: None,
        balance_cap: None,
        reloadable: true,
        registered: true,
        pin: PinRule::Never,
        pin_issued: true,
        member_required: false,
        lot_order: LotOrder::ProRata,
        residual: ResidualPolicy::KeepClaimable,
        legal_class: LegalClass::SingleEnterprise,
        transferable: true,
        cash_out: true,
        hold_seconds: 900,
        refund_days: None,
        reversal_seconds: 86_400,
        reactivation_months: None,
        policy_pack: None,
    }
}

/// A program of the issuer with these rules.
pub fn program(id: ProgramId, rules: Rules) -> Program {
    Program {
        id,
        issuer: ISSUER,
        name: "Gift".to_owned(),
        currency: Currency::CNY,
        number_prefix: "62".to_owned(),
        number_length: 16,
        status: Status::Active,
        rules,
        created_at: Timestamp::from_micros(0),
        version: 1,
    }
}

fn issuer(id: IssuerId) -> Issuer {
    Issuer {
        id,
        name: "Issuer".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        zone: TimeZone::get("Asia/Shanghai").expect("bundled"),
        status: Status::Active,
        created_at: Timestamp::from_micros(0),
        version: 1,
    }
}

/// Both issuers, both programs, and a merchant, store and terminal twice.
///
/// # Panics
/// Never.
pub fn catalog(rules: &Rules) -> Catalog {
    let mut catalog = Catalog::default();
    let (status, created_at, version) = (Status::Active, Timestamp::from_micros(0), 1);
    for id in [ISSUER, FOREIGN_ISSUER] {
        catalog.issuers.insert(id, Arc::new(issuer(id)));
    }
    for id in [PROGRAM, OTHER_PROGRAM] {
        catalog.programs.insert(id, Arc::new(program(id, rules.clone())));
    }
    for ((merchant, store), terminal) in MERCHANTS.into_iter().zip(STORES).zip(TERMINALS) {
        let name = String::new();
        let m = Merchant { id: merchant, issuer: ISSUER, name, status, created_at, version };
        let name = String::new();
        let s = Store { id: store, issuer: ISSUER, merchant, name, status, created_at, version };
        let name = String::new();
        let t = Terminal { id: terminal, issuer: ISSUER, store, name, status, created_at, version };
        catalog.merchants.insert(merchant, Arc::new(m));
        catalog.stores.insert(store, Arc::new(s));
        catalog.terminals.insert(terminal, Arc::new(t));
    }
    catalog
}

/// A stocked card with the PIN [`PIN`].
pub fn stocked(id: i64) -> Card {
    Card {
        id: CardId::new(id),
        issuer: ISSUER,
        program: PROGRAM,
        batch: None,
        last4: 1234,
        state: CardState::Stocked,
        face_value: None,
        lots: Vec::new(),
        held: Amount::ZERO,
        day: DayCounters { date: BusinessDate::default(), count: 0, amount: Amount::ZERO },
        pin: PinState {
            digest: Some(PinDigest { key_id: 1, bytes: [0; 16] }),
            failures: 0,
            lifetime_failures: 0,
        },
        member: None,
        activated_at: None,
        expires_at: None,
        last_operation: None,
        created_at: Timestamp::from_micros(0),
    }
}

/// An active card with so much paid value.
pub fn active(id: i64, paid: i64) -> Card {
    let mut card = stocked(id);
    card.state = CardState::Active;
    card.activated_at = Some(Timestamp::from_micros(0));
    if paid > 0 {
        card.lots = vec![lot(1, LotSource::Paid, paid)];
    }
    card
}

/// A lot that does not expire before its card.
pub fn lot(no: u16, source: LotSource, remaining: i64) -> Lot {
    Lot {
        no: LotNo(no),
        source,
        funder: None,
        granted: amount(remaining),
        remaining: amount(remaining),
        expired: Amount::ZERO,
        expired_to_breakage: false,
        expires_at: None,
    }
}

/// The card with this number, by id.
pub fn card_ref(id: i64) -> CardRef {
    CardRef::Id(CardId::new(id))
}

/// At the first merchant, without store or terminal.
pub fn at_merchant(index: usize) -> Place {
    Place { merchant: MERCHANTS.get(index).copied(), ..Place::default() }
}

/// A payment at the first merchant, all or nothing, without a PIN.
pub fn payment(card: i64, minor: i64) -> Payment {
    Payment {
        card: card_ref(card),
        amount: amount(minor),
        currency: Currency::CNY,
        place: at_merchant(0),
        pin: None,
        partial: false,
    }
}

/// A posting of so much along one of the pairs of its kind, `way` picks which; at 64 and above in two
/// transfers, if it can be. Where it is about a merchant, that is the first one.
///
/// # Panics
/// Never: every kind has pairs.
pub fn posting(
    kind: PostingKind,
    way: u8,
    minor: i64,
    issuer: IssuerId,
    merchants: [MerchantId; 2],
) -> Posting {
    let pairs = kind.pairs();
    let (from, to) = pairs[usize::from(way) % pairs.len()];
    // Of a split and its claw-back, one each.
    let receiver = usize::from(from == AccountKind::Merchant && to == AccountKind::Merchant);
    let payer = usize::from(receiver == 1 && way & 32 != 0);
    let (debit, credit) = (
        ledger_account(from, issuer, merchants[payer]),
        ledger_account(to, issuer, merchants[receiver - payer]),
    );
    let merchant = [from, to].contains(&AccountKind::Merchant).then_some(merchants[0]);
    let parts = if way >= 64 && minor > 1 { vec![minor - 1, 1] } else { vec![minor] };
    let transfers = parts.into_iter().map(|part| PostedTransfer { debit, credit, amount: amount(part) });
    Posting { kind, currency: Currency::CNY, merchant, transfers: transfers.collect(), reason: None }
}

fn ledger_account(kind: AccountKind, issuer: IssuerId, merchant: MerchantId) -> Account {
    let reference = match kind {
        AccountKind::Merchant => merchant.get(),
        AccountKind::Channel => Channel::parse("api").expect("a channel").packed(),
        _ => issuer.get(),
    };
    Account::from_stored(kind, reference).expect("an account")
}

/// A typed PIN.
pub fn pin(text: &str) -> Option<PinAttempt> {
    Some(PinAttempt(text.into()))
}

/// A request of [`CLIENT`], which is bound to no merchant.
///
/// # Panics
/// If the key is not usable.
pub fn request(key: &str, command: Command) -> Request {
    let canonical = Canonical(canonical(&command).into_bytes().into_boxed_slice());
    Request {
        actor: Actor { client: CLIENT, issuer: ISSUER, merchant: None },
        key: IdempotencyKey::parse(key).expect("a test's key is usable"),
        fingerprint: Fingerprint { key_id: 1, bytes: digest(1, &canonical.0) },
        canonical,
        command,
        trace: None,
        reference: None,
        metadata: None,
    }
}

/// The debug form leaves PINs out on purpose, so they are added.
fn canonical(command: &Command) -> String {
    let pin = match command {
        Command::Redeem(c) => c.pin.as_ref(),
        Command::Hold(c) => c.payment.pin.as_ref(),
        Command::Transfer(c) => c.pin.as_ref(),
        Command::Merge(c) | Command::Replace(c) => c.pin.as_ref(),
        Command::CashOut(c) => c.pin.as_ref(),
        Command::BindMember(c) => c.pin.as_ref(),
        Command::Inquire(c) => c.pin.as_ref(),
        _ => None,
    };
    format!("{command:?} {}", pin.map_or("", |pin| &pin.0))
}

/// A digest that differs where the text or key differs; not secret, which tests need not be (FNV-1a).
fn digest(key_id: u8, canonical: &[u8]) -> [u8; 16] {
    let fold = |seed: u64| {
        let bytes = canonical.iter().chain([&key_id]);
        bytes.fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let halves = [fold(0xcbf2_9ce4_8422_2325), fold(0x8422_2325_cbf2_9ce4)];
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(halves.iter().flat_map(|half| half.to_be_bytes())) {
        *to = from;
    }
    bytes
}

/// Knows one PIN, and the digests under keys 1 and 2.
#[derive(Clone, Copy, Debug, Default)]
pub struct TestSecrets;

impl Secrets for TestSecrets {
    fn pin_matches(&self, _: CardId, _: &PinDigest, attempt: &PinAttempt) -> bool {
        &*attempt.0 == PIN
    }

    fn fingerprint(&self, key_id: u8, canonical: &[u8]) -> Option<[u8; 16]> {
        matches!(key_id, 1 | 2).then(|| digest(key_id, canonical))
    }
}
