//! The first pass: checks every row and writes nothing.

use std::{collections::HashSet, path::Path};

use domain::{Amount, BatchId, Program, command::NumberIndex};
use engine::Engine;
use vault::CardNumber;

use super::{
    adopt::batch_key,
    file::Rows,
    row::{Row, RowRules},
};
use crate::{failure::Result, progress::Progress};

/// The most bad rows that are named.
const MAX_NAMED: usize = 1000;

/// A bad row.
pub(super) struct Bad {
    pub(super) line: u64,
    pub(super) reason: String,
}

/// What the first pass found.
pub(super) struct Checked {
    pub(super) rows: u64,
    /// The sum of all balances.
    pub(super) total: Amount,
    /// Rows whose card is here already, from this very file.
    pub(super) known: u64,
    pub(super) bad_count: u64,
    pub(super) bad: Vec<Bad>,
    /// The digest of the whole file.
    pub(super) digest: [u8; 32],
}

impl Checked {
    fn refuse(&mut self, line: u64, reason: impl Into<String>) {
        self.bad_count += 1;
        if self.bad.len() < MAX_NAMED {
            self.bad.push(Bad { line, reason: reason.into() });
        }
    }
}

/// Checks every row.
pub(super) async fn check(
    engine: &Engine,
    path: &Path,
    program: &Program,
    rules: &RowRules<'_>,
) -> Result<Checked> {
    let digest = digest_of(path).await?;
    let batch =
        engine.store().batch_by_key(domain::command::SYSTEM_CLIENT, &batch_key(program, &digest)).await?;
    let mut pass = Pass {
        engine,
        batch: batch.map(|batch| batch.id),
        seen: HashSet::new(),
        found: Checked { rows: 0, total: Amount::ZERO, known: 0, bad_count: 0, bad: Vec::new(), digest },
    };
    let progress = Progress::new("rows checked", None);
    let mut rows = Rows::open(path)?;
    while let Some((line, columns, record)) = rows.next()? {
        match rules.read(columns, record) {
            Ok(row) => pass.check(line, &row).await?,
            Err(reason) => pass.found.refuse(line, reason),
        }
        pass.found.rows += 1;
        progress.add(1);
    }
    progress.finish();
    if pass.found.rows == 0 {
        pass.found.refuse(2, "there are no rows");
    }
    Ok(pass.found)
}

async fn digest_of(path: &Path) -> Result<[u8; 32]> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let mut rows = Rows::open(&path)?;
        while rows.next()?.is_some() {}
        Ok(rows.digest())
    });
    read.await?
}

struct Pass<'a> {
    engine: &'a Engine,
    /// The batch of this file, if its import was begun before.
    batch: Option<BatchId>,
    seen: HashSet<[u8; 16]>,
    found: Checked,
}

impl Pass<'_> {
    async fn check(&mut self, line: u64, row: &Row) -> Result {
        if !self.seen.insert(self.engine.vault().index(&row.number)) {
            self.found.refuse(line, "number: occurs twice in this file");
            return Ok(());
        }
        match self.found.total.checked_add(row.balance) {
            Some(total) => self.found.total = total,
            None => self.found.refuse(line, format!("balance: all balances together exceed {}", Amount::MAX)),
        }
        match card_with(self.engine, &row.number).await? {
            Some(card) if card.batch.is_some() && card.batch == self.batch => self.found.known += 1,
            Some(_) => self.found.refuse(line, "number: a card has it already"),
            None => {}
        }
        Ok(())
    }
}

/// The card that has this number, under whichever key it is indexed.
pub(super) async fn card_with(engine: &Engine, number: &CardNumber) -> Result<Option<domain::Card>> {
    let indexes: Vec<NumberIndex> = engine.vault().indexes(number).map(|(_, i)| NumberIndex(i)).collect();
    Ok(engine.store().card_by_number(&indexes).await?)
}
