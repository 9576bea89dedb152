//! Payout files: pain.001 against the schema of ISO and through an XML parser, templates byte for byte.

use std::{io::Write, process::Command};

use documents::{PayoutFile, PayoutTemplate, write_pain001, write_payout_csv};
use quick_xml::{Reader, events::Event};

use crate::samples::payouts;

const DELIMITED: &str = include_str!("../../templates/payout-delimited.json");
const SPREADSHEET: &str = include_str!("../../templates/payout-spreadsheet.json");

fn pain001(file: &PayoutFile) -> Result<String, String> {
    let mut out = Vec::new();
    write_pain001(file, &mut out).map_err(|error| error.to_string())?;
    String::from_utf8(out).map_err(|error| error.to_string())
}

fn delimited(file: &PayoutFile, template: &str) -> Result<Vec<u8>, String> {
    let template = PayoutTemplate::parse(template).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    write_payout_csv(file, &template, &mut out).map_err(|error| error.to_string())?;
    Ok(out)
}

/// Every text with the path to it, as a parser finds them.
fn texts(xml: &str) -> Vec<(String, String)> {
    let (mut reader, mut path, mut found) = (Reader::from_str(xml), Vec::new(), Vec::new());
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(tag) => {
                path.push(tag.name().as_ref().to_owned());
                found.push((path.join("/"), String::new()));
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => {
                if let Some((_, found)) = found.last_mut() {
                    found.push_str(&text);
                }
            }
            Event::GeneralRef(name) => {
                let (_, found) = found.last_mut().expect("an element");
                found.push_str(match &*name {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    other => panic!("unexpected entity {other}"),
                });
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn all<'a>(texts: &'a [(String, String)], end: &str) -> Vec<&'a str> {
    texts.iter().filter(|(path, _)| path.ends_with(end)).map(|(_, text)| text.trim()).collect()
}

#[test]
fn pain001_is_valid_by_the_schema_of_iso() {
    let mut sparse = payouts(&[1]);
    (sparse.payments[0].payee.bic, sparse.payments[0].payee.cnaps) = (None, None);
    for file in [payouts(&[1, 250_050, 9_999_999_999]), sparse] {
        let mut xml = tempfile::NamedTempFile::new().expect("a file");
        xml.write_all(pain001(&file).expect("a payout file").as_bytes()).expect("written");
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documents/schema/pain.001.001.09.xsd");
        let check = Command::new("xmllint")
            .args(["--nonet", "--noout", "--schema", schema])
            .arg(xml.path())
            .output()
            .expect("xmllint is missing; `scripts/setup test` installs it");
        assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    }
}

#[test]
fn pain001_sums_counts_and_names() {
    let file = payouts(&[1, 250_050, 9_999_999_999]);
    let texts = texts(&pain001(&file).expect("a payout file"));
    let amounts = all(&texts, "Amt/InstdAmt");
    assert_eq!(amounts, ["0.01", "2500.50", "99999999.99"]);
    assert_eq!(all(&texts, "/CtrlSum"), ["100002500.50", "100002500.50"]);
    assert_eq!(all(&texts, "/NbOfTxs"), ["3", "3"]);
    assert_eq!(all(&texts, "/Cdtr/Nm")[0], "示例商户1有限公司 <A&B>");
    assert_eq!(all(&texts, "GrpHdr/CreDtTm"), ["2026-10-08T06:05:04+08:00"]);
    assert_eq!(all(&texts, "/EndToEndId").len(), 3);
    assert_eq!(all(&texts, "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId")[0], "102290000013");
}

/// Each spoils one field; the error names the payee (or the field of the file) and says nothing of the account.
#[test]
fn what_a_bank_would_return_is_refused() {
    type Spoil = fn(&mut PayoutFile);
    let cases: [(&str, Spoil); 12] = [
        ("message_id", |file| file.message_id = "x".repeat(36)),
        ("message_id", |file| file.message_id = "a//b".to_owned()),
        ("payments", |file| file.payments.clear()),
        ("end_to_end_id", |file| file.payments[1].end_to_end_id = file.payments[0].end_to_end_id.clone()),
        ("end_to_end_id", |file| file.payments[1].end_to_end_id = "编号".to_owned()),
        ("amount", |file| file.payments[1].amount = domain::Amount::ZERO),
        ("holder", |file| file.payments[1].payee.holder = "=1+1".to_owned()),
        ("holder", |file| file.payments[1].payee.holder = "张\u{7}三".to_owned()),
        ("number", |file| file.payments[1].payee.number = "6222 0212".to_owned()),
        ("bic", |file| file.payments[1].payee.bic = Some("ICBK00BJ".to_owned())),
        ("cnaps", |file| file.payments[1].payee.cnaps = Some("1022".to_owned())),
        ("remittance", |file| file.payments[1].remittance = "结".repeat(141)),
    ];
    for (field, spoil) in cases {
        let mut file = payouts(&[100, 200]);
        spoil(&mut file);
        let by_template = delimited(&file, DELIMITED).expect_err(field);
        let error = pain001(&file).expect_err(field);
        assert_eq!(error, by_template);
        assert!(error.contains(field) && !error.contains("62220212345678"), "{error}");
        assert!(!format!("{:?}", file.payer).contains("100123450900"));
    }
}

#[test]
fn a_delimited_template_in_gb18030() {
    let mut file = payouts(&[1, 250_050]);
    file.payments[1].payee.holder = "\u{20BB7}野家餐饮".to_owned();
    let bytes = delimited(&file, DELIMITED).expect("a file");
    let (text, _, failed) = encoding_rs::GB18030.decode(&bytes);
    assert!(!failed);
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0], "H|pf_0H5V8K2M3N4P5|20261008|1001234509000012345|CNY|2|2500.51");
    assert_eq!(
        lines[2],
        "D|2|6222021234567800001|\u{20BB7}野家餐饮|中国工商银行上海市浦东支行|102290000013|2500.50|结算款 stm_2|pay_0H5V000000002"
    );
    assert_eq!(lines[3], "T|2|2500.51");
}

#[test]
fn a_spreadsheet_template_in_gbk() {
    let mut file = payouts(&[1, 250_050]);
    file.payments[0].payee.holder = "甲,\"乙\"商店".to_owned();
    let bytes = delimited(&file, SPREADSHEET).expect("a file");
    let (text, _, _) = encoding_rs::GBK.decode(&bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    assert_eq!(reader.headers().expect("titles").get(2), Some("收款账号"));
    let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[0][3], &rows[0][5], &rows[1][5]), ("甲,\"乙\"商店", "1", "250050"));
    let sum: i64 = rows[..2].iter().map(|row| row[5].parse::<i64>().expect("fen")).sum();
    assert_eq!((&rows[2][0], &rows[2][1], rows[2][2].parse()), ("合计", "2", Ok(sum)));
}

#[test]
fn nothing_is_replaced_cut_or_run_together() {
    let mut rare = payouts(&[1]);
    rare.payments[0].payee.holder = "\u{20BB7}野家".to_owned();
    let error = delimited(&rare, SPREADSHEET).expect_err("not in GBK");
    assert!(error.contains("U+20BB7") && error.contains("野家") && error.contains("GBK"), "{error}");
    let mut long = payouts(&[1]);
    long.payments[0].payee.holder = "长".repeat(61);
    let error = delimited(&long, DELIMITED).expect_err("too long");
    assert!(error.contains("122 bytes") && error.contains("120"), "{error}");
    let mut separator = payouts(&[1]);
    separator.payments[0].remittance = "a|b".to_owned();
    let error = delimited(&separator, DELIMITED).expect_err("a separator");
    assert!(error.contains("remittance") && error.contains("separates"), "{error}");
    let mut without = payouts(&[1]);
    without.payments[0].payee.cnaps = None;
    let error = delimited(&without, DELIMITED).expect_err("required");
    assert!(error.contains("payee_cnaps") && error.contains("requires"), "{error}");
}

#[test]
fn fixed_width_is_a_template_without_separator() {
    let template = r#"{"id":"fixed","name":"fixed","encoding":"gbk","line_ending":"lf","separator":"","quoting":"none",
        "columns":[{"field":"payee_account","width":24,"pad":"spaces_after"},
                   {"field":"payee_name","width":30,"pad":"spaces_after"},
                   {"field":"amount","amount":"minor_units","width":12,"pad":"zeros_before"}]}"#;
    let bytes = delimited(&payouts(&[250_050]), template).expect("a file");
    assert_eq!(bytes.len(), 24 + 30 + 12 + 1);
    assert!(bytes.ends_with(b"000000250050\n"));
}

#[test]
fn a_template_is_checked_when_it_is_read() {
    for (from, to, expected) in [
        ("\"gbk\"", "\"ascii\"", "JSON"),
        ("\"separator\": \",\"", "\"separator\": \"\"", "quoting"),
        ("\"separator\": \",\"", "\"separator\": \"a\"", "separator"),
        ("\"field\": \"payee_account\"", "\"field\": \"payee_bic\"", "PayeeAccount"),
        ("\"width\": 16", "\"width\": 0", "columns[5]"),
        ("\"title\": \"附言\", ", "", "columns[7]"),
        ("{ \"field\": \"count\" }", "{ \"field\": \"amount\" }", "footer[0][1]"),
        ("\"titles\": true", "\"title\": true", "JSON"),
    ] {
        assert!(SPREADSHEET.contains(from), "{from}");
        let error = PayoutTemplate::parse(&SPREADSHEET.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(error.contains(expected), "{error}");
    }
}
