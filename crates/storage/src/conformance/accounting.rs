//! The journal equals a fold over the log, whatever of it is rolled up; the age of what is on cards adds up to
//! the books; figures and settings keep their versions.

use std::collections::BTreeMap;

use domain::{
    Account, Amount, BusinessDate, CardId, Currency, OperationKind, ProgramId, Timestamp,
    account::AccountKind, lot::LotSource,
};

use super::{
    Fresh, commands,
    scenario::{Outcome, run},
    world::{CLIENT, ISSUER, OTHER_ISSUER, START, after, amount, insert, settle},
};
use crate::{AGE_BOUNDS, Days, Figure, FigureKind, JournalLine, JournalTotal, LedgerLine, Setting, Store};

/// Every day there is.
pub(super) const ALL_DAYS: Days =
    Days { from: BusinessDate::from_stored(0), to: BusinessDate::from_stored(99_991_231) };

async fn busy(store: &dyn Store, seed: u64) -> Outcome {
    settle(store).await;
    insert(store, &commands::cards()).await;
    let catalog = store.load_catalog().await.expect("a catalog");
    run(store, &catalog, &commands::fixed(seed, 400), &[13]).await
}

fn programs() -> BTreeMap<CardId, ProgramId> {
    commands::cards().iter().map(|card| (card.id, card.program)).collect()
}

/// The journal by the simplest means.
fn folded(outcome: &Outcome, days: Days) -> Vec<JournalLine> {
    let programs = programs();
    let line = |account: Account| match account {
        Account::Card(card) => LedgerLine::Cards(programs[&card]),
        other => LedgerLine::Account(other),
    };
    let mut lines: Vec<JournalLine> = Vec::new();
    for transfer in &outcome.transfers {
        let operation = outcome.operation(transfer.operation);
        if !days.contain(operation.business_date) {
            continue;
        }
        let undone = operation.original.filter(|_| operation.kind == OperationKind::Reversal);
        let of_this = JournalLine {
            day: operation.business_date,
            program: operation.program,
            kind: operation.kind,
            reversed: undone.map(|id| outcome.operation(id).kind),
            debit: line(transfer.debit),
            credit: line(transfer.credit),
            currency: operation.currency.expect("a currency"),
            operations: 0,
            amount: 0,
        };
        let found = lines.iter().position(|l| JournalLine { operations: 0, amount: 0, ..*l } == of_this);
        let at = found.unwrap_or_else(|| {
            lines.push(of_this);
            lines.len() - 1
        });
        lines[at].amount += transfer.amount.get();
        lines[at].operations += i64::from(transfer.seq == 1);
    }
    lines.sort_unstable();
    lines
}

fn summed(lines: &[JournalLine]) -> Vec<JournalTotal> {
    let mut sums = BTreeMap::new();
    for l in lines {
        let key = (l.program, l.kind, l.reversed, l.debit.kind(), l.credit.kind(), l.currency);
        let sum: &mut (i64, i64) = sums.entry(key).or_default();
        *sum = (sum.0 + l.operations, sum.1 + l.amount);
    }
    let total = |((program, kind, reversed, debit, credit, currency), (operations, amount))| JournalTotal {
        program,
        kind,
        reversed,
        debit,
        credit,
        currency,
        operations,
        amount,
    };
    sums.into_iter().map(total).collect()
}

async fn check(store: &dyn Store, outcome: &Outcome, days: Days, when: &str) -> usize {
    let expected = folded(outcome, days);
    assert_eq!(store.journal(ISSUER, days).await.expect("a journal"), expected, "{when}, {days:?}");
    let totals = store.journal_totals(ISSUER, days).await.expect("totals");
    assert_eq!(totals, summed(&expected), "{when}, {days:?}");
    expected.len()
}

/// Before the roll-up, at every step of it, and after it; all days and some; each issuer's own.
pub async fn the_journal_equals_a_fold_over_the_log(fresh: Fresh) {
    let store = fresh.store.as_ref();
    assert_eq!(store.journal(ISSUER, ALL_DAYS).await.expect("a journal"), Vec::new());
    let outcome = busy(store, 42).await;
    let some =
        Days { from: BusinessDate::from_stored(20_260_302), to: BusinessDate::from_stored(20_260_303) };
    let lines = check(store, &outcome, ALL_DAYS, "not rolled up").await;
    let few = check(store, &outcome, some, "not rolled up").await;
    assert!(few > 0 && few < lines, "{few} of {lines}: the scenario crosses days");
    let expected = folded(&outcome, ALL_DAYS);
    assert!(expected.iter().any(|line| line.reversed.is_some()), "something was reversed");
    let counted: i64 = expected.iter().map(|line| line.operations).sum();
    let moved = outcome.transfers.iter().filter(|transfer| transfer.seq == 1).count();
    assert_eq!(usize::try_from(counted).expect("a count"), moved, "every operation once");
    let mut taken = 0;
    for _ in 0..1_000 {
        let step = store.roll_up_journal(61).await.expect("a roll-up");
        taken += step.operations;
        check(store, &outcome, ALL_DAYS, "while it is rolled up").await;
        if step.behind == 0 {
            break;
        }
    }
    assert_eq!(taken, outcome.operations.len() as u64, "each once");
    check(store, &outcome, some, "rolled up").await;
    assert_eq!(store.roll_up_journal(100).await.expect("a roll-up"), crate::RollUp::default());
    assert_eq!(store.journal(OTHER_ISSUER, ALL_DAYS).await.expect("a journal"), Vec::new());
    assert_eq!(store.audit().await.expect("a report").violations, Vec::new());
}

/// The balances of one kind are those of the trial balance.
pub async fn balances_of_a_kind_are_those_of_the_trial_balance(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let outcome = busy(store, 43).await;
    let middle = outcome.operations[outcome.operations.len() / 2].at;
    for rolled_up in [false, true] {
        if rolled_up {
            super::world::catch_up(store).await;
        }
        for before in [START, middle, Timestamp::MAX] {
            let all = store.trial_balance(ISSUER, Some(before)).await.expect("a trial balance");
            for kind in AccountKind::ALL {
                let of_kind: Vec<_> = all.iter().filter(|line| line.line.kind() == kind).copied().collect();
                let found = store.balances_of_kind(ISSUER, kind, before).await.expect("balances");
                assert_eq!(found, of_kind, "{kind:?} before {before}");
            }
        }
    }
}

/// What is on cards is what the books say, and each card is in the age of its activation.
pub async fn ageing_adds_up_to_the_books(fresh: Fresh) {
    let store = fresh.store.as_ref();
    busy(store, 44).await;
    let bounds: [Timestamp; AGE_BOUNDS] =
        [after(50_000), after(5_000), after(500), after(50), after(5), START];
    let aged = store.ageing(ISSUER, bounds).await.expect("an ageing");
    for line in store.trial_balance(ISSUER, None).await.expect("a trial balance") {
        if let LedgerLine::Cards(program) = line.line {
            let of_it = aged.iter().filter(|value| value.program == program);
            assert_eq!(of_it.map(|value| value.remaining).sum::<i64>(), line.credits - line.debits);
        }
        if line.line == LedgerLine::Account(Account::Residual(ISSUER)) {
            let claimable: i64 = aged.iter().map(|value| value.claimable).sum();
            assert_eq!(claimable, line.credits - line.debits, "what can still be claimed");
        }
    }
    let mut expected: BTreeMap<(ProgramId, LotSource, usize), (i64, i64)> = BTreeMap::new();
    for id in programs().into_keys() {
        let card = store.card(id).await.expect("a card").expect("a card");
        let since = card.activated_at.unwrap_or(card.created_at);
        let age = bounds.iter().filter(|bound| since < **bound).count();
        for source in LotSource::ALL {
            let lots = card.lots.iter().filter(|lot| lot.source == source);
            let remaining: i64 = lots.map(|lot| lot.remaining.get()).sum();
            if remaining > 0 {
                let sum = expected.entry((card.program, source, age)).or_default();
                *sum = (sum.0 + 1, sum.1 + remaining);
            }
        }
    }
    let with_value = aged.iter().filter(|value| value.remaining > 0 && value.claimable == 0);
    for value in with_value {
        let of_it = expected.get(&(value.program, value.source, value.age));
        assert_eq!(of_it.copied(), Some((value.cards, value.remaining)), "{value:?}");
    }
    assert!(!expected.is_empty() && aged.iter().any(|value| value.claimable > 0), "{aged:?}");
    assert_eq!(store.ageing(OTHER_ISSUER, bounds).await.expect("an ageing"), Vec::new());
}

fn figure(period: i32, minor: i64, note: Option<&str>) -> Figure {
    Figure {
        issuer: ISSUER,
        kind: FigureKind::CustodyBalance,
        period,
        currency: Currency::CNY,
        version: 0,
        amount: amount(minor),
        note: note.map(str::to_owned),
        client: CLIENT,
        entered_at: START,
    }
}

/// A correction is a new version; the same again is not; what counts is the newest.
pub async fn figures_keep_their_versions(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let enter = async |f: &Figure| store.enter_figure(f).await.expect("entered");
    let first = enter(&figure(20_260_331, 500, Some("statement 3"))).await;
    assert_eq!(first, Figure { version: 1, ..figure(20_260_331, 500, Some("statement 3")) });
    let again = Figure { entered_at: after(9), ..figure(20_260_331, 500, Some("statement 3")) };
    assert_eq!(enter(&again).await, first, "nothing is written");
    let corrected = enter(&Figure { entered_at: after(10), ..figure(20_260_331, 510, None) }).await;
    assert_eq!((corrected.version, corrected.amount), (2, amount(510)));
    let back = enter(&Figure { entered_at: after(11), ..figure(20_260_331, 500, None) }).await;
    assert_eq!(back.version, 3, "back to an earlier amount is a correction too");
    let other_day = enter(&figure(20_260_630, 0, None)).await;
    let yen =
        enter(&Figure { currency: Currency::parse("JPY").expect("a code"), ..figure(20_260_331, 7, None) })
            .await;
    let revenue = enter(&Figure { kind: FigureKind::MainRevenue, ..figure(2026, 9, None) }).await;
    let foreign = enter(&Figure { issuer: OTHER_ISSUER, ..figure(20_260_331, 3, None) }).await;
    assert!([&other_day, &yen, &revenue, &foreign].iter().all(|f| f.version == 1));
    let found = async |issuer, kind, from, to| store.figures(issuer, kind, from, to).await.expect("figures");
    let custody = FigureKind::CustodyBalance;
    let all = found(ISSUER, custody, 0, 99_991_231).await;
    assert_eq!(all, [back.clone(), yen, other_day]);
    assert_eq!(found(ISSUER, custody, 20_260_401, 20_260_629).await, []);
    assert_eq!(found(ISSUER, FigureKind::MainRevenue, 2026, 2026).await, [revenue]);
    assert_eq!(found(OTHER_ISSUER, custody, 20_260_331, 20_260_331).await, [foreign]);
    assert_eq!(Amount::new(500), Ok(back.amount));
}

/// The same of settings.
pub async fn settings_keep_their_versions(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let setting = |issuer, name: &str, value: &str| Setting {
        issuer,
        name: name.to_owned(),
        version: 0,
        value: value.to_owned(),
        client: CLIENT,
        entered_at: START,
    };
    let enter = async |s: &Setting| store.enter_setting(s).await.expect("entered").version;
    assert_eq!(store.setting(ISSUER, "chart").await.expect("an answer"), None);
    assert_eq!(enter(&setting(ISSUER, "chart", "{}")).await, 1);
    assert_eq!(enter(&setting(ISSUER, "chart", "{}")).await, 1, "nothing is written");
    assert_eq!(enter(&setting(ISSUER, "chart", "{\"card\":1}")).await, 2);
    assert_eq!(enter(&setting(ISSUER, "breakage", "{}")).await, 1);
    assert_eq!(enter(&setting(OTHER_ISSUER, "chart", "其他")).await, 1);
    let found = store.setting(ISSUER, "chart").await.expect("an answer");
    assert_eq!(found, Some(Setting { version: 2, ..setting(ISSUER, "chart", "{\"card\":1}") }));
    let found = store.setting(OTHER_ISSUER, "chart").await.expect("an answer");
    assert_eq!(found.map(|setting| setting.value), Some("其他".to_owned()));
}
