//! `hexiao serve`: answers until it is told to stop.

mod code_sender;

use std::{net::SocketAddr, path::Path, sync::Arc, time::Instant};

use axum::{Router, routing::get};
use http_api::AddressLimits;
use serde_json::json;
use storage::StorageError;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    cli::{Global, SecondFactor, Serve},
    commands::demo,
    failure::{Failure, Result},
    installation::{Installation, die},
    output,
    server::{self, ConnectionLimits, Server},
};

pub(crate) async fn run(global: &Global, args: &Serve) -> Result {
    let started = Instant::now();
    // Before anything else, so that a signal during start-up is not lost.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    server::make_room(args.limits.max_connections);
    check_second_factor(args)?;
    check_origins(args)?;
    let gateway = code_sender::gateway(args)?;
    let listener = server::bind(args.listen.listen).await?;
    let address = listener.local_addr()?;
    server::metrics()?;
    let installation = Installation::open(global).await?;
    if let Some(folder) = &args.archive {
        installation.archive_to(folder).await?;
    }
    if args.demo {
        demo::live(&installation, args.demo_days).await?;
    }
    let running = installation.start_engine().await?;
    let demo = if args.demo { Some(demo::prepare(&running.engine).await?) } else { None };
    let limits = ConnectionLimits::from(args.limits);
    let server = Server::start(listener, running, limits, options(args, address)?, gateway)?;
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

/// On real data a password alone is not enough.
fn check_second_factor(args: &Serve) -> Result {
    if args.second_factor == SecondFactor::Optional && !args.demo {
        return Err(Failure::usage(
            "--second-factor optional is for a demo only: add --demo, or leave it out",
        ));
    }
    Ok(())
}

/// A browser asks for one of them at a time; nobody needs many.
fn check_origins(args: &Serve) -> Result {
    if args.origin.len() > passkeys::MAX_ORIGINS {
        let most = passkeys::MAX_ORIGINS;
        return Err(Failure::usage(format!("--origin may be given {most} times; leave some out")));
    }
    Ok(())
}

/// Where browsers find the server. Who answers this machine only is found there.
fn origins(args: &Serve, address: SocketAddr) -> Vec<passkeys::WebOrigin> {
    if args.origin.is_empty() && address.ip().is_loopback() {
        return vec![passkeys::WebOrigin::localhost(address.port())];
    }
    args.origin.clone()
}

/// Where identity providers lead people back to.
fn main_origin(args: &Serve, address: SocketAddr) -> String {
    let first = origins(args, address).into_iter().next();
    first.unwrap_or_else(|| passkeys::WebOrigin::localhost(address.port())).as_str().to_owned()
}

fn options(args: &Serve, address: SocketAddr) -> Result<http_api::Options> {
    let failures = args.limits.address_limit;
    let sign_in = identity::Policy {
        second_factor_required: args.second_factor == SecondFactor::Required,
        ..identity::Policy::default()
    };
    Ok(http_api::Options {
        sign_in,
        origin: main_origin(args, address),
        providers_on_loopback: args.demo,
        passkey_origins: origins(args, address),
        demo: args.demo,
        screens: screens(args.screens.as_deref())?,
        metrics_protected: args.protect_metrics,
        addresses: AddressLimits { failures, public: failures.saturating_mul(2) },
        trusted_proxies: args.trusted_proxy.clone(),
        ..http_api::Options::default()
    })
}

/// The screens that were built in, or those of a folder.
fn screens(folder: Option<&Path>) -> Result<Arc<console::Site>> {
    let Some(folder) = folder else { return Ok(Arc::new(console::Site::built_in())) };
    let site = console::Site::from_folder(folder);
    let site = site.map_err(|why| Failure::new(format!("--screens {}: {why}", folder.display())))?;
    Ok(Arc::new(site))
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
