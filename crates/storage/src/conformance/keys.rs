//! Rotating keys: finding what is under an older key, and exchanging it.

use std::collections::BTreeSet;

use domain::{
    Card, CardId, Fingerprint, Operation, UserId,
    card::{PinDigest, PinState},
};

use super::{
    Fresh,
    world::{
        BATCH, START, after, batch, commit, id_at, index_of, insert, new_card, only, operation, sealed,
        settle, stocked,
    },
};
use crate::{NewCard, Rekeyed, Sealed, StorageError, Store, StoredNumber, StoredTotp};

async fn old_numbers(store: &dyn Store, current: u8, limit: usize) -> Vec<StoredNumber> {
    let (mut all, mut last) = (Vec::new(), None);
    loop {
        let page = store.numbers_not_under(current, last, limit).await.expect("numbers");
        assert!(page.len() <= limit);
        let Some(row) = page.last() else { return all };
        assert!(last.is_none_or(|last| last < row.card), "ordered by card");
        last = Some(row.card);
        all.extend(page);
    }
}

fn rekeyed(card: CardId) -> Rekeyed {
    Rekeyed {
        card,
        index: index_of(card, 2),
        index_key_id: 2,
        number: sealed(2, &format!("again {card}")),
        pin: Some(sealed(2, &format!("pin again {card}"))),
    }
}

/// All under an older key are found, exchanged, found by the new index and no longer by the old.
pub async fn numbers_are_rekeyed(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let mut cards: Vec<NewCard> = (11..=16).map(|id| new_card(stocked(id))).collect();
    // 11: number current, index old; 12: the other way round; 13: both current; the rest both old.
    cards[0].number.key_id = 2;
    cards[1].index_key_id = 2;
    (cards[2].number.key_id, cards[2].index_key_id) = (2, 2);
    cards[3].card.batch = Some(BATCH);
    cards[4].pin = None;
    store.insert_cards(&cards, None).await.expect("new cards");
    for limit in [1, 2, 100] {
        let found = old_numbers(store, 2, limit).await;
        let expect: Vec<&NewCard> = [0, 1, 3, 4, 5].map(|n| &cards[n]).to_vec();
        assert_eq!(found.len(), expect.len());
        for (found, new) in found.iter().zip(expect) {
            assert_eq!(found.card, new.card.id);
            assert!(found.number == new.number && found.pin == new.pin, "the sealed values themselves");
        }
    }
    refuse_taken_index(store).await;
    // Meanwhile the batch of 14 is exported: its PIN must not come back.
    assert!(store.claim_export(BATCH, START, START).await.expect("claimed"));
    assert!(store.finish_export(BATCH, START, after(1)).await.expect("finished"));
    store.erase_pins(BATCH).await.expect("erased");
    let new: Vec<Rekeyed> = [11, 12, 14, 16].map(|id| rekeyed(CardId::new(id))).to_vec();
    store.rekey(&new).await.expect("exchanged");
    let left: Vec<CardId> = old_numbers(store, 2, 100).await.iter().map(|row| row.card).collect();
    assert_eq!(left, [CardId::new(15)]);
    for new in &new {
        let by_new = store.card_by_number(&[new.index]).await.expect("a card");
        assert_eq!(by_new.map(|card| card.id), Some(new.card));
        assert_eq!(store.card_by_number(&[index_of(new.card, 1)]).await.expect("no card"), None);
    }
    let all = old_numbers(store, 9, 100).await;
    let row = |id| all.iter().find(|row| row.card == CardId::new(id)).expect("a row");
    assert!(row(16).number == rekeyed(CardId::new(16)).number && row(16).pin == rekeyed(CardId::new(16)).pin);
    assert!(row(14).pin.is_none(), "a PIN that was erased stays erased");
    assert!(row(15).number == cards[4].number, "others stay as they were");
    let unchanged = store.card(CardId::new(16)).await.expect("a card");
    assert_eq!(unchanged, Some(stocked(16)), "the card itself is not touched");
}

/// One index that another card has: none of the call is written.
async fn refuse_taken_index(store: &dyn Store) {
    let stolen = Rekeyed { index: index_of(CardId::new(13), 1), ..rekeyed(CardId::new(16)) };
    let refused = store.rekey(&[rekeyed(CardId::new(15)), stolen]).await;
    assert!(matches!(refused, Err(StorageError::Conflict { .. })), "{refused:?}");
    let by_old = store.card_by_number(&[index_of(CardId::new(15), 1)]).await.expect("a card");
    assert_eq!(by_old.map(|card| card.id), Some(CardId::new(15)));
    assert_eq!(store.card_by_number(&[index_of(CardId::new(15), 2)]).await.expect("no card"), None);
}

/// Digests cannot be made again without the PIN or the request, so their keys must be known.
pub async fn keys_in_use_are_known(fresh: Fresh) {
    let store = fresh.store.as_ref();
    assert_eq!(store.key_ids_in_use().await.expect("ids"), Vec::<u8>::new());
    settle(store).await;
    let mut other = batch(domain::BatchId::new(777), "other");
    other.fingerprint.0 = 9;
    store.create_batch(&other).await.expect("a new batch");
    let with_pin = |id, key_id| {
        let digest = Some(PinDigest { key_id, bytes: [1; 16] });
        Card { pin: PinState { digest, ..PinState::default() }, ..stocked(id) }
    };
    insert(store, &[with_pin(11, 3), with_pin(12, 3), with_pin(13, 200), stocked(14)]).await;
    let with_key = |n: i64, key_id| {
        let fingerprint = Fingerprint { key_id, bytes: [2; 16] };
        Operation { fingerprint, ..operation(id_at(after(n), n), after(n)) }
    };
    commit(store, &only([with_key(1, 0), with_key(2, 255), with_key(3, 0)])).await.expect("committed");
    let found = store.key_ids_in_use().await.expect("ids");
    let expect = BTreeSet::from([0, 1, 3, 9, 200, 255]);
    assert_eq!(found.iter().copied().collect::<BTreeSet<u8>>(), expect);
    assert_eq!(found.len(), expect.len(), "each once");
}

/// Secrets of one-time passwords under an older key are found in order, and exchanged without touching anything else.
pub async fn one_time_passwords_are_rekeyed(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let old = |user: i64, key_id: u8| StoredTotp {
        user: UserId::new(user),
        issuer: None,
        key_id,
        sealed: vec![key_id; 40],
        confirmed: false,
        last_step: 77,
    };
    for (user, key_id) in [(11, 1), (12, 2), (13, 1), (14, 3)] {
        store.begin_totp(&old(user, key_id)).await.expect("begun");
    }
    assert!(store.confirm_totp(&old(11, 1), &[]).await.expect("confirmed"));
    let mut found = Vec::new();
    while let Some(row) =
        store.totp_not_under(2, found.last().map(|(user, _)| *user), 1).await.expect("secrets").pop()
    {
        found.push(row);
    }
    let expect = [(11, 1), (13, 1), (14, 3)]
        .map(|(user, key_id)| (UserId::new(user), Sealed { key_id, bytes: vec![key_id; 40] }));
    assert!(found == expect, "the sealed values themselves, by user");
    let new = [11, 14].map(|user| (UserId::new(user), Sealed { key_id: 2, bytes: vec![9; 41] }));
    store.rekey_totp(&new).await.expect("exchanged");
    let left = store.totp_not_under(2, None, 9).await.expect("secrets");
    assert!(left == [found[1].clone()]);
    let changed = store.totp(UserId::new(11)).await.expect("read").expect("there");
    let same = StoredTotp { key_id: 2, sealed: vec![9; 41], confirmed: true, ..old(11, 1) };
    assert!(changed == same, "confirmed and used up to the same step as before");
}
