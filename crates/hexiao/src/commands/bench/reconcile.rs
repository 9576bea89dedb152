//! How long it takes to reconcile a merchant's file with as many own records: reading the file, reading the log,
//! comparing, and keeping lines and differences.

use std::{
    fs::File,
    io::{BufWriter, Seek, Write},
    time::{Duration, Instant},
};

use domain::{Account, Currency, IssuerId, MerchantId, OperationId, Timestamp, command::SYSTEM_CLIENT};
use engine::Engine;
use finance::reconciliation::{FileRequest, Reconciler};
use reconciliation::{Format, Mapping};
use storage::{MatchOn, OwnQuery};

use crate::failure::{Failure, Result};

/// Every so many lines one is missing, one has another amount.
const DIFFERS: u64 = 1_000;
/// Operations that are looked at in one read.
const READ: usize = 50_000;
const MAPPING: &str = r#"{"unit": "minor", "columns": {"reference": "order", "amount": "fen", "at": "at"}, "date_formats": ["rfc3339"]}"#;

/// What was measured.
pub(super) struct Reconciled {
    /// Lines of the file.
    pub(super) lines: u64,
    /// From the open file to everything kept.
    pub(super) took: Duration,
}

/// Reconciles what a merchant sold, all of it, against a file of the same with a few differences. Fails unless
/// exactly those are found.
pub(super) async fn measure(engine: &Engine, issuer: IssuerId, merchant: MerchantId) -> Result<Reconciled> {
    let (file, lines, differences) = file_of(engine, issuer, merchant).await?;
    let request = FileRequest {
        issuer,
        client: SYSTEM_CLIENT,
        account: Account::Merchant(merchant),
        format: Format::Csv,
        file_name: "bench.csv".to_owned(),
        // Never reconciled before: every run sells anew.
        digest: [u8::try_from(engine.next_id() & 0xff).unwrap_or(0); 32],
        currency: Currency::CNY,
        mapping: Some(serde_json::from_str::<Mapping>(MAPPING)?),
        match_on: MatchOn::Operation,
        window_seconds: 60,
        from: None,
        to: None,
        expected_lines: Some(u32::try_from(lines)?),
        expected_sum: None,
    };
    let began = Instant::now();
    let imported = Reconciler::new(engine.clone()).import(request, file).await;
    let took = began.elapsed();
    let found = imported.map_err(|error| Failure::new(error.to_string()))?.reconciliation;
    if u64::from(found.differences) == differences && u64::from(found.matched) + differences >= lines {
        Ok(Reconciled { lines, took })
    } else {
        let text = format!("{} differences were found instead of {differences}", found.differences);
        Err(Failure::new(text))
    }
}

/// The merchant's own view of its sales: a file, how many lines it has, and in how many places it disagrees.
async fn file_of(engine: &Engine, issuer: IssuerId, merchant: MerchantId) -> Result<(File, u64, u64)> {
    let account = Account::Merchant(merchant);
    let (currency, match_on) = (Currency::CNY, MatchOn::Operation);
    let query = OwnQuery { issuer, account, currency, match_on, below: OperationId::new(i64::MAX) };
    let mut file = BufWriter::new(tempfile::tempfile()?);
    writeln!(file, "order,fen,at")?;
    let (mut records, mut lines, mut differences) = (0_u64, 0, 0);
    let mut after = Some(OperationId::new(-1));
    while let Some(from) = after {
        let part = engine.store().own_records(&query, from, READ).await?;
        for own in part.items {
            records += 1;
            let (missing, other) = (records % DIFFERS == 1, records % DIFFERS == 2);
            differences += u64::from(missing || other);
            if !missing {
                // Of whole seconds, as files usually are.
                let at = Timestamp::from_micros(own.at.micros() / 1_000_000 * 1_000_000);
                writeln!(file, "{},{},{at}", own.reference, own.amount + i64::from(other))?;
                lines += 1;
            }
        }
        after = part.next;
    }
    let mut file = file.into_inner().map_err(|error| Failure::new(error.to_string()))?;
    file.rewind()?;
    Ok((file, lines, differences))
}
