//! What rules there are. Their numbers are data.

use serde::{Deserialize, Serialize};

/// How well a rule is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    /// The text of the statute was read.
    T,
    /// From a secondary source.
    S,
    /// Background, unverified.
    B,
}

impl Mark {
    /// The letter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::T => "T",
            Self::S => "S",
            Self::B => "B",
        }
    }
}

/// What a rule's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nothing: the rule holds or is not there.
    Flag,
    /// Minor units of the pack's currency.
    MinorUnits,
    /// Days.
    Days,
    /// Working days.
    WorkingDays,
    /// The day of a month.
    DayOfMonth,
    /// Months.
    Months,
    /// Years.
    Years,
    /// Hundredths.
    Percent,
    /// Hundredths of a hundredth.
    BasisPoints,
}

impl Unit {
    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::MinorUnits => "minor_units",
            Self::Days => "days",
            Self::WorkingDays => "working_days",
            Self::DayOfMonth => "day_of_month",
            Self::Months => "months",
            Self::Years => "years",
            Self::Percent => "percent",
            Self::BasisPoints => "basis_points",
        }
    }
}

macro_rules! rules {
    ($( $(#[$doc:meta])* $name:ident = $text:literal, $unit:ident; )*) => {
        /// A kind of rule. Names never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum RuleName {
            $( $(#[$doc])* #[serde(rename = $text)] $name, )*
        }

        impl RuleName {
            /// All kinds.
            pub const ALL: &'static [Self] = &[ $( Self::$name, )* ];

            /// The name in texts.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$name => $text, )* }
            }

            /// What its number counts.
            pub const fn unit(self) -> Unit {
                match self { $( Self::$name => Unit::$unit, )* }
            }
        }
    };
}

rules! {
    /// Accepting outside the own enterprise, group or brand needs a licence.
    LicensedAcceptance = "licensed_acceptance", Flag;
    /// The largest balance of a registered card.
    BalanceCapRegistered = "balance_cap_registered", MinorUnits;
    /// The largest balance of an anonymous card.
    BalanceCapAnonymous = "balance_cap_anonymous", MinorUnits;
    /// A registered card has no end of validity.
    RegisteredNeverExpires = "registered_never_expires", Flag;
    /// The shortest validity of an anonymous card.
    AnonymousValidity = "anonymous_validity", Months;
    /// Value left at expiry is reactivated or exchanged on request.
    ResidualClaimable = "residual_claimable", Flag;
    /// Expired value may become income all the same, where finance has decided so.
    BreakageAllowed = "breakage_allowed", Flag;
    /// Whoever buys a registered card is identified.
    IdentityRegistered = "identity_registered", Flag;
    /// From this on, whoever buys anonymous cards at once is identified.
    IdentityAnonymousFrom = "identity_anonymous_from", MinorUnits;
    /// How long identities are kept.
    IdentityRetention = "identity_retention", Years;
    /// From this on a company pays by bank transfer.
    TransferCompanyFrom = "transfer_company_from", MinorUnits;
    /// From this on a person pays by bank transfer.
    TransferPersonFrom = "transfer_person_from", MinorUnits;
    /// Who does not buy face to face pays by bank transfer.
    TransferRemote = "transfer_remote", Flag;
    /// Both accounts of a transfer are recorded.
    TransferAccounts = "transfer_accounts", Flag;
    /// From this on a load is paid by bank transfer.
    TransferLoadFrom = "transfer_load_from", MinorUnits;
    /// No card is paid by credit card.
    NoCreditCards = "no_credit_cards", Flag;
    /// Goods returned: the value goes back to the card.
    GoodsRefundToCard = "goods_refund_to_card", Flag;
    /// Whoever is paid out is identified.
    PayoutIdentity = "payout_identity", Flag;
    /// A pay-out goes to an account of the same name.
    PayoutSameName = "payout_same_name", Flag;
    /// Up to this a pay-out may be cash.
    PayoutCashUpTo = "payout_cash_up_to", MinorUnits;
    /// A registered card is paid out so long after its purchase.
    RedeemableAfter = "redeemable_after", Months;
    /// An anonymous card is not paid out.
    AnonymousNotRedeemable = "anonymous_not_redeemable", Flag;
    /// Notice before acceptance ends.
    EndingNotice = "ending_notice", Days;
    /// Free refund when acceptance ends.
    EndingFreeRefund = "ending_free_refund", Flag;
    /// Prepaid balance to last year's main revenue.
    PrepaidToRevenue = "prepaid_to_revenue", Percent;
    /// The same for services.
    PrepaidToRevenueServices = "prepaid_to_revenue_services", Percent;
    /// What a scale issuer keeps in custody.
    CustodyRatioScale = "custody_ratio_scale", Percent;
    /// What a group issuer keeps in custody.
    CustodyRatioGroup = "custody_ratio_group", Percent;
    /// What a brand issuer keeps in custody.
    CustodyRatioBrand = "custody_ratio_brand", Percent;
    /// What is kept in custody of a balance above a threshold.
    CustodyRatioAbove = "custody_ratio_above", Percent;
    /// That threshold.
    CustodyAbove = "custody_above", MinorUnits;
    /// When the quarterly report is due, after the quarter.
    QuarterlyReport = "quarterly_report", WorkingDays;
    /// On which day of the month after the quarter it is due.
    QuarterlyReportDay = "quarterly_report_day", DayOfMonth;
    /// How long records are kept.
    RecordRetention = "record_retention", Years;
    /// How long after payment an unused card is refunded in full.
    CoolingOff = "cooling_off", Days;
    /// How long after payment an unused card is refunded less reasonable cost.
    CoolingOffAtCost = "cooling_off_at_cost", Days;
    /// A refund bears interest from rescission.
    RefundInterest = "refund_interest", Flag;
    /// Not the holder's fault: what was used counts at the discounted price.
    RefundOperatorCause = "refund_operator_cause", Flag;
    /// The holder's wish: what was used counts at the full price.
    RefundHolderWish = "refund_holder_wish", Flag;
    /// A yearly rate of interest where the operator is the cause.
    InterestRateOperator = "interest_rate_operator", BasisPoints;
    /// The same where it is the holder's wish.
    InterestRateHolder = "interest_rate_holder", BasisPoints;
    /// The days of a year in the calculation of interest.
    InterestDayCount = "interest_day_count", Days;
    /// By when an unused card is refunded.
    RefundWithinUnused = "refund_within_unused", Days;
    /// By when any other is.
    RefundWithin = "refund_within", Days;
    /// A card with value left is reactivated or exchanged.
    ReactivateOrExchange = "reactivate_or_exchange", Flag;
    /// A lost registered card is replaced.
    ReplaceLost = "replace_lost", Flag;
    /// What is recorded of a card can be exported.
    EvidenceExportable = "evidence_exportable", Flag;
}

/// A rule of a version of a pack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What kind of rule.
    #[serde(rename = "rule")]
    pub name: RuleName,
    /// The article of its source, where known.
    pub article: Option<String>,
    /// Its number; 1 for a flag.
    pub number: i64,
    /// What the number counts.
    pub unit: Unit,
    /// Where it is written.
    pub source: String,
    /// How well it is known.
    pub mark: Mark,
    /// What it says, in Chinese.
    pub zh: String,
    /// What it says, in English.
    pub en: String,
    /// What else to know.
    #[serde(default)]
    pub note: Option<String>,
}

impl Rule {
    /// Its number as an amount, for rules that count money.
    pub fn amount(&self) -> Option<crate::Amount> {
        (self.unit == Unit::MinorUnits).then(|| crate::Amount::new(self.number).ok()).flatten()
    }
}
