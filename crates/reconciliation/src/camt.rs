//! Bank statements: ISO 20022 camt.053 (BankToCustomerStatement), any of its versions. Read as a stream;
//! document types, and with them entities of one's own, are refused; depth and the size of each token are
//! bounded. Balances and totals that a statement states are checked.

use std::io::{BufRead, BufReader, Read};

use domain::Currency;
use jiff::tz::TimeZone;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use crate::{
    Limits, Line, LineStatus, Problem, Statement,
    dates::{Moments, RFC_3339, day_of},
    decimal::{self, PLAIN},
    error::{FileError, Result},
};

/// Reads all statements of a file.
pub(crate) fn read<R: Read>(
    bytes: R,
    (currency, zone): (Currency, &TimeZone),
    limits: &Limits,
) -> Result<Statement> {
    let counted = Counted::new(BufReader::with_capacity(64 << 10, bytes), limits.line_bytes);
    let mut document = Document {
        path: Vec::new(),
        text: String::new(),
        statement: Statement::new(currency),
        // Local times are the bank's; without an offset they are taken to be the issuer's.
        moments: Moments::new(vec![RFC_3339.to_owned(), "%Y-%m-%dT%H:%M:%S%.f".to_owned()], zone.clone()),
        zone: zone.clone(),
        totals: Totals::default(),
        entry: Entry::default(),
        part: Part::default(),
        balance: Balance::default(),
        currency_of_amount: None,
        seen: false,
        checked: true,
        limits: *limits,
    };
    let mut reader = Reader::from_reader(counted);
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        let line = reader.get_ref().line;
        let more = match event {
            Ok(event) => document.take(event),
            Err(quick_xml::Error::Io(error)) => Err(FileError::io(&error)),
            Err(quick_xml::Error::Encoding(_)) => Err(not_utf8()),
            Err(_) => {
                Err(FileError::malformed("the file is not well-formed XML: it is cut off or was edited"))
            }
        };
        if !more.map_err(|error| error.at(line))? {
            return document.finish(line);
        }
    }
}

/// What a booking consists of, as far as it was read.
#[derive(Default)]
struct Entry {
    amount: Option<i64>,
    credit: Option<bool>,
    status: Option<LineStatus>,
    booked: Option<String>,
    valued: Option<String>,
    reference: String,
    bank_reference: String,
    parts: Vec<Part>,
}

/// One of the transactions that a booking is made of.
#[derive(Default, Clone)]
struct Part {
    amount: Option<i64>,
    credit: Option<bool>,
    end_to_end: String,
    other: String,
}

#[derive(Default)]
struct Balance {
    code: String,
    amount: Option<i64>,
    credit: Option<bool>,
}

/// What a statement says of itself, and what its bookings add up to.
#[derive(Default)]
struct Totals {
    opening: Option<i64>,
    closing: Option<i64>,
    stated: [(Option<i64>, Option<i64>); 3],
    net: i64,
    count: [i64; 2],
    sum: [i64; 2],
}

const ALL: usize = 0;
const CREDITS: usize = 1;
const DEBITS: usize = 2;

struct Document {
    path: Vec<String>,
    text: String,
    statement: Statement,
    moments: Moments,
    zone: TimeZone,
    totals: Totals,
    entry: Entry,
    part: Part,
    balance: Balance,
    currency_of_amount: Option<String>,
    seen: bool,
    checked: bool,
    limits: Limits,
}

impl Document {
    /// Returns whether there is more.
    fn take(&mut self, event: Event<'_>) -> Result<bool> {
        match event {
            Event::Start(tag) => self.open(&tag)?,
            Event::End(_) => self.close()?,
            Event::Text(text) => self.text.push_str(&text),
            Event::CData(text) => self.text.push_str(&text),
            Event::GeneralRef(reference) => self.resolve(&reference)?,
            Event::DocType(_) => {
                let text = "the file declares a document type; bank statements have none, and entities are not expanded";
                return Err(FileError::malformed(text));
            }
            Event::Eof => return Ok(false),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        if self.text.len() > self.limits.field_bytes {
            let text = format!("a value is longer than {} bytes", self.limits.field_bytes);
            return Err(FileError::too_large(text));
        }
        Ok(true)
    }

    /// The five entities of XML itself and characters by number; there are no others without a document type.
    fn resolve(&mut self, reference: &quick_xml::events::BytesRef<'_>) -> Result<()> {
        let unknown = || FileError::malformed("the file uses an entity that XML does not define");
        if let Some(character) = reference.resolve_char_ref().map_err(|_| unknown())? {
            self.text.push(character);
            return Ok(());
        }
        let text = quick_xml::escape::resolve_predefined_entity(reference).ok_or_else(unknown)?;
        self.text.push_str(text);
        Ok(())
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<()> {
        let name = tag.local_name().as_ref().to_owned();
        if self.path.len() >= self.limits.depth {
            return Err(FileError::too_large(format!(
                "elements are nested more than {} deep",
                self.limits.depth
            )));
        }
        self.text.clear();
        if name == "Amt" {
            let found = tag.attributes().flatten().find(|attribute| attribute.key.as_ref() == "Ccy");
            self.currency_of_amount = found.map(|attribute| attribute.value.into_owned());
        }
        self.path.push(name);
        match self.place() {
            "Stmt" => (self.totals, self.seen) = (Totals::default(), true),
            "Stmt/Bal" => self.balance = Balance::default(),
            "Stmt/Ntry" => self.entry = Entry::default(),
            "Stmt/Ntry/NtryDtls/TxDtls" => self.part = Part::default(),
            _ => {}
        }
        Ok(())
    }

    /// Where we are, from the statement on.
    fn place(&self) -> &'static str {
        const PLACES: &[&str] = &[
            "Stmt",
            "Stmt/Bal",
            "Stmt/Bal/Tp/CdOrPrtry/Cd",
            "Stmt/Bal/Amt",
            "Stmt/Bal/CdtDbtInd",
            "Stmt/TxsSummry/TtlNtries/NbOfNtries",
            "Stmt/TxsSummry/TtlNtries/Sum",
            "Stmt/TxsSummry/TtlCdtNtries/NbOfNtries",
            "Stmt/TxsSummry/TtlCdtNtries/Sum",
            "Stmt/TxsSummry/TtlDbtNtries/NbOfNtries",
            "Stmt/TxsSummry/TtlDbtNtries/Sum",
            "Stmt/Ntry",
            "Stmt/Ntry/Amt",
            "Stmt/Ntry/CdtDbtInd",
            "Stmt/Ntry/Sts",
            "Stmt/Ntry/Sts/Cd",
            "Stmt/Ntry/BookgDt/Dt",
            "Stmt/Ntry/BookgDt/DtTm",
            "Stmt/Ntry/ValDt/Dt",
            "Stmt/Ntry/ValDt/DtTm",
            "Stmt/Ntry/NtryRef",
            "Stmt/Ntry/AcctSvcrRef",
            "Stmt/Ntry/NtryDtls/TxDtls",
            "Stmt/Ntry/NtryDtls/TxDtls/Amt",
            "Stmt/Ntry/NtryDtls/TxDtls/AmtDtls/TxAmt/Amt",
            "Stmt/Ntry/NtryDtls/TxDtls/CdtDbtInd",
            "Stmt/Ntry/NtryDtls/TxDtls/Refs/EndToEndId",
            "Stmt/Ntry/NtryDtls/TxDtls/Refs/InstrId",
            "Stmt/Ntry/NtryDtls/TxDtls/Refs/AcctSvcrRef",
        ];
        // The statement is the third element: Document, BkToCstmrStmt, Stmt.
        if self.path.len() < 3 || self.path[1] != "BkToCstmrStmt" {
            return "";
        }
        let path = &self.path[2..];
        let same = |place: &&&str| place.split('/').eq(path.iter().map(String::as_str));
        PLACES.iter().find(same).copied().unwrap_or("")
    }

    fn close(&mut self) -> Result<()> {
        let place = self.place();
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        match place {
            "Stmt" => self.end_statement()?,
            "Stmt/Bal" => self.end_balance()?,
            "Stmt/Bal/Tp/CdOrPrtry/Cd" => text.clone_into(&mut self.balance.code),
            "Stmt/Bal/Amt" => self.balance.amount = Some(self.amount(text)?),
            "Stmt/Bal/CdtDbtInd" => self.balance.credit = Some(direction(text)?),
            "Stmt/Ntry" => self.end_entry()?,
            "Stmt/Ntry/NtryDtls/TxDtls" => self.entry.parts.push(std::mem::take(&mut self.part)),
            _ if place.starts_with("Stmt/TxsSummry/") => self.summary(place, text)?,
            _ if place.starts_with("Stmt/Ntry/NtryDtls/") => self.in_part(place, text)?,
            _ => self.in_entry(place, text)?,
        }
        if self.entry.parts.len() > usize::try_from(self.limits.lines).unwrap_or(usize::MAX) {
            return Err(FileError::too_large("a booking has too many transactions"));
        }
        self.path.pop();
        Ok(())
    }

    fn in_entry(&mut self, place: &str, text: &str) -> Result<()> {
        match place {
            "Stmt/Ntry/Amt" => self.entry.amount = Some(self.amount(text)?),
            "Stmt/Ntry/CdtDbtInd" => self.entry.credit = Some(direction(text)?),
            "Stmt/Ntry/Sts" | "Stmt/Ntry/Sts/Cd" if !text.is_empty() => {
                self.entry.status = Some(status(text)?);
            }
            "Stmt/Ntry/BookgDt/Dt" | "Stmt/Ntry/BookgDt/DtTm" => self.entry.booked = Some(text.to_owned()),
            "Stmt/Ntry/ValDt/Dt" | "Stmt/Ntry/ValDt/DtTm" => self.entry.valued = Some(text.to_owned()),
            "Stmt/Ntry/NtryRef" => text.clone_into(&mut self.entry.reference),
            "Stmt/Ntry/AcctSvcrRef" => text.clone_into(&mut self.entry.bank_reference),
            _ => {}
        }
        Ok(())
    }

    fn in_part(&mut self, place: &str, text: &str) -> Result<()> {
        match place.strip_prefix("Stmt/Ntry/NtryDtls/TxDtls/").unwrap_or("") {
            "Amt" => self.part.amount = Some(self.amount(text)?),
            "AmtDtls/TxAmt/Amt" if self.part.amount.is_none() => self.part.amount = Some(self.amount(text)?),
            "CdtDbtInd" => self.part.credit = Some(direction(text)?),
            "Refs/EndToEndId" if text != "NOTPROVIDED" => text.clone_into(&mut self.part.end_to_end),
            "Refs/InstrId" => text.clone_into(&mut self.part.other),
            "Refs/AcctSvcrRef" if self.part.other.is_empty() => text.clone_into(&mut self.part.other),
            _ => {}
        }
        Ok(())
    }

    fn amount(&self, text: &str) -> Result<i64> {
        let currency = self.statement.currency;
        if self.currency_of_amount.as_deref() != Some(currency.code()) {
            let text =
                format!("the amount is not in {currency}; reconcile each currency in a file of its own");
            return Err(FileError::value(text).column("Amt"));
        }
        let places = u32::from(currency.exponent());
        decimal::parse(text, places, PLAIN).map_err(|says| FileError::value(says).column("Amt"))
    }

    fn summary(&mut self, place: &str, text: &str) -> Result<()> {
        let which = match place.split('/').nth(2) {
            Some("TtlNtries") => ALL,
            Some("TtlCdtNtries") => CREDITS,
            Some("TtlDbtNtries") => DEBITS,
            _ => return Ok(()),
        };
        let sum = place.ends_with("/Sum");
        let places = if sum { u32::from(self.statement.currency.exponent()) } else { 0 };
        let value =
            decimal::parse(text, places, PLAIN).map_err(|says| FileError::value(says).column("TxsSummry"))?;
        let stated = &mut self.totals.stated[which];
        *(if sum { &mut stated.1 } else { &mut stated.0 }) = Some(value);
        Ok(())
    }

    fn end_balance(&mut self) -> Result<()> {
        let balance = std::mem::take(&mut self.balance);
        let (Some(amount), Some(credit)) = (balance.amount, balance.credit) else {
            return Err(FileError::malformed("a balance has no amount or no direction").column("Bal"));
        };
        let signed = if credit { amount } else { -amount };
        match balance.code.as_str() {
            "OPBD" | "PRCD" if self.totals.opening.is_none() => self.totals.opening = Some(signed),
            "CLBD" => self.totals.closing = Some(signed),
            _ => {}
        }
        Ok(())
    }

    fn end_entry(&mut self) -> Result<()> {
        let entry = std::mem::take(&mut self.entry);
        let missing = |what: &str| FileError::malformed("the booking has no such element").column(what);
        let amount = entry.amount.ok_or_else(|| missing("Amt"))?;
        let credit = entry.credit.ok_or_else(|| missing("CdtDbtInd"))?;
        let status = entry.status.ok_or_else(|| missing("Sts"))?;
        if status == LineStatus::Succeeded {
            self.totals.add(amount, credit)?;
        }
        let when = entry.booked.as_ref().or(entry.valued.as_ref()).ok_or_else(|| missing("BookgDt"))?;
        let (from, to) = self.moment(when)?;
        let signed = |amount: i64, credit: bool| if credit { amount } else { -amount };
        let whole = Line {
            number: 0,
            place: 0,
            reference: "".into(),
            amount: signed(amount, credit),
            from,
            to,
            status,
        };
        let own = first(&[&entry.reference, &entry.bank_reference]);
        let split = entry.parts.len() > 1 && entry.parts.iter().all(|part| part.amount.is_some());
        if !split {
            let part = entry.parts.first().filter(|_| entry.parts.len() == 1).cloned().unwrap_or_default();
            let reference = first(&[&part.end_to_end, &part.other, own]).into();
            return self.statement.push(&self.limits, Line { reference, ..whole });
        }
        let mut sum = 0_i64;
        for part in &entry.parts {
            let amount = signed(part.amount.unwrap_or(0), part.credit.unwrap_or(credit));
            sum = sum.checked_add(amount).ok_or_else(beyond)?;
            let reference = first(&[&part.end_to_end, &part.other, own]).into();
            self.statement.push(&self.limits, Line { reference, amount, ..whole.clone() })?;
        }
        if sum != whole.amount {
            let text = "the transactions of the booking do not add up to its amount";
            return Err(FileError::new(Problem::Totals, text).column("TxDtls"));
        }
        Ok(())
    }

    fn moment(&self, text: &str) -> Result<(domain::Timestamp, domain::Timestamp)> {
        let says = "the value is not an ISO 8601 date or moment that exists";
        let day = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10);
        let found = match day {
            Some(day) => day_of(day, &self.zone),
            None => self.moments.parse(text).ok(),
        };
        found.ok_or_else(|| FileError::value(says).column("BookgDt"))
    }

    fn end_statement(&mut self) -> Result<()> {
        self.checked &= self.totals.check()?;
        Ok(())
    }

    fn finish(mut self, line: u32) -> Result<Statement> {
        if !self.path.is_empty() {
            return Err(FileError::malformed("the file is cut off; download it again").at(line));
        }
        if !self.seen {
            return Err(FileError::malformed(
                "the file has no statement (BkToCstmrStmt/Stmt): is it camt.053?",
            ));
        }
        self.statement.totals_checked = self.checked;
        Ok(self.statement)
    }
}

impl Totals {
    fn add(&mut self, amount: i64, credit: bool) -> Result<()> {
        let side = usize::from(!credit);
        let signed = if credit { amount } else { -amount };
        self.net = self.net.checked_add(signed).ok_or_else(beyond)?;
        self.count[side] = self.count[side].saturating_add(1);
        self.sum[side] = self.sum[side].checked_add(amount).ok_or_else(beyond)?;
        Ok(())
    }

    /// Whether there was anything to check against.
    fn check(&self) -> Result<bool> {
        let wrong = |what: &str| {
            let text = "the statement's totals do not agree with its bookings: bookings are missing or were \
                        changed; download it again";
            Err(FileError::new(Problem::Totals, text).column(what))
        };
        let balances = self.opening.zip(self.closing);
        if let Some((opening, closing)) = balances
            && opening.checked_add(self.net) != Some(closing)
        {
            return wrong("Bal");
        }
        let [credits, debits] = [0, 1].map(|side| (self.count[side], self.sum[side]));
        let both = (credits.0.saturating_add(debits.0), credits.1.checked_add(debits.1).ok_or_else(beyond)?);
        for (stated, (count, sum), name) in
            [(ALL, both, "TtlNtries"), (CREDITS, credits, "TtlCdtNtries"), (DEBITS, debits, "TtlDbtNtries")]
        {
            let (stated_count, stated_sum) = self.stated[stated];
            if stated_count.is_some_and(|n| n != count) || stated_sum.is_some_and(|n| n != sum) {
                return wrong(name);
            }
        }
        Ok(balances.is_some() || self.stated.iter().any(|(count, sum)| count.is_some() || sum.is_some()))
    }
}

fn first<'a>(candidates: &[&'a str]) -> &'a str {
    candidates.iter().find(|text| !text.is_empty()).copied().unwrap_or("")
}

fn direction(text: &str) -> Result<bool> {
    match text {
        "CRDT" => Ok(true),
        "DBIT" => Ok(false),
        _ => Err(FileError::value("the direction is neither CRDT nor DBIT").column("CdtDbtInd")),
    }
}

fn status(text: &str) -> Result<LineStatus> {
    match text {
        "BOOK" => Ok(LineStatus::Succeeded),
        "PDNG" | "FUTR" | "INFO" => Ok(LineStatus::Pending),
        _ => Err(FileError::value("the status is none of BOOK, PDNG, FUTR and INFO").column("Sts")),
    }
}

fn not_utf8() -> FileError {
    FileError::malformed("the file is not UTF-8; ask the bank for UTF-8")
}

fn beyond() -> FileError {
    FileError::new(Problem::Totals, "the bookings add up to more than 64 bits hold")
}

/// Counts lines, and refuses tags and texts that never end: the parser would keep them in memory.
struct Counted<R> {
    inner: R,
    line: u32,
    since_bracket: usize,
    bound: usize,
}

impl<R> Counted<R> {
    fn new(inner: R, bound: usize) -> Self {
        Self { inner, line: 1, since_bracket: 0, bound }
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let available = self.fill_buf()?;
        let size = available.len().min(buffer.len());
        buffer[..size].copy_from_slice(&available[..size]);
        self.consume(size);
        Ok(size)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.since_bracket > self.bound {
            let text = format!("a tag or a text is longer than {} bytes", self.bound);
            return Err(std::io::Error::other(FileError::too_large(text).at(self.line)));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, size: usize) {
        if let Ok(buffer) = self.inner.fill_buf() {
            for byte in &buffer[..size.min(buffer.len())] {
                match byte {
                    b'\n' => self.line = self.line.saturating_add(1),
                    b'<' | b'>' => {
                        self.since_bracket = 0;
                        continue;
                    }
                    _ => {}
                }
                self.since_bracket += 1;
            }
        }
        self.inner.consume(size);
    }
}
