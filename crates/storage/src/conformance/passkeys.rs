//! Passkeys: what is written comes back, a challenge is answered once, counters only grow, and the last passkey
//! stays where it is to be kept, however many try at the same time.

use std::sync::Arc;

use domain::{PasskeyId, UserId};

use super::{
    Fresh,
    world::{ISSUER, after},
};
use crate::{AnsweredChallenge, Passkey, PasskeyRemoval, PasskeyUse, StorageError, Store};

fn passkey(id: i64, user: i64) -> Passkey {
    Passkey {
        id: PasskeyId::new(id),
        user: UserId::new(user),
        issuer: Some(ISSUER),
        name: "办公室 office".to_owned(),
        rp_id: "cards.example.com".to_owned(),
        credential: vec![u8::try_from(id).expect("small"); 32],
        public_key: vec![0, 255, 7],
        counter: 0,
        created_at: after(id),
        last_used_at: None,
    }
}

fn challenge(number: u8) -> AnsweredChallenge {
    AnsweredChallenge { hash: [number; 32], expires_at: after(i64::from(number)) }
}

#[track_caller]
fn conflicts(result: &crate::Result<()>, expect: &str) {
    assert!(
        matches!(result, Err(StorageError::Conflict { what }) if *what == expect),
        "expected a conflict on {expect}: {result:?}"
    );
}

/// A row of each kind.
pub(super) async fn populate(store: &dyn Store) {
    store.add_passkey(&passkey(1, 1), challenge(200), 10).await.expect("a passkey");
    let platform = Passkey { issuer: None, counter: u32::MAX - 1, ..passkey(2, 2) };
    store.add_passkey(&platform, challenge(201), 10).await.expect("a passkey");
    let used = store.use_passkey(platform.id, challenge(202), u32::MAX, after(9)).await.expect("used");
    assert_eq!(used, PasskeyUse::Noted);
}

/// Passkeys come back whole, are bounded and unique, and refusals leave no trace.
pub async fn passkeys_round_trip(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let (one, two) = (passkey(1, 1), Passkey { counter: u32::MAX, issuer: None, ..passkey(2, 1) });
    store.add_passkey(&one, challenge(1), 2).await.expect("added");
    conflicts(&store.add_passkey(&two, challenge(1), 2).await, "challenge");
    let same = Passkey { credential: one.credential.clone(), ..passkey(3, 7) };
    conflicts(&store.add_passkey(&same, challenge(2), 2).await, "credential");
    store.add_passkey(&two, challenge(2), 2).await.expect("the challenge was not used up");
    conflicts(&store.add_passkey(&passkey(4, 1), challenge(3), 2).await, "passkeys");
    store.add_passkey(&passkey(5, 9), challenge(3), 2).await.expect("somebody else has room");
    assert_eq!(store.passkeys(UserId::new(1)).await.expect("read"), [one.clone(), two.clone()]);
    let found = store.passkey_by_credential(&two.credential).await.expect("read");
    assert_eq!(found, Some(two));
    assert_eq!(store.passkey_by_credential(b"?").await.expect("read"), None);
    store.remove_passkeys(UserId::new(1)).await.expect("removed");
    assert_eq!(store.passkeys(UserId::new(1)).await.expect("read"), []);
    assert_eq!(store.passkeys(UserId::new(9)).await.expect("read").len(), 1);
}

/// A challenge is answered once, of any number at the same time, and counters only grow.
pub async fn passkeys_are_used_in_order(fresh: Fresh) {
    let store = Arc::clone(&fresh.store);
    store.add_passkey(&passkey(1, 1), challenge(1), 9).await.expect("added");
    let uses: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                store.use_passkey(PasskeyId::new(1), challenge(9), 0, after(3)).await.expect("an answer")
            })
        })
        .collect();
    let mut noted = 0;
    for used in uses {
        match used.await.expect("ran") {
            PasskeyUse::Noted => noted += 1,
            other => assert_eq!(other, PasskeyUse::Replayed),
        }
    }
    assert_eq!(noted, 1);
    for (id, number, counter, expect) in [
        (1, 10, 0, PasskeyUse::Noted),
        (1, 11, 5, PasskeyUse::Noted),
        (1, 12, 5, PasskeyUse::CountedBack),
        (1, 12, 4, PasskeyUse::CountedBack),
        (1, 12, 0, PasskeyUse::CountedBack),
        (1, 12, 6, PasskeyUse::Noted),
        (1, 12, 7, PasskeyUse::Replayed),
        (2, 13, 7, PasskeyUse::Gone),
    ] {
        let answered = store.use_passkey(PasskeyId::new(id), challenge(number), counter, after(4)).await;
        assert_eq!(answered.expect("an answer"), expect, "{number} {counter}");
    }
    let stored = store.passkeys(UserId::new(1)).await.expect("read").remove(0);
    assert_eq!((stored.counter, stored.last_used_at), (6, Some(after(4))));
    assert_eq!(store.forget_challenges(after(9)).await.expect("forgotten"), 2, "of 1, 9, 10, 11 and 12");
    let again = store.use_passkey(PasskeyId::new(1), challenge(12), 8, after(5)).await.expect("an answer");
    assert_eq!(again, PasskeyUse::Replayed, "it has not ended yet");
}

/// The last one stays where it is to be kept, also when two are removed at once.
pub async fn the_last_passkey_is_kept(fresh: Fresh) {
    let store = Arc::clone(&fresh.store);
    let user = UserId::new(1);
    for id in 1..=2 {
        let number = u8::try_from(id).expect("small");
        store.add_passkey(&passkey(id, 1), challenge(number), 9).await.expect("added");
    }
    let unknown = store.remove_passkey(UserId::new(2), PasskeyId::new(1), true).await.expect("an answer");
    assert_eq!(unknown, PasskeyRemoval::Unknown, "somebody else's");
    let removals: Vec<_> = (1..=2)
        .map(|id| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                store.remove_passkey(user, PasskeyId::new(id), false).await.expect("an answer")
            })
        })
        .collect();
    let mut removed = 0;
    for removal in removals {
        match removal.await.expect("ran") {
            PasskeyRemoval::Removed => removed += 1,
            other => assert_eq!(other, PasskeyRemoval::Last),
        }
    }
    assert_eq!(removed, 1);
    let left = store.passkeys(user).await.expect("read").remove(0);
    let last = store.remove_passkey(user, left.id, true).await.expect("an answer");
    assert_eq!(last, PasskeyRemoval::Removed);
    assert_eq!(store.passkeys(user).await.expect("read"), []);
}
