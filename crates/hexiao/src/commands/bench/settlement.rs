//! `hexiao bench settlement`: how long it takes to settle many merchants.
//!
//! Sells through the engine like everybody else, spread over all merchants; then measures what a settlement run
//! does: takes the whole log into lines, closes a statement for each merchant, posts its fees, proposes its
//! payout. The periods are closed as if they were over.

use std::{sync::Arc, time::Instant};

use domain::{
    BusinessDate, Currency, MerchantId, catalog::Merchant, command::SYSTEM_CLIENT, program::Status,
};
use engine::Engine;
use finance::settlement::{NewAgreement, RunReport, Settler, Step, add_agreement};
use serde_json::json;
use settlement::Terms;
use storage::CatalogEntry;

use super::{reconcile, selling::Selling, shop::Shop};
use crate::{
    cli::{BenchSettlement, Global},
    failure::{Failure, Result},
    installation::Installation,
    output,
};

const CARDS: u32 = 50_000;
const TERMS: &str = r#"{"cycle":{"kind":"t_plus","days":1},"fees":{"basis_points":60,"fixed":1},
    "refunds_return_fee":true}"#;

pub(crate) async fn run(global: &Global, args: &BenchSettlement) -> Result {
    let (global, scratch) = super::scratch(global)?;
    let shop = Shop::prepare(&global, CARDS).await?;
    let installation = Installation::open(&global).await?;
    let running = installation.start_engine().await?;
    let engine = running.engine.clone();
    let merchants = merchants(&engine, &shop, args.merchants).await?;
    agree(&engine, &shop).await?;
    let began = Instant::now();
    Selling::at_merchants(&engine, &shop, &merchants).sell(args.operations).await?;
    let generated = began.elapsed();
    forget_peak();
    let began = Instant::now();
    let report = settle(&engine, &shop).await?;
    let settled = began.elapsed();
    let settle_peak = peak_mib();
    let one = self::merchants(&engine, &shop, 1).await?;
    Selling::at_merchants(&engine, &shop, &one).sell(args.reconcile).await?;
    forget_peak();
    let reconciled = reconcile::measure(&engine, shop.issuer, one[0]).await?;
    let figures = json!({
        "merchants": args.merchants,
        "operations": args.operations,
        "generate_s": generated.as_secs_f64(),
        "settle_s": settled.as_secs_f64(),
        "lines": report.lines,
        "statements": report.statements,
        "payouts": report.payouts,
        "peak_rss_mib": settle_peak,
        "reconcile_lines": reconciled.lines,
        "reconcile_s": reconciled.took.as_secs_f64(),
        "reconcile_peak_rss_mib": peak_mib(),
    });
    let text = format!(
        "sold {} times at {} merchants in {:.1} s\nsettled in {:.1} s: {} lines, {} statements, {} payouts\n",
        output::count(args.operations),
        output::count(u64::from(args.merchants)),
        generated.as_secs_f64(),
        settled.as_secs_f64(),
        output::count(report.lines),
        output::count(report.statements),
        output::count(report.payouts),
    );
    output::print(global.json, &figures, &text)?;
    drop(engine);
    running.stop().await?;
    drop(scratch);
    if report.lines >= args.operations && report.statements >= u64::from(args.merchants) {
        Ok(())
    } else {
        Err(Failure::new("not everything that was sold is on a statement"))
    }
}

pub(super) async fn merchants(engine: &Engine, shop: &Shop, count: u32) -> Result<Arc<[MerchantId]>> {
    let mut made = Vec::new();
    for number in 0..count {
        let merchant = Merchant {
            id: MerchantId::new(engine.next_id()),
            issuer: shop.issuer,
            name: format!("Merchant {number}"),
            status: Status::Active,
            created_at: engine.now(),
            version: 1,
        };
        made.push(merchant.id);
        let done = engine.put_catalog(CatalogEntry::Merchant(merchant)).await;
        done.map_err(|error| Failure::new(error.to_string()))?;
    }
    Ok(made.into())
}

pub(super) async fn agree(engine: &Engine, shop: &Shop) -> Result {
    let terms: Terms = serde_json::from_str(TERMS)?;
    let (currency, effective_from) = (Currency::CNY, BusinessDate::from_stored(20_200_101));
    let new = NewAgreement { merchant: None, currency, effective_from, terms };
    let made = add_agreement(engine, shop.issuer, SYSTEM_CLIENT, new).await;
    made.map(|_| ()).map_err(|error| Failure::new(error.to_string()))
}

/// A run, as if it were some weeks later.
pub(super) async fn settle(engine: &Engine, shop: &Shop) -> Result<RunReport> {
    let failed = |error: finance::settlement::FinanceError| Failure::new(error.to_string());
    let mut report = RunReport::default();
    let mut settler = Settler::resume(engine, shop.issuer, Step::Large).await.map_err(failed)?;
    while settler.accrue(&mut report).await.map_err(failed)? {}
    let later = engine.now().plus_seconds(30 * 86_400);
    settler.close(later, None, SYSTEM_CLIENT, &mut report).await.map_err(failed)?;
    Ok(report)
}

/// Begins to measure the largest resident size anew, where the system can.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The largest resident size, in MiB; none where the system does not say.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
}
