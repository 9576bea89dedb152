//! Postings: operations without a card, many in one batch, among sales, and found when they go astray.

use std::sync::Arc;

use domain::{
    Account, Command, Currency, Operation, OperationKind, PostedTransfer, Posting, PostingKind, Transfer,
    account::AccountKind,
    posting::MAX_TRANSFERS,
    working::{Changes, KeyState, Need},
};

use super::{
    Fresh,
    commands::{self, Step},
    scenario::{Asked, Outcome, run},
    world::{
        self, ISSUER, MERCHANT, OTHER_ISSUER, SECOND_MERCHANT, account, amount, catch_up, commit, insert,
        operation, settle, transfer,
    },
};
use crate::{OperationFilter, Store, TransferFilter};

const POSTINGS: usize = 1_500;

/// Settlements of one transfer and of as many as there may be, each followed by a sale.
fn asked() -> Vec<Asked> {
    let sale = Step { what: 11, card: 2, other: 0, amount: 1, flags: 4, wait: 0 };
    let mut asked = commands::requests(&vec![sale; POSTINGS]);
    let begun = asked.len() - POSTINGS;
    for (n, asked) in asked.iter_mut().skip(begun).enumerate().filter(|(n, _)| n % 4 != 3) {
        let count = if n % 100 == 0 { MAX_TRANSFERS } else { 1 };
        asked.request.command = Command::Post(settlement(count));
        asked.request.trace = None;
    }
    asked
}

fn settlement(transfers: usize) -> Posting {
    let fee = |n: usize| PostedTransfer {
        debit: Account::Merchant(MERCHANT),
        credit: if n.is_multiple_of(2) { Account::Fees(ISSUER) } else { Account::Merchant(SECOND_MERCHANT) },
        amount: amount(i64::try_from(n).expect("few") + 1),
    };
    Posting {
        kind: PostingKind::Settlement,
        currency: Currency::CNY,
        merchant: Some(MERCHANT),
        transfers: (0..transfers).map(fee).collect(),
        reason: None,
    }
}

async fn play(store: &dyn Store) -> Outcome {
    settle(store).await;
    insert(store, &commands::cards()).await;
    let catalog = store.load_catalog().await.expect("a catalog");
    run(store, &catalog, &asked(), &[1, 700, 1_000]).await
}

fn postings(outcome: &Outcome) -> Vec<&Arc<Operation>> {
    outcome.operations.iter().filter(|o| o.kind == OperationKind::Settlement).collect()
}

/// Written and read back by id and by key, listed, and in the books, before and after a roll-up.
pub async fn postings_are_written_read_and_listed(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let outcome = play(store).await;
    let made = postings(&outcome);
    assert!(made.len() > POSTINGS / 2 && outcome.operations.len() > made.len() + POSTINGS / 8);
    for posting in [made[0], made[1], made[made.len() - 1]] {
        read_back(store, posting, &outcome.transfers_of(posting.id)).await;
    }
    let filter = OperationFilter { kind: Some(OperationKind::Settlement), ..everything() };
    let page = store.operations(&filter, None, 3).await.expect("a page");
    let newest: Vec<&Operation> = made.iter().rev().take(3).map(AsRef::as_ref).collect();
    assert_eq!(page.items.iter().collect::<Vec<_>>(), newest);
    for rolled_up in [false, true] {
        if rolled_up {
            catch_up(store).await;
        }
        let totals = store.account_totals(ISSUER, Account::Fees(ISSUER), None).await.expect("totals");
        let fees = outcome.transfers.iter().filter(|t| t.credit == Account::Fees(ISSUER));
        let fees: i64 = fees.map(|t| t.amount.get()).sum();
        assert_eq!(totals.iter().map(|t| (t.debits, t.credits)).collect::<Vec<_>>(), [(0, fees)]);
        assert_eq!(store.audit().await.expect("a report").violations, Vec::new());
    }
}

async fn read_back(store: &dyn Store, posting: &Arc<Operation>, transfers: &[Transfer]) {
    assert_eq!(store.operation(posting.id).await.expect("read").as_ref(), Some(posting.as_ref()));
    let mut transaction = store.begin().await.expect("a transaction");
    let mut working = domain::working::Working::default();
    let key = (posting.client, posting.key.clone());
    let needs = [Need::Key(key.0, key.1.clone()), Need::Operation(posting.id)];
    transaction.load(&needs, &mut working).await.expect("loaded");
    assert_eq!(working.keys[&key], KeyState::Taken(Arc::clone(posting)));
    let recorded = working.operations[&posting.id].as_ref().expect("an operation");
    assert_eq!(recorded.transfers, transfers);
    let filter =
        TransferFilter { issuer: ISSUER, account: None, operation: Some(posting.id), from: None, to: None };
    let page = store.transfers(&filter, None, 100).await.expect("a page");
    assert_eq!(page.items.iter().map(|row| row.transfer.clone()).collect::<Vec<_>>(), transfers);
}

const fn everything() -> OperationFilter {
    OperationFilter {
        issuer: ISSUER,
        card: None,
        kind: None,
        approved: None,
        merchant: None,
        store: None,
        terminal: None,
        client: None,
        from: None,
        to: None,
    }
}

/// A posting that the rules would never have let through, whichever rule it breaks.
pub async fn audit_finds_postings_astray(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let shop = Account::Merchant(MERCHANT);
    let bank = account(AccountKind::Bank, MERCHANT);
    let wrong = [
        // A fee paid to the bank, a payout without its merchant, another issuer's fees, and none at all.
        (OperationKind::Settlement, Some(MERCHANT), Some((shop, bank))),
        (OperationKind::Payout, None, Some((shop, bank))),
        (OperationKind::Payout, Some(SECOND_MERCHANT), Some((shop, bank))),
        (OperationKind::Settlement, Some(MERCHANT), Some((shop, Account::Fees(OTHER_ISSUER)))),
        (OperationKind::Settlement, Some(MERCHANT), None),
    ];
    for (n, (kind, merchant, moved)) in (0..).zip(wrong) {
        let id = world::id_at(world::after(n), n);
        let moved = moved.map(|(debit, credit)| transfer(id, 1, debit, credit, 8));
        let approved = moved.as_ref().map_or(amount(0), |transfer| transfer.amount);
        let posting =
            Operation { kind, merchant, requested: approved, approved, ..operation(id, world::after(n)) };
        let changes = Changes { transfers: moved.into_iter().collect(), ..world::only([posting]) };
        if commit(store, &changes).await.is_err() {
            continue;
        }
        let report = store.audit().await.expect("a report");
        let found = report.violations.iter().any(|violation| violation.subject == id.to_string());
        assert!(found, "{kind:?} number {n}: {:?}", report.violations);
    }
}
