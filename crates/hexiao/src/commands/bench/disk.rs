//! What the disk does in the same minute: no commit is durable sooner than one sync.

use std::{
    fs::OpenOptions,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use crate::failure::Result;

const PAGE: [u8; 4096] = [0x5a; 4096];
/// The file is written over and over, as a write-ahead log is, so that syncs do not have to extend it.
const PAGES: u64 = 4096;
const LASTS: Duration = Duration::from_secs(2);

/// How fast 4 KiB are written and synced, one after the other.
pub(super) struct Syncs {
    pub(super) per_s: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// Measures in `folder`, where the database is.
pub(super) fn measure(folder: &Path) -> Result<Syncs> {
    let file = tempfile::NamedTempFile::new_in(folder)?;
    file.as_file().set_len(0)?;
    let mut log = OpenOptions::new().write(true).open(file.path())?;
    for _ in 0..PAGES {
        log.write_all(&PAGE)?;
    }
    log.sync_all()?;
    let mut took = Vec::new();
    let began = Instant::now();
    while began.elapsed() < LASTS {
        if u64::try_from(took.len())? % PAGES == 0 {
            std::io::Seek::rewind(&mut log)?;
        }
        let one = Instant::now();
        log.write_all(&PAGE)?;
        log.sync_data()?;
        took.push(one.elapsed());
    }
    let total = began.elapsed();
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).map_or(0.0, |d| d.as_secs_f64() * 1e3);
    let count = u32::try_from(took.len())?;
    Ok(Syncs { per_s: f64::from(count) / total.as_secs_f64(), p50_ms: at(50), p99_ms: at(99) })
}
