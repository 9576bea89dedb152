//! Where the key ring comes from, and the rule that none is made for cards that already have one.

use std::{path::PathBuf, sync::Arc};

use domain::CardId;
use storage::Store;
use vault::{KEYS_VARIABLE, KeyRing, OsRandomness};

use crate::{
    cli::Global,
    failure::{Failure, Result},
};

/// Less than every key id, so that every card's number is under another key.
const NO_KEY: u8 = 0;

/// Where the key ring is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// The environment variable holds it.
    Environment,
    /// A file.
    File(PathBuf),
}

impl KeySource {
    /// As the options and the environment say.
    pub(crate) fn of(global: &Global) -> Self {
        match &global.keys_file {
            Some(path) => Self::File(path.clone()),
            None if std::env::var_os(KEYS_VARIABLE).is_some() => Self::Environment,
            None => Self::File(global.database().keys_beside()),
        }
    }

    /// Loads the key ring; makes one only where nothing could need an older one.
    pub(crate) async fn open(&self, store: &dyn Store) -> Result<Arc<KeyRing>> {
        let Self::File(path) = self else { return Ok(Arc::new(self.load()?)) };
        if !path.try_exists()? && has_cards(store).await? {
            return Err(Failure::new(format!(
                "there is no key ring at {}, and the cards of this database need the one that they were made \
                 with: put it there, name it with --keys FILE, or give it in {KEYS_VARIABLE}. A new one \
                 would open nothing",
                path.display()
            )));
        }
        Ok(Arc::new(KeyRing::load_or_create(path, &mut OsRandomness::new())?))
    }

    /// Loads a key ring that must be there.
    pub(crate) fn load(&self) -> Result<KeyRing> {
        match self {
            Self::Environment => KeyRing::from_environment()?
                .ok_or_else(|| Failure::usage(format!("{KEYS_VARIABLE} is no longer set"))),
            Self::File(path) => Ok(KeyRing::load(path)?),
        }
    }
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment => f.write_str(KEYS_VARIABLE),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Whether a key ring is already bound to this database: by sealed numbers, PIN digests or fingerprints.
async fn has_cards(store: &dyn Store) -> Result<bool> {
    let numbers = store.numbers_not_under(NO_KEY, None::<CardId>, 1).await?;
    Ok(!numbers.is_empty() || !store.key_ids_in_use().await?.is_empty())
}
