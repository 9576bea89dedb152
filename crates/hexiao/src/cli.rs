//! The command line: what can be asked, and the manual. What is done about it is under `commands`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::{BusinessDate, IssuerId, MerchantId, ProgramId, catalog::Scope};
use finance::accounting::quarter::Quarter;

use crate::{database_url::DatabaseUrl, http_client::ServerUrl};

const ABOUT: &str = "Issue, redeem and settle shopping cards (核销)";

const LONG_ABOUT: &str = "\
Issue, redeem and settle shopping cards (核销): gift cards, prepaid cards, employee-benefit cards.

One binary with its database inside, or on PostgreSQL. `hexiao serve` answers the HTTP API; the other commands set it up, move \
cards in, back it up and prove that its books balance.";

const AFTER: &str = "\
Units:
  Amounts are whole minor units of the currency (fen, cents): 3500 is 35.00 CNY.
  Times are RFC 3339, such as 2026-11-22T08:15:00+08:00.

Files:
  hexiao.db        the database; while a server runs its newest data is in hexiao.db-wal
  hexiao.db.keys   the key ring that opens card numbers, readable by its owner only.
                   Without it no card can be found again: keep a copy, apart from the backups.

Exit codes:
  0   done
  1   failed, or found something wrong (a violated invariant, a bad row, books that do not balance)
  2   the options are wrong
  70  a write to the database failed: the server stops rather than answer what it could not store
  75  cut off from the database for so long that another node may have taken this one's place; start it again

Examples:
  hexiao serve --demo                                   try it: prints an API key and lines to paste
  hexiao client create --name head-office --new-issuer 'Example Ltd' --time-zone Asia/Shanghai --all-scopes
  hexiao serve --db sqlite:/var/lib/hexiao/hexiao.db --listen 127.0.0.1:8080
  hexiao backup --to hexiao-2026-11-22.db               while the server runs
  hexiao verify                                         do the books balance?

Every command explains itself: hexiao COMMAND --help";

#[derive(Debug, Parser)]
#[command(name = "hexiao", version, about = ABOUT, long_about = LONG_ABOUT, after_long_help = AFTER)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the data is, when no option says so.
pub(crate) const DATABASE_VARIABLE: &str = "HEXIAO_DB";

/// What every command understands.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Where the data is: sqlite: and a file, or postgres://user@host:5432/database with one host or several
    /// (the leader is found) [default: sqlite:hexiao.db]
    #[arg(long, env = DATABASE_VARIABLE, global = true, value_name = "URL", hide_env_values = true)]
    pub(crate) db: Option<DatabaseUrl>,

    /// The same database as a user who may make and change its tables, where --db is one who may not
    #[arg(long, env = "HEXIAO_DB_OWNER", global = true, value_name = "URL", hide_env_values = true)]
    pub(crate) db_owner: Option<DatabaseUrl>,

    /// The key ring file [default: the database file with .keys behind its name; for PostgreSQL hexiao.keys]
    ///
    /// The environment variable HEXIAO_KEYS may hold the key ring itself, as JSON, instead. A key ring is
    /// made where there is none, but never for a database that already has cards: those need theirs.
    #[arg(long = "keys", env = "HEXIAO_KEYS_FILE", global = true, value_name = "FILE")]
    pub(crate) keys_file: Option<PathBuf>,

    /// Answer in JSON, for machines
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// What to log on standard error: error, warn, info, debug, or filters such as warn,engine=debug
    #[arg(long, env = "RUST_LOG", global = true, value_name = "FILTER", default_value = "info")]
    pub(crate) log: String,

    /// How to log: lines for people or JSON for machines
    #[arg(long, env = "HEXIAO_LOG_FORMAT", global = true, value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
}

impl Global {
    /// Where the data is.
    pub(crate) fn database(&self) -> DatabaseUrl {
        self.db.clone().unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Serve),
    /// Make API clients, before there is one that could
    #[command(subcommand)]
    Client(Client),
    /// Make users, before there is one who could invite them
    #[command(subcommand)]
    Users(Users),
    Import(Import),
    Replay(Replay),
    Bench(Bench),
    Settle(Settle),
    Reconcile(Reconcile),
    Verify(Verify),
    Report(Report),
    Backup(Backup),
    Restore(Restore),
    Move(Move),
    /// Look after the keys that seal card numbers and PINs
    #[command(subcommand)]
    Keys(Keys),
}

/// Answer the HTTP API
///
/// Makes the database and the key ring if there are none, and brings an older database up to date. A
/// database in a file is held alone until the server ends; on PostgreSQL any number of servers with the same
/// key ring share the work as nodes. SIGTERM or SIGINT: /readyz says no, what arrives is still answered for a
/// moment, then nothing new is taken, what has arrived is answered, and the server stops. The API is browsable at /docs, its description at /openapi.json, its figures at
/// /metrics.
///
/// Hexiao speaks plain HTTP/1.1 and HTTP/2: put a proxy that ends TLS in front of it.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Fill an empty database with an issuer, programs, stores, cards and sales to try things on, and
    /// print an API key, card numbers and lines to paste. Never on real data: its keys are printed
    #[arg(long)]
    pub(crate) demo: bool,

    /// How many days of past a demo on an empty database begins with: a small chain that has sold, settled and
    /// reconciled all the while. 0 for cards and users only
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(0..=90))]
    pub(crate) demo_days: u16,

    /// Whether everybody who signs in needs a second factor. Only a demo can do without; who has set one up is
    /// asked for it in any case
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = SecondFactor::Required)]
    pub(crate) second_factor: SecondFactor,

    #[command(flatten)]
    pub(crate) listen: Listen,

    /// Where browsers find this server, such as https://cards.example.com: passkeys are made for that name, and
    /// there are none elsewhere. May be given several times, up to 8; the first is the main one [default:
    /// http://localhost with the port, where the server answers this machine only]
    #[arg(long, value_name = "ADDRESS", env = "HEXIAO_ORIGIN", value_delimiter = ',')]
    pub(crate) origin: Vec<passkeys::WebOrigin>,

    #[command(flatten)]
    pub(crate) limits: ServerLimits,

    /// A proxy whose X-Forwarded-For says where requests come from: its address, or a network such as
    /// 10.0.0.0/8; may be given several times
    #[arg(long, value_name = "ADDRESS", env = "HEXIAO_TRUSTED_PROXIES", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<http_api::Proxies>,

    /// Copy every commit of a database in a file to this folder within a second, to bring the database back
    /// from as it was at any moment: hexiao restore --from FOLDER --at TIME. On another disk or machine; each
    /// start of the server begins with a full copy
    #[arg(long, env = "HEXIAO_ARCHIVE", value_name = "FOLDER")]
    pub(crate) archive: Option<PathBuf>,

    /// Where sign-in codes of card holders are handed over to be sent by SMS: an https address, or http on this machine.
    /// docs/wallet.md describes what it is sent. Needs a secret of at least 16 characters in HEXIAO_CODE_SENDER_SECRET
    /// or --code-sender-secret
    #[arg(long, env = "HEXIAO_CODE_SENDER", value_name = "URL", hide_env_values = true)]
    pub(crate) code_sender: Option<String>,

    /// A file with the secret that signs what is sent there
    #[arg(long, value_name = "FILE", requires = "code_sender")]
    pub(crate) code_sender_secret: Option<PathBuf>,

    /// Answer /metrics only to clients with the scope ledger_read or platform
    #[arg(long)]
    pub(crate) protect_metrics: bool,

    /// Serve the screens of this folder instead of those that were built in: what `make screens` has built, for work
    /// on them without building the server
    #[arg(long, value_name = "FOLDER")]
    pub(crate) screens: Option<PathBuf>,

    /// Also answer "ok" there with a route that does nothing: the ceiling that `bench` compares with
    #[arg(long, hide = true, value_name = "ADDRESS")]
    pub(crate) noop_listen: Option<SocketAddr>,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Listen {
    /// Where to answer; port 0 takes a free one
    #[arg(long, env = "HEXIAO_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct ServerLimits {
    /// The most connections at once; further ones wait to be accepted
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) max_connections: u32,

    /// How long a caller may take to send the head of a request, in seconds; also how long an idle
    /// connection is kept, and one that takes less than a kibibyte a second of its answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) header_timeout: u64,

    /// How long to go on answering what comes after being told to stop, in seconds: what your load balancer
    /// needs to notice that /readyz says no
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(crate) drain_delay: u64,

    /// How long to wait for requests in progress after that, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(crate) shutdown_timeout: u64,

    /// The most requests a minute from one address that carry no valid key; whoever has one is not limited
    /// by this
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub(crate) address_limit: u32,
}

/// Whether everybody needs a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SecondFactor {
    /// Everybody does
    Required,
    /// Only those who have set one up
    Optional,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    Create(UsersCreate),
}

/// Make the first administrator
///
/// Prints a link with which he chooses his password, good for 72 hours, once; or takes the password from standard
/// input. He invites everybody else. The server of a database in a file must be stopped; while it runs,
/// POST /v1/invitations does the same.
///
/// With --json: {"invitation": "inv_…", "login": "…", "token": "…", "link": "/invitation#token=…", "expires_at": "…"},
/// or with --password-stdin {"user": "user_…", "login": "…"}
#[derive(Args, Debug)]
pub(crate) struct UsersCreate {
    /// What he signs in with: an e-mail address, or a name without spaces
    #[arg(long)]
    pub(crate) login: String,

    /// How he is called
    #[arg(long)]
    pub(crate) name: String,

    /// The issuer he belongs to; may be left out where there is only one
    #[arg(long, value_name = "ID", conflicts_with = "platform")]
    pub(crate) issuer: Option<IssuerId>,

    /// Belong to no issuer: looks after issuers and their first administrators
    #[arg(long)]
    pub(crate) platform: bool,

    /// His role, by its code; issuer_admin, or platform_admin with --platform, if not given
    #[arg(long, value_name = "CODE")]
    pub(crate) role: Option<String>,

    /// Take his password from the first line of standard input instead of printing a link
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Client {
    Create(ClientCreate),
}

/// Make an API client and print its secret, once
///
/// For the first client of a new installation, and for the day on which all secrets are lost. The server of
/// a database in a file must be stopped; while it runs, POST /v1/clients does the same. On PostgreSQL,
/// running servers know the client within a second.
///
/// With --json: {"client": "client_…", "issuer": "iss_…", "secret": "hx_…"}
#[derive(Args, Debug)]
pub(crate) struct ClientCreate {
    /// Its name, for people
    #[arg(long)]
    pub(crate) name: String,

    /// The issuer it belongs to; may be left out where there is only one
    #[arg(long, value_name = "ID", conflicts_with_all = ["new_issuer", "platform"])]
    pub(crate) issuer: Option<IssuerId>,

    /// Make a new issuer with this name for it
    #[arg(long, value_name = "NAME", requires = "time_zone", conflicts_with = "platform")]
    pub(crate) new_issuer: Option<String>,

    /// The new issuer's time zone (IANA name, such as Asia/Shanghai), which decides its business dates
    #[arg(long, value_name = "ZONE", requires = "new_issuer")]
    pub(crate) time_zone: Option<String>,

    /// The only merchant it may act for
    #[arg(long, value_name = "ID", conflicts_with = "platform")]
    pub(crate) merchant: Option<MerchantId>,

    /// Belong to no issuer: may make issuers and their first clients, and look after all of them
    #[arg(long)]
    pub(crate) platform: bool,

    /// What it may do, separated by commas
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', value_parser = parse_scope, conflicts_with = "all_scopes")]
    pub(crate) scopes: Vec<Scope>,

    /// May do everything, within its issuer
    #[arg(long)]
    pub(crate) all_scopes: bool,

    /// The most requests per second
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: u32,
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    Scope::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
        format!("the scopes are {}", names.join(", "))
    })
}

/// Take over cards of another system
///
/// FILE is CSV in UTF-8 with a line of column names:
///
///   number      16 to 19 digits with a right check digit
///   balance     whole minor units (3500 is 35.00 CNY)
///   currency    if given, must be the program's
///   expires_at  RFC 3339, or a date (through its end, in the issuer's time zone);
///               empty: as the program says, counted from now
///   state       active (also when empty), frozen, or stocked (sold later for its balance)
///   pin         4 to 12 digits
///   reference   your own, up to 128 characters; appears on the card's first operation
///
/// number and balance are required. All rows are checked first: if one is bad, all bad ones
/// are reported by line and nothing is imported. The value comes from the sales channel
/// `import`, so that the trial balance shows what was taken over. The liability is shown
/// before and after.
///
/// The same file imported again changes nothing, and goes on where a crash interrupted it.
/// The server of a database in a file must be stopped; on PostgreSQL servers may run.
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Import {
    /// The file
    pub(crate) file: PathBuf,

    /// The program that the cards will belong to; it must allow every balance as a denomination
    #[arg(long, value_name = "ID")]
    pub(crate) program: ProgramId,

    /// Only check
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Sell a file of invoices through the HTTP API
///
/// FILE is CSV with the columns time, invoice, customer, country, kind (sale or return), amount_minor and
/// lines, in order of time. Each customer gets a card with enough value for all its sales. Each sale is a
/// redemption with the invoice number as its idempotency key. Each return is refunded: to the customer's
/// earlier sales, newest first, where together they cover it, and without a sale where they do not. Run
/// again with the same file it changes nothing and gives the same figures.
///
/// At the end it closes the day: the merchant is settled although its period is not over yet, and its statement is
/// printed. What another file sells on the same day is late, on the merchant's next statement.
///
/// With --server and --key it uses a running server; the key's client needs all scopes of its issuer
/// (client create --all-scopes). Without them it starts a server of its own on --db, with an issuer of its
/// own.
///
/// With --json the summary is {"invoices", "sales", "returns", "approved", "declined", "redeemed_minor",
/// "refunded_linked_minor", "refunded_unlinked_minor", "debits_minor", "credits_minor", "balanced"}: counts
/// of invoices, then minor units; debits and credits are all of the issuer's in this currency. With --json
/// --statements a line {"statements": [...]} comes before it, with statements as GET /v1/statements shows them.
/// Progress is on standard error.
#[derive(Args, Debug)]
pub(crate) struct Replay {
    /// The file
    pub(crate) file: PathBuf,

    /// A running server, such as http://127.0.0.1:8080
    #[arg(long, value_name = "URL", requires = "key")]
    pub(crate) server: Option<ServerUrl>,

    /// The API key there
    #[arg(long, env = "HEXIAO_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,

    /// The currency of the amounts
    #[arg(long, value_name = "CODE", default_value = "GBP")]
    pub(crate) currency: String,

    /// Customers served at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,

    /// Where its own server answers; by default on a free port of the loopback address
    #[arg(long, env = "HEXIAO_LISTEN", value_name = "ADDRESS", conflicts_with = "server")]
    pub(crate) listen: Option<SocketAddr>,

    /// The language of the statement: en or zh (中文)
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value = "en")]
    pub(crate) language: Language,

    /// With --json, print the merchant's statements as well, on a line before the summary
    #[arg(long, requires = "json")]
    pub(crate) statements: bool,
}

/// A language that people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    En,
    Zh,
}

/// Measure this machine beside its own ceilings
///
/// Starts a server of its own on a scratch database, issues cards, and loads it over loopback: a route that
/// does nothing, single redemptions spread over all cards and several stores, the same at half that rate
/// with a fixed schedule, batches of redemptions, look-ups, and the engine in process. Authentication,
/// limits and lots are on. Afterwards it counts every answer against the store and verifies the books: it
/// fails if a single cent or answer is missing.
///
/// With --json: {"noop_per_s", "redeem_per_s", "redeem_p50_ms", "redeem_p99_ms", "half_load_p99_ms",
/// "batch_redeem_per_s", "engine_per_s", "lookup_per_s", "ratio_to_noop", "cards", "conserved", …}.
/// Compare ratios of one run, not figures of different runs.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    pub(crate) of: Option<BenchOf>,

    /// How long each kind of load lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,

    /// Connections
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) connections: u16,

    /// Cards
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=20_000_000))]
    pub(crate) cards: u32,

    /// Whether idempotency keys grow with time (as UUIDv7 and ULID do) or are random (as UUIDv4)
    #[arg(long, value_enum, value_name = "ORDER", default_value = "ordered")]
    pub(crate) key_order: KeyOrder,

    /// Only measure the engine in process, without a server
    #[arg(long)]
    pub(crate) engine_only: bool,

    /// Measure the engine also with batches of at most 16, 64, 256 and 1,024 requests
    #[arg(long)]
    pub(crate) batch_sizes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchOf {
    Settlement(BenchSettlement),
    Lists(BenchLists),
}

/// Measure how long it takes to settle many merchants
///
/// Sells through the engine in a scratch database, then takes the whole log into statements, closes one for
/// each merchant, posts its fees and proposes its payout. Then reconciles one merchant's file with its sales.
///
/// With --json: {"merchants", "operations", "settle_s", "reconcile_lines", "reconcile_s", "peak_rss_mib", …}.
#[derive(Args, Debug)]
pub(crate) struct BenchSettlement {
    /// Merchants
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) merchants: u32,

    /// Sales, spread over all merchants
    #[arg(long, value_name = "N", default_value_t = 5_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) operations: u64,

    /// Sales of one more merchant, which its file is then reconciled with
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    pub(crate) reconcile: u64,
}

/// Measure how long a page of a list takes over HTTP
///
/// Sells in a scratch database, settles, and pages through operations by each filter of the screens, a card's
/// operations, the audit trail, statements, batches and the dashboard: first pages, and pages deep in the list.
///
/// With --json: {"lists": {"operations", "slowest_p99_ms", "target_ms", "pages": […]}}.
#[derive(Args, Debug)]
pub(crate) struct BenchLists {
    /// Sales
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=20_000_000))]
    pub(crate) operations: u64,

    /// Requests for each list, and as many again deep in it
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) requests: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyOrder {
    Ordered,
    Random,
}

/// Settle merchants: close the periods that are over, and propose payouts
///
/// What a running server does by itself a few seconds after each cut-off. Takes the log into the statements
/// of merchants, closes those whose period is over, posts their fees and splits, and proposes what is to be
/// paid. A second client approves payouts over the API. Run again it does nothing twice.
#[derive(Args, Debug)]
pub(crate) struct Settle {
    /// The issuer; not needed where there is one only
    #[arg(long, value_name = "ID")]
    pub(crate) issuer: Option<IssuerId>,

    /// Close only periods that end on this day or earlier, such as 2026-11-22
    #[arg(long, value_name = "DATE")]
    pub(crate) through: Option<crate::commands::settle::Day>,

    /// Close the periods of this merchant, or of `all`, that have begun as well, though they are not over. What
    /// is still sold in them comes late, onto the next statement
    #[arg(long, value_name = "MERCHANT", value_parser = crate::commands::settle::parse_early)]
    pub(crate) early: Option<finance::settlement::EarlyClose>,
}

/// Compare a file of a merchant, a sales channel or a bank with the books
///
/// Reads the file, matches its lines with our records, by reference and then by amount and time, and keeps
/// what does not agree for two people to resolve over the API. The same file again is the same
/// reconciliation. docs/reconciliation.md describes the files and the mapping.
#[derive(Args, Debug)]
pub(crate) struct Reconcile {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The account that it speaks of: merchant:mer_…, channel:web or bank:iss_…
    #[arg(long, value_name = "ACCOUNT", value_parser = crate::commands::reconcile::parse_account)]
    pub(crate) account: domain::Account,

    /// Its format: csv, xlsx, camt.053, wechat or alipay
    #[arg(long, value_name = "FORMAT", value_parser = crate::commands::reconcile::parse_format)]
    pub(crate) format: reconciliation::Format,

    /// What its columns mean, as JSON: for csv and xlsx
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,

    /// The currency of its amounts
    #[arg(long, value_name = "CODE", default_value = "CNY", value_parser = |code: &str| domain::Currency::parse(code))]
    pub(crate) currency: domain::Currency,

    /// What its references are compared with: reference, operation or key
    #[arg(long, value_name = "WHAT", default_value = "reference", value_parser = crate::commands::reconcile::parse_match_on)]
    pub(crate) match_on: storage::MatchOn,

    /// How far apart two sides of the same thing may be
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub(crate) window_seconds: u32,

    /// The first day that it speaks of; that of its first line if not given
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<jiff::civil::Date>,

    /// The last such day
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<jiff::civil::Date>,

    /// How many lines it has, where you know it from elsewhere
    #[arg(long, value_name = "COUNT")]
    pub(crate) expected_lines: Option<u32>,

    /// What its lines add up to in minor units, where you know it from elsewhere
    #[arg(long, value_name = "MINOR", allow_negative_numbers = true)]
    pub(crate) expected_sum: Option<i64>,
}

/// Check every invariant of the books
///
/// Each transfer debits what it credits; each card holds what its transfers add up to, not less than
/// nothing and not more than its cap; no redemption is refunded by more than it took; each key had one
/// effect; roll-ups agree with the log. Exits with 1 and names the first violation if there is one.
///
/// May run beside a server, and looks at one moment then.
#[derive(Args, Debug)]
pub(crate) struct Verify {}

/// Write a report of accounting, or to an authority
///
/// From the database, also while a server runs. On standard output: a table of CSV with amounts in whole units
/// of the currency, or with --json a line with an object for each row. docs/accounting.md says what each
/// figure means.
///
///   liability   what was owed to holders, what changed it, what is owed    --from --to
///   ageing      what is on cards now, by the time since activation
///   breakage    value that nobody is expected to redeem                    [--to]
///   journal     days, kinds and accounts, for the general ledger           --from --to
///   quarterly   the quarterly report on single-purpose cards               --quarter
///   custody     money in custody, prepaid balance against revenue          [--to]
///   sales       invoice data of sales (also: loads, reversals)             --from --to
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Report {
    /// Which
    #[arg(value_enum, id = "report")]
    pub(crate) which: ReportName,

    /// The issuer; may be left out where there is only one
    #[arg(long, value_name = "ID")]
    pub(crate) issuer: Option<IssuerId>,

    /// The first business day, such as 2026-01-01
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    pub(crate) from: Option<BusinessDate>,

    /// The last business day
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    pub(crate) to: Option<BusinessDate>,

    /// The quarter, such as 2026-Q1
    #[arg(long, value_name = "QUARTER", value_parser = parse_quarter)]
    pub(crate) quarter: Option<Quarter>,
}

/// The reports there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportName {
    Liability,
    Ageing,
    Breakage,
    Journal,
    Quarterly,
    Custody,
    Sales,
    Loads,
    Reversals,
}

fn parse_day(text: &str) -> Result<BusinessDate, String> {
    BusinessDate::parse(text).ok_or_else(|| "a day is written as 2026-01-31".to_owned())
}

fn parse_quarter(text: &str) -> Result<Quarter, String> {
    Quarter::parse(text).ok_or_else(|| "a quarter is written as 2026-Q1".to_owned())
}

/// Copy the database file, also while a server runs
///
/// The copy is one file, a consistent picture of one moment, and holds no plain card number. It needs the
/// key ring to be of use: keep copies of the two apart.
#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// The file to make; must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
}

/// Put a backup in the place of a database
///
/// The server must be stopped. There must be no database at --db: move the old one away first, with its
/// -wal and -shm files. Then put the key ring in place and run `hexiao verify`.
#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// The backup, or the folder of an archive (hexiao serve --archive)
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,

    /// From an archive: the moment to go back to (RFC 3339), instead of the latest. Every sale that was
    /// answered before it is there, none that came after
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<jiff::Timestamp>,
}

/// Move everything to another database, of the same kind or the other
///
/// From a file to PostgreSQL when one machine is outgrown, or back. Everything goes along: catalog, cards with
/// their sealed secrets, the log, where jobs are. The key ring stays what it is: copy its file to where the new
/// database's servers look for it.
///
/// Servers of the source must be stopped, and those of the target are not started until it is done. The target
/// must be empty or not exist. Where it is PostgreSQL, --to is what its servers will use, and --db-owner a user
/// who may make its tables, if that is another. Interrupted in any way, the same command goes on where it was.
/// At the end every table's count and sums are compared, and the books of the target are verified; the source
/// is left as it was.
///
/// With --json: {"tables", "operations", "rows", "seconds", "operations_per_s", "resumed", "compare_seconds",
/// "verify_seconds"}: operations_per_s is what was copied this time over the seconds for copying and comparing.
#[derive(Args, Debug)]
pub(crate) struct Move {
    /// The database to take everything from
    #[arg(long, value_name = "URL")]
    pub(crate) from: DatabaseUrl,

    /// The database to put everything into
    #[arg(long, value_name = "URL")]
    pub(crate) to: DatabaseUrl,

    /// Leave out the last step; run `hexiao verify` on the target yourself
    #[arg(long)]
    pub(crate) no_verify: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Show the ids of the keys, and what the database still needs them for
    List,
    Rotate(Rotate),
}

/// Add a fresh key, and seal and index all card numbers under it
///
/// The server must be stopped. Older keys stay in the ring: PINs and requests digested under them cannot be
/// digested again. Interrupted, it goes on with --resume. Where the key ring comes from HEXIAO_KEYS, add
/// the key there yourself (a new id with: openssl rand -base64 32, and make it current), then use --resume.
///
/// Copy the changed key ring to where its backups are before you start the server again.
#[derive(Args, Debug)]
pub(crate) struct Rotate {
    /// Add no key: only bring numbers under the current one
    #[arg(long)]
    pub(crate) resume: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn contradictions_are_refused() {
        let check = |line: &str| {
            let parsed = Cli::try_parse_from(line.split_whitespace());
            assert!(parsed.is_err(), "{line}");
        };
        check("hexiao client create --name a --platform --new-issuer b --time-zone UTC");
        check("hexiao client create --name a --new-issuer b");
        check("hexiao client create --name a --scopes flying");
        check("hexiao replay x.csv --server http://127.0.0.1:1");
        check("hexiao verify --db mysql://localhost/x");
        check("hexiao serve --trusted-proxy proxy.example");
        check("hexiao bench --seconds 0");
        check("hexiao serve --listen nowhere");
    }
}
