//! The rules of a program as they travel.

use std::collections::BTreeSet;

use domain::{Amount, Channel, MerchantId, StoreId, lot::LotOrder, policy::PackId, program};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    amount::{AnyAmount, Positive},
    integer::Integer,
    moment::Moment,
    object::object,
    schema,
};

/// What a card may be sold for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub(crate) enum Denominations {
    /// Only these amounts.
    Fixed {
        /// The amounts, in minor units.
        #[schema(value_type = Vec<schema::AnyAmount>, min_items = 1, max_items = 100)]
        amounts: Amounts,
    },
    /// Any amount within bounds, both included.
    Free {
        /// The smallest, in minor units.
        #[schema(value_type = schema::AnyAmount)]
        min: AnyAmount,
        /// The largest, in minor units.
        #[schema(value_type = schema::AnyAmount)]
        max: AnyAmount,
    },
}

/// 1 to 100 amounts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<AnyAmount>")]
pub(crate) struct Amounts(Vec<AnyAmount>);

impl TryFrom<Vec<AnyAmount>> for Amounts {
    type Error = &'static str;

    fn try_from(amounts: Vec<AnyAmount>) -> Result<Self, &'static str> {
        if (1..=100).contains(&amounts.len()) { Ok(Self(amounts)) } else { Err("give 1 to 100 amounts") }
    }
}

/// How long a card is valid.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub(crate) enum Validity {
    /// It never expires.
    Unlimited {},
    /// Until a moment.
    Until {
        /// The first moment at which it is no longer valid.
        #[schema(value_type = schema::Moment)]
        at: Moment,
    },
    /// Through the end of the day that many days after activation, in the issuer's time zone.
    Days {
        /// How many days.
        #[schema(value_type = schema::Span)]
        days: Span,
    },
    /// Through the end of the day that many months after activation, in the issuer's time zone.
    Months {
        /// How many months.
        #[schema(value_type = schema::Span)]
        months: Span,
    },
}

/// A number of days or months.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "Integer<u16>")]
pub(crate) struct Span(u16);

impl TryFrom<Integer<u16>> for Span {
    type Error = &'static str;

    fn try_from(Integer(span): Integer<u16>) -> Result<Self, &'static str> {
        if span == 0 { Err("must be 1 to 65535") } else { Ok(Self(span)) }
    }
}

/// Where a card is accepted. An absent list accepts all of the issuer's.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acceptance {
    /// Merchants.
    #[schema(value_type = Option<Vec<schema::MerchantId>>, max_items = 1000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merchants: Option<Listed<MerchantId>>,
    /// Stores.
    #[schema(value_type = Option<Vec<schema::StoreId>>, max_items = 1000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stores: Option<Listed<StoreId>>,
    /// Sales channels.
    #[schema(value_type = Option<Vec<schema::Channel>>, max_items = 1000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channels: Option<Listed<Channel>>,
}

/// At most 1,000 things.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<T>", bound(deserialize = "T: Deserialize<'de> + Ord"))]
pub(crate) struct Listed<T>(BTreeSet<T>);

impl<T: Ord> TryFrom<Vec<T>> for Listed<T> {
    type Error = &'static str;

    fn try_from(items: Vec<T>) -> Result<Self, &'static str> {
        if items.len() > 1000 {
            return Err("a list has at most 1000 entries");
        }
        Ok(Self(items.into_iter().collect()))
    }
}

/// When a PIN must be given.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub(crate) enum PinRule {
    /// Never; a PIN that is given all the same is checked.
    Never {},
    /// For every redemption and hold.
    Always {},
    /// Where no terminal of a store reads the card.
    CardNotPresent {},
    /// Above an amount.
    Above {
        /// The largest amount without a PIN, in minor units.
        #[schema(value_type = schema::AnyAmount)]
        amount: AnyAmount,
    },
}

impl Default for PinRule {
    fn default() -> Self {
        Self::Never {}
    }
}

/// The order in which lots are consumed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LotOrder)]
pub(crate) enum Order {
    /// From every source in proportion to what it has left.
    #[default]
    ProRata,
    /// Paid, employer funded, merchant funded, bonus.
    PaidFirst,
    /// Bonus, merchant funded, employer funded, paid.
    BonusFirst,
}

/// What becomes of value that expires.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResidualPolicy {
    /// It stays a liability that the holder can claim, by reactivation or exchange.
    #[default]
    KeepClaimable,
    /// The same; it is claimed by exchange into a new card only.
    Exchange,
    /// The same; it is claimed by reactivating the card only.
    Reactivate,
    /// It becomes income, and is taken back out of income when claimed.
    Breakage,
}

/// The class of prepaid card in law.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LegalClass {
    /// Accepted by its issuer only.
    #[default]
    SingleEnterprise,
    /// Accepted within one group of companies.
    Group,
    /// Accepted by the franchise of one brand.
    Brand,
    /// Accepted within one venue.
    Venue,
    /// Accepted anywhere, by a licensed payment institution.
    MultiLicensed,
    /// A voucher for goods or a service.
    VoucherForGoods,
}

/// The changeable rules of a program.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own, named as in the API")]
pub(crate) struct Rules {
    /// What its cards may be sold for.
    #[serde(deserialize_with = "object")]
    pub denominations: Denominations,
    /// How long its cards are valid.
    #[serde(deserialize_with = "object")]
    pub validity: Validity,
    /// Where its cards are accepted.
    #[serde(default, deserialize_with = "object")]
    pub acceptance: Acceptance,
    /// The smallest redemption, in minor units.
    #[schema(value_type = Option<schema::Amount>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redemption_min: Option<Positive>,
    /// The largest redemption, in minor units.
    #[schema(value_type = Option<schema::Amount>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redemption_max: Option<Positive>,
    /// The most redemptions of a card per business date.
    #[schema(format = Int64, minimum = 0, maximum = 4_294_967_295_u32)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub daily_count: Option<Integer<u32>>,
    /// The largest sum of redemptions of a card per business date, in minor units.
    #[schema(value_type = Option<schema::Amount>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_amount: Option<Positive>,
    /// The largest balance of a card, in minor units.
    #[schema(value_type = Option<schema::Amount>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance_cap: Option<Positive>,
    /// Whether cards can be loaded after activation.
    #[serde(default)]
    pub reloadable: bool,
    /// Whether cards are sold to a known holder.
    #[serde(default)]
    pub registered: bool,
    /// When a PIN must be given.
    #[serde(default, deserialize_with = "object")]
    pub pin: PinRule,
    /// Whether cards are made with a PIN.
    #[serde(default)]
    pub pin_issued: bool,
    /// Whether only cards bound to a member can be redeemed.
    #[serde(default)]
    pub member_required: bool,
    /// The order in which lots are consumed.
    #[serde(default)]
    pub lot_order: Order,
    /// What becomes of expired value.
    #[serde(default)]
    pub residual: ResidualPolicy,
    /// The class in law.
    #[serde(default)]
    pub legal_class: LegalClass,
    /// Whether value can be moved to another card.
    #[serde(default)]
    pub transferable: bool,
    /// Whether value can be paid out.
    #[serde(default)]
    pub cash_out: bool,
    /// How long a hold lasts if its request does not say, in seconds.
    #[schema(value_type = schema::HoldSeconds)]
    #[serde(default)]
    pub hold_seconds: HoldSeconds,
    /// How long after a redemption it can be refunded, in days; without it, always.
    #[schema(minimum = 0, maximum = 65535)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u16>)]
    pub refund_days: Option<Integer<u16>>,
    /// How long after an operation it can be reversed, in seconds.
    #[schema(format = Int64, minimum = 0, maximum = 4_294_967_295_u32)]
    #[serde(default = "a_day")]
    #[schema(value_type = u32)]
    pub reversal_seconds: Integer<u32>,
    /// For how many months an expired card is reactivated if the request does not say; without it, as long as
    /// a new card is valid.
    #[schema(value_type = Option<schema::Span>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reactivation_months: Option<Span>,
    /// The policy pack that its cards are under. A program keeps its pack; one that had none gets it for the
    /// cards that are made from then on.
    #[schema(value_type = Option<schema::PackId>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_pack: Option<PackId>,
}

const fn a_day() -> Integer<u32> {
    Integer(86_400)
}

/// The length of a hold, in seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "Integer<u32>")]
pub(crate) struct HoldSeconds(pub u32);

impl Default for HoldSeconds {
    fn default() -> Self {
        Self(900)
    }
}

impl TryFrom<Integer<u32>> for HoldSeconds {
    type Error = &'static str;

    fn try_from(Integer(seconds): Integer<u32>) -> Result<Self, &'static str> {
        let lasts = (1..=program::MAX_HOLD_SECONDS).contains(&seconds);
        if lasts { Ok(Self(seconds)) } else { Err("must be 1 to 2592000 seconds (30 days)") }
    }
}

fn plain(amount: Option<Positive>) -> Option<Amount> {
    amount.map(|amount| amount.0)
}

impl From<Rules> for program::Rules {
    fn from(rules: Rules) -> Self {
        Self {
            denominations: match rules.denominations {
                Denominations::Fixed { amounts } => program::Denominations::Fixed {
                    amounts: amounts.0.into_iter().map(|amount| amount.0).collect(),
                },
                Denominations::Free { min, max } => program::Denominations::Free { min: min.0, max: max.0 },
            },
            validity: match rules.validity {
                Validity::Unlimited {} => program::Validity::Unlimited,
                Validity::Until { at } => program::Validity::Until { at: at.0 },
                Validity::Days { days } => program::Validity::Days { days: days.0 },
                Validity::Months { months } => program::Validity::Months { months: months.0 },
            },
            acceptance: program::Acceptance {
                merchants: rules.acceptance.merchants.map(|list| list.0),
                stores: rules.acceptance.stores.map(|list| list.0),
                channels: rules.acceptance.channels.map(|list| list.0),
            },
            redemption_min: plain(rules.redemption_min),
            redemption_max: plain(rules.redemption_max),
            daily_count: rules.daily_count.map(|count| count.0),
            daily_amount: plain(rules.daily_amount),
            balance_cap: plain(rules.balance_cap),
            reloadable: rules.reloadable,
            registered: rules.registered,
            pin: match rules.pin {
                PinRule::Never {} => program::PinRule::Never,
                PinRule::Always {} => program::PinRule::Always,
                PinRule::CardNotPresent {} => program::PinRule::CardNotPresent,
                PinRule::Above { amount } => program::PinRule::Above { amount: amount.0 },
            },
            pin_issued: rules.pin_issued,
            member_required: rules.member_required,
            lot_order: match rules.lot_order {
                Order::ProRata => LotOrder::ProRata,
                Order::PaidFirst => LotOrder::PaidFirst,
                Order::BonusFirst => LotOrder::BonusFirst,
            },
            residual: match rules.residual {
                ResidualPolicy::KeepClaimable => program::ResidualPolicy::KeepClaimable,
                ResidualPolicy::Exchange => program::ResidualPolicy::Exchange,
                ResidualPolicy::Reactivate => program::ResidualPolicy::Reactivate,
                ResidualPolicy::Breakage => program::ResidualPolicy::Breakage,
            },
            legal_class: match rules.legal_class {
                LegalClass::SingleEnterprise => program::LegalClass::SingleEnterprise,
                LegalClass::Group => program::LegalClass::Group,
                LegalClass::Brand => program::LegalClass::Brand,
                LegalClass::Venue => program::LegalClass::Venue,
                LegalClass::MultiLicensed => program::LegalClass::MultiLicensed,
                LegalClass::VoucherForGoods => program::LegalClass::VoucherForGoods,
            },
            transferable: rules.transferable,
            cash_out: rules.cash_out,
            hold_seconds: rules.hold_seconds.0,
            refund_days: rules.refund_days.map(|days| days.0),
            reversal_seconds: rules.reversal_seconds.0,
            reactivation_months: rules.reactivation_months.map(|span| span.0),
            // Settled where the program is known: see `routes::catalog::programs`.
            policy_pack: None,
        }
    }
}

impl From<&program::Rules> for Rules {
    fn from(rules: &program::Rules) -> Self {
        Self {
            denominations: match &rules.denominations {
                program::Denominations::Fixed { amounts } => Denominations::Fixed {
                    amounts: Amounts(amounts.iter().copied().map(AnyAmount).collect()),
                },
                program::Denominations::Free { min, max } => {
                    Denominations::Free { min: AnyAmount(*min), max: AnyAmount(*max) }
                }
            },
            validity: match rules.validity {
                program::Validity::Unlimited => Validity::Unlimited {},
                program::Validity::Until { at } => Validity::Until { at: Moment(at) },
                program::Validity::Days { days } => Validity::Days { days: Span(days) },
                program::Validity::Months { months } => Validity::Months { months: Span(months) },
            },
            acceptance: Acceptance {
                merchants: rules.acceptance.merchants.clone().map(Listed),
                stores: rules.acceptance.stores.clone().map(Listed),
                channels: rules.acceptance.channels.clone().map(Listed),
            },
            redemption_min: rules.redemption_min.map(Positive),
            redemption_max: rules.redemption_max.map(Positive),
            daily_count: rules.daily_count.map(Integer),
            daily_amount: rules.daily_amount.map(Positive),
            balance_cap: rules.balance_cap.map(Positive),
            reloadable: rules.reloadable,
            registered: rules.registered,
            pin: match rules.pin {
                program::PinRule::Never => PinRule::Never {},
                program::PinRule::Always => PinRule::Always {},
                program::PinRule::CardNotPresent => PinRule::CardNotPresent {},
                program::PinRule::Above { amount } => PinRule::Above { amount: AnyAmount(amount) },
            },
            pin_issued: rules.pin_issued,
            member_required: rules.member_required,
            lot_order: match rules.lot_order {
                LotOrder::ProRata => Order::ProRata,
                LotOrder::PaidFirst => Order::PaidFirst,
                LotOrder::BonusFirst => Order::BonusFirst,
            },
            residual: match rules.residual {
                program::ResidualPolicy::KeepClaimable => ResidualPolicy::KeepClaimable,
                program::ResidualPolicy::Exchange => ResidualPolicy::Exchange,
                program::ResidualPolicy::Reactivate => ResidualPolicy::Reactivate,
                program::ResidualPolicy::Breakage => ResidualPolicy::Breakage,
            },
            legal_class: match rules.legal_class {
                program::LegalClass::SingleEnterprise => LegalClass::SingleEnterprise,
                program::LegalClass::Group => LegalClass::Group,
                program::LegalClass::Brand => LegalClass::Brand,
                program::LegalClass::Venue => LegalClass::Venue,
                program::LegalClass::MultiLicensed => LegalClass::MultiLicensed,
                program::LegalClass::VoucherForGoods => LegalClass::VoucherForGoods,
            },
            transferable: rules.transferable,
            cash_out: rules.cash_out,
            hold_seconds: HoldSeconds(rules.hold_seconds),
            refund_days: rules.refund_days.map(Integer),
            reversal_seconds: Integer(rules.reversal_seconds),
            reactivation_months: rules.reactivation_months.map(Span),
            policy_pack: rules.policy_pack.as_ref().map(|named| named.id.clone()),
        }
    }
}
