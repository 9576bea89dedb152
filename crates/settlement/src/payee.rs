//! Bank accounts of merchants, in versions by effective date.

use domain::{BusinessDate, ClientId, Currency, IssuerId, MerchantId, PayeeId, Timestamp};

use crate::agreement::TermError;

/// A bank account that a merchant is paid to. Never changed: a change is a new one.
#[derive(Clone, PartialEq, Eq)]
pub struct Payee {
    /// Its id.
    pub id: PayeeId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// Its merchant.
    pub merchant: MerchantId,
    /// The currency of the payouts that it receives.
    pub currency: Currency,
    /// The first day on which payouts go there.
    pub effective_from: BusinessDate,
    /// Who holds the account.
    pub holder_name: String,
    /// Its number, or IBAN. Where it is sealed, all but its last four characters are hidden here.
    pub account_number: String,
    /// The bank.
    pub bank_name: String,
    /// The bank's BIC (ISO 9362), if given.
    pub bic: Option<String>,
    /// The bank's number in the national clearing system (联行号, CNAPS), if given.
    pub clearing_code: Option<String>,
    /// Who made it.
    pub created_by: ClientId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The number under a key of the key ring: how it is stored.
    pub sealed: Option<SealedAccount>,
}

/// An account number that opens with a key of the key ring only.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedAccount {
    /// The key.
    pub key_id: u8,
    /// The number, encrypted.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Payee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payee({}, {})", self.id, self.masked_number())
    }
}

impl Payee {
    /// The account number with all but its last four characters hidden.
    pub fn masked_number(&self) -> String {
        let hidden = self.account_number.chars().count().saturating_sub(4);
        let shown = self.account_number.chars().enumerate();
        shown.map(|(at, c)| if at < hidden { '*' } else { c }).collect()
    }

    /// The same account with its number sealed: of the plain text only the last four characters stay.
    #[must_use]
    pub fn under(self, sealed: SealedAccount) -> Self {
        let account_number = self.masked_number();
        Self { account_number, sealed: Some(sealed), ..self }
    }

    /// Finds values out of bounds.
    pub fn check(&self) -> Result<(), TermError> {
        for (pointer, text) in [("/holder_name", &self.holder_name), ("/bank_name", &self.bank_name)] {
            let length = text.chars().count();
            if length == 0 || length > 140 || text.chars().any(char::is_control) {
                return TermError::new(pointer, "give 1 to 140 printable characters");
            }
        }
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if !(5..=34).contains(&self.account_number.len()) || !plain(&self.account_number) {
            return TermError::new(
                "/account_number",
                "give 5 to 34 digits and capital letters, without spaces",
            );
        }
        if self.bic.as_ref().is_some_and(|bic| !matches!(bic.len(), 8 | 11) || !plain(bic)) {
            return TermError::new("/bic", "give the 8 or 11 characters of a BIC");
        }
        let digits = |code: &String| code.len() == 12 && code.bytes().all(|b| b.is_ascii_digit());
        if self.clearing_code.as_ref().is_some_and(|code| !digits(code)) {
            return TermError::new("/clearing_code", "give the 12 digits of the bank's clearing number");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payee(number: &str) -> Payee {
        Payee {
            id: PayeeId::new(1),
            issuer: IssuerId::new(1),
            merchant: MerchantId::new(1),
            currency: Currency::CNY,
            effective_from: BusinessDate::from_stored(20_260_101),
            holder_name: "杭州某某茶业有限公司".to_owned(),
            account_number: number.to_owned(),
            bank_name: "中国工商银行".to_owned(),
            bic: None,
            clearing_code: Some("102331000019".to_owned()),
            created_by: ClientId::new(1),
            created_at: Timestamp::from_micros(0),
            sealed: None,
        }
    }

    #[test]
    fn numbers_are_masked_and_bounded() {
        let good = payee("6222021202012345678");
        assert_eq!(good.check(), Ok(()));
        assert_eq!(good.masked_number(), "***************5678");
        assert!(!format!("{good:?}").contains("6222021"));
        let sealed = good.clone().under(SealedAccount { key_id: 1, bytes: vec![7] });
        assert_eq!(
            (&*sealed.account_number, sealed.masked_number()),
            ("***************5678", good.masked_number())
        );
        for bad in ["", "1234", "6222 0212", "622202120201234567812345678901234567", "62220212x"] {
            assert_eq!(payee(bad).check().expect_err("bad").pointer, "/account_number", "{bad}");
        }
        let bad = Payee { bic: Some("ABC".to_owned()), ..payee("12345") };
        assert_eq!(bad.check().expect_err("bad").pointer, "/bic");
        let bad = Payee { clearing_code: Some("1".to_owned()), ..payee("12345") };
        assert_eq!(bad.check().expect_err("bad").pointer, "/clearing_code");
    }
}
