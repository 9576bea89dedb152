//! The audit finds nothing wrong with good data, and finds what contradicts the log.

use std::sync::Arc;

use domain::{
    Card, Hold, HoldId, OperationKind, hold::HoldStatus, operation::Compensation, working::Changes,
};

use super::{
    Fresh,
    commands::{self, Step},
    scenario::run,
    world::{self, MERCHANT, amount, catch_up, commit, insert, settle, touch},
};
use crate::{AuditReport, Store};

async fn busy(store: &dyn Store) -> super::scenario::Outcome {
    settle(store).await;
    insert(store, &commands::cards()).await;
    let catalog = store.load_catalog().await.expect("a catalog");
    run(store, &catalog, &commands::fixed(11, 400), &[17]).await
}

/// Counts what is there, and finds nothing.
pub async fn audit_is_clean_on_good_data(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let empty = store.audit().await.expect("a report");
    assert_eq!((empty.cards, empty.operations, empty.violations), (0, 0, Vec::new()));
    let outcome = busy(store).await;
    for rolled_up in [false, true] {
        if rolled_up {
            catch_up(store).await;
        }
        let report = store.audit().await.expect("a report");
        assert_eq!(report.violations, Vec::new());
        let count = |n: usize| u64::try_from(n).expect("a count");
        assert_eq!(report.cards, count(commands::cards().len()));
        assert_eq!(report.operations, count(outcome.operations.len()));
        assert_eq!(report.transfers, count(outcome.transfers.len()));
        assert!(!report.totals.is_empty() && report.totals == outcome.totals(), "{:?}", report.totals);
        assert!(!report.checked.is_empty(), "an audit names what it checked");
    }
}

/// A claim that a merged card left behind moves twice when it is reactivated: back to the old card, and on
/// to the one that took its place. That is no violation.
pub async fn audit_is_clean_after_a_claim_moved_on(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    insert(store, &commands::cards()).await;
    let catalog = store.load_catalog().await.expect("a catalog");
    let step = |what, flags, wait| Step { what, card: 1, other: 4, amount: 1_000, flags, wait };
    // Redeem in part from a bonus lot, wait until that has expired, refund, merge, reactivate.
    let (redeem, inquire, merge, reactivate) =
        (step(11, 0, 0), step(62, 8, 240), step(55, 72, 1), step(59, 0, 1));
    let refund = Step { other: 0, ..step(38, 0, 240) };
    let asked = commands::requests(&[redeem, inquire, refund, merge, reactivate]);
    let outcome = run(store, &catalog, &asked, &[1]).await;
    let last = outcome.operations.last().expect("operations");
    assert_eq!((last.kind, last.is_approved()), (OperationKind::Reactivation, true), "{last:?}");
    assert!(last.counterpart.is_some() && outcome.transfers_of(last.id).len() == 2, "{last:?}");
    assert_eq!(store.audit().await.expect("a report").violations, Vec::new());
}

/// Each of these is a wrong that a store may refuse to write; one that writes it must find it.
pub async fn audit_finds_what_contradicts_the_log(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let outcome = busy(store).await;
    let mut seen = store.audit().await.expect("a report");
    let untouched = |o: &&Arc<domain::Operation>| {
        o.kind == OperationKind::Redemption
            && !o.approved.is_zero()
            && outcome.operations.iter().all(|later| later.original != Some(o.id))
    };
    let refundable = outcome.operations.iter().find(untouched).expect("a redemption that stands");
    let card = store.card(commands::cards()[0].id).await.expect("a card").expect("a card");
    for wrong in [Wrong::Value, Wrong::Held, Wrong::Hold, Wrong::Refund] {
        // Later ones come on top of the earlier, so a clean store finds more each time.
        let card = store.card(card.id).await.expect("a card").expect("a card");
        let changes = wrong.changes(card, refundable);
        if commit(store, &changes).await.is_err() {
            continue;
        }
        let report = store.audit().await.expect("a report");
        assert!(is_worse(&report, &seen), "{wrong:?} must be found: {:?}", report.violations);
        seen = report;
    }
}

/// Whether a report has a violation that an earlier one has not.
fn is_worse(report: &AuditReport, earlier: &AuditReport) -> bool {
    report.violations.iter().any(|violation| !earlier.violations.contains(violation))
}

#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// Value that no transfer brought.
    Value,
    /// Held value without a hold.
    Held,
    /// A hold that its card does not know of.
    Hold,
    /// A refund that never was.
    Refund,
}

impl Wrong {
    fn changes(self, mut card: Card, refundable: &domain::Operation) -> Changes {
        let at = world::after(10_000_000);
        let n = match self {
            Self::Value => 1,
            Self::Held => 2,
            Self::Hold => 3,
            Self::Refund => 4,
        };
        let id = world::id_at(at, n);
        let mut changes = Changes::default();
        match self {
            Self::Value => {
                let lot = card.lots.first_mut().expect("a lot");
                lot.remaining = lot.remaining.checked_add(amount(700)).expect("an amount");
            }
            Self::Held => card.held = card.held.checked_add(amount(3)).expect("an amount"),
            Self::Hold => changes.holds.push(Hold {
                id: HoldId::new(id.get()),
                issuer: card.issuer,
                card: card.id,
                merchant: MERCHANT,
                store: None,
                terminal: None,
                amount: amount(5),
                captured: amount(0),
                status: HoldStatus::Open,
                created_at: at,
                expires_at: at.plus_seconds(900),
            }),
            Self::Refund => {
                let refunded = refundable.approved;
                changes.compensations.push((refundable.id, Compensation { refunded, reversed_by: None }));
            }
        }
        let mut operation = touch(&mut card, id, at);
        if matches!(self, Self::Hold) {
            operation.kind = OperationKind::Hold;
            operation.hold = Some(HoldId::new(id.get()));
            operation.merchant = Some(MERCHANT);
        }
        changes.operations.push(Arc::new(operation));
        changes.cards.push(card);
        changes
    }
}
