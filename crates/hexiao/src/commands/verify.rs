//! `hexiao verify`: do the books balance?

use std::fmt::Write as _;

use serde_json::{Value, json};
use storage::{AuditReport, Violation};

use crate::{
    cli::Global,
    failure::{Failure, Result},
    installation::open_to_read,
    output,
};

pub(crate) async fn run(global: &Global) -> Result {
    let store = open_to_read(global).await?;
    let report = store.audit().await?;
    output::print(global.json, &as_json(&report), &as_text(&report))?;
    match report.violations.first() {
        None => Ok(()),
        Some(first) => Err(Failure::new(format!("the books are wrong: {}", sentence(first)))),
    }
}

fn as_json(report: &AuditReport) -> Value {
    json!({
        "ok": report.violations.is_empty(),
        "cards": report.cards,
        "operations": report.operations,
        "transfers": report.transfers,
        "totals": report.totals.iter().map(|sum| json!({
            "currency": sum.currency.code(), "debits_minor": sum.debits, "credits_minor": sum.credits,
        })).collect::<Vec<_>>(),
        "checked": report.checked,
        "violations": report.violations.iter().map(|v| json!({
            "invariant": v.invariant, "subject": v.subject, "detail": v.detail,
        })).collect::<Vec<_>>(),
    })
}

fn as_text(report: &AuditReport) -> String {
    let mut text = format!(
        "looked at {} cards, {} operations, {} transfers\n",
        output::count(report.cards),
        output::count(report.operations),
        output::count(report.transfers),
    );
    for sum in &report.totals {
        let (currency, debits, credits) = (sum.currency, sum.debits, sum.credits);
        writeln!(text, "{currency}: debits {debits}, credits {credits} (minor units)")
            .expect("a text takes every line");
    }
    for invariant in &report.checked {
        let found = report.violations.iter().filter(|v| v.invariant == *invariant).count();
        let verdict = if found == 0 { "ok      " } else { "VIOLATED" };
        text.extend([verdict, "  ", invariant, "\n"]);
    }
    for violation in &report.violations {
        text.extend([sentence(violation).as_str(), "\n"]);
    }
    text
}

fn sentence(violation: &Violation) -> String {
    format!("{}: {}: {}", violation.invariant, violation.subject, violation.detail)
}
