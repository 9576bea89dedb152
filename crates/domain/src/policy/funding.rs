//! Who pays for a card, how, and what the law asks of it.
//!
//! Without facts, the strictest buyer is assumed: a company that is not identified, and a purchase that is
//! face to face only where a store or terminal sells.

use serde::{Deserialize, Serialize};

use super::{
    breach::{Breach, unless_broken},
    pack::InForce,
    rule::RuleName,
};
use crate::Amount;

/// Who buys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Buyer {
    /// A company or other organisation.
    Company,
    /// A person.
    Person,
}

/// How it is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// Bank transfer.
    BankTransfer,
    /// Cash.
    Cash,
    /// Debit card.
    Card,
    /// Credit card.
    CreditCard,
    /// Anything else.
    Other,
}

/// A bank account as it is kept: its last characters to recognise it by, and the whole number sealed under
/// the key ring, which the domain cannot open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankAccount {
    /// The last four characters.
    pub ending: String,
    /// The number, sealed, as text.
    pub sealed: String,
}

/// How a sale or load is paid for. Kept with the operation as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Funding {
    /// Who buys.
    pub buyer: Buyer,
    /// Whether buyer and seller meet.
    pub face_to_face: bool,
    /// How it is paid.
    pub means: Means,
    /// The account that paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<BankAccount>,
    /// The account that was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<BankAccount>,
    /// Whether the buyer's name and identity were verified and registered.
    pub identity_verified: bool,
    /// The whole purchase that this card is a part of; its own amount without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase: Option<Amount>,
}

/// What is bought.
#[derive(Clone, Copy, Debug)]
pub struct Purchase<'a> {
    /// What is paid for this card.
    pub amount: Amount,
    /// Whether the card is registered.
    pub registered: bool,
    /// Whether a store or terminal sells.
    pub in_store: bool,
    /// How it is paid for, where known.
    pub funding: Option<&'a Funding>,
}

impl Purchase<'_> {
    fn total(&self) -> Amount {
        let whole = self.funding.and_then(|funding| funding.purchase).unwrap_or(self.amount);
        whole.max(self.amount)
    }

    fn by_transfer(&self) -> bool {
        self.funding.is_some_and(|funding| funding.means == Means::BankTransfer)
    }

    fn from(&self, policy: &InForce, name: RuleName) -> bool {
        policy.amount(name).is_some_and(|from| self.total() >= from)
    }
}

const FUNDING: &str = "/funding";
const IDENTITY: &str = "/funding/identity_verified";
const PAYMENT: &str = "/funding/payment";
const ACCOUNTS: &str = "/funding/payer_account";

/// A card is sold.
pub fn check_sale(policy: &InForce, purchase: &Purchase<'_>) -> Result<(), Breach> {
    check_purchase(policy, purchase)
}

/// A card is loaded: a sale like the first one, and more.
pub fn check_load(policy: &InForce, purchase: &Purchase<'_>) -> Result<(), Breach> {
    let large = purchase.from(policy, RuleName::TransferLoadFrom);
    let pointer = if purchase.funding.is_some() { PAYMENT } else { FUNDING };
    unless_broken(policy, large && !purchase.by_transfer(), RuleName::TransferLoadFrom, pointer)?;
    check_purchase(policy, purchase)
}

fn check_purchase(policy: &InForce, purchase: &Purchase<'_>) -> Result<(), Breach> {
    check_identity(policy, purchase)?;
    let funding = purchase.funding;
    let pointer = if funding.is_some() { PAYMENT } else { FUNDING };
    let credit = funding.is_none_or(|funding| funding.means == Means::CreditCard);
    unless_broken(policy, credit, RuleName::NoCreditCards, pointer)?;
    let company = funding.is_none_or(|funding| funding.buyer == Buyer::Company);
    let large = if company { RuleName::TransferCompanyFrom } else { RuleName::TransferPersonFrom };
    let cash = !purchase.by_transfer();
    unless_broken(policy, cash && purchase.from(policy, large), large, pointer)?;
    let remote = funding.map_or(!purchase.in_store, |funding| !funding.face_to_face);
    unless_broken(policy, cash && remote, RuleName::TransferRemote, pointer)?;
    let recorded = funding.is_some_and(|funding| funding.payer.is_some() && funding.payee.is_some());
    unless_broken(policy, !cash && !recorded, RuleName::TransferAccounts, ACCOUNTS)
}

fn check_identity(policy: &InForce, purchase: &Purchase<'_>) -> Result<(), Breach> {
    let known = purchase.funding.is_some_and(|funding| funding.identity_verified);
    let pointer = if purchase.funding.is_some() { IDENTITY } else { FUNDING };
    if purchase.registered {
        return unless_broken(policy, !known, RuleName::IdentityRegistered, pointer);
    }
    let large = purchase.from(policy, RuleName::IdentityAnonymousFrom);
    unless_broken(policy, large && !known, RuleName::IdentityAnonymousFrom, pointer)
}
