//! Rows in the order of a key, to be merged with other streams of the same order. They are fetched in
//! portions, so that several streams can be read side by side on one snapshot and none is held in memory.

use std::vec::IntoIter;

use storage::Result;
use tokio_postgres::{Portal, Row, Transaction};

use crate::{error::IntoStorage, fields::Fields, session::Param};

/// Rows that are fetched at once.
const PORTION: i32 = 5_000;

/// Reads a row that is one sum.
pub(crate) fn read_sum(fields: &mut Fields<'_>) -> Result<i64> {
    fields.int()
}

/// Rows of a statement, a portion at a time.
pub(crate) struct Rows<'t> {
    tx: &'t Transaction<'t>,
    portal: Portal,
    portion: IntoIter<Row>,
    ended: bool,
}

impl<'t> Rows<'t> {
    pub(crate) async fn new(tx: &'t Transaction<'t>, sql: &str, params: &[Param<'_>]) -> Result<Self> {
        let portal = tx.bind(sql, params).await.stored()?;
        Ok(Self { tx, portal, portion: Vec::new().into_iter(), ended: false })
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Row>> {
        if let Some(row) = self.portion.next() {
            return Ok(Some(row));
        }
        if self.ended {
            return Ok(None);
        }
        let portion = self.tx.query_portal(&self.portal, PORTION).await.stored()?;
        self.ended = portion.is_empty();
        self.portion = portion.into_iter();
        Ok(self.portion.next())
    }
}

/// A stream with its next row at hand.
pub(crate) struct Stream<'t, T> {
    rows: Rows<'t>,
    read: fn(&mut Fields<'_>) -> Result<T>,
    head: Option<(i64, T)>,
}

impl<'t, T> Stream<'t, T> {
    /// The first column of each row is the key; `read` reads the rest.
    pub(crate) async fn new(
        tx: &'t Transaction<'t>,
        sql: &str,
        params: &[Param<'_>],
        read: fn(&mut Fields<'_>) -> Result<T>,
    ) -> Result<Self> {
        let mut stream = Self { rows: Rows::new(tx, sql, params).await?, read, head: None };
        stream.advance().await?;
        Ok(stream)
    }

    async fn advance(&mut self) -> Result<Option<(i64, T)>> {
        let next = match self.rows.next().await? {
            Some(row) => {
                let mut fields = Fields::new(&row);
                Some((fields.int()?, (self.read)(&mut fields)?))
            }
            None => None,
        };
        Ok(std::mem::replace(&mut self.head, next))
    }

    /// The next row if its key is below `key`: one that nothing belongs to.
    pub(crate) async fn stray(&mut self, key: i64) -> Result<Option<(i64, T)>> {
        match &self.head {
            Some((head, _)) if *head < key => self.advance().await,
            _ => Ok(None),
        }
    }

    /// The next row if it has this key.
    pub(crate) async fn at(&mut self, key: i64) -> Result<Option<T>> {
        match &self.head {
            Some((head, _)) if *head == key => Ok(self.advance().await?.map(|(_, row)| row)),
            _ => Ok(None),
        }
    }

    /// The next row, whatever its key.
    pub(crate) async fn any(&mut self) -> Result<Option<(i64, T)>> {
        self.advance().await
    }
}
