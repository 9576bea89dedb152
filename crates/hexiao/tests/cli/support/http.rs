//! A plain HTTP/1.1 client over one kept connection. An answer that does not come is `None`, which is what
//! a killed server gives.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) replayed: bool,
    pub(crate) body: Value,
}

/// A connection.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    key: String,
    /// Whether the server has said that no further request is answered here.
    pub(crate) ended: bool,
    /// The cookie that came with the last answer, with its name.
    pub(crate) cookie: Option<String>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr, key: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_nodelay(true).ok()?;
        Some(Self { stream: BufReader::new(stream), key: key.to_owned(), ended: false, cookie: None })
    }

    pub(crate) fn get(&mut self, path: &str) -> Option<Answer> {
        self.call("GET", path, None, "")
    }

    pub(crate) fn post(&mut self, path: &str, key: Option<&str>, body: &Value) -> Option<Answer> {
        self.call("POST", path, key, &body.to_string())
    }

    pub(crate) fn patch(&mut self, path: &str, body: &Value) -> Option<Answer> {
        self.call("PATCH", path, None, &body.to_string())
    }

    pub(crate) fn put(&mut self, path: &str, body: &Value) -> Option<Answer> {
        self.call("PUT", path, None, &body.to_string())
    }

    fn call(&mut self, method: &str, path: &str, key: Option<&str>, body: &str) -> Option<Answer> {
        let idempotency = key.map(|key| format!("idempotency-key: {key}\r\n")).unwrap_or_default();
        let headers = format!("authorization: Bearer {}\r\n{idempotency}", self.key);
        self.send(method, path, &headers, body)
    }

    /// A request with these headers, each with its end of line.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Option<Answer> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n{headers}\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).ok()?;
        self.answer()
    }

    fn answer(&mut self) -> Option<Answer> {
        let status = self.line()?.split(' ').nth(1)?.parse().ok()?;
        let (mut length, mut replayed) = (0, false);
        self.cookie = None;
        loop {
            let line = self.line()?;
            // A cookie keeps its letters; of everything else only names and numbers are read.
            let line = if line.to_ascii_lowercase().starts_with("set-cookie") {
                line
            } else {
                line.to_ascii_lowercase()
            };
            match line.split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("set-cookie") => {
                    self.cookie = value.split(';').next().map(str::to_owned);
                }
                Some(("content-length", value)) => length = value.parse().ok()?,
                Some(("idempotent-replayed", _)) => replayed = true,
                Some(("connection", "close")) => self.ended = true,
                Some(("transfer-encoding", _)) => panic!("this client reads no chunks"),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Some(Answer { status, replayed, body })
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    }
}
