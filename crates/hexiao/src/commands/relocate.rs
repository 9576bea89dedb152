//! `hexiao move`: everything into another database.

use std::time::{Duration, Instant};

use relocation::Report;
use serde_json::json;

use crate::{
    cli::{Global, Move},
    database::{Database, Purpose, relocation_source, relocation_target},
    database_url::DatabaseUrl,
    failure::{Failure, Result},
    output,
    progress::Progress,
};

/// Operations that are rolled up at once where the roll-up is made anew.
const STEP: usize = 10_000;

pub(crate) async fn run(global: &Global, args: &Move) -> Result {
    if args.from == args.to {
        return Err(Failure::usage("--from and --to are the same database; name another one to move to"));
    }
    // The source first: where it is wrong, no target is made.
    let source = relocation_source(&args.from).await.map_err(|failure| failure.while_doing("--from"))?;
    let target = relocation_target(&args.to, global.db_owner.as_ref()).await;
    let target = target.map_err(|failure| failure.while_doing("--to"))?;
    let progress = Progress::new("rows moved", None);
    let moved = relocation::relocate(source, target, &|rows| progress.add(rows)).await;
    progress.finish();
    let report = moved?;
    let verified = after(global, args, &report).await?;
    print(global, &args.to, &report, verified)
}

/// What the move left to be made anew, and the proof that the books are right.
async fn after(global: &Global, args: &Move, report: &Report) -> Result<Option<Duration>> {
    let began = Instant::now();
    let global = Global { db: Some(args.to.clone()), ..global.clone() };
    if report.omitted > 0 {
        let store = Database::open(&global, Purpose::Write).await?.store();
        while store.roll_up(STEP).await?.behind > 0 {}
    }
    if args.no_verify {
        return Ok(None);
    }
    let store = Database::open(&global, Purpose::Read).await?.store();
    let audit = store.audit().await?;
    match audit.violations.first() {
        None => Ok(Some(began.elapsed())),
        Some(first) => Err(Failure::new(format!(
            "everything was moved, but the books are wrong, there as in the source: {}: {}: {}; run hexiao verify on \
             both",
            first.invariant, first.subject, first.detail
        ))),
    }
}

fn print(global: &Global, to: &DatabaseUrl, report: &Report, verified: Option<Duration>) -> Result {
    let seconds = (report.copying + report.comparing).as_secs_f64();
    let rate = u32::try_from(report.operations_now).map_or(0.0, f64::from) / seconds.max(0.001);
    let machine = json!({
        "tables": report.tables,
        "operations": report.operations,
        "rows": report.rows,
        "seconds": rounded(seconds),
        "operations_per_s": rate.round(),
        "resumed": report.resumed,
        "compare_seconds": rounded(report.comparing.as_secs_f64()),
        "verify_seconds": verified.map(|time| rounded(time.as_secs_f64())),
    });
    let verified = if verified.is_some() { ", and the books are verified" } else { "" };
    let people = format!(
        "{} operations, {} rows of {} tables are in {to} in {seconds:.1} s; counts and sums agree{verified}. Copy the \
         key ring to where its servers look for it, and start them.",
        output::count(report.operations),
        output::count(report.rows),
        report.tables,
    );
    output::print(global.json, &machine, &people)
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
