//! Gives up what no second person decided in time: it counts no more, and cannot be approved by mistake long after
//! everybody has forgotten what it was about.

use engine::Engine;
use identity::approvals::expire;
use storage::StorageError;

use crate::{
    ROUND,
    runner::{JobError, Round},
};

pub(crate) async fn round(engine: Engine) -> Result<Round, JobError> {
    let now = engine.now();
    let overdue = engine.store().overdue_approvals(now, ROUND).await?;
    let more = overdue.len() == ROUND;
    let mut done = 0;
    for approval in overdue {
        let Some((expired, event)) = expire(approval, now) else { continue };
        match engine.store().update_approval(&expired, &event).await {
            Ok(()) => done += 1,
            // Somebody decided at this moment, or another node gave it up.
            Err(StorageError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Round { done, more })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{
        Amount, ApprovalId, BusinessDate, ClientId, Currency, IssuerId, Timestamp,
        role::{Limit, LimitKind},
    };
    use engine::{Clock, EngineConfig, ManualClock};
    use postgres_testing::Cluster;
    use storage::{Approval, ApprovalState, ApprovalSubject, Counting, Store};
    use storage_postgres::PostgresStore;
    use storage_sqlite::SqliteStore;
    use vault::{KeyRing, PredictableRandomness, Vault};

    use super::*;

    const MAKER: ClientId = ClientId::new(5);
    const DAY: i32 = 20_261_122;

    fn start() -> Timestamp {
        Timestamp::parse_rfc3339("2026-11-22T02:00:00Z").expect("a moment")
    }

    async fn engine_on(store: Arc<dyn Store>) -> (Engine, Arc<ManualClock>) {
        let ring = KeyRing::generate(&mut PredictableRandomness::from_seed(1));
        let clock = Arc::new(ManualClock::new(start()));
        let config = EngineConfig::new(Box::new(|error| panic!("the store failed: {error}")));
        let vault = Arc::new(Vault::new(Arc::new(ring)));
        let started = Engine::start(store, vault, Arc::clone(&clock) as Arc<dyn Clock>, config).await;
        (started.expect("an engine").0, clock)
    }

    /// Something above its maker's limit, which waits until so many seconds after the start.
    async fn ask(engine: &Engine, number: i64, until: i64) -> ApprovalId {
        let approval = Approval {
            id: ApprovalId::new(engine.next_id()),
            issuer: IssuerId::new(1),
            subject: ApprovalSubject::Adjustment,
            maker: MAKER,
            body: "{}".to_owned(),
            amount: Amount::new(10).expect("an amount"),
            currency: Currency::CNY,
            state: ApprovalState::Pending,
            decided_by: None,
            decided_at: None,
            note: None,
            result: None,
            failure: None,
            created_at: start(),
            expires_at: start().plus_seconds(until),
            version: 1,
        };
        let id = approval.id;
        let counting = Counting {
            approval,
            key: format!("key-{number}"),
            fingerprint: (1, [0; 16]),
            day: BusinessDate::from_stored(DAY),
            limit: Limit::NONE,
        };
        engine.store().count_use(&counting).await.expect("counted");
        id
    }

    async fn state(engine: &Engine, id: ApprovalId) -> ApprovalState {
        engine.store().approval(id).await.expect("read").expect("there").state
    }

    async fn used(engine: &Engine) -> i64 {
        let day = BusinessDate::from_stored(DAY);
        engine.store().used(MAKER, LimitKind::Adjust, Currency::CNY, day).await.expect("a sum")
    }

    async fn gives_up_what_is_overdue(store: Arc<dyn Store>) {
        let (engine, clock) = engine_on(store).await;
        let hours = |hours: i64| hours * 3600;
        let (old, young, decided) = (
            ask(&engine, 1, hours(72)).await,
            ask(&engine, 2, hours(73)).await,
            ask(&engine, 3, hours(72)).await,
        );
        let pending = engine.store().approval(decided).await.expect("read").expect("there");
        let checker = ClientId::new(6);
        let step = identity::approvals::reject(pending, checker, engine.now(), "no");
        let (rejected, event) = step.expect("rejected");
        engine.store().update_approval(&rejected, &event).await.expect("stored");
        assert_eq!(used(&engine).await, 20);
        clock.advance_seconds(hours(72) - 1);
        assert_eq!(round(engine.clone()).await.expect("a round").done, 0, "a second early");
        clock.advance_seconds(1);
        let done = round(engine.clone()).await.expect("a round");
        assert_eq!((done.done, done.more), (1, false));
        assert_eq!(state(&engine, old).await, ApprovalState::Expired);
        assert_eq!(state(&engine, young).await, ApprovalState::Pending);
        assert_eq!(state(&engine, decided).await, ApprovalState::Rejected);
        assert_eq!(used(&engine).await, 10, "what was given up counts no more");
        let events = engine.store().approval_events(old).await.expect("events");
        let steps: Vec<_> = events.iter().map(|event| (event.action.as_str(), event.by)).collect();
        assert_eq!(steps, [("asked", Some(MAKER)), ("expired", None)]);
        assert_eq!(round(engine.clone()).await.expect("a round").done, 0, "once");
        // More than a round takes up: the job goes on at once.
        for number in 0..i64::try_from(ROUND).expect("a count") {
            ask(&engine, 100 + number, hours(72)).await;
        }
        clock.advance_seconds(hours(1));
        let first = round(engine.clone()).await.expect("a round");
        assert_eq!((first.done, first.more), (ROUND as u64, true));
        let second = round(engine.clone()).await.expect("a round");
        assert_eq!((second.done, second.more), (1, false));
        assert_eq!(used(&engine).await, 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_nobody_decided_is_given_up_on_sqlite() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let store = SqliteStore::open(&url, storage_sqlite::Options::default()).expect("a database");
        gives_up_what_is_overdue(Arc::new(store)).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_nobody_decided_is_given_up_on_postgresql() {
        let url = Cluster::shared().create_database();
        let store = PostgresStore::connect(&url, storage_postgres::Options::default()).await;
        gives_up_what_is_overdue(Arc::new(store.expect("a database"))).await;
    }
}
