//! Reading a row's columns and binding a statement's parameters one after the other, in one declared
//! order, so that a long row is never addressed by magic numbers.

use domain::{Amount, Timestamp};
use rusqlite::{Row, Statement, ToSql, types::ValueRef};
use storage::Result;

use crate::error::{IntoStorage, corrupt};

/// The columns of a row, from the first on.
pub(crate) struct Fields<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Fields<'r, 's> {
    pub(crate) fn new(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    fn value(&mut self) -> Result<ValueRef<'r>> {
        let value = self.row.get_ref(self.next).stored()?;
        self.next += 1;
        Ok(value)
    }

    fn damaged<T>(&self) -> Result<T> {
        let name = self.row.as_ref().column_name(self.next - 1).unwrap_or("?");
        Err(corrupt(format!("column {name} holds an unexpected value")))
    }

    pub(crate) fn opt_int(&mut self) -> Result<Option<i64>> {
        match self.value()? {
            ValueRef::Integer(number) => Ok(Some(number)),
            ValueRef::Null => Ok(None),
            _ => self.damaged(),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64> {
        match self.value()? {
            ValueRef::Integer(number) => Ok(number),
            _ => self.damaged(),
        }
    }

    /// An integer of a narrower type.
    pub(crate) fn narrow<T: TryFrom<i64>>(&mut self) -> Result<T> {
        let number = self.int()?;
        T::try_from(number).or_else(|_| self.damaged())
    }

    pub(crate) fn opt_narrow<T: TryFrom<i64>>(&mut self) -> Result<Option<T>> {
        let Some(number) = self.opt_int()? else { return Ok(None) };
        T::try_from(number).map(Some).or_else(|_| self.damaged())
    }

    pub(crate) fn amount(&mut self) -> Result<Amount> {
        self.narrow()
    }

    pub(crate) fn opt_amount(&mut self) -> Result<Option<Amount>> {
        self.opt_narrow()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp> {
        self.int().map(Timestamp::from_micros)
    }

    pub(crate) fn opt_time(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.opt_int()?.map(Timestamp::from_micros))
    }

    pub(crate) fn opt_text(&mut self) -> Result<Option<&'r str>> {
        match self.value()? {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).map(Some).or_else(|_| self.damaged()),
            ValueRef::Null => Ok(None),
            _ => self.damaged(),
        }
    }

    pub(crate) fn text(&mut self) -> Result<&'r str> {
        match self.opt_text()? {
            Some(text) => Ok(text),
            None => self.damaged(),
        }
    }

    pub(crate) fn opt_blob(&mut self) -> Result<Option<&'r [u8]>> {
        match self.value()? {
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            ValueRef::Null => Ok(None),
            _ => self.damaged(),
        }
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.opt_blob()?.map(<[u8; N]>::try_from) {
            Some(Ok(bytes)) => Ok(bytes),
            _ => self.damaged(),
        }
    }

    /// A value that is stored under a number of its own.
    pub(crate) fn coded<T>(&mut self, decode: impl FnOnce(i64) -> Option<T>) -> Result<T> {
        let number = self.int()?;
        match decode(number) {
            Some(value) => Ok(value),
            None => self.damaged(),
        }
    }

    /// A value that is stored under a name of its own.
    pub(crate) fn named<T>(&mut self, decode: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        match decode(self.text()?) {
            Some(value) => Ok(value),
            None => self.damaged(),
        }
    }
}

/// The parameters of a statement, from the first on.
pub(crate) struct Binder<'a, 'c> {
    statement: &'a mut Statement<'c>,
    next: usize,
}

impl<'a, 'c> Binder<'a, 'c> {
    pub(crate) fn new(statement: &'a mut Statement<'c>) -> Self {
        Self { statement, next: 1 }
    }

    pub(crate) fn put(&mut self, value: impl ToSql) -> Result<&mut Self> {
        self.statement.raw_bind_parameter(self.next, value).stored()?;
        self.next += 1;
        Ok(self)
    }

    /// Runs the statement and returns how many rows it changed.
    pub(crate) fn run(&mut self) -> rusqlite::Result<usize> {
        self.statement.raw_execute()
    }
}
