//! Totals: whatever a store keeps to be quick, they equal a fold over all transfers, at any moment.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Account, CardId, Catalog, IssuerId, MerchantId, ProgramId, Timestamp, Transfer, working::Changes,
};

use super::{
    Fresh, commands,
    scenario::{Asked, Outcome, run},
    world::{
        ISSUER, MERCHANT, OTHER_ISSUER, OTHER_MERCHANT, OTHER_PROGRAM, after, catch_up, commit, id_at,
        insert, only, settle, stocked, touch, transfer,
    },
};
use crate::{LedgerLine, Store};

const HOUR: i64 = 3_600_000_000;

/// One microsecond later.
fn tick(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros() + 1)
}

/// A scenario over many hours, with everything that was written.
struct Books {
    asked: Vec<Asked>,
    outcome: Outcome,
    programs: BTreeMap<CardId, ProgramId>,
}

impl Books {
    async fn start(store: &dyn Store, count: usize) -> Self {
        settle(store).await;
        let cards = commands::cards();
        insert(store, &cards).await;
        let programs = cards.iter().map(|card| (card.id, card.program)).collect();
        Self { asked: commands::fixed(42, count), outcome: Outcome::default(), programs }
    }

    /// Runs the requests in this range.
    async fn go_on(&mut self, store: &dyn Store, range: std::ops::Range<usize>) {
        let catalog: Catalog = store.load_catalog().await.expect("a catalog");
        let later = run(store, &catalog, &self.asked[range], &[13]).await;
        self.outcome.append(later);
    }

    fn transfers(&self, at: Option<Timestamp>) -> impl Iterator<Item = &Transfer> {
        let counts = move |t: &&Transfer| at.is_none_or(|at| self.outcome.operation(t.operation).at < at);
        self.outcome.transfers.iter().filter(counts)
    }

    fn line(&self, account: Account) -> LedgerLine {
        match account {
            Account::Card(id) => LedgerLine::Cards(self.programs[&id]),
            other => LedgerLine::Account(other),
        }
    }

    fn totals<K: Ord>(&self, at: Option<Timestamp>, name: impl Fn(Account) -> K) -> BTreeMap<K, (i64, i64)> {
        let mut totals = BTreeMap::<K, (i64, i64)>::new();
        for transfer in self.transfers(at) {
            totals.entry(name(transfer.debit)).or_default().0 += transfer.amount.get();
            totals.entry(name(transfer.credit)).or_default().1 += transfer.amount.get();
        }
        totals
    }

    /// Now, and moments around operations, hours and the ends.
    fn moments(&self) -> Vec<Option<Timestamp>> {
        let times: BTreeSet<Timestamp> = self.outcome.operations.iter().map(|o| o.at).collect();
        let (first, last) = (*times.first().expect("a moment"), *times.last().expect("a moment"));
        let mut moments =
            vec![first, tick(first), last, tick(last), Timestamp::from_micros(0), Timestamp::MAX];
        for at in times.iter().copied().step_by(times.len() / 5 + 1) {
            let hour = Timestamp::from_micros(at.micros().div_euclid(HOUR) * HOUR);
            let next = Timestamp::from_micros(hour.micros() + HOUR);
            moments.extend([at, tick(at), hour, tick(hour), next, tick(next)]);
        }
        moments.into_iter().map(Some).chain([None]).collect()
    }

    async fn check(&self, store: &dyn Store, when: &str) {
        for at in self.moments() {
            let lines = store.trial_balance(ISSUER, at).await.expect("a trial balance");
            let count = lines.len();
            let found: BTreeMap<LedgerLine, (i64, i64)> =
                lines.into_iter().map(|line| (line.line, (line.debits, line.credits))).collect();
            assert_eq!(found.len(), count, "each line once");
            assert_eq!(found, self.totals(at, |account| self.line(account)), "{when}, at {at:?}");
            let (debits, credits) = found.values().fold((0, 0), |(d, c), line| (d + line.0, c + line.1));
            assert_eq!(debits, credits, "books balance");
        }
        for at in self.moments().into_iter().step_by(4).chain([None]) {
            let totals = self.totals(at, |account| account);
            for account in self.totals(None, |account| account).into_keys() {
                let expect = totals.get(&account).copied().unwrap_or_default();
                let found = store.account_totals(ISSUER, account, at).await.expect("totals");
                assert_eq!(found, expect, "{when}, {account} at {at:?}");
            }
        }
    }
}

fn assert_is_rich(books: &Books) {
    let hours: BTreeSet<i64> =
        books.outcome.operations.iter().map(|o| o.at.micros().div_euclid(HOUR)).collect();
    assert!(hours.len() > 5, "the scenario crosses hours");
    let accounts = books.totals(None, Account::kind);
    assert!(accounts.len() >= 6, "the scenario moves value between many kinds of account: {accounts:?}");
}

/// Before any roll-up; each issuer's own; accounts without a transfer.
pub async fn totals_equal_a_fold_over_all_transfers(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let mut books = Books::start(store, 300).await;
    assert_eq!(store.trial_balance(ISSUER, None).await.expect("a trial balance"), Vec::new());
    books.go_on(store, 0..300).await;
    assert_is_rich(&books);
    books.check(store, "without a roll-up").await;
    let end = foreign_transfer(store).await;
    books.check(store, "with another issuer's transfers").await;
    let check = async |issuer: IssuerId, account: Account, at: Option<Timestamp>, expect: (i64, i64)| {
        let found = store.account_totals(issuer, account, at).await.expect("totals");
        assert_eq!(found, expect, "{issuer} {account}");
    };
    for rolled_up in [false, true] {
        if rolled_up {
            catch_up(store).await;
        }
        let foreign = Account::Merchant(OTHER_MERCHANT);
        check(OTHER_ISSUER, foreign, None, (0, 77)).await;
        check(OTHER_ISSUER, foreign, Some(end), (0, 0)).await;
        check(ISSUER, foreign, None, (0, 0)).await;
        check(OTHER_ISSUER, Account::Merchant(MERCHANT), None, (0, 0)).await;
        check(ISSUER, Account::Card(CardId::new(31)), None, (0, 0)).await;
        check(OTHER_ISSUER, Account::Card(CardId::new(31)), None, (77, 0)).await;
        check(ISSUER, Account::Merchant(MerchantId::new(999)), None, (0, 0)).await;
        check(ISSUER, Account::Fees(ISSUER), None, (0, 0)).await;
    }
    let foreign = store.trial_balance(OTHER_ISSUER, None).await.expect("a trial balance");
    let lines: BTreeSet<LedgerLine> = foreign.iter().map(|line| line.line).collect();
    let expect = [LedgerLine::Cards(OTHER_PROGRAM), LedgerLine::Account(Account::Merchant(OTHER_MERCHANT))];
    assert_eq!(lines, BTreeSet::from(expect));
}

/// A transfer of the other issuer. Returns its moment.
async fn foreign_transfer(store: &dyn Store) -> Timestamp {
    let at = after(50_000_000);
    let mut card = domain::Card { issuer: OTHER_ISSUER, program: OTHER_PROGRAM, ..stocked(31) };
    insert(store, &[card.clone()]).await;
    let id = id_at(at, 1);
    let mut operation = touch(&mut card, id, at);
    operation.merchant = Some(OTHER_MERCHANT);
    let moved = transfer(id, 1, Account::Card(card.id), Account::Merchant(OTHER_MERCHANT), 77);
    let changes = Changes { cards: vec![card], transfers: vec![moved], ..only([operation]) };
    commit(store, &changes).await.expect("committed");
    at
}

/// In steps of any size, stopped half-way, run again, with new operations in between.
pub async fn a_roll_up_changes_no_total(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let mut books = Books::start(store, 300).await;
    let nothing = store.roll_up(10).await.expect("a roll-up");
    assert_eq!((nothing.operations, nothing.behind), (0, 0));
    books.go_on(store, 0..150).await;
    let mut taken = 0;
    for limit in [1, 7, 20] {
        let step = store.roll_up(limit).await.expect("a roll-up");
        assert!(step.operations > 0 && step.operations <= u64::try_from(limit).expect("small"));
        assert!(step.behind > 0, "there is more");
        taken += step.operations;
        books.check(store, "rolled up in part").await;
    }
    taken += catch_up(store).await;
    assert_eq!(taken, u64::try_from(books.outcome.operations.len()).expect("a count"), "each operation once");
    books.check(store, "rolled up").await;
    assert_eq!(catch_up(store).await, 0, "nothing is taken twice");
    books.check(store, "rolled up again").await;
    let before = books.outcome.operations.len();
    books.go_on(store, 150..300).await;
    books.check(store, "with a tail").await;
    let tail = u64::try_from(books.outcome.operations.len() - before).expect("a count");
    assert_eq!(catch_up(store).await, tail);
    books.check(store, "with the tail rolled up").await;
}
