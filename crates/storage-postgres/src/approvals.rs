//! Approvals, and what users use up of their limits. Counting takes a lock of the maker that ends with its
//! transaction, so that what was counted on another node is seen before anything is decided here.

use async_trait::async_trait;
use domain::{ApprovalId, BusinessDate, ClientId, Currency, IssuerId, Timestamp, role::LimitKind};
use storage::{
    Approval, ApprovalEvent, ApprovalFilter, ApprovalState, ApprovalStore, ApprovalSubject, Counted,
    Counting, Page, Result, StorageError, UseStatus, approval_store::asked,
};
use tokio_postgres::Row;

use crate::{
    PostgresStore,
    error::corrupt,
    fields::Fields,
    jobs::clamp,
    session::Param,
    statements::ended,
    store::{Scope, Writing},
};

macro_rules! columns {
    () => {
        "id, issuer_id, kind, subject, maker_id, body, amount, currency, state, decided_by, decided_at, note, result, \
         failure, created_at, expires_at, version"
    };
}
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM approval ", $rest)
    };
}

/// "APPR" in the two-part keys of advisory locks, with the maker. Two makers under one key only wait.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1095782482, hashint8($1::bigint))";

const USED: &str = "SELECT coalesce(sum(amount), 0)::bigint FROM limit_use \
     WHERE maker_id = $1 AND day = $2 AND kind = $3 AND currency = $4 AND counted";

fn approval(row: &Row) -> Result<Approval> {
    let mut fields = Fields::new(row);
    let f = &mut fields;
    let (id, issuer) = (ApprovalId::new(f.int()?), IssuerId::new(f.int()?));
    f.skip(1);
    Ok(Approval {
        id,
        issuer,
        subject: f.named(ApprovalSubject::from_name)?,
        maker: ClientId::new(f.int()?),
        body: f.text()?.to_owned(),
        amount: f.amount()?,
        currency: f.named(|code| Currency::parse(code).ok())?,
        state: f.named(ApprovalState::from_name)?,
        decided_by: f.opt_int()?.map(ClientId::new),
        decided_at: f.opt_time()?,
        note: f.opt_text()?.map(str::to_owned),
        result: f.opt_text()?.map(str::to_owned),
        failure: f.opt_text()?.map(str::to_owned),
        created_at: f.time()?,
        expires_at: f.time()?,
        version: f.narrow()?,
    })
}

fn event(row: &Row) -> Result<ApprovalEvent> {
    let mut f = Fields::new(row);
    Ok(ApprovalEvent {
        approval: ApprovalId::new(f.int()?),
        version: f.narrow()?,
        at: f.time()?,
        by: f.opt_int()?.map(ClientId::new),
        action: f.text()?.to_owned(),
        note: f.text()?.to_owned(),
    })
}

/// The one number that a statement answers.
fn number(rows: &[Row]) -> Result<i64> {
    let row = rows.first().ok_or_else(|| corrupt("a sum has no row"))?;
    Fields::new(row).int()
}

impl PostgresStore {
    async fn list_approvals(&self, scope: Scope, sql: &str, params: &[Param<'_>]) -> Result<Vec<Approval>> {
        self.one(scope, sql, params).await?.iter().map(approval).collect()
    }
}

#[async_trait]
impl ApprovalStore for PostgresStore {
    async fn count_use(&self, counting: &Counting) -> Result<Counted> {
        let writing = self.writing(Scope::One(counting.approval.issuer)).await?;
        let done = count(&writing, counting).await;
        ended(writing, done).await
    }

    async fn uncount_use(&self, maker: ClientId, key: &str, attempt: u32, status: UseStatus) -> Result<()> {
        let sql = "UPDATE limit_use SET status = $4, counted = false \
                   WHERE maker_id = $1 AND key = $2 AND attempt = $3 AND status = 'through'";
        let writing = self.writing(Scope::All).await?;
        let values: [Param<'_>; 4] = [&maker.get(), &key, &i64::from(attempt), &status.name()];
        let done = writing.execute(sql, &values).await.map(|_| ());
        ended(writing, done).await
    }

    async fn used(
        &self,
        maker: ClientId,
        kind: LimitKind,
        currency: Currency,
        day: BusinessDate,
    ) -> Result<i64> {
        let values: [Param<'_>; 4] = [&maker.get(), &day.get(), &kind.name(), &currency.code()];
        number(&self.one(Scope::All, USED, &values).await?)
    }

    async fn approval(&self, id: ApprovalId) -> Result<Option<Approval>> {
        Ok(self.list_approvals(Scope::All, select!("WHERE id = $1"), &[&id.get()]).await?.pop())
    }

    async fn approvals(
        &self,
        filter: &ApprovalFilter,
        before: Option<ApprovalId>,
        limit: usize,
    ) -> Result<Page<Approval>> {
        let values: [Param<'_>; 6] = [
            &filter.issuer.get(),
            &before.map_or(i64::MAX, ApprovalId::get),
            &filter.kind.map(LimitKind::name),
            &filter.state.map(ApprovalState::name),
            &filter.maker.map(ClientId::get),
            &clamp(limit).saturating_add(1),
        ];
        let mut items = self.list_approvals(Scope::One(filter.issuer), newest(filter), &values).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(|one| one.id.get()) } else { None };
        Ok(Page { items, next })
    }

    async fn pending_approvals(&self, issuer: IssuerId) -> Result<u64> {
        let sql = "SELECT count(*) FROM approval WHERE issuer_id = $1 AND state = 'pending'";
        let count = number(&self.one(Scope::One(issuer), sql, &[&issuer.get()]).await?)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn update_approval(&self, approval: &Approval, event: &ApprovalEvent) -> Result<()> {
        let writing = self.writing(Scope::One(approval.issuer)).await?;
        let done = update(&writing, approval, event).await;
        ended(writing, done).await
    }

    async fn approval_events(&self, id: ApprovalId) -> Result<Vec<ApprovalEvent>> {
        let sql = "SELECT approval_id, version, at, client_id, action, note FROM approval_event \
                   WHERE approval_id = $1 ORDER BY version";
        self.one(Scope::All, sql, &[&id.get()]).await?.iter().map(event).collect()
    }

    async fn overdue_approvals(&self, now: Timestamp, limit: usize) -> Result<Vec<Approval>> {
        let sql = select!("WHERE state = 'pending' AND expires_at <= $1 ORDER BY id LIMIT $2");
        self.list_approvals(Scope::All, sql, &[&now.micros(), &clamp(limit)]).await
    }

    async fn unfinished_approvals(&self, decided_before: Timestamp, limit: usize) -> Result<Vec<Approval>> {
        let sql =
            select!("WHERE state = 'approved' AND result IS NULL AND decided_at < $1 ORDER BY id LIMIT $2");
        self.list_approvals(Scope::All, sql, &[&decided_before.micros(), &clamp(limit)]).await
    }
}

/// The narrowest index that is certain to be small: one maker's, what is pending, or all of the issuer.
fn newest(filter: &ApprovalFilter) -> &'static str {
    match (filter.maker, filter.state) {
        (Some(_), _) => select!(
            "WHERE maker_id = $5::bigint AND issuer_id = $1 AND id < $2 AND ($3::text IS NULL OR kind = $3) \
             AND ($4::text IS NULL OR state = $4) ORDER BY id DESC LIMIT $6"
        ),
        (None, Some(ApprovalState::Pending)) => select!(
            "WHERE issuer_id = $1 AND state = 'pending' AND id < $2 AND ($3::text IS NULL OR kind = $3) \
             AND $4::text IS NOT NULL AND $5::bigint IS NULL ORDER BY id DESC LIMIT $6"
        ),
        (None, _) => select!(
            "WHERE issuer_id = $1 AND id < $2 AND ($3::text IS NULL OR kind = $3) \
             AND ($4::text IS NULL OR state = $4) AND $5::bigint IS NULL ORDER BY id DESC LIMIT $6"
        ),
    }
}

/// The request that was counted under a key, if there is one.
async fn earlier(writing: &Writing, maker: ClientId, key: &str) -> Result<Option<Counted>> {
    let sql = "SELECT id, fingerprint_key_id, fingerprint, status, attempt FROM limit_use \
               WHERE maker_id = $1 AND key = $2";
    let found = writing.query(sql, &[&maker.get(), &key]).await?;
    let read = |row: &Row| {
        let mut f = Fields::new(row);
        Ok(Counted {
            id: ApprovalId::new(f.int()?),
            fingerprint: (f.narrow()?, f.bytes()?),
            status: f.named(UseStatus::from_name)?,
            attempt: f.narrow()?,
            before: true,
        })
    };
    found.first().map(read).transpose()
}

async fn count(writing: &Writing, counting: &Counting) -> Result<Counted> {
    let maker = counting.approval.maker;
    // Each statement after this one sees what was committed while it waited.
    writing.query(LOCK, &[&maker.get()]).await?;
    let earlier = earlier(writing, maker, &counting.key).await?;
    let attempt = earlier.as_ref().map_or(1, |earlier| earlier.attempt.saturating_add(1));
    if let Some(earlier) = earlier.filter(|earlier| earlier.status != UseStatus::Released) {
        let sql = "UPDATE limit_use SET attempt = $3 WHERE maker_id = $1 AND key = $2";
        writing.execute(sql, &[&maker.get(), &counting.key, &i64::from(attempt)]).await?;
        return Ok(Counted { attempt, ..earlier });
    }
    decide(writing, counting, attempt).await
}

async fn decide(writing: &Writing, counting: &Counting, attempt: u32) -> Result<Counted> {
    let asked_for = &counting.approval;
    let (kind, currency) = (asked_for.kind().name(), asked_for.currency.code());
    let day: [Param<'_>; 4] = [&asked_for.maker.get(), &counting.day.get(), &kind, &currency];
    let already = number(&writing.query(USED, &day).await?)?;
    let within = counting.is_within(already);
    let status = if within { UseStatus::Through } else { UseStatus::Approval };
    let sql = "INSERT INTO limit_use (maker_id, key, id, issuer_id, fingerprint_key_id, fingerprint, kind, currency, \
               day, amount, counted, status, attempt) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, true, $11, $12) \
               ON CONFLICT (maker_id, key) DO UPDATE SET id = excluded.id, \
               fingerprint_key_id = excluded.fingerprint_key_id, fingerprint = excluded.fingerprint, \
               kind = excluded.kind, currency = excluded.currency, day = excluded.day, amount = excluded.amount, \
               counted = true, status = excluded.status, attempt = excluded.attempt";
    let values: [Param<'_>; 12] = [
        &asked_for.maker.get(),
        &counting.key,
        &asked_for.id.get(),
        &asked_for.issuer.get(),
        &i16::from(counting.fingerprint.0),
        &&counting.fingerprint.1[..],
        &kind,
        &currency,
        &counting.day.get(),
        &asked_for.amount.get(),
        &status.name(),
        &i64::from(attempt),
    ];
    writing.execute(sql, &values).await?;
    if !within {
        insert(writing, asked_for).await?;
        insert_event(writing, asked_for.issuer, &asked(asked_for)).await?;
    }
    Ok(Counted { id: asked_for.id, fingerprint: counting.fingerprint, status, attempt, before: false })
}

async fn insert(writing: &Writing, approval: &Approval) -> Result<()> {
    let sql = concat!(
        "INSERT INTO approval (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
    );
    let values: [Param<'_>; 17] = [
        &approval.id.get(),
        &approval.issuer.get(),
        &approval.kind().name(),
        &approval.subject.name(),
        &approval.maker.get(),
        &approval.body,
        &approval.amount.get(),
        &approval.currency.code(),
        &approval.state.name(),
        &approval.decided_by.map(ClientId::get),
        &approval.decided_at.map(Timestamp::micros),
        &approval.note,
        &approval.result,
        &approval.failure,
        &approval.created_at.micros(),
        &approval.expires_at.micros(),
        &i64::from(approval.version),
    ];
    writing.execute_unique(sql, &values, "id").await.map(|_| ())
}

async fn insert_event(writing: &Writing, issuer: IssuerId, event: &ApprovalEvent) -> Result<()> {
    let sql = "INSERT INTO approval_event (approval_id, version, issuer_id, at, client_id, action, note) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values: [Param<'_>; 7] = [
        &event.approval.get(),
        &i64::from(event.version),
        &issuer.get(),
        &event.at.micros(),
        &event.by.map(ClientId::get),
        &event.action,
        &event.note,
    ];
    writing.execute_unique(sql, &values, "version").await.map(|_| ())
}

async fn update(writing: &Writing, approval: &Approval, event: &ApprovalEvent) -> Result<()> {
    let sql = "UPDATE approval SET state = $2, decided_by = $3, decided_at = $4, note = $5, result = $6, failure = $7, \
               version = $8::bigint WHERE id = $1 AND version = $8::bigint - 1";
    let values: [Param<'_>; 8] = [
        &approval.id.get(),
        &approval.state.name(),
        &approval.decided_by.map(ClientId::get),
        &approval.decided_at.map(Timestamp::micros),
        &approval.note,
        &approval.result,
        &approval.failure,
        &i64::from(approval.version),
    ];
    if writing.execute(sql, &values).await? != 1 {
        return Err(StorageError::Conflict { what: "version" });
    }
    let sql = "UPDATE limit_use SET counted = $2 WHERE id = $1";
    writing.execute(sql, &[&approval.id.get(), &approval.state.counts()]).await?;
    insert_event(writing, approval.issuer, event).await
}
