//! The audit trail, and saved views.

use domain::{AuditEventId, IssuerId, SessionId, Timestamp, UserId, ViewId, ids::floor_of};
use storage::{AuditEvent, AuditFilter, Page, Result, SavedView};

use super::{
    conflict, each, insert, one_more, page,
    rows::{self, EVENT, VIEW},
    scope,
};
use crate::{
    PostgresStore,
    ledger::SLACK_SECONDS,
    session::Param,
    store::{Scope, Writing},
};

pub(super) async fn append(writing: &Writing, events: &[AuditEvent]) -> Result<()> {
    let sql = insert("audit_event", EVENT);
    for event in events {
        let (id, issuer, at) = (event.id.get(), event.issuer.map(IssuerId::get), event.at.micros());
        let (user, session) = (event.user.map(UserId::get), event.session.map(SessionId::get));
        let status = i64::from(event.status);
        let params: [Param<'_>; 11] = [
            &id,
            &issuer,
            &user,
            &session,
            &at,
            &event.address,
            &event.action,
            &event.object,
            &status,
            &event.code,
            &event.request_id,
        ];
        writing.execute_unique(&sql, &params, "id").await?;
    }
    Ok(())
}

/// Moments become bounds of the id, which begins with the moment; the exact ones are looked at on top.
pub(super) async fn newest(
    store: &PostgresStore,
    filter: &AuditFilter,
    before: Option<AuditEventId>,
    limit: usize,
) -> Result<Page<AuditEvent>> {
    let user = if filter.user.is_some() { "person_id = $4" } else { "$4::bigint IS NULL" };
    let action = if filter.action.is_some() { "action = $5" } else { "$5::text IS NULL" };
    let sql = format!(
        "SELECT {EVENT} FROM audit_event \
         WHERE coalesce(issuer_id, 0) = $1 AND id < $2 AND id >= $3 AND {user} AND {action} AND at >= $6 AND at < $7 ORDER BY id DESC LIMIT $8"
    );
    // Else everything newer than an old moment would be read to get there.
    let below = filter.to.map_or(i64::MAX, |at| floor_of(at.plus_seconds(SLACK_SECONDS)));
    let last = before.map_or(i64::MAX, AuditEventId::get).min(below);
    let issuer = filter.issuer.map_or(0, IssuerId::get);
    let floor = filter.from.map_or(i64::MIN, |at| floor_of(at.plus_seconds(-SLACK_SECONDS)));
    let (from, to) =
        (filter.from.map_or(i64::MIN, Timestamp::micros), filter.to.map_or(i64::MAX, Timestamp::micros));
    let (who, more) = (filter.user.map(UserId::get), one_more(limit));
    let params: [Param<'_>; 8] = [&issuer, &last, &floor, &who, &filter.action, &from, &to, &more];
    let found = store.one(scope(filter.issuer), &sql, &params).await?;
    Ok(page(each(&found, rows::event)?, limit, |event| event.id.get()))
}

pub(super) async fn views(store: &PostgresStore, user: UserId) -> Result<Vec<SavedView>> {
    let sql = format!("SELECT {VIEW} FROM saved_view WHERE person_id = $1 ORDER BY id");
    each(&store.one(Scope::All, &sql, &[&user.get()]).await?, rows::view)
}

/// Takes the row of the user first, so that two requests at once do not both find room for the last view.
pub(super) async fn save_view(writing: &Writing, view: &SavedView, most: usize) -> Result<()> {
    let user = view.user.get();
    writing.query("SELECT pg_advisory_xact_lock($1)", &[&user]).await?;
    let count = "SELECT count(*) FROM saved_view WHERE person_id = $1";
    let count = each(&writing.query(count, &[&user]).await?, |f| -> Result<usize> { f.narrow() })?;
    if count.first().is_some_and(|count| *count >= most) {
        return conflict("views");
    }
    let (id, issuer) = (view.id.get(), view.issuer.map(IssuerId::get));
    let params: [Param<'_>; 7] =
        [&id, &user, &issuer, &view.name, &view.page, &view.query, &view.created_at.micros()];
    writing.execute_unique(&insert("saved_view", VIEW), &params, "name").await.map(drop)
}

pub(super) async fn delete_view(store: &PostgresStore, user: UserId, id: ViewId) -> Result<bool> {
    let sql = "DELETE FROM saved_view WHERE person_id = $1 AND id = $2";
    Ok(store.change(Scope::All, sql, &[&user.get(), &id.get()], "id").await? == 1)
}
