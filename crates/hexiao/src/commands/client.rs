//! `hexiao client create`: the first client of an installation, which no other client could make.

use std::collections::BTreeSet;

use domain::{
    Catalog, ClientId, IssuerId,
    catalog::{Client, Issuer, Scope},
    program::Status,
};
use engine::Engine;
use jiff::tz::TimeZone;
use serde_json::json;
use storage::CatalogEntry;
use vault::{ClientSecret, OsRandomness};

use crate::{
    cli::{ClientCreate, Global},
    failure::{Failure, Result},
    installation::Installation,
    output,
};

const MAX_NAME: usize = 200;
const RUNNING: &str = "a server that runs on this database makes clients with POST /v1/clients; \
                       this command is for when it is stopped";

pub(crate) async fn create(global: &Global, args: &ClientCreate) -> Result {
    check_name("--name", &args.name)?;
    let installation = Installation::open(global).await.map_err(|f| f.while_doing(RUNNING))?;
    let running = installation.start_engine().await?;
    let issuer = issuer_of(&running.engine, args).await?;
    let (client, secret) = make(&running.engine, args, issuer)?;
    let id = client.id;
    running.engine.put_catalog(CatalogEntry::Client(client)).await?;
    running.stop().await?;
    let machine = json!({
        "client": id.to_string(),
        "issuer": issuer.map(|id| id.to_string()),
        "secret": secret.expose(),
    });
    let people = format!(
        "client  {id}\nissuer  {}\nsecret  {}\n\nKeep the secret now: it is not shown again. Send it as\n  \
         Authorization: Bearer {}",
        issuer.map_or_else(|| "none (platform)".to_owned(), |id| id.to_string()),
        secret.expose(),
        secret.expose(),
    );
    output::print(global.json, &machine, &people)
}

/// The issuer that the client will belong to, made if asked for.
async fn issuer_of(engine: &Engine, args: &ClientCreate) -> Result<Option<IssuerId>> {
    if args.platform {
        return Ok(None);
    }
    if let (Some(name), Some(zone)) = (&args.new_issuer, &args.time_zone) {
        let issuer = new_issuer(engine, name, zone)?;
        let id = issuer.id;
        engine.put_catalog(CatalogEntry::Issuer(issuer)).await?;
        return Ok(Some(id));
    }
    existing_issuer(&engine.catalog(), args.issuer).map(Some)
}

/// An issuer that is not stored yet.
pub(crate) fn new_issuer(engine: &Engine, name: &str, time_zone: &str) -> Result<Issuer> {
    check_name("--new-issuer", name)?;
    let zone = TimeZone::get(time_zone).map_err(|_| {
        Failure::usage(format!("--time-zone {time_zone:?} is no IANA time zone; for example Asia/Shanghai"))
    })?;
    Ok(Issuer {
        id: IssuerId::new(engine.next_id()),
        name: name.to_owned(),
        time_zone: time_zone.to_owned(),
        zone,
        status: Status::Active,
        created_at: engine.now(),
        version: 1,
    })
}

pub(crate) fn existing_issuer(catalog: &Catalog, named: Option<IssuerId>) -> Result<IssuerId> {
    if let Some(id) = named {
        if catalog.issuers.contains_key(&id) {
            return Ok(id);
        }
        return Err(Failure::usage(format!("--issuer {id}: there is no such issuer; {}", list(catalog))));
    }
    let mut ids = catalog.issuers.keys();
    match (ids.next(), ids.next()) {
        (Some(only), None) => Ok(*only),
        (None, _) => Err(Failure::usage(
            "there is no issuer yet: make one with --new-issuer NAME --time-zone ZONE, or make a client of none \
             with --platform",
        )),
        _ => Err(Failure::usage(format!("say which issuer with --issuer ID; {}", list(catalog)))),
    }
}

fn list(catalog: &Catalog) -> String {
    const SHOWN: usize = 20;
    let mut all: Vec<_> = catalog.issuers.values().map(|i| format!("{} {}", i.id, i.name)).collect();
    all.sort_unstable();
    all.truncate(SHOWN);
    if all.is_empty() { "there is none".to_owned() } else { format!("there are: {}", all.join(", ")) }
}

fn make(engine: &Engine, args: &ClientCreate, issuer: Option<IssuerId>) -> Result<(Client, ClientSecret)> {
    if let Some(id) = args.merchant {
        let catalog = engine.catalog();
        let known = catalog.merchants.get(&id).is_some_and(|m| Some(m.issuer) == issuer);
        if !known {
            return Err(Failure::usage(format!("--merchant {id}: the issuer has no such merchant")));
        }
    }
    let (mut client, secret) = new_client(engine, issuer, &args.name, scopes(args)?)?;
    client.merchant = args.merchant;
    client.rate_per_second = args.rate;
    Ok((client, secret))
}

/// A client that is not stored yet, with its secret.
pub(crate) fn new_client(
    engine: &Engine,
    issuer: Option<IssuerId>,
    name: &str,
    scopes: BTreeSet<Scope>,
) -> Result<(Client, ClientSecret)> {
    let id = ClientId::new(engine.next_id());
    let secret = ClientSecret::generate(&id.to_string(), &mut OsRandomness::new())?;
    let client = Client {
        id,
        issuer,
        merchant: None,
        name: name.to_owned(),
        scopes,
        secret_hash: secret.hash(),
        rate_per_second: 1000,
        status: Status::Active,
        created_at: engine.now(),
        version: 1,
    };
    Ok((client, secret))
}

/// The same client with a fresh secret: the earlier one is good for nothing any more.
pub(crate) fn with_fresh_secret(client: &Client) -> Result<(Client, ClientSecret)> {
    let secret = ClientSecret::generate(&client.id.to_string(), &mut OsRandomness::new())?;
    let version = client.version.saturating_add(1);
    Ok((Client { secret_hash: secret.hash(), version, ..client.clone() }, secret))
}

/// All that a client of an issuer can have.
pub(crate) fn issuer_scopes() -> BTreeSet<Scope> {
    Scope::ALL.into_iter().filter(|scope| *scope != Scope::Platform).collect()
}

fn scopes(args: &ClientCreate) -> Result<BTreeSet<Scope>> {
    if args.platform {
        let asked: BTreeSet<Scope> = args.scopes.iter().copied().collect();
        let all = args.all_scopes || asked.is_empty();
        return Ok(if all { Scope::ALL.into_iter().collect() } else { asked });
    }
    if args.all_scopes {
        return Ok(issuer_scopes());
    }
    if args.scopes.is_empty() {
        return Err(Failure::usage("say what the client may do: --scopes redeem,refund,… or --all-scopes"));
    }
    if args.scopes.contains(&Scope::Platform) {
        return Err(Failure::usage("the scope platform is for clients of no issuer: use --platform"));
    }
    Ok(args.scopes.iter().copied().collect())
}

fn check_name(option: &str, name: &str) -> Result {
    let fits =
        !name.trim().is_empty() && name.chars().count() <= MAX_NAME && !name.contains(char::is_control);
    if fits { Ok(()) } else { Err(Failure::usage(format!("{option}: give 1 to {MAX_NAME} characters"))) }
}
