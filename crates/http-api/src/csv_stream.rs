//! A body that is written while it is sent, so that a million rows never lie in memory at once.

use std::{
    fmt, io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use futures_core::Stream;
use tokio::sync::mpsc;

/// How many chunks wait for a slow reader.
const WAITING: usize = 2;

/// The reader has gone.
#[derive(Debug)]
pub(crate) struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection broke")
    }
}

impl std::error::Error for Gone {}

/// Where the chunks of a body go. Dropped before it was finished, it breaks the connection off, so that a
/// reader notices, whatever the reason.
pub(crate) struct Writer {
    chunks: mpsc::Sender<Bytes>,
    finished: Arc<AtomicBool>,
}

impl Writer {
    /// Waits for room.
    pub(crate) async fn send(&self, chunk: Bytes) -> Result<(), Gone> {
        self.chunks.send(chunk).await.map_err(|_| Gone)
    }

    /// Waits until the connection has taken all that was sent.
    pub(crate) async fn taken(&self) -> Result<(), Gone> {
        // All room is free when nothing waits any more.
        self.chunks.reserve_many(self.chunks.max_capacity()).await.map(drop).map_err(|_| Gone)
    }

    /// Ends the body properly.
    pub(crate) fn finish(self) {
        self.finished.store(true, Ordering::Release);
    }
}

struct Chunks {
    sent: mpsc::Receiver<Bytes>,
    finished: Arc<AtomicBool>,
    broken: bool,
}

impl Stream for Chunks {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.sent.poll_recv(context).map(|chunk| match chunk {
            Some(chunk) => Some(Ok(chunk)),
            None if self.broken || self.finished.load(Ordering::Acquire) => None,
            None => {
                self.broken = true;
                Some(Err(io::Error::other("the rows broke off")))
            }
        })
    }
}

/// A body, and where its chunks go.
pub(crate) fn body() -> (Writer, Body) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let finished = Arc::new(AtomicBool::new(false));
    let chunks = Chunks { sent: receiver, finished: Arc::clone(&finished), broken: false };
    (Writer { chunks: sender, finished }, Body::from_stream(chunks))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(body: Body) -> Option<Bytes> {
        axum::body::to_bytes(body, 100).await.ok()
    }

    #[tokio::test]
    async fn only_a_finished_body_ends_properly() {
        let (writer, whole) = body();
        writer.send(Bytes::from_static(b"rows")).await.expect("room");
        writer.finish();
        assert_eq!(read(whole).await.as_deref(), Some(&b"rows"[..]));
        let (writer, part) = body();
        writer.send(Bytes::from_static(b"rows")).await.expect("room");
        drop(writer);
        assert_eq!(read(part).await, None);
    }

    #[tokio::test]
    async fn a_writer_knows_what_was_taken() {
        let (writer, left) = body();
        writer.send(Bytes::from_static(b"rows")).await.expect("room");
        drop(left);
        writer.taken().await.expect_err("nobody took it");
        let (writer, taken) = body();
        let reading = tokio::spawn(read(taken));
        writer.send(Bytes::from_static(b"rows")).await.expect("room");
        writer.taken().await.expect("somebody did");
        writer.finish();
        assert!(reading.await.expect("read").is_some());
    }
}
