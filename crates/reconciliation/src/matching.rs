//! Matching: which line and which own record speak of the same thing. One to one, and the same for the same
//! input in any order of equal records.
//!
//! 1. By reference: equal amounts first, then differing ones, then those that took place on one side only.
//! 2. By amount and time, where one of the two has no reference: as many as fit within the window.
//! 3. What we undid ourselves cancels out with its reversal, unless they still count it.
//!
//! Cost: sorting both sides a few times, n log n; memory: two lists of positions for each side.

use std::{cmp::Reverse, collections::BinaryHeap};

use domain::{OperationId, Timestamp};

use crate::{Class, Difference, Line, LineStatus};

/// How we decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnStatus {
    /// Value moved.
    Approved,
    /// Nothing moved.
    Declined,
}

/// What our log says, from the view of the file's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRecord {
    /// The operation.
    pub operation: OperationId,
    /// What the other side is likely to call it by; empty where nobody named it.
    pub reference: Box<str>,
    /// Minor units; below zero where money went back. Of a declined operation, what was asked for.
    pub amount: i64,
    /// When.
    pub at: Timestamp,
    /// How we decided.
    pub status: OwnStatus,
    /// The operation that this one undoes, where it is a reversal.
    pub undoes: Option<OperationId>,
}

/// What counts as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The first moment that the file speaks of. Own records before it only serve to match.
    pub from: Timestamp,
    /// The last such moment.
    pub to: Timestamp,
    /// How far apart the two sides' clocks and postings usually are, in seconds.
    pub window_seconds: u32,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It agrees with the own record at this position.
    Matched(u32),
    /// It disagrees with the own record at this position, or has none.
    Differs(Class, Option<u32>),
    /// It says that nothing happened, and nothing did.
    NoEffect,
}

/// The comparison's result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// For each line, in order.
    pub verdicts: Vec<Verdict>,
    /// What disagrees: by line, then by own record.
    pub differences: Vec<Difference>,
    /// Lines that agree with a record.
    pub matched: u32,
    /// Own records that cancelled each other out: an operation and its reversal.
    pub cancelled: u32,
}

const NONE: u32 = u32::MAX;

/// Compares. Both sides must have fewer than 2^32 − 1 entries.
pub fn compare(lines: &[Line], own: &[OwnRecord], rules: &Rules) -> Outcome {
    let mut work = Work::new(lines, own, rules);
    work.by_reference();
    for also_undone in [false, true] {
        work.by_amount(|line| line.reference.is_empty(), |_| true, also_undone);
        work.by_amount(|line| !line.reference.is_empty(), |named| !named, also_undone);
    }
    work.undone();
    work.late();
    work.finish()
}

/// Who has been found, and what is left.
struct Work<'a> {
    lines: &'a [Line],
    own: &'a [OwnRecord],
    rules: &'a Rules,
    verdicts: Vec<Option<Verdict>>,
    /// For each own record its line, or `NONE`.
    partner: Vec<u32>,
    /// Own records that are accounted for without a line.
    settled: Vec<bool>,
    /// For each own record its reversal, or `NONE`.
    undone_by: Vec<u32>,
    /// For each own record the one that it undoes, or `NONE`.
    undoes: Vec<u32>,
    /// More of the same reference than the other side has.
    line_extra: Vec<bool>,
    own_extra: Vec<bool>,
    cancelled: u32,
}

fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}

fn index(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

impl<'a> Work<'a> {
    fn new(lines: &'a [Line], own: &'a [OwnRecord], rules: &'a Rules) -> Self {
        let (undone_by, undoes) = reversals(own);
        Self {
            lines,
            own,
            rules,
            verdicts: vec![None; lines.len()],
            partner: vec![NONE; own.len()],
            settled: vec![false; own.len()],
            undone_by,
            undoes,
            line_extra: vec![false; lines.len()],
            own_extra: vec![false; own.len()],
            cancelled: 0,
        }
    }

    /// A reversal that nobody named goes by the name of what it undoes.
    fn name(&self, own: u32) -> &'a str {
        let record = &self.own[index(own)];
        let original = self.undoes[index(own)];
        if record.reference.is_empty() && original != NONE {
            return &self.own[index(original)].reference;
        }
        &record.reference
    }

    fn pair(&mut self, line: u32, own: u32, verdict: Verdict) {
        self.verdicts[index(line)] = Some(verdict);
        self.partner[index(own)] = line;
    }

    fn line_is_free(&self, line: u32) -> bool {
        self.verdicts[index(line)].is_none()
    }

    fn own_is_free(&self, own: u32) -> bool {
        self.partner[index(own)] == NONE
    }

    fn by_reference(&mut self) {
        let (all_lines, all_own) = (self.lines, self.own);
        let mut lines: Vec<u32> =
            (0..position(all_lines.len())).filter(|l| !all_lines[index(*l)].reference.is_empty()).collect();
        let mut own: Vec<u32> = (0..position(all_own.len())).filter(|o| !self.name(*o).is_empty()).collect();
        lines.sort_unstable_by_key(|l| (&*all_lines[index(*l)].reference, *l));
        own.sort_unstable_by(|a, b| self.name(*a).cmp(self.name(*b)).then(a.cmp(b)));
        let mut rest = own.as_slice();
        for group in lines.chunk_by(|a, b| all_lines[index(*a)].reference == all_lines[index(*b)].reference) {
            let name = &*all_lines[index(group[0])].reference;
            let before = rest.partition_point(|o| self.name(*o) < name);
            let length = rest[before..].partition_point(|o| self.name(*o) == name);
            self.group(group, &rest[before..before + length]);
            rest = &rest[before + length..];
        }
    }

    /// All lines and records of one reference.
    fn group(&mut self, lines: &[u32], own: &[u32]) {
        let (all_lines, all_own) = (self.lines, self.own);
        if let (&[line], &[own]) = (lines, own)
            && self.agree(line, own)
        {
            // Nearly all of them.
            return self.pair(line, own, Verdict::Matched(own));
        }
        let succeeded = |line: u32| all_lines[index(line)].status == LineStatus::Succeeded;
        let approved = |own: u32| all_own[index(own)].status == OwnStatus::Approved;
        let split = |list: &[u32], good: &dyn Fn(u32) -> bool| -> (Vec<u32>, Vec<u32>) {
            list.iter().partition(|position| good(**position))
        };
        let (mut done, not_done) = split(lines, &succeeded);
        let (mut moved, not_moved) = split(own, &approved);
        done.sort_unstable_by_key(|l| (all_lines[index(*l)].amount, self.order(*l)));
        moved.sort_unstable_by_key(|o| {
            let record = &all_own[index(*o)];
            (record.amount, self.undone_by[index(*o)] != NONE, record.at, *o)
        });
        self.equal_amounts(&done, &moved);
        for sign in [1, -1] {
            self.one_sign(sign, (&done, &not_done), (&moved, &not_moved));
        }
        for line in not_done {
            self.verdicts[index(line)].get_or_insert(Verdict::NoEffect);
        }
        self.mark_extra(&done, &moved);
    }

    /// The order in which lines are taken: by what they say. Where they stand in the file decides only among
    /// lines that say the same.
    fn order(&self, line: u32) -> (Timestamp, Timestamp, i64, u32) {
        let says = &self.lines[index(line)];
        (says.from, says.to, says.amount, line)
    }

    fn agree(&self, line: u32, own: u32) -> bool {
        let (line, own) = (&self.lines[index(line)], &self.own[index(own)]);
        let done = line.status == LineStatus::Succeeded && own.status == OwnStatus::Approved;
        done && line.amount == own.amount
    }

    /// Both in order of amount: the k-th of an amount with the k-th.
    fn equal_amounts(&mut self, done: &[u32], moved: &[u32]) {
        let (mut l, mut o) = (0, 0);
        while let (Some(&line), Some(&own)) = (done.get(l), moved.get(o)) {
            match self.lines[index(line)].amount.cmp(&self.own[index(own)].amount) {
                std::cmp::Ordering::Less => l += 1,
                std::cmp::Ordering::Greater => o += 1,
                std::cmp::Ordering::Equal => {
                    self.pair(line, own, Verdict::Matched(own));
                    (l, o) = (l + 1, o + 1);
                }
            }
        }
    }

    /// What is left of one reference and direction: first with another amount, then with another status.
    fn one_sign(
        &mut self,
        sign: i64,
        (done, not_done): (&[u32], &[u32]),
        (moved, not_moved): (&[u32], &[u32]),
    ) {
        let rounds = [
            (done, moved, Class::AmountDiffers),
            (done, not_moved, Class::StatusDiffers),
            (not_done, moved, Class::StatusDiffers),
        ];
        for (lines, own, class) in rounds {
            let mut free_lines: Vec<u32> = lines.to_vec();
            free_lines.retain(|l| self.line_is_free(*l) && self.lines[index(*l)].amount.signum() == sign);
            let mut free_own: Vec<u32> = own.to_vec();
            free_own.retain(|o| self.own_is_free(*o) && self.own[index(*o)].amount.signum() == sign);
            free_lines.sort_unstable_by_key(|l| self.order(*l));
            free_own
                .sort_unstable_by_key(|o| (self.undone_by[index(*o)] != NONE, self.own[index(*o)].at, *o));
            for (line, own) in free_lines.into_iter().zip(free_own) {
                self.pair(line, own, Verdict::Differs(class, Some(own)));
            }
        }
    }

    /// What is left beside something of the same reference and direction is one too many.
    fn mark_extra(&mut self, done: &[u32], moved: &[u32]) {
        for sign in [1, -1] {
            let of_sign = |amount: i64| amount.signum() == sign;
            let lines = done.iter().filter(|l| of_sign(self.lines[index(**l)].amount));
            let (paired, free): (Vec<u32>, Vec<u32>) = lines.partition(|l| !self.line_is_free(**l));
            let own: Vec<u32> = moved
                .iter()
                .copied()
                .filter(|o| of_sign(self.own[index(*o)].amount) && self.own_is_free(*o))
                .collect();
            if !paired.is_empty() {
                for line in free {
                    self.line_extra[index(line)] = true;
                }
                for record in own {
                    self.own_extra[index(record)] = true;
                }
            } else if own.is_empty() {
                // We do not know the reference. The first of equal lines may still be found by amount.
                let same = |a: &u32, b: &u32| self.lines[index(*a)].amount == self.lines[index(*b)].amount;
                let extra: Vec<u32> = free.chunk_by(same).flat_map(|equal| &equal[1..]).copied().collect();
                for line in extra {
                    self.line_extra[index(line)] = true;
                }
            }
        }
    }

    /// Pairs what has the same amount and fits within the window: each record, in order of time, with the
    /// line whose time runs out first. That gives as many pairs as there can be.
    fn by_amount(
        &mut self,
        takes_line: impl Fn(&Line) -> bool,
        takes_named: impl Fn(bool) -> bool,
        also_undone: bool,
    ) {
        let (all_lines, all_own) = (self.lines, self.own);
        let mut lines: Vec<u32> = (0..position(all_lines.len()))
            .filter(|l| {
                let line = &all_lines[index(*l)];
                let open = self.line_is_free(*l) && !self.line_extra[index(*l)];
                open && line.status == LineStatus::Succeeded && takes_line(line)
            })
            .collect();
        if lines.is_empty() {
            return;
        }
        let mut own: Vec<u32> = (0..position(all_own.len()))
            .filter(|o| {
                let undone = self.undone_by[index(*o)] != NONE || self.undoes[index(*o)] != NONE;
                let open = self.own_is_free(*o) && !self.own_extra[index(*o)] && (also_undone || !undone);
                let approved = all_own[index(*o)].status == OwnStatus::Approved;
                open && approved && takes_named(!self.name(*o).is_empty())
            })
            .collect();
        lines.sort_unstable_by_key(|l| (all_lines[index(*l)].amount, self.order(*l)));
        own.sort_unstable_by_key(|o| (all_own[index(*o)].amount, all_own[index(*o)].at, *o));
        let mut rest = own.as_slice();
        for equal in lines.chunk_by(|a, b| all_lines[index(*a)].amount == all_lines[index(*b)].amount) {
            let amount = all_lines[index(equal[0])].amount;
            let before = rest.partition_point(|o| all_own[index(*o)].amount < amount);
            let length = rest[before..].partition_point(|o| all_own[index(*o)].amount == amount);
            self.within_window(equal, &rest[before..before + length]);
            rest = &rest[before + length..];
        }
    }

    fn within_window(&mut self, lines: &[u32], own: &[u32]) {
        let window = i64::from(self.rules.window_seconds).saturating_mul(1_000_000);
        let mut waiting = BinaryHeap::new();
        let mut next = 0;
        for record in own {
            let at = self.own[index(*record)].at.micros();
            while let Some(line) = lines.get(next) {
                let when = &self.lines[index(*line)];
                if when.from.micros().saturating_sub(window) > at {
                    break;
                }
                waiting.push(Reverse((when.to.micros().saturating_add(window), *line)));
                next += 1;
            }
            while let Some(Reverse((until, line))) = waiting.pop() {
                if until >= at {
                    self.pair(line, *record, Verdict::Matched(*record));
                    break;
                }
            }
        }
    }

    /// A reversal without a line: what it undoes has either none too, or one that they should not count.
    fn undone(&mut self) {
        for reversal in 0..position(self.own.len()) {
            let original = self.undoes[index(reversal)];
            if original == NONE || !self.own_is_free(reversal) {
                continue;
            }
            let line = self.partner[index(original)];
            if line == NONE {
                self.settled[index(original)] = true;
                self.cancelled = self.cancelled.saturating_add(1);
            } else {
                let counted = self.lines[index(line)].status == LineStatus::Succeeded;
                let differs = Verdict::Differs(Class::StatusDiffers, Some(original));
                self.verdicts[index(line)] = Some(if counted { differs } else { Verdict::NoEffect });
            }
            self.settled[index(reversal)] = true;
        }
    }

    fn late(&mut self) {
        let window = i64::from(self.rules.window_seconds).saturating_mul(1_000_000);
        for (line, verdict) in self.lines.iter().zip(&mut self.verdicts) {
            let Some(Verdict::Matched(own)) = *verdict else { continue };
            let at = self.own[index(own)].at.micros();
            let apart = (line.from.micros().saturating_sub(at)).max(at.saturating_sub(line.to.micros()));
            if apart > window {
                *verdict = Some(Verdict::Differs(Class::Late, Some(own)));
            }
        }
    }

    fn finish(self) -> Outcome {
        let mut outcome = Outcome { cancelled: self.cancelled, ..Outcome::default() };
        for (number, line) in self.lines.iter().enumerate() {
            let verdict = self.verdicts[number].unwrap_or(match (line.status, self.line_extra[number]) {
                (LineStatus::Succeeded, true) => Verdict::Differs(Class::Duplicate, None),
                (LineStatus::Succeeded, false) => Verdict::Differs(Class::MissingHere, None),
                _ => Verdict::NoEffect,
            });
            outcome.verdicts.push(verdict);
            match verdict {
                Verdict::Matched(_) => outcome.matched = outcome.matched.saturating_add(1),
                Verdict::Differs(class, own) => {
                    let (here, there) = self.sides(line, own);
                    let line = Some(position(number));
                    outcome.differences.push(Difference { class, line, own, here, there });
                }
                Verdict::NoEffect => {}
            }
        }
        for (number, record) in self.own.iter().enumerate() {
            let spoken_of = (self.rules.from..=self.rules.to).contains(&record.at);
            let open = self.partner[number] == NONE && !self.settled[number];
            if open && spoken_of && record.status == OwnStatus::Approved && record.amount != 0 {
                let class = if self.own_extra[number] { Class::Duplicate } else { Class::MissingThere };
                let own = Some(position(number));
                outcome.differences.push(Difference {
                    class,
                    line: None,
                    own,
                    here: record.amount,
                    there: 0,
                });
            }
        }
        outcome
    }

    /// What moved by our books and by theirs.
    fn sides(&self, line: &Line, own: Option<u32>) -> (i64, i64) {
        let there = if line.status == LineStatus::Succeeded { line.amount } else { 0 };
        let Some(own) = own else { return (0, there) };
        let record = &self.own[index(own)];
        let reversal = self.undone_by[index(own)];
        let undone = reversal != NONE && self.settled[index(reversal)];
        let moved = record.status == OwnStatus::Approved && !undone;
        (if moved { record.amount } else { 0 }, there)
    }
}

/// For each record its reversal, and for each reversal what it undoes, among the records at hand.
fn reversals(own: &[OwnRecord]) -> (Vec<u32>, Vec<u32>) {
    let (mut undone_by, mut undoes) = (vec![NONE; own.len()], vec![NONE; own.len()]);
    let approved = |record: &OwnRecord| record.status == OwnStatus::Approved;
    let named = own.iter().enumerate().filter(|(_, record)| approved(record) && record.undoes.is_some());
    let mut wanted: Vec<(OperationId, u32)> =
        named.filter_map(|(n, record)| record.undoes.map(|original| (original, position(n)))).collect();
    if wanted.is_empty() {
        return (undone_by, undoes);
    }
    wanted.sort_unstable();
    for (number, record) in own.iter().enumerate().filter(|(_, record)| approved(record)) {
        let first = wanted.partition_point(|(original, _)| *original < record.operation);
        if let Some((_, reversal)) = wanted.get(first).filter(|(original, _)| *original == record.operation) {
            undone_by[number] = *reversal;
            undoes[index(*reversal)] = position(number);
        }
    }
    (undone_by, undoes)
}
