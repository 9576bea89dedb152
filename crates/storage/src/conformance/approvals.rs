//! Approvals: what counts against a user's day is counted once and under a lock, what was asked for comes back as it
//! was written, and every step needs the one before it.

use std::sync::Arc;

use domain::{
    ApprovalId, BusinessDate, ClientId, Currency,
    role::{Limit, LimitKind},
};

use super::{
    Fresh,
    world::{CLIENT, ISSUER, OTHER_ISSUER, SECOND_CLIENT, after, amount, pages},
};
use crate::{
    Approval, ApprovalEvent, ApprovalFilter, ApprovalState, ApprovalSubject, Counted, Counting, StorageError,
    Store, UseStatus, approval_store::asked,
};

const DAY: i32 = 20_260_301;

fn approval(id: i64, maker: ClientId, subject: ApprovalSubject, minor: i64) -> Approval {
    Approval {
        id: ApprovalId::new(id),
        issuer: ISSUER,
        subject,
        maker,
        body: format!("{{\"名\":\"订单 {id}\"}}"),
        amount: amount(minor),
        currency: Currency::CNY,
        state: ApprovalState::Pending,
        decided_by: None,
        decided_at: None,
        note: None,
        result: None,
        failure: None,
        created_at: after(id),
        expires_at: after(id + 100_000),
        version: 1,
    }
}

/// At most 100 at once and 250 a day.
fn counting(id: i64, key: &str, minor: i64) -> Counting {
    Counting {
        approval: approval(id, CLIENT, ApprovalSubject::Adjustment, minor),
        key: key.to_owned(),
        fingerprint: (3, [u8::try_from(id % 200).expect("small"); 16]),
        day: BusinessDate::from_stored(DAY),
        limit: Limit { per_operation: amount(100), per_day: amount(250) },
    }
}

async fn used(store: &dyn Store, day: i32) -> i64 {
    let day = BusinessDate::from_stored(day);
    store.used(CLIENT, LimitKind::Adjust, Currency::CNY, day).await.expect("a sum")
}

async fn count(store: &dyn Store, counting: &Counting) -> Counted {
    store.count_use(counting).await.expect("counted")
}

/// The next version in another state, with its event.
fn step(of: &Approval, state: ApprovalState, by: ClientId) -> (Approval, ApprovalEvent) {
    let mut next = Approval { state, version: of.version + 1, ..of.clone() };
    if of.decided_at.is_none() {
        (next.decided_by, next.decided_at) = (Some(by), Some(after(500)));
    }
    next.failure = (state == ApprovalState::Failed).then(|| "card_unknown".to_owned());
    let event = ApprovalEvent {
        approval: of.id,
        version: next.version,
        at: after(500),
        by: Some(by),
        action: state.name().to_owned(),
        note: "因为".to_owned(),
    };
    (next, event)
}

fn conflicts(result: crate::Result<()>, on: &str) {
    match result.expect_err(on) {
        StorageError::Conflict { what } => assert_eq!(what, on),
        other => panic!("{other}"),
    }
}

/// Splitting does not help, other days and kinds are other sums, and what is decided against counts no more.
pub async fn uses_are_counted_by_day(fresh: Fresh) {
    let store = fresh.store.as_ref();
    for (id, minor, expect) in [
        (1, 100, UseStatus::Through),
        (2, 101, UseStatus::Approval),
        (3, 49, UseStatus::Through),
        (4, 1, UseStatus::Approval),
    ] {
        let counted = count(store, &counting(id, &format!("k{id}"), minor)).await;
        assert_eq!((counted.status, counted.attempt, counted.before), (expect, 1, false), "{id}");
    }
    assert_eq!(used(store, DAY).await, 251);
    let other_day = Counting { day: BusinessDate::from_stored(DAY + 1), ..counting(5, "k5", 100) };
    assert_eq!(count(store, &other_day).await.status, UseStatus::Through);
    let mut other_kind = counting(6, "k6", 100);
    other_kind.approval.subject = ApprovalSubject::Load;
    assert_eq!(count(store, &other_kind).await.status, UseStatus::Through);
    let mut other_maker = counting(7, "k1", 100);
    other_maker.approval.maker = SECOND_CLIENT;
    assert!(!count(store, &other_maker).await.before, "a key is its maker's own");

    let asked_for = store.approval(ApprovalId::new(2)).await.expect("one").expect("asked");
    assert_eq!(asked_for, counting(2, "k2", 101).approval);
    assert_eq!(store.approval(ApprovalId::new(1)).await.expect("none"), None, "it went through");
    let (rejected, event) = step(&asked_for, ApprovalState::Rejected, SECOND_CLIENT);
    store.update_approval(&rejected, &event).await.expect("rejected");
    assert_eq!(used(store, DAY).await, 150);
    assert_eq!(count(store, &counting(8, "k8", 100)).await.status, UseStatus::Through);
    let nothing = Counting { limit: Limit::NONE, ..counting(9, "k9", 0) };
    assert_eq!(count(store, &nothing).await.status, UseStatus::Approval);
    let all = Counting { limit: Limit::UNLIMITED, ..counting(10, "k10", 999_999) };
    assert_eq!(count(store, &all).await.status, UseStatus::Through);
}

/// The same key counts once; what was refused may be asked again, and not be given back by an earlier attempt.
pub async fn uses_are_counted_once_by_key(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let first = count(store, &counting(1, "k", 60)).await;
    let again = count(store, &counting(2, "k", 90)).await;
    assert_eq!(again, Counted { attempt: 2, before: true, ..first.clone() });
    assert_eq!(used(store, DAY).await, 60);
    let give_back = |attempt, status| store.uncount_use(CLIENT, "k", attempt, status);
    give_back(1, UseStatus::Released).await.expect("too late");
    assert_eq!(used(store, DAY).await, 60, "somebody asked again since");
    give_back(2, UseStatus::Released).await.expect("given back");
    assert_eq!(used(store, DAY).await, 0);
    let anew = count(store, &counting(3, "k", 101)).await;
    assert_eq!((anew.status, anew.attempt, anew.before), (UseStatus::Approval, 3, false));
    assert_eq!(anew.id, ApprovalId::new(3));
    give_back(3, UseStatus::Released).await.expect("nothing: a second person decides");
    assert_eq!(used(store, DAY).await, 101);
    let waiting = count(store, &counting(4, "k", 101)).await;
    assert_eq!((waiting.id, waiting.status, waiting.before), (anew.id, UseStatus::Approval, true));
    count(store, &counting(5, "d", 10)).await;
    store.uncount_use(CLIENT, "d", 1, UseStatus::Declined).await.expect("given back");
    assert_eq!(used(store, DAY).await, 101);
    let declined = count(store, &counting(6, "d", 10)).await;
    assert_eq!((declined.status, declined.before), (UseStatus::Declined, true), "its answer is replayed");
    assert_eq!(used(store, DAY).await, 101);
}

/// Of thirty at once as many go through as fit, and the rest wait for a second person.
pub async fn uses_at_once_do_not_exceed_the_limit(fresh: Fresh) {
    for (minor, expect) in [(125, 0), (100, 2), (83, 3), (10, 25)] {
        let mut asking = tokio::task::JoinSet::new();
        for n in 0..30_i64 {
            let store = Arc::clone(&fresh.store);
            asking.spawn(async move {
                let mut counting = counting(minor * 1_000 + n, &format!("{minor}/{n}"), minor);
                counting.day = BusinessDate::from_stored(DAY + i32::try_from(minor).expect("small"));
                count(store.as_ref(), &counting).await
            });
        }
        let all = asking.join_all().await;
        let through = all.iter().filter(|counted| counted.status == UseStatus::Through).count();
        assert_eq!(through, expect, "of 30 with {minor}");
        let day = DAY + i32::try_from(minor).expect("small");
        assert_eq!(used(fresh.store.as_ref(), day).await, minor * 30, "all of them count");
    }
    assert_eq!(fresh.store.pending_approvals(ISSUER).await.expect("a count"), 30 + 28 + 27 + 5);
}

/// Listed and filtered, changed under their version, with what was done about them.
pub async fn approvals_take_their_steps(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let mut all = Vec::new();
    for (id, subject) in (1..).zip(ApprovalSubject::ALL) {
        let maker = if id % 2 == 0 { CLIENT } else { SECOND_CLIENT };
        let approval = approval(id, maker, *subject, 1_000 + id);
        let counting = Counting { approval: approval.clone(), ..counting(id, &format!("k{id}"), 0) };
        assert_eq!(count(store, &counting).await.status, UseStatus::Approval, "{subject:?}");
        all.push(approval);
    }
    assert_eq!(store.approval_events(all[0].id).await.expect("one"), [asked(&all[0])]);

    let (approved, event) = step(&all[0], ApprovalState::Approved, CLIENT);
    store.update_approval(&approved, &event).await.expect("approved");
    conflicts(store.update_approval(&approved, &event).await, "version");
    assert_eq!(store.unfinished_approvals(after(500), 9).await.expect("none"), []);
    assert_eq!(
        store.unfinished_approvals(after(501), 9).await.expect("one"),
        std::slice::from_ref(&approved)
    );
    let (mut done, event_done) = step(&approved, ApprovalState::Approved, CLIENT);
    done.result = Some("batch_1".to_owned());
    store.update_approval(&done, &event_done).await.expect("done");
    assert_eq!(store.unfinished_approvals(after(501), 9).await.expect("none"), []);
    assert_eq!(store.approval_events(done.id).await.expect("three"), [asked(&all[0]), event, event_done]);
    all[0] = done;
    let (approved, event) = step(&all[1], ApprovalState::Approved, SECOND_CLIENT);
    store.update_approval(&approved, &event).await.expect("approved");
    let (failed, event) = step(&approved, ApprovalState::Failed, SECOND_CLIENT);
    store.update_approval(&failed, &event).await.expect("failed");
    all[1] = failed;
    let (withdrawn, event) = step(&all[2], ApprovalState::Withdrawn, SECOND_CLIENT);
    store.update_approval(&withdrawn, &event).await.expect("withdrawn");
    all[2] = withdrawn;
    assert_eq!(store.overdue_approvals(all[3].expires_at, 9).await.expect("one"), [all[3].clone()]);
    let (mut expired, mut event) = step(&all[3], ApprovalState::Expired, SECOND_CLIENT);
    (expired.decided_by, event.by) = (None, None);
    store.update_approval(&expired, &event).await.expect("expired");
    all[3] = expired;
    assert_eq!(store.pending_approvals(ISSUER).await.expect("a count"), 3);
    assert_eq!(store.pending_approvals(OTHER_ISSUER).await.expect("a count"), 0);

    all.reverse();
    for state in ApprovalState::ALL.iter().map(|state| Some(*state)).chain([None]) {
        for kind in LimitKind::ALL.into_iter().map(Some).chain([None]) {
            for maker in [None, Some(CLIENT)] {
                let filter = ApprovalFilter { issuer: ISSUER, kind, state, maker };
                lists(store, &filter, &all).await;
            }
        }
    }
    lists(store, &ApprovalFilter { issuer: OTHER_ISSUER, kind: None, state: None, maker: None }, &all).await;
}

async fn lists(store: &dyn Store, filter: &ApprovalFilter, all: &[Approval]) {
    let fits = |one: &&Approval| {
        one.issuer == filter.issuer
            && filter.kind.is_none_or(|kind| one.kind() == kind)
            && filter.state.is_none_or(|state| one.state == state)
            && filter.maker.is_none_or(|maker| one.maker == maker)
    };
    let expect: Vec<Approval> = all.iter().filter(fits).cloned().collect();
    for limit in [1, 3, 10] {
        let found = pages(|before| store.approvals(filter, before.map(ApprovalId::new), limit)).await;
        assert_eq!(found.concat(), expect, "{filter:?}");
    }
}

/// Uses of every kind, and an approval with its steps.
pub(super) async fn populate(store: &dyn Store) {
    for (id, minor) in [(8_001, 50), (8_002, 500)] {
        count(store, &counting(id, &format!("k{id}"), minor)).await;
    }
    count(store, &counting(8_003, "k8003", 60)).await;
    store.uncount_use(CLIENT, "k8003", 1, UseStatus::Declined).await.expect("given back");
    let asked_for = counting(8_002, "k8002", 500).approval;
    let (approved, event) = step(&asked_for, ApprovalState::Approved, SECOND_CLIENT);
    store.update_approval(&approved, &event).await.expect("approved");
}
