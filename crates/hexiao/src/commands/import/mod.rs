//! `hexiao import`: cards of another system move in.
//!
//! Two passes over the file. The first checks every row against the program and the database and writes
//! nothing; it also takes the file's digest. The second adopts the cards in chunks and loads their value
//! with the same commands as everybody else's, under keys that follow from digest and line. Memory is
//! bounded by the number of rows alone: sixteen bytes of each number are kept to find repetitions.
//!
//! A crash in the second pass leaves cards that belong to a batch of this very file, marked as not
//! finished; the same file imported again goes on with it.

mod adopt;
mod check;
mod file;
mod row;

use domain::{Program, ProgramId};
use engine::Engine;
use serde_json::{Value, json};
use storage::queries::LedgerLine;

use crate::{
    cli::{Global, Import},
    failure::{Failure, Result},
    installation::Installation,
    output,
};

use check::Checked;

pub(crate) async fn run(global: &Global, args: &Import) -> Result {
    let installation = Installation::open(global).await?;
    let running = installation.start_engine().await?;
    let done = import(&running.engine, global.json, args).await;
    running.stop().await?;
    done
}

async fn import(engine: &Engine, json: bool, args: &Import) -> Result {
    let catalog = engine.catalog();
    let program = catalog.programs.get(&args.program);
    let program = program.ok_or_else(|| Failure::usage(unknown(args.program)))?;
    let rules = row::RowRules::of(program, &catalog, engine.now())?;
    let checked = check::check(engine, &args.file, program, &rules).await?;
    if !checked.bad.is_empty() {
        return refuse(json, args, &checked);
    }
    let before = liability(engine, program).await?;
    if args.dry_run {
        return report(json, args, program, &checked, before, None);
    }
    adopt::adopt(engine, &args.file, program, &rules, &checked).await?;
    let after = liability(engine, program).await?;
    report(json, args, program, &checked, before, Some(after))
}

fn unknown(id: ProgramId) -> String {
    format!("--program {id}: there is no such program; GET /v1/programs lists them")
}

/// What the issuer owes to holders of this program's cards.
async fn liability(engine: &Engine, program: &Program) -> Result<i64> {
    let lines = engine.store().trial_balance(program.issuer, None).await?;
    // A program has one currency, and so one line.
    let line = lines.iter().find(|line| line.line == LedgerLine::Cards(program.id));
    Ok(line.map_or(0, |line| line.credits.saturating_sub(line.debits)))
}

fn refuse(json: bool, args: &Import, checked: &Checked) -> Result {
    let bad: Vec<Value> = checked.bad.iter().map(|b| json!({ "line": b.line, "reason": b.reason })).collect();
    let machine = json!({
        "imported": 0, "rows": checked.rows, "bad_rows": checked.bad_count, "bad": bad,
    });
    let mut people = String::new();
    for found in &checked.bad {
        people.extend(["line ", &found.line.to_string(), ": ", &found.reason, "\n"]);
    }
    if checked.bad_count > checked.bad.len() as u64 {
        people.push_str("… and more\n");
    }
    output::print(json, &machine, &people)?;
    Err(Failure::new(format!(
        "{}: {} of {} rows are bad; nothing was imported",
        args.file.display(),
        output::count(checked.bad_count),
        output::count(checked.rows)
    )))
}

fn report(
    json: bool,
    args: &Import,
    program: &Program,
    checked: &Checked,
    before: i64,
    after: Option<i64>,
) -> Result {
    let machine = json!({
        "program": program.id.to_string(),
        "rows": checked.rows,
        "imported": if after.is_some() { checked.rows - checked.known } else { 0 },
        "already_imported": checked.known,
        "bad_rows": 0,
        "bad": [],
        "currency": program.currency.code(),
        "balances_minor": checked.total.get(),
        "liability_before_minor": before,
        "liability_after_minor": after,
        "dry_run": after.is_none(),
    });
    let money =
        |minor: i64| format!("{} {}", output::money(minor, program.currency.exponent()), program.currency);
    let mut people = format!(
        "{}: {} rows, balances {}\n{} cards are here already from this file\nliability of {} before  {}\n",
        args.file.display(),
        output::count(checked.rows),
        money(checked.total.get()),
        output::count(checked.known),
        program.name,
        money(before),
    );
    let last = match after {
        Some(after) => format!("liability of {} after   {}", program.name, money(after)),
        None => "every row is good; nothing was imported (--dry-run)".to_owned(),
    };
    people.push_str(&last);
    output::print(json, &machine, &people)
}
