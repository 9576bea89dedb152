//! The parser against a table of known answers, and against hostile bytes cut at every place.

use super::*;
use proptest::prelude::*;

const MAX_BODY: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Answer { status: u16, keep_alive: bool, body: Vec<u8>, consumed: usize },
    Incomplete,
    Fault(Fault),
}

fn answered(answer: &Answer<'_>, before: usize) -> Outcome {
    Outcome::Answer {
        status: answer.status,
        keep_alive: answer.keep_alive,
        body: answer.body.to_vec(),
        consumed: before + answer.consumed,
    }
}

/// Feeds the bytes in pieces of the given sizes (repeated), then closes the stream.
fn parse_in_pieces(parser: &mut Parser, bytes: &[u8], sizes: &[usize]) -> Outcome {
    let mut at = 0;
    for size in sizes.iter().cycle() {
        let piece = &bytes[at..bytes.len().min(at + size)];
        match parser.advance(piece) {
            Ok(Some(answer)) => {
                assert!(answer.consumed <= piece.len());
                return answered(&answer, at);
            }
            Ok(None) => at += piece.len(),
            Err(fault) => return Outcome::Fault(fault),
        }
        if at == bytes.len() {
            break;
        }
    }
    parser.end_of_stream().map_or(Outcome::Incomplete, |answer| answered(&answer, at))
}

fn parse(bytes: &[u8], sizes: &[usize]) -> Outcome {
    parse_in_pieces(&mut Parser::new(MAX_BODY), bytes, sizes)
}

/// The same outcome whole, byte by byte, and in odd pieces.
fn check(bytes: &[u8], expect: &Outcome) {
    for sizes in [&[usize::MAX / 2][..], &[1], &[2, 3, 7], &[17]] {
        assert_eq!(&parse(bytes, sizes), expect, "{:?} in {sizes:?}", String::from_utf8_lossy(bytes));
    }
}

/// `rest` counts bytes after the answer.
fn check_answer(text: &str, status: u16, keep_alive: bool, body: &str, rest: usize) {
    let body = body.as_bytes().to_vec();
    check(text.as_bytes(), &Outcome::Answer { status, keep_alive, body, consumed: text.len() - rest });
}

fn check_fault(text: &str, fault: Fault) {
    check(text.as_bytes(), &Outcome::Fault(fault));
}

#[test]
fn answers_with_a_length() {
    check_answer("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, true, "ok", 0);
    check_answer("HTTP/1.1 201 \r\nContent-Length: 0\r\n\r\n", 201, true, "", 0);
    check_answer("HTTP/1.1 200\r\nCONTENT-LENGTH:  3 \r\nx: y\r\n\r\nabcd", 200, true, "abc", 1);
    check_answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 200, true, "a", 0);
    check_answer("HTTP/1.1 503 x\r\ncontent-length: 1\r\nconnection: close\r\n\r\n!", 503, false, "!", 0);
    check_answer("HTTP/1.1 200 x\r\ncontent-length: 0\r\nconnection: foo , Close\r\n\r\n", 200, false, "", 0);
    check_answer("HTTP/1.0 200 x\r\ncontent-length: 0\r\n\r\n", 200, false, "", 0);
    check_answer("HTTP/1.0 200 x\r\ncontent-length: 0\r\nconnection: Keep-Alive\r\n\r\n", 200, true, "", 0);
}

#[test]
fn answers_without_a_body_or_without_a_length() {
    check_answer("HTTP/1.1 204 No Content\r\n\r\nHTTP", 204, true, "", 4);
    check_answer("HTTP/1.1 304 x\r\ncontent-length: 9\r\n\r\n", 304, true, "", 0);
    check_answer("HTTP/1.1 200 x\r\n\r\nuntil the end", 200, false, "until the end", 0);
    check_answer("HTTP/1.1 200 x\r\n\r\n", 200, false, "", 0);
    check_answer(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\na: b\r\n\r\nHTTP/1.1 204 x\r\n\r\n",
        204,
        true,
        "",
        0,
    );
}

#[test]
fn chunked_answers() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n";
    check_answer(&format!("{head}2\r\nok\r\n0\r\n\r\n"), 200, true, "ok", 0);
    check_answer(&format!("{head}0\r\n\r\nHTTP"), 200, true, "", 4);
    let many = "1;name=\"v\"\r\na\r\n00A\r\n0123456789\r\n2 \r\nzz\r\n0\r\nTrailer: x\r\nMore: y\r\n\r\n";
    check_answer(&format!("{head}{many}"), 200, true, "a0123456789zz", 0);
    for bad in [
        "x",
        "\r\n",
        ";a\r\n",
        "2\nok",
        "2\r\nokk",
        "2\r\nok\r\n0\r\nTrailer\n",
        "-1\r\n",
        "2\r\nok0\r\n\r\n",
    ] {
        check_fault(&format!("{head}{bad}"), Fault::Malformed);
    }
    for long in ["186A1\r\n", "FFFFFFFF\r\n", "000000001"] {
        check_fault(&format!("{head}{long}"), Fault::TooLong);
    }
    check_fault(&format!("{head}1;{}", "e".repeat(MAX_HEAD_BYTES + 1)), Fault::TooLong);
    check_fault(&format!("{head}0\r\n{}", "t: t\r\n".repeat(MAX_HEAD_BYTES)), Fault::TooLong);
}

#[test]
fn malformed_answers() {
    for bad in [
        "garbage that is no answer\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 x\r\n\r\n",
        "HTTP/1.1 200 x\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 x\r\ncontent-length: +1\r\n\r\na",
        "HTTP/1.1 200 x\r\ncontent-length: \r\n\r\na",
        "HTTP/1.1 200 x\r\ncontent-length: 1, 1\r\n\r\na",
        "HTTP/1.1 200 x\r\ncontent-length: 99999999999999999999999\r\n\r\na",
        "HTTP/1.1 200 x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na",
        "HTTP/1.1 200 x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\na",
        "HTTP/1.1 200 x\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
    ] {
        check_fault(bad, Fault::Malformed);
    }
}

#[test]
fn over_long_answers() {
    check_fault("HTTP/1.1 200 x\r\ncontent-length: 100001\r\n\r\n", Fault::TooLong);
    check_fault(&format!("HTTP/1.1 200 x\r\n\r\n{}", "b".repeat(MAX_BODY + 1)), Fault::TooLong);
    check_fault(&format!("HTTP/1.1 200 x\r\na: {}", "b".repeat(MAX_HEAD_BYTES)), Fault::TooLong);
    check_fault(&format!("HTTP/1.1 200 x\r\na: {}\r\n\r\n", "b".repeat(MAX_HEAD_BYTES)), Fault::TooLong);
    check_fault(&format!("HTTP/1.1 200 x\r\n{}\r\n", "a: b\r\n".repeat(65)), Fault::TooLong);
}

#[test]
fn cut_answers_stay_incomplete() {
    let whole = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    for cut in 0..whole.len() {
        check(&whole[..cut], &Outcome::Incomplete);
    }
}

#[test]
fn one_parser_reads_many_answers_and_recovers_by_reset() {
    let mut parser = Parser::new(MAX_BODY);
    for round in 0..50_usize {
        let body = vec![b'x'; round * 10];
        let mut text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
        text.extend_from_slice(&body);
        let consumed = text.len();
        let outcome = parse_in_pieces(&mut parser, &text, &[round + 1]);
        assert_eq!(outcome, Outcome::Answer { status: 200, keep_alive: true, body, consumed });
        assert_eq!(parse_in_pieces(&mut parser, b"junk \r\n", &[3]), Outcome::Fault(Fault::Malformed));
        parser.reset();
        assert_eq!(parse_in_pieces(&mut parser, &text[..consumed / 2], &[9]), Outcome::Incomplete);
        parser.reset();
    }
}

/// Encodes a body in chunks of the given sizes.
fn chunk(body: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = body;
    for size in sizes.iter().cycle().map(|size| size + 1) {
        let (now, later) = rest.split_at(size.min(rest.len()));
        out.extend_from_slice(format!("{:x}\r\n", now.len()).as_bytes());
        out.extend_from_slice(now);
        out.extend_from_slice(b"\r\n");
        if now.is_empty() {
            return out;
        }
        rest = later;
    }
    out
}

fn any_sizes() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(1_usize..60, 1..12)
}

/// `PROPTEST_CASES` raises the number for a longer hunt.
fn thorough() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(2_000), failure_persistence: None, ..usual }
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn a_valid_answer_is_read_whatever_the_pieces(
        status in 200_u16..600,
        body in proptest::collection::vec(any::<u8>(), 0..400),
        chunks in proptest::option::of(any_sizes()),
        close: bool,
        sizes in any_sizes(),
    ) {
        let body = if status == 204 || status == 304 { Vec::new() } else { body };
        let close_line = if close { "connection: close\r\n" } else { "" };
        let mut text = format!("HTTP/1.1 {status} x\r\n{close_line}").into_bytes();
        match chunks {
            Some(chunks) if !body.is_empty() => {
                text.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
                text.extend_from_slice(&chunk(&body, &chunks));
            }
            _ => {
                text.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
                text.extend_from_slice(&body);
            }
        }
        let expect = Outcome::Answer { status, keep_alive: !close, body, consumed: text.len() };
        text.extend_from_slice(b"surplus");
        prop_assert_eq!(parse(&text, &sizes), expect);
    }

    #[test]
    fn any_bytes_end_the_same_whole_or_in_pieces(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        sizes in any_sizes(),
    ) {
        prop_assert_eq!(parse(&bytes, &sizes), parse(&bytes, &[usize::MAX / 2]));
    }

    /// Near-valid answers reach deeper than random bytes: a valid one with some bytes replaced,
    /// inserted or removed.
    #[test]
    fn damaged_answers_end_the_same_whole_or_in_pieces(
        which in 0_usize..3,
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), 0_u8..3, hostile_byte()), 1..6),
        sizes in any_sizes(),
    ) {
        let mut bytes = [
            &b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\nconnection: close\r\n\r\nhello worlds"[..],
            &b"HTTP/1.1 201 x\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nt: u\r\n\r\n"[..],
            &b"HTTP/1.1 100 x\r\n\r\nHTTP/1.0 200 x\r\nserver: s\r\n\r\nuntil close"[..],
        ][which].to_vec();
        for (index, kind, byte) in edits {
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        prop_assert_eq!(parse(&bytes, &sizes), parse(&bytes, &[usize::MAX / 2]));
    }
}

fn hostile_byte() -> impl Strategy<Value = u8> {
    prop_oneof![any::<u8>(), proptest::sample::select(&b"\r\n:;, 0189afF\x00\t"[..])]
}
