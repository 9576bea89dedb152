//! Reads one HTTP/1.1 answer at a time from whatever pieces the socket delivers.
//!
//! The common case, a whole answer in one read, is handed out as a slice of the read buffer;
//! only split or chunked answers are copied, into buffers that keep their capacity. Everything
//! is bounded: head, headers, body, chunk extensions and trailers.

mod chunked;
mod head;
#[cfg(test)]
mod tests;

use crate::Fault;
use chunked::Chunked;
use head::{Framing, Head};

/// Longest head accepted, and longest sum of chunk extensions and trailers.
pub(crate) const MAX_HEAD_BYTES: usize = 16 << 10;

/// A complete answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) keep_alive: bool,
    pub(crate) body: &'a [u8],
    /// Bytes of the last input that belong to this answer.
    pub(crate) consumed: usize,
}

#[derive(Debug)]
enum Phase {
    Head,
    Sized { length: usize },
    Chunked(Chunked),
    UntilClose,
}

#[derive(Debug)]
pub(crate) struct Parser {
    phase: Phase,
    max_body_bytes: usize,
    /// The unfinished head of a split answer.
    head: Vec<u8>,
    /// The body so far of a split or chunked answer.
    body: Vec<u8>,
    status: u16,
    keep_alive: bool,
}

impl Parser {
    pub(crate) fn new(max_body_bytes: usize) -> Self {
        Self {
            phase: Phase::Head,
            max_body_bytes,
            head: Vec::new(),
            body: Vec::new(),
            status: 0,
            keep_alive: false,
        }
    }

    /// Forgets a half-read answer; for a new connection.
    pub(crate) fn reset(&mut self) {
        self.phase = Phase::Head;
        self.head.clear();
        self.body.clear();
    }

    /// Takes the next piece; gives the answer once it is complete. After an error the parser
    /// must be reset.
    pub(crate) fn advance<'a>(&'a mut self, input: &'a [u8]) -> Result<Option<Answer<'a>>, Fault> {
        let mut at = 0;
        if matches!(self.phase, Phase::Head) {
            match self.read_head(input)? {
                Some(used) => at = used,
                None => return Ok(None),
            }
        }
        let rest = &input[at..];
        if let Phase::Sized { length } = self.phase
            && self.body.is_empty()
            && rest.len() >= length
        {
            return Ok(Some(self.answer(Some(&rest[..length]), at + length)));
        }
        match self.read_body(rest)? {
            Some(used) => Ok(Some(self.answer(None, at + used))),
            None => Ok(None),
        }
    }

    /// The server closed the connection: that completes an answer without a length.
    pub(crate) fn end_of_stream(&mut self) -> Option<Answer<'_>> {
        matches!(self.phase, Phase::UntilClose).then(|| self.answer(None, 0))
    }

    fn answer<'a>(&'a mut self, whole: Option<&'a [u8]>, consumed: usize) -> Answer<'a> {
        self.phase = Phase::Head;
        let body = whole.unwrap_or(&self.body);
        Answer { status: self.status, keep_alive: self.keep_alive, body, consumed }
    }

    /// Reads heads until a final one; interim answers (1xx) are skipped. Gives the bytes used.
    fn read_head(&mut self, input: &[u8]) -> Result<Option<usize>, Fault> {
        let mut at = 0;
        loop {
            let Some((used, head)) = self.next_head(&input[at..])? else { return Ok(None) };
            at += used;
            match head.status {
                // Nobody asked to switch protocols, so what follows is not HTTP.
                101 => return Err(Fault::Malformed),
                100..200 => {}
                _ => {
                    self.begin_body(head)?;
                    return Ok(Some(at));
                }
            }
        }
    }

    fn next_head(&mut self, input: &[u8]) -> Result<Option<(usize, Head)>, Fault> {
        if self.head.is_empty() {
            if let Some(head) = Head::parse(input)? {
                return Ok(Some((head.length, head)));
            }
            if input.len() >= MAX_HEAD_BYTES {
                return Err(Fault::TooLong);
            }
            self.head.extend_from_slice(input);
            return Ok(None);
        }
        let before = self.head.len();
        let take = input.len().min(MAX_HEAD_BYTES - before);
        self.head.extend_from_slice(&input[..take]);
        match Head::parse(&self.head)? {
            Some(head) => {
                self.head.clear();
                Ok(Some((head.length - before, head)))
            }
            None if self.head.len() >= MAX_HEAD_BYTES => Err(Fault::TooLong),
            None => Ok(None),
        }
    }

    fn begin_body(&mut self, head: Head) -> Result<(), Fault> {
        self.body.clear();
        self.status = head.status;
        self.keep_alive = head.keep_alive;
        self.phase = match head.framing {
            Framing::Length(length) if length > self.max_body_bytes => return Err(Fault::TooLong),
            Framing::Length(length) => Phase::Sized { length },
            Framing::Chunked => Phase::Chunked(Chunked::new()),
            Framing::UntilClose => Phase::UntilClose,
        };
        Ok(())
    }

    /// Copies body bytes; gives the bytes used once the body is complete.
    fn read_body(&mut self, rest: &[u8]) -> Result<Option<usize>, Fault> {
        match &mut self.phase {
            Phase::Head => Ok(None),
            Phase::Sized { length } => {
                let take = rest.len().min(*length - self.body.len());
                self.body.extend_from_slice(&rest[..take]);
                Ok((self.body.len() == *length).then_some(take))
            }
            Phase::Chunked(chunked) => chunked.advance(rest, &mut self.body, self.max_body_bytes),
            Phase::UntilClose => {
                if rest.len() > self.max_body_bytes - self.body.len() {
                    return Err(Fault::TooLong);
                }
                self.body.extend_from_slice(rest);
                Ok(None)
            }
        }
    }
}
