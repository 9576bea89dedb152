//! The journal in the accounts of somebody else's general ledger: a chart maps accounts of Hexiao to theirs.

use std::collections::BTreeMap;

use domain::{BusinessDate, Currency, OperationKind, ProgramId, account::AccountKind};
use serde::{Deserialize, Serialize};
use storage::{Days, JournalLine, LedgerLine};

use super::{
    Accounting, AccountingError, Result, date_of,
    table::{self, Table},
};

/// An account of the general ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlAccount {
    /// Its code (科目编码), such as `2205`.
    pub code: String,
    /// Its name (科目名称).
    pub name: String,
}

/// Which account of the general ledger stands for which of Hexiao. The more exact entry counts: one account
/// (`merchant:mer_…`, `channel:web`, `cards:prog_…`) before all of a kind (`merchant`), and that before the
/// built-in one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Chart(pub BTreeMap<String, GlAccount>);

/// The most entries of a chart.
const MAX_ENTRIES: usize = 1_000;

/// The built-in chart, by the codes of the Accounting Standards for Business Enterprises (企业会计准则).
const fn built_in(kind: AccountKind) -> (&'static str, &'static str) {
    match kind {
        AccountKind::Card => ("2205", "合同负债"),
        AccountKind::Residual => ("220501", "合同负债—过期未兑付"),
        AccountKind::Merchant => ("2202", "应付账款"),
        AccountKind::Channel => ("1122", "应收账款"),
        AccountKind::Promotion => ("6601", "销售费用"),
        AccountKind::Fees => ("6051", "其他业务收入"),
        AccountKind::Breakage => ("605101", "其他业务收入—残值"),
        AccountKind::Bank => ("1002", "银行存款"),
        AccountKind::Suspense => ("1901", "待处理财产损溢"),
    }
}

/// The name of an account of Hexiao, as a chart has it.
pub fn name_of(line: LedgerLine) -> String {
    match line {
        LedgerLine::Cards(program) => format!("cards:{program}"),
        LedgerLine::Account(account) => account.to_string(),
    }
}

impl Chart {
    /// The account of the general ledger for one of Hexiao.
    pub fn account(&self, line: LedgerLine) -> GlAccount {
        let kind = line.kind();
        let entry = self.0.get(&name_of(line)).or_else(|| self.0.get(kind.name())).cloned();
        entry.unwrap_or_else(|| {
            let (code, name) = built_in(kind);
            GlAccount { code: code.to_owned(), name: name.to_owned() }
        })
    }

    /// Says what is wrong with it.
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        if self.0.len() > MAX_ENTRIES {
            return Err(format!("a chart has at most {MAX_ENTRIES} entries"));
        }
        for (name, account) in &self.0 {
            if !is_account(name) {
                return Err(format!(
                    "{name:?} is no account; write a kind such as merchant, or one account such as \
                     merchant:mer_…, channel:web or cards:prog_…"
                ));
            }
            if account.code.is_empty() || account.code.len() > 64 || account.name.len() > 256 {
                return Err(format!("the code of {name} must have 1 to 64 bytes, its name at most 256"));
            }
        }
        Ok(())
    }
}

fn is_account(name: &str) -> bool {
    let cards = name.strip_prefix("cards:").is_some_and(|program| ProgramId::parse(program).is_ok());
    cards || AccountKind::from_name(name).is_some() || domain::Account::parse(name).is_some()
}

/// A line of the journal as it is exported. The amount is in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The business day.
    pub day: BusinessDate,
    /// What the operations did.
    pub kind: OperationKind,
    /// What the operations undid had done, where they are reversals.
    pub reversed: Option<OperationKind>,
    /// The program, where cards took part.
    pub program: Option<ProgramId>,
    /// The account that is debited, here and there.
    pub debit: (String, GlAccount),
    /// The account that is credited, here and there.
    pub credit: (String, GlAccount),
    /// The currency.
    pub currency: Currency,
    /// How many operations.
    pub operations: i64,
    /// How much.
    pub amount: i64,
}

impl Entry {
    fn new(line: &JournalLine, chart: &Chart) -> Self {
        let side = |line: LedgerLine| (name_of(line), chart.account(line));
        Self {
            day: line.day,
            kind: line.kind,
            reversed: line.reversed,
            program: line.program,
            debit: side(line.debit),
            credit: side(line.credit),
            currency: line.currency,
            operations: line.operations,
            amount: line.amount,
        }
    }
}

/// Days that are read at once.
const DAYS_AT_ONCE: i64 = 1;

/// The journal of some days, a few at a time, so that a year of a large issuer never lies in memory.
pub struct JournalExport {
    accounting: Accounting,
    chart: Chart,
    next: Option<BusinessDate>,
    to: BusinessDate,
}

impl JournalExport {
    /// The next days that moved value; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>> {
        while let Some(from) = self.next {
            let last = date_of(from)?.checked_add(jiff::Span::new().days(DAYS_AT_ONCE - 1));
            let last = last.map_or(self.to, BusinessDate::from_date).min(self.to);
            let after = date_of(last)?.tomorrow().map(BusinessDate::from_date);
            self.next = after.ok().filter(|after| *after <= self.to);
            let days = Days { from, to: last };
            let lines = self.accounting.store.journal(self.accounting.issuer.id, days).await?;
            if !lines.is_empty() {
                return Ok(Some(lines.iter().map(|line| Entry::new(line, &self.chart)).collect()));
            }
        }
        Ok(None)
    }
}

impl Accounting {
    /// The journal of some days, in the accounts of the issuer's chart.
    pub async fn journal(&self, days: Days) -> Result<JournalExport> {
        super::days(days.from, days.to)?;
        let (chart, _) = self.setting::<Chart>().await?;
        Ok(JournalExport { accounting: self.clone(), chart, next: Some(days.from), to: days.to })
    }
}

/// Entries as a table.
pub fn journal_table(entries: &[Entry]) -> Table {
    let columns = [
        "date",
        "kind",
        "reversed",
        "program",
        "debit_code",
        "debit_name",
        "debit_account",
        "credit_code",
        "credit_name",
        "credit_account",
        "currency",
        "amount",
        "operations",
    ];
    let mut table = Table::new("journal", columns);
    for entry in entries {
        table.rows.push(vec![
            entry.day.to_string(),
            entry.kind.name().to_owned(),
            entry.reversed.map_or_else(String::new, |kind| kind.name().to_owned()),
            entry.program.map_or_else(String::new, |program| program.to_string()),
            table::safe(&entry.debit.1.code),
            table::safe(&entry.debit.1.name),
            entry.debit.0.clone(),
            table::safe(&entry.credit.1.code),
            table::safe(&entry.credit.1.name),
            entry.credit.0.clone(),
            entry.currency.code().to_owned(),
            table::money(entry.amount, entry.currency),
            entry.operations.to_string(),
        ]);
    }
    table
}

impl From<std::num::TryFromIntError> for AccountingError {
    fn from(_: std::num::TryFromIntError) -> Self {
        Self::TooLarge
    }
}

#[cfg(test)]
mod tests {
    use domain::{Account, IssuerId, MerchantId};

    use super::*;

    fn gl(code: &str) -> GlAccount {
        GlAccount { code: code.to_owned(), name: String::new() }
    }

    #[test]
    fn the_more_exact_entry_counts() {
        let own = LedgerLine::Account(Account::Merchant(MerchantId::new(1)));
        let other = LedgerLine::Account(Account::Merchant(MerchantId::new(2)));
        let cards = LedgerLine::Cards(ProgramId::new(3));
        let bank = LedgerLine::Account(Account::Bank(IssuerId::new(4)));
        let entries =
            [(name_of(own), gl("6001")), ("merchant".to_owned(), gl("2241")), (name_of(cards), gl("220502"))];
        let chart = Chart(entries.into());
        chart.check().expect("a right chart");
        let code = |line| chart.account(line).code;
        assert_eq!([code(own), code(other), code(cards), code(bank)], ["6001", "2241", "220502", "1002"]);
        assert_eq!(Chart::default().account(LedgerLine::Cards(ProgramId::new(9))).name, "合同负债");
    }

    #[test]
    fn wrong_charts_are_refused() {
        for (name, code) in [("gold", "1"), ("cards:x", "1"), ("merchant", ""), ("channel:WEB", "1")] {
            Chart([(name.to_owned(), gl(code))].into()).check().expect_err(name);
        }
    }
}
