//! Statements as XLSX, read back by calamine.

use calamine::{Data, Range, Reader, Xlsx};
use documents::{Format, Language};

use crate::samples::{lines, statement, totals, written};

fn open(bytes: Vec<u8>) -> Xlsx<std::io::Cursor<Vec<u8>>> {
    Xlsx::new(std::io::Cursor::new(bytes)).expect("a workbook")
}

/// A number of two decimals as minor units; a text fails.
#[expect(clippy::cast_possible_truncation, reason = "the amounts of the test are small")]
fn minor(cell: &Data) -> i64 {
    match cell {
        Data::Float(number) => (number * 100.0).round() as i64,
        Data::Int(number) => number * 100,
        other => panic!("not a number: {other:?}"),
    }
}

fn figure(sheet: &Range<Data>, label: &str) -> i64 {
    let row = sheet.rows().find(|row| row[0] == Data::String(label.to_owned())).expect(label);
    minor(&row[1])
}

#[test]
fn numbers_are_numbers_and_add_up() {
    let lines = lines(300);
    let (bytes, report) = written(Format::Xlsx, statement(Language::Chinese, &lines), &lines);
    assert_eq!(report.lines, 300);
    let mut book = open(bytes);
    assert_eq!(book.sheet_names(), ["汇总", "明细"]);
    let sheet = book.worksheet_range("明细").expect("lines");
    assert_eq!(sheet.height(), 302);
    let rows: Vec<_> = sheet.rows().collect();
    for column in 5..=8 {
        let sum: i64 = rows[1..301].iter().map(|row| minor(&row[column])).sum();
        assert_eq!(minor(&rows[301][column]), sum);
    }
    assert!(
        matches!(rows[1][0], Data::DateTime(_)) && matches!(rows[1][1], Data::DateTime(_)),
        "{:?}",
        rows[1]
    );
    let summary = book.worksheet_range("汇总").expect("summary");
    let expected = totals(&lines);
    assert_eq!(figure(&summary, "消费"), expected.sales);
    assert_eq!(figure(&summary, "期末余额"), expected.closing);
    assert_eq!(figure(&summary, "结转下期"), expected.carried);
}

#[test]
fn a_formula_stays_text() {
    let mut lines = lines(1);
    lines[0].place = Some("=1+1".to_owned());
    let (bytes, _) = written(Format::Xlsx, statement(Language::English, &lines), &lines);
    let mut book = open(bytes);
    let sheet = book.worksheet_range("Lines").expect("lines");
    assert_eq!(sheet.get_value((1, 4)), Some(&Data::String("=1+1".to_owned())));
    let formulas = book.worksheet_formula("Lines").expect("formulas");
    assert!(formulas.used_cells().next().is_none());
}
