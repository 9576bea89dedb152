//! Status line and headers, reduced to what a client must know to find the end of the answer
//! (RFC 9112, section 6.3).

use super::MAX_HEAD_BYTES;
use crate::Fault;
use std::mem::MaybeUninit;

const MAX_HEADERS: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// Bytes up to and including the empty line.
    pub(super) length: usize,
    pub(super) status: u16,
    pub(super) keep_alive: bool,
    pub(super) framing: Framing,
}

impl Head {
    /// `None`: incomplete so far.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, Fault> {
        // Uninitialised, because clearing 64 slots would cost more than reading a usual head.
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            bytes,
            &mut headers,
        );
        let length = match parsed {
            Ok(httparse::Status::Complete(length)) if length > MAX_HEAD_BYTES => return Err(Fault::TooLong),
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(Fault::TooLong),
            Err(_) => return Err(Fault::Malformed),
        };
        let status = response.code.filter(|code| *code >= 100).ok_or(Fault::Malformed)?;
        let mut fields = Fields::default();
        for header in &*response.headers {
            fields.take(header)?;
        }
        let framing = fields.framing(status)?;
        let keep_alive = fields.keep_alive(response.version) && framing != Framing::UntilClose;
        Ok(Some(Self { length, status, keep_alive, framing }))
    }
}

#[derive(Default)]
struct Fields {
    length: Option<usize>,
    chunked: bool,
    says_close: bool,
    says_keep_alive: bool,
}

impl Fields {
    /// The length of the name decides first: most headers are none of these.
    fn take(&mut self, header: &httparse::Header<'_>) -> Result<(), Fault> {
        match header.name.len() {
            10 if header.name.eq_ignore_ascii_case("connection") => self.take_connection(header.value),
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                let length = decimal(header.value).ok_or(Fault::Malformed)?;
                if self.length.is_some_and(|earlier| earlier != length) {
                    return Err(Fault::Malformed);
                }
                self.length = Some(length);
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                // No other coding was offered, and a second one would hide the end of the body.
                if self.chunked || !header.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                    return Err(Fault::Malformed);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn take_connection(&mut self, value: &[u8]) {
        for token in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            self.says_close |= token.eq_ignore_ascii_case(b"close");
            self.says_keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn framing(&self, status: u16) -> Result<Framing, Fault> {
        match (self.chunked, self.length) {
            // Two answers to where the body ends: a request-smuggling shape, never valid.
            (true, Some(_)) => Err(Fault::Malformed),
            _ if status < 200 || status == 204 || status == 304 => Ok(Framing::Length(0)),
            (true, None) => Ok(Framing::Chunked),
            (false, Some(length)) => Ok(Framing::Length(length)),
            (false, None) => Ok(Framing::UntilClose),
        }
    }

    fn keep_alive(&self, version: Option<u8>) -> bool {
        !self.says_close && (version == Some(1) || self.says_keep_alive)
    }
}

/// Digits only: `str::parse` alone would also take a plus sign.
fn decimal(value: &[u8]) -> Option<usize> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
}
