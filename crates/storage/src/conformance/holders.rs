//! Card holders: sign-in codes are bounded, codes are used once, gifts take one step at a time.

use domain::{CardId, ClientId, DeviceId, GiftId, HolderId, OperationId};

use super::{
    Fresh,
    world::{ISSUER, OTHER_ISSUER, after, sealed},
};
use crate::{
    CodeUse, Device, Gift, GiftState, HeldCard, Holder, HolderPurge, HolderSession, LoginCode, LoginLimits,
    OutboxMessage, PhoneIndex, RekeyedPhone, StorageError, Store,
};

const LIMITS: LoginLimits = LoginLimits { seconds_between: 60, per_hour: 3, per_day: 4, attempts: 5 };

fn holder(id: i64, phone: u8) -> Holder {
    Holder {
        id: HolderId::new(id),
        issuer: ISSUER,
        phone_index: PhoneIndex([phone; 16]),
        index_key_id: 1,
        phone: sealed(1, &format!("phone {phone}")),
        last4: "0001".to_owned(),
        created_at: after(id),
    }
}

fn login(phone: u8, at: i64) -> LoginCode {
    LoginCode {
        issuer: ISSUER,
        phone: PhoneIndex([phone; 16]),
        digest: (1, [u8::try_from(at % 200).expect("small"); 16]),
        sent_at: after(at),
        expires_at: after(at + 300),
    }
}

fn device(id: i64, tag: u32) -> Device {
    Device {
        id: DeviceId::new(id),
        issuer: ISSUER,
        holder: HolderId::new(1),
        card: CardId::new(11),
        tag,
        secret: sealed(1, &format!("secret {id}")),
        created_at: after(id),
        revoked_at: None,
    }
}

fn used(device: i64, step: i64, key: u8) -> CodeUse {
    CodeUse {
        device: DeviceId::new(device),
        step,
        issuer: ISSUER,
        client: ClientId::new(7),
        key: [key; 32],
        used_at: after(step),
    }
}

fn gift(id: i64, card: i64) -> Gift {
    Gift {
        id: GiftId::new(id),
        issuer: ISSUER,
        card: CardId::new(card),
        giver: HolderId::new(1),
        receiver: HolderId::new(2),
        state: GiftState::Pending,
        created_at: after(id),
        expires_at: after(1_000 + id),
        decided_at: None,
        operation: None,
        version: 1,
    }
}

/// A row of each kind that is kept.
pub(super) async fn populate(store: &dyn Store) {
    store.add_holder(&holder(1, 1)).await.expect("a holder");
    store.add_holder(&holder(2, 2)).await.expect("a holder");
    let held = HeldCard {
        holder: HolderId::new(1),
        card: CardId::new(11),
        issuer: ISSUER,
        since: OperationId::new(3),
        added_at: after(3),
    };
    store.put_held_card(&held).await.expect("a card");
    store.add_device(&device(1, 10), 3).await.expect("a device");
    store.add_device(&device(2, 99_999_999), 1).await.expect("a device that revokes the first");
    store.use_codes(&[used(1, 5, 1), used(2, 6, 2)]).await.expect("codes");
    store.add_gift(&gift(1, 11)).await.expect("a gift");
    let declined = Gift { state: GiftState::Declined, decided_at: Some(after(9)), version: 2, ..gift(1, 11) };
    store.change_gift(&declined).await.expect("declined");
    store.add_gift(&gift(2, 11)).await.expect("a gift");
}

fn is_conflict<T: std::fmt::Debug>(done: &crate::Result<T>, what: &str) {
    assert!(matches!(done, Err(StorageError::Conflict { what: found }) if *found == what), "{done:?}");
}

/// Codes by minute, hour and day; attempts by five, however many come at once; and one success.
pub async fn sign_in_codes_are_bounded(fresh: Fresh) {
    let store = &fresh.store;
    // The clock of these tests begins at some hour; count from the next one.
    let hour = 3_600 - after(0).micros() / 1_000_000 % 3_600;
    for (at, sent) in
        [(0, true), (59, false), (60, true), (180, true), (600, false), (3_600, true), (7_300, false)]
    {
        let code = login(1, hour + at);
        assert_eq!(store.put_login_code(&code, &LIMITS).await.expect("asked"), sent, "after {at} seconds");
    }
    let code = login(1, hour + 3 * 86_400);
    assert!(store.put_login_code(&code, &LIMITS).await.expect("another day"));
    let phones = [PhoneIndex([9; 16]), code.phone];
    assert_eq!(store.take_login_attempt(OTHER_ISSUER, &phones, code.sent_at).await.expect("asked"), None);
    assert_eq!(store.take_login_attempt(ISSUER, &phones, code.expires_at).await.expect("asked"), None);
    let tries = (0..20).map(|_| {
        let (store, at) = (std::sync::Arc::clone(store), code.sent_at);
        tokio::spawn(async move { store.take_login_attempt(ISSUER, &phones, at).await.expect("asked") })
    });
    let mut taken = Vec::new();
    for task in tries.collect::<Vec<_>>() {
        taken.extend(task.await.expect("ended"));
    }
    assert_eq!(taken.len(), 5, "of any number at once");
    assert!(taken.iter().all(|attempt| (attempt.phone, attempt.digest) == (code.phone, code.digest)));
    let uses = taken.iter().map(|attempt| {
        let (store, attempt) = (std::sync::Arc::clone(store), *attempt);
        tokio::spawn(async move { store.use_login_code(ISSUER, &attempt).await.expect("asked") })
    });
    let mut successes = 0;
    for task in uses.collect::<Vec<_>>() {
        successes += u32::from(task.await.expect("ended"));
    }
    assert_eq!(successes, 1);
    // Whoever has used one may have the next at once, but not one more.
    for (later, sent) in [(5, true), (6, false)] {
        let next = login(1, hour + 3 * 86_400 + later);
        assert_eq!(store.put_login_code(&next, &LIMITS).await.expect("asked"), sent, "{later} seconds later");
    }
}

/// Holders, messages, sessions and cards come back as they were written, and end when they should.
pub async fn holders_round_trip(fresh: Fresh) {
    let store = &fresh.store;
    let one = holder(1, 1);
    store.add_holder(&one).await.expect("added");
    is_conflict(&store.add_holder(&holder(2, 1)).await, "phone");
    store.add_holder(&holder(2, 2)).await.expect("added");
    store.add_holder(&Holder { issuer: OTHER_ISSUER, ..holder(3, 1) }).await.expect("of another issuer");
    let phones = [PhoneIndex([8; 16]), one.phone_index];
    assert_eq!(store.holder_by_phone(ISSUER, &phones).await.expect("found"), Some(one.clone()));
    assert_eq!(store.holder_by_phone(ISSUER, &phones[..1]).await.expect("none"), None);
    assert_eq!(store.holders(&[one.id, HolderId::new(99)]).await.expect("found"), std::slice::from_ref(&one));
    let message = OutboxMessage {
        id: 5,
        issuer: ISSUER,
        phone: one.phone_index,
        body: sealed(1, "123456"),
        created_at: after(1),
        expires_at: after(301),
        due_at: None,
        attempts: 0,
    };
    store.put_message(&message).await.expect("kept");
    assert_eq!(store.messages(ISSUER, &phones, after(300), 9).await.expect("found"), [message]);
    assert_eq!(store.messages(ISSUER, &phones, after(301), 9).await.expect("ended"), []);
    for n in 1..=4_u8 {
        let session = HolderSession {
            hash: [n; 32],
            holder: one.id,
            issuer: ISSUER,
            created_at: after(n.into()),
            idle_until: after(100),
            expires_at: after(1_000),
        };
        store.add_holder_session(&session, 3).await.expect("begun");
    }
    assert_eq!(store.holder_session(&[1; 32]).await.expect("asked"), None, "the oldest made room");
    store.extend_holder_session(&[2; 32], after(200)).await.expect("moved");
    let session = store.holder_session(&[2; 32]).await.expect("asked").expect("a session");
    assert_eq!((session.holder, session.idle_until), (one.id, after(200)));
    store.end_holder_session(&[2; 32]).await.expect("ended");
    assert_eq!(store.holder_session(&[2; 32]).await.expect("asked"), None);
    let card = |card: i64, at: i64| HeldCard {
        holder: one.id,
        card: CardId::new(card),
        issuer: ISSUER,
        since: OperationId::new(at),
        added_at: after(at),
    };
    for held in [card(11, 1), card(12, 2), card(11, 3)] {
        store.put_held_card(&held).await.expect("kept");
    }
    assert_eq!(store.held_cards(one.id, 9).await.expect("found"), [card(11, 3), card(12, 2)]);
    store.remove_held_card(one.id, CardId::new(12)).await.expect("gone");
    assert_eq!(store.held_cards(one.id, 9).await.expect("found"), [card(11, 3)]);
    let purge =
        HolderPurge { ended_before: after(301), counted_before: after(0), used_before: after(0), limit: 100 };
    assert_eq!(store.purge_holders(&purge).await.expect("purged"), 2, "two sessions that lay idle");
}

/// A tag is one live device's, a few devices are live, and a code is whoever's used it first.
pub async fn payment_codes_are_used_once(fresh: Fresh) {
    let store = &fresh.store;
    for (id, tag) in [(1, 10), (2, 20), (3, 30)] {
        store.add_device(&device(id, tag), 3).await.expect("enrolled");
    }
    is_conflict(&store.add_device(&device(4, 20), 3).await, "tag");
    store
        .add_device(&Device { issuer: OTHER_ISSUER, card: CardId::new(12), ..device(5, 20) }, 3)
        .await
        .expect("other");
    store.add_device(&device(6, 60), 3).await.expect("a fourth");
    let live = store.live_devices(ISSUER, &[10, 20, 60, 99]).await.expect("found");
    let mut ids: Vec<i64> = live.iter().map(|device| device.id.get()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [2, 6], "the oldest is revoked, the other issuer's is not ours");
    let of: Vec<i64> = store
        .devices_of(HolderId::new(1), CardId::new(11))
        .await
        .expect("found")
        .iter()
        .map(|d| d.id.get())
        .collect();
    assert_eq!(of, [6, 3, 2]);
    assert!(store.revoke_device(DeviceId::new(2), after(9)).await.expect("revoked"));
    assert!(!store.revoke_device(DeviceId::new(2), after(9)).await.expect("again"));
    store.add_device(&device(7, 20), 3).await.expect("the tag is free again");
    let both = store.devices(&[DeviceId::new(2), DeviceId::new(7)]).await.expect("found");
    assert_eq!(both.len(), 2, "revoked ones too");
    let first = store.use_codes(&[used(1, 5, 1), used(1, 6, 2), used(1, 5, 3)]).await.expect("used");
    assert_eq!(first, [used(1, 5, 1), used(1, 6, 2), used(1, 5, 1)], "the second of one batch comes second");
    let tasks = (0..40_u8).map(|key| {
        let store = std::sync::Arc::clone(store);
        tokio::spawn(async move {
            let wanted = [used(2, 8, key), used(1, 9, key), used(2, 7, key)];
            let held = loop {
                match store.use_codes(&wanted).await {
                    Err(StorageError::Busy(_)) => {}
                    done => break done.expect("used"),
                }
            };
            held.iter().zip(&wanted).filter(|(held, wanted)| held == wanted).count()
        })
    });
    let mut won = 0;
    for task in tasks.collect::<Vec<_>>() {
        won += task.await.expect("ended");
    }
    assert_eq!(won, 3, "each code has one user");
    let under = store.codes_used_under(ClientId::new(7), &[[2; 32], [1; 32]]).await.expect("found");
    assert!(under.contains(&used(1, 5, 1)) && under.contains(&used(1, 6, 2)));
    assert_eq!(store.codes_used_under(ClientId::new(8), &[[1; 32]]).await.expect("none"), []);
    let purge =
        HolderPurge { ended_before: after(0), counted_before: after(0), used_before: after(7), limit: 100 };
    assert_eq!(
        store.purge_holders(&purge).await.expect("purged"),
        3,
        "two codes and the device revoked at 6"
    );
}

/// One open gift a card; a version is stepped over once; what follows from accepting is written with it.
pub async fn gifts_take_one_step_at_a_time(fresh: Fresh) {
    let store = &fresh.store;
    let first = gift(1, 11);
    store.add_gift(&first).await.expect("offered");
    is_conflict(&store.add_gift(&gift(2, 11)).await, "gift");
    store.add_gift(&gift(3, 12)).await.expect("another card");
    let step = |gift: &Gift, state, at| Gift {
        state,
        decided_at: Some(after(at)),
        version: gift.version + 1,
        ..gift.clone()
    };
    let declined = step(&gift(3, 12), GiftState::Declined, 5);
    store.change_gift(&declined).await.expect("declined");
    is_conflict(&store.change_gift(&step(&gift(3, 12), GiftState::Accepting, 5)).await, "version");
    assert_eq!(store.gift(declined.id).await.expect("found"), Some(declined.clone()));
    let held = HeldCard {
        holder: HolderId::new(2),
        card: CardId::new(11),
        issuer: ISSUER,
        since: OperationId::new(77),
        added_at: after(8),
    };
    store.put_held_card(&HeldCard { holder: HolderId::new(1), ..held }).await.expect("held");
    store.add_device(&device(1, 10), 3).await.expect("enrolled");
    let accepting = step(&first, GiftState::Accepting, 7);
    store.change_gift(&accepting).await.expect("begun");
    assert_eq!(store.due_gifts(after(500), after(6), 9).await.expect("none"), []);
    assert_eq!(
        store.due_gifts(after(500), after(7), 9).await.expect("found"),
        std::slice::from_ref(&accepting)
    );
    let accepted = Gift { operation: Some(OperationId::new(77)), ..step(&accepting, GiftState::Accepted, 8) };
    store.finish_gift(&accepted, &held).await.expect("finished");
    is_conflict(&store.finish_gift(&accepted, &held).await, "version");
    assert_eq!(store.held_cards(HolderId::new(1), 9).await.expect("none"), []);
    assert_eq!(store.held_cards(HolderId::new(2), 9).await.expect("found"), [held]);
    assert_eq!(store.live_devices(ISSUER, &[10]).await.expect("none"), []);
    assert_eq!(store.gifts_of(HolderId::new(2), 9).await.expect("found"), [declined, accepted]);
    store.add_gift(&gift(4, 11)).await.expect("the card can be given again");
    assert_eq!(store.due_gifts(after(1_003), after(0), 9).await.expect("none"), []);
    assert_eq!(store.due_gifts(after(1_004), after(0), 9).await.expect("found"), [gift(4, 11)]);
}

/// What is under an older key is found, exchanged, and found by the new index.
pub async fn secrets_of_holders_are_rekeyed(fresh: Fresh) {
    let store = &fresh.store;
    for id in 1..=3 {
        store.add_holder(&holder(id, u8::try_from(id).expect("small"))).await.expect("added");
        store.add_device(&Device { card: CardId::new(id), ..device(id, 10) }, 3).await.ok();
    }
    let old = store.phones_not_under(2, None, 2).await.expect("found");
    assert_eq!(old.iter().map(|phone| phone.holder.get()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((&old[0].phone, old[0].issuer), (&holder(1, 1).phone, ISSUER));
    let fresh_one = RekeyedPhone {
        holder: HolderId::new(1),
        index: PhoneIndex([101; 16]),
        index_key_id: 2,
        phone: sealed(2, "again"),
    };
    store.rekey_phones(&[fresh_one]).await.expect("exchanged");
    let left = store.phones_not_under(2, None, 9).await.expect("found");
    assert_eq!(left.iter().map(|phone| phone.holder.get()).collect::<Vec<_>>(), [2, 3]);
    let found =
        store.holder_by_phone(ISSUER, &[PhoneIndex([101; 16])]).await.expect("asked").expect("by the new");
    assert!(found.id == HolderId::new(1) && found.phone == sealed(2, "again") && found.index_key_id == 2);
    let secrets = store.device_secrets_not_under(2, None, 9).await.expect("found");
    assert_eq!(secrets, [(DeviceId::new(1), sealed(1, "secret 1"))]);
    store.rekey_devices(&[(DeviceId::new(1), sealed(2, "again"))]).await.expect("exchanged");
    assert_eq!(store.device_secrets_not_under(2, None, 9).await.expect("none"), []);
}

/// Messages that are to be delivered are taken by one at a time, when they are due, and counted; others never.
pub async fn messages_are_taken_when_due(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let message = |id: i64, due_at: Option<i64>| OutboxMessage {
        id,
        issuer: ISSUER,
        phone: PhoneIndex([1; 16]),
        body: sealed(1, &format!("message {id}")),
        created_at: after(1),
        expires_at: after(301),
        due_at: due_at.map(after),
        attempts: 0,
    };
    for (id, due) in [(1, Some(30)), (2, Some(10)), (3, None), (4, Some(20)), (5, Some(10))] {
        store.put_message(&message(id, due)).await.expect("kept");
    }
    let taken = async |now: i64, again: i64, limit: usize| {
        let taken = store.take_messages(after(now), after(again), limit).await.expect("taken");
        taken.iter().map(|m| (m.id, m.attempts)).collect::<Vec<_>>()
    };
    assert_eq!(taken(9, 60, 9).await, []);
    assert_eq!(taken(20, 60, 2).await, [(2, 1), (5, 1)], "the longest due");
    assert_eq!(taken(20, 60, 9).await, [(4, 1)], "what is taken is not taken again");
    assert_eq!(taken(20, 60, 9).await, []);
    store.postpone_message(4, after(25)).await.expect("postponed");
    store.drop_message(5).await.expect("dropped");
    store.drop_message(5).await.expect("dropped before");
    let again = store.take_messages(after(25), after(90), 9).await.expect("taken");
    let expect = OutboxMessage { attempts: 2, due_at: Some(after(90)), ..message(4, None) };
    assert_eq!(again, [expect], "with what it says");
    // Whoever took them died: they are due again.
    assert_eq!(taken(60, 99, 9).await, [(1, 1), (2, 2)]);
    let left = store.messages(ISSUER, &[PhoneIndex([1; 16])], after(60), 9).await.expect("found");
    assert_eq!(left.iter().map(|m| m.id).collect::<Vec<_>>(), [4, 3, 2, 1]);
}
