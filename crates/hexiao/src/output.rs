//! What commands print on standard output: text for people or one line of JSON for machines. Logs and
//! progress go to standard error, so that the two never mix.

use std::io::{self, Write};

use serde_json::Value;

use crate::failure::Result;

/// Prints the result of a command.
pub(crate) fn print(json: bool, machine: &Value, people: &str) -> Result {
    let text = if json { machine.to_string() } else { people.trim_end().to_owned() };
    line(&text)
}

/// Prints lines. A reader that has gone away, as in `hexiao … | head`, is not an error.
pub(crate) fn line(text: &str) -> Result {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// An amount of minor units for people: `1,234.56`.
pub(crate) fn money(minor: i64, exponent: u16) -> String {
    let digits = usize::from(exponent);
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    let sign = if minor < 0 { "-" } else { "" };
    let point = if digits == 0 { "" } else { "." };
    format!("{sign}{}{point}{fraction}", thousands(whole))
}

/// A count for people: `12,345`.
pub(crate) fn count(number: u64) -> String {
    thousands(&number.to_string())
}

/// Bytes as text.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

fn thousands(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_for_people() {
        let check = |minor, exponent, expect: &str| assert_eq!(money(minor, exponent), expect);
        check(0, 2, "0.00");
        check(5, 2, "0.05");
        check(123_456, 2, "1,234.56");
        check(-3500, 2, "-35.00");
        check(1500, 0, "1,500");
        check(1500, 3, "1.500");
        check(i64::MIN, 2, "-92,233,720,368,547,758.08");
        assert_eq!(count(1_234_567), "1,234,567");
    }
}
