//! Joins the chunks of a body (RFC 9112, section 7.1), byte by byte where it must, in slices
//! where it can.

use super::MAX_HEAD_BYTES;
use crate::Fault;

#[derive(Debug, Clone, Copy)]
enum State {
    Size { value: usize, digits: u8 },
    Extension { value: usize },
    SizeEnd { value: usize },
    Data { remaining: usize },
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    LastLf,
}

#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    /// Bytes of extensions and trailers so far.
    extra: usize,
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self { state: State::Size { value: 0, digits: 0 }, extra: 0 }
    }

    /// Gives the bytes used once the last chunk and the trailers are read.
    pub(super) fn advance(
        &mut self,
        input: &[u8],
        body: &mut Vec<u8>,
        max_body_bytes: usize,
    ) -> Result<Option<usize>, Fault> {
        let mut at = 0;
        while at < input.len() {
            if let State::Data { remaining } = self.state {
                let take = remaining.min(input.len() - at);
                body.extend_from_slice(&input[at..at + take]);
                at += take;
                let remaining = remaining - take;
                self.state = if remaining == 0 { State::DataCr } else { State::Data { remaining } };
                continue;
            }
            if matches!((self.state, input[at]), (State::LastLf, b'\n')) {
                return Ok(Some(at + 1));
            }
            self.state = self.step(input[at])?;
            if let State::Data { remaining } = self.state
                && remaining > max_body_bytes - body.len()
            {
                return Err(Fault::TooLong);
            }
            at += 1;
        }
        Ok(None)
    }

    fn step(&mut self, byte: u8) -> Result<State, Fault> {
        Ok(match (self.state, byte) {
            (State::Size { value, digits: 1.. } | State::Extension { value }, b'\r') => {
                State::SizeEnd { value }
            }
            (State::Size { value, digits: 1.. }, b';' | b' ' | b'\t') => State::Extension { value },
            (State::Size { value, digits }, _) => size_digit(value, digits, byte)?,
            (State::SizeEnd { value: 0 } | State::TrailerLf, b'\n') => State::TrailerStart,
            (State::SizeEnd { value }, b'\n') => State::Data { remaining: value },
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size { value: 0, digits: 0 },
            (State::TrailerStart, b'\r') => State::LastLf,
            (State::Trailer, b'\r') => State::TrailerLf,
            (state @ State::Extension { .. }, 0x20..=0xff | b'\t') => self.count(state)?,
            (State::TrailerStart | State::Trailer, 0x20..=0xff | b'\t') => self.count(State::Trailer)?,
            _ => return Err(Fault::Malformed),
        })
    }

    fn count(&mut self, state: State) -> Result<State, Fault> {
        self.extra += 1;
        if self.extra > MAX_HEAD_BYTES { Err(Fault::TooLong) } else { Ok(state) }
    }
}

/// Eight hexadecimal digits are 4 GiB, beyond every limit, and fit in 64 bits without overflow.
fn size_digit(value: usize, digits: u8, byte: u8) -> Result<State, Fault> {
    let digit = char::from(byte).to_digit(16).ok_or(Fault::Malformed)?;
    if digits >= 8 {
        return Err(Fault::TooLong);
    }
    let value = value.checked_mul(16).and_then(|value| value.checked_add(digit as usize));
    Ok(State::Size { value: value.ok_or(Fault::TooLong)?, digits: digits + 1 })
}
