//! Bringing a database back from an archive, as it was at a chosen moment or at the end.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use storage::{Result, StorageError};

use crate::{
    archive::{BASE, BASE_TIME, TIMES, log_file},
    backup::{beside, check_whole, publish, refuse_existing, remove},
    error::IntoStorage,
    wal,
};

fn setup(text: String) -> StorageError {
    StorageError::Setup(text)
}

fn failed(what: &Path, error: &std::io::Error) -> StorageError {
    setup(format!("{}: {error}", what.display()))
}

/// What was brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// When the last commit in it was seen, in microseconds; later ones are lost, or were not wanted.
    pub until: i64,
    /// Transactions that were applied to the copy.
    pub transactions: u64,
}

/// Makes a database from an archive: as it was at `moment` (in microseconds), or as late as there is.
/// All transactions before it, none with an operation after it.
pub fn recover(archive: &Path, moment: Option<i64>, to: &Path) -> Result<Recovered> {
    refuse_existing(to)?;
    let folder = choose(archive, moment)?;
    let partial = beside(to, ".partial");
    remove(&partial)?;
    let done = build(&folder, moment, &partial).and_then(|done| publish(&partial, to).map(|()| done));
    if done.is_err() {
        drop(fs::remove_file(&partial));
    }
    done
}

/// The latest start of the server whose copy was complete before the moment.
fn choose(archive: &Path, moment: Option<i64>) -> Result<PathBuf> {
    let entries = fs::read_dir(archive).map_err(|error| failed(archive, &error))?;
    let complete = |folder: PathBuf| {
        let time: i64 = fs::read_to_string(folder.join(BASE_TIME)).ok()?.parse().ok()?;
        Some((time, folder))
    };
    let mut found: Vec<(i64, PathBuf)> =
        entries.filter_map(std::result::Result::ok).filter_map(|entry| complete(entry.path())).collect();
    found.sort();
    let earliest = found.first().map(|(time, _)| *time);
    let chosen = found.into_iter().rfind(|(time, _)| moment.is_none_or(|moment| *time <= moment));
    chosen.map(|(_, folder)| folder).ok_or_else(|| {
        let from = earliest.map_or("it has no complete copy".to_owned(), |time| {
            format!("it begins at {time} microseconds, after the moment that was asked for")
        });
        setup(format!("{} cannot bring that back: {from}", archive.display()))
    })
}

fn build(folder: &Path, moment: Option<i64>, partial: &Path) -> Result<Recovered> {
    let base = folder.join(BASE);
    fs::copy(&base, partial).map_err(|error| failed(&base, &error))?;
    let file =
        File::options().read(true).write(true).open(partial).map_err(|error| failed(partial, &error))?;
    let mut applying =
        Applying { file, path: partial.to_owned(), moment, done: Recovered { until: 0, transactions: 0 } };
    let mut current: Option<Log> = None;
    for step in steps(folder)? {
        let past = moment.is_some_and(|moment| step.time > moment);
        let mut log = match current.take() {
            Some(log) if log.number == step.log => log,
            _ => Log::open(folder, step.log)?,
        };
        if applying.step(&mut log, &step, past)? {
            break;
        }
        current = Some(log);
    }
    applying.file.sync_all().map_err(|error| failed(partial, &error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let whole = Connection::open_with_flags(immutable(partial), flags).stored()?;
    check_whole(&whole, partial)?;
    Ok(applying.done)
}

fn immutable(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    let mut uri = b"file:".to_vec();
    for byte in path.as_os_str().as_encoded_bytes() {
        if plain(byte) {
            uri.push(*byte);
        } else {
            uri.push(b'%');
            uri.extend([byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    uri.extend(b"?immutable=1");
    String::from_utf8_lossy(&uri).into_owned()
}

/// A line of the times.
struct Step {
    log: u64,
    length: u64,
    time: i64,
}

/// A last line that was cut off was never complete, and what it is about is not counted on.
fn steps(folder: &Path) -> Result<Vec<Step>> {
    let path = folder.join(TIMES);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|error| failed(&path, &error))?,
    };
    let step = |line: &str| {
        let mut words = line.split(' ');
        let (log, length) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Step { log, length, time: words.next()?.parse().ok()? })
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let steps = whole.lines().map(step).collect::<Option<Vec<_>>>();
    steps.ok_or_else(|| setup(format!("{} is damaged", path.display())))
}

/// A stretch of the log and how far it was applied.
struct Log {
    number: u64,
    bytes: Vec<u8>,
    reader: wal::Reader,
}

impl Log {
    fn open(folder: &Path, number: u64) -> Result<Self> {
        let path = log_file(folder, number);
        let bytes = fs::read(&path).map_err(|error| failed(&path, &error))?;
        let reader = bytes.first_chunk().and_then(wal::Reader::begin);
        let reader = reader.ok_or_else(|| setup(format!("{} is damaged", path.display())))?;
        Ok(Self { number, bytes, reader })
    }
}

struct Applying {
    file: File,
    path: PathBuf,
    moment: Option<i64>,
    done: Recovered,
}

impl Applying {
    /// Applies the log up to the end of a step. Where that is past the moment, only what has no later
    /// operation; `true` if that was the end.
    fn step(&mut self, log: &mut Log, step: &Step, past: bool) -> Result<bool> {
        while log.reader.length() < step.length {
            let size = log.reader.page_size() as u64;
            let before = self.file.metadata().map_err(|error| failed(&self.path, &error))?.len();
            let (mut undo, mut length) = (Vec::new(), 0);
            while length == 0 {
                let from = usize::try_from(log.reader.length()).unwrap_or(usize::MAX);
                let rest = log.bytes.get(from..).unwrap_or_default();
                let Some(frame) = log.reader.frame(rest) else {
                    return Err(setup(format!(
                        "log {} of the archive is damaged at byte {from}",
                        log.number
                    )));
                };
                let at = u64::from(frame.page.saturating_sub(1)) * size;
                if past {
                    undo.push((at, self.page(at, log.reader.page_size())?));
                }
                self.file.write_all_at(frame.image, at).map_err(|error| failed(&self.path, &error))?;
                length = frame.commit;
            }
            self.resize(u64::from(length) * size)?;
            if past && self.newest()?.is_some_and(|newest| self.moment.is_some_and(|moment| newest > moment))
            {
                self.undo(undo, before)?;
                return Ok(true);
            }
            self.done.transactions += 1;
        }
        self.done.until = if past { self.moment.unwrap_or(step.time) } else { step.time };
        Ok(past)
    }

    fn page(&self, at: u64, size: usize) -> Result<Vec<u8>> {
        let mut page = vec![0; size];
        match self.file.read_exact_at(&mut page, at) {
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                Err(failed(&self.path, &error))
            }
            _ => Ok(page),
        }
    }

    fn resize(&self, length: u64) -> Result<()> {
        self.file.set_len(length).map_err(|error| failed(&self.path, &error))
    }

    fn undo(&mut self, pages: Vec<(u64, Vec<u8>)>, length: u64) -> Result<()> {
        let at_file = |error: std::io::Error| failed(&self.path, &error);
        for (at, page) in pages.into_iter().rev() {
            self.file.seek(SeekFrom::Start(at)).map_err(at_file)?;
            self.file.write_all(&page).map_err(at_file)?;
        }
        self.file.set_len(length).map_err(at_file)?;
        self.done.until = self.moment.unwrap_or_default();
        Ok(())
    }

    /// The time of the newest operation.
    fn newest(&self) -> Result<Option<i64>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(immutable(&self.path), flags).stored()?;
        let sql = "SELECT at FROM operation ORDER BY id DESC LIMIT 1";
        connection.query_row(sql, [], |row| row.get(0)).optional().stored()
    }
}
