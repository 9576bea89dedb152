//! The Luhn check digit (ISO/IEC 7812-1, annex B). It catches typing errors and protects nothing.

/// The check digit, as an ASCII digit, that belongs behind these ASCII digits.
pub(crate) fn check_digit(payload: &[u8]) -> u8 {
    // Behind the payload comes the check digit, so the payload's last digit is the first doubled one.
    b'0' + (10 - sum(payload, true) % 10) % 10
}

/// Whether these ASCII digits end with their right check digit.
pub(crate) fn is_valid(digits: &[u8]) -> bool {
    sum(digits, false).is_multiple_of(10)
}

/// Luhn sum from the right. At most 9 per digit, so a `u8` holds 28 digits; numbers have up to 19.
fn sum(digits: &[u8], mut double: bool) -> u8 {
    let mut total = 0;
    for &digit in digits.iter().rev() {
        let value = digit - b'0';
        total += match (double, value) {
            (false, value) => value,
            (true, 0..=4) => value * 2,
            (true, _) => value * 2 - 9,
        };
        double = !double;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // The example of the standard, and published test numbers of payment networks.
        for valid in ["79927398713", "4111111111111111", "5555555555554444", "6011000990139424", "0"] {
            assert!(is_valid(valid.as_bytes()), "{valid}");
            let (payload, check) = valid.as_bytes().split_at(valid.len() - 1);
            assert_eq!(check_digit(payload), check[0], "{valid}");
        }
    }

    #[test]
    fn every_other_check_digit_and_every_single_typing_error_is_refused() {
        let valid = *b"4111111111111111";
        for position in 0..valid.len() {
            for digit in b'0'..=b'9' {
                let mut typed = valid;
                typed[position] = digit;
                assert_eq!(is_valid(&typed), typed == valid);
            }
        }
    }

    #[test]
    fn the_longest_number_does_not_overflow() {
        assert_eq!(check_digit(&[b'9'; 18]), b'8');
    }
}
