//! Amounts as files write them, to whole minor units. Exact: no float is involved.

use domain::Amount;

/// How the digits are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notation {
    /// Between the whole and its fraction.
    pub(crate) point: char,
    /// Between groups of three digits, where there is one.
    pub(crate) group: Option<char>,
}

pub(crate) const PLAIN: Notation = Notation { point: '.', group: None };

/// Reads `-12.50` with `places` decimal places as -1250. Says what is wrong without quoting the text.
pub(crate) fn parse(text: &str, places: u32, notation: Notation) -> Result<i64, String> {
    let text = text.trim();
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = match digits.split_once(notation.point) {
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    if whole.is_empty() || (digits.contains(notation.point) && fraction.is_empty()) {
        return Err(shape(notation));
    }
    let whole = ungrouped(whole, notation)?;
    let kept = fraction.trim_end_matches('0');
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(shape(notation));
    }
    let places = usize::try_from(places).unwrap_or(0);
    if kept.len() > places {
        return Err(format!(
            "the amount has more than {places} decimal places; its currency has no smaller unit, so check the \
             column and the currency"
        ));
    }
    let mut value: i64 = 0;
    let padding = std::iter::repeat_n(b'0', places - kept.len());
    for digit in whole.bytes().chain(kept.bytes()).chain(padding) {
        let digit = i64::from(digit.saturating_sub(b'0'));
        value = value.checked_mul(10).and_then(|v| v.checked_add(digit)).ok_or_else(beyond)?;
    }
    if value > Amount::MAX.get() {
        return Err(beyond());
    }
    Ok(if negative { -value } else { value })
}

fn ungrouped(whole: &str, notation: Notation) -> Result<String, String> {
    let groups: Vec<&str> = notation.group.map_or_else(|| vec![whole], |group| whole.split(group).collect());
    let grouped_right = groups.len() == 1
        || (!groups[0].is_empty() && groups[0].len() <= 3 && groups[1..].iter().all(|g| g.len() == 3));
    let joined = groups.concat();
    if !grouped_right || joined.is_empty() || !joined.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(shape(notation));
    }
    Ok(joined)
}

fn shape(notation: Notation) -> String {
    format!(
        "the value is not an amount; write digits with {:?} before the decimals, such as 12{}50",
        notation.point, notation.point
    )
}

fn beyond() -> String {
    format!("the amount is beyond {} minor units; check the column and the unit", Amount::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        let good = [
            ("0", 0),
            ("12.5", 1250),
            ("-0.01", -1),
            ("+3", 300),
            ("1.500", 150),
            (" 7.00\t", 700),
            ("90071992547409.91", 9_007_199_254_740_991),
        ];
        for (text, minor) in good {
            assert_eq!(parse(text, 2, PLAIN), Ok(minor), "{text}");
        }
        let bad = [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "1.234",
            "1,000",
            "1e3",
            "¥5",
            "=1+1",
            "--1",
            "1.2.3",
            "90071992547409.92",
            "99999999999999999999999",
            "１２",
            "1 2",
        ];
        for text in bad {
            assert!(parse(text, 2, PLAIN).is_err(), "{text}");
        }
    }

    #[test]
    fn other_notations_and_currencies() {
        let german = Notation { point: ',', group: Some('.') };
        assert_eq!(parse("1.234.567,89", 2, german), Ok(123_456_789));
        for bad in ["1.23,4.5", "12.34", "1.2345,00", ".123,00", "1..000"] {
            assert!(parse(bad, 2, german).is_err(), "{bad}");
        }
        assert_eq!(parse("12", 0, PLAIN), Ok(12));
        assert_eq!(parse("12.345", 3, PLAIN), Ok(12_345));
        assert!(parse("12.5", 0, PLAIN).is_err());
    }
}
