//! A closed statement as a document: CSV, XLSX or PDF, in Chinese or English.

use std::io::Cursor;

use documents::{
    AgreementSummary, CycleSummary, FeeSummary, FeeTier, Format, Language, LineKind, NegativeBalance, Party,
    Section, SplitShare, SplitSummary, StatementLine, StatementWriter, Totals,
};
use domain::{BusinessDate, MerchantId, OperationId, ids};
use engine::Engine;
use jiff::{civil::Date, tz::TimeZone};
use settlement::{
    Cycle, FeeRounding, MonthDay, MovementKind, Negative, Share, SplitBase, Statement, StatementStatus,
    Terms, Weekday, closing::hex,
};
use storage::Settled;

use super::{
    agreements::zone,
    error::{FinanceError, overflow},
};

/// The most lines of one document.
const MAX_LINES: usize = 200_000;
const PAGE: usize = 2000;

/// The form of a document.
pub type DocumentFormat = Format;
/// Its language.
pub type DocumentLanguage = Language;

/// Writes a closed statement with all its lines, oldest first.
pub async fn export_statement(
    engine: &Engine,
    statement: &Statement,
    format: DocumentFormat,
    language: DocumentLanguage,
) -> Result<Vec<u8>, FinanceError> {
    if statement.status == StatementStatus::Open {
        return Err(FinanceError::Document("the statement is still open".to_owned()));
    }
    let zone = zone(engine, statement.issuer)?;
    let head = head(engine, statement, language, &zone).await?;
    let lines = lines(engine, statement).await?;
    let write = move || write(head, &lines, format, &zone);
    let written = tokio::task::spawn_blocking(write).await;
    written.map_err(|error| FinanceError::Document(error.to_string()))?
}

async fn lines(engine: &Engine, statement: &Statement) -> Result<Vec<Settled>, FinanceError> {
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let page = engine.store().statement_lines(statement.id, before, PAGE).await?;
        all.extend(page.items);
        if all.len() > MAX_LINES {
            let text = format!("the statement has more than {MAX_LINES} lines: read them page by page");
            return Err(FinanceError::TooMuch(text));
        }
        let Some(next) = page.next else { break };
        before = Some(OperationId::new(next));
    }
    all.reverse();
    Ok(all)
}

fn write(
    head: documents::Statement,
    lines: &[Settled],
    format: Format,
    zone: &TimeZone,
) -> Result<Vec<u8>, FinanceError> {
    let failed = |error: documents::DocumentError| FinanceError::Document(error.to_string());
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = StatementWriter::begin(format, head, &mut bytes).map_err(failed)?;
    let mut day = None;
    for settled in lines {
        if day != Some(settled.line.day) {
            day = Some(settled.line.day);
            writer.section(Section::Day(date(settled.line.day)?));
        }
        writer.line(&line(settled, zone)?).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    Ok(bytes.into_inner())
}

fn date(day: BusinessDate) -> Result<Date, FinanceError> {
    day.to_date().ok_or_else(|| FinanceError::Damaged(format!("{day} is not a date")))
}

fn line(settled: &Settled, zone: &TimeZone) -> Result<StatementLine, FinanceError> {
    let line = &settled.line;
    // An id begins with the millisecond in which the operation was decided.
    let millis = (line.operation.get() >> ids::SHIFT).saturating_add(ids::EPOCH_MS);
    let at = jiff::Timestamp::from_millisecond(millis).map_err(|_| overflow())?;
    let split = settled.parts.iter().try_fold(0_i64, |sum, part| sum.checked_add(part.amount));
    Ok(StatementLine {
        operation: line.operation.to_string(),
        kind: match line.kind {
            MovementKind::Sale => LineKind::Sale,
            MovementKind::Refund => LineKind::Refund,
            MovementKind::Reversal => LineKind::Reversal,
            MovementKind::SplitIn => LineKind::SplitIn,
            MovementKind::PayoutReturn => LineKind::PayoutReturn,
            MovementKind::Correction | MovementKind::Funding => LineKind::Correction,
        },
        at: zone.to_datetime(at),
        day: date(line.day)?,
        place: None,
        amount: line.amount,
        fee: line.fee,
        split: split.ok_or_else(overflow)?,
        original: line.original.map(|original| original.to_string()),
        late: line.late,
    })
}

async fn head(
    engine: &Engine,
    statement: &Statement,
    language: Language,
    zone: &TimeZone,
) -> Result<documents::Statement, FinanceError> {
    let catalog = engine.catalog();
    let merchant =
        |id: MerchantId| catalog.merchants.get(&id).map_or_else(|| id.to_string(), |m| m.name.clone());
    let issuer = catalog.issuers.get(&statement.issuer).map(|issuer| issuer.name.clone()).unwrap_or_default();
    let agreement = match statement.agreement {
        Some(id) => engine.store().agreement(id).await?,
        None => None,
    };
    let from = agreement.as_ref().map_or(statement.period_from, |agreement| agreement.effective_from);
    let terms = agreement.as_ref().map_or_else(Terms::standard, |agreement| agreement.terms.clone());
    let reference = agreement.map_or_else(|| "standard".to_owned(), |agreement| agreement.id.to_string());
    let now = jiff::Timestamp::from_microsecond(engine.now().micros()).map_err(|_| overflow())?;
    Ok(documents::Statement {
        number: statement.id.to_string(),
        language,
        issuer: Party { name: issuer, number: Some(statement.issuer.to_string()), registration: None },
        merchant: Party {
            name: merchant(statement.merchant),
            number: Some(statement.merchant.to_string()),
            registration: None,
        },
        currency: statement.currency,
        from: date(statement.period_from)?,
        to: date(statement.period_to)?,
        due: date(statement.due_on)?,
        due_estimated: statement.due_estimated,
        agreement: summary(&terms, reference, date(from)?, merchant),
        totals: totals(statement).ok_or_else(overflow)?,
        generated: now.to_zoned(zone.clone()),
        digest: statement.digest.map(hex),
    })
}

/// A rejected payout comes back with what was carried; funding is shown among the corrections, as its lines are.
fn totals(statement: &Statement) -> Option<Totals> {
    let (f, sums) = (&statement.figures, &statement.figures.sums);
    Some(Totals {
        opening: f.opening.checked_add(f.payouts_rejected.get())?,
        sales: sums.sales,
        refunds: sums.refunds,
        reversals: sums.reversals,
        splits_in: sums.split_in,
        corrections: sums.corrections.checked_add(sums.funding)?,
        payout_returns: sums.payout_returns,
        fees: sums.fees,
        fee_rounding: 0,
        yearly_fee: f.yearly_fee.get(),
        splits_out: sums.splits_out,
        closing: f.closing,
        payout: f.payout.get(),
        invoiced: f.invoiced.get(),
        carried: f.carried,
    })
}

fn summary(
    terms: &Terms,
    reference: String,
    effective_from: Date,
    name: impl Fn(MerchantId) -> String,
) -> AgreementSummary {
    let fees = &terms.fees;
    let cut_off = terms.cut_off.to_string();
    AgreementSummary {
        reference,
        effective_from,
        cycle: cycle(terms.cycle),
        // 24:00 is no time of a day: it is shown as the end of the day.
        cut_off: cut_off.parse().ok(),
        minimum_payout: terms.minimum_payout.get(),
        negative: match terms.negative {
            Negative::Carry => NegativeBalance::Carried,
            Negative::Invoice => NegativeBalance::Invoiced,
        },
        fees: FeeSummary {
            percentage: (fees.basis_points > 0).then(|| i64::from(fees.basis_points)),
            fixed: some(fees.fixed.get()),
            tiers: fees
                .tiers
                .iter()
                .map(|tier| FeeTier {
                    from: tier.from.get(),
                    percentage: i64::from(tier.basis_points),
                    fixed: 0,
                })
                .collect(),
            floor: fees.floor.map(domain::Amount::get),
            cap: fees.cap.map(domain::Amount::get),
            yearly: some(fees.yearly.get()),
            rounding: match terms.fee_rounding {
                FeeRounding::PerOperation => documents::FeeRounding::PerOperation,
                FeeRounding::PerStatement => documents::FeeRounding::PerStatement,
            },
            returned_on_refund: terms.refunds_return_fee,
        },
        splits: splits(terms, name),
        split_base: match terms.splits.as_ref().map(|splits| splits.base) {
            Some(SplitBase::Gross) => documents::SplitBase::Gross,
            _ => documents::SplitBase::Net,
        },
    }
}

fn some(amount: i64) -> Option<i64> {
    (amount > 0).then_some(amount)
}

fn splits(terms: &Terms, name: impl Fn(MerchantId) -> String) -> Vec<SplitSummary> {
    let Some(splits) = &terms.splits else { return Vec::new() };
    let share = |share: Share| match share {
        Share::Percent { basis_points } => SplitShare::Percentage(i64::from(basis_points)),
        Share::Fixed { amount } => SplitShare::Fixed(amount.get()),
    };
    let parts = splits.receivers.iter().map(|receiver| (receiver.merchant, share(receiver.share)));
    let rest = splits.rest.map(|rest| (rest, SplitShare::Rest));
    parts.chain(rest).map(|(merchant, share)| SplitSummary { receiver: name(merchant), share }).collect()
}

fn cycle(cycle: Cycle) -> CycleSummary {
    match cycle {
        Cycle::TPlus { days } => CycleSummary::TPlus(days),
        Cycle::Weekly { weekday, plus } => CycleSummary::Weekly { weekday: civil(weekday), plus },
        Cycle::Monthly { day: MonthDay::Day(day), plus } => CycleSummary::Monthly { day: Some(day), plus },
        Cycle::Monthly { day: MonthDay::Last(_), plus } => CycleSummary::Monthly { day: None, plus },
    }
}

fn civil(weekday: Weekday) -> jiff::civil::Weekday {
    match weekday {
        Weekday::Monday => jiff::civil::Weekday::Monday,
        Weekday::Tuesday => jiff::civil::Weekday::Tuesday,
        Weekday::Wednesday => jiff::civil::Weekday::Wednesday,
        Weekday::Thursday => jiff::civil::Weekday::Thursday,
        Weekday::Friday => jiff::civil::Weekday::Friday,
        Weekday::Saturday => jiff::civil::Weekday::Saturday,
        Weekday::Sunday => jiff::civil::Weekday::Sunday,
    }
}
