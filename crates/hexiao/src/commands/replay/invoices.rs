//! Reading the file of invoices.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::Read,
    path::Path,
};

use domain::{Amount, IdempotencyKey};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    failure::{Failure, Result},
    output::hexadecimal,
};

/// The largest file: some three million invoices, which are kept in memory.
const MAX_BYTES: u64 = 256 << 20;
const MAX_CUSTOMER: usize = 64;
const MAX_COUNTRY: usize = 64;

/// A sale or a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Sale,
    Return,
}

/// A line of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Invoice {
    pub(super) time: String,
    #[serde(rename = "invoice")]
    pub(super) number: String,
    pub(super) customer: String,
    pub(super) country: String,
    pub(super) kind: Kind,
    pub(super) amount_minor: i64,
    pub(super) lines: u32,
}

/// A customer with its invoices in order of time.
#[derive(Debug)]
pub(super) struct Customer {
    pub(super) name: String,
    pub(super) invoices: Vec<Invoice>,
}

impl Customer {
    /// Enough value for all sales: their sum.
    pub(super) fn needs(&self) -> Result<Amount> {
        let sales = self.invoices.iter().filter(|invoice| invoice.kind == Kind::Sale);
        let sum = sales.map(|invoice| invoice.amount_minor).try_fold(0_i64, i64::checked_add);
        sum.and_then(|sum| Amount::new(sum).ok()).ok_or_else(|| {
            Failure::new(format!("customer {}: all sales together exceed {}", self.name, Amount::MAX))
        })
    }
}

/// The whole file.
#[derive(Debug)]
pub(super) struct Invoices {
    /// Sixteen hexadecimal digits that stand for the file's content.
    pub(super) digest: String,
    /// In order of their names.
    pub(super) customers: Vec<Customer>,
    pub(super) sales: u64,
    pub(super) returns: u64,
}

impl Invoices {
    /// Reads and checks the file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        read(path).map_err(|failure| failure.while_doing(&name))
    }
}

fn read(path: &Path) -> Result<Invoices> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(Failure::new(format!("is larger than {MAX_BYTES} bytes; split it")));
    }
    parse(&text)
}

fn parse(text: &[u8]) -> Result<Invoices> {
    let digest = hexadecimal(&Sha256::digest(text)[..8]);
    let mut customers: BTreeMap<String, Vec<Invoice>> = BTreeMap::new();
    let (mut sales, mut returns, mut seen) = (0, 0, HashSet::new());
    let mut reader = csv::Reader::from_reader(text);
    for row in reader.deserialize::<Invoice>() {
        let row = row.map_err(|error| Failure::new(error.to_string()))?;
        // The header is line 1.
        let line = sales + returns + 2;
        check(&row, seen.insert(row.number.clone()))
            .map_err(|reason| Failure::new(format!("row {line}: {reason}")))?;
        match row.kind {
            Kind::Sale => sales += 1,
            Kind::Return => returns += 1,
        }
        customers.entry(row.customer.clone()).or_default().push(row);
    }
    if sales + returns == 0 {
        return Err(Failure::new("has no invoices"));
    }
    for (customer, invoices) in &customers {
        if !invoices.is_sorted_by(|a, b| a.time <= b.time) {
            return Err(Failure::new(format!(
                "the invoices of customer {customer} are not in order of time"
            )));
        }
    }
    let customers = customers.into_iter().map(|(name, invoices)| Customer { name, invoices }).collect();
    Ok(Invoices { digest, customers, sales, returns })
}

fn check(row: &Invoice, first: bool) -> std::result::Result<(), String> {
    // A return may have several parts, whose keys are longer.
    let key = format!("{}#1000", row.number);
    IdempotencyKey::parse(&key).map_err(|_| "invoice: 1 to 120 printable ASCII characters without spaces")?;
    if !first {
        return Err(format!("invoice {} occurs twice", row.number));
    }
    let name = |text: &str, most| {
        !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_graphic())
    };
    if !name(&row.customer, MAX_CUSTOMER) {
        return Err(format!("customer: 1 to {MAX_CUSTOMER} printable ASCII characters without spaces"));
    }
    if row.country.chars().count() > MAX_COUNTRY || row.time.len() > MAX_CUSTOMER {
        return Err(format!("country and time: at most {MAX_COUNTRY} characters"));
    }
    if row.amount_minor < 1 || Amount::new(row.amount_minor).is_err() {
        return Err(format!("amount_minor: a whole number of minor units from 1 to {}", Amount::MAX));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "time,invoice,customer,country,kind,amount_minor,lines\n";

    #[test]
    fn customers_and_their_needs() {
        let text = format!(
            "{HEAD}2010-12-01 08:26:00,1,b,UK,sale,100,1\n2010-12-01 08:27:00,2,a,UK,return,5,1\n\
             2010-12-01 08:28:00,3,b,UK,sale,50,1\n"
        );
        let read = parse(text.as_bytes()).unwrap();
        assert_eq!((read.sales, read.returns, read.digest.len()), (2, 1, 16));
        let found: Vec<_> =
            read.customers.iter().map(|c| (c.name.as_str(), c.needs().unwrap().get())).collect();
        assert_eq!(found, [("a", 0), ("b", 150)]);
    }

    #[test]
    fn bad_files() {
        let check = |rows: &str, expect: &str| {
            let failure = format!("{:?}", parse(format!("{HEAD}{rows}").as_bytes()).unwrap_err());
            assert!(failure.contains(expect), "{rows}: {failure}");
        };
        check("", "no invoices");
        check("t,1,a,UK,gift,1,1\n", "gift");
        check("t,1,a,UK,sale,0,1\n", "row 2: amount_minor");
        check("t,1,a,UK,sale,-5,1\n", "amount_minor");
        check("t,1,a,UK,sale,1.5,1\n", "line: 2");
        check("t,1,a,UK,sale,5,1\nt,1,a,UK,sale,5,1\n", "row 3: invoice 1 occurs twice");
        check("t2,1,a,UK,sale,5,1\nt1,2,a,UK,sale,5,1\n", "order of time");
        check("t,a b,a,UK,sale,5,1\n", "invoice:");
        check("t,1,,UK,sale,5,1\n", "customer:");
        assert!(parse(b"time,invoice\n1,2\n").is_err());
    }
}
