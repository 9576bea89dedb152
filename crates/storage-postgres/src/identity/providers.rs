//! Identity providers, whom they named, and sign-ins on their way.

use async_trait::async_trait;
use domain::{IdentityProviderId, IssuerId, Timestamp, UserId};
use storage::{
    IdentityProvider, LinkedIdentity, Page, ProviderChangeEffect, ProviderStore, Result, Sealed, Session,
    SignInFlow,
};

use super::{
    conflict, each, ended, first, insert, one_more, page,
    rows::{self, FLOW, IDENTITY, PROVIDER, status_name},
    scope,
};
use crate::{
    PostgresStore,
    fields::Fields,
    jobs::clamp,
    session::Param,
    store::{Scope, Writing},
};

/// The one number of a row.
fn number(f: &mut Fields<'_>) -> Result<i64> {
    f.int()
}

/// Whether this provider may let this user in now. Both rows stay as they are until the session is written: who closes
/// the provider or takes the link away waits, and then finds the session.
pub(super) async fn check_lets_in(writing: &Writing, session: &Session) -> Result<()> {
    let Some(provider) = session.provider else { return Ok(()) };
    let sql = "SELECT p.id FROM identity_provider AS p JOIN person_identity AS i ON i.provider_id = p.id \
         WHERE p.id = $1 AND p.status = 'active' AND i.person_id = $2 FOR SHARE";
    let found = writing.query(sql, &[&provider.get(), &session.user.get()]).await?;
    if found.is_empty() { conflict("provider") } else { Ok(()) }
}

async fn put(
    writing: &Writing,
    of: &IdentityProvider,
    effect: ProviderChangeEffect,
    most: usize,
) -> Result<()> {
    let (id, issuer) = (of.id.get(), of.issuer.map(IssuerId::get));
    let (key_id, secret) = (i16::from(of.secret.key_id), &of.secret.bytes[..]);
    let (status, version) = (status_name(of.status), i64::from(of.version));
    if of.version > 1 {
        let sql = "UPDATE identity_provider SET name = $2, issuer_url = $3, client_id = $4, secret_key_id = $5, \
             secret = $6, trusted_second_factor = $7, status = $8, version = $9::bigint \
             WHERE id = $1 AND version = $9::bigint - 1";
        let params: [Param<'_>; 9] = [
            &id,
            &of.name,
            &of.issuer_url,
            &of.client_id,
            &key_id,
            &secret,
            &of.trusted_second_factor,
            &status,
            &version,
        ];
        if writing.execute_unique(sql, &params, "version").await? != 1 {
            return conflict("version");
        }
        return take_away(writing, of.id, effect).await;
    }
    // One after the other for an issuer, so that two at once do not both see room for one.
    let lock =
        "SELECT pg_advisory_xact_lock(hashtextextended('identity providers', coalesce($1::bigint, 0)))";
    writing.query(lock, &[&issuer]).await?;
    let count = "SELECT count(*) FROM identity_provider WHERE issuer_id IS NOT DISTINCT FROM $1";
    if counted(writing, count, &[&issuer]).await? >= most {
        return conflict("providers");
    }
    let created_at = of.created_at.micros();
    let params: [Param<'_>; 11] = [
        &id,
        &issuer,
        &of.name,
        &of.issuer_url,
        &of.client_id,
        &key_id,
        &secret,
        &of.trusted_second_factor,
        &status,
        &created_at,
        &version,
    ];
    writing.execute_unique(&insert("identity_provider", PROVIDER), &params, "version").await.map(drop)
}

async fn counted(writing: &Writing, sql: &str, params: &[Param<'_>]) -> Result<usize> {
    let found = first(&writing.query(sql, params).await?, number)?;
    Ok(usize::try_from(found.unwrap_or(0)).unwrap_or(usize::MAX))
}

async fn take_away(writing: &Writing, id: IdentityProviderId, effect: ProviderChangeEffect) -> Result<()> {
    let (ProviderChangeEffect::EndsSessions(at) | ProviderChangeEffect::Unlinks(at)) = effect else {
        return Ok(());
    };
    if matches!(effect, ProviderChangeEffect::Unlinks(_)) {
        writing
            .execute_unique("DELETE FROM person_identity WHERE provider_id = $1", &[&id.get()], "identity")
            .await?;
    }
    let sql = "UPDATE person_session SET ended_at = $2 WHERE provider_id = $1 AND ended_at IS NULL";
    writing.execute_unique(sql, &[&id.get(), &at.micros()], "session").await.map(drop)
}

async fn unlink(writing: &Writing, id: IdentityProviderId, user: UserId, at: Timestamp) -> Result<bool> {
    let sql = "DELETE FROM person_identity WHERE provider_id = $1 AND person_id = $2";
    if writing.execute_unique(sql, &[&id.get(), &user.get()], "identity").await? == 0 {
        return Ok(false);
    }
    let sql = "UPDATE person_session SET ended_at = $3 \
         WHERE provider_id = $1 AND person_id = $2 AND ended_at IS NULL";
    writing.execute_unique(sql, &[&id.get(), &user.get(), &at.micros()], "session").await?;
    Ok(true)
}

async fn begin(
    writing: &Writing,
    flow: &SignInFlow,
    now: Timestamp,
    most: usize,
    most_of_all: usize,
) -> Result<bool> {
    let subject = &flow.subject.0[..];
    // One sweeps at a time, and nobody waits for it.
    let sweep = "DELETE FROM sign_in_flow WHERE expires_at <= $1 \
         AND (SELECT pg_try_advisory_xact_lock(hashtextextended('sign-ins on their way', 0)))";
    writing.execute_unique(sweep, &[&now.micros()], "flow").await?;
    let from_there = "SELECT count(*) FROM sign_in_flow WHERE subject = $1";
    if counted(writing, from_there, &[&subject]).await? >= most
        || counted(writing, "SELECT count(*) FROM sign_in_flow", &[]).await? >= most_of_all
    {
        return Ok(false);
    }
    let (hash, provider) = (&flow.state_hash[..], flow.provider.get());
    let (issuer, page) = (flow.issuer.map(IssuerId::get), flow.page.name());
    let expires_at = flow.expires_at.micros();
    let params: [Param<'_>; 6] = [&hash, &provider, &issuer, &subject, &page, &expires_at];
    writing.execute_unique(&insert("sign_in_flow", FLOW), &params, "flow").await.map(|_| true)
}

#[async_trait]
impl ProviderStore for PostgresStore {
    async fn providers(&self, issuer: Option<IssuerId>) -> Result<Vec<IdentityProvider>> {
        let sql = format!(
            "SELECT {PROVIDER} FROM identity_provider WHERE issuer_id IS NOT DISTINCT FROM $1 ORDER BY id"
        );
        each(&self.one(scope(issuer), &sql, &[&issuer.map(IssuerId::get)]).await?, rows::provider)
    }

    async fn provider(&self, id: IdentityProviderId) -> Result<Option<IdentityProvider>> {
        let sql = format!("SELECT {PROVIDER} FROM identity_provider WHERE id = $1");
        first(&self.one(Scope::All, &sql, &[&id.get()]).await?, rows::provider)
    }

    async fn put_provider(
        &self,
        provider: &IdentityProvider,
        effect: ProviderChangeEffect,
        most: usize,
    ) -> Result<()> {
        let writing = self.writing(scope(provider.issuer)).await?;
        let done = put(&writing, provider, effect, most).await;
        ended(writing, done).await
    }

    async fn identity(&self, provider: IdentityProviderId, subject: &str) -> Result<Option<LinkedIdentity>> {
        let sql = format!("SELECT {IDENTITY} FROM person_identity WHERE provider_id = $1 AND subject = $2");
        first(&self.one(Scope::All, &sql, &[&provider.get(), &subject]).await?, rows::identity)
    }

    async fn link(&self, identity: &LinkedIdentity) -> Result<()> {
        let (provider, user) = (identity.provider.get(), identity.user.get());
        let (issuer, at) = (identity.issuer.map(IssuerId::get), identity.linked_at.micros());
        let params: [Param<'_>; 5] = [&provider, &user, &identity.subject, &issuer, &at];
        let sql = insert("person_identity", IDENTITY);
        self.change(scope(identity.issuer), &sql, &params, "identity").await.map(drop)
    }

    async fn unlink(&self, provider: IdentityProviderId, user: UserId, at: Timestamp) -> Result<bool> {
        let writing = self.writing(Scope::All).await?;
        let done = unlink(&writing, provider, user, at).await;
        ended(writing, done).await
    }

    async fn identities(
        &self,
        provider: IdentityProviderId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<LinkedIdentity>> {
        let sql = format!(
            "SELECT {IDENTITY} FROM person_identity WHERE provider_id = $1 AND person_id > $2 \
             ORDER BY person_id LIMIT $3"
        );
        let after = after.map_or(i64::MIN, UserId::get);
        let params: [Param<'_>; 3] = [&provider.get(), &after, &one_more(limit)];
        let found = each(&self.one(Scope::All, &sql, &params).await?, rows::identity)?;
        Ok(page(found, limit, |identity| identity.user.get()))
    }

    async fn begin_flow(
        &self,
        flow: &SignInFlow,
        now: Timestamp,
        most: usize,
        most_of_all: usize,
    ) -> Result<bool> {
        let writing = self.writing(Scope::All).await?;
        let done = begin(&writing, flow, now, most, most_of_all).await;
        ended(writing, done).await
    }

    async fn take_flow(&self, state_hash: [u8; 32], now: Timestamp) -> Result<Option<SignInFlow>> {
        let sql = format!("DELETE FROM sign_in_flow WHERE state_hash = $1 RETURNING {FLOW}");
        let writing = self.writing(Scope::All).await?;
        let taken = writing.query(&sql, &[&&state_hash[..]]).await;
        let taken = ended(writing, taken.and_then(|found| first(&found, rows::flow))).await?;
        Ok(taken.filter(|flow| flow.expires_at > now))
    }

    async fn providers_not_under(
        &self,
        current: u8,
        after: Option<IdentityProviderId>,
        limit: usize,
    ) -> Result<Vec<IdentityProvider>> {
        let sql = format!(
            "SELECT {PROVIDER} FROM identity_provider WHERE id > $1 AND secret_key_id <> $2 ORDER BY id LIMIT $3"
        );
        let after = after.map_or(i64::MIN, IdentityProviderId::get);
        let params: [Param<'_>; 3] = [&after, &i16::from(current), &clamp(limit)];
        each(&self.one(Scope::All, &sql, &params).await?, rows::provider)
    }

    async fn reseal_providers(&self, secrets: &[(IdentityProviderId, Sealed)]) -> Result<()> {
        let sql = "UPDATE identity_provider SET secret_key_id = $2, secret = $3 WHERE id = $1";
        let writing = self.writing(Scope::All).await?;
        let mut done = Ok(());
        for (id, secret) in secrets {
            let (key_id, bytes) = (i16::from(secret.key_id), &secret.bytes[..]);
            done = writing.execute_unique(sql, &[&id.get(), &key_id, &bytes], "id").await.map(drop);
            if done.is_err() {
                break;
            }
        }
        ended(writing, done).await
    }
}
