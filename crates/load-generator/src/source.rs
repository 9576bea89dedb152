//! The caller's side of a run: where requests come from and where answers go.

use crate::Fault;

/// Writes requests and takes their answers. Each thread owns one source, so its methods need no
/// locks. They run on the measuring thread between two system calls: keep them cheap.
///
/// `connection` is 0-based over all threads. `sequence` is unique in the run, starts at 0 and is
/// without gaps over all threads.
pub trait Source: Send {
    /// Appends one complete request to `buffer`, which arrives empty and keeps its capacity.
    /// Leaving it empty says that there is nothing more to send and ends this thread's run.
    fn request(&mut self, connection: usize, sequence: u64, buffer: &mut Vec<u8>);

    /// A complete answer. `body` is only valid during the call; chunks are already joined.
    fn response(&mut self, connection: usize, sequence: u64, status: u16, body: &[u8]);

    /// A request that was started and has no complete answer. The server may or may not have
    /// acted on it: ask it before counting.
    fn unanswered(&mut self, connection: usize, sequence: u64, fault: Fault) {
        let _ = (connection, sequence, fault);
    }
}

/// Two closures, for callers that need no word about unanswered requests.
impl<W, A> Source for (W, A)
where
    W: FnMut(usize, u64, &mut Vec<u8>) + Send,
    A: FnMut(usize, u64, u16, &[u8]) + Send,
{
    fn request(&mut self, connection: usize, sequence: u64, buffer: &mut Vec<u8>) {
        (self.0)(connection, sequence, buffer);
    }

    fn response(&mut self, connection: usize, sequence: u64, status: u16, body: &[u8]) {
        (self.1)(connection, sequence, status, body);
    }
}
