//! The fixed words of a statement in both languages, beside each other so that neither is forgotten.

use super::{LineKind, Section, Totals};
use crate::language::Language;

/// A fixed word of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Title,
    Summary,
    Lines,
    Number,
    Issuer,
    Merchant,
    MerchantNumber,
    Registration,
    Period,
    Due,
    Estimated,
    Currency,
    Generated,
    Digest,
    Open,
    Agreement,
    Figures,
    Payable,
    Day,
    Time,
    Operation,
    Kind,
    Place,
    Amount,
    Fee,
    Split,
    Net,
    Original,
    Late,
    LateMark,
    Subtotal,
    Total,
    NoLines,
    LateNote,
    EstimatedNote,
    MissingNote,
    To,
}

impl Word {
    pub(crate) const fn say(self, language: Language) -> &'static str {
        let (chinese, english) = self.both();
        match language {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }

    const fn both(self) -> (&'static str, &'static str) {
        match self {
            Self::Title => ("商户结算单", "Merchant settlement statement"),
            Self::Summary => ("汇总", "Summary"),
            Self::Lines => ("明细", "Lines"),
            Self::Number => ("结算单号", "Statement"),
            Self::Issuer => ("发卡企业", "Issuer"),
            Self::Merchant => ("商户", "Merchant"),
            Self::MerchantNumber => ("商户编号", "Merchant no."),
            Self::Registration => ("统一社会信用代码", "Registration no."),
            Self::Period => ("结算期间", "Period"),
            Self::Due => ("应付日期", "Payment due"),
            Self::Estimated => ("（预计）", " (estimated)"),
            Self::Currency => ("币种", "Currency"),
            Self::Generated => ("生成时间", "Generated"),
            Self::Digest => ("内容摘要 SHA-256", "Content digest, SHA-256"),
            Self::Open => ("尚未关账，金额可能变动", "open: figures may still change"),
            Self::Agreement => ("结算协议", "Agreement"),
            Self::Figures => ("结算金额", "Figures"),
            Self::Payable => ("本期应付金额", "Payable for this period"),
            Self::Day => ("结算日", "Settlement day"),
            Self::Time => ("交易时间", "Time"),
            Self::Operation => ("流水号", "Operation"),
            Self::Kind => ("类型", "Type"),
            Self::Place => ("门店", "Place"),
            Self::Amount => ("金额", "Amount"),
            Self::Fee => ("手续费", "Fee"),
            Self::Split => ("分账", "Split"),
            Self::Net => ("净额", "Net"),
            Self::Original => ("原流水号", "Original operation"),
            Self::Late => ("补入", "Late"),
            Self::LateMark => ("是", "yes"),
            Self::Subtotal => ("小计", "Subtotal"),
            Self::Total => ("合计", "Total"),
            Self::NoLines => ("本期无交易明细。", "There are no operations in this period."),
            Self::LateNote => (
                "* 补入：所属结算日的结算单已关账，计入本期。",
                "* Late: its settlement day's statement was already closed; it is settled here.",
            ),
            Self::EstimatedNote => (
                "应付日期所在年度的节假日安排尚未公布，日期为预计。",
                "The holidays of the year that payment falls due in are not published yet: the date is an estimate.",
            ),
            Self::MissingNote => (
                "〓 代表本文档字体中没有的字符：",
                "〓 stands for characters that this document's font lacks: ",
            ),
            Self::To => (" 至 ", " to "),
        }
    }

    #[cfg(test)]
    pub(crate) const ALL: &'static [Self] = &[
        Self::Title,
        Self::Summary,
        Self::Lines,
        Self::Number,
        Self::Issuer,
        Self::Merchant,
        Self::MerchantNumber,
        Self::Registration,
        Self::Period,
        Self::Due,
        Self::Estimated,
        Self::Currency,
        Self::Generated,
        Self::Digest,
        Self::Open,
        Self::Agreement,
        Self::Figures,
        Self::Payable,
        Self::Day,
        Self::Time,
        Self::Operation,
        Self::Kind,
        Self::Place,
        Self::Amount,
        Self::Fee,
        Self::Split,
        Self::Net,
        Self::Original,
        Self::Late,
        Self::LateMark,
        Self::Subtotal,
        Self::Total,
        Self::NoLines,
        Self::LateNote,
        Self::EstimatedNote,
        Self::MissingNote,
        Self::To,
    ];
}

impl LineKind {
    pub(crate) const fn say(self, language: Language) -> &'static str {
        match self {
            Self::Sale => language.choose("消费", "Sale"),
            Self::Refund => language.choose("退款", "Refund"),
            Self::Reversal => language.choose("撤销", "Reversal"),
            Self::SplitIn => language.choose("分账收入", "Split in"),
            Self::Correction => language.choose("调整", "Correction"),
            Self::PayoutReturn => language.choose("付款退回", "Payout returned"),
        }
    }
}

impl Section {
    pub(crate) fn say(self, language: Language) -> String {
        match self {
            Self::Day(day) => format!("{} {day}", Word::Day.say(language)),
            Self::Kind(kind) => kind.say(language).to_owned(),
        }
    }
}

/// How a figure is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Plain,
    /// A sum of those above.
    Sum,
}

/// A figure of the summary: what it is called and what it adds to the balance.
pub(crate) struct Figure {
    pub(crate) label: &'static str,
    pub(crate) minor: i64,
    pub(crate) weight: Weight,
}

impl Totals {
    /// The figures from top to bottom, as an accountant adds them up: deductions are negative here. Those that
    /// are nothing and not always expected are left out.
    pub(crate) fn figures(&self, language: Language) -> Vec<Figure> {
        let rows = [
            ("上期结转", "Brought forward", self.opening, true, Weight::Plain),
            ("消费", "Sales", self.sales, true, Weight::Plain),
            ("退款", "Refunds", self.refunds, true, Weight::Plain),
            ("撤销", "Reversals", self.reversals, false, Weight::Plain),
            ("分账收入", "Splits received", self.splits_in, false, Weight::Plain),
            ("调整", "Corrections", self.corrections, false, Weight::Plain),
            ("付款退回", "Payouts returned", self.payout_returns, false, Weight::Plain),
            ("手续费", "Fees", self.fees.saturating_neg(), true, Weight::Plain),
            ("年费", "Yearly fee", self.yearly_fee.saturating_neg(), false, Weight::Plain),
            ("分账支出", "Splits paid", self.splits_out.saturating_neg(), false, Weight::Plain),
            ("期末余额", "Closing balance", self.closing, true, Weight::Sum),
            ("本期付款", "Payout", self.payout.saturating_neg(), true, Weight::Plain),
            ("向商户收取", "Invoiced", self.invoiced, false, Weight::Plain),
            ("结转下期", "Carried forward", self.carried, true, Weight::Sum),
        ];
        rows.into_iter()
            .filter(|(_, _, minor, always, _)| *always || *minor != 0)
            .map(|(zh, en, minor, _, weight)| Figure { label: language.choose(zh, en), minor, weight })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::faces;

    /// A heading in two weights would look like a misprint.
    #[test]
    fn the_bold_face_has_every_fixed_word() {
        let faces = faces().expect("fonts");
        let figures = [Language::Chinese, Language::English]
            .into_iter()
            .flat_map(|language| Totals { closing: 1, ..Totals::default() }.figures(language));
        let words = Word::ALL.iter().flat_map(|word| [word.both().0, word.both().1]);
        for text in words.chain(figures.map(|figure| figure.label)) {
            for character in text.chars() {
                assert!(faces.has_bold(character), "{character} of {text}");
            }
        }
    }
}
