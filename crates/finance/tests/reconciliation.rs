//! Reconciliation end to end, on SQLite: sales through the engine, a merchant's file, differences, corrections
//! in the ledger.

use std::io::{Seek, Write};

#[path = "settlement/world.rs"]
#[expect(dead_code, reason = "made for settlement, which uses all of it")]
mod world;

use domain::{Account, Currency, DifferenceId};
use finance::reconciliation::{FileRequest, Imported, Proposed, ReconcileError, Reconciler};
use reconciliation::{Class, Format, Mapping};
use storage::{DifferenceFilter, DifferenceRecord, DifferenceStatus, MatchOn};
use world::{CHECKER, Database, ISSUER, MAKER, World, mer};

const MAPPING: &str = r#"{"columns": {"reference": "order", "amount": "yuan", "at": "at"}}"#;

fn request(digest: u8) -> FileRequest {
    FileRequest {
        issuer: ISSUER,
        client: MAKER,
        account: Account::Merchant(mer(1)),
        format: Format::Csv,
        file_name: "september.csv".to_owned(),
        digest: [digest; 32],
        currency: Currency::CNY,
        mapping: Some(serde_json::from_str::<Mapping>(MAPPING).expect("a mapping")),
        match_on: MatchOn::Operation,
        window_seconds: 600,
        from: None,
        to: None,
        expected_lines: None,
        expected_sum: None,
    }
}

async fn import(
    reconciler: &Reconciler,
    request: FileRequest,
    text: &str,
) -> Result<Imported, ReconcileError> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(text.as_bytes()).and_then(|()| file.rewind()).expect("written");
    reconciler.import(request, file).await
}

async fn differences(world: &World) -> Vec<DifferenceRecord> {
    let filter = DifferenceFilter::all(ISSUER);
    let page = world.engine.store().differences(&filter, None, 100).await.expect("differences");
    page.items.into_iter().rev().collect()
}

fn correct(delta: i64) -> Proposed {
    Proposed { correction: Some(delta), note: "their receipt is right".to_owned() }
}

#[tokio::test]
async fn a_file_becomes_differences_and_corrections() {
    let world = World::begin_on(Database::Sqlite, "2026-09-30T12:00:00").await;
    let (a, b, c) = (world.sale(1, 1_000).await, world.sale(1, 2_000).await, world.sale(1, 3_000).await);
    world.sale(2, 9_999).await;
    let (_, key) = world.sale_with_key(1, 4_000).await;
    world.reverse(key).await;
    let reconciler = Reconciler::new(world.engine.clone());
    let text = format!(
        "order,yuan,at\n{a},10.00,2026-09-30 12:00:00\n{b},20.50,2026-09-30 12:00:00\nX,7.00,2026-09-30 12:05:00\n"
    );
    let first = import(&reconciler, request(1), &text).await.expect("imported");
    let done = &first.reconciliation;
    assert_eq!((done.lines, done.matched, done.cancelled, done.differences), (3, 1, 1, 3));
    assert_eq!((done.lines_sum, done.records_sum), (3_750, 6_000));
    let again = import(&reconciler, request(1), "not even read").await.expect("the same");
    assert_eq!((again.replayed, &again.reconciliation), (true, done));

    let found = differences(&world).await;
    let short: Vec<_> =
        found.iter().map(|d| (d.class, d.here, d.there, d.suggested, d.line, d.operation)).collect();
    assert_eq!(
        short,
        [
            (Class::AmountDiffers, 2_000, 2_050, 50, Some(2), Some(b)),
            (Class::MissingHere, 0, 700, 700, Some(3), None),
            (Class::MissingThere, 3_000, 0, -3_000, None, Some(c)),
        ]
    );
    let owed = world.owed(1).await;

    // One client proposes, another approves; only then does anything move, and only once.
    let id = found[0].id;
    reconciler.propose(ISSUER, MAKER, id, correct(50)).await.expect("proposed");
    assert!(matches!(reconciler.approve(ISSUER, MAKER, id).await, Err(ReconcileError::SameClient)));
    assert_eq!(world.owed(1).await, owed);
    let approved = reconciler.approve(ISSUER, CHECKER, id).await.expect("approved");
    assert_eq!((approved.status, world.owed(1).await), (DifferenceStatus::Approved, owed + 50));
    assert!(approved.correction.is_some());
    assert!(matches!(reconciler.approve(ISSUER, CHECKER, id).await, Err(ReconcileError::Status { .. })));

    // Turned down, it is open again; explained, nothing moves.
    let id = found[1].id;
    reconciler.propose(ISSUER, MAKER, id, correct(700)).await.expect("proposed");
    let open = reconciler.reject(ISSUER, CHECKER, id, "no receipt".to_owned()).await.expect("rejected");
    assert_eq!((open.status, open.proposal), (DifferenceStatus::Open, None));
    let explained = Proposed { correction: None, note: "a sale of another shop".to_owned() };
    reconciler.propose(ISSUER, MAKER, id, explained).await.expect("proposed");
    reconciler.approve(ISSUER, CHECKER, id).await.expect("approved");
    assert_eq!(world.owed(1).await, owed + 50);
    let events = world.engine.store().difference_events(id).await.expect("events");
    let actions: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["proposed", "rejected", "proposed", "approved"]);

    // The next file brings what this one missed.
    let text = format!("order,yuan,at\n{c},30.00,2026-09-30 12:00:00\n");
    let second = import(&reconciler, request(2), &text).await.expect("imported");
    assert_eq!((second.reconciliation.matched, second.reconciliation.lines), (1, 1));
    let cleared = world.engine.store().difference(found[2].id).await.expect("one").expect("one");
    assert_eq!(
        (cleared.status, cleared.cleared_by),
        (DifferenceStatus::Cleared, Some(second.reconciliation.id))
    );
    let report = world.engine.store().audit().await.expect("an audit");
    assert_eq!(report.violations, []);
}

#[tokio::test]
async fn an_interrupted_posting_is_made_once() {
    let world = World::begin_on(Database::Sqlite, "2026-09-30T12:00:00").await;
    let a = world.sale(1, 1_000).await;
    let reconciler = Reconciler::new(world.engine.clone());
    let text = format!("order,yuan,at\n{a},9.00,2026-09-30 12:00:00\n");
    import(&reconciler, request(1), &text).await.expect("imported");
    let id = differences(&world).await[0].id;
    reconciler.propose(ISSUER, MAKER, id, correct(-100)).await.expect("proposed");
    // The process dies between the approval and its posting, and again between the posting and its note.
    let store = world.engine.store();
    let proposed = store.difference(id).await.expect("one").expect("one");
    let approved = DifferenceRecord {
        status: DifferenceStatus::Approved,
        decided: Some((CHECKER, world.engine.now())),
        version: proposed.version + 1,
        ..proposed
    };
    let event = storage::DifferenceEvent {
        difference: id,
        version: approved.version,
        at: world.engine.now(),
        by: Some(CHECKER),
        action: "approved".to_owned(),
        note: String::new(),
    };
    store.update_difference(&approved, &event).await.expect("approved");
    let (first, second) = tokio::join!(reconciler.approve(ISSUER, CHECKER, id), reconciler.resume());
    assert!(first.is_ok() || matches!(first, Err(ReconcileError::Changed)), "{first:?}");
    second.expect("resumed");
    assert_eq!(reconciler.resume().await.expect("nothing left"), 0);
    assert_eq!(world.owed(1).await, 900);
    let posted = store.difference(id).await.expect("one").expect("one");
    assert!(posted.correction.is_some());
}

#[tokio::test]
async fn what_is_refused() {
    let world = World::begin_on(Database::Sqlite, "2026-09-30T12:00:00").await;
    let a = world.sale(1, 1_000).await;
    let reconciler = Reconciler::new(world.engine.clone());
    let text = format!("order,yuan,at\n{a},9.00,2026-09-30 12:00:00\n");
    let fails = async |request: FileRequest, text: &str, says: &str| {
        let error = import(&reconciler, request, text).await.expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
    };
    fails(FileRequest { account: Account::Merchant(mer(77)), ..request(1) }, &text, "no such merchant").await;
    fails(FileRequest { account: Account::Fees(ISSUER), ..request(1) }, &text, "account").await;
    fails(FileRequest { mapping: None, ..request(1) }, &text, "mapping").await;
    fails(FileRequest { expected_sum: Some(901), ..request(1) }, &text, "900 minor units").await;
    fails(FileRequest { expected_lines: Some(2), ..request(1) }, &text, "1 lines").await;
    fails(request(1), "order,yuan,at\n", "the file has no lines").await;
    fails(request(1), "order,yuan,at\nx,1.001,2026-09-30\n", "line 2, column yuan").await;
    let page = world.engine.store().reconciliations(ISSUER, None, 10).await.expect("none");
    assert_eq!(page.items, [], "nothing of them is kept");
    import(&reconciler, request(1), &text).await.expect("imported");
    let id = differences(&world).await[0].id;
    let other = domain::IssuerId::new(9);
    assert!(matches!(
        reconciler.propose(other, MAKER, id, correct(1)).await,
        Err(ReconcileError::Unknown(_))
    ));
    assert!(matches!(
        reconciler.propose(ISSUER, MAKER, id, correct(0)).await,
        Err(ReconcileError::Field { .. })
    ));
    assert!(matches!(
        reconciler.propose(ISSUER, MAKER, DifferenceId::new(1), correct(1)).await,
        Err(ReconcileError::Unknown(_))
    ));
    let silent = Proposed { note: " ".to_owned(), ..correct(1) };
    assert!(matches!(reconciler.propose(ISSUER, MAKER, id, silent).await, Err(ReconcileError::Field { .. })));
    assert!(matches!(reconciler.approve(ISSUER, CHECKER, id).await, Err(ReconcileError::Status { .. })));
}
