//! The journal under a chart of accounts.

use documents::{AccountChart, JournalDocument, JournalEntry, Language, LedgerAccount};
use domain::Currency;
use jiff::civil::date;

const CHART: &str = include_str!("../../templates/account-chart.json");

fn account(kind: &str, reference: Option<&str>) -> LedgerAccount {
    LedgerAccount { kind: kind.to_owned(), reference: reference.map(str::to_owned) }
}

fn journal() -> JournalDocument {
    let entry = |debit, credit, amount| JournalEntry {
        date: date(2026, 10, 8),
        summary: "核销".to_owned(),
        debit,
        credit,
        count: 17,
        amount,
    };
    JournalDocument {
        language: Language::Chinese,
        currency: Currency::CNY,
        from: date(2026, 10, 1),
        to: date(2026, 10, 31),
        entries: vec![
            entry(account("card", Some("prog_1")), account("merchant", Some("mer_1")), 123_450),
            entry(account("merchant", Some("mer_1")), account("fees", None), 741),
        ],
    }
}

#[test]
fn debit_and_credit_are_equal_under_the_numbers_of_the_books() {
    let chart = AccountChart::parse(CHART).expect("a chart");
    let table = journal().to_table(&chart).expect("a journal");
    let mut out = Vec::new();
    table.write_csv(&mut out, false).expect("written");
    let mut reader = csv::Reader::from_reader(out.as_slice());
    let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 5);
    assert_eq!(
        rows[0].iter().collect::<Vec<_>>(),
        ["2026-10-08", "1", "核销", "2203.01", "预收账款—预付卡", "prog_1", "1234.50", "", "CNY", "17"]
    );
    assert_eq!((&rows[3][3], &rows[3][5], &rows[3][7]), ("6001.02", "", "7.41"));
    assert_eq!((&rows[4][6], &rows[4][7]), ("1241.91", "1241.91"));
}

#[test]
fn an_account_without_a_rule_stops_the_export() {
    let chart = AccountChart::parse(CHART).expect("a chart");
    let mut journal = journal();
    journal.entries[1].credit = account("escrow", Some("x_1"));
    let error = journal.to_table(&chart).expect_err("unmapped").to_string();
    assert!(error.contains("escrow:x_1"), "{error}");
}

#[test]
fn a_rule_for_one_account_goes_before_the_rule_for_its_kind() {
    let special = CHART.replace(
        "\"rules\": [",
        r#""rules": [{ "kind": "merchant", "reference": "mer_1", "code": "2241.77", "name": "x" },"#,
    );
    let table = journal().to_table(&AccountChart::parse(&special).expect("a chart")).expect("a journal");
    assert_eq!(table.rows[1][3], documents::Cell::from("2241.77"));
    let twice = CHART.replace("\"kind\": \"fees\"", "\"kind\": \"bank\"");
    assert!(AccountChart::parse(&twice).expect_err("twice").to_string().contains("rules["));
}

#[test]
fn the_sample_chart_has_every_account_of_the_ledger() {
    let chart = AccountChart::parse(CHART).expect("a chart");
    for kind in domain::account::AccountKind::ALL {
        let mut journal = journal();
        journal.entries[0].debit = account(&format!("{kind:?}").to_lowercase(), Some("x"));
        journal.to_table(&chart).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    }
}
