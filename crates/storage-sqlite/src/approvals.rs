//! Approvals, and what users use up of their limits. The one writer makes counting and deciding one step.

use async_trait::async_trait;
use domain::{ApprovalId, BusinessDate, ClientId, Currency, IssuerId, Timestamp, role::LimitKind};
use rusqlite::{Connection, OptionalExtension, params};
use storage::{
    Approval, ApprovalEvent, ApprovalFilter, ApprovalState, ApprovalStore, ApprovalSubject, Counted,
    Counting, Page, Result, StorageError, UseStatus, approval_store::asked,
};

use crate::{SqliteStore, error::IntoStorage, fields::Fields, jobs::clamp, statements::list};

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

const USED: &str = "SELECT coalesce(sum(amount), 0) FROM limit_use \
     WHERE maker_id = ?1 AND day = ?2 AND kind = ?3 AND currency = ?4 AND counted = 1";

fn approval(f: &mut Fields<'_, '_>) -> Result<Approval> {
    let (id, issuer) = (ApprovalId::new(f.int()?), IssuerId::new(f.int()?));
    f.text()?;
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

fn event(f: &mut Fields<'_, '_>) -> Result<ApprovalEvent> {
    Ok(ApprovalEvent {
        approval: ApprovalId::new(f.int()?),
        version: f.narrow()?,
        at: f.time()?,
        by: f.opt_int()?.map(ClientId::new),
        action: f.text()?.to_owned(),
        note: f.text()?.to_owned(),
    })
}

fn one(connection: &Connection, id: ApprovalId) -> Result<Option<Approval>> {
    Ok(list(connection, select!("WHERE id = ?1"), [id.get()], approval)?.pop())
}

#[async_trait]
impl ApprovalStore for SqliteStore {
    async fn count_use(&self, counting: &Counting) -> Result<Counted> {
        let counting = counting.clone();
        self.write(move |connection| count(connection, &counting)).await
    }

    async fn uncount_use(&self, maker: ClientId, key: &str, attempt: u32, status: UseStatus) -> Result<()> {
        let key = key.to_owned();
        let sql = "UPDATE limit_use SET status = ?4, counted = 0 \
                   WHERE maker_id = ?1 AND key = ?2 AND attempt = ?3 AND status = 'through'";
        self.write(move |connection| {
            connection.execute(sql, params![maker.get(), key, attempt, status.name()]).stored().map(|_| ())
        })
        .await
    }

    async fn used(
        &self,
        maker: ClientId,
        kind: LimitKind,
        currency: Currency,
        day: BusinessDate,
    ) -> Result<i64> {
        self.point(|connection| used(connection, maker, (kind, currency, day))).await
    }

    async fn approval(&self, id: ApprovalId) -> Result<Option<Approval>> {
        self.point(|connection| one(connection, id)).await
    }

    async fn approvals(
        &self,
        filter: &ApprovalFilter,
        before: Option<ApprovalId>,
        limit: usize,
    ) -> Result<Page<Approval>> {
        let filter = *filter;
        self.long(move |connection| newest(connection, &filter, before, limit)).await
    }

    async fn pending_approvals(&self, issuer: IssuerId) -> Result<u64> {
        let sql = "SELECT count(*) FROM approval WHERE issuer_id = ?1 AND state = 'pending'";
        self.point(|connection| {
            connection.query_row(sql, [issuer.get()], |row| row.get::<_, i64>(0)).stored()
        })
        .await
        .map(|count| u64::try_from(count).unwrap_or(0))
    }

    async fn update_approval(&self, approval: &Approval, event: &ApprovalEvent) -> Result<()> {
        let (approval, event) = (approval.clone(), event.clone());
        self.write(move |connection| update(connection, &approval, &event)).await
    }

    async fn approval_events(&self, id: ApprovalId) -> Result<Vec<ApprovalEvent>> {
        let sql = "SELECT approval_id, version, at, client_id, action, note FROM approval_event \
                   WHERE approval_id = ?1 ORDER BY version";
        self.long(move |connection| list(connection, sql, [id.get()], event)).await
    }

    async fn overdue_approvals(&self, now: Timestamp, limit: usize) -> Result<Vec<Approval>> {
        let sql = select!("WHERE state = 'pending' AND expires_at <= ?1 ORDER BY id LIMIT ?2");
        self.long(move |connection| list(connection, sql, [now.micros(), clamp(limit)], approval)).await
    }

    async fn unfinished_approvals(&self, decided_before: Timestamp, limit: usize) -> Result<Vec<Approval>> {
        let sql =
            select!("WHERE state = 'approved' AND result IS NULL AND decided_at < ?1 ORDER BY id LIMIT ?2");
        let values = [decided_before.micros(), clamp(limit)];
        self.long(move |connection| list(connection, sql, values, approval)).await
    }
}

fn used(
    connection: &Connection,
    maker: ClientId,
    (kind, currency, day): (LimitKind, Currency, BusinessDate),
) -> Result<i64> {
    let values = params![maker.get(), day.get(), kind.name(), currency.code()];
    connection.prepare_cached(USED).stored()?.query_row(values, |row| row.get(0)).stored()
}

/// The request that was counted under a key, if there is one.
fn earlier(connection: &Connection, maker: ClientId, key: &str) -> Result<Option<Counted>> {
    let sql = "SELECT id, fingerprint_key_id, fingerprint, status, attempt FROM limit_use \
               WHERE maker_id = ?1 AND key = ?2";
    let read = |f: &mut Fields<'_, '_>| {
        Ok(Counted {
            id: ApprovalId::new(f.int()?),
            fingerprint: (f.narrow()?, f.bytes()?),
            status: f.named(UseStatus::from_name)?,
            attempt: f.narrow()?,
            before: true,
        })
    };
    Ok(list(connection, sql, params![maker.get(), key], read)?.pop())
}

fn count(connection: &Connection, counting: &Counting) -> Result<Counted> {
    let asked_for = &counting.approval;
    let maker = asked_for.maker;
    let earlier = earlier(connection, maker, &counting.key)?;
    let attempt = earlier.as_ref().map_or(1, |earlier| earlier.attempt.saturating_add(1));
    if let Some(earlier) = earlier.filter(|earlier| earlier.status != UseStatus::Released) {
        let sql = "UPDATE limit_use SET attempt = ?3 WHERE maker_id = ?1 AND key = ?2";
        connection.execute(sql, params![maker.get(), counting.key, attempt]).stored()?;
        return Ok(Counted { attempt, ..earlier });
    }
    let already = used(connection, maker, (asked_for.kind(), asked_for.currency, counting.day))?;
    let within = counting.is_within(already);
    let status = if within { UseStatus::Through } else { UseStatus::Approval };
    let sql = "INSERT OR REPLACE INTO limit_use (maker_id, key, id, issuer_id, fingerprint_key_id, fingerprint, kind, \
               currency, day, amount, counted, status, attempt) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11, ?12)";
    let values = params![
        maker.get(),
        counting.key,
        asked_for.id.get(),
        asked_for.issuer.get(),
        counting.fingerprint.0,
        &counting.fingerprint.1[..],
        asked_for.kind().name(),
        asked_for.currency.code(),
        counting.day.get(),
        asked_for.amount.get(),
        status.name(),
        attempt,
    ];
    connection.execute(sql, values).stored()?;
    if !within {
        insert(connection, asked_for)?;
        insert_event(connection, asked_for.issuer, &asked(asked_for))?;
    }
    Ok(Counted { id: asked_for.id, fingerprint: counting.fingerprint, status, attempt, before: false })
}

fn insert(connection: &Connection, approval: &Approval) -> Result<()> {
    let sql = concat!(
        "INSERT INTO approval (",
        columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
    );
    let values = params![
        approval.id.get(),
        approval.issuer.get(),
        approval.kind().name(),
        approval.subject.name(),
        approval.maker.get(),
        approval.body,
        approval.amount.get(),
        approval.currency.code(),
        approval.state.name(),
        approval.decided_by.map(ClientId::get),
        approval.decided_at.map(Timestamp::micros),
        approval.note,
        approval.result,
        approval.failure,
        approval.created_at.micros(),
        approval.expires_at.micros(),
        approval.version,
    ];
    connection.execute(sql, values).unique("id")?;
    Ok(())
}

fn insert_event(connection: &Connection, issuer: IssuerId, event: &ApprovalEvent) -> Result<()> {
    let sql = "INSERT INTO approval_event (approval_id, version, issuer_id, at, client_id, action, note) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![
        event.approval.get(),
        event.version,
        issuer.get(),
        event.at.micros(),
        event.by.map(ClientId::get),
        event.action,
        event.note,
    ];
    connection.execute(sql, values).unique("version")?;
    Ok(())
}

fn update(connection: &Connection, approval: &Approval, event: &ApprovalEvent) -> Result<()> {
    let found = "SELECT version FROM approval WHERE id = ?1";
    let found: Option<u32> =
        connection.query_row(found, [approval.id.get()], |row| row.get(0)).optional().stored()?;
    if found.and_then(|version| version.checked_add(1)) != Some(approval.version) {
        return Err(StorageError::Conflict { what: "version" });
    }
    let sql = "UPDATE approval SET state = ?2, decided_by = ?3, decided_at = ?4, note = ?5, result = ?6, \
               failure = ?7, version = ?8 WHERE id = ?1";
    let values = params![
        approval.id.get(),
        approval.state.name(),
        approval.decided_by.map(ClientId::get),
        approval.decided_at.map(Timestamp::micros),
        approval.note,
        approval.result,
        approval.failure,
        approval.version,
    ];
    connection.execute(sql, values).stored()?;
    let sql = "UPDATE limit_use SET counted = ?2 WHERE id = ?1";
    connection.execute(sql, params![approval.id.get(), approval.state.counts()]).stored()?;
    insert_event(connection, approval.issuer, event)
}

fn newest(
    connection: &Connection,
    filter: &ApprovalFilter,
    before: Option<ApprovalId>,
    limit: usize,
) -> Result<Page<Approval>> {
    // The narrowest index that is certain to be small: one maker's, what is pending, or all of the issuer.
    let sql = match (filter.maker, filter.state) {
        (Some(_), _) => select!(
            "WHERE maker_id = ?5 AND issuer_id = ?1 AND id < ?2 AND (?3 IS NULL OR kind = ?3) \
             AND (?4 IS NULL OR state = ?4) ORDER BY id DESC LIMIT ?6"
        ),
        (None, Some(ApprovalState::Pending)) => select!(
            "WHERE issuer_id = ?1 AND state = 'pending' AND id < ?2 AND (?3 IS NULL OR kind = ?3) \
             AND ?4 IS NOT NULL AND ?5 IS NULL ORDER BY id DESC LIMIT ?6"
        ),
        (None, _) => select!(
            "WHERE issuer_id = ?1 AND id < ?2 AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR state = ?4) \
             AND ?5 IS NULL ORDER BY id DESC LIMIT ?6"
        ),
    };
    let values = params![
        filter.issuer.get(),
        before.map_or(i64::MAX, ApprovalId::get),
        filter.kind.map(LimitKind::name),
        filter.state.map(ApprovalState::name),
        filter.maker.map(ClientId::get),
        clamp(limit).saturating_add(1),
    ];
    let mut items = list(connection, sql, values, approval)?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(|one| one.id.get()) } else { None };
    Ok(Page { items, next })
}
