//! Continuous archiving: every commit of a serving process is copied to another folder within a second, so
//! that the database can be brought back as it was at any moment.
//!
//! An archive is a folder for each start of the server, with a copy of the database (`base.db`) and the
//! write-ahead log in the stretches between two of its beginnings (`log-1`, `log-2`, …), as SQLite wrote it:
//! images of whole pages, so that applying one twice does no harm and the copy may be of any moment. `times`
//! says how far it was when. The log may only begin again after it was copied: [`crate::checkpoint`] sees to
//! that, with a reader that keeps the log while it is copied and carried over.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use storage::{Result, StorageError};

use crate::{SqliteStore, wal};

/// The copy of the database, of the moment that [`BASE_TIME`] says.
pub(crate) const BASE: &str = "base.db";
/// When the copy was complete: earlier moments cannot be had from this folder.
pub(crate) const BASE_TIME: &str = "base-time";
/// Lines of "log length microseconds": so long was this log when it was looked at.
pub(crate) const TIMES: &str = "times";
/// How much of the log is looked at in one go.
const PORTION: u64 = 16 << 20;

fn failed(what: &Path, error: &std::io::Error) -> StorageError {
    StorageError::Unavailable(format!("the archive: {}: {error}", what.display()))
}

/// The file of a stretch of the log.
pub(crate) fn log_file(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("log-{number}"))
}

#[expect(clippy::disallowed_methods, reason = "restore points are moments of the machine's own clock")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn now() -> i64 {
    i64::try_from(since_epoch().as_micros()).unwrap_or(i64::MAX)
}

/// When the archive last had all that was committed: who watches the age of it sees an archive that cannot be
/// written, and a thread that has ended.
const SHIPPED: &str = "hexiao_archive_shipped_timestamp_seconds";
const FAILURES: &str = "hexiao_archive_failures_total";

fn describe_metrics() {
    metrics::describe_gauge!(SHIPPED, "When the archive last had all that was committed");
    metrics::describe_counter!(FAILURES, "Attempts to write the archive that failed");
    metrics::counter!(FAILURES).absolute(0);
}

/// An archive that is being written.
pub(crate) struct Archive {
    folder: PathBuf,
    log: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    number: u64,
    stretch: Option<Stretch>,
}

/// The log since it last began.
struct Stretch {
    reader: wal::Reader,
    copy: File,
}

impl Stretch {
    /// The copy is as long as what was read: whatever a failed attempt left behind that is written over.
    fn append(&mut self, at: u64, committed: &[u8]) -> std::io::Result<()> {
        self.copy.seek(SeekFrom::Start(at))?;
        self.copy.write_all(committed)?;
        self.copy.sync_data()
    }
}

impl Archive {
    /// Begins a folder of its own in `to`, with the log as it is now.
    fn begin(database: &Path, to: &Path) -> Result<Self> {
        let folder = to.join(now().to_string());
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Ok(Self { folder, log: PathBuf::from(log), state: Mutex::default() })
    }

    /// Copies what was committed since the last time, and makes it durable.
    pub(crate) fn ship(&self) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while self.ship_portion(&mut state)? {}
        Ok(())
    }

    /// `true` if there may be more.
    fn ship_portion(&self, state: &mut State) -> Result<bool> {
        let at_log = |error: std::io::Error| failed(&self.log, &error);
        let mut log = match File::open(&self.log) {
            Ok(log) => log,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(at_log(error)),
        };
        let mut head = [0; wal::HEADER];
        if log.metadata().map_err(at_log)?.len() < head.len() as u64 {
            return Ok(false);
        }
        log.read_exact(&mut head).map_err(at_log)?;
        let Some(fresh) = wal::Reader::begin(&head) else { return Ok(false) };
        if state.stretch.as_ref().is_none_or(|stretch| stretch.reader.salts() != fresh.salts()) {
            // Numbers have no gaps, also when the first attempts at a file fail.
            let path = log_file(&self.folder, state.number + 1);
            let mut copy = File::create(&path).map_err(|error| failed(&path, &error))?;
            copy.write_all(&head).map_err(|error| failed(&path, &error))?;
            state.number += 1;
            state.stretch = Some(Stretch { reader: fresh, copy });
        }
        let number = state.number;
        let Some(stretch) = state.stretch.as_mut() else { return Ok(false) };
        let before = stretch.reader.clone();
        log.seek(SeekFrom::Start(before.length())).map_err(at_log)?;
        let (mut read, mut log) = (Vec::new(), log);
        let (mut committed, mut more) = (0, true);
        // A transaction that is longer than a portion is read whole.
        while committed == 0 && more {
            let portion = (&mut log).take(PORTION).read_to_end(&mut read).map_err(at_log)?;
            more = portion as u64 == PORTION;
            committed = stretch.reader.committed(&read).len();
        }
        if committed == 0 {
            return Ok(false);
        }
        let committed = read.get(..committed).unwrap_or_default();
        let path = log_file(&self.folder, number);
        let written = stretch.append(before.length(), committed).map_err(|error| failed(&path, &error));
        if let Err(error) = written.and_then(|()| self.note(number, stretch.reader.length())) {
            // The next attempt writes the same again, to the same place: nothing is left out or twice.
            stretch.reader = before;
            return Err(error);
        }
        Ok(more)
    }

    fn note(&self, number: u64, length: u64) -> Result<()> {
        let path = self.folder.join(TIMES);
        let at = |error: std::io::Error| failed(&path, &error);
        let mut times = OpenOptions::new().create(true).append(true).open(&path).map_err(at)?;
        writeln!(times, "{number} {length} {}", now()).and_then(|()| times.sync_data()).map_err(at)
    }

    fn complete(&self) -> Result<()> {
        // What was committed while the copy was made is needed with it.
        self.ship()?;
        let path = self.folder.join(BASE_TIME);
        fs::write(&path, now().to_string()).map_err(|error| failed(&path, &error))?;
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed(&self.folder, &error))
    }
}

impl SqliteStore {
    /// Archives from now on to a folder in `to`, as often as `every` says. For the opening that serves.
    pub async fn archive_to(&self, to: &Path, every: Duration) -> Result<()> {
        let archive = Arc::new(Archive::begin(self.path(), to)?);
        self.inner.checkpoints.archive_to(Arc::clone(&archive))?;
        archive.ship()?;
        self.backup(&archive.folder.join(BASE)).await?;
        archive.complete()?;
        describe_metrics();
        let shipping = Arc::downgrade(&archive);
        let work = move || {
            loop {
                std::thread::sleep(every);
                let Some(archive) = shipping.upgrade() else { return };
                match archive.ship() {
                    Ok(()) => metrics::gauge!("hexiao_archive_shipped_timestamp_seconds")
                        .set(since_epoch().as_secs_f64()),
                    Err(error) => {
                        metrics::counter!("hexiao_archive_failures_total").increment(1);
                        tracing::error!(%error, "the log is not archived, and grows until it is");
                    }
                }
            }
        };
        let started = std::thread::Builder::new().name("archive".to_owned()).spawn(work);
        started
            .map(drop)
            .map_err(|error| StorageError::Setup(format!("cannot start the archive thread: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path) -> (rusqlite::Connection, PathBuf) {
        let path = folder.join("one.db");
        let connection = rusqlite::Connection::open(&path).expect("a database");
        connection.pragma_update(None, "journal_mode", "WAL").expect("a log");
        connection.execute_batch("CREATE TABLE t (n INTEGER)").expect("written");
        (connection, path)
    }

    fn write(connection: &rusqlite::Connection) {
        let rows = "WITH RECURSIVE every (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM every WHERE n < 2000)";
        connection.execute_batch(&format!("INSERT INTO t {rows} SELECT n FROM every")).expect("written");
    }

    /// A disk that is full for a while: what could not be written is written later, and nothing else.
    #[test]
    fn what_could_not_be_written_is_written_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let (connection, path) = written(folder.path());
        let archive = Archive::begin(&path, &folder.path().join("archive")).expect("an archive");
        // The first file cannot be written at all, then it can.
        std::os::unix::fs::symlink("/dev/full", log_file(&archive.folder, 1)).expect("a full disk");
        archive.ship().expect_err("a full disk");
        archive.ship().expect_err("a full disk");
        fs::remove_file(log_file(&archive.folder, 1)).expect("room");
        archive.ship().expect("shipped");
        // Now the middle of it cannot: once at all, once only in part.
        write(&connection);
        let whole = archive.folder.join("log-1");
        with_copy(&archive, File::open(&whole).expect("read-only"));
        archive.ship().expect_err("read-only");
        write(&connection);
        let mut torn = OpenOptions::new().write(true).open(&whole).expect("a file");
        torn.seek(SeekFrom::End(0)).expect("its end");
        torn.write_all(b"half a fra").expect("torn");
        with_copy(&archive, torn);
        // And the list of moments, after the log.
        let times = archive.folder.join(TIMES);
        fs::rename(&times, folder.path().join("times")).expect("moved");
        fs::create_dir(&times).expect("in the way");
        archive.ship().expect_err("in the way");
        fs::remove_dir(&times).expect("removed");
        fs::rename(folder.path().join("times"), &times).expect("back");
        archive.ship().expect("shipped");
        write(&connection);
        archive.ship().expect("shipped");
        let log = fs::read(&archive.log).expect("the log");
        assert_eq!(fs::read(&whole).expect("the copy"), log, "the copy is the log");
        assert!(!log_file(&archive.folder, 2).exists());
    }

    fn with_copy(archive: &Archive, copy: File) {
        let mut state = archive.state.lock().expect("not poisoned");
        state.stretch.as_mut().expect("a stretch").copy = copy;
    }
}
