//! Reconciliations: files, lines and differences come back as they were written, a file is completed once,
//! differences change under their version, and own records and hours are what the log says.

use domain::{Account, Channel, Currency, DifferenceId, OperationId, ReconciliationId, Timestamp};
use reconciliation::{Class, LineStatus};

use super::{
    Fresh, commands,
    scenario::run,
    world::{
        CLIENT, ISSUER, MERCHANT, OTHER_ISSUER, SECOND_CLIENT, SECOND_MERCHANT, after, catch_up, insert,
        pages, settle,
    },
};
use crate::{
    DifferenceEvent, DifferenceFilter, DifferenceRecord, DifferenceStatus, MatchOn, OwnQuery, Proposal,
    Queries, ReconciledLine, Reconciliation, ReconciliationStatus, ReconciliationStore, StorageError, Store,
    memory::MemoryStore,
};

fn file(id: i64) -> Reconciliation {
    Reconciliation {
        id: ReconciliationId::new(id),
        issuer: ISSUER,
        account: Account::Merchant(MERCHANT),
        format: "csv".to_owned(),
        file_name: "九月.csv".to_owned(),
        digest: [7; 32],
        currency: Currency::CNY,
        from: after(0),
        to: after(86_399),
        window_seconds: 300,
        match_on: MatchOn::Reference,
        status: ReconciliationStatus::Running,
        lines: 0,
        passed_over: 0,
        lines_sum: 0,
        totals_checked: false,
        records: 0,
        records_sum: 0,
        matched: 0,
        cancelled: 0,
        differences: 0,
        created_by: CLIENT,
        created_at: after(90_000),
        completed_at: None,
    }
}

fn complete(file: &Reconciliation) -> Reconciliation {
    Reconciliation {
        status: ReconciliationStatus::Complete,
        lines: 3,
        passed_over: 2,
        lines_sum: -1_234,
        totals_checked: true,
        records: u32::MAX,
        records_sum: i64::MIN,
        matched: 1,
        cancelled: 4,
        differences: 2,
        completed_at: Some(after(90_001)),
        ..file.clone()
    }
}

fn lines() -> Vec<ReconciledLine> {
    let line = |number: u32, status, class| ReconciledLine {
        number,
        place: number * 10,
        reference: if number == 2 { "".into() } else { format!("=订单{number}").into() },
        amount: i64::from(number) - 2,
        from: after(0),
        to: after(i64::from(number)),
        status,
        operation: (number == 1).then_some(OperationId::new(99)),
        class,
    };
    vec![
        line(1, LineStatus::Succeeded, None),
        line(2, LineStatus::Pending, None),
        line(3, LineStatus::Failed, Some(Class::StatusDiffers)),
    ]
}

fn difference(id: i64, of: &Reconciliation, class: Class) -> DifferenceRecord {
    DifferenceRecord {
        id: DifferenceId::new(id),
        issuer: of.issuer,
        reconciliation: of.id,
        account: of.account,
        currency: of.currency,
        class,
        line: (class != Class::MissingThere).then_some(3),
        reference: "订单".to_owned(),
        operation: (class == Class::MissingThere).then_some(OperationId::new(77)),
        here: 10,
        there: -5,
        suggested: -15,
        at: after(id * 86_400),
        status: DifferenceStatus::Open,
        proposal: None,
        decided: None,
        correction: None,
        cleared_by: None,
        version: 1,
    }
}

fn event(record: &DifferenceRecord, action: &str) -> DifferenceEvent {
    let (difference, version) = (record.id, record.version);
    DifferenceEvent {
        difference,
        version,
        at: after(100_000),
        by: Some(CLIENT),
        action: action.to_owned(),
        note: "因为".to_owned(),
    }
}

fn conflicts(result: crate::Result<()>, on: &str) {
    match result.expect_err(on) {
        StorageError::Conflict { what } => assert_eq!(what, on),
        other => panic!("{other}"),
    }
}

/// Files, lines and differences, by id, by digest and in lists; the same file is completed once.
pub async fn reconciliations_round_trip_and_are_made_once(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let (begun, rival) = (file(1), file(2));
    store.begin_reconciliation(&begun).await.expect("begun");
    store.begin_reconciliation(&rival).await.expect("the same file may begin again");
    store.append_reconciled_lines(begun.id, ISSUER, &lines()[..2]).await.expect("lines");
    store.append_reconciled_lines(begun.id, ISSUER, &lines()[2..]).await.expect("lines");
    conflicts(store.append_reconciled_lines(begun.id, ISSUER, &lines()[2..]).await, "id");
    assert_eq!(store.reconciliation(begun.id).await.expect("a file"), Some(begun.clone()));
    let by_digest = || store.reconciliation_of_file(ISSUER, begun.account, begun.digest);
    assert_eq!(by_digest().await.expect("none"), None, "what runs does not count");

    let done = complete(&begun);
    let found = [difference(11, &done, Class::MissingThere), difference(12, &done, Class::AmountDiffers)];
    store.finish_reconciliation(&done, &found, &[]).await.expect("done");
    assert_eq!(store.reconciliation(begun.id).await.expect("a file"), Some(done.clone()));
    assert_eq!(by_digest().await.expect("found"), Some(done.clone()));
    let other = store.reconciliation_of_file(OTHER_ISSUER, begun.account, begun.digest).await;
    assert_eq!(other.expect("none"), None);
    assert_eq!(store.reconciled_lines(done.id, 0, 10).await.expect("lines"), lines());
    assert_eq!(store.reconciled_lines(done.id, 1, 1).await.expect("lines"), lines()[1..2]);
    assert_eq!(store.reconciled_lines(rival.id, 0, 10).await.expect("none"), []);

    let stray = [difference(13, &rival, Class::Late)];
    conflicts(store.finish_reconciliation(&complete(&rival), &stray, &[]).await, "file");
    assert_eq!(store.difference(stray[0].id).await.expect("none"), None, "all or nothing");
    let elsewhere = Reconciliation { account: Account::Bank(ISSUER), ..file(3) };
    store.begin_reconciliation(&elsewhere).await.expect("begun");
    store
        .finish_reconciliation(&complete(&elsewhere), &[], &[])
        .await
        .expect("of another account it is another");
    for limit in [1, 2, 10] {
        let found =
            pages(|before| store.reconciliations(ISSUER, before.map(ReconciliationId::new), limit)).await;
        assert_eq!(found.concat(), [complete(&elsewhere), rival.clone(), done.clone()]);
    }
    assert_eq!(store.reconciliations(OTHER_ISSUER, None, 10).await.expect("none").items, []);
}

/// A file with its lines, and differences of which one was proposed to be corrected.
pub(super) async fn populate(store: &dyn Store) {
    let file = Reconciliation { digest: [9; 32], ..file(61) };
    store.begin_reconciliation(&file).await.expect("begun");
    store.append_reconciled_lines(file.id, ISSUER, &lines()).await.expect("lines");
    let found = [difference(611, &file, Class::MissingThere), difference(612, &file, Class::AmountDiffers)];
    store.finish_reconciliation(&complete(&file), &found, &[]).await.expect("done");
    let proposal = Proposal { by: CLIENT, at: after(5), correction: Some(-15), note: "少记".to_owned() };
    let proposed = DifferenceRecord {
        status: DifferenceStatus::Proposed,
        proposal: Some(proposal),
        version: 2,
        ..found[1].clone()
    };
    store.update_difference(&proposed, &event(&proposed, "proposed")).await.expect("changed");
}

/// Listed and filtered, changed under their version, aged, found where something is left to do.
pub async fn differences_change_under_their_version(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let of = file(1);
    store.begin_reconciliation(&of).await.expect("begun");
    let classes = [Class::MissingThere, Class::AmountDiffers, Class::MissingThere, Class::Duplicate];
    let mut all: Vec<_> = (1..).zip(classes).map(|(id, class)| difference(id, &of, class)).collect();
    store.finish_reconciliation(&complete(&of), &all, &[]).await.expect("done");

    let proposal = Proposal { by: CLIENT, at: after(5), correction: Some(-15), note: "少记".to_owned() };
    let proposed = DifferenceRecord {
        status: DifferenceStatus::Proposed,
        proposal: Some(proposal),
        version: 2,
        ..all[1].clone()
    };
    store.update_difference(&proposed, &event(&proposed, "proposed")).await.expect("changed");
    conflicts(store.update_difference(&proposed, &event(&proposed, "proposed")).await, "version");
    assert_eq!(store.difference(proposed.id).await.expect("one"), Some(proposed.clone()));
    assert_eq!(store.unposted_corrections(9).await.expect("none"), []);
    let decided = Some((SECOND_CLIENT, after(6)));
    let approved = DifferenceRecord { status: DifferenceStatus::Approved, decided, version: 3, ..proposed };
    store.update_difference(&approved, &event(&approved, "approved")).await.expect("changed");
    assert_eq!(store.unposted_corrections(9).await.expect("one"), std::slice::from_ref(&approved));
    let posted = DifferenceRecord { correction: Some(OperationId::new(5)), version: 4, ..approved };
    store.update_difference(&posted, &event(&posted, "posted")).await.expect("changed");
    assert_eq!(store.unposted_corrections(9).await.expect("none"), []);
    let events = store.difference_events(posted.id).await.expect("events");
    assert_eq!(
        events.iter().map(|e| e.action.as_str()).collect::<Vec<_>>(),
        ["proposed", "approved", "posted"]
    );
    assert_eq!(events[1], DifferenceEvent { version: 3, ..event(&posted, "approved") });
    all[1] = posted;

    // A later file brings what the third one missed.
    let later = Reconciliation { digest: [8; 32], ..file(2) };
    store.begin_reconciliation(&later).await.expect("begun");
    let cleared = DifferenceRecord {
        status: DifferenceStatus::Cleared,
        cleared_by: Some(later.id),
        version: 2,
        ..all[2].clone()
    };
    let how = DifferenceEvent { by: None, ..event(&cleared, "cleared") };
    let missing = || store.open_missing_there(ISSUER, of.account, None, 9);
    assert_eq!(missing().await.expect("two"), [all[0].clone(), all[2].clone()]);
    store
        .finish_reconciliation(&complete(&later), &[], &[(cleared.clone(), how.clone())])
        .await
        .expect("done");
    assert_eq!(missing().await.expect("one"), [all[0].clone()]);
    assert_eq!(store.difference_events(cleared.id).await.expect("one"), [how]);
    all[2] = cleared;

    all.reverse();
    let list = |filter: DifferenceFilter| {
        let expect: Vec<_> = all.iter().filter(|record| filter.accepts(record)).cloned().collect();
        async move {
            for limit in [1, 3, 10] {
                let found =
                    pages(|before| store.differences(&filter, before.map(DifferenceId::new), limit)).await;
                assert_eq!(found.concat(), expect, "{filter:?}");
            }
        }
    };
    let every = DifferenceFilter::all(ISSUER);
    list(every).await;
    for status in DifferenceStatus::ALL {
        list(DifferenceFilter { status: Some(status), ..every }).await;
    }
    list(DifferenceFilter { class: Some(Class::MissingThere), reconciliation: Some(of.id), ..every }).await;
    list(DifferenceFilter { reconciliation: Some(later.id), ..every }).await;
    list(DifferenceFilter::all(OTHER_ISSUER)).await;

    // The first is 30 days and a moment old, the fourth 26.
    let now = Timestamp::from_micros(after(31 * 86_400).micros() + 1);
    let aged = store.difference_ageing(ISSUER, now).await.expect("ages");
    assert_eq!(aged.iter().map(|a| (a.bucket, a.count, a.amount)).collect::<Vec<_>>(), [(1, 2, 30)]);
    let now = after(32 * 86_400);
    let aged = store.difference_ageing(ISSUER, now).await.expect("ages");
    assert_eq!(
        aged.iter().map(|a| (a.bucket, a.count, a.amount)).collect::<Vec<_>>(),
        [(1, 1, 15), (2, 1, 15)]
    );
}

async fn own(store: &dyn Store, query: &OwnQuery, limit: usize) -> Vec<reconciliation::OwnRecord> {
    let (mut all, mut after) = (Vec::new(), Some(OperationId::new(-1)));
    while let Some(from) = after {
        let part = store.own_records(query, from, limit).await.expect("records");
        all.extend(part.items);
        after = part.next;
    }
    all
}

/// The same as a plain fold over the same log, for every account, in portions of any size; and no hour of it
/// disagrees with its roll-up.
pub async fn own_records_are_what_the_log_says(fresh: Fresh) {
    let (store, plain) = (fresh.store.as_ref(), MemoryStore::new());
    let (mut first, mut last) = (OperationId::new(0), OperationId::new(0));
    for store in [store, &plain as &dyn Store] {
        settle(store).await;
        insert(store, &commands::cards()).await;
        let catalog = store.load_catalog().await.expect("a catalog");
        let outcome = run(store, &catalog, &commands::fixed(3, 600), &[50]).await;
        first = outcome.operations.first().expect("operations").id;
        last = outcome.operations.last().expect("operations").id;
    }
    let mut channels: Vec<Account> = Vec::new();
    let totals = plain.trial_balance(ISSUER, None).await.expect("totals");
    for line in totals {
        if let crate::LedgerLine::Account(account @ Account::Channel(_)) = line.line {
            channels.push(account);
        }
    }
    channels.push(Account::Channel(Channel::parse("nobody").expect("a name")));
    let accounts = [Account::Merchant(MERCHANT), Account::Merchant(SECOND_MERCHANT), Account::Bank(ISSUER)];
    let mut found = 0;
    for account in accounts.into_iter().chain(channels) {
        for match_on in MatchOn::ALL {
            let query = OwnQuery { issuer: ISSUER, account, currency: Currency::CNY, match_on, below: last };
            let expect = own(&plain, &query, 1_000).await;
            found += expect.len();
            for limit in [7, 1_000] {
                assert_eq!(own(store, &query, limit).await, expect, "{account} {match_on:?}");
            }
        }
    }
    assert!(found > 300, "{found} records");
    catch_up(store).await;
    catch_up(&plain).await;
    let hour_of = |id: OperationId| (id.get() >> domain::ids::SHIFT) / 3_600_000;
    let mut transfers = 0;
    for hour in hour_of(first) - 1..=hour_of(last) + 1 {
        let check = store.check_hour(hour).await.expect("a check");
        assert_eq!(check, plain.check_hour(hour).await.expect("a check"));
        transfers += check.transfers;
    }
    assert!(transfers > 100, "{transfers} transfers");
}
