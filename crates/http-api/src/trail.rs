//! The audit trail of requests: everything that people change, and every try to sign in, with who, from where, what,
//! on which object and how it ended.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use axum::{
    body::{Body, HttpBody},
    extract::{MatchedPath, Request},
    http::{Method, header::CONTENT_TYPE},
    response::Response,
};
use domain::{AuditEventId, IssuerId, SessionId, Timestamp, UserId};
use serde::Deserialize;
use storage::AuditEvent;

use crate::{
    access::Access, address_limit::address_of, auth::Caller, error::Problem, session::changes, state::Inner,
};

/// The largest answer that is looked into for the id of what was made.
const LARGEST: u64 = 64 * 1024;

/// What a handler knows of who is behind a request that came without a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behind {
    /// The issuer.
    pub(crate) issuer: Option<IssuerId>,
    /// The user.
    pub(crate) user: Option<UserId>,
    /// The session that began.
    pub(crate) session: Option<SessionId>,
}

/// How something ended for a person where the status of the answer does not say it: a browser is led on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// The status that says it.
    pub(crate) status: u16,
    /// The code that says why.
    pub(crate) code: &'static str,
}

/// Where people come back to from an identity provider: the only reading request that lets somebody in.
const COMES_BACK: &str = "/v1/sessions/openid/callback";

/// Whose session a request carried that none of our own pages sent. Noted on the request when it is refused.
#[derive(Clone, Debug)]
pub(crate) struct Misused(pub(crate) Behind);

/// Between two events about requests of one session that none of our pages sent.
const MISUSE_EVERY_SECONDS: i64 = 60;
/// Sessions that are remembered for that; beyond them, misuse is only counted until one is old enough to forget.
const MISUSED_SESSIONS: usize = 4_096;

/// When the trail last told of a session's misuse. Whoever has somebody's browser send requests can have it send
/// thousands: the trail tells that it happens, the metric how often.
#[derive(Debug, Default)]
pub(crate) struct Misuse(Mutex<HashMap<SessionId, Timestamp>>);

impl Misuse {
    /// Whether this one is told.
    fn is_told(&self, session: SessionId, now: Timestamp) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: Timestamp| at.plus_seconds(MISUSE_EVERY_SECONDS) > now;
        if told.get(&session).is_some_and(|at| recent(*at)) {
            return false;
        }
        if told.len() >= MISUSED_SESSIONS {
            told.retain(|_, at| recent(*at));
        }
        let fits = told.len() < MISUSED_SESSIONS;
        if fits {
            told.insert(session, now);
        }
        fits
    }
}

/// The rule of what belongs into the trail: what changes something, by its method, unless a permission to read is
/// enough for it. Everything else leaves no event, however often a page asks.
fn belongs(method: &Method, access: Option<Access>) -> bool {
    changes(method) && !access.is_some_and(Access::only_reads)
}

/// What of a request goes into the trail.
pub(crate) struct Seen {
    behind: Option<Behind>,
    address: Option<IpAddr>,
    action: String,
    object: Option<String>,
}

impl Seen {
    /// A request that may belong into the trail.
    pub(crate) fn of(app: &Inner, access: Option<Access>, request: &Request) -> Option<Self> {
        let path = request.extensions().get::<MatchedPath>()?.as_str();
        if !belongs(request.method(), access) && path != COMES_BACK {
            return None;
        }
        Some(Self {
            behind: None,
            address: address_of(request, &app.options.trusted_proxies),
            action: action(request.method(), path),
            object: object_in(request.uri().path()),
        })
    }

    /// Notes who was let in, or whose session was misused. Whether the event is written.
    pub(crate) fn note(&mut self, app: &Inner, request: &Request) -> bool {
        if let Some(Misused(behind)) = request.extensions().get() {
            metrics::counter!("hexiao_csrf_refused_total").increment(1);
            self.behind = Some(behind.clone());
            return behind.session.is_some_and(|session| app.misuse.is_told(session, app.engine.now()));
        }
        self.note_caller(request.extensions().get::<Caller>());
        true
    }

    fn note_caller(&mut self, caller: Option<&Caller>) {
        let Some((caller, signed_in)) = caller.and_then(|caller| Some((caller, caller.1.as_ref()?))) else {
            return;
        };
        let (user, session) = (Some(signed_in.user), Some(signed_in.session));
        self.behind = Some(Behind { issuer: caller.0.issuer, user, session });
    }

    /// Writes the event, if a person is behind the request. Before it is answered: what was answered is on record.
    pub(crate) async fn record(self, app: &Inner, response: Response, request_id: &str) -> Response {
        let mut response = response;
        let told = response.extensions_mut().remove::<Behind>();
        let Some(behind) = self.behind.or(told) else { return response };
        let ended = response.extensions_mut().remove::<Ended>();
        let status = ended.map_or_else(|| response.status().as_u16(), |ended| ended.status);
        let problem = response.extensions().get::<Problem>().map(Problem::code);
        let code = ended.map(|ended| ended.code).or(problem).map(str::to_owned);
        let mut object = self.object;
        if object.is_none() && response.status().is_success() {
            (response, object) = made(response).await;
        }
        let event = AuditEvent {
            id: AuditEventId::new(0),
            issuer: behind.issuer,
            user: behind.user,
            session: behind.session,
            at: Timestamp::from_micros(0),
            address: self.address.map(|address| address.to_string()),
            action: self.action,
            object,
            status,
            code,
            request_id: Some(request_id.to_owned()),
        };
        if let Err(error) = app.identity.record(event).await {
            metrics::counter!("hexiao_audit_events_lost_total").increment(1);
            tracing::error!(%error, request_id, "an event is missing in the audit trail");
        }
        response
    }
}

/// `POST /v1/users/{id}`
fn action(method: &Method, path: &str) -> String {
    format!("{method} {path}")
}

/// The first id in a path. Numbers of cards are in no path.
fn object_in(path: &str) -> Option<String> {
    path.split('/').find(|part| is_id(part)).map(str::to_owned)
}

fn is_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(prefix, rest)| {
        (2..=8).contains(&prefix.len())
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
            && rest.len() == 13
            && rest.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
    })
}

/// The id of what an answer says was made.
async fn made(response: Response) -> (Response, Option<String>) {
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let is_small = response.body().size_hint().exact().is_some_and(|size| size <= LARGEST);
    if !is_json || !is_small {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else {
        return (Response::from_parts(parts, Body::empty()), None);
    };
    let object = serde_json::from_slice::<Made>(&bytes).ok().and_then(Made::id);
    (Response::from_parts(parts, Body::from(bytes)), object.filter(|id| is_id(id)))
}

/// Where answers have the id of what was made.
#[derive(Deserialize)]
struct Made {
    id: Option<String>,
    approval: Option<Inside>,
    client: Option<Inside>,
    card: Option<Inside>,
    invitation: Option<Inside>,
}

#[derive(Deserialize)]
struct Inside {
    id: Option<String>,
}

impl Made {
    fn id(self) -> Option<String> {
        let inside = [self.approval, self.client, self.invitation, self.card];
        self.id.or_else(|| inside.into_iter().flatten().find_map(|inside| inside.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misuse_of_a_session_is_told_once_a_minute_and_of_so_many_sessions() {
        let at = |seconds| Timestamp::from_micros(1_772_350_800_000_000).plus_seconds(seconds);
        let misuse = Misuse::default();
        let (one, other) = (SessionId::new(1), SessionId::new(2));
        for (session, second, told) in [
            (one, 0, true),
            (one, 1, false),
            (other, 1, true),
            (one, 59, false),
            (one, 60, true),
            (one, 61, false),
        ] {
            assert_eq!(misuse.is_told(session, at(second)), told, "{session} at {second}");
        }
        let many = 0..2 * i64::try_from(MISUSED_SESSIONS).expect("a count");
        let told = many.clone().filter(|id| misuse.is_told(SessionId::new(1000 + id), at(100))).count();
        assert_eq!(told, MISUSED_SESSIONS - 1, "session 1 is remembered, session 2 forgotten");
        let told = many.filter(|id| misuse.is_told(SessionId::new(1000 + id), at(200))).count();
        assert_eq!(told, MISUSED_SESSIONS, "and room again, a minute later");
    }

    #[test]
    fn only_ids_are_objects() {
        for (path, expect) in [
            ("/v1/users/user_00000003nqk8n", Some("user_00000003nqk8n")),
            ("/v1/cards/card_00000003nqk8n/freeze", Some("card_00000003nqk8n")),
            ("/v1/redemptions", None),
            ("/v1/cards/6222020200012345678", None),
        ] {
            assert_eq!(object_in(path).as_deref(), expect, "{path}");
        }
    }
}
