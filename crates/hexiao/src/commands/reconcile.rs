//! `hexiao reconcile`: compares a file with the books.

use std::{
    fmt::Write as _,
    fs::File,
    io::{Read, Seek},
};

use domain::{Account, command::SYSTEM_CLIENT};
use finance::reconciliation::{FileRequest, Imported, Reconciler};
use reconciliation::{Class, Format, Limits, Mapping};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use storage::{DifferenceFilter, MatchOn};

use crate::{
    cli::{Global, Reconcile},
    failure::{Failure, Result},
    installation::{Installation, RunningEngine},
    output,
};

/// Differences that are read at once.
const PAGE: usize = 1_000;

pub(crate) async fn run(global: &Global, args: &Reconcile) -> Result {
    let installation = Installation::open(global).await?;
    let running = installation.start_engine().await?;
    let done = reconcile_with(&running, args).await;
    running.stop().await?;
    let (imported, classes) = done?;
    output::print(global.json, &as_json(&imported, &classes), &as_text(&imported, &classes))
}

type Counts = Vec<(Class, u64)>;

async fn reconcile_with(running: &RunningEngine, args: &Reconcile) -> Result<(Imported, Counts)> {
    let (request, file) = request(running, args)?;
    let imported = Reconciler::new(running.engine.clone()).import(request, file).await;
    let imported = imported.map_err(|error| Failure::new(error.to_string()))?;
    let classes = by_class(running, &imported).await?;
    Ok((imported, classes))
}

fn request(running: &RunningEngine, args: &Reconcile) -> Result<(FileRequest, File)> {
    let failed = |what: &std::path::Path, error: &dyn std::fmt::Display| {
        Failure::new(format!("cannot read {}: {error}", what.display()))
    };
    let mapping = match &args.mapping {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| failed(path, &error))?;
            let mapping: Mapping = serde_json::from_str(&text).map_err(|error| failed(path, &error))?;
            Some(mapping)
        }
    };
    let mut file = File::open(&args.file).map_err(|error| failed(&args.file, &error))?;
    let digest = digest(&mut file).map_err(|error| failed(&args.file, &error))?;
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let request = FileRequest {
        issuer: issuer_of(running, args.account)?,
        client: SYSTEM_CLIENT,
        account: args.account,
        format: args.format,
        file_name: name.unwrap_or_else(|| "file".to_owned()),
        digest,
        currency: args.currency,
        mapping,
        match_on: args.match_on,
        window_seconds: args.window_seconds,
        from: args.from,
        to: args.to,
        expected_lines: args.expected_lines,
        expected_sum: args.expected_sum,
    };
    Ok((request, file))
}

/// The issuer whose account it is. A channel's name does not say.
fn issuer_of(running: &RunningEngine, account: Account) -> Result<domain::IssuerId> {
    let catalog = running.engine.catalog();
    match account {
        Account::Merchant(merchant) => {
            let found = catalog.merchants.get(&merchant).map(|merchant| merchant.issuer);
            found.ok_or_else(|| Failure::new(format!("there is no merchant {merchant}")))
        }
        Account::Bank(issuer) => Ok(issuer),
        _ => {
            let mut all = catalog.issuers.keys();
            match (all.next(), all.next()) {
                (Some(only), None) => Ok(*only),
                _ => Err(Failure::new("a channel does not say whose it is: send its file over the API")),
            }
        }
    }
}

fn digest(file: &mut File) -> std::io::Result<[u8; 32]> {
    let most = Limits::default().file_bytes;
    if file.metadata()?.len() > most {
        return Err(std::io::Error::other(format!("it has more than {most} bytes; split it by day")));
    }
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let size = file.read(&mut buffer)?;
        if size == 0 {
            break;
        }
        digest.update(&buffer[..size]);
    }
    file.rewind()?;
    Ok(digest.finalize().into())
}

async fn by_class(running: &RunningEngine, imported: &Imported) -> Result<Counts> {
    let of = &imported.reconciliation;
    let filter = DifferenceFilter { reconciliation: Some(of.id), ..DifferenceFilter::all(of.issuer) };
    let mut counts = Class::ALL.map(|class| (class, 0)).to_vec();
    let mut before = None;
    loop {
        let page = running.engine.store().differences(&filter, before, PAGE).await?;
        for record in &page.items {
            if let Some((_, count)) = counts.iter_mut().find(|(class, _)| *class == record.class) {
                *count += 1;
            }
        }
        before = page.next.map(domain::DifferenceId::new);
        if before.is_none() {
            counts.retain(|(_, count)| *count > 0);
            return Ok(counts);
        }
    }
}

fn as_json(imported: &Imported, classes: &Counts) -> Value {
    let of = &imported.reconciliation;
    json!({
        "id": of.id,
        "replayed": imported.replayed,
        "account": of.account.to_string(),
        "currency": of.currency.code(),
        "lines": of.lines,
        "lines_sum_minor": of.lines_sum,
        "passed_over": of.passed_over,
        "totals_checked": of.totals_checked,
        "records": of.records,
        "records_sum_minor": of.records_sum,
        "matched": of.matched,
        "cancelled": of.cancelled,
        "differences": of.differences,
        "by_class": classes.iter().map(|(class, count)| (class.name().to_owned(), json!(count))).collect::<serde_json::Map<_, _>>(),
    })
}

fn as_text(imported: &Imported, classes: &Counts) -> String {
    let of = &imported.reconciliation;
    let already = if imported.replayed { " (reconciled before)" } else { "" };
    let mut text = format!(
        "{}{already}\n{} lines, {} minor units; {} own records, {} minor units\n{} agree, {} do not\n",
        of.id,
        output::count(u64::from(of.lines)),
        of.lines_sum,
        output::count(u64::from(of.records)),
        of.records_sum,
        output::count(u64::from(of.matched)),
        output::count(u64::from(of.differences)),
    );
    for (class, count) in classes {
        writeln!(text, "{:>16}  {}", class.name(), output::count(*count)).expect("a text takes every line");
    }
    if !of.totals_checked {
        text.push_str("the file has no totals of its own: give --expected-sum to be sure that it is whole\n");
    }
    text
}

/// A format on the command line.
pub(crate) fn parse_format(text: &str) -> std::result::Result<Format, &'static str> {
    Format::from_name(text).ok_or("a format is csv, xlsx, camt.053, wechat or alipay")
}

/// An account on the command line.
pub(crate) fn parse_account(text: &str) -> std::result::Result<Account, &'static str> {
    Account::parse(text).ok_or("an account is merchant:mer_…, channel:web or bank:iss_…")
}

/// What references are compared with, on the command line.
pub(crate) fn parse_match_on(text: &str) -> std::result::Result<MatchOn, &'static str> {
    MatchOn::from_name(text).ok_or("say reference, operation or key")
}
