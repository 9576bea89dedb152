//! Roles, and who may give what to whom.

use std::collections::BTreeSet;

use domain::{ClientId, IssuerId, MerchantId, Role, RoleId, catalog::Scope};

use super::Identity;
use crate::{
    error::{IdentityError, Result, of_conflict},
    roles::BUILT_IN,
};

/// Roles that an issuer can have of its own.
const MOST_ROLES: usize = 100;

/// Who gives rights: a user or an API client.
#[derive(Clone, Debug)]
pub struct Granter {
    /// As whom.
    pub principal: ClientId,
    /// Of which issuer; those who run the platform have none.
    pub issuer: Option<IssuerId>,
    /// Bound to which merchant.
    pub merchant: Option<MerchantId>,
    /// With which permissions.
    pub permissions: BTreeSet<Scope>,
}

impl Granter {
    /// Whether he runs the platform.
    pub fn is_platform(&self) -> bool {
        self.issuer.is_none() && self.permissions.contains(&Scope::Platform)
    }

    /// Whether people of this issuer and merchant are within his reach.
    pub fn reaches(&self, issuer: Option<IssuerId>, merchant: Option<MerchantId>) -> bool {
        self.is_platform()
            || (self.issuer == issuer && (self.merchant.is_none() || self.merchant == merchant))
    }

    /// Whether he may give these permissions to somebody of this issuer. `platform` never mixes with the rest.
    pub(super) fn check_grant(&self, issuer: Option<IssuerId>, permissions: &BTreeSet<Scope>) -> Result<()> {
        let beyond = permissions.iter().find(|scope| {
            let fits = (**scope == Scope::Platform) == issuer.is_none();
            let held = self.is_platform() || self.permissions.contains(scope);
            !(fits && held)
        });
        beyond.map_or(Ok(()), |scope| Err(IdentityError::BeyondOwn(scope.name())))
    }
}

impl Identity {
    /// Writes the roles that come with the program, where they are new or have changed.
    pub async fn seed_roles(&self) -> Result<()> {
        let stored = self.store().roles(None).await?;
        for built_in in &BUILT_IN {
            let known = stored.iter().find(|role| role.id == built_in.id);
            let role = Role {
                id: built_in.id,
                issuer: None,
                code: built_in.code.to_owned(),
                name_zh: built_in.name_zh.to_owned(),
                name_en: built_in.name_en.to_owned(),
                permissions: built_in.permission_set(),
                limits: built_in.limits,
                created_at: known.map_or(self.now(), |role| role.created_at),
                version: known.map_or(1, |role| role.version),
            };
            if known == Some(&role) {
                continue;
            }
            let role = Role { version: known.map_or(1, |known| known.version.saturating_add(1)), ..role };
            match self.store().put_role(&role).await.map_err(of_conflict) {
                // Another node does the same at the same time.
                Ok(()) | Err(IdentityError::VersionConflict | IdentityError::CodeTaken) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The roles that people of an issuer can have: its own and those that come with the program, but for the
    /// platform's. For the platform, the platform's.
    pub async fn roles(&self, issuer: Option<IssuerId>) -> Result<Vec<Role>> {
        let mut all = self.store().roles(issuer).await?;
        if all.iter().all(|role| role.issuer.is_some()) {
            self.seed_roles().await?;
            all = self.store().roles(issuer).await?;
        }
        all.retain(|role| role.permissions.contains(&Scope::Platform) == issuer.is_none());
        Ok(all)
    }

    /// A role that people of an issuer can have.
    pub async fn role(&self, issuer: Option<IssuerId>, id: RoleId) -> Result<Role> {
        let found = self.roles(issuer).await?.into_iter().find(|role| role.id == id);
        found.ok_or(IdentityError::RoleUnknown)
    }

    /// Makes a role of an issuer.
    pub async fn create_role(&self, by: &Granter, role: Role) -> Result<Role> {
        by.check_grant(role.issuer, &role.permissions)?;
        let all = self.roles(role.issuer).await?;
        if all.iter().filter(|role| role.issuer.is_some()).count() >= MOST_ROLES {
            return Err(IdentityError::Full(
                "an issuer has at most 100 roles of its own; change one instead",
            ));
        }
        if all.iter().any(|known| known.code == role.code) {
            return Err(IdentityError::CodeTaken);
        }
        let role = Role { id: RoleId::new(self.next_id()), created_at: self.now(), version: 1, ..role };
        self.store().put_role(&role).await.map_err(of_conflict)?;
        Ok(role)
    }

    /// Changes a role of an issuer. Everybody who has it signs in again only where that is his own wish: what the
    /// role gives changes at once.
    pub async fn change_role(&self, by: &Granter, role: Role) -> Result<Role> {
        let known = self.role(role.issuer, role.id).await?;
        if known.issuer.is_none() {
            return Err(IdentityError::RoleBuiltIn);
        }
        by.check_grant(role.issuer, &known.permissions)?;
        by.check_grant(role.issuer, &role.permissions)?;
        if self.has_role(by, role.id).await? {
            return Err(IdentityError::OwnRights);
        }
        let code_taken = |other: &Role| other.id != role.id && other.code == role.code;
        if self.roles(role.issuer).await?.iter().any(code_taken) {
            return Err(IdentityError::CodeTaken);
        }
        self.store().put_role(&role).await.map_err(of_conflict)?;
        self.0.cache.clear();
        Ok(role)
    }

    async fn has_role(&self, by: &Granter, role: RoleId) -> Result<bool> {
        let own = self.store().user(domain::UserId::of_principal(by.principal)).await?;
        Ok(own.is_some_and(|user| user.roles.contains(&role)))
    }

    /// The roles with these ids or codes, which the granter may give to somebody of this issuer.
    pub(super) async fn grantable(
        &self,
        by: &Granter,
        issuer: Option<IssuerId>,
        names: &[String],
    ) -> Result<Vec<RoleId>> {
        let all = self.roles(issuer).await?;
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            let is_meant = |role: &&Role| role.code == *name || role.id.to_string() == *name;
            let role = all.iter().find(is_meant).ok_or(IdentityError::RoleUnknown)?;
            by.check_grant(issuer, &role.permissions)?;
            if !found.contains(&role.id) {
                found.push(role.id);
            }
        }
        Ok(found)
    }
}
