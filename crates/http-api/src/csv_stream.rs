//! A body that is written while it is sent, so that a million rows never lie in memory at once.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use futures_core::Stream;
use tokio::sync::mpsc;

struct Chunks(mpsc::Receiver<std::io::Result<Bytes>>);

impl Stream for Chunks {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

/// How many chunks wait for a slow reader.
const WAITING: usize = 2;

/// A body, and where its chunks go. An error breaks the connection off, so that a reader notices.
pub(crate) fn body() -> (mpsc::Sender<std::io::Result<Bytes>>, Body) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (sender, Body::from_stream(Chunks(receiver)))
}
