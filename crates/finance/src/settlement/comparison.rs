//! Compares a candidate agreement with what was charged, on the lines of a past period. Writes nothing.

use std::collections::BTreeMap;

use domain::{BusinessDate, IssuerId, MerchantId, OperationId};
use engine::Engine;
use settlement::{
    Line, Terms,
    dry_run::{Compared, DryRun},
};

use super::{
    agreements::zone,
    error::{FinanceError, field},
};

const PAGE: usize = 10_000;
/// The most lines that one comparison reads, in each of its two passes.
const MAX_LINES: u64 = 10_000_000;

/// What is compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// One merchant, or all of the issuer.
    pub merchant: Option<MerchantId>,
    /// The first day of the period.
    pub from: BusinessDate,
    /// The last day of the period.
    pub to: BusinessDate,
    /// The candidate.
    pub terms: Terms,
}

/// What each merchant paid and would have paid. Days are those on which operations were made, to midnight.
pub async fn compare(
    engine: &Engine,
    issuer: IssuerId,
    comparison: &Comparison,
) -> Result<BTreeMap<MerchantId, Compared>, FinanceError> {
    comparison.terms.check().map_err(FinanceError::Field)?;
    if comparison.to < comparison.from {
        return field("/to", "must not be before the first day");
    }
    let range = range(engine, issuer, comparison)?;
    let mut run = DryRun::new(&comparison.terms);
    each_line(engine, issuer, comparison, range, |line| run.find(line)).await?;
    each_line(engine, issuer, comparison, range, |line| run.compare(line)).await?;
    Ok(run.finish())
}

fn range(
    engine: &Engine,
    issuer: IssuerId,
    comparison: &Comparison,
) -> Result<(OperationId, OperationId), FinanceError> {
    let zone = zone(engine, issuer)?;
    let midnight = settlement::CutOff::MIDNIGHT;
    let date = comparison.from.to_date().and_then(|date| date.yesterday().ok());
    let Some(before) = date.map(BusinessDate::from_date) else { return field("/from", "give a date") };
    if comparison.to.to_date().is_none() {
        return field("/to", "give a date");
    }
    let floor = |at| OperationId::new(domain::ids::floor_of(at));
    let start = floor(midnight.end_of(before, &zone));
    Ok((start, floor(midnight.end_of(comparison.to, &zone))))
}

async fn each_line<E: std::fmt::Display>(
    engine: &Engine,
    issuer: IssuerId,
    comparison: &Comparison,
    (start, below): (OperationId, OperationId),
    mut with: impl FnMut(&Line) -> Result<(), E>,
) -> Result<(), FinanceError> {
    let mut after = (OperationId::new(start.get().saturating_sub(1)), MerchantId::new(i64::MAX));
    let mut count: u64 = 0;
    loop {
        let lines = engine.store().lines(issuer, after, below, PAGE).await?;
        let Some(last) = lines.last() else { return Ok(()) };
        after = (last.operation, last.merchant);
        count += lines.len() as u64;
        if count > MAX_LINES {
            let text = format!("the period has more than {MAX_LINES} lines: choose a shorter one");
            return Err(FinanceError::TooMuch(text));
        }
        let of = |line: &&Line| comparison.merchant.is_none_or(|merchant| merchant == line.merchant);
        for line in lines.iter().filter(of) {
            with(line).map_err(|error| FinanceError::TooMuch(error.to_string()))?;
        }
    }
}
