//! The quarterly report on single-purpose cards (MOFCOM order 9 of 2012, art. 31): what was issued, redeemed
//! and refunded in a quarter, what is left, and what of it is in custody.

use domain::{BusinessDate, Currency};
use jiff::civil::Date;
use settlement::Calendar;
use storage::{Days, Figure, FigureKind};

use super::{
    Accounting, AccountingError, Result,
    custody::{Rules, ratio},
    liability::{Change, RollForward},
    sum,
    table::{self, Table},
};

/// A quarter of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarter {
    year: i16,
    /// 1 to 4.
    number: i8,
}

impl Quarter {
    /// Reads `2026-Q3`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, number) = text.split_once("-Q")?;
        let digits = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        let year: i16 = digits(year, 4).then(|| year.parse().ok()).flatten()?;
        let number: i8 = digits(number, 1).then(|| number.parse().ok()).flatten()?;
        ((1..=4).contains(&number) && (2000..=9000).contains(&year)).then_some(Self { year, number })
    }

    /// The quarter of a day.
    pub fn of(day: Date) -> Self {
        Self { year: day.year(), number: (day.month() - 1) / 3 + 1 }
    }

    /// The one before.
    #[must_use]
    pub fn before(self) -> Self {
        if self.number > 1 {
            Self { number: self.number - 1, ..self }
        } else {
            Self { year: self.year - 1, number: 4 }
        }
    }

    /// Its first and last day.
    pub fn dates(self) -> Result<(Date, Date)> {
        let none = |_| AccountingError::Days("there is no such quarter; write it as 2026-Q3");
        let first = Date::new(self.year, (self.number - 1) * 3 + 1, 1).map_err(none)?;
        let last = Date::new(self.year, self.number * 3, 1).map_err(none)?.last_of_month();
        Ok((first, last))
    }

    /// Its business days.
    pub fn days(self) -> Result<Days> {
        let (first, last) = self.dates()?;
        Ok(Days { from: BusinessDate::from_date(first), to: BusinessDate::from_date(last) })
    }
}

impl std::fmt::Display for Quarter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-Q{}", self.year, self.number)
    }
}

/// One currency of a quarterly report. Amounts are minor units and, as the form has them, without sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarterlyLine {
    /// The currency.
    pub currency: Currency,
    /// 发卡数量: cards sold, less sales undone.
    pub cards_issued: i64,
    /// 期初预收资金余额: what was owed when the quarter began, on cards and expired.
    pub opening: i64,
    /// 发卡及充值金额: put on cards by sales and loads, with what was given on top.
    pub issued: i64,
    /// 预收资金: of this, what buyers paid.
    pub prepaid: i64,
    /// 兑付金额: redeemed, less what merchants refunded.
    pub redeemed: i64,
    /// 退卡金额: paid out to holders.
    pub refunded: i64,
    /// What else changed the balance: corrections, forfeited bonus, breakage.
    pub other: i64,
    /// 期末预收资金余额: what is owed when the quarter has ended, on cards and expired.
    pub balance: i64,
    /// 存管资金余额: the balance of the custody account, as last entered for a day of the quarter.
    pub custody: Option<Figure>,
    /// 存管比例: the custody balance by the balance, in basis points.
    pub custody_bp: Option<i64>,
}

/// A quarterly report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarterly {
    /// The quarter.
    pub quarter: Quarter,
    /// Its days.
    pub days: Days,
    /// Whether the quarter has ended: until then, figures change.
    pub ended: bool,
    /// The last day to hand it in.
    pub due: BusinessDate,
    /// Whether a day on the way to it is of a year whose holidays are not published.
    pub due_estimated: bool,
    /// The rule, and where it is from.
    pub rule: Rules,
    /// By currency.
    pub lines: Vec<QuarterlyLine>,
}

fn quarterly_line(currency: Currency, all: &[RollForward]) -> Result<QuarterlyLine> {
    let of_it = || all.iter().filter(|line| line.currency == currency);
    let add = |pick: &dyn Fn(&RollForward) -> i64| of_it().try_fold(0, |all, line| sum(all, pick(line)));
    let change = |reason| add(&|line: &RollForward| line.change(reason));
    let issued = sum(change(Change::Issued)?, change(Change::Loaded)?)?;
    let redeemed = sum(0, -sum(change(Change::Redeemed)?, change(Change::Refunded)?)?)?;
    let refunded = -change(Change::PaidOut)?;
    let (opening, balance) = (add(&|line| line.opening)?, add(&|line| line.closing)?);
    let explained = sum(sum(sum(opening, issued)?, -redeemed)?, -refunded)?;
    Ok(QuarterlyLine {
        currency,
        cards_issued: add(&|line| line.cards_issued)?,
        opening,
        issued,
        prepaid: sum(issued, -add(&|line| line.bonus)?)?,
        redeemed,
        refunded,
        other: sum(balance, -explained)?,
        balance,
        custody: None,
        custody_bp: None,
    })
}

impl Accounting {
    /// The report on a quarter, due by the issuer's calendar.
    pub async fn quarterly(&self, quarter: Quarter) -> Result<Quarterly> {
        let year = quarter.year;
        let imported = self.store.calendar_days(self.issuer.id, year, year.saturating_add(2)).await?;
        let calendar = Calendar::mainland_china().with(&imported);
        let (days, (_, last)) = (quarter.days()?, quarter.dates()?);
        let rule = Rules::on(days.to)?;
        let counted = calendar.after(last, rule.report_working_days);
        let all = self.liability(days).await?;
        let mut currencies: Vec<Currency> = all.iter().map(|line| line.currency).collect();
        currencies.sort_unstable();
        currencies.dedup();
        let mut lines = Vec::with_capacity(currencies.len());
        let entered = self
            .store
            .figures(self.issuer.id, FigureKind::CustodyBalance, days.from.get(), days.to.get())
            .await?;
        for currency in currencies {
            let mut line = quarterly_line(currency, &all)?;
            line.custody = entered.iter().rev().find(|figure| figure.currency == currency).cloned();
            line.custody_bp =
                line.custody.as_ref().and_then(|figure| ratio(figure.amount.get(), line.balance));
            lines.push(line);
        }
        Ok(Quarterly {
            quarter,
            days,
            ended: self.today() > days.to,
            due: BusinessDate::from_date(counted.date),
            due_estimated: counted.estimated,
            rule,
            lines,
        })
    }
}

/// A quarterly report as a table.
pub fn quarterly_table(report: &Quarterly) -> Table {
    let columns = [
        "quarter",
        "from",
        "to",
        "due",
        "currency",
        "cards_issued",
        "opening",
        "issued",
        "prepaid",
        "redeemed",
        "refunded",
        "other",
        "balance",
        "custody_balance",
        "custody_day",
        "custody_percent",
    ];
    let mut table = Table::new("quarterly", columns);
    for line in &report.lines {
        let money = |minor| table::money(minor, line.currency);
        let custody = line.custody.as_ref();
        table.rows.push(vec![
            report.quarter.to_string(),
            report.days.from.to_string(),
            report.days.to.to_string(),
            report.due.to_string(),
            line.currency.code().to_owned(),
            line.cards_issued.to_string(),
            money(line.opening),
            money(line.issued),
            money(line.prepaid),
            money(line.redeemed),
            money(line.refunded),
            money(line.other),
            money(line.balance),
            custody.map_or_else(String::new, |figure| money(figure.amount.get())),
            custody.map_or_else(String::new, |figure| BusinessDate::from_stored(figure.period).to_string()),
            line.custody_bp.map_or_else(String::new, table::percent),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters() {
        let check = |text: &str, from: &str, to: &str, before: &str| {
            let quarter = Quarter::parse(text).expect("a quarter");
            let days = quarter.days().expect("days");
            assert_eq!((days.from.to_string(), days.to.to_string()), (from.to_owned(), to.to_owned()));
            assert_eq!(
                (quarter.to_string(), quarter.before().to_string()),
                (text.to_owned(), before.to_owned())
            );
            assert_eq!(Quarter::of(quarter.dates().expect("days").1), quarter);
        };
        check("2026-Q1", "2026-01-01", "2026-03-31", "2025-Q4");
        check("2026-Q3", "2026-07-01", "2026-09-30", "2026-Q2");
        check("2024-Q4", "2024-10-01", "2024-12-31", "2024-Q3");
        for bad in ["", "2026", "2026-Q0", "2026-Q5", "26-Q1", "2026-q1", "2026-Q1 ", "2026-Q+1"] {
            assert_eq!(Quarter::parse(bad), None, "{bad}");
        }
    }

    /// The third quarter of 2026 ends before the National Day holiday: its first working day is the 8th.
    #[test]
    fn twenty_working_days_after_the_quarter() {
        let rules = Rules::on(BusinessDate::from_stored(20_260_930)).expect("rules");
        let last = Quarter::parse("2026-Q3").expect("a quarter").dates().expect("days").1;
        let due = Calendar::mainland_china().after(last, rules.report_working_days);
        // 8, 9, 10 (a Saturday that is worked) | 12-16 | 19-23 | 26-30 October | 2, 3 November.
        assert_eq!((due.date.to_string().as_str(), due.estimated), ("2026-11-03", false));
    }
}
