//! One cluster: made, started, stopped, crashed, deleted.

use std::{
    fmt::Write as _,
    fs::{self, File, Permissions},
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{programs::Programs, watchdog::Watchdog};

/// The superuser of a cluster. It needs no password on loopback.
const USER: &str = "postgres";
const START_LIMIT: Duration = Duration::from_mins(1);
/// Another program may take a free port before the server does.
const PORTS_TRIED: u32 = 5;

/// Whether commits are synced to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As in production: for benchmarks, and for tests of crashes.
    Real,
    /// No fsync: quick, and gone after a crash of the machine.
    Fast,
}

/// How a cluster is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether commits are synced to the disk.
    pub durability: Durability,
    /// Further lines of `postgresql.conf`: name and value.
    pub settings: Vec<(String, String)>,
    /// Certificate and key in PEM, for a server that speaks TLS to whoever asks for it.
    pub tls: Option<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { durability: Durability::Fast, settings: Vec::new(), tls: None }
    }
}

/// A PostgreSQL of its own in a temporary folder. Stopped and deleted when it is dropped.
pub struct Cluster {
    programs: Programs,
    folder: PathBuf,
    port: u16,
    server: Mutex<Option<Child>>,
    watchdog: Mutex<Watchdog>,
    databases: AtomicU32,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("folder", &self.folder)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Makes and starts a cluster.
    pub fn start(options: &Options) -> Result<Self, String> {
        let programs = Programs::find()?;
        let folder = tempfile::Builder::new().prefix("hexiao-pg-").tempdir();
        let folder = folder.map_err(|error| format!("cannot make a temporary folder: {error}"))?.keep();
        let watchdog = Watchdog::start(&folder)?;
        programs.give(&folder)?;
        let cluster = Self {
            programs,
            port: free_port()?,
            folder,
            server: Mutex::new(None),
            watchdog: Mutex::new(watchdog),
            databases: AtomicU32::new(0),
        };
        cluster.init(options)?;
        cluster.start_on_a_free_port()
    }

    /// The cluster that all tests of this process share: without fsync, made at its first use.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| match Self::start(&Options::default()) {
            Ok(cluster) => cluster,
            Err(why) => panic!("{why}"),
        })
    }

    fn init(&self, options: &Options) -> Result<(), String> {
        let mut initdb = self.programs.command("initdb");
        initdb.arg("-D").arg(self.data()).args(["-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C"]);
        initdb.args(["--no-sync", "--no-instructions"]).current_dir(&self.folder);
        let output = initdb.output().map_err(|error| format!("cannot run initdb: {error}"))?;
        if !output.status.success() {
            return Err(format!("initdb failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let path = self.data().join("postgresql.conf");
        let mut settings = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let folder = self.folder.display();
        let written = write!(
            settings,
            "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{folder}'\nmax_connections = 200\n\
             shared_buffers = 256MB\nmax_wal_size = 4GB\nlog_min_messages = warning\n"
        );
        written.expect("a text takes every line");
        if options.durability == Durability::Fast {
            settings.push_str("fsync = off\nfull_page_writes = off\n");
        }
        if let Some((certificate, key)) = &options.tls {
            settings.push_str("ssl = on\n");
            self.put("server.crt", certificate)?;
            self.put("server.key", key)?;
        }
        for (name, value) in &options.settings {
            writeln!(settings, "{name} = '{}'", value.replace('\'', "''")).expect("a text takes every line");
        }
        fs::write(&path, settings).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// A file of the server's, which nobody else may read.
    fn put(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.data().join(name);
        let told = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
        fs::write(&path, text).map_err(told)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(told)?;
        self.programs.give(&path)
    }

    fn start_on_a_free_port(mut self) -> Result<Self, String> {
        let mut why = String::new();
        for _ in 0..PORTS_TRIED {
            match self.start_server() {
                Ok(()) => return Ok(self),
                Err(error) => why = error,
            }
            self.port = free_port()?;
        }
        Err(why)
    }

    fn start_server(&self) -> Result<(), String> {
        let log = File::options().create(true).append(true).open(self.folder.join("log"));
        let log = log.map_err(|error| format!("cannot write the server's log: {error}"))?;
        let again = log.try_clone().map_err(|error| error.to_string())?;
        let mut postgres = self.programs.command("postgres");
        postgres.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]).current_dir(&self.folder);
        postgres.stdin(Stdio::null()).stdout(log).stderr(again).process_group(0);
        let child = postgres.spawn().map_err(|error| format!("cannot run postgres: {error}"))?;
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let child = server.insert(child);
        let began = Instant::now();
        while began.elapsed() < START_LIMIT {
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                *server = None;
                return Err(format!("postgres ended at once: {}", self.log_end()));
            }
            if is_ready(&self.data(), child.id()) {
                return Ok(());
            }
            sleep(Duration::from_millis(10));
        }
        Err(format!("postgres does not get ready: {}", self.log_end()))
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The last lines of the server's log.
    fn log_end(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the cluster and its socket are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where PostgreSQL's programs are, for `pgbench` and the like.
    pub fn programs(&self) -> &Path {
        self.programs.folder()
    }

    /// The address of a database over TCP, as superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_as(USER, database)
    }

    /// The address of a database over TCP, as a user.
    pub fn url_as(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// The address of a database over the socket, as superuser.
    pub fn socket_url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@{folder}:{}/{database}", self.port)
    }

    /// Makes an empty database and returns its address.
    pub fn create_database(&self) -> String {
        let name = self.next_name();
        self.must("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// Makes a copy of a database to which nobody is connected, and returns its address.
    pub fn copy_database(&self, template: &str) -> String {
        let name = self.next_name();
        self.must("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"));
        self.url(&name)
    }

    fn next_name(&self) -> String {
        format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed))
    }

    fn must(&self, database: &str, sql: &str) {
        if let Err(why) = self.psql(database, sql) {
            panic!("{sql}: {why}");
        }
    }

    /// Runs SQL as superuser and returns what it printed: one line for each row, fields separated by `|`.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut psql = self.programs.command("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]).arg(self.url(database));
        let output =
            psql.current_dir(&self.folder).output().map_err(|error| format!("cannot run psql: {error}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Ends all sessions and starts the server again, as an administrator would.
    pub fn restart(&self) -> Result<(), String> {
        self.end(Signal::INT);
        self.start_server()
    }

    /// Ends the server at once, as a crash would: the next start has to recover.
    pub fn kill(&self) {
        self.end(Signal::QUIT);
    }

    /// Starts the server again after [`Self::kill`].
    pub fn start_again(&self) -> Result<(), String> {
        self.start_server()
    }

    /// Stops the server's processes where they are, or lets them go on: a machine that hangs.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(server) = server.as_ref() else { return };
        for pid in processes_of(server.id()) {
            let _ = kill_process(pid, signal);
        }
    }

    fn end(&self, signal: Signal) {
        let Some(mut server) = self.server.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        if let Some(pid) = pid_of(server.id()) {
            let _ = kill_process(pid, signal);
        }
        let _ = server.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.freeze(false);
        self.end(Signal::QUIT);
        let _ = fs::remove_dir_all(&self.folder);
        self.watchdog.lock().unwrap_or_else(PoisonError::into_inner).dismiss();
    }
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| format!("no free port: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

/// The server says so in the last line of its lock file; the first line says which server.
fn is_ready(data: &Path, server: u32) -> bool {
    let lines = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = lines.lines();
    lines.next() == Some(&server.to_string()) && lines.nth(6).is_some_and(|status| status.trim() == "ready")
}

fn pid_of(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

/// A server and all processes that it has started.
fn processes_of(server: u32) -> Vec<Pid> {
    let children = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok).filter_map(|entry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        let status = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name in parentheses may hold anything; the parent is the second field after it.
        let parent: u32 = status.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()?;
        (parent == server).then_some(id)
    });
    std::iter::once(server).chain(children).filter_map(pid_of).collect()
}
