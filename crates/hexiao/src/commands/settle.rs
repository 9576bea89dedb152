//! `hexiao settle`: closes the periods that are over, and proposes payouts.

use std::fmt::Write as _;

use domain::{BusinessDate, IssuerId, command::SYSTEM_CLIENT};
use finance::settlement::{EarlyClose, RunReport, RunScope, run_watched};
use serde_json::{Value, json};

use crate::{
    cli::{Global, Settle},
    failure::{Failure, Result},
    installation::{Installation, RunningEngine},
    output,
};

pub(crate) async fn run(global: &Global, args: &Settle) -> Result {
    let installation = Installation::open(global).await?;
    let running = installation.start_engine().await?;
    let done = settle_with(&running, args).await;
    running.stop().await?;
    let (issuer, report) = done?;
    output::print(global.json, &as_json(issuer, &report), &as_text(&report))
}

async fn settle_with(running: &RunningEngine, args: &Settle) -> Result<(IssuerId, RunReport)> {
    let issuer = issuer_of(running, args.issuer)?;
    let through = args.through.map(|day| day.0);
    let scope = RunScope { through, early: args.early, maker: SYSTEM_CLIENT };
    let report = run_watched(&running.engine, issuer, scope, &|_| {}).await;
    Ok((issuer, report.map_err(|error| Failure::new(error.to_string()))?))
}

fn issuer_of(running: &RunningEngine, asked: Option<IssuerId>) -> Result<IssuerId> {
    let catalog = running.engine.catalog();
    if let Some(asked) = asked {
        return catalog
            .issuers
            .contains_key(&asked)
            .then_some(asked)
            .ok_or_else(|| Failure::new(format!("there is no issuer {asked}")));
    }
    let mut all = catalog.issuers.keys();
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(*only),
        (None, _) => Err(Failure::new("the database has no issuer yet")),
        _ => Err(Failure::new("the database has several issuers: say which with --issuer")),
    }
}

fn as_json(issuer: IssuerId, report: &RunReport) -> Value {
    json!({
        "issuer": issuer,
        "operations": report.operations,
        "lines": report.lines,
        "statements": report.statements,
        "payouts": report.payouts,
        "amounts": report.amounts.iter().map(|(currency, sum)| json!({
            "currency": currency.code(), "amount_minor": sum,
        })).collect::<Vec<_>>(),
    })
}

fn as_text(report: &RunReport) -> String {
    let mut text = format!(
        "took in {} operations as {} lines\nclosed {} statements, proposed {} payouts\n",
        output::count(report.operations),
        output::count(report.lines),
        output::count(report.statements),
        output::count(report.payouts),
    );
    for (currency, sum) in &report.amounts {
        writeln!(text, "{currency}: {sum} to be paid (minor units)").expect("a text takes every line");
    }
    text
}

/// Reads whose books are closed early.
pub(crate) fn parse_early(text: &str) -> std::result::Result<EarlyClose, String> {
    if text == "all" {
        return Ok(EarlyClose::All);
    }
    let merchant = text.parse().map_err(|_| "give the id of a merchant (mer_…), or all".to_owned())?;
    Ok(EarlyClose::Merchant(merchant))
}

/// A date on the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day(pub(crate) BusinessDate);

impl std::str::FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        BusinessDate::parse(text).map(Self).ok_or("give a date such as 2026-11-22")
    }
}
