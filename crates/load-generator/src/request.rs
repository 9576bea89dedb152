//! Writes complete HTTP/1.1 requests into a reused buffer, without allocating.

use std::io::Write;

/// Appends a POST with `Host` and `Content-Length`; the caller adds its other headers.
pub fn write_post(buffer: &mut Vec<u8>, path: &str, headers: &[(&str, &str)], body: &[u8]) {
    write_head(buffer, b"POST ", path, headers);
    buffer.extend_from_slice(b"content-length: ");
    write!(buffer, "{}", body.len()).expect("a Vec takes every byte");
    buffer.extend_from_slice(b"\r\n\r\n");
    buffer.extend_from_slice(body);
}

/// Appends a GET with `Host`.
pub fn write_get(buffer: &mut Vec<u8>, path: &str, headers: &[(&str, &str)]) {
    write_head(buffer, b"GET ", path, headers);
    buffer.extend_from_slice(b"\r\n");
}

fn write_head(buffer: &mut Vec<u8>, method: &[u8], path: &str, headers: &[(&str, &str)]) {
    debug_assert!(path.starts_with('/') && !path.contains([' ', '\r', '\n']), "not a path: {path:?}");
    buffer.extend_from_slice(method);
    buffer.extend_from_slice(path.as_bytes());
    buffer.extend_from_slice(b" HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        // The value may be a key, so the message names the header only.
        debug_assert!(!value.contains(['\r', '\n']), "header {name} has a line break in its value");
        buffer.extend_from_slice(name.as_bytes());
        buffer.extend_from_slice(b": ");
        buffer.extend_from_slice(value.as_bytes());
        buffer.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl Fn(&mut Vec<u8>), expect: &str) {
        let mut buffer = b"kept ".to_vec();
        write(&mut buffer);
        assert_eq!(String::from_utf8(buffer).unwrap(), format!("kept {expect}"));
    }

    #[test]
    fn requests_are_complete_and_appended() {
        check(
            |buffer| write_post(buffer, "/v1/redemptions", &[("idempotency-key", "k1")], b"{\"a\":1}"),
            "POST /v1/redemptions HTTP/1.1\r\nhost: localhost\r\nidempotency-key: k1\r\n\
             content-length: 7\r\n\r\n{\"a\":1}",
        );
        check(
            |buffer| write_post(buffer, "/", &[], b""),
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n",
        );
        check(
            |buffer| write_get(buffer, "/ok?x=1", &[("a", "b"), ("c", "d")]),
            "GET /ok?x=1 HTTP/1.1\r\nhost: localhost\r\na: b\r\nc: d\r\n\r\n",
        );
    }
}
