//! Connections to PostgreSQL that are cut around a COMMIT: before it is sent, and after it was sent but
//! before its answer comes, when nobody on this side can know what happened.

use std::{
    collections::HashMap,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use postgres_testing::Cluster;

use crate::support::{Sales, Sandbox, Shop};

/// Every so many commits of a batch, the connection is cut.
const EVERY: u64 = 20;
/// How often it is cut, of each kind.
const CUTS: u64 = 5;
/// Far longer than that takes.
const PATIENCE: Duration = Duration::from_mins(2);

#[test]
fn a_connection_cut_around_a_commit_loses_and_doubles_nothing() {
    let url = Cluster::shared().create_database();
    let shop = Shop::on(Sandbox::at(url.clone()));
    let proxy = Proxy::start(Cluster::shared().port());
    let through =
        url.replace(&format!(":{}/", Cluster::shared().port()), &format!(":{}/", proxy.address.port()));
    assert_ne!(through, url);
    let shop = Shop { sandbox: shop.sandbox.with_database(through), ..shop };
    let node = shop.serve();
    let sales = Sales::new(&shop, &[node.address]);
    let began = Instant::now();
    sales.sell_during(8, || {
        while proxy.cuts.so_far().iter().any(|cuts| *cuts < CUTS) {
            assert!(began.elapsed() < PATIENCE, "cut {:?} times in {PATIENCE:?}", proxy.cuts.so_far());
            thread::sleep(Duration::from_millis(20));
        }
    });
    let [before, after] = proxy.cuts.so_far();
    println!(
        "{} sales, cut {before} times before COMMIT and {after} after, {:?} sent again",
        sales.count(),
        sales.repeated
    );
    sales.check(node.address);
    shop.sandbox.verify();
}

#[derive(Default)]
struct Cuts {
    commits: AtomicU64,
    before: AtomicU64,
    after: AtomicU64,
}

impl Cuts {
    /// Before COMMIT, and after it.
    fn so_far(&self) -> [u64; 2] {
        [&self.before, &self.after].map(|cuts| cuts.load(Ordering::Relaxed))
    }
}

/// What lies between a node and its database.
struct Proxy {
    address: SocketAddr,
    cuts: Arc<Cuts>,
}

impl Proxy {
    fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let cuts = Arc::new(Cuts::default());
        let shared = Arc::clone(&cuts);
        thread::spawn(move || {
            for node in listener.incoming().flatten() {
                let Ok(database) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let _ = (node.set_nodelay(true), database.set_nodelay(true));
                let (from, to) =
                    (database.try_clone().expect("a socket"), node.try_clone().expect("a socket"));
                thread::spawn(move || pass_on(from, to));
                let cuts = Arc::clone(&shared);
                thread::spawn(move || watch(node, database, &cuts));
            }
        });
        Self { address, cuts }
    }
}

/// Answers on their way back.
fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        // Once it is cut, the database still finishes what it was sent.
        let _ = to.write_all(&bytes[..read]);
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// Requests on their way, message by message (PostgreSQL's protocol, version 3).
fn watch(mut node: TcpStream, mut database: TcpStream, cuts: &Cuts) {
    let mut statements: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    let (mut writes, mut is_commit) = (false, false);
    let mut pipeline = Vec::new();
    // The first message has no type.
    let mut typed = false;
    while let Ok(message) = message(&mut node, typed) {
        typed = true;
        match message.first() {
            Some(b'P') => {
                let (name, rest) = text(&message[5..]);
                statements.insert(name.to_vec(), text(rest).0.to_vec());
            }
            Some(b'B') => {
                let (_portal, rest) = text(&message[5..]);
                let sql = statements.get(text(rest).0).map_or(&[][..], Vec::as_slice);
                writes |= sql.windows(21).any(|part| part == b"INSERT INTO operation");
                is_commit |= sql == b"COMMIT";
            }
            Some(b'Q') => is_commit |= text(&message[5..]).0 == b"COMMIT",
            _ => {}
        }
        pipeline.extend_from_slice(&message);
        let complete = !matches!(message.first(), Some(b'P' | b'B' | b'D' | b'E' | b'C' | b'H'));
        if !complete {
            continue;
        }
        if writes && is_commit {
            let commit = cuts.commits.fetch_add(1, Ordering::Relaxed) + 1;
            if commit.is_multiple_of(EVERY) {
                cut(&node, &mut database, &pipeline, cuts, (commit / EVERY).is_multiple_of(2));
                return;
            }
        }
        if database.write_all(&pipeline).is_err() {
            break;
        }
        pipeline.clear();
        // What was written in one pipeline may be committed in the next.
        writes &= !is_commit;
        is_commit = false;
    }
    let _ = (node.shutdown(Shutdown::Both), database.shutdown(Shutdown::Both));
}

fn cut(node: &TcpStream, database: &mut TcpStream, pipeline: &[u8], cuts: &Cuts, after: bool) {
    let _ = node.shutdown(Shutdown::Both);
    if after {
        // The database is left alone with it until it has certainly decided.
        let _ = database.write_all(pipeline);
        thread::sleep(Duration::from_millis(100));
    }
    let _ = database.shutdown(Shutdown::Both);
    if after { &cuts.after } else { &cuts.before }.fetch_add(1, Ordering::Relaxed);
}

/// One whole message with its head.
fn message(from: &mut TcpStream, typed: bool) -> std::io::Result<Vec<u8>> {
    let head = if typed { 5 } else { 4 };
    let mut message = vec![0; head];
    from.read_exact(&mut message)?;
    let length = message[head - 4..].try_into().map(u32::from_be_bytes).expect("four bytes");
    let rest = usize::try_from(length).ok().and_then(|length| length.checked_sub(4));
    let rest = rest.filter(|rest| *rest < 64 << 20).ok_or(ErrorKind::InvalidData)?;
    message.resize(head + rest, 0);
    from.read_exact(&mut message[head..])?;
    Ok(message)
}

/// A text that ends with a zero, and what follows.
fn text(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}
