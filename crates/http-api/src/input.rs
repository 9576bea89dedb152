//! What is wrong with a body or query, in words that help and never quote what was sent.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::{
    error::{Code, Problem},
    wire::{amount, integer},
};

/// Reads JSON. The fast way first; only what fails is read again, with whole numbers written as such and
/// then to find out what is wrong where.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let rewritten = match read(bytes) {
        Some(body) => return Ok(body),
        None => integer::without_points(bytes),
    };
    let bytes = rewritten.as_deref().unwrap_or(bytes);
    read(bytes).ok_or_else(|| explain::<T>(bytes))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok().filter(|_| is_object(bytes))
}

/// Whether JSON text is an object. Structs are read from objects only.
pub(crate) fn is_object(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

fn explain<T: DeserializeOwned>(bytes: &[u8]) -> Problem {
    if !is_object(bytes) {
        return match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
            Ok(_) => Problem::new(Code::InvalidField, "the body must be a JSON object"),
            Err(error) => no_json(&error),
        };
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let found = serde_path_to_error::deserialize::<_, T>(&mut reader);
    let (error, path) = match found {
        Ok(_) => match reader.end() {
            Ok(()) => return Problem::new(Code::MalformedJson, "the body could not be read"),
            Err(error) => (error, String::new()),
        },
        Err(error) => {
            let path = pointer(error.path());
            (error.into_inner(), path)
        }
    };
    match error.classify() {
        serde_json::error::Category::Data => wrong_value(&error.to_string(), path),
        _ => no_json(&error),
    }
}

fn no_json(error: &serde_json::Error) -> Problem {
    let place = format!("line {}, column {}", error.line(), error.column());
    Problem::new(Code::MalformedJson, format!("the body is not JSON in UTF-8: see {place}"))
}

/// Reads the parameters of a query.
pub(crate) fn parse_query<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, Problem> {
    let mut fields = serde_json::Map::with_capacity(pairs.len());
    for (name, value) in pairs {
        if fields.insert(name, value.into()).is_some() {
            return Err(Problem::new(Code::InvalidParameter, "a query parameter is given twice"));
        }
    }
    serde_path_to_error::deserialize(serde_json::Value::Object(fields)).map_err(|error| {
        let name = pointer(error.path());
        let text = explain_text(&error.inner().to_string()).1;
        let name = name.trim_start_matches('/');
        Problem::new(Code::InvalidParameter, format!("query parameter {name}: {text}"))
    })
}

fn wrong_value(message: &str, path: String) -> Problem {
    let (code, text) = explain_text(message);
    let path = match (code, quoted(message)) {
        (Code::MissingField, Some(name)) => format!("{path}/{name}"),
        _ => path,
    };
    Problem::new(code, text).at(path)
}

/// Turns a message of the JSON reader into ours. Its stock messages quote the value, so only what they
/// say they expected is kept; messages of our own types never quote.
fn explain_text(message: &str) -> (Code, String) {
    let message = message.rfind(" at line ").map_or(message, |end| &message[..end]);
    let expected = message.rfind("expected ").map(|at| &message[at..]);
    if message.starts_with("unknown field ") {
        let known = expected.unwrap_or("there is nothing to give here");
        return (Code::UnknownField, format!("there is no such field here; {known}"));
    }
    if message.starts_with("missing field ") {
        return (Code::MissingField, "this field is required".to_owned());
    }
    if message.starts_with("duplicate field ") {
        return (Code::InvalidField, "a field is given twice".to_owned());
    }
    let stock = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    let text = match expected {
        Some(expected) if stock.iter().any(|start| message.starts_with(start)) => in_words(expected),
        _ => message,
    };
    let is_amount = text.contains(amount::EXPECTED);
    (if is_amount { Code::InvalidAmount } else { Code::InvalidField }, text.to_owned())
}

/// Names of the language's types say nothing to a caller.
fn in_words(expected: &str) -> &str {
    match expected {
        "expected u8" | "expected u16" | "expected u32" | "expected u64" | "expected usize" => {
            "expected a whole number, not below zero and within bounds"
        }
        "expected i8" | "expected i16" | "expected i32" | "expected i64" => {
            "expected a whole number within bounds"
        }
        other => other,
    }
}

fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

/// A JSON pointer (RFC 6901). Field names come from the caller, so digits that could be part of a number
/// or PIN are left out.
fn pointer(path: &Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                text.push('/');
                text.push_str(&index.to_string());
            }
            Segment::Map { key } => {
                text.push('/');
                text.push_str(&masked(key).replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}

const MAX_NAME: usize = 64;

fn masked(name: &str) -> String {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    if digits >= 4 || name.len() > MAX_NAME { "…".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        amount: amount::Positive,
        name: Option<String>,
    }

    #[test]
    fn whole_numbers_may_have_a_point() {
        #[derive(Deserialize)]
        struct Year {
            year: i32,
        }
        let read = |text: &str| parse::<Year>(text.as_bytes()).map(|body| body.year);
        assert_eq!(read(r#"{"year": 2901.0}"#).expect("an integer"), 2901);
        assert!(read(r#"{"year": 2901.5}"#).is_err());
        assert!(read("[2901.0]").is_err(), "not an object");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |body: &str, code: &str, pointer: Option<&str>| {
            let problem = parse::<Outer>(body.as_bytes()).expect_err(body);
            let body = problem.body("req_1");
            let value = serde_json::to_value(&body).expect("JSON");
            assert_eq!(value["code"], code, "{value}");
            assert_eq!(value["pointer"].as_str(), pointer, "{value}");
            assert!(!value.to_string().contains("9588345"), "{value}");
        };
        check("{", "malformed_json", None);
        check("{\"inner\":[]} x", "malformed_json", None);
        check("\u{feff}", "malformed_json", None);
        check("[]x", "malformed_json", None);
        check("[[]]", "invalid_field", None);
        check("7", "invalid_field", None);
        check("{}", "missing_field", Some("/inner"));
        check(r#"{"inner":[{}]}"#, "missing_field", Some("/inner/0/amount"));
        check(r#"{"inner":[{"amount":0}]}"#, "invalid_amount", Some("/inner/0/amount"));
        check(r#"{"inner":[{"amount":-5}]}"#, "invalid_amount", Some("/inner/0/amount"));
        check(r#"{"inner":[{"amount":1.5}]}"#, "invalid_amount", Some("/inner/0/amount"));
        check(r#"{"inner":[{"amount":9007199254740992}]}"#, "invalid_amount", Some("/inner/0/amount"));
        check(r#"{"inner":[{"amount":"9588345678901234"}]}"#, "invalid_amount", Some("/inner/0/amount"));
        check(r#"{"inner":[{"amount":1,"name":9588345678901234}]}"#, "invalid_field", Some("/inner/0/name"));
        check(r#"{"9588345678901234":1}"#, "unknown_field", Some("/…"));
        check(r#"{"inner":[{"amount":1,"amounts":1}]}"#, "unknown_field", Some("/inner/0/amounts"));
    }
}
