//! What an operation says about the law: the rule it was declined for, how it was paid, what was refunded.

use domain::policy::{self, refund};
use serde::Serialize;
use utoipa::ToSchema;

use super::{day::Day, schema};

/// A rule of a policy pack, and what is against it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyRule<'a> {
    /// The offending field, as a JSON pointer.
    pointer: &'a str,
    /// The pack that the rule stands in.
    pack: &'a str,
    /// Its version.
    version: &'a str,
    /// The kind of rule.
    rule: &'a str,
    /// The article of its source, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    article: Option<&'a str>,
    /// Its number; 1 for a rule that has none.
    number: i64,
    /// What the number counts.
    unit: &'a str,
    /// Where it is written.
    source: &'a str,
}

impl<'a> PolicyRule<'a> {
    pub(crate) fn new(rule: &'a policy::BrokenRule) -> Self {
        Self {
            pointer: &rule.pointer,
            pack: &rule.pack,
            version: &rule.version,
            rule: &rule.rule,
            article: rule.article.as_deref(),
            number: rule.number,
            unit: &rule.unit,
            source: &rule.source,
        }
    }
}

/// How a card was paid for.
#[derive(Serialize, ToSchema)]
pub(crate) struct FundingView<'a> {
    /// Who bought.
    #[schema(value_type = schema::BuyerKind)]
    kind: policy::Buyer,
    /// Whether buyer and seller met.
    face_to_face: bool,
    /// How it was paid.
    #[schema(value_type = schema::PaymentMeans)]
    payment: policy::Means,
    /// The last four characters of the account that paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_account_ending: Option<&'a str>,
    /// The last four characters of the account that was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    payee_account_ending: Option<&'a str>,
    /// Whether the buyer was identified.
    identity_verified: bool,
    /// The whole purchase, in minor units.
    #[schema(value_type = Option<schema::Amount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase_amount: Option<i64>,
}

impl<'a> FundingView<'a> {
    pub(crate) fn new(funding: &'a policy::Funding) -> Self {
        let ending = |account: &'a Option<policy::BankAccount>| account.as_ref().map(|a| a.ending.as_str());
        Self {
            kind: funding.buyer,
            face_to_face: funding.face_to_face,
            payment: funding.means,
            payer_account_ending: ending(&funding.payer),
            payee_account_ending: ending(&funding.payee),
            identity_verified: funding.identity_verified,
            purchase_amount: funding.purchase.map(domain::Amount::get),
        }
    }
}

/// How a holder was paid.
#[derive(Serialize, ToSchema)]
pub(crate) struct PayoutView<'a> {
    /// How.
    #[schema(value_type = schema::PayoutMeans)]
    payment: policy::PayoutMeans,
    /// Whether the holder was identified.
    identity_verified: bool,
    /// Whether the account bears the holder's name.
    same_name: bool,
    /// The last four characters of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_ending: Option<&'a str>,
}

impl<'a> PayoutView<'a> {
    pub(crate) fn new(payout: &'a policy::Payout) -> Self {
        Self {
            payment: payout.means,
            identity_verified: payout.identity_verified,
            same_name: payout.same_name,
            account_ending: payout.account.as_ref().map(|account| account.ending.as_str()),
        }
    }
}

/// A text in both languages.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Label<'a> {
    /// Chinese.
    pub zh: &'a str,
    /// English.
    pub en: &'a str,
}

/// A line of a refund.
#[derive(Serialize, ToSchema)]
pub(crate) struct RefundLine<'a> {
    /// What it is.
    #[schema(value_type = schema::RefundItem)]
    item: &'static str,
    /// The same in words.
    label: Label<'a>,
    /// How much, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    amount: i64,
    /// The article it stands on, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    article: Option<&'a str>,
    /// Where that is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
}

/// A holder refund, line by line.
#[derive(Serialize, ToSchema)]
pub(crate) struct RefundView<'a> {
    /// Why.
    #[schema(value_type = schema::RefundCause)]
    cause: &'static str,
    /// The policy pack of the program.
    policy_pack: &'a str,
    /// The version that the cause's rule stands in.
    version: &'a str,
    /// The day from which interest runs.
    #[schema(value_type = Option<schema::Date>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rescinded_on: Option<Day>,
    /// Days of interest.
    #[schema(minimum = 0)]
    days: i64,
    /// The yearly rate, in basis points: 300 is 3 %.
    #[schema(minimum = 0)]
    rate_basis_points: u32,
    /// Days of a year in the calculation of interest.
    #[schema(minimum = 1)]
    day_count: u32,
    /// By when it is to be paid, where the pack says so.
    #[schema(value_type = Option<schema::Date>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_by: Option<Day>,
    /// The lines. `refund` is what the holder gets.
    lines: Vec<RefundLine<'a>>,
}

impl<'a> RefundView<'a> {
    pub(crate) fn new(refund: &'a refund::Calculation) -> Self {
        let line = |line: &'a refund::Line| {
            let (zh, en) = line.item.label(refund.cause);
            RefundLine {
                item: line.item.name(),
                label: Label { zh, en },
                amount: line.amount.get(),
                article: line.article.as_deref(),
                source: line.source.as_deref(),
            }
        };
        Self {
            cause: refund.cause.name(),
            policy_pack: &refund.pack,
            version: &refund.version,
            rescinded_on: refund.rescinded_on.map(Day),
            days: refund.days,
            rate_basis_points: refund.rate,
            day_count: refund.day_count,
            pay_by: refund.pay_by.map(Day),
            lines: refund.lines.iter().map(line).collect(),
        }
    }
}
