//! One row: what it must look like, and what it means.

use csv::StringRecord;
use domain::{
    Amount, Catalog, Program, Timestamp,
    program::{Rules, Status},
};
use jiff::{civil::Date, tz::TimeZone};
use vault::{CardNumber, Pin};

use super::file::{Column, Columns};
use crate::failure::{Failure, Result};

const MAX_REFERENCE: usize = 128;

/// A good row.
pub(super) struct Row {
    pub(super) number: CardNumber,
    pub(super) pin: Option<Pin>,
    pub(super) balance: Amount,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) state: RowState,
    pub(super) reference: Option<String>,
}

/// What becomes of the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowState {
    /// Activated with its balance.
    Active,
    /// The same, then frozen.
    Frozen,
    /// Made, not sold: its balance is what it will be sold for.
    Stocked,
}

/// What rows are held against.
pub(super) struct RowRules<'a> {
    program: &'a Program,
    zone: TimeZone,
    now: Timestamp,
}

impl<'a> RowRules<'a> {
    /// The rules of a program, which must be open for new cards.
    pub(super) fn of(program: &'a Program, catalog: &Catalog, now: Timestamp) -> Result<Self> {
        let issuer = catalog.issuers.get(&program.issuer);
        let issuer =
            issuer.ok_or_else(|| Failure::new("the program's issuer is missing; run hexiao verify"))?;
        if issuer.status == Status::Closed {
            return Err(Failure::new(format!("the issuer {} is closed", issuer.name)));
        }
        if program.status == Status::Closed {
            return Err(Failure::new(format!("the program {} is closed", program.name)));
        }
        let rules = Self { program, zone: issuer.zone.clone(), now };
        if rules.default_end().is_some_and(|end| end <= now) {
            return Err(Failure::new(format!(
                "cards of the program {} would have expired already",
                program.name
            )));
        }
        Ok(rules)
    }

    fn rules(&self) -> &Rules {
        &self.program.rules
    }

    fn default_end(&self) -> Option<Timestamp> {
        self.rules().validity.end(self.now, &self.zone)
    }

    /// Reads a row, or says what is wrong with it. Never quotes a number or PIN.
    pub(super) fn read(&self, columns: &Columns, record: &StringRecord) -> std::result::Result<Row, String> {
        let field = |column| columns.field(record, column);
        let number = CardNumber::parse(field(Column::Number)).map_err(|error| format!("number: {error}"))?;
        let state = state(field(Column::State))?;
        Ok(Row {
            number,
            pin: self.pin(field(Column::Pin))?,
            balance: self.balance(field(Column::Balance), field(Column::Currency))?,
            expires_at: self.expires_at(field(Column::ExpiresAt))?,
            state,
            reference: reference(field(Column::Reference))?,
        })
    }

    fn balance(&self, text: &str, currency: &str) -> std::result::Result<Amount, String> {
        if !currency.is_empty() && currency != self.program.currency.code() {
            return Err(format!("currency: the program's is {}", self.program.currency));
        }
        let whole = text.parse::<i64>().ok().and_then(|minor| Amount::new(minor).ok());
        let balance = whole.filter(|_| text.bytes().all(|b| b.is_ascii_digit())).ok_or_else(|| {
            format!(
                "balance: a whole number of minor units from 0 to {}, without point or comma",
                Amount::MAX
            )
        })?;
        if !self.rules().denominations.allow(balance) {
            return Err(
                "balance: the program does not sell cards for this amount; import into a program with free \
                 denominations"
                    .to_owned(),
            );
        }
        match self.rules().balance_cap {
            Some(cap) if balance > cap => Err(format!("balance: above the program's cap of {cap}")),
            _ => Ok(balance),
        }
    }

    fn pin(&self, text: &str) -> std::result::Result<Option<Pin>, String> {
        if text.is_empty() {
            if self.rules().pin_issued {
                return Err("pin: cards of this program have one; give it".to_owned());
            }
            return Ok(None);
        }
        Pin::parse(text).map(Some).map_err(|error| format!("pin: {error}"))
    }

    fn expires_at(&self, text: &str) -> std::result::Result<Option<Timestamp>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let date = || text.parse::<Date>().ok().map(|date| Timestamp::end_of(date, &self.zone));
        // A moment also parses as the date that it begins with, so the moment is tried first.
        let end = Timestamp::parse_rfc3339(text)
            .or_else(date)
            .ok_or("expires_at: RFC 3339 such as 2027-12-31T23:59:59+08:00, or a date such as 2027-12-31")?;
        if end <= self.now {
            return Err("expires_at: has passed; leave the row out, or give the card a new end".to_owned());
        }
        Ok(Some(end.min(Timestamp::MAX)))
    }
}

fn state(text: &str) -> std::result::Result<RowState, String> {
    match text {
        "" | "active" => Ok(RowState::Active),
        "frozen" => Ok(RowState::Frozen),
        "stocked" => Ok(RowState::Stocked),
        _ => Err("state: active, frozen or stocked; leave cards in other states out".to_owned()),
    }
}

fn reference(text: &str) -> std::result::Result<Option<String>, String> {
    if text.chars().count() > MAX_REFERENCE || text.contains(char::is_control) {
        return Err(format!("reference: up to {MAX_REFERENCE} characters"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
