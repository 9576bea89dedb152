//! `hexiao replay`: a file of invoices, sold through the public HTTP API.
//!
//! Everything that the replay does has a key that follows from the file: an invoice is its number, a
//! customer's card is the file's digest and the customer. So a second run finds every answer that the
//! first one got, also one that was interrupted, and changes nothing. It ends by closing the day: the merchant's
//! statement, as its accountant would get it.

mod invoices;
mod sell;
mod shop;
mod statements;
mod summary;

use domain::{Currency, IssuerId};
use engine::Engine;
use storage::CatalogEntry;
use vault::ClientSecret;

use crate::{
    cli::{Global, Replay},
    commands::client::{issuer_scopes, new_client, new_issuer, with_fresh_secret},
    failure::{Failure, Result},
    http_client::ServerUrl,
    installation::Installation,
    output,
    server::{self, ConnectionLimits, Server},
};

use invoices::Invoices;

const ISSUER: &str = "Replay";
const CLIENT: &str = "replay";
const TIME_ZONE: &str = "Europe/London";
/// Far above what a replay on one machine sends.
const RATE_PER_SECOND: u32 = 1_000_000;

pub(crate) async fn run(global: &Global, args: &Replay) -> Result {
    let currency = Currency::parse(&args.currency)
        .map_err(|error| Failure::usage(format!("--currency {:?}: {error}", args.currency)))?;
    let invoices = Invoices::read(&args.file)?;
    match (&args.server, &args.key) {
        (Some(server), Some(key)) => replay(global, args, &invoices, currency, server, key).await,
        _ => replay_here(global, args, &invoices, currency).await,
    }
}

/// On a server of its own.
async fn replay_here(global: &Global, args: &Replay, invoices: &Invoices, currency: Currency) -> Result {
    let any_port = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = server::bind(args.listen.unwrap_or(any_port)).await?;
    server::metrics()?;
    let installation = Installation::open(global).await?;
    let running = installation.start_engine().await?;
    let secret = own_client(&running.engine).await?;
    let server =
        Server::start(listener, running, ConnectionLimits::default(), http_api::Options::default(), None)?;
    tracing::info!(address = %server.address, "a server of the replay's own");
    let url = ServerUrl::at(server.address);
    let done = replay(global, args, invoices, currency, &url, secret.expose()).await;
    server.stop().await?;
    done
}

async fn replay(
    global: &Global,
    args: &Replay,
    invoices: &Invoices,
    currency: Currency,
    server: &ServerUrl,
    key: &str,
) -> Result {
    let shop = shop::Shop::open(server, key, currency).await?;
    let cards = shop.cards(invoices, args.concurrency).await?;
    let figures = sell::sell(&shop, invoices, &cards, args.concurrency).await?;
    let statements = statements::Statements::close(&shop).await?;
    // With what closing the day posted.
    let books = shop.books().await?;
    let summary = summary::Summary::new(invoices, figures, books);
    // For machines the summary is the whole answer, unless they ask for more.
    if !global.json || args.statements {
        output::print(global.json, &statements.json(), &format!("{}\n", statements.text(args.language)))?;
    }
    output::print(global.json, &summary.json(), &summary.text(currency))?;
    if summary.balanced() {
        Ok(())
    } else {
        Err(Failure::new("the books do not balance; run hexiao verify on the server's database"))
    }
}

/// The issuer's client, with a fresh secret: secrets cannot be read back.
async fn own_client(engine: &Engine) -> Result<ClientSecret> {
    let issuer = own_issuer(engine).await?;
    let catalog = engine.catalog();
    let mut all = catalog.clients.values();
    let known = all.find(|client| client.issuer == Some(issuer) && client.name == CLIENT);
    let (client, secret) = if let Some(known) = known {
        with_fresh_secret(known)?
    } else {
        let (mut client, secret) = new_client(engine, Some(issuer), CLIENT, issuer_scopes())?;
        client.rate_per_second = RATE_PER_SECOND;
        (client, secret)
    };
    engine.put_catalog(CatalogEntry::Client(client)).await?;
    Ok(secret)
}

async fn own_issuer(engine: &Engine) -> Result<IssuerId> {
    if let Some(found) = engine.catalog().issuers.values().find(|issuer| issuer.name == ISSUER) {
        return Ok(found.id);
    }
    let issuer = new_issuer(engine, ISSUER, TIME_ZONE)?;
    let id = issuer.id;
    engine.put_catalog(CatalogEntry::Issuer(issuer)).await?;
    Ok(id)
}
