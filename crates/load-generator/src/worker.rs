//! One thread's event loop: sends what the schedule allows, reads answers, replaces
//! connections, and gives up on requests that take too long.
//!
//! Cost per request in the steady state: one read, one write, one look at the clock, and a
//! share of one poll.

use crate::connection::{Connection, State, register};
use crate::schedule::{Schedule, Ticket};
use crate::{Config, Error, Fault, Report, Source};
use mio::net::TcpStream;
use mio::{Events, Poll, Token};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

/// Larger than any usual answer, so that one read takes it whole.
const READ_BYTES: usize = 64 << 10;
/// How often time-outs and reconnections are looked at.
const UPKEEP: Duration = Duration::from_millis(10);
/// The open loop's longest sleep between two looks at the sockets while a request is almost
/// due. Poll counts in milliseconds, which is too coarse for thousands of requests a second.
const NAP: Duration = Duration::from_micros(100);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct Worker<'a, S> {
    config: &'a Config,
    source: &'a mut S,
    schedule: Schedule,
    poll: Poll,
    connections: Vec<Connection>,
    /// Connections without a request, longest idle first, so that the open loop uses them in
    /// turn. May hold some that broke meanwhile.
    idle: VecDeque<usize>,
    busy: usize,
    read_buffer: Box<[u8]>,
    report: Report,
    start: Instant,
}

/// What became of a connection after its bytes were looked at.
#[derive(PartialEq)]
enum Next {
    Read,
    Offer,
    Replace,
}

impl<'a, S: Source> Worker<'a, S> {
    /// Opens this lane's share of the connections.
    pub(crate) fn connect(config: &'a Config, schedule: Schedule, source: &'a mut S) -> Result<Self, Error> {
        let poll = Poll::new().map_err(Error::Poll)?;
        let lane = schedule.lane;
        let mut connections = Vec::new();
        for number in (lane.thread..config.connections).step_by(lane.threads) {
            let stream = open(config, &poll, Token(connections.len())).map_err(|cause| Error::Connect {
                number,
                address: config.address,
                cause,
            })?;
            connections.push(Connection::new(number, stream, config.max_body_bytes));
        }
        Ok(Self {
            config,
            source,
            schedule,
            poll,
            idle: VecDeque::with_capacity(connections.len()),
            connections,
            busy: 0,
            read_buffer: vec![0; READ_BYTES].into_boxed_slice(),
            report: Report::new(),
            start: Instant::now(),
        })
    }

    pub(crate) fn run(mut self, start: Instant) -> Result<Report, Error> {
        self.start = start;
        self.schedule.begin(start);
        let end = self.schedule.deadline() + self.config.request_timeout;
        let mut events = Events::with_capacity(self.connections.len().max(64));
        let mut upkeep_at = start + UPKEEP;
        for index in 0..self.connections.len() {
            self.park(index);
        }
        self.send_due();
        let mut now = Instant::now();
        while now < end && (self.busy > 0 || !self.schedule.exhausted(now)) {
            self.wait(&mut events, now)?;
            for event in &events {
                let index = event.token().0;
                let read_closed = event.is_read_closed() || event.is_error();
                self.serve(index, event.is_readable() || read_closed, event.is_writable(), read_closed);
            }
            self.send_due();
            now = Instant::now();
            if now >= upkeep_at {
                self.upkeep(now);
                upkeep_at = now + UPKEEP;
            }
        }
        self.give_up();
        Ok(self.report)
    }

    /// Waits for an event or for the next due request, whichever is first.
    fn wait(&mut self, events: &mut Events, now: Instant) -> Result<(), Error> {
        let due = self.schedule.next_due().filter(|_| !self.idle.is_empty() && !self.schedule.exhausted(now));
        let until = due.map_or(UPKEEP, |due| due.saturating_duration_since(now));
        // Poll rounds up to whole milliseconds, so it may only take what is at least one early.
        let patience = until.saturating_sub(Duration::from_millis(1)).min(UPKEEP);
        let timeout = if due.is_none() {
            UPKEEP
        } else if patience >= Duration::from_millis(1) {
            patience
        } else {
            if !until.is_zero() {
                std::thread::sleep(until.min(NAP));
            }
            Duration::ZERO
        };
        match self.poll.poll(events, Some(timeout)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => Err(Error::Poll(error)),
            _ => Ok(()),
        }
    }

    fn serve(&mut self, index: usize, readable: bool, writable: bool, read_closed: bool) {
        let connection = &mut self.connections[index];
        match connection.state {
            State::Down { .. } => return,
            // Closed before it was used: trying again at once would only spin.
            State::Connecting { .. } if read_closed => return self.connect_later(index, Instant::now()),
            State::Connecting { .. } => return self.finish_connecting(index),
            State::Busy { .. } if writable && !connection.all_written() => {
                if let Err(error) = connection.flush() {
                    return self.fail(index, fault_of(&error));
                }
            }
            State::Ready | State::Busy { .. } => {}
        }
        if readable {
            self.receive(index, read_closed);
        }
    }

    /// A short read means that the socket is empty (epoll(7)), which saves a second one, unless
    /// the end of the stream is known to follow.
    fn receive(&mut self, index: usize, read_closed: bool) {
        loop {
            let Some(stream) = &mut self.connections[index].stream else { return };
            match stream.read(&mut self.read_buffer) {
                Ok(0) => return self.end_of_stream(index),
                Ok(count) => {
                    let now = Instant::now();
                    match self.take_bytes(index, count, now, read_closed) {
                        Ok(Next::Read) if count == READ_BYTES || read_closed => {}
                        Ok(Next::Read) => return,
                        Ok(Next::Offer) => return self.offer(index, now),
                        Ok(Next::Replace) => return self.replace(index, now),
                        Err(fault) => return self.fail(index, fault),
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.fail(index, fault_of(&error)),
            }
        }
    }

    fn take_bytes(&mut self, index: usize, count: usize, now: Instant, closing: bool) -> Result<Next, Fault> {
        let connection = &mut self.connections[index];
        let State::Busy { ticket, .. } = connection.state else {
            self.report.faults.surplus += 1;
            return Ok(Next::Replace);
        };
        let all_written = connection.all_written();
        let Some(answer) = connection.parser.advance(&self.read_buffer[..count])? else {
            return Ok(Next::Read);
        };
        self.report.record(answer.status, now.saturating_duration_since(ticket.intended));
        self.source.response(connection.number, ticket.sequence, answer.status, answer.body);
        let surplus = answer.consumed < count;
        let reusable = answer.keep_alive && all_written && !closing && !surplus;
        self.report.faults.surplus += u64::from(surplus);
        self.settle(index, now);
        Ok(if reusable { Next::Offer } else { Next::Replace })
    }

    fn end_of_stream(&mut self, index: usize) {
        let now = Instant::now();
        let connection = &mut self.connections[index];
        // An idle connection that the server gave up: no hurry to replace it.
        let State::Busy { ticket, .. } = connection.state else { return self.take_down(index, now) };
        let Some(answer) = connection.parser.end_of_stream() else { return self.fail(index, Fault::Closed) };
        self.report.record(answer.status, now.saturating_duration_since(ticket.intended));
        self.source.response(connection.number, ticket.sequence, answer.status, answer.body);
        self.settle(index, now);
        self.replace(index, now);
    }

    /// Book-keeping after a complete answer.
    fn settle(&mut self, index: usize, now: Instant) {
        self.busy -= 1;
        self.connections[index].state = State::Ready;
        self.report.last_answer = now.saturating_duration_since(self.start);
        self.report.answered_in_time += u64::from(now <= self.schedule.deadline());
    }

    /// Gives the connection the next due request, or a place in the queue.
    fn offer(&mut self, index: usize, now: Instant) {
        match self.schedule.take(now) {
            Some(ticket) => self.send(index, ticket, now),
            None => self.park(index),
        }
    }

    fn park(&mut self, index: usize) {
        if !std::mem::replace(&mut self.connections[index].queued, true) {
            self.idle.push_back(index);
        }
    }

    /// Sends every due request for which there is an idle connection.
    fn send_due(&mut self) {
        while let Some(index) = self.idle.front().copied() {
            if self.connections[index].is_ready() {
                let now = Instant::now();
                let Some(ticket) = self.schedule.take(now) else { return };
                self.unpark();
                self.send(index, ticket, now);
            } else {
                self.unpark();
            }
        }
    }

    fn unpark(&mut self) {
        if let Some(index) = self.idle.pop_front() {
            self.connections[index].queued = false;
        }
    }

    fn send(&mut self, index: usize, ticket: Ticket, now: Instant) {
        let connection = &mut self.connections[index];
        connection.request.clear();
        self.source.request(connection.number, ticket.sequence, &mut connection.request);
        if connection.request.is_empty() {
            self.schedule.stop();
            return;
        }
        self.report.requests += 1;
        self.busy += 1;
        connection.begin(ticket, now);
        if let Err(error) = connection.flush() {
            self.fail(index, fault_of(&error));
        }
    }

    /// Reports the outstanding request, if any, as unanswered and replaces the connection.
    fn fail(&mut self, index: usize, fault: Fault) {
        let connection = &self.connections[index];
        if let State::Busy { ticket, .. } = connection.state {
            self.busy -= 1;
            self.report.faults.count(fault);
            self.source.unanswered(connection.number, ticket.sequence, fault);
        }
        self.replace(index, Instant::now());
    }

    fn take_down(&mut self, index: usize, now: Instant) {
        self.connections[index].drop_stream();
        self.connections[index].state = State::Down { retry_at: now + UPKEEP };
    }

    fn replace(&mut self, index: usize, now: Instant) {
        self.take_down(index, now);
        if self.schedule.exhausted(now) {
            return;
        }
        let registry = self.poll.registry();
        let connection = &mut self.connections[index];
        if connection.start_connecting(self.config.address, registry, Token(index), now).is_err() {
            self.report.faults.connect += 1;
        }
    }

    fn finish_connecting(&mut self, index: usize) {
        let now = Instant::now();
        match self.connections[index].finish_connecting() {
            Ok(true) => {
                self.report.reconnects += 1;
                self.offer(index, now);
            }
            Ok(false) => {}
            Err(_) => self.connect_later(index, now),
        }
    }

    fn connect_later(&mut self, index: usize, now: Instant) {
        self.report.faults.connect += 1;
        self.take_down(index, now);
    }

    fn upkeep(&mut self, now: Instant) {
        let patience = self.config.request_timeout;
        for index in 0..self.connections.len() {
            match self.connections[index].state {
                State::Busy { sent_at, .. } if now.saturating_duration_since(sent_at) > patience => {
                    self.fail(index, Fault::TimedOut);
                }
                State::Connecting { since } if now.saturating_duration_since(since) > CONNECT_TIMEOUT => {
                    self.connect_later(index, now);
                }
                State::Down { retry_at } if now >= retry_at => self.replace(index, now),
                _ => {}
            }
        }
    }

    /// The end of patience: whatever is still outstanding has no answer.
    fn give_up(&mut self) {
        for connection in &mut self.connections {
            if let State::Busy { ticket, .. } = connection.state {
                self.report.faults.count(Fault::TimedOut);
                self.source.unanswered(connection.number, ticket.sequence, Fault::TimedOut);
            }
        }
        self.report.unsent = self.schedule.unsent();
        self.report.ended_by_count = self.schedule.ended_by_count();
    }
}

/// Waits for the connection, so that a server that is not there is an error and not a count.
fn open(config: &Config, poll: &Poll, token: Token) -> io::Result<TcpStream> {
    let stream = std::net::TcpStream::connect_timeout(&config.address, CONNECT_TIMEOUT)?;
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    let mut stream = TcpStream::from_std(stream);
    register(&mut stream, poll.registry(), token)?;
    Ok(stream)
}

fn fault_of(error: &io::Error) -> Fault {
    match error.kind() {
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::WriteZero => Fault::Closed,
        _ => Fault::Io,
    }
}
