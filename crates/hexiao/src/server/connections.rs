//! Takes connections and hands their requests to the router.
//!
//! Bounds: so many connections at once, so long for the head of a request, so large a head, so many
//! streams on a connection, so slow a reader of answers. A caller that is slower or larger is disconnected,
//! so that it cannot starve the others.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, header::CONNECTION},
    response::Response,
};
use futures_util::FutureExt;
use hyper::{
    Request,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep, timeout},
};
use tower::Service;

use super::slow_readers::CutOff;

const MAX_HEADERS: usize = 64;
const MAX_HEAD_BYTES: usize = 32 << 10;
const MAX_STREAMS: u32 = 128;
/// How a peer that speaks HTTP/2 begins (RFC 9113, 3.4).
const HTTP2_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long, once nothing new is taken in, to wait for the first request of a caller that was: it may be on its
/// way.
const LAST_FIRST_REQUEST: Duration = Duration::from_secs(3);

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    pub(crate) connections: u32,
    pub(crate) header_timeout: Duration,
    /// How long to go on answering what comes after being told to stop.
    pub(crate) drain_delay: Duration,
    pub(crate) shutdown_timeout: Duration,
}

/// Serves until told to stop, goes on for a while so that whoever sends requests here can notice, and then
/// takes nothing new and waits for requests in progress.
///
/// In that while every answer over HTTP/1 closes its connection: a connection that is closed when nothing is
/// on its way loses nothing, whereas closing it from here while the next request is on its way would.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(usize::try_from(limits.connections).unwrap_or(usize::MAX >> 3)));
    let graceful = GracefulShutdown::new();
    let closing = Arc::new(AtomicBool::new(false));
    let (end, ending) = watch::channel(false);
    let take = |(stream, peer, place): Accepted| {
        let (router, watcher, ending) = (router.clone(), graceful.watcher(), ending.clone());
        let connection = Connection { router, peer, limits, watcher, closing: Arc::clone(&closing), ending };
        tokio::spawn(connection.run(stream, place));
    };
    let stopped = async {
        while !*stop.borrow_and_update() && stop.changed().await.is_ok() {}
        closing.store(true, Ordering::Relaxed);
        sleep(limits.drain_delay).await;
    };
    let mut stopped = pin!(stopped);
    loop {
        tokio::select! {
            accepted = accept(&listener, &places) => take(accepted),
            () = &mut stopped => break,
        }
    }
    // Callers that the system has connected but nobody has taken in yet would be cut off.
    while let Some(accepted) = accept(&listener, &places).now_or_never() {
        take(accepted);
    }
    drop(listener);
    let _ = end.send(true);
    if timeout(limits.shutdown_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still in progress when the time to stop was over");
    }
}

/// A caller with its place.
type Accepted = (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>);

/// Waits for a place, then for a caller: beyond the limit, callers wait in the system's queue.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Accepted {
    // The semaphore is never closed, so there is always a permit.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) => {
                // Usually: too many open files. Those that close make room.
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

struct Connection {
    router: Router,
    peer: SocketAddr,
    limits: ConnectionLimits,
    watcher: Watcher,
    /// Whether answers end their connections.
    closing: Arc<AtomicBool>,
    /// Whether nothing new is taken in.
    ending: watch::Receiver<bool>,
}

impl Connection {
    async fn run(self, stream: TcpStream, place: Option<OwnedSemaphorePermit>) {
        // Answers are small and complete: waiting for more to send only delays them.
        let _ = stream.set_nodelay(true);
        let first = tokio::select! {
            first = timeout(self.limits.header_timeout, speaks_http2(&stream)) => first.ok().flatten(),
            () = waited_for_enough(self.ending.clone()) => None,
        };
        match first {
            Some(true) => self.http2(stream).await,
            Some(false) => self.http1(stream).await,
            // Nothing came, or the caller went away.
            None => {}
        }
        drop(place);
    }

    async fn http1(self, stream: TcpStream) {
        let begun = Notify::new();
        let service = service_fn(|request| {
            begun.notify_one();
            closing_when(Arc::clone(&self.closing), answer(self.router.clone(), self.peer, request))
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(CutOff::new(stream, self.limits.header_timeout)), service);
        // Told to shut down before it has read anything, a connection closes, and with it goes the request
        // whose first bytes are here. So it is told once that one is being answered.
        let ended = tokio::select! {
            biased;
            ended = &mut connection => ended,
            () = begun.notified() => self.watcher.watch(connection).await,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended badly");
        }
    }

    async fn http2(self, stream: TcpStream) {
        let service = service_fn(|request| answer(self.router.clone(), self.peer, request));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
            .keep_alive_interval(self.limits.header_timeout)
            .keep_alive_timeout(self.limits.header_timeout)
            .serve_connection(TokioIo::new(CutOff::new(stream, self.limits.header_timeout)), service);
        if let Err(error) = self.watcher.watch(connection).await {
            tracing::debug!(%error, "a connection ended badly");
        }
    }
}

/// Ends a while after nothing new is taken in, and never before.
async fn waited_for_enough(mut ending: watch::Receiver<bool>) {
    // A sender that is gone has said all it had to say.
    let _ = ending.wait_for(|ending| *ending).await;
    sleep(LAST_FIRST_REQUEST).await;
}

/// Has an answer end its connection if connections are to end by then.
async fn closing_when(
    closing: Arc<AtomicBool>,
    answer: impl Future<Output = Result<Response, Infallible>>,
) -> Result<Response, Infallible> {
    let mut response = answer.await?;
    if closing.load(Ordering::Relaxed) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

async fn answer(
    mut router: Router,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.call(request).await
}

/// Looks at the first bytes without taking them. `None`: the caller went away.
///
/// Done here, with a time limit around it, because a caller that sends half a preface would otherwise keep
/// its place for ever.
async fn speaks_http2(stream: &TcpStream) -> Option<bool> {
    let mut first = [0; HTTP2_PREFACE.len()];
    let began = Instant::now();
    loop {
        let seen = stream.peek(&mut first).await.ok()?;
        if seen == 0 {
            return None;
        }
        if first[..seen] != HTTP2_PREFACE[..seen] {
            return Some(false);
        }
        if seen == first.len() {
            return Some(true);
        }
        // A part of the preface: there is nothing to wait on but time.
        sleep(began.elapsed().clamp(Duration::from_millis(1), Duration::from_millis(50))).await;
    }
}
