//! The journal for a general ledger: our own postings, summed per day, under the account numbers of the books they
//! go into. Which account is which is data ([`AccountChart`]); an account without a rule stops the export, because
//! a journal with a hole in it is worse than none.

mod chart;

pub use chart::{AccountChart, AccountRule, MAX_ACCOUNT_RULES};

use domain::Currency;
use jiff::civil::Date;

use crate::{
    error::DocumentError,
    language::Language,
    table::{Cell, Column, ColumnKind, Table},
};

/// Postings of a period.
#[derive(Clone, Debug)]
pub struct JournalDocument {
    /// The language of titles.
    pub language: Language,
    /// The currency of all amounts.
    pub currency: Currency,
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
    /// The postings, in the order they are to be written.
    pub entries: Vec<JournalEntry>,
}

/// A posting: an amount from one account to another, summed over operations of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// The business day.
    pub date: Date,
    /// What was done, in the words of the document's language.
    pub summary: String,
    /// The account debited.
    pub debit: LedgerAccount,
    /// The account credited.
    pub credit: LedgerAccount,
    /// How many operations it sums.
    pub count: u64,
    /// Minor units, more than 0.
    pub amount: i64,
}

/// An account of our ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerAccount {
    /// Its kind, such as `merchant`.
    pub kind: String,
    /// Whose it is, such as a merchant's id.
    pub reference: Option<String>,
}

impl std::fmt::Display for LedgerAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.reference {
            Some(reference) => write!(f, "{}:{reference}", self.kind),
            None => f.write_str(&self.kind),
        }
    }
}

impl JournalDocument {
    /// The journal under a chart's account numbers: two rows per posting, debit before credit, and a total in
    /// which both sides are equal.
    pub fn to_table(&self, chart: &AccountChart) -> Result<Table, DocumentError> {
        let (mut rows, mut sum) = (Vec::with_capacity(self.entries.len() * 2), 0i64);
        for (index, entry) in self.entries.iter().enumerate() {
            if entry.amount <= 0 {
                let problem =
                    format!("entry {} is {} minor units; a posting is more than 0", index + 1, entry.amount);
                return Err(DocumentError::field("amount", problem));
            }
            if entry.date < self.from || entry.date > self.to {
                let problem =
                    format!("entry {} of {} is outside {} to {}", index + 1, entry.date, self.from, self.to);
                return Err(DocumentError::field("date", problem));
            }
            sum = sum.checked_add(entry.amount).ok_or(DocumentError::OutOfRange("amount"))?;
            rows.push(self.row(index, entry, &entry.debit, chart, Side::Debit)?);
            rows.push(self.row(index, entry, &entry.credit, chart, Side::Credit)?);
        }
        let mut total = vec![Cell::Empty; self.columns().len()];
        total[2] = Cell::from(self.language.choose("合计", "Total"));
        (total[6], total[7]) = (Cell::Amount(sum), Cell::Amount(sum));
        let title = format!("{} {} {}", self.language.choose("日记账", "Journal"), self.from, self.to);
        Ok(Table { title, currency: self.currency, columns: self.columns(), rows, total: Some(total) })
    }

    fn columns(&self) -> Vec<Column> {
        let column = |zh, en, kind| Column::new(self.language.choose(zh, en), kind);
        vec![
            column("日期", "Date", ColumnKind::Date),
            column("分录号", "Entry", ColumnKind::Count),
            column("摘要", "Summary", ColumnKind::Text),
            column("科目编码", "Account", ColumnKind::Text),
            column("科目名称", "Account name", ColumnKind::Text),
            column("辅助核算", "Reference", ColumnKind::Text),
            column("借方金额", "Debit", ColumnKind::Amount),
            column("贷方金额", "Credit", ColumnKind::Amount),
            column("币种", "Currency", ColumnKind::Text),
            column("笔数", "Operations", ColumnKind::Count),
        ]
    }

    fn row(
        &self,
        index: usize,
        entry: &JournalEntry,
        account: &LedgerAccount,
        chart: &AccountChart,
        side: Side,
    ) -> Result<Vec<Cell>, DocumentError> {
        let rule = chart.find(account).ok_or_else(|| DocumentError::UnmappedAccount(account.to_string()))?;
        let reference = account.reference.clone().filter(|_| rule.show_reference);
        let (debit, credit) = match side {
            Side::Debit => (Cell::Amount(entry.amount), Cell::Empty),
            Side::Credit => (Cell::Empty, Cell::Amount(entry.amount)),
        };
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Ok(vec![
            Cell::Date(entry.date),
            Cell::Count(number(index as u64 + 1)),
            Cell::Text(entry.summary.clone()),
            Cell::Text(rule.code.clone()),
            Cell::Text(rule.name.clone()),
            reference.map_or(Cell::Empty, Cell::Text),
            debit,
            credit,
            Cell::from(self.currency.code()),
            Cell::Count(number(entry.count)),
        ])
    }
}

#[derive(Clone, Copy)]
enum Side {
    Debit,
    Credit,
}
