//! Where a key ring is kept: a file that only its owner may read, or an environment variable.
//!
//! Losing this file means losing every card number and PIN for good, so it is never written in place:
//! a new file is completed and synced beside it, then takes its name in one step.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::key_ring::{KeyRing, KeyRingError};
use crate::randomness::Randomness;

/// The environment variable that may hold the ring's JSON instead of a file.
pub const KEYS_VARIABLE: &str = "HEXIAO_KEYS";

/// 255 keys need about 16 KiB.
const MAX_FILE_BYTES: u64 = 64 * 1024;

impl KeyRing {
    /// The ring in the environment variable [`KEYS_VARIABLE`], or `None` if it is not set.
    pub fn from_environment() -> Result<Option<Self>, KeyRingError> {
        let Some(value) = env::var_os(KEYS_VARIABLE) else { return Ok(None) };
        let malformed = KeyRingError::Malformed { line: 1, column: 1 };
        let parsed = match value.into_string() {
            Ok(json) => Self::from_json(&Zeroizing::new(json)),
            Err(_not_unicode) => Err(malformed),
        };
        parsed.map(Some).map_err(|source| within(KEYS_VARIABLE.to_owned(), source))
    }

    /// Reads a ring from a file, which must be closed to group and others.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, KeyRingError> {
        let path = path.as_ref();
        let json = read_private(path)?;
        Self::from_json(&json).map_err(|source| within(format!("file {}", path.display()), source))
    }

    /// Reads a ring from a file, or makes the file (mode 0600) with one fresh key if there is none.
    ///
    /// Of several processes that start at once on an empty folder, one makes the file and all load it.
    pub fn load_or_create(
        path: impl AsRef<Path>,
        random: &mut (impl Randomness + ?Sized),
    ) -> Result<Self, KeyRingError> {
        let path = path.as_ref();
        match Self::load(path) {
            Err(KeyRingError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            loaded_or_refused => return loaded_or_refused,
        }
        create_folder(path)?;
        let _lock = lock_folder_of(path)?;
        if !path.try_exists().map_err(io_error(path, "look for it"))? {
            replace_file(path, &Self::generate(random))?;
        }
        Self::load(path)
    }

    /// Writes the ring to a file (mode 0600) in one step: a crash leaves the old file or the new one.
    /// Refuses to overwrite a file that holds a key which this ring lacks.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), KeyRingError> {
        let path = &resolved(path.as_ref());
        let _lock = lock_folder_of(path)?;
        self.refuse_losing_keys(path)?;
        replace_file(path, self)
    }

    /// Adds a fresh key to the ring in a file and makes it current. Two rotations at once are done one
    /// after the other, so neither key is lost.
    pub fn rotate_file(
        path: impl AsRef<Path>,
        random: &mut (impl Randomness + ?Sized),
    ) -> Result<Self, KeyRingError> {
        let path = &resolved(path.as_ref());
        let _lock = lock_folder_of(path)?;
        let mut ring = Self::load(path)?;
        ring.rotate(random)?;
        replace_file(path, &ring)?;
        Ok(ring)
    }

    fn refuse_losing_keys(&self, path: &Path) -> Result<(), KeyRingError> {
        if !path.try_exists().map_err(io_error(path, "look for it"))? {
            return Ok(());
        }
        // A file that cannot be read as a ring is not overwritten either: it may be a damaged one.
        match self.first_missing_of(&Self::load(path)?) {
            Some(key_id) => Err(KeyRingError::WouldLoseKey { path: path.to_owned(), key_id }),
            None => Ok(()),
        }
    }
}

/// The file behind a symbolic link, so that saving replaces that file and not the link.
fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn read_private(path: &Path) -> Result<Zeroizing<String>, KeyRingError> {
    // Looked at before opening, because opening a pipe would wait for its other end.
    if !fs::metadata(path).map_err(io_error(path, "open it"))?.is_file() {
        return Err(KeyRingError::NotAFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(io_error(path, "open it"))?;
    // Asked of the open file, which nobody can exchange any more.
    let metadata = file.metadata().map_err(io_error(path, "read its permissions"))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyRingError::Exposed { path: path.to_owned(), mode });
    }
    let too_large = || KeyRingError::TooLarge { path: path.to_owned(), limit: MAX_FILE_BYTES };
    let size = usize::try_from(metadata.len()).map_err(|_| too_large())?;
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large());
    }
    // Room for all, so that growing leaves no copies of keys behind.
    let mut json = Zeroizing::new(String::with_capacity(size + 1));
    file.take(MAX_FILE_BYTES).read_to_string(&mut json).map_err(io_error(path, "read it"))?;
    Ok(json)
}

fn replace_file(path: &Path, ring: &KeyRing) -> Result<(), KeyRingError> {
    let temporary = temporary_beside(path);
    // Left behind by a crash; the folder lock says that no living process is writing it.
    let _ = fs::remove_file(&temporary);
    let written = write_synced(&temporary, ring.to_json().as_bytes())
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| File::open(folder_of(path))?.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(io_error(path, "write it"))
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn create_folder(path: &Path) -> Result<(), KeyRingError> {
    let folder = folder_of(path);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(io_error(path, "make its folder"))
}

/// Held until dropped. The folder is locked and not the file, because saving replaces the file.
fn lock_folder_of(path: &Path) -> Result<File, KeyRingError> {
    let folder = File::open(folder_of(path)).map_err(io_error(path, "open its folder"))?;
    folder.lock().map_err(io_error(path, "lock its folder"))?;
    Ok(folder)
}

fn io_error(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> KeyRingError {
    move |source| KeyRingError::Io { path: path.to_owned(), action, source }
}

fn within(origin: String, source: KeyRingError) -> KeyRingError {
    KeyRingError::In { origin, source: Box::new(source) }
}
