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
}

impl Connection {
    pub(crate) fn open(address: SocketAddr, key: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_nodelay(true).ok()?;
        Some(Self { stream: BufReader::new(stream), key: key.to_owned(), ended: false })
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

    fn call(&mut self, method: &str, path: &str, key: Option<&str>, body: &str) -> Option<Answer> {
        let idempotency = key.map(|key| format!("idempotency-key: {key}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\n{idempotency}content-length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).ok()?;
        self.answer()
    }

    fn answer(&mut self) -> Option<Answer> {
        let status = self.line()?.split(' ').nth(1)?.parse().ok()?;
        let (mut length, mut replayed) = (0, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(": ") {
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
