//! `hexiao serve`: answers until it is told to stop.

use std::{net::SocketAddr, time::Instant};

use axum::{Router, routing::get};
use http_api::AddressLimits;
use serde_json::json;
use storage::StorageError;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    cli::{Global, Serve},
    commands::demo,
    failure::Result,
    installation::{Installation, die},
    output,
    server::{self, ConnectionLimits, Server},
};

pub(crate) async fn run(global: &Global, args: &Serve) -> Result {
    let started = Instant::now();
    // Before anything else, so that a signal during start-up is not lost.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    server::make_room(args.limits.max_connections);
    let listener = server::bind(args.listen.listen).await?;
    server::metrics()?;
    let installation = Installation::open(global).await?;
    if let Some(folder) = &args.archive {
        installation.archive_to(folder).await?;
    }
    let running = installation.start_engine().await?;
    let demo = if args.demo { Some(demo::prepare(&running.engine).await?) } else { None };
    let limits = ConnectionLimits::from(args.limits);
    let server = Server::start(listener, running, limits, options(args))?;
    let noop = Noop::start(args.noop_listen, limits).await?;
    announce(global, &server, noop.address, started)?;
    if let Some(demo) = demo {
        output::line(&demo.page(server.address, global.json))?;
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = server.engine_ended() => die(&StorageError::Fatal("the writer ended by itself".to_owned())),
    }
    tracing::info!("stopping: answering what has arrived");
    noop.stop.send_replace(true);
    server.stop().await?;
    // Closing the last connection carries the log into the database.
    drop(installation);
    tracing::info!("stopped");
    Ok(())
}

fn options(args: &Serve) -> http_api::Options {
    let failures = args.limits.address_limit;
    http_api::Options {
        metrics_protected: args.protect_metrics,
        addresses: AddressLimits { failures, public: failures.saturating_mul(2) },
        trusted_proxies: args.trusted_proxy.clone(),
        ..http_api::Options::default()
    }
}

fn announce(global: &Global, server: &Server, noop: Option<SocketAddr>, started: Instant) -> Result {
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let address = server.address;
    tracing::info!(%address, startup_ms = millis, database = %global.database(), "ready");
    let machine = json!({
        "address": format!("http://{address}"),
        "noop_address": noop.map(|address| format!("http://{address}")),
        "startup_ms": millis,
        "pid": std::process::id(),
    });
    let people = format!(
        "Hexiao answers on http://{address} (ready after {millis} ms; the API is described at /docs)"
    );
    output::print(global.json, &machine, &people)
}

/// A route that does nothing, on connections of the same kind: what the machine could do at most.
struct Noop {
    address: Option<SocketAddr>,
    stop: watch::Sender<bool>,
}

impl Noop {
    async fn start(listen: Option<SocketAddr>, limits: ConnectionLimits) -> Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let Some(listen) = listen else { return Ok(Self { address: None, stop }) };
        let listener = server::bind(listen).await?;
        let address = Some(listener.local_addr()?);
        let router = Router::new().route("/", get(async || "ok"));
        // Ends with the process at the latest.
        drop(server::serve_bare(listener, router, limits, stopped));
        Ok(Self { address, stop })
    }
}
