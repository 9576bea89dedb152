//! `hexiao keys`: looking after the key ring, and bringing stored numbers under a fresh key.
//!
//! A rotation has two steps: the ring gets a key, then every sealed number is opened, sealed and indexed
//! under it, in chunks of one transaction each. Between any two chunks everything can be read, because
//! look-ups try all keys; so it can be interrupted anywhere, and goes on with what is left.

use std::sync::Arc;

use domain::{CardId, command::NumberIndex};
use finance::settlement::seal_accounts;
use serde_json::json;
use storage::{PhoneIndex, Rekeyed, RekeyedPhone, Sealed, Store, StoredNumber, StoredPhone};
use vault::{KeyRing, OsRandomness, SealedNumber, SealedText, Vault, purpose};

use crate::{
    cli::{Global, Rotate},
    failure::{Failure, Result},
    installation::{join, leave, open_to_read, open_to_write},
    key_source::KeySource,
    output,
    progress::Progress,
};

const CHUNK: usize = 1000;

pub(crate) async fn list(global: &Global) -> Result {
    let store = open_to_read(global).await?;
    let source = KeySource::of(global);
    let ring = source.load()?;
    let current = ring.current_id();
    let in_use = store.key_ids_in_use().await?;
    let behind = !store.numbers_not_under(current, None, 1).await?.is_empty()
        || !store.phones_not_under(current, None, 1).await?.is_empty()
        || !store.device_secrets_not_under(current, None, 1).await?.is_empty()
        || !store.accounts_not_under(current, None, 1).await?.is_empty()
        || !store.totp_not_under(current, None, 1).await?.is_empty()
        || !store.providers_not_under(current, None, 1).await?.is_empty();
    let ids: Vec<u8> = ring.key_ids().collect();
    let missing: Vec<u8> = in_use.iter().copied().filter(|id| !ids.contains(id)).collect();
    let machine = json!({
        "source": source.to_string(),
        "current": current,
        "keys": ids,
        "in_use_by_pins_and_requests": in_use,
        "missing": missing,
        "numbers_under_older_keys": behind,
    });
    let mut people = format!("key ring  {source}\n");
    for id in &ids {
        let note = if *id == current { "current" } else { "older" };
        let used = if in_use.contains(id) { ", needed for PINs and requests" } else { "" };
        people.extend(["key ", &format!("{id:<6}"), note, used, "\n"]);
    }
    if behind {
        people.push_str("some numbers are under older keys: hexiao keys rotate --resume\n");
    }
    output::print(global.json, &machine, &people)?;
    match missing.first() {
        None => Ok(()),
        Some(id) => Err(Failure::new(format!("the database needs key {id}, which this ring lacks"))),
    }
}

pub(crate) async fn rotate(global: &Global, args: &Rotate) -> Result {
    let database = open_to_write(global).await?;
    let store = database.store();
    // A running server would go on with the ring that it has, and find no number under the new key. Whoever
    // has a file open to write has it alone.
    let node = join(&store).await?;
    let others = if database.is_shared() { node.membership().nodes().saturating_sub(1) } else { 0 };
    let done = if others == 0 { rotate_alone(global, args, &*store).await } else { Err(running(others)) };
    leave(node).await;
    done
}

fn running(others: u16) -> Failure {
    Failure::usage(format!(
        "{others} other nodes run on this database; stop them first (a node that died counts for half a minute \
         more)"
    ))
}

async fn rotate_alone(global: &Global, args: &Rotate, store: &dyn Store) -> Result {
    let source = KeySource::of(global);
    // Also refuses a missing ring: a fresh one could open nothing.
    let before = source.open(store).await?;
    check_opens(store, &before).await?;
    let ring = if args.resume { before } else { add_key(&source)? };
    let current = ring.current_id();
    let vault = Vault::new(ring);
    let changed = rekey_all(store, &vault).await?;
    let of_holders = rekey_holders(store, &vault).await?;
    let of_users = rekey_users(store, &vault).await?;
    let accounts = seal_accounts(store, &vault).await.map_err(|error| Failure::new(error.to_string()))?;
    let providers =
        identity::reseal_providers(store, &vault).await.map_err(|error| Failure::new(error.to_string()))?;
    let machine = json!({
        "current": current,
        "rekeyed": changed,
        "rekeyed_of_holders": of_holders,
        "rekeyed_of_users": of_users,
        "bank_accounts": accounts,
        "identity_providers": providers,
    });
    let people = format!(
        "key {current} is current; {} card numbers were sealed and indexed under it, {} phone numbers and \
         device secrets of card holders, {} secrets of one-time passwords, {} numbers of bank accounts, and {} \
         secrets of identity providers\n\
         Copy the key ring ({source}) to where its backups are.",
        output::count(changed),
        output::count(of_holders),
        output::count(of_users),
        output::count(accounts),
        output::count(providers)
    );
    output::print(global.json, &machine, &people)
}

fn add_key(source: &KeySource) -> Result<Arc<KeyRing>> {
    match source {
        KeySource::File(path) => Ok(Arc::new(KeyRing::rotate_file(path, &mut OsRandomness::new())?)),
        KeySource::Environment => Err(Failure::usage(
            "the key ring comes from HEXIAO_KEYS, which this command cannot change: add a key with a new id \
             there (openssl rand -base64 32), make it current, and run hexiao keys rotate --resume",
        )),
    }
}

/// Opens a stored number before anything is changed: the ring must be this database's.
async fn check_opens(store: &dyn Store, ring: &Arc<KeyRing>) -> Result {
    let have: Vec<u8> = ring.key_ids().collect();
    if let Some(missing) = store.key_ids_in_use().await?.into_iter().find(|id| !have.contains(id)) {
        return Err(Failure::new(format!("the database needs key {missing}, which this key ring lacks")));
    }
    let vault = Vault::new(Arc::clone(ring));
    for stored in store.numbers_not_under(0, None, 1).await? {
        open(&vault, &stored)?;
    }
    Ok(())
}

/// Brings every number under the current key. Returns how many were not.
async fn rekey_all(store: &dyn Store, vault: &Vault) -> Result<u64> {
    let current = vault.keys().current_id();
    let progress = Progress::new("card numbers under the new key", None);
    let (mut after, mut changed) = (None, 0);
    loop {
        let stored = store.numbers_not_under(current, after, CHUNK).await?;
        let Some(last) = stored.last() else { break };
        after = Some(last.card);
        let fresh = stored.iter().map(|number| rekey(vault, number)).collect::<Result<Vec<_>>>()?;
        store.rekey(&fresh).await?;
        changed += fresh.len() as u64;
        progress.add(fresh.len() as u64);
    }
    progress.finish();
    Ok(changed)
}

/// Brings the phone numbers of card holders and the secrets of their devices under the current key.
async fn rekey_holders(store: &dyn Store, vault: &Vault) -> Result<u64> {
    let current = vault.keys().current_id();
    let (mut after, mut changed) = (None, 0);
    loop {
        let stored = store.phones_not_under(current, after, CHUNK).await?;
        let Some(last) = stored.last() else { break };
        after = Some(last.holder);
        let fresh = stored.iter().map(|phone| rekey_phone(vault, phone)).collect::<Result<Vec<_>>>()?;
        store.rekey_phones(&fresh).await?;
        changed += fresh.len() as u64;
    }
    let mut after = None;
    loop {
        let stored = store.device_secrets_not_under(current, after, CHUNK).await?;
        let Some((last, _)) = stored.last() else { break };
        after = Some(*last);
        let fresh = stored.iter().map(|(id, secret)| {
            let fresh = reseal(vault, (id.get(), &id.to_string()), purpose::DEVICE_SECRET, secret)?;
            Ok((*id, fresh))
        });
        let fresh = fresh.collect::<Result<Vec<_>>>()?;
        store.rekey_devices(&fresh).await?;
        changed += fresh.len() as u64;
    }
    Ok(changed)
}

/// Brings the secrets of users' one-time passwords under the current key.
async fn rekey_users(store: &dyn Store, vault: &Vault) -> Result<u64> {
    let current = vault.keys().current_id();
    let (mut after, mut changed) = (None, 0);
    loop {
        let stored = store.totp_not_under(current, after, CHUNK).await?;
        let Some((last, _)) = stored.last() else { break };
        after = Some(*last);
        let fresh = stored.iter().map(|(user, secret)| {
            let fresh = reseal(vault, (user.get(), &user.to_string()), purpose::TOTP_SECRET, secret)?;
            Ok((*user, fresh))
        });
        let fresh = fresh.collect::<Result<Vec<_>>>()?;
        store.rekey_totp(&fresh).await?;
        changed += fresh.len() as u64;
    }
    Ok(changed)
}

fn rekey_phone(vault: &Vault, stored: &StoredPhone) -> Result<RekeyedPhone> {
    let name = stored.holder.to_string();
    let sealed = SealedText { key_id: stored.phone.key_id, bytes: stored.phone.bytes.clone() };
    let plain = vault
        .open_text(stored.holder.get(), purpose::PHONE, &sealed)
        .map_err(|error| Failure::from(error).while_doing(&name))?;
    let index = vault.phone_indexes(stored.issuer.get(), &plain).next();
    let (index_key_id, index) = index.ok_or_else(|| Failure::new("the key ring is empty"))?;
    let fresh = vault.seal_text(stored.holder.get(), purpose::PHONE, &plain)?;
    Ok(RekeyedPhone {
        holder: stored.holder,
        index: PhoneIndex(index),
        index_key_id,
        phone: Sealed { key_id: fresh.key_id, bytes: fresh.bytes },
    })
}

fn open(vault: &Vault, stored: &StoredNumber) -> Result<vault::CardNumber> {
    let sealed = SealedNumber { key_id: stored.number.key_id, bytes: stored.number.bytes.clone() };
    let opened = vault.open(stored.card.get(), &sealed);
    opened.map_err(|error| Failure::from(error).while_doing(&stored.card.to_string()))
}

fn rekey(vault: &Vault, stored: &StoredNumber) -> Result<Rekeyed> {
    let number = open(vault, stored)?;
    let sealed = vault.seal(stored.card.get(), &number);
    Ok(Rekeyed {
        card: stored.card,
        index: NumberIndex(vault.index(&number)),
        index_key_id: vault.keys().current_id(),
        number: Sealed { key_id: sealed.key_id, bytes: sealed.bytes },
        pin: stored.pin.as_ref().map(|pin| reseal_pin(vault, stored.card, pin)).transpose()?,
    })
}

fn reseal_pin(vault: &Vault, card: CardId, pin: &Sealed) -> Result<Sealed> {
    reseal(vault, (card.get(), &card.to_string()), purpose::PIN_UNTIL_EXPORT, pin)
}

/// The same text under the current key.
fn reseal(
    vault: &Vault,
    (context, name): (i64, &str),
    purpose: &'static str,
    stored: &Sealed,
) -> Result<Sealed> {
    let sealed = SealedText { key_id: stored.key_id, bytes: stored.bytes.clone() };
    let plain =
        vault.open_text(context, purpose, &sealed).map_err(|error| Failure::from(error).while_doing(name))?;
    let fresh = vault.seal_text(context, purpose, &plain)?;
    Ok(Sealed { key_id: fresh.key_id, bytes: fresh.bytes })
}
