//! The formats with a shape of their own: WeChat Pay, Alipay, camt.053.

use reconciliation::{Format, LineStatus, Problem, Statement};

use crate::samples::{
    alipay, alipay_line, camt, entry, read_bytes, settings, wechat, wechat_refund, wechat_sale, zipped,
};

fn short(statement: &Statement) -> Vec<(String, i64, LineStatus)> {
    statement.lines.iter().map(|line| (line.reference.to_string(), line.amount, line.status)).collect()
}

fn fails(format: Format, bytes: &[u8], problem: Problem, says: &str) {
    let error = read_bytes(format, bytes, &settings(None)).expect_err(says);
    assert!(error.to_string().contains(says), "{error} does not say {says}");
    assert_eq!(error.problem, problem, "{error}");
}

fn wechat_lines() -> Vec<String> {
    vec![
        wechat_sale("A-1", "100.00", "0.60000"),
        wechat_sale("A-2", "0.01", "0.00000"),
        wechat_refund("A-1", "R-1", "3.33", "SUCCESS"),
        wechat_refund("A-2", "R-2", "0.01", "PROCESSING"),
    ]
}
const WECHAT_TOTALS: &str = "`4,`100.01,`3.34,`0.00,`0.56000,`100.01,`3.34";

#[test]
fn a_wechat_bill() {
    let bill = wechat(&wechat_lines(), WECHAT_TOTALS);
    let read = read_bytes(Format::Wechat, bill.as_bytes(), &settings(None)).expect("a bill");
    let expect = [
        ("A-1", 10_000, LineStatus::Succeeded),
        ("A-2", 1, LineStatus::Succeeded),
        ("R-1", -333, LineStatus::Succeeded),
        ("R-2", -1, LineStatus::Pending),
    ];
    assert_eq!(
        short(&read),
        expect.map(|(reference, amount, status)| (reference.to_owned(), amount, status))
    );
    assert_eq!(read.lines[0].from.to_string(), "2026-09-30T02:00:00Z");
    assert_eq!((read.lines[3].place, read.lines[3].number, read.totals_checked), (5, 4, true));
    let empty = wechat(&[], "`0,`0.00,`0.00,`0.00,`0.00,`0.00,`0.00");
    assert!(read_bytes(Format::Wechat, empty.as_bytes(), &settings(None)).expect("empty").lines.is_empty());
}

#[test]
fn a_wechat_bill_that_was_cut_or_changed() {
    let good = wechat(&wechat_lines(), WECHAT_TOTALS);
    let check = |from: &str, to: &str, problem, says: &str| {
        assert!(good.contains(from), "{from}");
        fails(Format::Wechat, good.replacen(from, to, 1).as_bytes(), problem, says);
    };
    let one_less = wechat(&wechat_lines()[1..], WECHAT_TOTALS);
    fails(
        Format::Wechat,
        one_less.as_bytes(),
        Problem::Totals,
        "line 6, column 总交易单数: the summary does not agree",
    );
    check("`0.01,`0.00,`0,`0,`0.00", "`0.02,`0.00,`0,`0,`0.00", Problem::Totals, "column 应结订单总金额");
    check("`-0.02000", "`-0.03000", Problem::Totals, "column 手续费总金额");
    check("`CNY", "`USD", Problem::Value, "line 2, column 货币种类: the line is not in CNY");
    check("`SUCCESS,`CFT", "`NOTPAY,`CFT", Problem::Value, "line 2, column 交易状态");
    check(
        "`2026-09-30 10",
        "`2026-09-31 10",
        Problem::Value,
        "line 2, column 交易时间: the value is not a moment",
    );
    check(",`A-1", ",A-1", Problem::Malformed, "line 2: the line has 26 values instead of 27");
    check(
        "`100.00",
        "`10000000000000000000.00",
        Problem::Value,
        "line 2, column 应结订单金额: the amount is beyond",
    );
    check("`100.00", "`=1+1", Problem::Value, "is not an amount");
    check(
        "`3.33",
        "`3.335",
        Problem::Value,
        "line 4, column 退款金额: the amount has more than two decimal places",
    );
    check(
        "微信订单号",
        "订单号",
        Problem::Malformed,
        "line 1: the header is not that of a WeChat Pay trade bill",
    );
    let cut = good.find("总交易单数").expect("a summary");
    fails(Format::Wechat, &good.as_bytes()[..cut], Problem::Malformed, "the summary is missing");
    let cut = good.len() - "`3.34\r\n".len();
    fails(Format::Wechat, &good.as_bytes()[..cut], Problem::Malformed, "the summary does not have 7 values");
}

fn alipay_lines() -> Vec<String> {
    vec![
        alipay_line("A-1", "交易", "100.00", ""),
        alipay_line("A-2", "交易", "0.50", ""),
        alipay_line("A-1", "退款", "-20.00", "R-1"),
    ]
}

#[test]
fn an_alipay_bill_packed_and_unpacked() {
    let bill = alipay(&alipay_lines(), "2笔，商家实收共100.50元", "1笔，商家实收退款共-20.00元");
    let (name, _, _) = encoding_rs::GBK.encode("2088_业务明细.csv");
    let (other, _, _) = encoding_rs::GBK.encode("2088_业务明细(汇总).csv");
    let names = [String::from_utf8_lossy(&name).into_owned(), String::from_utf8_lossy(&other).into_owned()];
    // The writer of archives here takes UTF-8 names only; the GBK ones differ in their bytes alone.
    assert_ne!(names[0], names[1]);
    let packed = zipped(&[("2088_业务明细.csv", &bill), ("2088_业务明细(汇总).csv", b"#")]);
    for bytes in [&bill, &packed] {
        let read = read_bytes(Format::Alipay, bytes, &settings(None)).expect("a bill");
        let expect = [("A-1", 10_000), ("A-2", 50), ("R-1", -2_000)];
        let expect = expect.map(|(reference, amount)| (reference.to_owned(), amount, LineStatus::Succeeded));
        assert_eq!(short(&read), expect);
        assert_eq!((read.lines[0].place, read.totals_checked), (6, true));
    }
}

#[test]
fn an_alipay_bill_that_was_cut_or_changed() {
    let lines = alipay_lines();
    let (sales, refunds) = ("2笔，商家实收共100.50元", "1笔，商家实收退款共20.00元");
    let check = |bytes: &[u8], problem, says: &str| fails(Format::Alipay, bytes, problem, says);
    check(&alipay(&lines[1..], sales, refunds), Problem::Totals, "column 交易合计: the totals do not agree");
    check(&alipay(&lines[..2], sales, refunds), Problem::Totals, "column 退款合计: the totals do not agree");
    let whole = alipay(&lines, sales, refunds);
    check(&whole[..whole.len() / 2], Problem::Malformed, "");
    check(
        &alipay(&[lines[0].replace("交易", "转账")], sales, refunds),
        Problem::Value,
        "line 6, column 业务类型",
    );
    check(
        &alipay(&[lines[0].replace(",礼品卡", "")], sales, refunds),
        Problem::Malformed,
        "line 6: the line has 24 values",
    );
    check("\u{feff}#支付宝".as_bytes(), Problem::Settings, "mark of UTF-8");
    check(b"a,b\n", Problem::Malformed, "line 5 is not the header");
    check(&zipped(&[("a.txt", b"x")]), Problem::Malformed, "exactly one CSV file");
    check(&zipped(&[("a.csv", &whole), ("b.csv", &whole)]), Problem::Malformed, "exactly one CSV file");
    check(b"PK\x03\x04broken", Problem::Malformed, "damaged");
}

#[test]
fn a_bank_statement() {
    let entries = [
        entry("payout_1", "100.00", "DBIT", "BOOK"),
        entry("NOTPROVIDED", "30.50", "CRDT", "BOOK"),
        entry("later", "5.00", "CRDT", "PDNG"),
    ];
    let file = camt("1000.00", "930.50", &entries.concat());
    let read = read_bytes(Format::Camt053, file.as_bytes(), &settings(None)).expect("a statement");
    let expect = [
        ("payout_1", -10_000, LineStatus::Succeeded),
        ("B-1", 3_050, LineStatus::Succeeded),
        ("later", 500, LineStatus::Pending),
    ];
    assert_eq!(
        short(&read),
        expect.map(|(reference, amount, status)| (reference.to_owned(), amount, status))
    );
    assert_eq!(read.lines[0].from.to_string(), "2026-10-07T16:00:00Z");
    assert_eq!(read.lines[0].to.to_string(), "2026-10-08T15:59:59.999999Z");
    assert!(read.totals_checked);
}

#[test]
fn a_booking_of_several_transactions() {
    let part = |reference: &str, amount: &str| {
        format!(
            "<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs><Amt Ccy=\"CNY\">{amount}</Amt></TxDtls>"
        )
    };
    let entry = |parts: &str| {
        format!(
            "<Ntry><NtryRef>E</NtryRef><Amt Ccy=\"CNY\">30.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>\
             <BookgDt><DtTm>2026-10-08T10:00:00+08:00</DtTm></BookgDt><NtryDtls>{parts}</NtryDtls></Ntry>"
        )
    };
    let parts = part("a&amp;b", "10.00") + &part("c&#33;", "20.00");
    let file = camt("100.00", "70.00", &entry(&parts));
    let read = read_bytes(Format::Camt053, file.as_bytes(), &settings(None)).expect("a statement");
    let lines: Vec<_> = read.lines.iter().map(|line| (&*line.reference, line.amount)).collect();
    assert_eq!(lines, [("a&b", -1_000), ("c!", -2_000)]);
    let parts = part("a", "10.00") + &part("b", "19.99");
    let file = camt("100.00", "70.00", &entry(&parts));
    fails(Format::Camt053, file.as_bytes(), Problem::Totals, "do not add up");
}

#[test]
fn a_bank_statement_that_was_cut_or_changed() {
    let one = entry("a", "100.00", "CRDT", "BOOK");
    let good = camt("0.00", "100.00", &one);
    let check = |text: &str, problem, says: &str| fails(Format::Camt053, text.as_bytes(), problem, says);
    check(&camt("0.00", "100.01", &one), Problem::Totals, "column Bal: the statement's totals do not agree");
    let summary = "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries><Sum>100.00</Sum></TtlNtries></TxsSummry>";
    check(&camt("0.00", "100.00", &format!("{summary}{one}")), Problem::Totals, "column TtlNtries");
    let summary =
        "<TxsSummry><TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>99.00</Sum></TtlCdtNtries></TxsSummry>";
    check(&camt("0.00", "100.00", &format!("{summary}{one}")), Problem::Totals, "column TtlCdtNtries");
    check(&good[..good.len() / 2], Problem::Malformed, "cut off");
    check(&good[..good.len() - "</Document>\n".len()], Problem::Malformed, "cut off");
    check(&good.replace("CNY", "EUR"), Problem::Value, "column Amt: the amount is not in CNY");
    check(
        &good.replace("2026-10-08</Dt></BookgDt>", "2026-02-30</Dt></BookgDt>"),
        Problem::Value,
        "column BookgDt",
    );
    check(
        &good.replace("<CdtDbtInd>CRDT</CdtDbtInd><Sts>", "<CdtDbtInd>UP</CdtDbtInd><Sts>"),
        Problem::Value,
        "neither CRDT nor DBIT",
    );
    check(&good.replace("<Sts><Cd>BOOK</Cd></Sts>", ""), Problem::Malformed, "column Sts");
    check(&good.replace("100.00", "99999999999999999999.00"), Problem::Value, "the amount is beyond");
    check("<Document><BkToCstmrStmt></BkToCstmrStmt></Document>", Problem::Malformed, "no statement");
    check("", Problem::Malformed, "no statement");
    check("not xml at all", Problem::Malformed, "no statement");
}
