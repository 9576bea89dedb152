//! Minor units as decimal text, without a float anywhere: for machines (`-1234.50`) and for people (`-1,234.50`).

/// `-1234.50` for −123450 with exponent 2.
pub(crate) fn plain(minor: i64, exponent: u16) -> String {
    decimal(minor, exponent, false)
}

/// `-1,234.50` for −123450 with exponent 2.
pub(crate) fn grouped(minor: i64, exponent: u16) -> String {
    decimal(minor, exponent, true)
}

/// `1,234` for 1234.
pub(crate) fn count(number: u64) -> String {
    group(&number.to_string())
}

/// `1.25%` for 125 basis points.
pub(crate) fn percent(basis_points: i64) -> String {
    let text = plain(basis_points, 2);
    let short = text.trim_end_matches('0').trim_end_matches('.');
    format!("{short}%")
}

fn decimal(minor: i64, exponent: u16, grouping: bool) -> String {
    let places = usize::from(exponent);
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = places.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
    let sign = if minor < 0 { "-" } else { "" };
    let whole = if grouping { group(whole) } else { whole.to_owned() };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn group(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
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
    fn decimals() {
        for (minor, exponent, machine, people) in [
            (0, 2, "0.00", "0.00"),
            (5, 2, "0.05", "0.05"),
            (-5, 2, "-0.05", "-0.05"),
            (-123_450, 2, "-1234.50", "-1,234.50"),
            (1_234_567, 0, "1234567", "1,234,567"),
            (1, 3, "0.001", "0.001"),
            (i64::MIN, 2, "-92233720368547758.08", "-92,233,720,368,547,758.08"),
        ] {
            assert_eq!(plain(minor, exponent), machine);
            assert_eq!(grouped(minor, exponent), people);
        }
        assert_eq!(count(100), "100");
        for (points, text) in [(60, "0.6%"), (100, "1%"), (125, "1.25%"), (0, "0%"), (1000, "10%")] {
            assert_eq!(percent(points), text);
        }
    }
}
