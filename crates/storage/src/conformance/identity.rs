//! People: what is written comes back, rights that are taken end sessions in the same transaction, and what may
//! happen once happens once, however many try at the same time.

use std::{sync::Arc, time::Duration};

use domain::{
    Amount, AuditEventId, ClientId, InvitationId, MerchantId, Role, RoleId, SessionId, StoreId, Timestamp,
    UserId, ViewId,
    catalog::Scope,
    program::Status,
    role::{Limit, Limits},
};

use super::{
    Fresh,
    world::{ISSUER, OTHER_ISSUER, after},
};
use crate::{
    Allowance, AuditEvent, AuditFilter, GuardKey, Invitation, RecoveryCode, SavedView, Session, SessionStage,
    SessionsOf, StorageError, StoredTotp, User, UserFilter,
};

fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("an amount")
}

fn role(id: i64, issuer: Option<domain::IssuerId>, code: &str) -> Role {
    Role {
        id: RoleId::new(id),
        issuer,
        code: code.to_owned(),
        name_zh: "角色".to_owned(),
        name_en: "Role".to_owned(),
        permissions: Scope::ALL.into_iter().collect(),
        limits: Limits {
            issue: Limit { per_operation: amount(1), per_day: amount(2) },
            adjust: Limit { per_operation: amount(3), per_day: amount(4) },
            unlinked_refund: Limit { per_operation: amount(5), per_day: amount(6) },
            terms: Limit { per_operation: amount(7), per_day: Amount::MAX },
        },
        created_at: after(0),
        version: 1,
    }
}

fn user(id: i64, login: &str) -> User {
    User {
        id: UserId::new(id),
        issuer: Some(ISSUER),
        merchant: None,
        store: None,
        login: login.to_owned(),
        name: "李伟 Li Wei".to_owned(),
        status: Status::Active,
        roles: vec![RoleId::new(1), RoleId::new(i64::MAX)],
        created_at: after(0),
        version: 1,
    }
}

fn session(id: i64, of: &User) -> Session {
    Session {
        id: SessionId::new(id),
        user: of.id,
        issuer: of.issuer,
        token_hash: [u8::try_from(id).expect("small"); 32],
        stage: SessionStage::Complete,
        address: Some("2001:db8::1".to_owned()),
        agent: None,
        created_at: after(0),
        last_seen_at: after(0),
        expires_at: after(1000),
        ended_at: None,
        provider: None,
    }
}

#[track_caller]
fn conflicts<T: std::fmt::Debug>(result: &crate::Result<T>, expect: &str) {
    assert!(
        matches!(result, Err(StorageError::Conflict { what }) if *what == expect),
        "expected a conflict on {expect}: {result:?}"
    );
}

/// Roles come back whole, change under their version, and have codes of their own within an issuer.
pub async fn roles_change_under_their_version(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let (built_in, own, others) =
        (role(1, None, "auditor"), role(20, Some(ISSUER), "clerk"), role(21, Some(OTHER_ISSUER), "clerk"));
    for role in [&built_in, &own, &others] {
        store.put_role(role).await.expect("stored");
    }
    assert_eq!(store.roles(None).await.expect("roles"), std::slice::from_ref(&built_in));
    assert_eq!(store.roles(Some(ISSUER)).await.expect("roles"), [built_in.clone(), own.clone()]);
    let mut found = store.roles_by_id(&[own.id, RoleId::new(99), others.id]).await.expect("roles");
    found.sort_by_key(|role| role.id);
    assert_eq!(found, [own.clone(), others]);
    conflicts(&store.put_role(&role(22, Some(ISSUER), "clerk")).await, "code");
    let next = Role {
        code: "teller".to_owned(),
        permissions: [Scope::Redeem].into(),
        limits: Limits::NONE,
        version: 2,
        ..own.clone()
    };
    store.put_role(&next).await.expect("changed");
    conflicts(&store.put_role(&next).await, "version");
    assert_eq!(store.roles_by_id(&[own.id]).await.expect("roles"), [next]);
}

/// Users come back whole, logins are unique, and taking rights ends sessions in the same transaction.
pub async fn users_change_under_their_version(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let (one, two) = (user(1, "one"), user(2, "two"));
    let platform = User { issuer: None, ..user(3, "platform") };
    let bound = User {
        merchant: Some(MerchantId::new(7)),
        store: Some(StoreId::new(8)),
        roles: Vec::new(),
        ..user(4, "bound")
    };
    for user in [&one, &two, &platform, &bound] {
        store.put_user(user, None).await.expect("stored");
        assert_eq!(store.user(user.id).await.expect("read").as_ref(), Some(user));
        assert_eq!(store.user_by_login(&user.login).await.expect("read").as_ref(), Some(user));
    }
    assert_eq!(store.user_by_login("nobody").await.expect("read"), None);
    conflicts(&store.put_user(&User { issuer: Some(OTHER_ISSUER), ..user(5, "one") }, None).await, "login");
    let page = store.users(UserFilter::default(), None, 3).await.expect("a page");
    assert_eq!((page.items.len(), page.next), (3, Some(3)));
    let of_issuer = UserFilter { issuer: Some(ISSUER), merchant: None };
    let page = store.users(of_issuer, Some(one.id), 10).await.expect("a page");
    assert_eq!((page.items, page.next), (vec![two.clone(), bound.clone()], None));
    let of_merchant = UserFilter { issuer: Some(ISSUER), merchant: Some(MerchantId::new(7)) };
    assert_eq!(store.users(of_merchant, None, 10).await.expect("a page").items, [bound]);

    store.open_session(&session(1, &one)).await.expect("opened");
    let next = User { status: Status::Closed, name: "x".to_owned(), version: 2, ..one.clone() };
    store.put_user(&next, Some(after(5))).await.expect("changed");
    let ended = store.session([1; 32]).await.expect("read").expect("there");
    assert_eq!(ended.ended_at, Some(after(5)));
    conflicts(&store.put_user(&next, Some(after(6))).await, "version");
    assert_eq!(store.user(one.id).await.expect("read"), Some(next));
}

/// A new password ends the other sessions.
pub async fn a_new_password_ends_other_sessions(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let (one, two) = (user(1, "one"), user(2, "two"));
    for user in [&one, &two] {
        store.put_user(user, None).await.expect("stored");
    }
    for session in [session(1, &one), session(2, &one), session(3, &two)] {
        store.open_session(&session).await.expect("opened");
    }
    assert_eq!(store.password(one.id).await.expect("read"), None);
    store.put_password(&one, "first", after(1), Some(SessionId::new(1))).await.expect("set");
    store.put_password(&one, "second", after(2), Some(SessionId::new(1))).await.expect("set");
    assert_eq!(store.password(one.id).await.expect("read").as_deref(), Some("second"));
    let live = async |user: &User| -> Vec<i64> {
        let live = store.live_sessions(user.id, after(3)).await.expect("sessions");
        live.iter().map(|session| session.id.get()).collect()
    };
    assert_eq!(live(&one).await, [1]);
    assert_eq!(live(&two).await, [3]);
    assert_eq!(store.end_sessions(two.id, SessionsOf::One(SessionId::new(1)), after(4)).await.expect("n"), 0);
    assert_eq!(live(&one).await, [1], "nobody ends a session of somebody else");
    assert_eq!(store.end_sessions(two.id, SessionsOf::All, after(4)).await.expect("n"), 1);
    assert_eq!(store.end_sessions(two.id, SessionsOf::All, after(5)).await.expect("n"), 0);
}

/// Sessions are found by their token, advance once, and are touched while they live.
pub async fn sessions_advance_once(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let owner = user(1, "one");
    store.put_user(&owner, None).await.expect("stored");
    let begun = Session { stage: SessionStage::SecondFactor, ..session(1, &owner) };
    store.open_session(&begun).await.expect("opened");
    assert_eq!(store.session([1; 32]).await.expect("read"), Some(begun.clone()));
    store.touch_session(begun.id, after(7)).await.expect("touched");
    store.touch_session(begun.id, after(6)).await.expect("not back");
    let read = store.session([1; 32]).await.expect("read").expect("there");
    assert_eq!(read.last_seen_at, after(7));
    let complete = Session {
        stage: SessionStage::Complete,
        token_hash: [9; 32],
        last_seen_at: after(8),
        expires_at: after(2000),
        ..read
    };
    assert!(store.advance_session(&complete).await.expect("advanced"));
    assert!(!store.advance_session(&complete).await.expect("not twice"));
    assert_eq!(store.session([1; 32]).await.expect("read"), None, "the old token opens nothing");
    assert_eq!(store.session([9; 32]).await.expect("read"), Some(complete));
    let other = Session { stage: SessionStage::Enrolment, ..session(2, &owner) };
    store.open_session(&other).await.expect("opened");
    store.end_sessions(owner.id, SessionsOf::Others(begun.id), after(9)).await.expect("ended");
    assert!(!store.advance_session(&other).await.expect("an ended one does not"));
    assert_eq!(store.forget_sessions(after(1500)).await.expect("forgotten"), 1);
    assert_eq!(store.session([2; 32]).await.expect("read"), None);
}

/// However many try at once, no more are let through than are allowed.
pub async fn tries_are_counted_before_they_are_judged(fresh: Fresh) {
    let allowance = Allowance {
        tries: 5,
        first_wait: Duration::from_secs(30),
        longest_wait: Duration::from_mins(15),
        forget: Duration::from_hours(1),
    };
    let (login, address) = (GuardKey([1; 16]), GuardKey([2; 16]));
    let wide = Allowance { tries: 1000, ..allowance };
    let mut trying = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let store = Arc::clone(&fresh.store);
        trying.spawn(async move {
            let keys = [(login, allowance), (address, wide)];
            store.begin_attempt(&keys, after(100)).await.expect("an answer").is_ok()
        });
    }
    let let_through = trying.join_all().await.into_iter().filter(|passed| *passed).count();
    assert_eq!(let_through, 5);
    let store = fresh.store.as_ref();
    let attempt = async |key, at| store.begin_attempt(&[(key, allowance)], at).await.expect("an answer");
    assert_eq!(attempt(login, after(129)).await, Err(after(130)));
    // The other key has only the five that were let through, not those that were refused.
    let narrow = Allowance { tries: 6, ..allowance };
    assert_eq!(store.begin_attempt(&[(address, narrow)], after(101)).await.expect("an answer"), Ok(()));
    assert_eq!(
        store.begin_attempt(&[(address, narrow)], after(102)).await.expect("an answer"),
        Err(after(131))
    );
    assert_eq!(attempt(login, after(130)).await, Ok(()));
    assert_eq!(attempt(login, after(131)).await, Err(after(190)));
    store.clear_attempts(login).await.expect("cleared");
    assert_eq!(attempt(login, after(131)).await, Ok(()));
}

/// A try that succeeded is taken back with the wait that it brought, and only that one.
pub async fn a_try_that_succeeded_is_taken_back(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let allowance = Allowance {
        tries: 3,
        first_wait: Duration::from_secs(30),
        longest_wait: Duration::from_mins(15),
        forget: Duration::from_hours(1),
    };
    let address = GuardKey([3; 16]);
    let attempt =
        async |at| store.begin_attempt(&[(address, allowance)], after(at)).await.expect("an answer");
    // A company whose people sign in all day is never kept waiting.
    for at in 100..110 {
        assert_eq!(attempt(at).await, Ok(()));
        store.forgive_attempt(address).await.expect("taken back");
    }
    // What fails between them is counted all the same.
    for at in 110..113 {
        assert_eq!(attempt(at).await, Ok(()));
    }
    assert_eq!(attempt(113).await, Err(after(142)));
    store.forgive_attempt(address).await.expect("taken back");
    assert_eq!(attempt(114).await, Ok(()));
    assert_eq!(attempt(115).await, Err(after(144)));
    // There is nothing to take back from a key without tries.
    store.forgive_attempt(GuardKey([4; 16])).await.expect("nothing to do");
}

/// A time step and a recovery code are good once, and a generator is confirmed once.
pub async fn codes_are_good_once(fresh: Fresh) {
    let owner = user(1, "one");
    let id = owner.id;
    let store = fresh.store.as_ref();
    store.put_user(&owner, None).await.expect("stored");
    let totp = |sealed: u8| StoredTotp {
        user: id,
        issuer: owner.issuer,
        key_id: 3,
        sealed: vec![sealed; 40],
        confirmed: false,
        last_step: 0,
    };
    store.begin_totp(&totp(1)).await.expect("begun");
    store.begin_totp(&totp(2)).await.expect("begun again");
    assert_eq!(store.totp(id).await.expect("read"), Some(totp(2)));
    assert!(!store.use_totp_step(id, 5).await.expect("not confirmed"));
    let codes: Vec<_> = (0..10).map(|n| RecoveryCode { key_id: 3, digest: [n; 16] }).collect();
    let confirmed = |sealed| StoredTotp { last_step: 10, ..totp(sealed) };
    assert!(!store.confirm_totp(&confirmed(1), &codes).await.expect("another secret"));
    assert!(store.confirm_totp(&confirmed(2), &codes).await.expect("confirmed"));
    assert!(!store.confirm_totp(&confirmed(2), &codes).await.expect("not twice"));
    conflicts(&store.begin_totp(&totp(4)).await, "totp");
    assert_eq!(store.recovery_codes(id).await.expect("codes"), codes);
    assert_eq!(store.key_ids_in_use().await.expect("keys"), [3]);
    assert!(!store.use_totp_step(id, 10).await.expect("used when it was confirmed"));
    let once = async |attempts: usize, work: &dyn Fn() -> tokio::task::JoinHandle<bool>| {
        let mut done = 0;
        let running: Vec<_> = (0..attempts).map(|_| work()).collect();
        for handle in running {
            done += usize::from(handle.await.expect("a task"));
        }
        done
    };
    let shared = Arc::clone(&fresh.store);
    let step = || {
        let store = Arc::clone(&shared);
        tokio::spawn(async move { store.use_totp_step(id, 11).await.expect("an answer") })
    };
    assert_eq!(once(8, &step).await, 1);
    let code = || {
        let store = Arc::clone(&shared);
        let code = RecoveryCode { key_id: 3, digest: [4; 16] };
        tokio::spawn(async move { store.use_recovery_code(id, code).await.expect("an answer") })
    };
    assert_eq!(once(8, &code).await, 1);
    assert_eq!(store.recovery_codes(id).await.expect("codes").len(), 9);
    store.remove_totp(id).await.expect("removed");
    assert_eq!(store.totp(id).await.expect("read"), None);
    assert!(store.recovery_codes(id).await.expect("codes").is_empty());
}

fn invitation(id: i64, login: &str) -> Invitation {
    Invitation {
        id: InvitationId::new(id),
        issuer: Some(ISSUER),
        merchant: Some(MerchantId::new(7)),
        store: None,
        login: login.to_owned(),
        name: "新人".to_owned(),
        roles: vec![RoleId::new(1)],
        token_hash: [u8::try_from(id).expect("small"); 32],
        invited_by: Some(ClientId::new(3)),
        created_at: after(0),
        expires_at: after(100),
        accepted: None,
        withdrawn_at: None,
    }
}

/// An invitation makes one user, however often it is accepted at once.
pub async fn invitations_are_accepted_once(fresh: Fresh) {
    let store = fresh.store.as_ref();
    for (id, login) in [(1, "one"), (2, "two"), (3, "one")] {
        store.invite(&invitation(id, login)).await.expect("invited");
    }
    let mut accepting = tokio::task::JoinSet::new();
    for n in 0..8 {
        let store = Arc::clone(&fresh.store);
        accepting.spawn(async move {
            store.accept_invitation(InvitationId::new(1), &user(10 + n, "one"), "hash").await.is_ok()
        });
    }
    assert_eq!(accepting.join_all().await.into_iter().filter(|done| *done).count(), 1);
    let made = store.user_by_login("one").await.expect("read").expect("a user");
    let read = store.invitation([1; 32]).await.expect("read").expect("there");
    assert_eq!(read, Invitation { accepted: Some((after(0), made.id)), ..invitation(1, "one") });
    assert_eq!(store.password(made.id).await.expect("read").as_deref(), Some("hash"));
    conflicts(&store.accept_invitation(InvitationId::new(3), &user(30, "one"), "hash").await, "login");
    assert_eq!(store.invitation([3; 32]).await.expect("read").expect("there").accepted, None);
    assert!(store.withdraw_invitation(InvitationId::new(2), after(5)).await.expect("withdrawn"));
    assert!(!store.withdraw_invitation(InvitationId::new(1), after(5)).await.expect("accepted"));
    conflicts(&store.accept_invitation(InvitationId::new(2), &user(31, "two"), "hash").await, "invitation");
    let page = store.invitations(Some(ISSUER), None, 2).await.expect("a page");
    assert_eq!(page.items.iter().map(|i| i.id.get()).collect::<Vec<_>>(), [3, 2]);
    let page = store.invitations(None, page.next.map(InvitationId::new), 2).await.expect("a page");
    assert_eq!((page.items.len(), page.next), (1, None));
}

fn event(id: i64, issuer: Option<domain::IssuerId>, user: Option<i64>, action: &str) -> AuditEvent {
    AuditEvent {
        id: AuditEventId::new(domain::ids::floor_of(after(id))),
        issuer,
        user: user.map(UserId::new),
        session: None,
        at: after(id),
        address: Some("192.0.2.1".to_owned()),
        action: action.to_owned(),
        object: None,
        status: 201,
        code: None,
        request_id: Some("req_1".to_owned()),
    }
}

/// The trail is listed by issuer, user, action and time, and only grows.
pub async fn the_trail_is_filtered_and_paged(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let all = [
        event(1, Some(ISSUER), Some(1), "a"),
        event(2, Some(ISSUER), Some(2), "b"),
        event(3, Some(OTHER_ISSUER), Some(3), "a"),
        event(4, None, None, "a"),
        event(5, Some(ISSUER), Some(1), "b"),
        event(6, Some(ISSUER), None, "a"),
    ];
    store.append_audit(&all).await.expect("appended");
    let own = AuditFilter { issuer: Some(ISSUER), ..AuditFilter::default() };
    let check = async |filter: AuditFilter, expect: &[i64]| {
        let mut found: Vec<AuditEvent> = Vec::new();
        let mut before = None;
        loop {
            let page = store.audit_events(&filter, before, 2).await.expect("a page");
            found.extend(page.items);
            before = page.next.map(AuditEventId::new);
            if before.is_none() {
                break;
            }
        }
        let seconds: Vec<Timestamp> = found.iter().map(|event| event.at).collect();
        assert_eq!(seconds, expect.iter().map(|n| after(*n)).collect::<Vec<_>>(), "{filter:?}");
        assert!(found.iter().all(|event| all.contains(event)));
    };
    check(own.clone(), &[6, 5, 2, 1]).await;
    check(AuditFilter::default(), &[4]).await;
    check(AuditFilter { user: Some(UserId::new(1)), ..own.clone() }, &[5, 1]).await;
    check(AuditFilter { user: Some(UserId::new(3)), ..own.clone() }, &[]).await;
    check(AuditFilter { action: Some("b".to_owned()), ..own.clone() }, &[5, 2]).await;
    check(AuditFilter { from: Some(after(2)), to: Some(after(6)), ..own.clone() }, &[5, 2]).await;
    assert!(store.append_audit(&all[..1]).await.is_err(), "an id is used once");
}

/// Views belong to their user, with names of their own, up to a number.
pub async fn views_belong_to_their_user(fresh: Fresh) {
    let store = fresh.store.as_ref();
    for (id, login) in [(1, "one"), (2, "two")] {
        store.put_user(&user(id, login), None).await.expect("stored");
    }
    let view = |id: i64, of: i64, page: &str, name: &str| SavedView {
        id: ViewId::new(id),
        user: UserId::new(of),
        issuer: Some(ISSUER),
        name: name.to_owned(),
        page: page.to_owned(),
        query: "kind=refund&昨天".to_owned(),
        created_at: after(0),
    };
    store.save_view(&view(1, 1, "operations", "a"), 2).await.expect("saved");
    conflicts(&store.save_view(&view(2, 1, "operations", "a"), 2).await, "name");
    store.save_view(&view(3, 1, "cards", "a"), 2).await.expect("saved");
    conflicts(&store.save_view(&view(4, 1, "cards", "b"), 2).await, "views");
    store.save_view(&view(5, 2, "cards", "b"), 2).await.expect("another's");
    let own = store.views(UserId::new(1)).await.expect("views");
    assert_eq!(own, [view(1, 1, "operations", "a"), view(3, 1, "cards", "a")]);
    assert!(!store.delete_view(UserId::new(2), ViewId::new(1)).await.expect("not his"));
    assert!(store.delete_view(UserId::new(1), ViewId::new(1)).await.expect("deleted"));
    assert!(!store.delete_view(UserId::new(1), ViewId::new(1)).await.expect("gone"));
}

/// One of everything that is kept of people.
pub(super) async fn populate(store: &dyn crate::Store) {
    let owner = user(1, "one");
    store.put_role(&role(1, None, "auditor")).await.expect("a role");
    store.put_role(&role(20, Some(ISSUER), "clerk")).await.expect("a role");
    store.put_user(&owner, None).await.expect("a user");
    store.put_password(&owner, "hash", after(1), None).await.expect("a password");
    let totp = StoredTotp {
        user: owner.id,
        issuer: owner.issuer,
        key_id: 3,
        sealed: vec![9; 40],
        confirmed: false,
        last_step: 0,
    };
    store.begin_totp(&totp).await.expect("begun");
    let codes = [RecoveryCode { key_id: 3, digest: [5; 16] }, RecoveryCode { key_id: 3, digest: [6; 16] }];
    assert!(store.confirm_totp(&StoredTotp { last_step: 77, ..totp }, &codes).await.expect("confirmed"));
    store.open_session(&session(1, &owner)).await.expect("a session");
    store.invite(&invitation(1, "two")).await.expect("an invitation");
    store
        .append_audit(&[event(1, Some(ISSUER), Some(1), "a"), event(2, None, None, "b")])
        .await
        .expect("events");
    let view = SavedView {
        id: ViewId::new(1),
        user: owner.id,
        issuer: owner.issuer,
        name: "昨天".to_owned(),
        page: "operations".to_owned(),
        query: String::new(),
        created_at: after(0),
    };
    store.save_view(&view, 50).await.expect("a view");
}
