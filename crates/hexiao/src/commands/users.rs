//! `hexiao users create`: the first administrator of an installation, whom nobody else could invite.

use std::io::Read;

use domain::{ClientId, IssuerId, RoleId, UserId, catalog::Scope, command::SYSTEM_CLIENT, program::Status};
use engine::Engine;
use identity::{Granter, Identity, IdentityError, NewInvitation, Policy, password::Password};
use serde_json::json;
use storage::User;
use zeroize::Zeroizing;

use super::client::existing_issuer;
use crate::{
    cli::{Global, UsersCreate},
    failure::{Failure, Result},
    installation::Installation,
    output,
};

const RUNNING: &str = "a server that runs on this database invites users with POST /v1/invitations; this command \
                       is for when it is stopped";
/// Longer than any password, and short enough to refuse a file that was piped in by mistake.
const MOST_INPUT: u64 = 1024;

pub(crate) async fn create(global: &Global, args: &UsersCreate) -> Result {
    let password = if args.password_stdin { Some(read_password()?) } else { None };
    let installation = Installation::open(global).await.map_err(|f| f.while_doing(RUNNING))?;
    let running = installation.start_engine().await?;
    let done = make(&running.engine, args, password).await;
    running.stop().await?;
    let (machine, people) = done?;
    output::print(global.json, &machine, &people)
}

async fn make(
    engine: &Engine,
    args: &UsersCreate,
    password: Option<Password>,
) -> Result<(serde_json::Value, String)> {
    let issuer = if args.platform { None } else { Some(existing_issuer(&engine.catalog(), args.issuer)?) };
    let identity = Identity::new(engine.clone(), Policy::default(), Vec::new());
    identity.seed_roles().await.map_err(told)?;
    let role = args.role.clone();
    let role =
        role.unwrap_or_else(|| if args.platform { "platform_admin" } else { "issuer_admin" }.to_owned());
    let roles = vec![role];
    match password {
        Some(password) => with_password(&identity, args, issuer, &roles, &password).await,
        None => with_link(&identity, args, issuer, roles).await,
    }
}

async fn with_password(
    identity: &Identity,
    args: &UsersCreate,
    issuer: Option<IssuerId>,
    roles: &[String],
    password: &Password,
) -> Result<(serde_json::Value, String)> {
    let user = new_user(&args.login, &args.name, issuer);
    let user = identity.create_user(&owner(issuer), user, roles, password).await.map_err(told)?;
    let machine = json!({"user": user.id.to_string(), "login": user.login});
    let people = format!(
        "user   {}\nlogin  {}\n\nHe signs in with his password, and sets a second factor up the first time.",
        user.id, user.login
    );
    Ok((machine, people))
}

async fn with_link(
    identity: &Identity,
    args: &UsersCreate,
    issuer: Option<IssuerId>,
    roles: Vec<String>,
) -> Result<(serde_json::Value, String)> {
    let new = NewInvitation {
        issuer,
        merchant: None,
        store: None,
        login: args.login.clone(),
        name: args.name.clone(),
        roles,
    };
    let made = identity.invite(&owner(issuer), new).await.map_err(told)?;
    let link = format!("/invitation#token={}", made.token.expose());
    let machine = json!({
        "invitation": made.invitation.id.to_string(),
        "login": made.invitation.login,
        "token": made.token.expose(),
        "link": link,
        "expires_at": made.invitation.expires_at.to_string(),
    });
    let people = format!(
        "login  {}\nlink   {link}\n\nOpen the link after the address of the server, within 72 hours, once: there the \
         person chooses his password.",
        made.invitation.login
    );
    Ok((machine, people))
}

/// Whoever can open the database can do everything: as whom the command gives rights.
pub(crate) fn owner(issuer: Option<IssuerId>) -> Granter {
    let permissions = match issuer {
        None => [Scope::Platform].into(),
        Some(_) => super::client::issuer_scopes(),
    };
    let principal: ClientId = SYSTEM_CLIENT;
    Granter { principal, issuer, merchant: None, permissions }
}

/// A user as far as the caller of [`Identity::create_user`] says who it is.
pub(crate) fn new_user(login: &str, name: &str, issuer: Option<IssuerId>) -> User {
    User {
        id: UserId::new(0),
        issuer,
        merchant: None,
        store: None,
        login: login.to_owned(),
        name: name.to_owned(),
        status: Status::Active,
        roles: Vec::<RoleId>::new(),
        created_at: domain::Timestamp::from_micros(0),
        version: 1,
    }
}

fn read_password() -> Result<Password> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin().lock().take(MOST_INPUT).read_to_string(&mut text)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::usage("--password-stdin: there is no line with a password on standard input"));
    }
    Ok(Password::new(line.to_owned()))
}

/// Why it is refused, for people.
pub(crate) fn told(error: IdentityError) -> Failure {
    match error {
        IdentityError::Storage(error) => Failure::from(error),
        error => Failure::usage(error.to_string()),
    }
}
