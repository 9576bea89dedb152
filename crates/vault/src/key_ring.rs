//! The master keys of an installation: several with ids, one of them current, so that keys can be
//! changed while values made with older ones stay readable.

use std::fmt;
use std::io;
use std::path::PathBuf;

use base64ct::{Base64, Base64Unpadded, Encoding};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use zeroize::Zeroizing;

use crate::randomness::Randomness;
use crate::subkeys::{MasterKey, Subkeys};

/// Random 32 bytes have fewer distinct values than this once in 10^30 keys; a phrase, a run of zeros
/// or a pasted placeholder usually has.
const MIN_DISTINCT_BYTES: usize = 10;

/// Master keys by id (1–255), one of them current.
///
/// Prints only key ids, and wipes its keys when dropped.
pub struct KeyRing {
    /// Current key first, then from the highest id down: the order in which look-ups try them.
    entries: Vec<Entry>,
}

pub(crate) struct Entry {
    pub(crate) id: u8,
    pub(crate) subkeys: Subkeys,
    master: MasterKey,
}

/// Why a key ring cannot be loaded, changed or saved. Never quotes key material.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The file system refused.
    #[error("key ring file {path}: cannot {action}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// Other users of the machine may read or change the keys.
    #[error("key ring file {path} is open to other users (mode {mode:04o}); run: chmod 600 {path}")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A folder, device or pipe.
    #[error("key ring file {path} is not a regular file; name a file")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Far larger than 255 keys need.
    #[error("key ring file {path} is larger than {limit} bytes; this is probably another file")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// Saving would destroy a key that stored values may need.
    #[error(
        "key ring file {path} holds key {key_id}, which the ring to be saved lacks or has otherwise; load the file and rotate that ring, or save under another name"
    )]
    WouldLoseKey {
        /// The file.
        path: PathBuf,
        /// The key that would be lost.
        key_id: u8,
    },
    /// Whatever is wrong inside this source.
    #[error("key ring in {origin}: {source}")]
    In {
        /// File path or environment variable.
        origin: String,
        /// What is wrong.
        #[source]
        source: Box<KeyRingError>,
    },
    /// Not JSON of the right shape.
    #[error(r#"line {line}, column {column}: expected {{"current": 1, "keys": {{"1": "<32 bytes as base64 or hexadecimal>"}}}}"#)]
    Malformed {
        /// Counted from 1; 0 if the text ended too early.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// A key has an impossible id.
    #[error("keys: entry {position} has an id that is not a number from 1 to 255 without leading zeros")]
    KeyId {
        /// Which entry, counted from 1.
        position: usize,
    },
    /// A key is not 32 bytes.
    #[error(
        "keys.{key_id}: a key is 32 bytes, written as 44 characters of base64 or 64 hexadecimal digits; make one with: openssl rand -base64 32"
    )]
    KeyValue {
        /// The key.
        key_id: u8,
    },
    /// A key is a phrase or a placeholder.
    #[error("keys.{key_id}: this key is not random; make one with: openssl rand -base64 32")]
    Guessable {
        /// The key.
        key_id: u8,
    },
    /// An id is used twice.
    #[error("keys.{key_id}: this id occurs twice; keep the one that values were made with")]
    DuplicateId {
        /// The key.
        key_id: u8,
    },
    /// Two ids hold the same key, so that a rotation between them would change nothing.
    #[error("keys.{second}: the same key as keys.{first}; give each id its own key")]
    SameKey {
        /// The lower id.
        first: u8,
        /// The higher id.
        second: u8,
    },
    /// The current key is not in the ring.
    #[error("current: there is no key {current} under keys")]
    NoCurrent {
        /// The id asked for.
        current: u8,
    },
    /// All ids are taken.
    #[error("all 255 key ids are in use; start a new installation, because ids are never used again")]
    Full,
}

impl KeyRing {
    /// A ring of one fresh key with id 1.
    pub fn generate(random: &mut (impl Randomness + ?Sized)) -> Self {
        Self { entries: vec![Entry::new(1, fresh_key(random))] }
    }

    /// Reads the JSON form, `{"current": 2, "keys": {"1": "…", "2": "…"}}`, keys as base64 or
    /// hexadecimal.
    pub fn from_json(json: &str) -> Result<Self, KeyRingError> {
        let parsed: RingJson = serde_json::from_str(json)
            .map_err(|error| KeyRingError::Malformed { line: error.line(), column: error.column() })?;
        let mut entries = Vec::with_capacity(parsed.keys.0.len());
        for (index, (id, value)) in parsed.keys.0.iter().enumerate() {
            let key_id = parse_key_id(id).ok_or(KeyRingError::KeyId { position: index + 1 })?;
            let master = parse_key(value).ok_or(KeyRingError::KeyValue { key_id })?;
            refuse_guessable(key_id, &master)?;
            refuse_repeated(&entries, key_id, &master)?;
            entries.push(Entry::new(key_id, master));
        }
        if !entries.iter().any(|entry| entry.id == parsed.current) {
            return Err(KeyRingError::NoCurrent { current: parsed.current });
        }
        Ok(Self { entries: current_first(entries, parsed.current) })
    }

    /// The JSON form, for the file or the environment variable. Holds the keys in plain.
    pub fn to_json(&self) -> Zeroizing<String> {
        let mut keys: Vec<_> = self.entries.iter().collect();
        keys.sort_unstable_by_key(|entry| entry.id);
        // Room for all, so that growing leaves no copies of keys behind. Neither ids nor base64 need
        // escaping.
        let mut json = Zeroizing::new(String::with_capacity(64 + 64 * keys.len()));
        json.push_str("{\n  \"current\": ");
        json.push_str(&self.current_id().to_string());
        json.push_str(",\n  \"keys\": {");
        for (index, entry) in keys.into_iter().enumerate() {
            json.push_str(if index == 0 { "\n    \"" } else { ",\n    \"" });
            json.push_str(&entry.id.to_string());
            json.push_str("\": \"");
            json.push_str(&Zeroizing::new(Base64::encode_string(&*entry.master)));
            json.push('"');
        }
        json.push_str("\n  }\n}\n");
        json
    }

    /// Adds a fresh key and makes it current; returns its id. Older keys stay, for opening.
    ///
    /// Afterwards the same number has another index under the new key: look up, and check that a new
    /// number is unique, under all of [`crate::Vault::indexes`] until the stored ones are renewed.
    pub fn rotate(&mut self, random: &mut (impl Randomness + ?Sized)) -> Result<u8, KeyRingError> {
        let highest = self.entries.iter().map(|entry| entry.id).max().unwrap_or(0);
        // Above the highest while there is room: an id that was removed by hand is not used again soon.
        let id = highest
            .checked_add(1)
            .or_else(|| (1..=u8::MAX).find(|&id| self.entry(id).is_none()))
            .ok_or(KeyRingError::Full)?;
        let mut entries = std::mem::take(&mut self.entries);
        entries.push(Entry::new(id, fresh_key(random)));
        self.entries = current_first(entries, id);
        Ok(id)
    }

    /// The id of the key that new values are made with.
    pub fn current_id(&self) -> u8 {
        self.current().id
    }

    /// All key ids: the current one first, then from the highest down.
    pub fn key_ids(&self) -> impl Iterator<Item = u8> + '_ {
        self.entries.iter().map(|entry| entry.id)
    }

    pub(crate) fn current(&self) -> &Entry {
        // Every constructor puts at least one key in and nothing takes one out.
        &self.entries[0]
    }

    pub(crate) fn entry(&self, key_id: u8) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == key_id)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The first key of `older` that this ring lacks or has otherwise.
    pub(crate) fn first_missing_of(&self, older: &Self) -> Option<u8> {
        older
            .entries
            .iter()
            .find(|&kept| self.entry(kept.id).is_none_or(|entry| entry.master != kept.master))
            .map(|entry| entry.id)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<u8> = self.key_ids().collect();
        f.debug_struct("KeyRing")
            .field("current", &self.current_id())
            .field("key_ids", &ids)
            .finish_non_exhaustive()
    }
}

impl Entry {
    fn new(id: u8, master: MasterKey) -> Self {
        Self { id, subkeys: Subkeys::derive(&master), master }
    }
}

fn fresh_key(random: &mut (impl Randomness + ?Sized)) -> MasterKey {
    let mut key = MasterKey::new([0; 32]);
    random.fill(&mut *key);
    key
}

fn current_first(mut entries: Vec<Entry>, current: u8) -> Vec<Entry> {
    entries.sort_unstable_by_key(|entry| (entry.id != current, u8::MAX - entry.id));
    entries
}

fn parse_key_id(text: &str) -> Option<u8> {
    let id: u8 = text.parse().ok().filter(|&id| id > 0)?;
    // "+7" and "07" also parse, and would let one id be written in two ways.
    (id.to_string() == text).then_some(id)
}

fn parse_key(text: &str) -> Option<MasterKey> {
    let mut key = MasterKey::new([0; 32]);
    let complete = match text.len() {
        64 => decode_hexadecimal(text, &mut key).is_some(),
        44 => Base64::decode(text, &mut *key).is_ok_and(|bytes| bytes.len() == 32),
        43 => Base64Unpadded::decode(text, &mut *key).is_ok_and(|bytes| bytes.len() == 32),
        _ => false,
    };
    complete.then_some(key)
}

fn decode_hexadecimal(text: &str, key: &mut [u8; 32]) -> Option<()> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    for (byte, pair) in key.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? * 16 + low?).ok()?;
    }
    Some(())
}

fn refuse_guessable(key_id: u8, master: &MasterKey) -> Result<(), KeyRingError> {
    let mut sorted = master.clone();
    sorted.sort_unstable();
    let distinct = sorted.chunk_by(|left, right| left == right).count();
    if distinct < MIN_DISTINCT_BYTES { Err(KeyRingError::Guessable { key_id }) } else { Ok(()) }
}

fn refuse_repeated(entries: &[Entry], key_id: u8, master: &MasterKey) -> Result<(), KeyRingError> {
    for entry in entries {
        if entry.id == key_id {
            return Err(KeyRingError::DuplicateId { key_id });
        }
        if entry.master == *master {
            let (first, second) = (entry.id.min(key_id), entry.id.max(key_id));
            return Err(KeyRingError::SameKey { first, second });
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RingJson {
    current: u8,
    keys: KeysJson,
}

/// Entries in the order of the text. Not a map, which would let a repeated id silently replace a key.
struct KeysJson(Vec<(String, Zeroizing<String>)>);

impl<'de> Deserialize<'de> for KeysJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = KeysJson;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys by id")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeysJson, A::Error> {
        let mut keys = Vec::new();
        while let Some((id, value)) = map.next_entry::<String, String>()? {
            keys.push((id, Zeroizing::new(value)));
        }
        Ok(KeysJson(keys))
    }
}
