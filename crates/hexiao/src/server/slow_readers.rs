//! Cuts off callers that take their answers too slowly.
//!
//! A caller that reads a few bytes now and then would keep its place and what is to be sent to it for as
//! long as it likes. Counted is only the time in which the connection takes nothing more: in every stretch
//! of so much waiting, it has to take at least a kibibyte for each second.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

const LEAST_BYTES_PER_SECOND: u128 = 1024;

/// A connection whose writes fail when the other side is too slow.
pub(super) struct CutOff<S> {
    stream: S,
    patience: Duration,
    /// Time spent waiting in this stretch.
    waited: Duration,
    /// Bytes taken in this stretch.
    taken: u128,
    waiting: Option<Waiting>,
}

struct Waiting {
    since: Instant,
    end: Pin<Box<Sleep>>,
}

impl<S> CutOff<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, waited: Duration::ZERO, taken: 0, waiting: None }
    }

    /// Takes note of what a write came to.
    fn note(&mut self, context: &mut Context<'_>, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match wrote {
            Poll::Ready(Ok(count)) => {
                if let Some(waiting) = self.waiting.take() {
                    self.waited += waiting.since.elapsed();
                }
                self.taken += count as u128;
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Ready(Err(ready!(self.wait(context)))),
        }
    }

    /// Waits on, for ever where the other side is fast enough.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let left = self.patience.saturating_sub(self.waited);
            let waiting = self.waiting.get_or_insert_with(|| {
                let since = Instant::now();
                Waiting { since, end: Box::pin(sleep_until(since + left)) }
            });
            ready!(waiting.end.as_mut().poll(context));
            if self.taken * 1000 < LEAST_BYTES_PER_SECOND * self.patience.as_millis() {
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the answer is read too slowly"));
            }
            (self.waiting, self.waited, self.taken) = (None, Duration::ZERO, 0);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CutOff<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CutOff<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, data);
        self.note(context, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.note(context, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::sleep,
    };

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(200);

    /// Sends 20 kB through a pipe that holds 100 bytes to a reader that takes so much at once.
    async fn send(at_once: usize) -> io::Result<()> {
        let (ours, theirs) = duplex(100);
        let reading = tokio::spawn(read(theirs, at_once));
        let sent = CutOff::new(ours, PATIENCE).write_all(&vec![7; 20_000]).await;
        reading.abort();
        sent
    }

    async fn read(mut stream: DuplexStream, at_once: usize) {
        let mut buffer = vec![0; at_once];
        while at_once > 0 && stream.read_exact(&mut buffer).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
        sleep(Duration::from_mins(1)).await;
    }

    // Time is virtual: the test says the same on a machine that is busy.
    #[tokio::test(start_paused = true)]
    async fn a_reader_is_cut_off_when_it_is_too_slow() {
        let error = |sent: io::Result<()>| sent.expect_err("too slow").kind();
        assert_eq!(error(send(0).await), io::ErrorKind::TimedOut, "nothing is read");
        assert_eq!(error(send(1).await), io::ErrorKind::TimedOut, "some bytes now and then");
        send(100).await.expect("fast enough, though it takes longer in all than patience lasts");
    }
}
