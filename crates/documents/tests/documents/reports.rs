//! A generic report as CSV and XLSX.

use calamine::{Data, Reader, Xlsx};
use documents::{Cell, Column, ColumnKind, DocumentError, Table};
use domain::Currency;
use jiff::civil::{date, datetime};

fn report(currency: &str) -> Table {
    Table {
        title: "预付卡负债/2026:Q3 [汇总]".to_owned(),
        currency: Currency::parse(currency).expect("a currency"),
        columns: vec![
            Column::new("方案", ColumnKind::Text),
            Column::new("期末余额", ColumnKind::Amount),
            Column::new("卡数", ColumnKind::Count),
            Column::new("比例", ColumnKind::Rate),
            Column::new("日期", ColumnKind::Date),
            Column::new("时间", ColumnKind::Moment),
        ],
        rows: vec![vec![
            Cell::from("@方案"),
            Cell::Amount(-123_456_789),
            Cell::Count(1_000_000),
            Cell::Rate(2_050),
            Cell::Date(date(2026, 9, 30)),
            Cell::Moment(datetime(2026, 9, 30, 23, 59, 58, 0)),
        ]],
        total: Some(vec![
            Cell::from("合计"),
            Cell::Amount(-123_456_789),
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
        ]),
    }
}

#[test]
fn csv_takes_the_decimals_of_the_currency() {
    for (currency, amount) in [("CNY", "-1234567.89"), ("JPY", "-123456789"), ("KWD", "-123456.789")] {
        let mut out = Vec::new();
        report(currency).write_csv(&mut out, true).expect("written");
        let text = String::from_utf8(out).expect("UTF-8");
        let row = format!("'@方案,{amount},1000000,20.5%,2026-09-30,2026-09-30 23:59:58\r\n");
        assert!(text.starts_with('\u{feff}') && text.contains(&row), "{text}");
    }
}

#[test]
fn xlsx_has_typed_cells() {
    let mut out = std::io::Cursor::new(Vec::new());
    report("CNY").write_xlsx(&mut out).expect("written");
    let mut book = Xlsx::new(out).expect("a workbook");
    let name = book.sheet_names()[0].clone();
    assert_eq!(name, "预付卡负债 2026 Q3  汇总");
    let sheet = book.worksheet_range(&name).expect("a sheet");
    let rows: Vec<_> = sheet.rows().collect();
    assert_eq!(rows[1][0], Data::String("@方案".to_owned()));
    assert_eq!(rows[1][1], Data::Float(-1_234_567.89));
    assert_eq!(rows[1][3], Data::Float(0.205));
    assert!(matches!(rows[1][5], Data::DateTime(_)));
    assert_eq!(rows[2][1], Data::Float(-1_234_567.89));
}

#[test]
fn a_row_of_another_shape_is_refused() {
    let mut table = report("CNY");
    table.rows.push(vec![Cell::Empty]);
    let csv = table.write_csv(Vec::new(), false);
    assert!(matches!(csv, Err(DocumentError::RowShape { expected: 6, found: 1 })));
    let xlsx = table.write_xlsx(std::io::Cursor::new(Vec::new()));
    assert!(matches!(xlsx, Err(DocumentError::RowShape { .. })));
}
