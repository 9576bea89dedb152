//! The formats that are read, and the one entry to all of them.

use std::io::{Read, Seek};

use domain::Currency;
use jiff::tz::TimeZone;

use crate::{
    Limits, Mapping, Problem, Statement, alipay, camt,
    csv::Csv,
    error::{FileError, Result},
    mapping,
    text::Bounded,
    wechat, xlsx,
};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Separated values, by a mapping.
    Csv,
    /// A sheet of a workbook, by a mapping.
    Xlsx,
    /// A bank statement, ISO 20022 camt.053.
    Camt053,
    /// The trade bill of WeChat Pay.
    Wechat,
    /// The bill of Alipay, in its zip archive or unpacked.
    Alipay,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Xlsx, Self::Camt053, Self::Wechat, Self::Alipay];

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Camt053 => "camt.053",
            Self::Wechat => "wechat",
            Self::Alipay => "alipay",
        }
    }

    /// The format with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Whether it says nothing about its columns, so that a mapping has to.
    pub const fn needs_mapping(self) -> bool {
        matches!(self, Self::Csv | Self::Xlsx)
    }
}

/// What is known about a file beside its content.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The currency of its amounts.
    pub currency: Currency,
    /// The time zone of its moments, where neither the format nor the mapping says another.
    pub zone: TimeZone,
    /// What its columns mean.
    pub mapping: Option<Mapping>,
    /// How much is taken in.
    pub limits: Limits,
}

/// Reads a file to its end.
pub fn read<R: Read + Seek>(format: Format, file: R, settings: &Settings) -> Result<Statement> {
    let limits = &settings.limits;
    let context = (settings.currency, &settings.zone);
    let mapping = || {
        settings.mapping.as_ref().ok_or_else(|| {
            FileError::settings(format!(
                "{} files need a mapping that says which column is what",
                format.name()
            ))
        })
    };
    let statement = match format {
        Format::Csv => {
            let mapping = mapping()?;
            mapping.check()?;
            let bytes = Bounded::new(file, limits.file_bytes, "the file is too large");
            let mut csv = Csv::new(bytes, mapping.encoding, mapping.separator()?, limits);
            mapping::lines(&mut csv, mapping, context, &[], limits)
        }
        Format::Xlsx => xlsx::read(file, mapping()?, context, limits),
        Format::Camt053 => {
            camt::read(Bounded::new(file, limits.file_bytes, "the file is too large"), context, limits)
        }
        Format::Wechat => {
            wechat::read(Bounded::new(file, limits.file_bytes, "the file is too large"), context, limits)
        }
        Format::Alipay => alipay::read(file, context, limits),
    }?;
    if statement.sum().is_none() {
        return Err(FileError::new(Problem::Totals, "the lines add up to more than 64 bits hold"));
    }
    Ok(statement)
}
