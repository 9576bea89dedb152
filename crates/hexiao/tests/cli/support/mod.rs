//! A folder of its own for each test, commands in it, and servers on it.

pub(crate) mod browser;
mod http;
mod invoices;
mod sales;
mod server;
mod shop;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use postgres_testing::Cluster;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use browser::Browser;
pub(crate) use http::{Answer, Connection};
pub(crate) use invoices::{Generated, generate};
pub(crate) use sales::Sales;
pub(crate) use server::Server;
pub(crate) use shop::{Shop, balance};

/// A folder with a database, or with the key ring of one on a server.
pub(crate) struct Sandbox {
    folder: TempDir,
    database: Option<String>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), database: None }
    }

    /// The same on an empty PostgreSQL database.
    pub(crate) fn on_postgres() -> Self {
        Self::at(Cluster::shared().create_database())
    }

    /// The same on the database at this URL.
    pub(crate) fn at(url: String) -> Self {
        Self { database: Some(url), ..Self::new() }
    }

    /// The same folder with the database at another URL.
    pub(crate) fn with_database(self, url: String) -> Self {
        Self { database: Some(url), ..self }
    }

    /// One on each kind of database.
    pub(crate) fn each() -> [Self; 2] {
        [Self::new(), Self::on_postgres()]
    }

    /// A copy of everything, made while nothing runs on it.
    pub(crate) fn copy(&self) -> Self {
        let copy = match &self.database {
            None => Self::new(),
            Some(url) => {
                let name = url.rsplit('/').next().expect("a name");
                Self::at(Cluster::shared().copy_database(name))
            }
        };
        for entry in std::fs::read_dir(self.folder()).expect("a folder") {
            let path = entry.expect("a file").path();
            if path.is_file() {
                let name = path.file_name().expect("a name");
                std::fs::copy(&path, copy.folder().join(name)).expect("copied");
            }
        }
        copy
    }

    /// Whether several servers may run on it.
    pub(crate) fn is_shared(&self) -> bool {
        self.database.is_some()
    }

    /// The key ring.
    pub(crate) fn keys(&self) -> PathBuf {
        self.path(if self.database.is_some() { "hexiao.keys" } else { "hexiao.db.keys" })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// A command that knows nothing of the machine's own settings.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hexiao"));
        command.args(args).current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HEXIAO_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        if let Some(url) = &self.database {
            command.env("HEXIAO_DB", url);
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Done {
        Done::of(&self.command(args).output().expect("it runs"))
    }

    /// What a command that must succeed says in JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let done = self.run(&[args, &["--json", "--log", "warn"]].concat());
        assert_eq!(done.code, 0, "{args:?}: {} {}", done.out, done.err);
        serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{args:?}: {error}: {}", done.out))
    }

    pub(crate) fn verify(&self) -> Value {
        let report = self.json(&["verify"]);
        assert_eq!(report["ok"], true, "{report}");
        report
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// It failed, and did not say this.
    pub(crate) fn hides(&self, what: &str) {
        assert_ne!(self.code, 0, "{self:?}");
        assert!(!self.err.contains(what) && !self.out.contains(what), "{self:?}");
    }

    /// It failed, and said this.
    pub(crate) fn refused(&self, code: i32, with: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.err.contains(with), "expected {with:?}: {self:?}");
    }
}
