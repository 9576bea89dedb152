//! One connection and the request it has outstanding.

use crate::response::Parser;
use crate::schedule::Ticket;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::time::Instant;

#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    /// No socket; try again at the given time.
    Down {
        retry_at: Instant,
    },
    Connecting {
        since: Instant,
    },
    Ready,
    Busy {
        ticket: Ticket,
        sent_at: Instant,
    },
}

pub(crate) struct Connection {
    /// 0-based over all threads.
    pub(crate) number: usize,
    pub(crate) state: State,
    pub(crate) stream: Option<TcpStream>,
    pub(crate) parser: Parser,
    /// The request being sent; kept per connection because a write may be partial.
    pub(crate) request: Vec<u8>,
    written: usize,
    /// Whether the worker's queue of idle connections holds this one.
    pub(crate) queued: bool,
}

impl Connection {
    pub(crate) fn new(number: usize, stream: TcpStream, max_body_bytes: usize) -> Self {
        Self {
            number,
            state: State::Ready,
            stream: Some(stream),
            parser: Parser::new(max_body_bytes),
            request: Vec::new(),
            written: 0,
            queued: false,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready)
    }

    pub(crate) fn begin(&mut self, ticket: Ticket, sent_at: Instant) {
        self.written = 0;
        self.state = State::Busy { ticket, sent_at };
    }

    pub(crate) fn all_written(&self) -> bool {
        self.written == self.request.len()
    }

    /// Writes as much as the socket takes; the rest follows when it becomes writable.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        while self.written < self.request.len() {
            match stream.write(&self.request[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Drops the socket, with whatever was in flight on it.
    pub(crate) fn drop_stream(&mut self) {
        self.stream = None;
        self.parser.reset();
    }

    /// Starts a connection; a writable event tells when it stands or failed.
    pub(crate) fn start_connecting(
        &mut self,
        address: SocketAddr,
        registry: &Registry,
        token: Token,
        now: Instant,
    ) -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        register(&mut stream, registry, token)?;
        self.stream = Some(stream);
        self.state = State::Connecting { since: now };
        Ok(())
    }

    /// Whether the connection being set up now stands; `Ok(false)`: not yet.
    pub(crate) fn finish_connecting(&mut self) -> io::Result<bool> {
        let Some(stream) = &self.stream else { return Ok(false) };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(false),
            Err(error) => return Err(error),
        }
        stream.set_nodelay(true)?;
        self.state = State::Ready;
        Ok(true)
    }
}

/// Both interests once and for all: events are edge-triggered, so an idle interest costs
/// nothing, while changing it would cost a system call per request.
pub(crate) fn register(stream: &mut TcpStream, registry: &Registry, token: Token) -> io::Result<()> {
    registry.register(stream, token, Interest::READABLE | Interest::WRITABLE)
}
