//! `hexiao bench`: this machine beside its own ceilings, and proof that nothing was lost on the way.
//!
//! The server runs as a process of its own, so that its memory and start-up are its own; the load
//! generator shares the machine with it, as the ceiling's does. Rates of one run are comparable with each
//! other and with nothing else.

mod disk;
mod engine_load;
mod idempotency_keys;
mod lists;
mod proof;
mod reconcile;
mod report;
mod selling;
mod server_process;
mod settlement;
mod shop;
mod tally;
mod traffic;

use std::{path::PathBuf, sync::Arc, time::Duration};

use load_generator::{Config, Report, Source, closed_loop, open_loop};
use tempfile::TempDir;

use crate::{
    cli::{Bench, BenchOf, Global, KeyOrder},
    database_url::DatabaseUrl,
    failure::{Failure, Result},
    output,
};

use idempotency_keys::KeyMaker;
use report::Figures;
use server_process::ServerProcess;
use shop::Shop;
use tally::Tally;
use traffic::{Batches, Lookups, Noop, Redemptions};

/// Before a rate is measured, caches and connections warm up for this long.
const WARM_UP: Duration = Duration::from_secs(1);
/// The bounds of `--batch-sizes`.
const BATCH_SIZES: [usize; 4] = [16, 64, 256, 1024];
/// Connections that send batches: each request keeps the engine busy for a while.
const BATCH_CONNECTIONS: usize = 4;

pub(crate) async fn run(global: &Global, args: &Bench) -> Result {
    match &args.of {
        Some(BenchOf::Settlement(args)) => return settlement::run(global, args).await,
        Some(BenchOf::Lists(args)) => return lists::run(global, args).await,
        None => {}
    }
    let (global, scratch) = scratch(global)?;
    let shop = Shop::prepare(&global, args.cards).await?;
    let before = proof::Before::take(&global, &shop).await?;
    let mut figures = Figures::new(&shop, args);
    figures.syncs = scratch.as_ref().map(|folder| disk::measure(folder.path())).transpose()?;
    let mut tally = Tally::default();
    if !args.engine_only {
        let (measured, counted) = over_http(&global, args, &shop, figures).await?;
        figures = measured;
        tally.add(&counted)?;
    }
    for order in [KeyOrder::Ordered, KeyOrder::Random] {
        let (rate, counted) = engine_load::measure(&global, &shop, order, args.seconds, None).await?;
        figures.engine(order, rate);
        tally.add(&counted)?;
    }
    for size in BATCH_SIZES.into_iter().filter(|_| args.batch_sizes) {
        let (rate, counted) =
            engine_load::measure(&global, &shop, args.key_order, args.seconds, Some(size)).await?;
        figures.batch_sizes.push((size, rate));
        tally.add(&counted)?;
    }
    let proof = before.compare(&global, &shop, &tally).await?;
    figures.conserved = proof.is_ok();
    output::print(global.json, &figures.json(), &figures.text())?;
    drop(scratch);
    proof
}

/// The database that was named, or one in a temporary folder that is deleted afterwards.
fn scratch(global: &Global) -> Result<(Global, Option<TempDir>)> {
    if global.db.is_some() {
        return Ok((global.clone(), None));
    }
    let folder = tempfile::Builder::new().prefix("hexiao-bench-").tempdir()?;
    let path: PathBuf = folder.path().join("hexiao.db");
    let global = Global { db: Some(DatabaseUrl::sqlite(path)), ..global.clone() };
    Ok((global, Some(folder)))
}

/// Everything that goes over loopback. The load generator blocks, so it has a thread of its own.
async fn over_http(global: &Global, args: &Bench, shop: &Shop, figures: Figures) -> Result<(Figures, Tally)> {
    let server = ServerProcess::start(global)?;
    let second = global.database().path().is_none().then(|| global.clone());
    let mut load = Load {
        second,
        seconds: Duration::from_secs(args.seconds),
        connections: usize::from(args.connections),
        order: args.key_order,
        shop: shop.clone(),
        server: Arc::new(server),
        figures,
        tally: Tally::default(),
    };
    let done = tokio::task::spawn_blocking(move || load.run().map(|()| load)).await?;
    let Load { server, figures, tally, .. } = done?;
    let server = Arc::into_inner(server).ok_or_else(|| Failure::new("the server is still in use"))?;
    server.stop()?;
    Ok((figures, tally))
}

struct Load {
    /// Where a second node can join, if the database takes several.
    second: Option<Global>,
    seconds: Duration,
    connections: usize,
    order: KeyOrder,
    shop: Shop,
    server: Arc<ServerProcess>,
    figures: Figures,
    tally: Tally,
}

impl Load {
    fn run(&mut self) -> Result {
        self.figures.startup_ms = Some(self.server.startup_ms);
        // Half before and half after, so that a machine that becomes slower or faster meanwhile does not
        // flatter the ratio.
        let before = self.noop()?;
        self.redemptions()?;
        let after = self.noop()?;
        self.figures.noop_per_s = Some(f64::midpoint(before, after));
        self.half_load()?;
        self.batches()?;
        self.lookups()?;
        self.figures.rss_mib = Some(self.server.peak_rss_mib()?);
        if let Some(global) = self.second.take() {
            self.two_nodes(&global)?;
        }
        Ok(())
    }

    /// The same load on one node, then shared by two.
    fn two_nodes(&mut self, global: &Global) -> Result {
        let alone = self.closed(self.seconds, self.connections, Self::redemptions_source)?;
        let second = ServerProcess::start(global)?;
        let connections = (self.connections / 2).max(1);
        let half = |address| {
            let mut source =
                Redemptions::new(&self.shop, KeyMaker::new(self.order, self.shop.epoch), connections);
            let config = Config::new(address, connections, self.seconds);
            let report = closed_loop(&config, &mut source)?;
            Ok::<_, Failure>((report, source.tally))
        };
        let (one, other) = std::thread::scope(|scope| {
            let other = scope.spawn(|| half(second.address));
            (half(self.server.address), other.join())
        });
        let other = other.map_err(|_| Failure::new("the load of the second node panicked"))?;
        let ((one, one_tally), (other, other_tally)) = (one?, other?);
        self.count(&one_tally, &one)?;
        self.count(&other_tally, &other)?;
        second.stop()?;
        self.figures.one_node_per_s = Some(alone.per_second);
        self.figures.two_nodes_per_s = Some(one.per_second + other.per_second);
        Ok(())
    }

    fn config(&self, address: std::net::SocketAddr, duration: Duration) -> Config {
        Config::new(address, self.connections, duration)
    }

    fn noop(&self) -> Result<f64> {
        let config = self.config(self.server.noop, self.seconds / 2);
        let mut source = Noop::default();
        let report = closed_loop(&config, &mut source)?;
        if source.failed > 0 || report.unanswered() > 0 {
            return Err(Failure::new("the route that does nothing failed"));
        }
        Ok(report.per_second)
    }

    fn redemptions_source(&self) -> Redemptions {
        Redemptions::new(&self.shop, KeyMaker::new(self.order, self.shop.epoch), self.connections)
    }

    fn redemptions(&mut self) -> Result {
        let warm = self.closed(WARM_UP, self.connections, Self::redemptions_source)?;
        tracing::debug!(per_second = warm.per_second, "warm");
        let report = self.closed(self.seconds, self.connections, Self::redemptions_source)?;
        self.figures.redeem_per_s = Some(report.per_second);
        self.figures.redeem_p50_ms = Some(report.p50_ms());
        self.figures.redeem_p99_ms = Some(report.p99_ms());
        Ok(())
    }

    /// A fixed schedule at half the rate that was reached: what a caller waits on a machine that is busy
    /// and not overrun.
    fn half_load(&mut self) -> Result {
        let rate = self.figures.redeem_per_s.unwrap_or(0.0) / 2.0;
        let config = self.config(self.server.address, self.seconds);
        let mut source = self.redemptions_source();
        let report = open_loop(&config, rate.max(1.0), &mut source)?;
        self.count(&source.tally, &report)?;
        self.figures.half_load_per_s = Some(report.per_second);
        self.figures.half_load_p99_ms = Some(report.p99_ms());
        Ok(())
    }

    fn batches(&mut self) -> Result {
        let make = |load: &Self| {
            Batches::new(&load.shop, KeyMaker::new(load.order, load.shop.epoch), BATCH_CONNECTIONS)
        };
        let connections = BATCH_CONNECTIONS;
        let report = self.closed(self.seconds, connections, make)?;
        self.figures.batch_redeem_per_s = Some(report.per_second * traffic::ITEMS_REAL);
        Ok(())
    }

    fn lookups(&mut self) -> Result {
        let report = self.closed(self.seconds, self.connections, |load| Lookups::new(&load.shop))?;
        self.figures.lookup_per_s = Some(report.per_second);
        Ok(())
    }

    fn closed<S: Source + Counted>(
        &mut self,
        duration: Duration,
        connections: usize,
        make: impl Fn(&Self) -> S,
    ) -> Result<Report> {
        let mut config = self.config(self.server.address, duration);
        config.connections = connections;
        let mut source = make(self);
        let report = closed_loop(&config, &mut source)?;
        self.count(source.tally(), &report)?;
        Ok(report)
    }

    fn count(&mut self, tally: &Tally, report: &Report) -> Result {
        self.tally.add(tally)?;
        if report.unanswered() > 0 {
            return Err(Failure::new(format!(
                "{} requests were not answered: {:?}",
                report.unanswered(),
                report.faults
            )));
        }
        Ok(())
    }
}

/// A source that counts what was decided.
trait Counted {
    fn tally(&self) -> &Tally;
}
