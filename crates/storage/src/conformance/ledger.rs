//! Totals: whatever a store keeps to be quick, they equal a fold over all transfers, at any moment.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Account, CardId, Catalog, Channel, Currency, IssuerId, MerchantId, Operation, Program, ProgramId,
    Timestamp, Transfer, working::Changes,
};

use super::{
    Fresh, commands,
    scenario::{Asked, Outcome, run},
    world::{
        ISSUER, MERCHANT, OTHER_ISSUER, OTHER_MERCHANT, OTHER_PROGRAM, PROGRAM, after, amount, catch_up,
        commit, id_at, insert, lot, only, operation, program, settle, stocked, touch, transfer,
    },
};
use crate::{AccountTotals, CatalogEntry, LedgerLine, StorageError, Store, TransferFilter};

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

    fn totals<K: Ord>(
        &self,
        at: Option<Timestamp>,
        name: impl Fn(Account) -> K,
    ) -> BTreeMap<(K, Currency), (i64, i64)> {
        let mut totals = BTreeMap::<(K, Currency), (i64, i64)>::new();
        for transfer in self.transfers(at) {
            let currency = self.outcome.operation(transfer.operation).currency.expect("a currency");
            totals.entry((name(transfer.debit), currency)).or_default().0 += transfer.amount.get();
            totals.entry((name(transfer.credit), currency)).or_default().1 += transfer.amount.get();
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
            let found: BTreeMap<(LedgerLine, Currency), (i64, i64)> =
                lines.into_iter().map(|l| ((l.line, l.currency), (l.debits, l.credits))).collect();
            assert_eq!(found.len(), count, "each line once");
            assert_eq!(found, self.totals(at, |account| self.line(account)), "{when}, at {at:?}");
            let (debits, credits) = found.values().fold((0, 0), |(d, c), line| (d + line.0, c + line.1));
            assert_eq!(debits, credits, "books balance");
        }
        for at in self.moments().into_iter().step_by(4).chain([None]) {
            let totals = self.totals(at, |account| account);
            for (account, currency) in self.totals(None, |account| account).into_keys() {
                let expect = totals.get(&(account, currency));
                let expect: Vec<_> = expect.map(|&(d, c)| totals_in(currency, d, c)).into_iter().collect();
                let found = store.account_totals(ISSUER, account, at).await.expect("totals");
                assert_eq!(found, expect, "{when}, {account} at {at:?}");
            }
        }
    }
}

const fn totals_in(currency: Currency, debits: i64, credits: i64) -> AccountTotals {
    AccountTotals { currency, debits, credits }
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
    let check =
        async |issuer: IssuerId, account: Account, at: Option<Timestamp>, expect: &[AccountTotals]| {
            let found = store.account_totals(issuer, account, at).await.expect("totals");
            assert_eq!(found, expect, "{issuer} {account}");
        };
    for rolled_up in [false, true] {
        if rolled_up {
            catch_up(store).await;
        }
        let foreign = Account::Merchant(OTHER_MERCHANT);
        check(OTHER_ISSUER, foreign, None, &[totals_in(Currency::CNY, 0, 77)]).await;
        check(OTHER_ISSUER, foreign, Some(end), &[]).await;
        check(ISSUER, foreign, None, &[]).await;
        check(OTHER_ISSUER, Account::Merchant(MERCHANT), None, &[]).await;
        check(ISSUER, Account::Card(CardId::new(31)), None, &[]).await;
        check(OTHER_ISSUER, Account::Card(CardId::new(31)), None, &[totals_in(Currency::CNY, 77, 0)]).await;
        check(ISSUER, Account::Merchant(MerchantId::new(999)), None, &[]).await;
        let unused = domain::Channel::parse("unused").expect("a channel");
        check(ISSUER, Account::Channel(unused), None, &[]).await;
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

/// A program of [`ISSUER`] whose currency has three decimal places.
const DINAR_PROGRAM: ProgramId = ProgramId::new(204);

fn dinar() -> Currency {
    Currency::parse("KWD").expect("a currency")
}

fn shop_account() -> Account {
    Account::Channel(Channel::parse("web").expect("a channel"))
}

/// Sells a card of a program through the channel, and redeems a part at the merchant an hour later.
async fn sell_and_redeem(store: &dyn Store, card: i64, program: ProgramId, currency: Currency, part: i64) {
    let mut card = domain::Card { program, ..stocked(card) };
    insert(store, std::slice::from_ref(&card)).await;
    let account = Account::Card(card.id);
    card.lots = vec![lot(5_000, None)];
    let no = Some(card.lots[0].no);
    let onto = |id| Transfer { credit_lot: no, ..transfer(id, 1, shop_account(), account, 5_000) };
    let shop = Account::Merchant(MERCHANT);
    let off = |id| Transfer { debit_lot: no, ..transfer(id, 1, account, shop, part) };
    for (second, spent) in [(0, 0), (3_600, part)] {
        let at = after(second + card.id.get());
        let id = id_at(at, 1);
        card.lots[0].remaining = amount(5_000 - spent);
        let moved = if spent == 0 { onto(id) } else { off(id) };
        let operation =
            Operation { currency: Some(currency), approved: moved.amount, ..touch(&mut card, id, at) };
        let changes = Changes { cards: vec![card.clone()], transfers: vec![moved], ..only([operation]) };
        commit(store, &changes).await.expect("committed");
    }
}

/// Programs of two currencies share a merchant and a channel, whose totals are kept in each of them.
pub async fn currencies_are_never_added_together(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let dinars = Program { currency: dinar(), ..program(DINAR_PROGRAM, ISSUER) };
    store.put_catalog(&CatalogEntry::Program(dinars)).await.expect("a new program");
    sell_and_redeem(store, 41, DINAR_PROGRAM, dinar(), 1_234).await;
    sell_and_redeem(store, 42, PROGRAM, Currency::CNY, 100).await;
    assert_apart(store, "without a roll-up").await;
    let step = store.roll_up(3).await.expect("a roll-up");
    assert_eq!((step.operations, step.behind), (3, 1));
    assert_apart(store, "rolled up in part").await;
    assert_eq!(catch_up(store).await, 1);
    assert_apart(store, "rolled up").await;
    let report = store.audit().await.expect("a report");
    assert_eq!(report.totals, [totals_in(Currency::CNY, 5_100, 5_100), totals_in(dinar(), 6_234, 6_234)]);
    assert_eq!(report.violations, Vec::new());
}

async fn assert_apart(store: &dyn Store, when: &str) {
    let (yuan, dinar) = (Currency::CNY, dinar());
    let between = Some(after(1_800));
    for (account, at, expect) in [
        (shop_account(), None, vec![totals_in(yuan, 5_000, 0), totals_in(dinar, 5_000, 0)]),
        (shop_account(), between, vec![totals_in(yuan, 5_000, 0), totals_in(dinar, 5_000, 0)]),
        (Account::Merchant(MERCHANT), None, vec![totals_in(yuan, 0, 100), totals_in(dinar, 0, 1_234)]),
        (Account::Merchant(MERCHANT), between, Vec::new()),
        (Account::Card(CardId::new(41)), None, vec![totals_in(dinar, 1_234, 5_000)]),
    ] {
        let found = store.account_totals(ISSUER, account, at).await.expect("totals");
        assert_eq!(found, expect, "{when}, {account} at {at:?}");
    }
    let merchant = LedgerLine::Account(Account::Merchant(MERCHANT));
    let lines = store.trial_balance(ISSUER, None).await.expect("a trial balance");
    let found: Vec<_> = lines.iter().map(|l| (l.line, l.currency, l.debits, l.credits)).collect();
    let expect = vec![
        (LedgerLine::Cards(PROGRAM), yuan, 100, 5_000),
        (LedgerLine::Cards(DINAR_PROGRAM), dinar, 1_234, 5_000),
        (merchant, yuan, 0, 100),
        (merchant, dinar, 0, 1_234),
        (LedgerLine::Account(shop_account()), yuan, 5_000, 0),
        (LedgerLine::Account(shop_account()), dinar, 5_000, 0),
    ];
    assert_eq!(found, expect, "{when}");
    let filter = TransferFilter {
        issuer: ISSUER,
        account: Some(Account::Merchant(MERCHANT)),
        operation: None,
        from: None,
        to: None,
    };
    let page = store.transfers(&filter, None, 10).await.expect("a page");
    let shown: Vec<_> = page.items.iter().map(|row| (row.currency, row.transfer.amount.get())).collect();
    assert_eq!(shown, [(yuan, 100), (dinar, 1_234)], "{when}");
}

/// What went onto and off cards is held against their balances in each currency apart: added together, the
/// sums agree here.
pub async fn value_in_another_currency_than_its_card_is_found(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let dinars = Program { currency: dinar(), ..program(DINAR_PROGRAM, ISSUER) };
    store.put_catalog(&CatalogEntry::Program(dinars)).await.expect("a new program");
    sell_and_redeem(store, 41, DINAR_PROGRAM, Currency::CNY, 1_234).await;
    let found = store.audit().await.expect("a report").violations;
    let unequal = found.iter().filter(|violation| violation.invariant == "issued_equation");
    assert_eq!(unequal.count(), 2, "dinars that nobody loaded, yuan on no card: {found:?}");
}

/// Value whose currency is not known is in no total: totals are refused, and the audit names the operation.
pub async fn value_without_a_currency_is_corrupt(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let (at, bank, suspense) = (after(9), Account::Bank(ISSUER), Account::Suspense(ISSUER));
    let id = id_at(at, 1);
    let nameless = Operation { currency: None, ..operation(id, at) };
    let changes = Changes { transfers: vec![transfer(id, 1, bank, suspense, 5)], ..only([nameless]) };
    commit(store, &changes).await.expect("committed");
    let balance = store.trial_balance(ISSUER, None).await;
    assert!(matches!(balance, Err(StorageError::Corrupt(_))), "{balance:?}");
    let totals = store.account_totals(ISSUER, bank, None).await;
    assert!(matches!(totals, Err(StorageError::Corrupt(_))), "{totals:?}");
    let found = store.audit().await.expect("a report").violations;
    assert!(found.iter().any(|violation| violation.subject.contains(&id.to_string())), "{found:?}");
}
