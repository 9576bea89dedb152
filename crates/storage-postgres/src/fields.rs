//! Reading a row's columns one after the other, in one declared order, so that a long row is never
//! addressed by magic numbers.

use domain::{Amount, Timestamp};
use storage::Result;
use tokio_postgres::{
    Row,
    types::{FromSql, Type},
};

use crate::error::corrupt;

/// The columns of a row, from the first on.
pub(crate) struct Fields<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Fields<'r> {
    pub(crate) fn new(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    fn value<T: FromSql<'r>>(&mut self) -> Result<Option<T>> {
        let found = self.row.try_get::<usize, Option<T>>(self.next);
        self.next += 1;
        found.or_else(|_| self.damaged())
    }

    fn damaged<T>(&self) -> Result<T> {
        let name = self.row.columns().get(self.next - 1).map_or("?", |column| column.name());
        Err(corrupt(format!("column {name} holds an unexpected value")))
    }

    /// Passes over columns.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    /// An integer of any width.
    pub(crate) fn opt_int(&mut self) -> Result<Option<i64>> {
        match self.row.columns().get(self.next).map(tokio_postgres::Column::type_) {
            Some(kind) if *kind == Type::INT4 => Ok(self.value::<i32>()?.map(i64::from)),
            Some(kind) if *kind == Type::INT2 => Ok(self.value::<i16>()?.map(i64::from)),
            _ => self.value::<i64>(),
        }
    }

    fn present<T>(&self, found: Option<T>) -> Result<T> {
        match found {
            Some(value) => Ok(value),
            None => self.damaged(),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64> {
        let found = self.opt_int()?;
        self.present(found)
    }

    pub(crate) fn boolean(&mut self) -> Result<bool> {
        let found = self.value()?;
        self.present(found)
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
        self.value()
    }

    pub(crate) fn text(&mut self) -> Result<&'r str> {
        let found = self.opt_text()?;
        self.present(found)
    }

    pub(crate) fn opt_blob(&mut self) -> Result<Option<&'r [u8]>> {
        self.value()
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
