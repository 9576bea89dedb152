//! The lots of a card as compact JSON text in its row, written and read by hand: this runs twice for
//! every sale.
//!
//! `[[no,"source",funder,granted,remaining,expired,to_breakage,expires_at],…]`, absent values as `null`.
//! The view `lot` of the schema reads the same form.

use domain::{Amount, Lot, LotNo, MerchantId, Timestamp, card::MAX_LOTS, lot::LotSource};
use storage::Result;

use crate::error::corrupt;

/// Appends the lots to `to`.
pub(crate) fn encode(lots: &[Lot], to: &mut String) {
    to.push('[');
    for (position, lot) in lots.iter().enumerate() {
        to.push_str(if position == 0 { "[" } else { ",[" });
        push_number(i64::from(lot.no.0), to);
        to.push_str(",\"");
        to.push_str(lot.source.name());
        to.push_str("\",");
        push_optional(lot.funder.map(MerchantId::get), to);
        for amount in [lot.granted, lot.remaining, lot.expired] {
            to.push(',');
            push_number(amount.get(), to);
        }
        to.push_str(if lot.expired_to_breakage { ",1," } else { ",0," });
        push_optional(lot.expires_at.map(Timestamp::micros), to);
        to.push(']');
    }
    to.push(']');
}

fn push_optional(number: Option<i64>, to: &mut String) {
    match number {
        Some(number) => push_number(number, to),
        None => to.push_str("null"),
    }
}

fn push_number(number: i64, to: &mut String) {
    // 20 characters hold every i64 with its sign.
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        to.push('-');
    }
    to.push_str(std::str::from_utf8(&digits[at..]).unwrap_or("0"));
}

/// Reads what [`encode`] wrote, and nothing else.
pub(crate) fn decode(text: &str) -> Result<Vec<Lot>> {
    Reader { rest: text.as_bytes() }.lots().ok_or_else(|| corrupt("the lots of a card do not parse"))
}

/// A value that is neither a number nor absent.
struct Damaged;

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn lots(mut self) -> Option<Vec<Lot>> {
        self.expect(b"[")?;
        // Most cards have one or two.
        let mut lots = Vec::with_capacity(2);
        if self.expect(b"]").is_some() {
            return self.rest.is_empty().then_some(lots);
        }
        loop {
            lots.push(self.lot()?);
            if lots.len() > MAX_LOTS {
                return None;
            }
            if self.expect(b",").is_none() {
                self.expect(b"]")?;
                return self.rest.is_empty().then_some(lots);
            }
        }
    }

    fn lot(&mut self) -> Option<Lot> {
        self.expect(b"[")?;
        let no = LotNo(u16::try_from(self.number()?).ok()?);
        self.expect(b",\"")?;
        let source = self.source()?;
        self.expect(b"\",")?;
        let funder = self.optional().ok()?.map(MerchantId::new);
        let granted = self.amount()?;
        let remaining = self.amount()?;
        let expired = self.amount()?;
        self.expect(b",")?;
        let expired_to_breakage = match self.number()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        self.expect(b",")?;
        let expires_at = self.optional().ok()?.map(Timestamp::from_micros);
        self.expect(b"]")?;
        Some(Lot { no, source, funder, granted, remaining, expired, expired_to_breakage, expires_at })
    }

    fn expect(&mut self, text: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn source(&mut self) -> Option<LotSource> {
        let end = self.rest.iter().position(|byte| *byte == b'"')?;
        let name: &'a [u8] = &self.rest[..end];
        self.rest = &self.rest[end..];
        LotSource::from_name(std::str::from_utf8(name).ok()?)
    }

    fn amount(&mut self) -> Option<Amount> {
        self.expect(b",")?;
        Amount::new(self.number()?).ok()
    }

    fn optional(&mut self) -> std::result::Result<Option<i64>, Damaged> {
        if self.expect(b"null").is_some() {
            return Ok(None);
        }
        self.number().map(Some).ok_or(Damaged)
    }

    /// An integer in its shortest form: one value has one text.
    fn number(&mut self) -> Option<i64> {
        let negative = self.expect(b"-").is_some();
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(length);
        if length == 0 || (length > 1 && digits[0] == b'0') || (negative && digits[0] == b'0') {
            return None;
        }
        self.rest = rest;
        let mut value: i64 = 0;
        for digit in digits {
            let digit = i64::from(digit - b'0');
            value = value.checked_mul(10)?;
            value = if negative { value.checked_sub(digit)? } else { value.checked_add(digit)? };
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_of(lots: &[Lot]) -> String {
        let mut text = String::new();
        encode(lots, &mut text);
        text
    }

    #[test]
    fn the_text_is_stable() {
        let lots = [
            Lot {
                no: LotNo(1),
                source: LotSource::Paid,
                funder: None,
                granted: Amount::new(10_000).expect("an amount"),
                remaining: Amount::new(9_000).expect("an amount"),
                expired: Amount::ZERO,
                expired_to_breakage: false,
                expires_at: None,
            },
            Lot {
                no: LotNo(2),
                source: LotSource::MerchantFunded,
                funder: Some(MerchantId::new(7)),
                granted: Amount::MAX,
                remaining: Amount::ZERO,
                expired: Amount::MAX,
                expired_to_breakage: true,
                expires_at: Some(Timestamp::from_micros(-5)),
            },
        ];
        let text = text_of(&lots);
        assert_eq!(
            text,
            r#"[[1,"paid",null,10000,9000,0,0,null],[2,"merchant_funded",7,9007199254740991,0,9007199254740991,1,-5]]"#
        );
        assert_eq!(decode(&text).expect("round trip"), lots);
        assert_eq!(decode("[]").expect("no lots"), []);
    }

    #[test]
    fn damage_is_found() {
        for bad in [
            "",
            "[",
            "[[]]",
            "[] ",
            "[[1,\"paid\",null,1,1,0,0,null]",
            "[[1,\"gold\",null,1,1,0,0,null]]",
            "[[1,\"paid\",null,-1,1,0,0,null]]",
            "[[1,\"paid\",null,01,1,0,0,null]]",
            "[[70000,\"paid\",null,1,1,0,0,null]]",
            "[[1,\"paid\",null,1,1,0,2,null]]",
            "[[1,\"paid\",null,99999999999999999999,1,0,0,null]]",
            "[[1,\"paid\",null,1,1,0,0,-0]]",
            "[[1,\"paid\",null,1,1,0,0,null],]",
        ] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }

    fn any_lot() -> impl Strategy<Value = Lot> {
        let amount = || (0..=Amount::MAX.get()).prop_map(|n| Amount::new(n).expect("in range"));
        (
            any::<u16>(),
            0..4_usize,
            any::<Option<i64>>(),
            amount(),
            amount(),
            amount(),
            any::<bool>(),
            any::<Option<i64>>(),
        )
            .prop_map(
                |(no, source, funder, granted, remaining, expired, expired_to_breakage, expires_at)| Lot {
                    no: LotNo(no),
                    source: LotSource::ALL[source],
                    funder: funder.map(MerchantId::new),
                    granted,
                    remaining,
                    expired,
                    expired_to_breakage,
                    expires_at: expires_at.map(Timestamp::from_micros),
                },
            )
    }

    proptest! {
        #[test]
        fn any_lots_round_trip(lots in prop::collection::vec(any_lot(), 0..=MAX_LOTS)) {
            let text = text_of(&lots);
            prop_assert_eq!(decode(&text).expect("round trip"), lots);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]a-z0-9,\"-]{0,60}") {
            if let Ok(lots) = decode(&text) {
                prop_assert_eq!(text_of(&lots), text);
            }
        }

        #[test]
        fn one_changed_byte_never_goes_unseen(lots in prop::collection::vec(any_lot(), 1..4), at in any::<prop::sample::Index>(), byte in 32_u8..127) {
            let mut bytes = text_of(&lots).into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let text = String::from_utf8(bytes).expect("ASCII");
            if let Ok(read) = decode(&text) {
                prop_assert_eq!(text_of(&read), text);
            }
        }
    }
}
