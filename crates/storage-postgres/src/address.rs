//! Addresses of databases: read once, one configuration for each host.
//!
//! All hosts are asked at once and the first that can write is taken, so that finding the new leader takes
//! one attempt, not one for each host that is gone.

use std::{str::FromStr, time::Duration};

use futures_util::future::select_ok;
use storage::{Result, StorageError};
use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    Options,
    connect::{Opened, Purpose, open_one},
    tls::{self, Wanted},
};

fn setup(why: impl Into<String>) -> StorageError {
    StorageError::Setup(why.into())
}

/// An address, understood.
#[derive(Clone)]
pub(crate) struct Address {
    hosts: Vec<Config>,
    tls: Option<MakeRustlsConnect>,
    shown: String,
}

impl Address {
    /// Reads `postgres://user:password@host:port,host:port/database?option=value`.
    pub(crate) fn parse(url: &str, options: &Options) -> Result<Self> {
        let form =
            "write postgres://user:password@host:5432/database, with several hosts as host1:5432,host2:5432";
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(setup(format!("the address of the database must begin with postgres://; {form}")));
        }
        // The parser's own message may quote the address with its password.
        let (url, wanted) = tls::take_out(url)?;
        let config = Config::from_str(&url)
            .map_err(|_| setup(format!("the address of the database cannot be read; {form}")))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(setup(format!("the address of the database names no host; {form}")));
        }
        if config.get_user().is_none() || config.get_dbname().is_none() {
            return Err(setup(format!(
                "the address of the database must name a user and a database; {form}"
            )));
        }
        if wanted.verified && !config.get_hosts().iter().all(|host| matches!(host, Host::Tcp(_))) {
            return Err(setup(
                "sslmode=verify-full needs a host by name: a socket is on this machine and is not encrypted",
            ));
        }
        let hosts = one_by_one(&config, &wanted, options);
        let tls = wanted.connector()?;
        let names: Vec<String> = hosts.iter().map(name_of).collect();
        let shown = format!("{}/{}", names.join(","), config.get_dbname().unwrap_or_default());
        Ok(Self { hosts, tls, shown })
    }

    /// Hosts and database, for people: no user, no password.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Whom it connects as.
    pub(crate) fn user(&self) -> &str {
        self.hosts.first().and_then(Config::get_user).unwrap_or_default()
    }

    /// Opens a session on the first host that can write.
    pub(crate) async fn open(&self, purpose: Purpose, options: &Options) -> Result<Opened> {
        let tls = self.tls.as_ref();
        let attempts = self.hosts.iter().map(|host| Box::pin(open_one(host, tls, purpose, options)));
        match select_ok(attempts).await {
            Ok((opened, _others)) => {
                metrics::counter!("hexiao_storage_connections_total").increment(1);
                Ok(opened)
            }
            Err(error) => Err(error),
        }
    }
}

/// One configuration for each host.
fn one_by_one(config: &Config, wanted: &Wanted, options: &Options) -> Vec<Config> {
    let count = config.get_hosts().len().max(config.get_hostaddrs().len());
    let ports = config.get_ports();
    let single = |n: usize| {
        let mut one = Config::new();
        config.get_user().map(|user| one.user(user));
        config.get_password().map(|password| one.password(password));
        config.get_dbname().map(|name| one.dbname(name));
        config.get_options().map(|options| one.options(options));
        match config.get_hosts().get(n) {
            Some(Host::Tcp(name)) => _ = one.host(name),
            Some(Host::Unix(path)) => _ = one.host_path(path),
            None => {}
        }
        config.get_hostaddrs().get(n).map(|address| one.hostaddr(*address));
        ports.get(n).or(ports.first()).map(|port| one.port(*port));
        one.application_name(config.get_application_name().unwrap_or("hexiao"));
        one.ssl_mode(if wanted.verified { SslMode::Require } else { SslMode::Disable });
        one.target_session_attrs(TargetSessionAttrs::ReadWrite);
        one.connect_timeout(options.connect_timeout);
        one.tcp_user_timeout(options.write_timeout);
        one.keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(3))
            .keepalives_retries(3);
        one
    };
    (0..count).map(single).collect()
}

pub(crate) fn name_of(config: &Config) -> String {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match (config.get_hosts().first(), config.get_hostaddrs().first()) {
        (Some(Host::Tcp(name)), _) => format!("{name}:{port}"),
        (Some(Host::Unix(path)), _) => path.display().to_string(),
        (None, Some(address)) => format!("{address}:{port}"),
        (None, None) => "?".to_owned(),
    }
}
