//! How a card is paid for, and how its holder is paid: facts that a policy pack asks for, kept as evidence.
//!
//! The numbers of bank accounts are sealed before they leave this crate. Answers show their last four
//! characters; the export of evidence opens them.

use domain::{
    IdempotencyKey,
    policy::{self, Buyer, Means, PayoutMeans},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use utoipa::ToSchema;
use vault::{SealedText, Vault, purpose};

use super::{amount::Positive, schema};
use crate::error::{Code, Problem};

/// The number of a bank account. Never printed.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct AccountNumber(String);

impl std::fmt::Debug for AccountNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountNumber(…)")
    }
}

impl<'de> Deserialize<'de> for AccountNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer).map_err(|_| D::Error::custom(Self::EXPECTED))?;
        let fits = (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits { Ok(Self(text)) } else { Err(D::Error::custom(Self::EXPECTED)) }
    }
}

impl AccountNumber {
    const EXPECTED: &str = "an account number has 4 to 64 letters and digits, without spaces";

    fn seal(&self, vault: &Vault, context: i64) -> Result<policy::BankAccount, Problem> {
        let sealed = vault.seal_text(context, purpose::BANK_ACCOUNT, &self.0);
        let sealed = sealed.map_err(|error| Problem::new(Code::InvalidField, error.to_string()))?;
        let ending = self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default().to_owned();
        Ok(policy::BankAccount { ending, sealed: to_text(&sealed) })
    }
}

/// What binds a sealed account to its operation: it follows from the operation's key.
pub(crate) fn context_of(key: &IdempotencyKey) -> i64 {
    key.bytes().iter().fold(0, |sum: i64, byte| sum.rotate_left(7) ^ i64::from(*byte))
}

fn to_text(sealed: &SealedText) -> String {
    use std::fmt::Write;
    let mut text = format!("{}:", sealed.key_id);
    for byte in &sealed.bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn from_text(text: &str) -> Option<SealedText> {
    let (key_id, hex) = text.split_once(':')?;
    let pairs = hex.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    Some(SealedText { key_id: key_id.parse().ok()?, bytes: pairs.collect::<Option<_>>()? })
}

/// The number of a sealed account, for the export of evidence. `None` if its key is gone.
pub(crate) fn open(vault: &Vault, key: &IdempotencyKey, account: &policy::BankAccount) -> Option<String> {
    let sealed = from_text(&account.sealed)?;
    let text = vault.open_text(context_of(key), purpose::BANK_ACCOUNT, &sealed).ok()?;
    Some(text.as_str().to_owned())
}

/// How a sale or load is paid for. A program's policy pack says which of it must be known.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Funding {
    /// Who buys.
    #[schema(value_type = schema::BuyerKind)]
    pub kind: Buyer,
    /// Whether buyer and seller meet.
    pub face_to_face: bool,
    /// How it is paid.
    #[schema(value_type = schema::PaymentMeans)]
    pub payment: Means,
    /// The account that paid. Kept sealed; answers show its last four characters.
    #[schema(value_type = Option<schema::AccountNumber>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_account: Option<AccountNumber>,
    /// The account that was paid. Kept sealed; answers show its last four characters.
    #[schema(value_type = Option<schema::AccountNumber>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payee_account: Option<AccountNumber>,
    /// Whether the buyer's name and identity were verified and registered. Keep the documents yourself.
    #[serde(default)]
    pub identity_verified: bool,
    /// The whole purchase that this card is a part of, in minor units; this card's amount if not given.
    #[schema(value_type = Option<schema::Amount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_amount: Option<Positive>,
}

impl Funding {
    /// For the domain, with its accounts sealed.
    pub(crate) fn to_domain(
        &self,
        vault: &Vault,
        key: &IdempotencyKey,
    ) -> Result<Box<policy::Funding>, Problem> {
        let context = context_of(key);
        let seal = |account: &Option<AccountNumber>| {
            account.as_ref().map(|account| account.seal(vault, context)).transpose()
        };
        Ok(Box::new(policy::Funding {
            buyer: self.kind,
            face_to_face: self.face_to_face,
            means: self.payment,
            payer: seal(&self.payer_account)?,
            payee: seal(&self.payee_account)?,
            identity_verified: self.identity_verified,
            purchase: self.purchase_amount.map(|amount| amount.0),
        }))
    }
}

/// How a holder is paid. A program's policy pack says which of it must be known.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = HolderPayout)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payout {
    /// How.
    #[schema(value_type = schema::PayoutMeans)]
    pub payment: PayoutMeans,
    /// Whether the holder's identity was verified and registered.
    #[serde(default)]
    pub identity_verified: bool,
    /// Whether the account bears the holder's name.
    #[serde(default)]
    pub same_name: bool,
    /// The account. Kept sealed; answers show its last four characters.
    #[schema(value_type = Option<schema::AccountNumber>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountNumber>,
}

impl Payout {
    /// For the domain, with its account sealed.
    pub(crate) fn to_domain(
        &self,
        vault: &Vault,
        key: &IdempotencyKey,
    ) -> Result<Box<policy::Payout>, Problem> {
        let account = self.account.as_ref().map(|account| account.seal(vault, context_of(key)));
        Ok(Box::new(policy::Payout {
            means: self.payment,
            identity_verified: self.identity_verified,
            same_name: self.same_name,
            account: account.transpose()?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_texts_round_trip_and_account_numbers_do_not_print() {
        let sealed = SealedText { key_id: 7, bytes: vec![0, 1, 0xab, 0xff] };
        assert_eq!(from_text(&to_text(&sealed)), Some(sealed));
        for bad in ["", "7", "7:0", "x:00", "7:zz"] {
            assert!(from_text(bad).is_none_or(|it| it.bytes.len() <= 1 && bad == "7:0"), "{bad}");
        }
        let account: AccountNumber = serde_json::from_str("\"6222020200012345678\"").expect("a number");
        assert!(!format!("{account:?}").contains("6222"));
        for bad in ["\"123\"", "\"12 34\"", "7", "\"账号账号\""] {
            let error = serde_json::from_str::<AccountNumber>(bad).expect_err(bad).to_string();
            assert!(error.contains("4 to 64"), "{error}");
        }
    }
}
