//! A disk that fails: EIO and ENOSPC at the first, second, third … write and sync of the database.
//!
//! The server must stop, and must have answered nothing that it did not store. The failing calls are made
//! by a small library that is loaded before libc (`support/fault_shim.c`), so that the real server, the
//! real SQLite and the real system calls are tested.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use serde_json::Value;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
/// The exit code of a server whose store can no longer be trusted.
const FATAL: i32 = 70;

#[test]
fn a_write_that_fails_with_eio_stops_the_server() {
    check("write", EIO, &[1, 2, 3, 5, 8]);
}

#[test]
fn a_full_disk_stops_the_server() {
    check("write", ENOSPC, &[1, 2, 3, 5, 8]);
}

#[test]
fn a_failed_sync_stops_the_server() {
    check("sync", EIO, &[1, 2, 3]);
}

#[test]
fn a_sync_that_finds_the_disk_full_stops_the_server() {
    check("sync", ENOSPC, &[1, 2, 3]);
}

/// For each position: load a server until its disk fails, then look at what it answered.
fn check(kind: &str, errno: i32, positions: &[u32]) {
    for nth in positions {
        let shop = Shop::new();
        let fault = Fault { kind, errno, nth: *nth };
        let answered = sell_until_it_fails(&shop, &fault);
        look_back(&shop, &answered, &fault);
    }
}

#[derive(Debug)]
struct Fault<'a> {
    kind: &'a str,
    errno: i32,
    nth: u32,
}

/// Sells one by one; returns the answers by key, and the key that was not answered.
fn sell_until_it_fails(shop: &Shop, fault: &Fault<'_>) -> Vec<(String, Option<Value>)> {
    let mut server = shop.serve(Some(fault));
    for n in 0..3 {
        assert!(server.sell(&format!("before-{n}")).is_some(), "a healthy disk: {fault:?}");
    }
    std::fs::write(shop.folder.path().join("armed"), "").expect("a file");
    let mut answered = Vec::new();
    for n in 0..200 {
        let key = format!("sale-{n}");
        let answer = server.sell(&key);
        let stopped = answer.is_none();
        answered.push((key, answer));
        if stopped {
            let status = server.wait(Duration::from_secs(10));
            assert_eq!(status, Some(FATAL), "it stops at once and says why: {fault:?}");
            return answered;
        }
    }
    panic!("the fault never struck: {fault:?}");
}

/// Everything answered is there, with the same answer, and the books balance.
fn look_back(shop: &Shop, answered: &[(String, Option<Value>)], fault: &Fault<'_>) {
    let mut server = shop.serve(None);
    for (key, answer) in answered {
        let again = server.sell(key).unwrap_or_else(|| panic!("a healthy disk: {fault:?} {key}"));
        if let Some(answer) = answer {
            assert_eq!(&again, answer, "answered before, so it replays: {fault:?} {key}");
        }
        let third = server.sell(key).expect("a healthy disk");
        assert_eq!(third, again, "in doubt, so it was done once at most: {fault:?} {key}");
    }
    let spent = i64::try_from(answered.len() + 3).expect("few");
    assert_eq!(server.balance(), shop.value - spent, "each sale took one fen, once: {fault:?}");
    drop(server);
    let verify = shop.hexiao(&["verify"]).output().expect("verify runs");
    assert!(verify.status.success(), "{fault:?}: {}", String::from_utf8_lossy(&verify.stdout));
}

/// A database with one activated card and a client that may sell.
struct Shop {
    folder: tempfile::TempDir,
    secret: String,
    card: String,
    value: i64,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut shop = Self { folder, secret: String::new(), card: String::new(), value: 100_000 };
        let create =
            ["client", "create", "--name", "test", "--new-issuer", "shop", "--time-zone", "Asia/Shanghai"];
        let output = shop.hexiao(&create).args(["--all-scopes", "--json"]).output().expect("it runs");
        let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        made["secret"].as_str().expect("a secret").clone_into(&mut shop.secret);
        let mut server = shop.serve(None);
        server.set_up(&shop);
        shop.card.clone_from(&server.card);
        shop
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    fn hexiao(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hexiao"));
        command.args(args).arg("--db").arg(format!("sqlite:{}", self.database().display()));
        command.env_remove("HEXIAO_KEYS").env_remove("HEXIAO_DB").env_remove("HEXIAO_KEYS_FILE");
        command
    }

    fn serve(&self, fault: Option<&Fault<'_>>) -> Server {
        let mut command = self.hexiao(&["serve", "--listen", "127.0.0.1:0"]);
        if let Some(fault) = fault {
            command
                .env("LD_PRELOAD", shim())
                .env("HEXIAO_FAULT_PATH", "shop.db")
                .env("HEXIAO_FAULT_ARM", self.folder.path().join("armed"))
                .env("HEXIAO_FAULT_KIND", fault.kind)
                .env("HEXIAO_FAULT_ERRNO", fault.errno.to_string())
                .env("HEXIAO_FAULT_NTH", fault.nth.to_string());
        }
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the server starts");
        let stdout = child.stdout.take().expect("piped");
        let address = BufReader::new(stdout).lines().find_map(|line| address_in(&line.ok()?));
        let address = address.expect("the server tells its address");
        Server {
            child,
            address,
            secret: self.secret.clone(),
            card: self.card.clone(),
            merchant: String::new(),
        }
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    rest.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':')).next()?.parse().ok()
}

/// The library that makes calls fail, built once by the system's C compiler.
fn shim() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let library = folder.path().join("fault_shim.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/fault_shim.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
        let built = compiler.status().expect("a C compiler");
        assert!(built.success(), "the fault library builds");
        (folder, library)
    });
    path
}

struct Server {
    child: Child,
    address: SocketAddr,
    secret: String,
    card: String,
    merchant: String,
}

impl Server {
    fn set_up(&mut self, shop: &Shop) {
        let rules = r#"{"denominations":{"kind":"free","min":0,"max":1000000},"validity":{"kind":"unlimited"},"reloadable":false,"registered":false}"#;
        let program = format!(
            r#"{{"name":"gift","currency":"CNY","number_prefix":"9588","number_length":16,"rules":{rules}}}"#
        );
        let program = self.id("/v1/programs", &program);
        self.id("/v1/merchants", r#"{"name":"shop"}"#);
        let card = format!(r#"{{"program":"{program}","face_value":{}}}"#, shop.value);
        let made = self.post("/v1/cards", "", &card).expect("a card");
        let id = made["card"]["id"].as_str().or(made["id"].as_str()).expect("an id");
        id.clone_into(&mut self.card);
        let activate = format!(r#"{{"card":{{"id":"{}"}},"currency":"CNY"}}"#, self.card);
        let activated = self.post("/v1/activations", "activate", &activate).expect("an answer");
        assert_eq!(activated["status"], "approved", "{activated}");
    }

    fn id(&self, path: &str, body: &str) -> String {
        let made = self.post(path, "", body).expect("an answer");
        made["id"].as_str().unwrap_or_else(|| panic!("{path}: {made}")).to_owned()
    }

    /// Takes one fen. `None` if there is no answer.
    fn sell(&mut self, key: &str) -> Option<Value> {
        if self.merchant.is_empty() {
            let list = self.request("GET", "/v1/merchants", "", "")?;
            list["items"][0]["id"].as_str().expect("a merchant").clone_into(&mut self.merchant);
        }
        let merchant = &self.merchant;
        let body = format!(
            r#"{{"card":{{"id":"{}"}},"amount":1,"currency":"CNY","merchant":"{merchant}"}}"#,
            self.card
        );
        self.post("/v1/redemptions", key, &body)
    }

    fn balance(&self) -> i64 {
        let card = self.request("GET", &format!("/v1/cards/{}", self.card), "", "").expect("a card");
        card["card"]["balance"].as_i64().unwrap_or_else(|| panic!("{card}"))
    }

    fn post(&self, path: &str, key: &str, body: &str) -> Option<Value> {
        self.request("POST", path, key, body)
    }

    /// `None` if the connection ends without a whole answer, or the answer is that there is none.
    fn request(&self, method: &str, path: &str, key: &str, body: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        let key = if key.is_empty() { String::new() } else { format!("Idempotency-Key: {key}\r\n") };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\n{key}Content-Length: {}\r\n\r\n{body}",
            self.secret,
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status: u16 = head.split(' ').nth(1)?.parse().ok()?;
        if status >= 500 {
            return None;
        }
        serde_json::from_str(body).ok()
    }

    fn wait(&mut self, patience: Duration) -> Option<i32> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
