//! Reading and making card numbers and PINs.

use vault::{CardNumber, IssuerPrefix, NumberError, OsRandomness, Pin, PinError, PredictableRandomness};

#[test]
fn numbers_are_read_or_refused_with_the_reason() {
    fn check(text: &str, expected: Result<(), NumberError>) {
        assert_eq!(
            CardNumber::parse(text).map(|number| assert_eq!(number.expose(), text)),
            expected,
            "{text}"
        );
    }
    check("4111111111111111", Ok(()));
    check("9588123456789016", Ok(()));
    check("0000000000000000", Ok(()));
    check("6304000000000000000", Ok(()));
    check("", Err(NumberError::Length { found: 0 }));
    check("411111111111111", Err(NumberError::Length { found: 15 }));
    check("41111111111111111111", Err(NumberError::Length { found: 20 }));
    check(&"4".repeat(1_000_000), Err(NumberError::Length { found: 1_000_000 }));
    check("4111 1111 1111 1111", Err(NumberError::NotADigit { position: 5 }));
    check("411111111111111x", Err(NumberError::NotADigit { position: 16 }));
    check("+411111111111111", Err(NumberError::NotADigit { position: 1 }));
    // Full-width and Arabic digits are numeric in Unicode, yet not what is stored.
    check("4１11111111111111", Err(NumberError::NotADigit { position: 2 }));
    check("٤١١١١١١١١١١١١١١١", Err(NumberError::NotADigit { position: 1 }));
    check("4111111111111112", Err(NumberError::CheckDigit));
    check("1411111111111111", Err(NumberError::CheckDigit));
}

#[test]
fn made_numbers_have_prefix_length_and_check_digit() {
    let mut random = PredictableRandomness::from_seed(1);
    for prefix in ["95", "00", "9588", "95883456"] {
        let prefix = IssuerPrefix::parse(prefix).expect("a good prefix");
        for length in 16..=19 {
            for _ in 0..200 {
                let number = CardNumber::generate(&prefix, length, &mut random).expect("a good length");
                assert_eq!(number.expose().len(), usize::from(length));
                assert!(number.expose().starts_with(prefix.as_str()));
                assert!(number.expose().ends_with(number.last4()) && number.last4().len() == 4);
                assert_eq!(CardNumber::parse(number.expose()), Ok(number));
            }
        }
    }
}

#[test]
fn lengths_that_are_not_made_are_refused() {
    let prefix = IssuerPrefix::parse("62").expect("a good prefix");
    for length in [0, 1, 15, 20, 255] {
        let made = CardNumber::generate(&prefix, length, &mut PredictableRandomness::from_seed(1));
        assert_eq!(made, Err(NumberError::UnsupportedLength { length }));
    }
}

#[test]
fn prefixes_are_two_to_eight_digits_and_say_how_many_numbers_they_hold() {
    for bad in ["", "6", "958834567", "95 8", "9a", "９５"] {
        assert_eq!(IssuerPrefix::parse(bad), Err(NumberError::Prefix), "{bad}");
    }
    let possible =
        |prefix: &str, length| IssuerPrefix::parse(prefix).and_then(|p| p.possible_numbers(length));
    assert_eq!(possible("62", 19), Ok(10_u64.pow(16)));
    assert_eq!(possible("9588", 16), Ok(10_u64.pow(11)));
    assert_eq!(possible("95883456", 16), Ok(10_u64.pow(7)));
    assert_eq!(possible("62", 20), Err(NumberError::UnsupportedLength { length: 20 }));
}

#[test]
fn the_system_generator_makes_different_numbers_each_time() {
    let prefix = IssuerPrefix::parse("62").expect("a good prefix");
    let make = || CardNumber::generate(&prefix, 19, &mut OsRandomness::new()).expect("a good length");
    assert_ne!(make(), make());
}

#[test]
fn pins_are_read_or_refused_and_made_with_six_digits() {
    for good in ["0000", "1234", "493817", "123456789012"] {
        assert_eq!(Pin::parse(good).expect("a good PIN").expose(), good);
    }
    for (bad, expected) in [
        ("", PinError::Length),
        ("123", PinError::Length),
        ("1234567890123", PinError::Length),
        ("12 34", PinError::NotADigit),
        ("１２３４", PinError::NotADigit),
    ] {
        assert_eq!(Pin::parse(bad), Err(expected), "{bad}");
    }
    let mut random = PredictableRandomness::from_seed(2);
    let pins: Vec<Pin> = (0..2000).map(|_| Pin::generate(&mut random)).collect();
    assert!(pins.iter().all(|pin| pin.expose().len() == 6));
    assert!(pins.iter().any(|pin| pin.expose().starts_with('0')), "leading zeros are kept");
}

#[test]
fn equality_counts_every_digit_and_the_length() {
    let pin = |text| Pin::parse(text).expect("a good PIN");
    assert_eq!(pin("1234"), pin("1234"));
    assert_ne!(pin("1234"), pin("1235"));
    assert_ne!(pin("1234"), pin("12340"));
}
