//! The audit trail, and saved views.

use domain::{AuditEventId, IssuerId, SessionId, Timestamp, UserId, ViewId, ids::floor_of};
use rusqlite::{Connection, params};
use storage::{AuditEvent, AuditFilter, Page, Result, SavedView};

use super::{
    conflict, insert, list, one, one_more, page,
    rows::{self, EVENT, VIEW},
    run, run_unique,
};
use crate::ledger::SLACK_SECONDS;

pub(super) fn append(connection: &Connection, events: &[AuditEvent]) -> Result<()> {
    let sql = insert("audit_event", EVENT);
    for event in events {
        let values = params![
            event.id.get(),
            event.issuer.map(IssuerId::get),
            event.user.map(UserId::get),
            event.session.map(SessionId::get),
            event.at.micros(),
            event.address,
            event.action,
            event.object,
            event.status,
            event.code,
            event.request_id,
        ];
        run_unique(connection, &sql, values, "id")?;
    }
    Ok(())
}

/// Moments become bounds of the id, which begins with the moment; the exact ones are looked at on top.
pub(super) fn newest(
    connection: &Connection,
    filter: &AuditFilter,
    before: Option<AuditEventId>,
    limit: usize,
) -> Result<Page<AuditEvent>> {
    let index = match (filter.user, &filter.action) {
        (Some(_), _) => "audit_event_by_person",
        (None, Some(_)) => "audit_event_by_action",
        (None, None) => "audit_event_by_issuer",
    };
    let sql = format!(
        "SELECT {EVENT} FROM audit_event INDEXED BY {index} \
         WHERE coalesce(issuer_id, 0) = ?1 AND id < ?2 AND id >= ?3 AND {} AND {} \
         AND at >= ?6 AND at < ?7 ORDER BY id DESC LIMIT ?8",
        if filter.user.is_some() { "person_id = ?4" } else { "?4 IS NULL" },
        if filter.action.is_some() { "action = ?5" } else { "?5 IS NULL" },
    );
    let from = filter.from.map_or(i64::MIN, |at| floor_of(at.plus_seconds(-SLACK_SECONDS)));
    // Else everything newer than an old moment would be read to get there.
    let below = filter.to.map_or(i64::MAX, |at| floor_of(at.plus_seconds(SLACK_SECONDS)));
    let values = params![
        filter.issuer.map_or(0, IssuerId::get),
        before.map_or(i64::MAX, AuditEventId::get).min(below),
        from,
        filter.user.map(UserId::get),
        filter.action,
        filter.from.map_or(i64::MIN, Timestamp::micros),
        filter.to.map_or(i64::MAX, Timestamp::micros),
        one_more(limit),
    ];
    let found = list(connection, &sql, values, rows::event)?;
    Ok(page(found, limit, |event| event.id.get()))
}

pub(super) fn views(connection: &Connection, user: UserId) -> Result<Vec<SavedView>> {
    let sql = format!("SELECT {VIEW} FROM saved_view WHERE person_id = ?1 ORDER BY id");
    list(connection, &sql, [user.get()], rows::view)
}

pub(super) fn save_view(connection: &Connection, view: &SavedView, most: usize) -> Result<()> {
    let sql = "SELECT count(*) FROM saved_view WHERE person_id = ?1";
    let count = one(connection, sql, [view.user.get()], |f| -> Result<usize> { f.narrow() })?.unwrap_or(0);
    if count >= most {
        return conflict("views");
    }
    let values = params![
        view.id.get(),
        view.user.get(),
        view.issuer.map(IssuerId::get),
        view.name,
        view.page,
        view.query,
        view.created_at.micros(),
    ];
    run_unique(connection, &insert("saved_view", VIEW), values, "name").map(drop)
}

pub(super) fn delete_view(connection: &Connection, user: UserId, id: ViewId) -> Result<bool> {
    let sql = "DELETE FROM saved_view WHERE person_id = ?1 AND id = ?2";
    Ok(run(connection, sql, params![user.get(), id.get()])? == 1)
}
