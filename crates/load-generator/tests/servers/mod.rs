//! Servers for the tests: axum as it is used for real, and raw sockets for bad manners.

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::{Router, body::Bytes, routing::get, routing::post};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Answers a POST with its body; stops when dropped.
pub(crate) struct Echo {
    pub(crate) address: SocketAddr,
    served: Arc<AtomicU64>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Echo {
    pub(crate) fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let served = Arc::new(AtomicU64::new(0));
        let router = Router::new()
            .route("/echo", post(echo))
            .route("/slow", post(slow))
            .route("/busy", get(async || StatusCode::SERVICE_UNAVAILABLE))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&served));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, served, runtime: Some(runtime) }
    }

    pub(crate) fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn echo(State(served): State<Arc<AtomicU64>>, body: Bytes) -> Bytes {
    served.fetch_add(1, Ordering::SeqCst);
    body
}

async fn slow(body: Bytes) -> Bytes {
    tokio::time::sleep(Duration::from_millis(50)).await;
    body
}

/// One accepted connection of a raw server.
pub(crate) struct Client {
    stream: TcpStream,
    /// The body of the request read last.
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// Reads one POST; `false` once the other side closed.
    pub(crate) fn read_request(&mut self) -> bool {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return false,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        self.body = vec![0; length.parse().unwrap()];
        self.stream.read_exact(&mut self.body).is_ok()
    }

    /// The other side may be gone already: that is its own matter.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    pub(crate) fn echo(&mut self) {
        self.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", self.body.len()));
        self.send(self.body.clone());
    }
}

/// Runs `serve` on a thread for each connection; the second argument counts connections.
pub(crate) fn raw(serve: impl Fn(Client, usize) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            stream.set_nodelay(true).unwrap();
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || serve(Client { stream, body: Vec::new() }, number));
        }
    });
    address
}
