//! Settlement: the log is followed without a gap, lines are written once, statements are closed once and never
//! change, payouts take their steps.

use std::sync::Arc;

use domain::{
    Account, AgreementId, Amount, BusinessDate, CardId, Currency, IssuerId, MerchantId, OperationId,
    OperationKind, PayeeId, PayoutId, StatementId, Transfer, operation::Status, working::Changes,
};
use settlement::{
    Agreement, CalendarDay, Line, Movement, MovementKind, Payee, Payout, PayoutStatus, Refunded,
    SealedAccount, SplitPart, Statement, StatementStatus, StatementSums, Terms, closing, fold::add_line,
    statement::Figures,
};

use super::{
    Fresh,
    world::{
        CLIENT, ISSUER, MERCHANT, OTHER_ISSUER, OTHER_MERCHANT, SECOND_CLIENT, SECOND_MERCHANT, START, after,
        amount, commit, id_at, operation, pages, settle, transfer,
    },
};
use crate::{
    Accrual, Closed, Closing, LogPosition, PayoutFilter, SettlementProgress, StatementFilter, StorageError,
    Store,
};

fn day(text: &str) -> BusinessDate {
    BusinessDate::parse(text).expect("a date")
}

fn id(n: i64) -> OperationId {
    id_at(after(n), n)
}

fn conflicts<T: std::fmt::Debug>(found: crate::Result<T>, expected: &str) {
    match found {
        Err(StorageError::Conflict { what }) => assert_eq!(what, expected),
        other => panic!("no conflict on {expected}: {other:?}"),
    }
}

fn agreement(id: i64, merchant: Option<MerchantId>, from: &str) -> Agreement {
    Agreement {
        id: AgreementId::new(id),
        issuer: ISSUER,
        merchant,
        currency: Currency::CNY,
        effective_from: day(from),
        terms: Terms { minimum_payout: amount(id), ..Terms::standard() },
        created_by: CLIENT,
        created_at: after(id),
    }
}

/// Agreements come in versions by effective date; one from each day.
pub async fn agreements_are_versions(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let versions = [
        agreement(1, None, "2026-01-01"),
        agreement(2, Some(MERCHANT), "2026-01-01"),
        agreement(3, Some(MERCHANT), "2026-02-01"),
        agreement(4, Some(SECOND_MERCHANT), "2026-02-01"),
        Agreement {
            currency: Currency::parse("USD").expect("a currency"),
            ..agreement(5, None, "2026-01-01")
        },
        Agreement { issuer: OTHER_ISSUER, ..agreement(6, None, "2026-01-01") },
    ];
    for version in &versions {
        store.append_agreement(version).await.expect("a new version");
        assert_eq!(store.agreement(version.id).await.expect("read").as_ref(), Some(version));
    }
    conflicts(store.append_agreement(&agreement(7, None, "2026-01-01")).await, "effective_from");
    conflicts(store.append_agreement(&agreement(8, Some(MERCHANT), "2026-02-01")).await, "effective_from");
    let list = |merchant, limit| {
        pages(move |before| store.agreements(ISSUER, merchant, before.map(AgreementId::new), limit))
    };
    let of_merchant: Vec<Agreement> = list(Some(MERCHANT), 1).await.concat();
    assert_eq!(of_merchant, [versions[2].clone(), versions[1].clone()]);
    let all: Vec<i64> = list(None, 2).await.concat().iter().map(|found| found.id.get()).collect();
    assert_eq!(all, [5, 4, 3, 2, 1]);
}

/// A notice replaces what was known of its year, and nothing else.
pub async fn calendars_are_replaced_by_year(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let listed =
        |year, date: &str, working| CalendarDay { year, date: day(date), working, name: "元旦".to_owned() };
    let days = [listed(2026, "2025-12-31", true), listed(2026, "2026-01-01", false)];
    let next = [listed(2027, "2027-01-01", false)];
    store.put_calendar_year(ISSUER, 2026, &days).await.expect("a notice");
    store.put_calendar_year(ISSUER, 2027, &next).await.expect("a notice");
    assert_eq!(store.calendar_days(ISSUER, 2026, 2026).await.expect("days"), days);
    assert_eq!(store.calendar_days(ISSUER, 2020, 2030).await.expect("days"), [&days[..], &next[..]].concat());
    assert_eq!(store.calendar_days(OTHER_ISSUER, 2020, 2030).await.expect("days"), []);
    store.put_calendar_year(ISSUER, 2026, &days[1..]).await.expect("a notice again");
    assert_eq!(store.calendar_days(ISSUER, 2026, 2026).await.expect("days"), days[1..]);
    store.put_calendar_year(ISSUER, 2026, &[]).await.expect("a notice withdrawn");
    assert_eq!(store.calendar_days(ISSUER, 2026, 2027).await.expect("days"), next);
}

fn payee(id: i64, merchant: MerchantId, from: &str) -> Payee {
    Payee {
        id: PayeeId::new(id),
        issuer: ISSUER,
        merchant,
        currency: Currency::CNY,
        effective_from: day(from),
        holder_name: "杭州某某茶业有限公司".to_owned(),
        account_number: format!("62220212020{id:05}"),
        bank_name: "中国工商银行".to_owned(),
        bic: (id % 2 == 0).then(|| "ICBKCNBJ".to_owned()),
        clearing_code: (id % 2 == 1).then(|| "102331000019".to_owned()),
        created_by: CLIENT,
        created_at: after(id),
        sealed: None,
    }
}

/// Numbers that are plain or under another key are found, and only how they are stored changes.
pub async fn account_numbers_are_sealed(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let under = |key_id| SealedAccount { key_id, bytes: vec![key_id; 40] };
    let plain = [payee(1, MERCHANT, "2026-01-01"), payee(3, SECOND_MERCHANT, "2026-01-01")];
    let sealed = payee(2, MERCHANT, "2026-02-01").under(under(1));
    for payee in plain.iter().chain([&sealed]) {
        store.append_payee(payee).await.expect("a new account");
        assert_eq!(store.payee(payee.id).await.expect("read").as_ref(), Some(payee));
    }
    let ids = async |current, after: Option<i64>, limit| {
        let found =
            store.accounts_not_under(current, after.map(PayeeId::new), limit).await.expect("accounts");
        found.iter().map(|payee| payee.id.get()).collect::<Vec<_>>()
    };
    assert_eq!(ids(1, None, 10).await, [1, 3]);
    assert_eq!(ids(2, None, 10).await, [1, 2, 3]);
    assert_eq!(ids(2, Some(1), 1).await, [2]);
    let resealed = [plain[0].clone().under(under(2)), sealed.clone().under(under(2))];
    store.seal_accounts(&resealed).await.expect("sealed");
    for payee in &resealed {
        assert_eq!(store.payee(payee.id).await.expect("read").as_ref(), Some(payee));
    }
    assert_eq!(ids(2, None, 10).await, [3]);
    assert!(store.key_ids_in_use().await.expect("keys").contains(&2));
}

/// The latest effective account counts, of that the newest.
pub async fn payees_are_in_force_by_date(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let payees = [
        payee(1, MERCHANT, "2026-01-01"),
        payee(2, MERCHANT, "2026-03-01"),
        payee(3, MERCHANT, "2026-03-01"),
        payee(4, MERCHANT, "2026-02-01"),
        payee(5, SECOND_MERCHANT, "2026-06-01"),
    ];
    for payee in &payees {
        store.append_payee(payee).await.expect("a new account");
        assert_eq!(store.payee(payee.id).await.expect("read").as_ref(), Some(payee));
    }
    conflicts(store.append_payee(&payees[0]).await, "id");
    let both = [MERCHANT, SECOND_MERCHANT];
    let check = async |on: &str, expect: &[i64]| {
        let found = store.payees_in_force(ISSUER, &both, day(on)).await.expect("accounts");
        assert_eq!(found.iter().map(|payee| payee.id.get()).collect::<Vec<_>>(), expect, "on {on}");
    };
    check("2025-12-31", &[]).await;
    check("2026-01-31", &[1]).await;
    check("2026-02-28", &[4]).await;
    check("2026-03-01", &[3]).await;
    check("2026-06-01", &[3, 5]).await;
    let list = pages(|before| store.payees(ISSUER, MERCHANT, before.map(PayeeId::new), 3)).await;
    let ids: Vec<i64> = list.concat().iter().map(|payee| payee.id.get()).collect();
    assert_eq!(ids, [4, 3, 2, 1]);
}

/// Writes an operation with its transfers.
async fn write(
    store: &dyn Store,
    n: i64,
    (kind, merchant, original): (OperationKind, Option<MerchantId>, Option<i64>),
    moved: &[(Account, Account, i64)],
) {
    let issuer = if merchant == Some(OTHER_MERCHANT) { OTHER_ISSUER } else { ISSUER };
    let operation = domain::Operation {
        kind,
        issuer,
        merchant,
        original: original.map(id),
        status: Status::Approved,
        ..operation(id(n), after(n))
    };
    let transfers: Vec<Transfer> = moved
        .iter()
        .zip(1..)
        .map(|((debit, credit, minor), seq)| transfer(id(n), seq, *debit, *credit, *minor))
        .collect();
    let changes = Changes { operations: vec![Arc::new(operation)], transfers, ..Changes::default() };
    commit(store, &changes).await.expect("committed");
}

/// A log with all that settlement has to tell apart, and the movements of [`ISSUER`] in it.
async fn write_log(store: &dyn Store) -> Vec<Movement> {
    use OperationKind as Kind;
    let card = Account::Card(CardId::new(11));
    let (first, second, other) =
        (Account::Merchant(MERCHANT), Account::Merchant(SECOND_MERCHANT), Account::Merchant(OTHER_MERCHANT));
    let (bank, fees) = (Account::Bank(ISSUER), Account::Fees(ISSUER));
    let named = |merchant| (Kind::Redemption, Some(merchant), None);
    write(store, 1, named(MERCHANT), &[(card, first, 100), (card, first, 30)]).await;
    write(store, 2, (Kind::Load, None, None), &[(bank, card, 500)]).await;
    write(store, 3, named(OTHER_MERCHANT), &[(card, other, 700)]).await;
    write(store, 4, named(SECOND_MERCHANT), &[(card, second, 50)]).await;
    write(store, 5, (Kind::Refund, Some(MERCHANT), Some(1)), &[(first, card, 40)]).await;
    let posting = (Kind::Settlement, Some(MERCHANT), None);
    write(store, 6, posting, &[(first, fees, 2), (first, second, 9), (second, first, 4)]).await;
    write(store, 7, (Kind::Freeze, None, None), &[]).await;
    write(store, 8, (Kind::Correction, Some(MERCHANT), None), &[(first, second, 5), (second, first, 5)])
        .await;
    write(store, 9, (Kind::Reversal, Some(SECOND_MERCHANT), Some(4)), &[(second, card, 50)]).await;
    let movement = |n, kind, merchant, named, delta, original: Option<i64>| Movement {
        operation: id(n),
        kind,
        at: after(n),
        issuer: ISSUER,
        merchant,
        named: Some(named),
        currency: Currency::CNY,
        delta,
        original: original.map(id),
    };
    vec![
        movement(1, Kind::Redemption, MERCHANT, MERCHANT, 130, None),
        movement(4, Kind::Redemption, SECOND_MERCHANT, SECOND_MERCHANT, 50, None),
        movement(5, Kind::Refund, MERCHANT, MERCHANT, -40, Some(1)),
        movement(6, Kind::Settlement, MERCHANT, MERCHANT, -7, None),
        movement(6, Kind::Settlement, SECOND_MERCHANT, MERCHANT, 5, None),
        movement(9, Kind::Reversal, SECOND_MERCHANT, SECOND_MERCHANT, -50, Some(4)),
    ]
}

/// Follows the log to its end. Returns the movements, and where it ended.
async fn follow(store: &dyn Store, issuer: IssuerId, limit: usize) -> (Vec<Movement>, LogPosition) {
    let (mut found, mut at) = (Vec::new(), LogPosition::START);
    for _ in 0..1_000 {
        let page = store.movements(issuer, at, limit).await.expect("movements");
        assert!(page.position >= at && (page.operations > 0) == (page.position > at), "{page:?}");
        assert!(page.operations <= u64::try_from(limit).expect("a number"));
        found.extend(page.items);
        at = page.position;
        if page.caught_up {
            return (found, at);
        }
    }
    panic!("the log does not end");
}

/// Movements are what operations changed for merchants, each once, in whatever portions they are read.
pub async fn movements_follow_the_log(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let (nothing, at) = follow(store, ISSUER, 10).await;
    assert_eq!((nothing, at), (Vec::new(), LogPosition::START));
    let expected = write_log(store).await;
    for limit in [1, 2, 3, 100] {
        let (found, at) = follow(store, ISSUER, limit).await;
        assert_eq!(found, expected, "{limit} at once");
        assert_eq!(at.operation, id(9));
        let rest = store.movements(ISSUER, at, limit).await.expect("movements");
        assert!(rest.items.is_empty() && rest.position == at && rest.caught_up);
    }
    let (foreign, _) = follow(store, OTHER_ISSUER, 4).await;
    assert_eq!(foreign.iter().map(|m| (m.merchant, m.delta)).collect::<Vec<_>>(), [(OTHER_MERCHANT, 700)]);
}

fn statement(n: i64, merchant: MerchantId, period: [&str; 2]) -> Statement {
    Statement {
        id: StatementId::new(n),
        issuer: ISSUER,
        merchant,
        currency: Currency::CNY,
        status: StatementStatus::Open,
        period_from: day(period[0]),
        period_to: day(period[1]),
        ends_at: after(n * 1000),
        due_on: day(period[1]),
        due_estimated: n % 2 == 0,
        agreement: (n % 2 == 1).then_some(AgreementId::new(1)),
        first_line: None,
        newest_line: None,
        figures: Figures::default(),
        previous: None,
        operation: None,
        digest: None,
        created_at: START,
        closed_at: None,
    }
}

fn line(n: i64, of: &Statement, previous: Option<i64>, kind: MovementKind, minor: i64) -> Line {
    Line {
        operation: id(n),
        merchant: of.merchant,
        statement: of.id,
        previous: previous.map(id),
        kind,
        day: of.period_to,
        amount: minor,
        fee: minor / 10,
        agreement: of.agreement,
        original: (kind == MovementKind::Refund).then_some(id(1)),
        refunded_before: Amount::ZERO,
        residue: i32::try_from(n).expect("small"),
        late: n % 3 == 0,
    }
}

fn part(line: &Line, receiver: MerchantId, minor: i64) -> SplitPart {
    let (operation, merchant, statement) = (line.operation, line.merchant, line.statement);
    SplitPart { operation, merchant, receiver, statement, amount: minor }
}

/// Two open statements: of [`MERCHANT`] with three lines and parts, of [`SECOND_MERCHANT`] with one.
struct Accrued {
    first: Statement,
    second: Statement,
    lines: Vec<Line>,
    parts: Vec<SplitPart>,
    refunded: Refunded,
    at: LogPosition,
}

async fn accrued(store: &dyn Store) -> Accrued {
    settle(store).await;
    write_log(store).await;
    let at = follow(store, ISSUER, 100).await.1;
    let mut first = statement(31, MERCHANT, ["2026-03-01", "2026-03-01"]);
    let mut second = statement(32, SECOND_MERCHANT, ["2026-03-01", "2026-03-07"]);
    (first.first_line, second.first_line) = (Some(id(1)), Some(id(4)));
    let lines = vec![
        line(1, &first, None, MovementKind::Sale, 130),
        line(4, &second, None, MovementKind::Sale, 50),
        line(5, &first, Some(1), MovementKind::Refund, -40),
        line(6, &first, Some(5), MovementKind::SplitIn, 5),
    ];
    let parts = vec![
        part(&lines[0], SECOND_MERCHANT, 20),
        part(&lines[0], OTHER_MERCHANT, 3),
        part(&lines[2], SECOND_MERCHANT, -6),
    ];
    let refunded =
        Refunded { original: id(1), merchant: MERCHANT, refunded: amount(40), fee_returned: amount(4) };
    let accrual = Accrual {
        issuer: ISSUER,
        expected: 0,
        position: at,
        statements: vec![first.clone(), second.clone()],
        lines: lines[..2].to_vec(),
        parts: parts[..2].to_vec(),
        refunded: Vec::new(),
    };
    store.accrue(&accrual).await.expect("accrued");
    let rest = Accrual {
        expected: 1,
        statements: Vec::new(),
        lines: lines[2..].to_vec(),
        parts: parts[2..].to_vec(),
        refunded: vec![refunded],
        ..accrual
    };
    store.accrue(&rest).await.expect("accrued");
    Accrued { first, second, lines, parts, refunded, at }
}

fn sums(of: &Statement, world: &Accrued) -> StatementSums {
    let mut sums = StatementSums::default();
    for line in world.lines.iter().filter(|line| line.statement == of.id) {
        add_line(&mut sums, line).expect("small");
    }
    sums.splits_out = world.parts.iter().filter(|p| p.statement == of.id).map(|part| part.amount).sum();
    sums
}

/// What is accrued is written once, found again, and adds up to what it was folded to.
pub async fn lines_are_written_once(fresh: Fresh) {
    let store = fresh.store.as_ref();
    assert_eq!(store.settlement_progress(ISSUER).await.expect("progress"), SettlementProgress::START);
    let world = accrued(store).await;
    let progress = SettlementProgress { position: world.at, revision: 2 };
    assert_eq!(store.settlement_progress(ISSUER).await.expect("progress"), progress);
    assert_eq!(store.settlement_progress(OTHER_ISSUER).await.expect("none"), SettlementProgress::START);
    // What was decided on an older state, or names what is there, leaves no trace.
    let more = Accrual {
        issuer: ISSUER,
        expected: 1,
        position: world.at,
        statements: vec![statement(33, MERCHANT, ["2026-03-02", "2026-03-02"])],
        lines: vec![line(9, &world.second, Some(4), MovementKind::Reversal, -50)],
        parts: Vec::new(),
        refunded: Vec::new(),
    };
    conflicts(store.accrue(&more).await, "revision");
    let again = Accrual { expected: 2, lines: vec![more.lines[0], world.lines[0]], ..more.clone() };
    conflicts(store.accrue(&again).await, "line");
    let doubled = statement(34, MERCHANT, ["2026-02-01", "2026-03-01"]);
    conflicts(
        store.accrue(&Accrual { expected: 2, statements: vec![doubled], ..more.clone() }).await,
        "statement",
    );
    assert_eq!(store.settlement_progress(ISSUER).await.expect("progress"), progress);
    assert_eq!(store.statement(StatementId::new(33)).await.expect("none"), None);

    let open = store.unfinished_statements(ISSUER, None, 10).await.expect("statements");
    assert_eq!(open, [world.first.clone(), world.second.clone()]);
    let later = store.unfinished_statements(ISSUER, Some(world.first.id), 10).await.expect("statements");
    assert_eq!(later, std::slice::from_ref(&world.second));
    let found = store.open_sums(ISSUER).await.expect("sums");
    assert_eq!(found.len(), 2);
    for (found, (of, newest)) in found.iter().zip([(&world.first, 3), (&world.second, 1)]) {
        assert_eq!((found.statement, found.newest), (of.id, world.lines[newest]));
        assert_eq!(found.sums, sums(of, &world));
    }
    assert_eq!(found[0].volumes, [(202_603, 130)]);
    let receivers = store.receivers(ISSUER, &[world.first.id, world.second.id]).await.expect("receivers");
    let of = world.first.id;
    assert_eq!(receivers, [(of, SECOND_MERCHANT, 14), (of, OTHER_MERCHANT, 3)]);
    settled_lines_are_found(store, &world).await;
}

async fn settled_lines_are_found(store: &dyn Store, world: &Accrued) {
    let keys = [(id(1), MERCHANT), (id(1), SECOND_MERCHANT), (id(4), SECOND_MERCHANT), (id(99), MERCHANT)];
    let mut found = store.settled(&keys).await.expect("lines");
    found.sort_by_key(|settled| settled.line.operation);
    let lines: Vec<Line> = found.iter().map(|settled| settled.line).collect();
    assert_eq!(lines, [world.lines[0], world.lines[1]]);
    assert_eq!((&found[0].parts[..], found[0].refunded), (&world.parts[..2], Some(world.refunded)));
    assert_eq!((&found[1].parts[..], found[1].refunded), (&[][..], None));
    let all = store.lines(ISSUER, (id(1), MERCHANT), id(6), 10).await.expect("lines");
    assert_eq!(all, world.lines[1..3]);
    assert_eq!(store.lines(ISSUER, (id(0), MERCHANT), id(99), 3).await.expect("lines"), world.lines[..3]);
    assert_eq!(store.lines(OTHER_ISSUER, (id(0), MERCHANT), id(99), 3).await.expect("none"), []);
}

/// The statement with its figures fixed.
fn frozen(
    of: &Statement,
    sums: StatementSums,
    previous: Option<StatementId>,
    newest: Option<i64>,
) -> Statement {
    let closing = sums.net().expect("small");
    let payout = Amount::new(closing.max(0)).expect("an amount");
    let carried = closing - payout.get();
    let figures = Figures { sums, closing, payout, carried, volume_month: 202_603, ..Figures::default() };
    let newest_line = newest.map(id);
    Statement { status: StatementStatus::Closing, figures, previous, newest_line, ..of.clone() }
}

fn payout_of(statement: &Statement, n: i64) -> Payout {
    Payout {
        id: PayoutId::new(n),
        issuer: ISSUER,
        merchant: statement.merchant,
        statement: statement.id,
        currency: statement.currency,
        amount: amount(n),
        due_on: statement.due_on,
        due_estimated: statement.due_estimated,
        status: PayoutStatus::Proposed,
        payee: None,
        proposed_by: CLIENT,
        decided_by: None,
        reason: None,
        operation: None,
        return_operation: None,
        credited_in: None,
        created_at: after(n),
        decided_at: None,
        sent_at: None,
        finished_at: None,
        version: 1,
    }
}

fn closing_of(expected: i64, statements: Vec<Statement>) -> Closing {
    Closing { issuer: ISSUER, expected, statements, credited: Vec::new() }
}

/// A statement goes from open to closing to closed, follows the one before it, and is closed once.
pub async fn statements_are_closed_once(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let world = accrued(store).await;
    let first = frozen(&world.first, sums(&world.first, &world), None, Some(6));
    // One without lines is new when it is closed.
    let idle = frozen(
        &statement(35, SECOND_MERCHANT, ["2026-02-01", "2026-02-28"]),
        StatementSums::default(),
        None,
        None,
    );
    conflicts(store.begin_closing(&closing_of(1, vec![first.clone()])).await, "revision");
    let stray = Statement { previous: Some(idle.id), ..first.clone() };
    conflicts(store.begin_closing(&closing_of(2, vec![idle.clone(), stray])).await, "statement");
    let twice = Statement { id: StatementId::new(36), ..first.clone() };
    conflicts(store.begin_closing(&closing_of(2, vec![first.clone(), twice])).await, "statement");
    assert_eq!(store.statement(idle.id).await.expect("none"), None);
    assert_eq!(store.latest_statements(ISSUER, None, 10).await.expect("none"), []);
    conflicts(store.finish_closing(&[closed(&first, None)]).await, "statement");

    store.begin_closing(&closing_of(2, vec![first.clone(), idle.clone()])).await.expect("figures");
    assert_eq!(store.settlement_progress(ISSUER).await.expect("progress").revision, 3);
    assert_eq!(store.statement(first.id).await.expect("read"), Some(first.clone()));
    assert_eq!(store.statement(idle.id).await.expect("read"), Some(idle.clone()));
    conflicts(store.begin_closing(&closing_of(3, vec![first.clone()])).await, "statement");
    let latest = store.latest_statements(ISSUER, None, 10).await.expect("statements");
    assert_eq!(latest, [first.clone(), idle.clone()]);
    let after_first = Some((MERCHANT, Currency::CNY));
    assert_eq!(
        store.latest_statements(ISSUER, after_first, 10).await.expect("one"),
        std::slice::from_ref(&idle)
    );
    let open = store.open_sums(ISSUER).await.expect("sums");
    assert_eq!(open.iter().map(|sums| sums.statement).collect::<Vec<_>>(), [world.second.id]);

    let (done, payout) = (closed(&first, None).statement, payout_of(&first, 90));
    store.finish_closing(&[closed(&first, Some(payout.clone()))]).await.expect("closed");
    assert_eq!(store.statement(first.id).await.expect("read"), Some(done.clone()));
    assert_eq!(store.payout(payout.id).await.expect("read"), Some(payout));
    conflicts(store.finish_closing(&[closed(&first, None)]).await, "statement");
    conflicts(store.begin_closing(&closing_of(3, vec![first])).await, "statement");
    assert_eq!(store.statement(done.id).await.expect("read"), Some(done.clone()));
    let unfinished = store.unfinished_statements(ISSUER, None, 10).await.expect("statements");
    assert_eq!(unfinished, [world.second.clone(), idle.clone()]);
    chains_are_walked(store, &world, &done).await;
    statements_are_listed(store, [&done, &world.second, &idle]).await;
}

fn closed(statement: &Statement, payout: Option<Payout>) -> Closed {
    let statement = closing::close(statement.clone(), Some(id(6)), None, after(50));
    Closed { statement, payout }
}

async fn chains_are_walked(store: &dyn Store, world: &Accrued, of: &Statement) {
    let expected = [world.lines[3], world.lines[2], world.lines[0]];
    for limit in [1, 2, 3, 10] {
        let list = pages(|before| store.statement_lines(of.id, before.map(OperationId::new), limit)).await;
        assert!(list.iter().all(|page| page.len() <= limit));
        let found: Vec<Line> = list.concat().iter().map(|settled| settled.line).collect();
        assert_eq!(found, expected, "{limit} at once");
    }
    let page = store.statement_lines(of.id, None, 10).await.expect("lines");
    let parts: Vec<usize> = page.items.iter().map(|settled| settled.parts.len()).collect();
    assert_eq!(parts, [0, 1, 2]);
    let open = store.statement_lines(world.second.id, None, 10).await.expect("lines");
    assert!(open.items.is_empty() && open.next.is_none(), "its newest line is not known yet");
}

async fn statements_are_listed(store: &dyn Store, all: [&Statement; 3]) {
    let [done, open, idle] = all;
    let check = async |filter: StatementFilter, expect: &[&Statement]| {
        let expect: Vec<StatementId> = expect.iter().map(|statement| statement.id).collect();
        for limit in [1, 10] {
            let list =
                pages(|before| store.statements(&filter, before.map(StatementId::new), limit)).await.concat();
            assert_eq!(list.iter().map(|s| s.id).collect::<Vec<_>>(), expect, "{filter:?}");
        }
    };
    let every = StatementFilter::all(ISSUER);
    check(every, &[idle, open, done]).await;
    check(StatementFilter::all(OTHER_ISSUER), &[]).await;
    check(StatementFilter { merchant: Some(MERCHANT), ..every }, &[done]).await;
    check(StatementFilter { status: Some(StatementStatus::Open), ..every }, &[open]).await;
    check(StatementFilter { from: Some(day("2026-03-01")), ..every }, &[open, done]).await;
    check(StatementFilter { to: Some(day("2026-03-01")), ..every }, &[idle, done]).await;
    check(StatementFilter { issuer: OTHER_ISSUER, merchant: Some(MERCHANT), ..every }, &[]).await;
}

/// Payouts take one allowed step after the other, each on what the caller saw.
pub async fn payouts_take_their_steps(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let world = accrued(store).await;
    let first = frozen(&world.first, sums(&world.first, &world), None, Some(6));
    let second = frozen(&world.second, sums(&world.second, &world), None, Some(4));
    let closing = closing_of(2, vec![first.clone(), second.clone()]);
    store.begin_closing(&closing).await.expect("figures");
    let (paid, refused) = (payout_of(&first, 91), payout_of(&second, 92));
    let both = [closed(&first, Some(paid.clone())), closed(&second, Some(refused.clone()))];
    store.finish_closing(&both).await.expect("closed");

    let approved = Payout {
        status: PayoutStatus::Approved,
        decided_by: Some(SECOND_CLIENT),
        decided_at: Some(after(60)),
        version: 2,
        ..paid.clone()
    };
    let skipped = Payout { status: PayoutStatus::Confirmed, operation: Some(id(6)), ..approved.clone() };
    conflicts(store.update_payouts(&[skipped]).await, "status");
    conflicts(store.update_payouts(&[Payout { version: 3, ..approved.clone() }]).await, "version");
    let rejected = Payout {
        status: PayoutStatus::Rejected,
        decided_by: Some(SECOND_CLIENT),
        decided_at: Some(after(61)),
        reason: Some("户名不符".to_owned()),
        version: 2,
        ..refused.clone()
    };
    let stale = Payout { version: 9, ..rejected.clone() };
    conflicts(store.update_payouts(&[approved.clone(), stale]).await, "version");
    assert_eq!(store.payout(paid.id).await.expect("read"), Some(paid), "all or none");
    store.update_payouts(&[approved.clone(), rejected.clone()]).await.expect("decided");
    let sent = Payout {
        status: PayoutStatus::Sent,
        payee: Some(PayeeId::new(1)),
        operation: Some(id(6)),
        sent_at: Some(after(62)),
        version: 3,
        ..approved.clone()
    };
    conflicts(store.update_payouts(&[Payout { version: 2, ..sent.clone() }]).await, "version");
    store.update_payouts(std::slice::from_ref(&sent)).await.expect("sent");
    assert_eq!(store.payout(sent.id).await.expect("read"), Some(sent.clone()));
    payouts_are_listed(store, &sent, &rejected).await;
    rejected_payouts_are_credited_once(store, &second, &rejected).await;
}

async fn payouts_are_listed(store: &dyn Store, sent: &Payout, rejected: &Payout) {
    let check = async |filter: PayoutFilter, expect: &[&Payout]| {
        let list = pages(|before| store.payouts(&filter, before.map(PayoutId::new), 1)).await.concat();
        assert_eq!(list.iter().collect::<Vec<_>>(), expect, "{filter:?}");
    };
    let every = PayoutFilter::all(ISSUER);
    check(every, &[rejected, sent]).await;
    check(PayoutFilter::all(OTHER_ISSUER), &[]).await;
    check(PayoutFilter { merchant: Some(MERCHANT), ..every }, &[sent]).await;
    check(PayoutFilter { status: Some(PayoutStatus::Rejected), ..every }, &[rejected]).await;
    check(PayoutFilter { due_to: Some(day("2026-03-02")), ..every }, &[sent]).await;
    check(PayoutFilter { due_from: Some(day("2026-03-02")), ..every }, &[rejected]).await;
}

async fn rejected_payouts_are_credited_once(store: &dyn Store, last: &Statement, rejected: &Payout) {
    assert_eq!(
        store.uncredited_payouts(ISSUER, None, 10).await.expect("payouts"),
        std::slice::from_ref(rejected)
    );
    let next = statement(37, SECOND_MERCHANT, ["2026-03-08", "2026-03-14"]);
    let mut next = frozen(&next, StatementSums::default(), Some(last.id), None);
    next.figures = Figures {
        payouts_rejected: rejected.amount,
        closing: rejected.amount.get(),
        payout: rejected.amount,
        ..Figures::default()
    };
    let closing = Closing { credited: vec![(rejected.id, next.id)], ..closing_of(3, vec![next.clone()]) };
    store.begin_closing(&closing).await.expect("figures");
    let credited = Payout { credited_in: Some(next.id), version: 3, ..rejected.clone() };
    assert_eq!(store.payout(rejected.id).await.expect("read"), Some(credited));
    assert_eq!(store.uncredited_payouts(ISSUER, None, 10).await.expect("none"), []);
    let after_it = statement(38, SECOND_MERCHANT, ["2026-03-15", "2026-03-21"]);
    let after_it = frozen(&after_it, StatementSums::default(), Some(next.id), None);
    let again = Closing { credited: vec![(rejected.id, after_it.id)], ..closing_of(4, vec![after_it]) };
    conflicts(store.begin_closing(&again).await, "payout");
}

/// Of two that decided on the same revision, one writes.
pub async fn accruals_are_written_by_one(fresh: Fresh) {
    let store = Arc::clone(&fresh.store);
    settle(store.as_ref()).await;
    let at = LogPosition { transaction: 0, operation: id(1) };
    let attempt = |n: i64| {
        let store = Arc::clone(&store);
        let of = statement(n, MERCHANT, ["2026-03-01", "2026-03-01"]);
        let lines = vec![line(n, &of, None, MovementKind::Sale, 10)];
        let (statements, parts, refunded) = (vec![of], Vec::new(), Vec::new());
        let accrual =
            Accrual { issuer: ISSUER, expected: 0, position: at, statements, lines, parts, refunded };
        tokio::spawn(async move { store.accrue(&accrual).await })
    };
    let attempts = [attempt(1), attempt(2), attempt(3)];
    let mut written = 0;
    for attempt in attempts {
        match attempt.await.expect("run") {
            Ok(()) => written += 1,
            Err(StorageError::Conflict { what: "revision" } | StorageError::Busy(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(written, 1);
    assert_eq!(store.unfinished_statements(ISSUER, None, 10).await.expect("statements").len(), 1);
}

/// What settlement's own invariants say.
async fn contradictions(store: &dyn Store) -> Vec<String> {
    let names = ["lines_match_log", "statements_match_lines", "statement_digests", "payouts_were_posted"];
    let report = store.audit().await.expect("a report");
    assert!(report.checked.contains(&names[0]));
    let found = report.violations.into_iter().filter(|violation| names.contains(&violation.invariant));
    found.map(|violation| violation.subject).collect()
}

/// A line says what its operation moved, and every movement that was taken in has its line.
pub async fn audit_holds_lines_against_the_log(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    write_log(store).await;
    let of = |merchant| {
        let n = if merchant == MERCHANT { 31 } else { 32 };
        statement(n, merchant, ["2026-03-01", "2026-03-01"])
    };
    let mut newest = std::collections::HashMap::new();
    let mut lines = |movements: &[Movement]| -> Vec<Line> {
        let with_lines = movements.iter().filter(|movement| movement.line_kind().is_some());
        let make = |m: &Movement| {
            let previous = newest.insert(m.merchant, m.operation);
            Line {
                operation: m.operation,
                previous,
                ..line(1, &of(m.merchant), None, MovementKind::Sale, m.delta)
            }
        };
        with_lines.map(make).collect()
    };
    let mut first = store.movements(ISSUER, LogPosition::START, 4).await.expect("movements");
    while first.operations < 4 {
        first = store.movements(ISSUER, LogPosition::START, 4).await.expect("movements");
    }
    let good = Accrual {
        issuer: ISSUER,
        expected: 0,
        position: first.position,
        statements: vec![of(MERCHANT), of(SECOND_MERCHANT)],
        lines: lines(&first.items),
        parts: Vec::new(),
        refunded: Vec::new(),
    };
    store.accrue(&good).await.expect("accrued");
    assert_eq!(contradictions(store).await, Vec::<String>::new());
    let (all, position) = follow(store, ISSUER, 100).await;
    let mut rest = lines(&all[first.items.len()..]);
    let missing = rest.pop().expect("the last line");
    rest[0].amount -= 1;
    let wrong = rest[0];
    let bad = Accrual { expected: 1, position, statements: Vec::new(), lines: rest, ..good };
    store.accrue(&bad).await.expect("accrued");
    let mut found = contradictions(store).await;
    found.sort();
    let mut expected = [wrong, missing].map(|line| format!("{} of {}", line.operation, line.merchant));
    expected.sort();
    assert_eq!(found, expected);
}

/// Something of each table of settlement, true to the log: for what carries all of it somewhere else.
pub(super) async fn populate(store: &dyn Store) {
    let day = CalendarDay { year: 2026, date: day("2026-01-01"), working: false, name: "元旦".to_owned() };
    store.put_calendar_year(ISSUER, 2026, &[day]).await.expect("a notice");
    store.append_agreement(&agreement(1, Some(MERCHANT), "2026-01-01")).await.expect("an agreement");
    store.append_payee(&payee(1, MERCHANT, "2026-01-01")).await.expect("an account");
    let (movements, position) = follow(store, ISSUER, 1_000).await;
    let mut statements: std::collections::BTreeMap<MerchantId, Statement> = std::collections::BTreeMap::new();
    let mut lines = Vec::new();
    for movement in movements.iter().filter(|movement| movement.line_kind().is_some()) {
        let n = 31 + i64::try_from(statements.len()).expect("few");
        let of = statements.entry(movement.merchant).or_insert_with(|| Statement {
            first_line: Some(movement.operation),
            ..statement(n, movement.merchant, ["2026-03-01", "2026-03-01"])
        });
        let kind = movement.line_kind().expect("a line");
        let previous = of.newest_line.replace(movement.operation);
        lines.push(Line {
            operation: movement.operation,
            previous,
            original: None,
            late: false,
            ..line(1, of, None, kind, movement.delta)
        });
    }
    let opened = statements.values().map(|of| Statement { newest_line: None, ..of.clone() }).collect();
    let parts: Vec<SplitPart> = lines.iter().take(5).map(|line| part(line, OTHER_MERCHANT, 1)).collect();
    let first = lines.first().expect("a movement");
    let (original, merchant) = (first.operation, first.merchant);
    let refunded = vec![Refunded { original, merchant, refunded: amount(1), fee_returned: Amount::ZERO }];
    let accrual =
        Accrual { issuer: ISSUER, expected: 0, position, statements: opened, lines, parts, refunded };
    store.accrue(&accrual).await.expect("accrued");
    let sums = store.open_sums(ISSUER).await.expect("sums").into_iter().next().expect("a statement");
    let open = statements.into_values().find(|of| of.id == sums.statement).expect("the statement");
    let fixed = frozen(&open, sums.sums, None, None);
    let fixed = Statement { newest_line: Some(sums.newest.operation), ..fixed };
    store.begin_closing(&closing_of(1, vec![fixed.clone()])).await.expect("figures");
    let statement = closing::close(fixed.clone(), None, None, after(50));
    let payout = Some(payout_of(&fixed, 90));
    store.finish_closing(&[Closed { statement, payout }]).await.expect("closed");
}
