//! Invitations: how somebody becomes a user without anybody else knowing his password.

use domain::{InvitationId, IssuerId, MerchantId, StoreId, Timestamp, UserId, program::Status};
use storage::{Invitation, Page, User};

use super::{Granter, Identity, users::WHAT_A_LOGIN_IS};
use crate::{
    Token,
    error::{IdentityError, Result, of_conflict},
    login,
    password::{self, Password},
};

/// How long a link is good.
const GOOD_FOR: i64 = 72 * 3600;
/// Reads of the store for one page.
const MOST_READS: u32 = 10;

/// Who is invited, to what.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// The issuer; none for the platform.
    pub issuer: Option<IssuerId>,
    /// The merchant to which he will be bound.
    pub merchant: Option<MerchantId>,
    /// The store to which he will be bound.
    pub store: Option<StoreId>,
    /// What he will sign in with.
    pub login: String,
    /// How he is called.
    pub name: String,
    /// His roles, by id or code.
    pub roles: Vec<String>,
}

/// An invitation with the token of its link, which is shown once.
#[derive(Debug)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// The token.
    pub token: Token,
}

impl Identity {
    /// Invites somebody.
    pub async fn invite(&self, by: &Granter, new: NewInvitation) -> Result<Invited> {
        let login = login::normalized(&new.login).ok_or(IdentityError::LoginInvalid(WHAT_A_LOGIN_IS))?;
        if !by.reaches(new.issuer, new.merchant) || !self.place_fits(new.issuer, new.merchant, new.store) {
            return Err(IdentityError::BeyondOwn("an issuer, merchant or store that is not within reach"));
        }
        if !new.issuer.is_none_or(|id| self.0.engine.catalog().issuers.contains_key(&id)) {
            return Err(IdentityError::BeyondOwn("an issuer that is not there"));
        }
        let roles = self.grantable(by, new.issuer, &new.roles).await?;
        if self.store().user_by_login(&login).await?.is_some() {
            return Err(IdentityError::LoginTaken);
        }
        let (token, now) = (Self::new_token(), self.now());
        let invitation = Invitation {
            id: InvitationId::new(self.next_id()),
            issuer: new.issuer,
            merchant: new.merchant,
            store: new.store,
            login,
            name: new.name,
            roles,
            token_hash: token.hash(),
            invited_by: Some(by.principal),
            created_at: now,
            expires_at: now.plus_seconds(GOOD_FOR),
            accepted: None,
            withdrawn_at: None,
        };
        self.store().invite(&invitation).await.map_err(of_conflict)?;
        Ok(Invited { invitation, token })
    }

    /// Becomes a user by an invitation.
    pub async fn accept(&self, token: &str, password: &Password) -> Result<User> {
        let token = Token::parse(token).ok_or(IdentityError::InvitationEnded)?;
        let found = self.store().invitation(token.hash()).await?;
        let now = self.now();
        let invitation =
            found.filter(|invitation| is_open(invitation, now)).ok_or(IdentityError::InvitationEnded)?;
        if !self.is_open(invitation.issuer) {
            return Err(IdentityError::InvitationEnded);
        }
        password::check(password, &invitation.login).map_err(IdentityError::PasswordWeak)?;
        let hash = self.0.hasher.hash(password).await?;
        let user = User {
            id: UserId::new(self.next_id()),
            issuer: invitation.issuer,
            merchant: invitation.merchant,
            store: invitation.store,
            login: invitation.login,
            name: invitation.name,
            status: Status::Active,
            roles: invitation.roles,
            created_at: now,
            version: 1,
        };
        self.store().accept_invitation(invitation.id, &user, &hash).await.map_err(of_conflict)?;
        Ok(user)
    }

    /// Invitations within reach, newest first; only those that can be accepted, if asked. A page may be short, or
    /// even empty, while there is more.
    pub async fn invitations(
        &self,
        by: &Granter,
        only_open: bool,
        before: Option<InvitationId>,
        limit: usize,
    ) -> Result<Page<Invitation>> {
        let now = self.now();
        let shown = |i: &Invitation| by.reaches(i.issuer, i.merchant) && (!only_open || is_open(i, now));
        let (mut items, mut before): (Vec<Invitation>, _) = (Vec::new(), before);
        for _ in 0..MOST_READS {
            let page = self.store().invitations(by.issuer, before, limit).await?;
            for invitation in page.items.into_iter().filter(shown) {
                if items.len() == limit {
                    return Ok(Page { next: items.last().map(|last| last.id.get()), items });
                }
                items.push(invitation);
            }
            let Some(next) = page.next else { return Ok(Page { items, next: None }) };
            before = Some(InvitationId::new(next));
        }
        Ok(Page { items, next: before.map(InvitationId::get) })
    }

    /// Withdraws an invitation within reach: its link opens nothing from then on. One that was accepted, withdrawn or
    /// is not there is the same answer, since none of them can be accepted.
    pub async fn withdraw_invitation(&self, by: &Granter, id: InvitationId) -> Result<()> {
        let just_after = InvitationId::new(id.get().saturating_add(1));
        let found = self.store().invitations(by.issuer, Some(just_after), 1).await?.items.into_iter().next();
        let within = found.filter(|i| i.id == id && by.reaches(i.issuer, i.merchant));
        if within.is_none() || !self.store().withdraw_invitation(id, self.now()).await? {
            return Err(IdentityError::InvitationEnded);
        }
        Ok(())
    }
}

/// Whether it can be accepted.
fn is_open(invitation: &Invitation, now: Timestamp) -> bool {
    invitation.accepted.is_none() && invitation.withdrawn_at.is_none() && invitation.expires_at > now
}
