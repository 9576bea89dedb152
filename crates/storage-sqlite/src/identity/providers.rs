//! Identity providers, whom they named, and sign-ins on their way.

use async_trait::async_trait;
use domain::{IdentityProviderId, IssuerId, Timestamp, UserId};
use rusqlite::{Connection, params};
use storage::{
    IdentityProvider, LinkedIdentity, Page, ProviderChangeEffect, ProviderStore, Result, Sealed, Session,
    SignInFlow,
};

use super::{
    conflict, insert, list, one, one_more, page,
    rows::{self, FLOW, IDENTITY, PROVIDER, status_name},
    run, run_unique,
};
use crate::{SqliteStore, fields::Fields, store::Outcome};

/// The one number of a row.
fn number(f: &mut Fields<'_, '_>) -> Result<i64> {
    f.int()
}

/// Whether this provider may let this user in now.
pub(super) fn check_lets_in(connection: &Connection, session: &Session) -> Result<()> {
    let Some(provider) = session.provider else { return Ok(()) };
    let sql = "SELECT 1 FROM identity_provider AS p JOIN person_identity AS i ON i.provider_id = p.id \
         WHERE p.id = ?1 AND p.status = 'active' AND i.person_id = ?2";
    let found = one(connection, sql, params![provider.get(), session.user.get()], number)?;
    found.map_or_else(|| conflict("provider"), |_| Ok(()))
}

fn put(
    connection: &Connection,
    of: &IdentityProvider,
    effect: ProviderChangeEffect,
    most: usize,
) -> Result<()> {
    if of.version == 1 {
        let sql = "SELECT count(*) FROM identity_provider WHERE issuer_id IS ?1";
        let own = one(connection, sql, [of.issuer.map(IssuerId::get)], number)?.unwrap_or(0);
        if usize::try_from(own).unwrap_or(usize::MAX) >= most {
            return conflict("providers");
        }
        let values = params![
            of.id.get(),
            of.issuer.map(IssuerId::get),
            of.name,
            of.issuer_url,
            of.client_id,
            of.secret.key_id,
            &of.secret.bytes[..],
            of.trusted_second_factor,
            status_name(of.status),
            of.created_at.micros(),
            of.version,
        ];
        return run_unique(connection, &insert("identity_provider", PROVIDER), values, "version").map(drop);
    }
    let sql = "UPDATE identity_provider SET name = ?2, issuer_url = ?3, client_id = ?4, secret_key_id = ?5, \
         secret = ?6, trusted_second_factor = ?7, status = ?8, version = ?9 WHERE id = ?1 AND version = ?9 - 1";
    let values = params![
        of.id.get(),
        of.name,
        of.issuer_url,
        of.client_id,
        of.secret.key_id,
        &of.secret.bytes[..],
        of.trusted_second_factor,
        status_name(of.status),
        of.version,
    ];
    if run(connection, sql, values)? != 1 {
        return conflict("version");
    }
    take_away(connection, of.id, effect)
}

fn take_away(connection: &Connection, id: IdentityProviderId, effect: ProviderChangeEffect) -> Result<()> {
    let (ProviderChangeEffect::EndsSessions(at) | ProviderChangeEffect::Unlinks(at)) = effect else {
        return Ok(());
    };
    if matches!(effect, ProviderChangeEffect::Unlinks(_)) {
        run(connection, "DELETE FROM person_identity WHERE provider_id = ?1", [id.get()])?;
    }
    let sql = "UPDATE person_session SET ended_at = ?2 WHERE provider_id = ?1 AND ended_at IS NULL";
    run(connection, sql, params![id.get(), at.micros()]).map(drop)
}

fn unlink(connection: &Connection, id: IdentityProviderId, user: UserId, at: Timestamp) -> Result<bool> {
    let sql = "DELETE FROM person_identity WHERE provider_id = ?1 AND person_id = ?2";
    if run(connection, sql, params![id.get(), user.get()])? == 0 {
        return Ok(false);
    }
    let sql = "UPDATE person_session SET ended_at = ?3 \
         WHERE provider_id = ?1 AND person_id = ?2 AND ended_at IS NULL";
    run(connection, sql, params![id.get(), user.get(), at.micros()])?;
    Ok(true)
}

fn begin(
    connection: &Connection,
    flow: &SignInFlow,
    now: Timestamp,
    most: usize,
    most_of_all: usize,
) -> Result<bool> {
    run(connection, "DELETE FROM sign_in_flow WHERE expires_at <= ?1", [now.micros()])?;
    let from_there = "SELECT count(*) FROM sign_in_flow WHERE subject = ?1";
    let from_there = one(connection, from_there, params![&flow.subject.0[..]], number)?.unwrap_or(0);
    let in_all = one(connection, "SELECT count(*) FROM sign_in_flow", [], number)?.unwrap_or(0);
    let is_full = |found: i64, most: usize| usize::try_from(found).unwrap_or(usize::MAX) >= most;
    if is_full(from_there, most) || is_full(in_all, most_of_all) {
        return Ok(false);
    }
    let values = params![
        &flow.state_hash[..],
        flow.provider.get(),
        flow.issuer.map(IssuerId::get),
        &flow.subject.0[..],
        flow.page.name(),
        flow.expires_at.micros(),
    ];
    run_unique(connection, &insert("sign_in_flow", FLOW), values, "flow").map(|_| true)
}

fn take(connection: &Connection, state_hash: [u8; 32], now: Timestamp) -> Result<Option<SignInFlow>> {
    let sql = format!("DELETE FROM sign_in_flow WHERE state_hash = ?1 RETURNING {FLOW}");
    let taken = one(connection, &sql, params![&state_hash[..]], rows::flow)?;
    Ok(taken.filter(|flow| flow.expires_at > now))
}

#[async_trait]
impl ProviderStore for SqliteStore {
    async fn providers(&self, issuer: Option<IssuerId>) -> Result<Vec<IdentityProvider>> {
        let sql = format!("SELECT {PROVIDER} FROM identity_provider WHERE issuer_id IS ?1 ORDER BY id");
        self.point(|connection| list(connection, &sql, [issuer.map(IssuerId::get)], rows::provider)).await
    }

    async fn provider(&self, id: IdentityProviderId) -> Result<Option<IdentityProvider>> {
        let sql = format!("SELECT {PROVIDER} FROM identity_provider WHERE id = ?1");
        self.point(|connection| one(connection, &sql, [id.get()], rows::provider)).await
    }

    async fn put_provider(
        &self,
        provider: &IdentityProvider,
        effect: ProviderChangeEffect,
        most: usize,
    ) -> Result<()> {
        let provider = provider.clone();
        self.write(move |connection| put(connection, &provider, effect, most)).await
    }

    async fn identity(&self, provider: IdentityProviderId, subject: &str) -> Result<Option<LinkedIdentity>> {
        let sql = format!("SELECT {IDENTITY} FROM person_identity WHERE provider_id = ?1 AND subject = ?2");
        self.point(|connection| one(connection, &sql, params![provider.get(), subject], rows::identity)).await
    }

    async fn link(&self, identity: &LinkedIdentity) -> Result<()> {
        let of = identity.clone();
        self.write(move |connection| {
            let values = params![
                of.provider.get(),
                of.user.get(),
                of.subject,
                of.issuer.map(IssuerId::get),
                of.linked_at.micros(),
            ];
            run_unique(connection, &insert("person_identity", IDENTITY), values, "identity").map(drop)
        })
        .await
    }

    async fn unlink(&self, provider: IdentityProviderId, user: UserId, at: Timestamp) -> Result<bool> {
        self.write(move |connection| unlink(connection, provider, user, at)).await
    }

    async fn identities(
        &self,
        provider: IdentityProviderId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<LinkedIdentity>> {
        let sql = format!(
            "SELECT {IDENTITY} FROM person_identity WHERE provider_id = ?1 AND person_id > ?2 \
             ORDER BY person_id LIMIT ?3"
        );
        let after = after.map_or(i64::MIN, UserId::get);
        let values = (provider.get(), after, one_more(limit));
        let found = self.point(|connection| list(connection, &sql, values, rows::identity)).await?;
        Ok(page(found, limit, |identity| identity.user.get()))
    }

    async fn begin_flow(
        &self,
        flow: &SignInFlow,
        now: Timestamp,
        most: usize,
        most_of_all: usize,
    ) -> Result<bool> {
        let flow = flow.clone();
        self.write(move |connection| begin(connection, &flow, now, most, most_of_all)).await
    }

    async fn take_flow(&self, state_hash: [u8; 32], now: Timestamp) -> Result<Option<SignInFlow>> {
        self.write_or_not(move |connection| match take(connection, state_hash, now)? {
            Some(flow) => Ok(Outcome::Commit(Some(flow))),
            None => Ok(Outcome::RollBack(None)),
        })
        .await
    }

    async fn providers_not_under(
        &self,
        current: u8,
        after: Option<IdentityProviderId>,
        limit: usize,
    ) -> Result<Vec<IdentityProvider>> {
        let sql = format!(
            "SELECT {PROVIDER} FROM identity_provider WHERE id > ?1 AND secret_key_id <> ?2 ORDER BY id LIMIT ?3"
        );
        let values = (after.map_or(i64::MIN, IdentityProviderId::get), current, crate::jobs::clamp(limit));
        self.point(|connection| list(connection, &sql, values, rows::provider)).await
    }

    async fn reseal_providers(&self, secrets: &[(IdentityProviderId, Sealed)]) -> Result<()> {
        let secrets = secrets.to_vec();
        self.write(move |connection| {
            let sql = "UPDATE identity_provider SET secret_key_id = ?2, secret = ?3 WHERE id = ?1";
            for (id, secret) in &secrets {
                run(connection, sql, params![id.get(), secret.key_id, &secret.bytes[..]])?;
            }
            Ok(())
        })
        .await
    }
}
