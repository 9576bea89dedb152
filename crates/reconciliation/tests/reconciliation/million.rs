//! A million lines against a million own records: read from a bill, compared, and all accounted for.

use std::{fmt::Write, time::Instant};

use domain::{OperationId, Timestamp};
use reconciliation::{Format, OwnRecord, OwnStatus, Rules, compare};

use crate::samples::{mapping, read_bytes, settings};

const MILLION: u32 = 1_000_000;

#[test]
fn a_million_lines() {
    let mut file = String::from("order,fen,at\n");
    for n in 0..MILLION {
        // In an order of its own, and every fourth without a name.
        let n = i64::from(n) * 700_001 % i64::from(MILLION);
        let name = if n % 4 == 0 { String::new() } else { format!("ORDER-{n:020}") };
        writeln!(
            file,
            "{name},{},2026-09-30 {:02}:{:02}:{:02}",
            100 + n % 9_973,
            n / 3_600 % 24,
            n / 60 % 60,
            n % 60
        )
        .expect("text");
    }
    let by = mapping(
        r#"{"unit": "minor", "columns": {"reference": "order", "amount": "fen", "at": "at"}, "time_zone": "UTC"}"#,
    );
    let start = Instant::now();
    let read = read_bytes(Format::Csv, file.as_bytes(), &settings(Some(by))).expect("read");
    let day = Timestamp::parse_rfc3339("2026-09-30T00:00:00Z").expect("a day");
    let record = |n: i64| OwnRecord {
        operation: OperationId::new(n + 1),
        reference: format!("ORDER-{n:020}").into(),
        // Every thousandth differs, but those without a name find no other then.
        amount: 100 + n % 9_973 + i64::from(n % 1_000 == 1) * 20_000,
        at: Timestamp::from_micros(day.micros() + n % 86_400 * 1_000_000),
        status: OwnStatus::Approved,
        undoes: None,
    };
    let own: Vec<OwnRecord> = (0..i64::from(MILLION)).map(record).collect();
    let rules = Rules { from: day, to: day.plus_seconds(86_399), window_seconds: 60 };
    let outcome = compare(&read.lines, &own, &rules);
    let seconds = start.elapsed().as_secs();
    assert_eq!((outcome.matched, outcome.differences.len()), (MILLION - 1_000, 1_000));
    assert!(seconds < 300, "{seconds} s for a debug build");
    let more = file + "x,1,2026-09-30 00:00:00\n";
    let by = mapping(r#"{"unit": "minor", "columns": {"reference": "order", "amount": "fen", "at": "at"}}"#);
    let error = read_bytes(Format::Csv, more.as_bytes(), &settings(Some(by))).expect_err("one too many");
    assert!(error.to_string().starts_with("line 1000002: there are more than 1000000 lines"), "{error}");
}
