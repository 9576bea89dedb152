//! A disk with a cache that a power cut empties.
//!
//! Certain is only what a sync covered that had returned: of a file, what was written before the sync
//! began; of a folder, which files are in it. Of everything else, each sector may have reached the disk or
//! not, in any order.

use std::{collections::BTreeMap, path::Path};

use super::record::{Event, What};

const SECTOR: usize = 512;
const PAGE: usize = 4096;

/// Knuth's generator.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("small") % end.max(1)
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

#[derive(Clone)]
enum Change {
    Write { at: usize, data: Vec<u8> },
    Truncate(usize),
}

#[derive(Default)]
struct File {
    certain: Vec<u8>,
    /// Changes that no sync has covered, with the number of their event.
    pending: Vec<(usize, Change)>,
    /// The event that made it, while its folder was not synced since.
    made: Option<usize>,
}

/// The files of one folder.
pub(crate) struct Disk {
    files: BTreeMap<String, File>,
    /// Removed while their folder was not synced since: they may be there after all.
    removed: BTreeMap<String, (usize, File)>,
    /// Where syncs that have not returned began.
    syncs: BTreeMap<i64, usize>,
    now: usize,
}

/// What becomes of changes that are not certain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Dropped,
    Kept,
    /// The first so many are kept, the last of them in part.
    TornAfter,
    /// Every unit of so many bytes is kept or not.
    Scattered(usize),
    /// Only the newest is kept.
    Reversed,
}

impl Fate {
    pub(crate) const ALL: [Self; 6] = [
        Self::Dropped,
        Self::TornAfter,
        Self::Scattered(SECTOR),
        Self::Scattered(PAGE),
        Self::Reversed,
        Self::Kept,
    ];
}

impl Disk {
    /// A disk that holds these files for certain.
    pub(crate) fn holding(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let file = |content: &Vec<u8>| File { certain: content.clone(), ..File::default() };
        let files = files.iter().map(|(name, content)| (name.clone(), file(content))).collect();
        Self { files, removed: BTreeMap::new(), syncs: BTreeMap::new(), now: 0 }
    }

    pub(crate) fn apply(&mut self, event: &Event) {
        self.now += 1;
        match &event.what {
            What::Write { at, data } => self.change(event, Change::Write { at: *at, data: data.clone() }),
            What::Truncate(size) => self.change(event, Change::Truncate(*size)),
            What::Unlink => {
                if let Some(file) = self.files.remove(&event.file) {
                    self.removed.insert(event.file.clone(), (self.now, file));
                }
            }
            What::SyncBegins(token) => _ = self.syncs.insert(*token, self.now),
            What::SyncEnds(token) => {
                if let Some(began) = self.syncs.remove(token) {
                    self.synced(&event.file, began);
                }
            }
            What::Answer(_) => {}
        }
    }

    fn change(&mut self, event: &Event, change: Change) {
        let now = self.now;
        let made = || File { made: Some(now), ..File::default() };
        self.files.entry(event.file.clone()).or_insert_with(made).pending.push((now, change));
    }

    fn synced(&mut self, name: &str, began: usize) {
        if name.is_empty() {
            self.removed.retain(|_, (at, _)| *at > began);
            for file in self.files.values_mut() {
                file.made = file.made.filter(|at| *at > began);
            }
        } else if let Some(file) = self.files.get_mut(name) {
            let later = file.pending.partition_point(|(at, _)| *at < began);
            for (_, change) in file.pending.drain(..later) {
                make(&mut file.certain, &change);
            }
        }
    }

    /// Writes what the disk may hold if the power is cut now.
    pub(crate) fn write_image(&self, folder: &Path, fate: Fate, random: &mut Random) {
        let mut image: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        let kept = |random: &mut Random| match fate {
            Fate::Dropped => false,
            Fate::Kept => true,
            _ => random.coin(),
        };
        for (name, (_, file)) in &self.removed {
            if !kept(random) {
                image.insert(name, file.after(fate, random));
            }
        }
        for (name, file) in &self.files {
            if file.made.is_none() || kept(random) {
                image.insert(name, file.after(fate, random));
            }
        }
        for (name, content) in image {
            std::fs::write(folder.join(name), content).expect("a file");
        }
    }
}

impl File {
    fn after(&self, fate: Fate, random: &mut Random) -> Vec<u8> {
        let mut content = self.certain.clone();
        let count = self.pending.len();
        let first = random.below(count + 1);
        for (n, (_, change)) in self.pending.iter().enumerate() {
            let (whole, unit) = match fate {
                Fate::Dropped => (false, None),
                Fate::Kept => (true, None),
                Fate::TornAfter => (n < first, (n == first).then_some(SECTOR)),
                Fate::Scattered(unit) => (false, Some(unit)),
                Fate::Reversed => (n + 1 == count, None),
            };
            match unit {
                Some(unit) => scatter(&mut content, change, unit, random),
                None if whole => make(&mut content, change),
                None => {}
            }
        }
        content
    }
}

fn make(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, data } => {
            let end = at + data.len();
            content.resize(content.len().max(end), 0);
            content[*at..end].copy_from_slice(data);
        }
        Change::Truncate(size) => content.resize(*size, 0),
    }
}

/// Makes some of a change: of a write, some of the units of the disk that it touches.
fn scatter(content: &mut Vec<u8>, change: &Change, unit: usize, random: &mut Random) {
    let Change::Write { at, data } = change else {
        if random.coin() {
            make(content, change);
        }
        return;
    };
    let mut from = *at;
    while from < at + data.len() {
        let to = ((from / unit + 1) * unit).min(at + data.len());
        if random.coin() {
            let part = data[from - at..to - at].to_vec();
            make(content, &Change::Write { at: from, data: part });
        }
        from = to;
    }
}
