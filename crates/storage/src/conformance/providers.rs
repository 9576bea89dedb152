//! Identity providers: what is written comes back, a sign-in is taken once, and what a provider let in ends with it.

use domain::{IdentityProviderId, SessionId, Timestamp, UserId, program::Status};

use super::{
    Fresh,
    world::{ISSUER, OTHER_ISSUER, after},
};
use crate::{
    GuardKey, IdentityProvider, LinkedIdentity, ProviderChangeEffect, Sealed, Session, SessionStage,
    SignInFlow, SignInPage, StorageError, Store, User,
};

const MOST: usize = 3;

fn provider(id: i64) -> IdentityProvider {
    IdentityProvider {
        id: IdentityProviderId::new(id),
        issuer: Some(ISSUER),
        name: "华东集团 Huadong".to_owned(),
        issuer_url: "https://id.example.com/realms/main".to_owned(),
        client_id: "hexiao".to_owned(),
        secret: Sealed { key_id: 1, bytes: vec![7; 40] },
        trusted_second_factor: true,
        status: Status::Active,
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
        name: "Somebody".to_owned(),
        status: Status::Active,
        roles: Vec::new(),
        created_at: after(0),
        version: 1,
    }
}

fn linked(provider: i64, user: i64, subject: &str) -> LinkedIdentity {
    LinkedIdentity {
        provider: IdentityProviderId::new(provider),
        subject: subject.to_owned(),
        user: UserId::new(user),
        issuer: Some(ISSUER),
        linked_at: after(1),
    }
}

fn session(id: i64, user: i64, provider: Option<i64>) -> Session {
    Session {
        id: SessionId::new(id),
        user: UserId::new(user),
        issuer: Some(ISSUER),
        token_hash: [u8::try_from(id).expect("small"); 32],
        stage: SessionStage::Complete,
        address: None,
        agent: None,
        created_at: after(1),
        last_seen_at: after(1),
        expires_at: after(1000),
        ended_at: None,
        provider: provider.map(IdentityProviderId::new),
    }
}

fn flow(state: u8, from: u8, expires_at: Timestamp) -> SignInFlow {
    SignInFlow {
        state_hash: [state; 32],
        provider: IdentityProviderId::new(1),
        issuer: Some(ISSUER),
        subject: GuardKey([from; 16]),
        page: SignInPage::Till,
        expires_at,
    }
}

#[track_caller]
fn conflicts<T: std::fmt::Debug>(result: &crate::Result<T>, expect: &str) {
    assert!(
        matches!(result, Err(StorageError::Conflict { what }) if *what == expect),
        "expected a conflict on {expect}: {result:?}"
    );
}

/// Providers come back whole, change under their version, and are so many at most.
pub async fn identity_providers_change_under_their_version(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let (one, two) = (provider(1), provider(2));
    let foreign = IdentityProvider { issuer: Some(OTHER_ISSUER), ..provider(3) };
    let of_platform = IdentityProvider { issuer: None, trusted_second_factor: false, ..provider(4) };
    for provider in [&one, &two, &foreign, &of_platform] {
        store.put_provider(provider, ProviderChangeEffect::Keeps, MOST).await.expect("stored");
        assert_eq!(store.provider(provider.id).await.expect("read").as_ref(), Some(provider));
    }
    assert_eq!(store.providers(Some(ISSUER)).await.expect("a list"), [one.clone(), two.clone()]);
    assert_eq!(store.providers(None).await.expect("a list"), std::slice::from_ref(&of_platform));
    conflicts(&store.put_provider(&one, ProviderChangeEffect::Keeps, MOST).await, "version");
    store.put_provider(&provider(5), ProviderChangeEffect::Keeps, MOST).await.expect("room for a third");
    conflicts(&store.put_provider(&provider(6), ProviderChangeEffect::Keeps, MOST).await, "providers");
    let next = IdentityProvider {
        name: "Other".to_owned(),
        issuer_url: "https://other.example.com".to_owned(),
        client_id: "another".to_owned(),
        secret: Sealed { key_id: 1, bytes: vec![8; 41] },
        trusted_second_factor: false,
        status: Status::Closed,
        version: 2,
        ..one.clone()
    };
    store.put_provider(&next, ProviderChangeEffect::Keeps, MOST).await.expect("changed");
    conflicts(&store.put_provider(&next, ProviderChangeEffect::Keeps, MOST).await, "version");
    assert_eq!(store.provider(one.id).await.expect("read"), Some(next));
}

/// One subject is one person, and what a provider let in ends with the link, the provider, or what it was.
pub async fn sessions_end_with_what_let_them_in(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let of = provider(1);
    store.put_provider(&of, ProviderChangeEffect::Keeps, MOST).await.expect("stored");
    for (id, login) in [(1, "one"), (2, "two"), (3, "three")] {
        store.put_user(&user(id, login), None).await.expect("stored");
    }
    store.link(&linked(1, 1, "s-1")).await.expect("linked");
    store.link(&linked(1, 2, "s-2")).await.expect("linked");
    conflicts(&store.link(&linked(1, 3, "s-1")).await, "identity");
    conflicts(&store.link(&linked(1, 2, "s-9")).await, "identity");
    assert_eq!(store.identity(of.id, "s-1").await.expect("read"), Some(linked(1, 1, "s-1")));
    assert_eq!(store.identity(of.id, "S-1").await.expect("read"), None);
    let first = store.identities(of.id, None, 1).await.expect("a page");
    assert_eq!((first.items, first.next), (vec![linked(1, 1, "s-1")], Some(1)));
    let second = store.identities(of.id, Some(UserId::new(1)), 1).await.expect("a page");
    assert_eq!((second.items, second.next), (vec![linked(1, 2, "s-2")], None));

    store.open_session(&session(1, 1, Some(1))).await.expect("let in");
    store.open_session(&session(2, 1, None)).await.expect("a password");
    store.open_session(&session(3, 2, Some(1))).await.expect("let in");
    let read = store.session([1; 32]).await.expect("read").expect("there");
    assert_eq!(read, session(1, 1, Some(1)));
    conflicts(&store.open_session(&session(4, 3, Some(1))).await, "provider");
    assert!(store.unlink(of.id, UserId::new(1), after(5)).await.expect("unlinked"));
    assert!(!store.unlink(of.id, UserId::new(1), after(5)).await.expect("not twice"));
    assert_eq!(live(store, 1).await, [2]);
    assert_eq!(live(store, 2).await, [3]);
    conflicts(&store.open_session(&session(5, 1, Some(1))).await, "provider");

    let closed = IdentityProvider { status: Status::Closed, version: 2, ..of.clone() };
    store.put_provider(&closed, ProviderChangeEffect::EndsSessions(after(6)), MOST).await.expect("closed");
    assert!(live(store, 2).await.is_empty());
    assert!(store.identity(of.id, "s-2").await.expect("read").is_some());
    conflicts(&store.open_session(&session(6, 2, Some(1))).await, "provider");
    let another = IdentityProvider { status: Status::Active, version: 3, ..of.clone() };
    store.put_provider(&another, ProviderChangeEffect::Unlinks(after(7)), MOST).await.expect("changed");
    assert_eq!(store.identity(of.id, "s-2").await.expect("read"), None);
}

async fn live(store: &dyn Store, user: i64) -> Vec<i64> {
    let found = store.live_sessions(UserId::new(user), after(9)).await.expect("a list");
    found.iter().map(|session| session.id.get()).collect()
}

/// A sign-in is taken once, also by many at once, and not when it has run out; those on their way are so many at most.
pub async fn sign_ins_are_taken_once(fresh: Fresh) {
    let store = &fresh.store;
    let begin = async |flow: &SignInFlow, now| store.begin_flow(flow, now, 2, 3).await.expect("answered");
    assert!(begin(&flow(1, 1, after(10)), after(0)).await);
    assert!(begin(&flow(2, 1, after(20)), after(0)).await);
    assert!(!begin(&flow(3, 1, after(20)), after(0)).await, "no room for this address");
    assert!(begin(&flow(4, 2, after(20)), after(0)).await);
    assert!(!begin(&flow(5, 3, after(20)), after(0)).await, "no room at all");
    assert!(begin(&flow(6, 3, after(30)), after(10)).await, "what ran out makes room");
    assert_eq!(store.take_flow([1; 32], after(0)).await.expect("answered"), None);
    assert_eq!(store.take_flow([4; 32], after(20)).await.expect("answered"), None, "it ran out");
    let takers = (0..8).map(|_| {
        let store = fresh.store.clone();
        tokio::spawn(async move { store.take_flow([2; 32], after(19)).await.expect("answered") })
    });
    let mut taken = Vec::new();
    for taker in takers.collect::<Vec<_>>() {
        taken.extend(taker.await.expect("it ran"));
    }
    assert_eq!(taken, [flow(2, 1, after(20))]);
}

/// Secrets of providers come under another key, and the key is known to be in use.
pub async fn secrets_of_providers_are_resealed(fresh: Fresh) {
    let store = fresh.store.as_ref();
    for id in [1, 2] {
        store.put_provider(&provider(id), ProviderChangeEffect::Keeps, MOST).await.expect("stored");
    }
    assert!(store.key_ids_in_use().await.expect("ids").contains(&1));
    let page = store.providers_not_under(2, None, 1).await.expect("a page");
    assert_eq!(page, [provider(1)]);
    let rest = store.providers_not_under(2, Some(page[0].id), 9).await.expect("a page");
    assert_eq!(rest, [provider(2)]);
    let fresh = Sealed { key_id: 2, bytes: vec![9; 44] };
    let both = [provider(1), provider(2)].map(|provider| (provider.id, fresh.clone()));
    store.reseal_providers(&both).await.expect("sealed");
    assert!(store.providers_not_under(2, None, 9).await.expect("a page").is_empty());
    assert!(!store.key_ids_in_use().await.expect("ids").contains(&1));
    let read = store.provider(provider(1).id).await.expect("read").expect("there");
    assert_eq!(read, IdentityProvider { secret: fresh, ..provider(1) });
}

/// Some of everything, for tests that carry all of it elsewhere.
pub(super) async fn populate(store: &dyn Store) {
    for id in [701, 702] {
        store.put_provider(&provider(id), ProviderChangeEffect::Keeps, MOST).await.expect("stored");
    }
    store.link(&linked(701, 711, "subject 东")).await.expect("linked");
    let closed = IdentityProvider { status: Status::Closed, version: 2, ..provider(702) };
    store.put_provider(&closed, ProviderChangeEffect::Keeps, MOST).await.expect("closed");
}
