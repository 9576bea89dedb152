//! What accounting asks: the journal by business day (derived from the log), the age of what is on cards, and
//! what finance enters.

mod figures;
mod journal;

use async_trait::async_trait;
use domain::{IssuerId, ProgramId, Timestamp, account::AccountKind, lot::LotSource};
use storage::{
    AGE_BOUNDS, AccountingStore, AgedValue, BalanceLine, Days, Figure, FigureKind, JournalLine, JournalTotal,
    Result, RollUp, Setting,
};

use crate::{PostgresStore, error::corrupt, fields::Fields, ledger, store::Scope};

pub(crate) use journal::{FOLLOWING, differences};

#[async_trait]
impl AccountingStore for PostgresStore {
    async fn roll_up_journal(&self, limit: usize) -> Result<RollUp> {
        journal::roll_up(self, limit).await
    }

    async fn journal(&self, issuer: IssuerId, days: Days) -> Result<Vec<JournalLine>> {
        journal::lines(self, issuer, days).await
    }

    async fn journal_totals(&self, issuer: IssuerId, days: Days) -> Result<Vec<JournalTotal>> {
        journal::totals(self, issuer, days).await
    }

    async fn balances_of_kind(
        &self,
        issuer: IssuerId,
        kind: AccountKind,
        before: Timestamp,
    ) -> Result<Vec<BalanceLine>> {
        ledger::balances(self, issuer, Some(kind), Some(before)).await
    }

    async fn ageing(&self, issuer: IssuerId, bounds: [Timestamp; AGE_BOUNDS]) -> Result<Vec<AgedValue>> {
        let moments = bounds.map(Timestamp::micros);
        let rows = self.one(Scope::One(issuer), AGED, &[&issuer.get(), &moments.as_slice()]).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut f = Fields::new(row);
            found.push(AgedValue {
                program: ProgramId::new(f.int()?),
                source: f.named(LotSource::from_name)?,
                age: usize::try_from(f.int()?).map_err(|_| corrupt("an age is negative"))?,
                cards: f.int()?,
                remaining: f.int()?,
                claimable: f.int()?,
            });
        }
        found.sort_unstable();
        Ok(found)
    }

    async fn enter_figure(&self, figure: &Figure) -> Result<Figure> {
        figures::enter(self, figure).await
    }

    async fn figures(&self, issuer: IssuerId, kind: FigureKind, from: i32, to: i32) -> Result<Vec<Figure>> {
        figures::newest(self, issuer, kind, from, to).await
    }

    async fn enter_setting(&self, setting: &Setting) -> Result<Setting> {
        figures::enter_setting(self, setting).await
    }

    async fn setting(&self, issuer: IssuerId, name: &str) -> Result<Option<Setting>> {
        figures::setting(self, issuer, name).await
    }
}

/// Walks all cards once. `$2` are the moments that part the ages, the newest first.
const AGED: &str = "WITH lots AS ( \
         SELECT c.id, c.program_id, item.value ->> 1 AS source, \
             (SELECT count(*) FROM unnest($2::bigint[]) AS bound \
                 WHERE coalesce(c.activated_at, c.created_at) < bound) AS age, \
             (item.value ->> 4)::bigint AS remaining, \
             CASE WHEN (item.value ->> 6)::integer = 0 THEN (item.value ->> 5)::bigint ELSE 0 END AS claimable \
         FROM card c CROSS JOIN LATERAL jsonb_array_elements(c.lots::jsonb) AS item (value) \
         WHERE c.issuer_id = $1 AND c.lots <> '[]') \
     SELECT program_id, source, age, count(DISTINCT id), sum(remaining)::bigint, sum(claimable)::bigint \
     FROM lots WHERE remaining <> 0 OR claimable <> 0 GROUP BY 1, 2, 3";
