//! What accounting asks: the journal by business day (derived from the log), the age of what is on cards, and
//! what finance enters.

mod figures;
mod journal;

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{IssuerId, ProgramId, Timestamp, account::AccountKind, lot::LotSource};
use rusqlite::Connection;
use storage::{
    AGE_BOUNDS, AccountingStore, AgedValue, BalanceLine, Days, Figure, FigureKind, JournalLine, JournalTotal,
    Result, RollUp, Setting,
};

use crate::{SqliteStore, error::IntoStorage, fields::Fields, ledger, lots};

pub(crate) use journal::differences;

#[async_trait]
impl AccountingStore for SqliteStore {
    async fn roll_up_journal(&self, limit: usize) -> Result<RollUp> {
        journal::roll_up(self, limit).await
    }

    async fn journal(&self, issuer: IssuerId, days: Days) -> Result<Vec<JournalLine>> {
        self.long(move |connection| journal::lines(connection, issuer, days)).await
    }

    async fn journal_totals(&self, issuer: IssuerId, days: Days) -> Result<Vec<JournalTotal>> {
        self.long(move |connection| journal::totals(connection, issuer, days)).await
    }

    async fn balances_of_kind(
        &self,
        issuer: IssuerId,
        kind: AccountKind,
        before: Timestamp,
    ) -> Result<Vec<BalanceLine>> {
        self.long(move |connection| ledger::balances(connection, issuer, Some(kind), Some(before))).await
    }

    async fn ageing(&self, issuer: IssuerId, bounds: [Timestamp; AGE_BOUNDS]) -> Result<Vec<AgedValue>> {
        self.long(move |connection| ageing(connection, issuer, &bounds)).await
    }

    async fn enter_figure(&self, figure: &Figure) -> Result<Figure> {
        let figure = figure.clone();
        self.write_or_not(move |connection| figures::enter(connection, &figure)).await
    }

    async fn figures(&self, issuer: IssuerId, kind: FigureKind, from: i32, to: i32) -> Result<Vec<Figure>> {
        self.long(move |connection| figures::newest(connection, issuer, kind, from, to)).await
    }

    async fn enter_setting(&self, setting: &Setting) -> Result<Setting> {
        let setting = setting.clone();
        self.write_or_not(move |connection| figures::enter_setting(connection, &setting)).await
    }

    async fn setting(&self, issuer: IssuerId, name: &str) -> Result<Option<Setting>> {
        let name = name.to_owned();
        self.long(move |connection| figures::setting(connection, issuer, &name)).await
    }
}

/// Walks all cards once. Lots are read here rather than by SQL: that takes a third of the time, and a sum
/// that is too large is an error of its own instead of one that stops the process.
const AGED: &str = "SELECT program_id, coalesce(activated_at, created_at), lots FROM card \
     WHERE issuer_id = ?1 AND lots <> '[]'";

fn ageing(
    connection: &Connection,
    issuer: IssuerId,
    bounds: &[Timestamp; AGE_BOUNDS],
) -> Result<Vec<AgedValue>> {
    let mut statement = connection.prepare_cached(AGED).stored()?;
    let mut rows = statement.query([issuer.get()]).stored()?;
    let mut sums: BTreeMap<(i64, LotSource, usize), (i64, i64, i64)> = BTreeMap::new();
    while let Some(row) = rows.next().stored()? {
        let mut f = Fields::new(row);
        let (program, since) = (f.int()?, f.time()?);
        let age = bounds.iter().filter(|bound| since < **bound).count();
        let lots = lots::decode(f.text()?)?;
        for source in LotSource::ALL {
            let (mut remaining, mut claimable) = (0, 0);
            for lot in lots.iter().filter(|lot| lot.source == source) {
                ledger::add(&mut remaining, lot.remaining.get())?;
                ledger::add(&mut claimable, if lot.expired_to_breakage { 0 } else { lot.expired.get() })?;
            }
            if remaining != 0 || claimable != 0 {
                let sum = sums.entry((program, source, age)).or_default();
                ledger::add(&mut sum.0, 1)?;
                ledger::add(&mut sum.1, remaining)?;
                ledger::add(&mut sum.2, claimable)?;
            }
        }
    }
    let shown = |((program, source, age), (cards, remaining, claimable))| AgedValue {
        program: ProgramId::new(program),
        source,
        age,
        cards,
        remaining,
        claimable,
    };
    Ok(sums.into_iter().map(shown).collect())
}
