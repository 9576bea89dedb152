//! Matching: each class by example, then random books against a plain matcher and against what must hold.

use domain::{OperationId, Timestamp};
use proptest::prelude::*;
use reconciliation::{Class, Line, LineStatus, OwnRecord, OwnStatus, Rules, Verdict, compare};

const SECOND: i64 = 1_000_000;
const RULES: Rules =
    Rules { from: Timestamp::from_micros(0), to: Timestamp::from_micros(100 * SECOND), window_seconds: 5 };

fn line(reference: &str, amount: i64, at: i64) -> Line {
    let at = Timestamp::from_micros(at * SECOND);
    Line {
        number: 0,
        place: 0,
        reference: reference.into(),
        amount,
        from: at,
        to: at,
        status: LineStatus::Succeeded,
    }
}

fn failed(reference: &str, amount: i64, at: i64) -> Line {
    Line { status: LineStatus::Failed, ..line(reference, amount, at) }
}

/// A record whose operation is its moment, unless told otherwise.
fn own(reference: &str, amount: i64, at: i64) -> OwnRecord {
    OwnRecord {
        operation: OperationId::new(at),
        reference: reference.into(),
        amount,
        at: Timestamp::from_micros(at * SECOND),
        status: OwnStatus::Approved,
        undoes: None,
    }
}

fn declined(reference: &str, amount: i64, at: i64) -> OwnRecord {
    OwnRecord { status: OwnStatus::Declined, ..own(reference, amount, at) }
}

fn reversal(of: i64, amount: i64, at: i64) -> OwnRecord {
    OwnRecord { undoes: Some(OperationId::new(of)), ..own("", amount, at) }
}

/// Differences as class, line, record, here, there; then how many lines agree.
type Found = (Vec<(Class, Option<u32>, Option<u32>, i64, i64)>, u32);

fn found(lines: &[Line], records: &[OwnRecord]) -> Found {
    let outcome = compare(lines, records, &RULES);
    let differences = outcome.differences.iter().map(|d| (d.class, d.line, d.own, d.here, d.there)).collect();
    (differences, outcome.matched)
}

#[test]
fn each_class() {
    use Class::{AmountDiffers, Duplicate, Late, MissingHere, MissingThere, StatusDiffers};
    let check = |what: &str, lines: &[Line], records: &[OwnRecord], expect: &[_], matched| {
        assert_eq!(found(lines, records), (expect.to_vec(), matched), "{what}");
    };
    check("agree", &[line("a", 10, 1)], &[own("a", 10, 3)], &[], 1);
    check("theirs only", &[line("a", 10, 1)], &[], &[(MissingHere, Some(0), None, 0, 10)], 0);
    check("ours only", &[], &[own("a", 10, 1)], &[(MissingThere, None, Some(0), 10, 0)], 0);
    check("ours outside the period", &[], &[own("a", 10, 101)], &[], 0);
    check("amount", &[line("a", 9, 1)], &[own("a", 10, 1)], &[(AmountDiffers, Some(0), Some(0), 10, 9)], 0);
    check("late", &[line("a", 10, 50)], &[own("a", 10, 1)], &[(Late, Some(0), Some(0), 10, 10)], 0);
    check(
        "theirs twice",
        &[line("a", 10, 1), line("a", 10, 2)],
        &[own("a", 10, 1)],
        &[(Duplicate, Some(1), None, 0, 10)],
        1,
    );
    check(
        "ours twice",
        &[line("a", 10, 1)],
        &[own("a", 10, 1), own("a", 10, 2)],
        &[(Duplicate, None, Some(1), 10, 0)],
        1,
    );
    check(
        "failed there",
        &[failed("a", 10, 1)],
        &[own("a", 10, 1)],
        &[(StatusDiffers, Some(0), Some(0), 10, 0)],
        0,
    );
    check(
        "declined here",
        &[line("a", 10, 1)],
        &[declined("a", 10, 1)],
        &[(StatusDiffers, Some(0), Some(0), 0, 10)],
        0,
    );
    check("nothing on both sides", &[failed("a", 10, 1)], &[declined("a", 10, 1)], &[], 0);
    check("declined, then approved", &[line("a", 10, 2)], &[declined("a", 10, 1), own("a", 10, 2)], &[], 1);
    check(
        "a refund of the same name",
        &[line("a", 10, 1), line("a", -4, 2)],
        &[own("a", 10, 1), own("a", -4, 2)],
        &[],
        2,
    );
    check(
        "a refund is no sale",
        &[line("a", -10, 1)],
        &[own("a", 10, 1)],
        &[(MissingHere, Some(0), None, 0, -10), (MissingThere, None, Some(0), 10, 0)],
        0,
    );
    check("by amount and time", &[line("", 10, 4)], &[own("x", 10, 1)], &[], 1);
    check(
        "beyond the window",
        &[line("", 10, 7)],
        &[own("x", 10, 1)],
        &[(MissingHere, Some(0), None, 0, 10), (MissingThere, None, Some(0), 10, 0)],
        0,
    );
    check(
        "two names are two things",
        &[line("a", 10, 1)],
        &[own("b", 10, 1)],
        &[(MissingHere, Some(0), None, 0, 10), (MissingThere, None, Some(0), 10, 0)],
        0,
    );
    check(
        "unknown and twice there",
        &[line("a", 10, 1), line("a", 10, 2)],
        &[],
        &[(MissingHere, Some(0), None, 0, 10), (Duplicate, Some(1), None, 0, 10)],
        0,
    );
}

#[test]
fn what_we_undid() {
    let sale = own("a", 10, 1);
    let undone = reversal(1, -10, 2);
    assert_eq!(found(&[], &[sale.clone(), undone.clone()]), (vec![], 0), "neither side counts it");
    assert_eq!(compare(&[], &[sale.clone(), undone.clone()], &RULES).cancelled, 1);
    let counted = (Class::StatusDiffers, Some(0), Some(0), 0, 10);
    assert_eq!(
        found(&[line("a", 10, 1)], &[sale.clone(), undone.clone()]),
        (vec![counted], 0),
        "they still count it"
    );
    assert_eq!(
        found(&[failed("a", 10, 1)], &[sale.clone(), undone.clone()]),
        (vec![], 0),
        "they undid it too"
    );
    let both = [line("a", 10, 1), line("a", -10, 2)];
    assert_eq!(found(&both, &[sale.clone(), undone.clone()]), (vec![], 2), "they show both");
    let again = [sale, undone, own("a", 10, 3)];
    assert_eq!(found(&[line("a", 10, 3)], &again), (vec![], 1), "undone and done again");
    assert_eq!(compare(&[line("a", 10, 3)], &again, &RULES).verdicts, [Verdict::Matched(2)]);
}

#[test]
fn as_many_pairs_as_fit() {
    // The nearest record for each line in turn would leave the last one alone.
    let lines = [line("", 10, 10), line("", 10, 14)];
    assert_eq!(found(&lines, &[own("", 10, 9), own("", 10, 5)]).1, 2);
    let whole_day = Line { to: Timestamp::from_micros(90 * SECOND), ..line("", 10, 0) };
    assert_eq!(found(&[whole_day], &[own("", 10, 94)]).1, 1);
}

/// The most pairs there can be, by augmenting paths: slow and plain.
fn most_pairs(fits: &[Vec<bool>]) -> usize {
    fn try_line(line: usize, fits: &[Vec<bool>], seen: &mut [bool], taken: &mut [Option<usize>]) -> bool {
        for own in 0..seen.len() {
            if !fits[line][own] || std::mem::replace(&mut seen[own], true) {
                continue;
            }
            if taken[own].is_none_or(|other| try_line(other, fits, seen, taken)) {
                taken[own] = Some(line);
                return true;
            }
        }
        false
    }
    let width = fits.first().map_or(0, Vec::len);
    let mut taken = vec![None; width];
    (0..fits.len()).filter(|line| try_line(*line, fits, &mut vec![false; width], &mut taken)).count()
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "", "a", "b", "c", "d"])
}

fn amounts() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![1_i64, 2, 3, -1, -2])
}

fn some_lines() -> impl Strategy<Value = Vec<Line>> {
    let status = prop::sample::select(vec![
        LineStatus::Succeeded,
        LineStatus::Succeeded,
        LineStatus::Failed,
        LineStatus::Pending,
    ]);
    let one =
        (names(), amounts(), 0..40_i64, 0..9_i64, status).prop_map(|(name, amount, at, length, status)| {
            Line { to: Timestamp::from_micros((at + length) * SECOND), status, ..line(name, amount, at) }
        });
    prop::collection::vec(one, 0..14)
}

fn some_records() -> impl Strategy<Value = Vec<OwnRecord>> {
    let one = (names(), amounts(), 0..120_i64, 0..4_u8);
    prop::collection::vec((one, prop::option::weighted(0.3, 0..14_usize)), 0..14).prop_map(|all| {
        let mut records: Vec<OwnRecord> = Vec::new();
        for (number, ((name, amount, at, status), undoes)) in all.into_iter().enumerate() {
            let status = if status == 0 { OwnStatus::Declined } else { OwnStatus::Approved };
            let id = OperationId::new(i64::try_from(number).expect("small") + 1);
            let mut record = OwnRecord { operation: id, status, ..own(name, amount, at) };
            let original = undoes.and_then(|n| records.get(n)).cloned();
            let free = original.filter(|o| {
                o.status == OwnStatus::Approved
                    && o.undoes.is_none()
                    && !records.iter().any(|r| r.undoes == Some(o.operation))
            });
            if let Some(original) = free {
                let undoes = Some(original.operation);
                record =
                    OwnRecord { amount: -original.amount, status: OwnStatus::Approved, undoes, ..record };
            }
            records.push(record);
        }
        records
    })
}

fn distance(line: &Line, record: &OwnRecord) -> i64 {
    let at = record.at.micros();
    (line.from.micros() - at).max(at - line.to.micros())
}

/// Whose record a line has, whatever became of it.
fn partners(lines: &[Line], records: &[OwnRecord]) -> Vec<Option<usize>> {
    let outcome = compare(lines, records, &RULES);
    let partner = |verdict: &Verdict| match verdict {
        Verdict::Matched(own) | Verdict::Differs(_, Some(own)) => usize::try_from(*own).ok(),
        _ => None,
    };
    outcome.verdicts.iter().map(partner).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn without_names_there_are_as_many_pairs_as_can_be(mut lines in some_lines(), mut records in some_records()) {
        lines.retain(|line| line.status == LineStatus::Succeeded);
        for line in &mut lines {
            line.reference = "".into();
        }
        for record in &mut records {
            record.undoes = None;
        }
        let fits: Vec<Vec<bool>> = lines.iter().map(|line| records.iter().map(|record| {
            record.status == OwnStatus::Approved && record.amount == line.amount && distance(line, record) <= 5 * SECOND
        }).collect()).collect();
        let matched = usize::try_from(compare(&lines, &records, &RULES).matched).expect("small");
        prop_assert_eq!(matched, most_pairs(&fits));
    }

    #[test]
    fn with_names_the_most_equal_amounts_are_paired(lines in some_lines(), records in some_records()) {
        // By reference alone, equal amounts of one name: the plain matcher counts the smaller side.
        let lines: Vec<Line> = lines.into_iter().filter(|l| !l.reference.is_empty() && l.status == LineStatus::Succeeded).collect();
        let records: Vec<OwnRecord> = records.into_iter()
            .filter(|r| !r.reference.is_empty() && r.status == OwnStatus::Approved)
            .map(|r| OwnRecord { undoes: None, ..r }).collect();
        let fits: Vec<Vec<bool>> = lines.iter().map(|line| records.iter().map(|record| {
            record.amount == line.amount && record.reference == line.reference
        }).collect()).collect();
        let outcome = compare(&lines, &records, &RULES);
        let late = outcome.differences.iter().filter(|d| d.class == Class::Late).count();
        prop_assert_eq!(usize::try_from(outcome.matched).expect("small") + late, most_pairs(&fits));
    }

    #[test]
    fn every_line_and_record_is_accounted_for_once(lines in some_lines(), records in some_records()) {
        let outcome = compare(&lines, &records, &RULES);
        prop_assert_eq!(outcome.verdicts.len(), lines.len());
        let mut used = vec![0; records.len()];
        for own in partners(&lines, &records).into_iter().flatten() {
            used[own] += 1;
        }
        prop_assert!(used.iter().all(|n| *n <= 1), "one to one");
        for (line, verdict) in lines.iter().zip(&outcome.verdicts) {
            if let Verdict::Matched(own) = verdict {
                let record = &records[usize::try_from(*own).expect("small")];
                prop_assert_eq!((record.amount, record.status, line.status), (line.amount, OwnStatus::Approved, LineStatus::Succeeded));
                prop_assert!(distance(line, record) <= 5 * SECOND);
            }
        }
        // Their total less ours is the total of the differences: nothing is dropped.
        let there: i64 = lines.iter().filter(|l| l.status == LineStatus::Succeeded).map(|l| l.amount).sum();
        let spoken_of = |n: usize| used[n] == 1 || (RULES.from..=RULES.to).contains(&records[n].at);
        let undone_pairs: Vec<usize> = (0..records.len()).filter(|n| {
            let original = records[*n].undoes;
            original.is_some() && used[*n] == 0
        }).collect();
        let cancelled = |n: usize| undone_pairs.iter().any(|r| *r == n || records[*r].undoes == Some(records[n].operation));
        let here: i64 = (0..records.len())
            .filter(|n| records[*n].status == OwnStatus::Approved && spoken_of(*n) && !cancelled(*n))
            .map(|n| records[n].amount).sum();
        let apart: i64 = outcome.differences.iter().map(|d| d.there - d.here).sum();
        prop_assert_eq!(apart, there - here);
    }

    #[test]
    fn the_order_of_the_file_does_not_change_what_is_found(lines in some_lines(), records in some_records(), seed: u64) {
        let mut shuffled: Vec<usize> = (0..lines.len()).collect();
        shuffled.sort_by_key(|n| (seed ^ u64::try_from(*n).expect("small")).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let other: Vec<Line> = shuffled.iter().map(|n| lines[*n].clone()).collect();
        let classes = |lines: &[Line]| {
            let mut all: Vec<_> = compare(lines, &records, &RULES).differences.iter().map(|d| (d.class, d.here, d.there)).collect();
            all.sort_unstable();
            all
        };
        prop_assert_eq!(classes(&lines), classes(&other));
        prop_assert_eq!(compare(&lines, &records, &RULES), compare(&lines, &records, &RULES));
    }
}
