//! Statements as CSV, read back by the csv crate.

use documents::{DocumentError, Format, Language, StatementWriter};

use crate::samples::{lines, statement, totals, written};

fn read(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

fn minor(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').expect("two decimals");
    assert_eq!(fraction.len(), 2);
    format!("{whole}{fraction}").parse().expect("digits")
}

#[test]
fn the_rows_add_up_to_the_figures() {
    let lines = lines(300);
    let (bytes, report) = written(Format::Csv { bom: true }, statement(Language::Chinese, &lines), &lines);
    assert_eq!(report.lines, 300);
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).expect("a byte order mark");
    assert!(text.ends_with(b"\r\n"));
    let rows = read(text);
    assert_eq!(rows[0][..4], ["结算日", "交易时间", "流水号", "类型"]);
    let operations: Vec<_> = rows[1..].iter().filter(|row| !row[2].is_empty()).collect();
    assert_eq!(operations.len(), 300);
    let sum = |column: usize| operations.iter().map(|row| minor(&row[column])).sum::<i64>();
    let total = rows.iter().find(|row| row[3] == "合计").expect("a total");
    for (column, stated) in (5..).zip(&total[5..=8]) {
        assert_eq!(minor(stated), sum(column));
    }
    let figure =
        |label: &str| minor(&rows.iter().find(|row| row[2].is_empty() && row[3] == label).expect(label)[8]);
    let expected = totals(&lines);
    assert_eq!(figure("期末余额"), expected.closing);
    assert_eq!(figure("期末余额"), figure("上期结转") + sum(8) + figure("年费"));
    assert_eq!(figure("结转下期"), figure("期末余额") + figure("本期付款"));
    let refund = operations.iter().find(|row| row[3] == "退款").expect("a refund");
    assert!(refund[5].starts_with('-') && refund[10].starts_with("op_"));
}

#[test]
fn a_place_cannot_be_a_formula() {
    let mut lines = lines(2);
    lines[0].place = Some("=HYPERLINK(\"x\")".to_owned());
    lines[1].place = Some("a,\"b\"\nc".to_owned());
    let (bytes, _) = written(Format::Csv { bom: false }, statement(Language::English, &lines), &lines);
    let rows = read(&bytes);
    assert_eq!(rows[0][0], "Settlement day");
    assert_eq!(rows[1][4], "'=HYPERLINK(\"x\")");
    assert_eq!(rows[2][4], "a,\"b\"\nc");
}

/// A document is refused where its figures contradict each other or its lines.
#[test]
fn what_does_not_add_up_is_not_delivered() {
    let lines = lines(20);
    let good = statement(Language::Chinese, &lines);
    let mut broken = good.clone();
    broken.totals.closing += 1;
    let refused = StatementWriter::begin(Format::Pdf, broken, std::io::Cursor::new(Vec::new())).err();
    assert!(matches!(refused, Some(DocumentError::DoesNotAddUp { figure: "closing", .. })), "{refused:?}");
    for format in [Format::Csv { bom: false }, Format::Xlsx, Format::Pdf] {
        let mut writer = StatementWriter::begin(format, good.clone(), std::io::Cursor::new(Vec::new()))
            .expect("a statement");
        for line in &lines[1..] {
            writer.line(line).expect("a line");
        }
        let refused = writer.finish().err();
        assert!(matches!(refused, Some(DocumentError::DoesNotAddUp { figure: "sales", .. })), "{refused:?}");
    }
}
