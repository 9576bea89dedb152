//! Reports as tables: what is written as CSV and shown on a terminal. Amounts are in whole units with the
//! decimals of their currency (`1234.50`), as ledgers of others read them; columns have English names.

use domain::Currency;

/// A report as rows of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it is, and the name of its file.
    pub name: &'static str,
    /// The names of the columns.
    pub columns: Vec<&'static str>,
    /// The rows, each with a text for every column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// None yet.
    pub fn new(name: &'static str, columns: impl Into<Vec<&'static str>>) -> Self {
        Self { name, columns: columns.into(), rows: Vec::new() }
    }

    /// The line of column names as CSV.
    pub fn head(&self) -> String {
        line(self.columns.iter().copied())
    }

    /// The rows as CSV (RFC 4180).
    pub fn body(&self) -> String {
        self.rows.iter().map(|row| line(row.iter().map(String::as_str))).collect()
    }

    /// All of it as CSV.
    pub fn to_csv(&self) -> String {
        self.head() + &self.body()
    }
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let quoted = |cell: &str| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    };
    cells.map(quoted).collect::<Vec<_>>().join(",") + "\r\n"
}

/// A text that somebody else wrote. One that a spreadsheet would take for a formula is kept from that.
pub fn safe(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

/// An amount of minor units in whole units: `-1234.50`.
pub fn money(minor: i64, currency: Currency) -> String {
    let digits = usize::from(currency.exponent());
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    let sign = if minor < 0 { "-" } else { "" };
    if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// A share of basis points in percent: `20.00`.
pub fn percent(basis_points: i64) -> String {
    money(basis_points, Currency::CNY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_defused() {
        let mut table = Table::new("test", ["a", "b"]);
        table.rows.push(vec![safe("=1+1"), "x,\"y\"\n".to_owned()]);
        assert_eq!(table.to_csv(), "a,b\r\n'=1+1,\"x,\"\"y\"\"\n\"\r\n");
        assert_eq!(safe("正常"), "正常");
    }

    #[test]
    fn money_has_the_decimals_of_its_currency() {
        let code = |code| Currency::parse(code).expect("a code");
        assert_eq!(money(-123_450, code("CNY")), "-1234.50");
        assert_eq!(money(5, code("CNY")), "0.05");
        assert_eq!(money(1_500, code("JPY")), "1500");
        assert_eq!(money(1_500, code("KWD")), "1.500");
        assert_eq!(percent(1_999), "19.99");
    }
}
