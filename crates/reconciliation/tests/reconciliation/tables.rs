//! Tables by a mapping: CSV and sheets.

use reconciliation::{Format, LineStatus, Mapping, Problem};

use crate::samples::{gbk, mapping, read_bytes, settings, workbook};

const SHOP: &str = r##"{"columns": {"reference": "订单号", "amount": "金额", "at": "时间", "kind": "类型", "status": "状态"},
    "kinds": {"plus": ["消费"], "minus": ["退款"]}, "statuses": {"succeeded": ["成功"], "failed": ["失败"], "pending": ["处理中"]},
    "passed_over": ["合计", "#"]}"##;
const SHOP_FILE: &str = "订单号,类型,金额,时间,状态\n=\"001\",消费,12.50,2026-09-30 10:00:00,成功\n\n002,退款,3,2026-09-30,成功\n003,消费,7.00,2026-09-30 23:59:59,失败\n004,消费,1.00,2026-09-30 23:59:59,处理中\n合计,,23.50,,\n";

fn lines(bytes: &[u8], mapping: Mapping) -> Result<Vec<(String, i64, u32, LineStatus)>, String> {
    let read = read_bytes(Format::Csv, bytes, &settings(Some(mapping))).map_err(|error| error.to_string())?;
    Ok(read.lines.iter().map(|l| (l.reference.to_string(), l.amount, l.place, l.status)).collect())
}

#[test]
fn a_shop_in_utf8_and_gb18030() {
    let expect = [
        ("001", 1250, 2, LineStatus::Succeeded),
        ("002", -300, 4, LineStatus::Succeeded),
        ("003", 700, 5, LineStatus::Failed),
        ("004", 100, 6, LineStatus::Pending),
    ]
    .map(|(reference, amount, place, status)| (reference.to_owned(), amount, place, status));
    assert_eq!(lines(SHOP_FILE.as_bytes(), mapping(SHOP)).expect("UTF-8"), expect);
    let marked = format!("\u{feff}{}", SHOP_FILE.replace('\n', "\r\n"));
    assert_eq!(lines(marked.as_bytes(), mapping(SHOP)).expect("UTF-8 with a mark"), expect);
    let chinese = || Mapping { encoding: reconciliation::Encoding::Gb18030, ..mapping(SHOP) };
    let mut bytes = gbk(SHOP_FILE);
    assert_eq!(lines(&bytes, chinese()).expect("GBK"), expect);
    bytes.splice(0..0, *b"\x84\x31\x95\x33");
    assert_eq!(lines(&bytes, chinese()).expect("GB18030 with a mark"), expect);
    assert!(
        lines(&gbk(SHOP_FILE), mapping(SHOP))
            .expect_err("not UTF-8")
            .starts_with("line 1: the line is not UTF-8")
    );
    let passed = read_bytes(Format::Csv, SHOP_FILE.as_bytes(), &settings(Some(mapping(SHOP)))).expect("read");
    assert_eq!(
        (passed.passed_over, passed.totals_checked),
        (3, false),
        "header, empty line and total are counted"
    );
}

#[test]
fn columns_by_number_credit_and_debit_other_notations() {
    let bank = mapping(
        r#"{"no_header": true, "skip_lines": 1, "delimiter": ";", "decimal_point": ",", "group_separator": ".",
            "columns": {"at": 1, "time": 2, "debit": 3, "credit": 4}, "date_formats": ["%d.%m.%Y %H:%M"]}"#,
    );
    let read = lines(b"anything\n30.09.2026;09:30;1.000,50;\n30.09.2026;09:31;;2,00\n", bank).expect("read");
    let read: Vec<_> = read.iter().map(|line| (line.1, line.2)).collect();
    assert_eq!(read, [(-100_050, 2), (200, 3)]);
    let minor = mapping(
        r#"{"unit": "minor", "columns": {"at": "day", "amount": "fen"}, "date_formats": ["%Y%m%d"], "time_zone": "UTC"}"#,
    );
    let read = read_bytes(Format::Csv, b"day,fen\n20260930,-5\n", &settings(Some(minor))).expect("read");
    assert_eq!((read.lines[0].amount, read.lines[0].from.to_string().as_str()), (-5, "2026-09-30T00:00:00Z"));
}

#[test]
fn what_is_refused_names_line_column_and_cure() {
    let check = |from: &str, to: &str, says: &str| {
        assert!(SHOP_FILE.contains(from), "{from}");
        let error = lines(SHOP_FILE.replacen(from, to, 1).as_bytes(), mapping(SHOP)).expect_err(says);
        assert!(error.starts_with(says), "{error} does not begin with {says}");
    };
    check("12.50", "12,50", "line 2: the line has 6 values and the header 5");
    check("12.50", "\"12,50\"", "line 2, column 金额: the value is not an amount");
    check("12.50", "12.505", "line 2, column 金额: the amount has more than 2 decimal places");
    check("12.50", "92233720368547758.08", "line 2, column 金额: the amount is beyond");
    check("12.50", "@SUM(1)", "line 2, column 金额: the value is not an amount");
    check("2026-09-30 10", "2026-02-30 10", "line 2, column 时间: the value is not a moment");
    check("消费,12", "充值,12", "line 2, column 类型: the kind is neither in kinds.plus");
    check("00,成功", "00,好", "line 2, column 状态: the status is in none");
    check("合计", "总计", "line 7, column 时间: the value is not a moment");
    check("订单号", "单号", "line 1, column 订单号: the header has no such column");
    check("类型", "金额", "line 1, column 金额: the header has this name twice");
    check("12.50,2026", "\"12.50,2026", "line 2: a quote is opened and never closed");
}

#[test]
fn formulas_in_references_are_text() {
    let read = lines(
        "订单号,类型,金额,时间,状态\n\"=cmd|'/c calc'!A1\",消费,1,2026-09-30,成功\n+1-2,消费,1,2026-09-30,成功\n".as_bytes(),
        mapping(SHOP),
    );
    let references: Vec<_> = read.expect("text").into_iter().map(|line| line.0).collect();
    assert_eq!(references, ["=cmd|'/c calc'!A1", "+1-2"]);
}

#[test]
fn mappings_that_cannot_work() {
    let check = |json: &str, says: &str| {
        let error = mapping(json).check().expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
    };
    check("{}", "needs columns.amount");
    check(r#"{"columns": {"amount": 1}}"#, "needs columns.at");
    check(r#"{"columns": {"amount": 1, "at": 2, "kind": 3}}"#, "go together");
    check(r#"{"columns": {"amount": 1, "at": 2}, "statuses": {}}"#, "go together");
    check(r#"{"columns": {"amount": 1, "at": 2}, "passed_over": [""]}"#, "every line");
    check(r#"{"columns": {"amount": 1, "at": 2}, "delimiter": "\""}"#, "cannot be a quote");
    check(r#"{"columns": {"amount": 1, "at": 2}, "decimal_point": ",", "group_separator": ","}"#, "the same");
    assert!(serde_json::from_str::<Mapping>(r#"{"colums": {}}"#).is_err());
    let zone = mapping(r#"{"columns": {"amount": "a", "at": "b"}, "time_zone": "Beijing"}"#);
    assert!(lines(b"a,b\n", zone).expect_err("a zone").contains("IANA"));
}

#[test]
fn a_sheet() {
    let text = |cell: &str, text: &str| format!("<c r=\"{cell}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let header = text("A1", "order") + &text("B1", "yuan") + &text("C1", "at");
    let rows = [
        header.as_str(),
        &(text("A2", "X&amp;1")
            + "<c r=\"B2\"><v>19.899999999999999</v></c><c r=\"C2\" s=\"1\"><v>46295.416666666664</v></c>"),
        &("<c r=\"A3\"><v>2002</v></c><c r=\"B3\"><v>-0.3</v></c>".to_owned() + &text("C3", "2026-09-30")),
    ];
    let by = mapping(r#"{"columns": {"reference": "order", "amount": "yuan", "at": "at"}}"#);
    let read = read_bytes(Format::Xlsx, &workbook(&rows), &settings(Some(by.clone()))).expect("a sheet");
    let lines: Vec<_> = read.lines.iter().map(|l| (&*l.reference, l.amount, l.from.to_string())).collect();
    let expect = [("X&1", 1990, "2026-09-30T02:00:00Z"), ("2002", -30, "2026-09-29T16:00:00Z")];
    assert_eq!(lines, expect.map(|(reference, amount, at)| (reference, amount, at.to_owned())));

    let check = |cell: &str, problem, says: &str| {
        let row = cell.to_owned() + "<c r=\"B2\"><v>1</v></c>" + &text("C2", "2026-09-30");
        let error = read_bytes(Format::Xlsx, &workbook(&[&header, &row]), &settings(Some(by.clone())))
            .expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.problem, problem);
    };
    check(
        "<c r=\"A2\"><v>1001690740201411100005734289</v></c>",
        Problem::Value,
        "line 2, column order: the cell's number has more than 15 digits",
    );
    check(
        "<c r=\"A2\" t=\"e\"><v>#REF!</v></c>",
        Problem::Value,
        "line 2, column order: the cell holds an error",
    );
    let other = Mapping { sheet: Some("二月".to_owned()), ..by };
    assert!(read_bytes(Format::Xlsx, &workbook(&rows), &settings(Some(other))).is_err());
}
