//! What `tests/support/disk_recorder.c` wrote down.

use std::path::Path;

/// Something that a server did.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// The name of the file, without its folder; of a folder, empty.
    pub(crate) file: String,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Write {
        at: usize,
        data: Vec<u8>,
    },
    Truncate(usize),
    Unlink,
    SyncBegins(i64),
    SyncEnds(i64),
    /// The ids of operations in an answer, before it left.
    Answer(Vec<String>),
}

/// Reads a record of the database in `folder`. SQLite's shared memory is no part of the database.
pub(crate) fn read(record: &Path, folder: &Path) -> Vec<Event> {
    let all = std::fs::read(record).expect("a record");
    let (mut rest, mut events) = (all.as_slice(), Vec::new());
    while !rest.is_empty() {
        let kind = take(&mut rest, 1)[0];
        let length = |rest: &mut &[u8]| {
            let bytes = take(rest, 4).try_into().expect("four bytes");
            usize::try_from(u32::from_ne_bytes(bytes)).expect("a length")
        };
        let (path, data) = (length(&mut rest), length(&mut rest));
        let number = i64::from_ne_bytes(take(&mut rest, 8).try_into().expect("eight bytes"));
        let path = std::str::from_utf8(take(&mut rest, path)).expect("a path");
        let data = take(&mut rest, data);
        let file = Path::new(path).strip_prefix(folder).unwrap_or(Path::new(""));
        let file = file.to_string_lossy().into_owned();
        if file.ends_with("-shm") {
            continue;
        }
        let place = || usize::try_from(number).expect("not negative");
        let what = match kind {
            b'W' => What::Write { at: place(), data: data.to_vec() },
            b'T' => What::Truncate(place()),
            b'U' => What::Unlink,
            b'B' => What::SyncBegins(number),
            b'E' => What::SyncEnds(number),
            b'A' => What::Answer(operations(data)),
            other => panic!("a record of kind {other}"),
        };
        events.push(Event { file, what });
    }
    events
}

fn take<'r>(rest: &mut &'r [u8], count: usize) -> &'r [u8] {
    let (taken, left) = rest.split_at(count);
    *rest = left;
    taken
}

/// The ids of operations in an answer.
fn operations(answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answer);
    let ids = text.split("\"id\":\"op_").skip(1).filter_map(|rest| rest.split('"').next());
    ids.map(|id| format!("op_{id}")).collect()
}
