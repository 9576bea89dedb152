//! What was agreed with a merchant, as a statement repeats it: the terms as data, and their wording in both
//! languages, so that an accountant can recompute each fee from the page alone.

use jiff::civil::{Date, Time, Weekday};

use crate::{language::Language, money};

/// The terms that a statement was made by.
#[derive(Clone, Debug)]
pub struct AgreementSummary {
    /// The agreement's number and version.
    pub reference: String,
    /// Since when it applies.
    pub effective_from: Date,
    /// When it is settled.
    pub cycle: CycleSummary,
    /// The time of day at which the next settlement day begins; `None` is midnight.
    pub cut_off: Option<Time>,
    /// The least that is paid out, in minor units; less is carried forward.
    pub minimum_payout: i64,
    /// What happens to a negative balance.
    pub negative: NegativeBalance,
    /// The fees.
    pub fees: FeeSummary,
    /// Who shares in the sales; empty without splits.
    pub splits: Vec<SplitSummary>,
    /// What the shares are taken of.
    pub split_base: SplitBase,
}

/// How often a merchant is settled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CycleSummary {
    /// So many working days after the day of sale.
    TPlus(u8),
    /// A week ends on that day, paid so many working days later.
    Weekly {
        /// The last day of the week.
        weekday: Weekday,
        /// Working days until payment.
        plus: u8,
    },
    /// A month ends on that day, paid so many working days later.
    Monthly {
        /// 1 to 28, or `None` for the last day of the month.
        day: Option<u8>,
        /// Working days until payment.
        plus: u8,
    },
}

/// What happens to a negative balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NegativeBalance {
    /// It is carried into the next statement.
    Carried,
    /// It is invoiced.
    Invoiced,
}

/// How fees are rounded, half to even both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeRounding {
    /// For each operation.
    PerOperation,
    /// Once for the statement.
    PerStatement,
}

/// The fees; amounts in minor units, rates in basis points.
#[derive(Clone, Debug)]
pub struct FeeSummary {
    /// A share of each sale, where there are no tiers.
    pub percentage: Option<i64>,
    /// A fixed fee for each sale.
    pub fixed: Option<i64>,
    /// Rates by the volume of the month; empty without tiers.
    pub tiers: Vec<FeeTier>,
    /// The least fee of a sale.
    pub floor: Option<i64>,
    /// The greatest fee of a sale.
    pub cap: Option<i64>,
    /// A flat fee per year.
    pub yearly: Option<i64>,
    /// How fees are rounded.
    pub rounding: FeeRounding,
    /// Whether a refund gives the fee back.
    pub returned_on_refund: bool,
}

/// A tier of fees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeTier {
    /// The volume of the month, in minor units, from which the tier applies.
    pub from: i64,
    /// Basis points.
    pub percentage: i64,
    /// A fixed fee for each sale besides.
    pub fixed: i64,
}

/// What shares are taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitBase {
    /// The amount of the sale.
    Gross,
    /// The amount less its fee.
    Net,
}

/// A receiver and its share.
#[derive(Clone, Debug)]
pub struct SplitSummary {
    /// The receiver's name.
    pub receiver: String,
    /// Its share.
    pub share: SplitShare,
}

/// A share of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitShare {
    /// Basis points.
    Percentage(i64),
    /// Minor units.
    Fixed(i64),
    /// What the others leave.
    Rest,
}

impl AgreementSummary {
    /// The terms as label and text, in the order of a contract.
    pub(crate) fn terms(&self, language: Language, exponent: u16) -> Vec<(String, String)> {
        let label = |zh: &str, en: &str| language.choose(zh, en).to_owned();
        let mut terms = vec![
            (label("协议编号", "Agreement"), self.reference.clone()),
            (label("生效日期", "Effective from"), self.effective_from.to_string()),
            (label("结算周期", "Settlement"), self.cycle.wording(language)),
            (label("日切时间", "Cut-off"), self.cut_off_wording(language)),
        ];
        self.fees.terms(language, exponent, &mut terms);
        if self.minimum_payout > 0 {
            terms.push((label("起付金额", "Minimum payout"), money::grouped(self.minimum_payout, exponent)));
        }
        terms.push((label("负余额", "Negative balance"), self.negative_wording(language).to_owned()));
        for split in &self.splits {
            terms.push((label("分账", "Split"), self.split_wording(split, language, exponent)));
        }
        terms
    }

    fn cut_off_wording(&self, language: Language) -> String {
        self.cut_off.map_or_else(
            || language.choose("24:00", "24:00").to_owned(),
            |time| time.strftime("%H:%M").to_string(),
        )
    }

    fn negative_wording(&self, language: Language) -> &'static str {
        match self.negative {
            NegativeBalance::Carried => language.choose("结转下期", "carried forward"),
            NegativeBalance::Invoiced => language.choose("向商户收取", "invoiced"),
        }
    }

    fn split_wording(&self, split: &SplitSummary, language: Language, exponent: u16) -> String {
        let base = match self.split_base {
            SplitBase::Gross => language.choose("交易金额", "gross"),
            SplitBase::Net => language.choose("扣费后金额", "net of fees"),
        };
        let share = match split.share {
            SplitShare::Percentage(points) => match language {
                Language::Chinese => format!("{base}的 {}", money::percent(points)),
                Language::English => format!("{} {base}", money::percent(points)),
            },
            SplitShare::Fixed(minor) => match language {
                Language::Chinese => format!("每笔 {}", money::grouped(minor, exponent)),
                Language::English => format!("{} per sale", money::grouped(minor, exponent)),
            },
            SplitShare::Rest => language.choose("其余部分", "the rest").to_owned(),
        };
        match language {
            Language::Chinese => format!("{}：{share}", split.receiver),
            Language::English => format!("{}: {share}", split.receiver),
        }
    }
}

impl CycleSummary {
    fn wording(self, language: Language) -> String {
        match (self, language) {
            (Self::TPlus(days), Language::Chinese) => format!("T+{days}（工作日）"),
            (Self::TPlus(days), Language::English) => format!("T+{days} working days"),
            (Self::Weekly { weekday, plus }, Language::Chinese) => {
                format!("每{}结算，{plus} 个工作日后付款", weekday_name(weekday, language))
            }
            (Self::Weekly { weekday, plus }, Language::English) => {
                format!("weekly to {}, paid {plus} working days later", weekday_name(weekday, language))
            }
            (Self::Monthly { day, plus }, Language::Chinese) => {
                let day = day.map_or_else(|| "末".to_owned(), |day| format!(" {day} "));
                format!("每月{day}日结算，{plus} 个工作日后付款")
            }
            (Self::Monthly { day, plus }, Language::English) => {
                let day = day.map_or_else(|| "the last day".to_owned(), |day| format!("day {day}"));
                format!("monthly to {day}, paid {plus} working days later")
            }
        }
    }
}

fn weekday_name(weekday: Weekday, language: Language) -> &'static str {
    match weekday {
        Weekday::Monday => language.choose("周一", "Monday"),
        Weekday::Tuesday => language.choose("周二", "Tuesday"),
        Weekday::Wednesday => language.choose("周三", "Wednesday"),
        Weekday::Thursday => language.choose("周四", "Thursday"),
        Weekday::Friday => language.choose("周五", "Friday"),
        Weekday::Saturday => language.choose("周六", "Saturday"),
        Weekday::Sunday => language.choose("周日", "Sunday"),
    }
}

impl FeeSummary {
    fn terms(&self, language: Language, exponent: u16, terms: &mut Vec<(String, String)>) {
        let amount = |minor: i64| money::grouped(minor, exponent);
        let mut term =
            |zh: &str, en: &str, text: String| terms.push((language.choose(zh, en).to_owned(), text));
        if let Some(points) = self.percentage {
            term("费率", "Fee rate", money::percent(points));
        }
        if let Some(minor) = self.fixed {
            term("每笔手续费", "Fee per sale", amount(minor));
        }
        for tier in &self.tiers {
            term("阶梯费率", "Tier", tier.wording(language, exponent));
        }
        if let Some(minor) = self.floor {
            term("单笔最低", "Least fee", amount(minor));
        }
        if let Some(minor) = self.cap {
            term("单笔封顶", "Greatest fee", amount(minor));
        }
        if let Some(minor) = self.yearly {
            term("年费", "Yearly fee", amount(minor));
        }
        let rounding = match self.rounding {
            FeeRounding::PerOperation => language.choose("逐笔四舍六入五成双", "per sale, half to even"),
            FeeRounding::PerStatement => {
                language.choose("按结算单四舍六入五成双", "per statement, half to even")
            }
        };
        term("手续费取整", "Fee rounding", rounding.to_owned());
        let returned = if self.returned_on_refund {
            language.choose("退还手续费", "fee given back")
        } else {
            language.choose("不退还手续费", "fee kept")
        };
        term("退款时", "On refunds", returned.to_owned());
    }
}

impl FeeTier {
    fn wording(self, language: Language, exponent: u16) -> String {
        let (from, rate) = (money::grouped(self.from, exponent), money::percent(self.percentage));
        let fixed = if self.fixed == 0 {
            String::new()
        } else {
            format!(" + {}", money::grouped(self.fixed, exponent))
        };
        match language {
            Language::Chinese => format!("月交易额 {from} 起：{rate}{fixed}"),
            Language::English => format!("from {from} a month: {rate}{fixed}"),
        }
    }
}
