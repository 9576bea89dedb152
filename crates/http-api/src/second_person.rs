//! Maker and checker: a request of a user that goes beyond the limits of his roles is not done but written down,
//! answered with 202, and done once a second person approves it.
//!
//! Every request that counts takes its place in the user's day first, in one transaction under a lock of the user,
//! whatever node it came to; then it is done. What turns out to come to nothing gives its place back. API clients
//! have no limits here: theirs are their scopes.

use axum::{
    http::{HeaderValue, StatusCode, header::LOCATION},
    response::Response,
};
use domain::{Amount, ApprovalId, BusinessDate, Card, Currency, IssuerId, Refusal, command::CardRef};
use engine::Answer;
use serde::Serialize;
use storage::{Approval, ApprovalState, ApprovalSubject, Batch, Counted, Counting, StorageError, UseStatus};

use crate::{
    answer::{answered, json},
    auth::Caller,
    error::{Code, Problem},
    idempotency::Keyed,
    routes::{
        approvals::{ApprovalAccepted, Names, concealed},
        batches::create as batches,
        settlement::agreements::AgreementView,
    },
    state::AppState,
    wire::card::CardName,
};

/// What a user asks for, as it counts.
pub(crate) struct Asked {
    /// The id of the approval, should it need one.
    pub id: ApprovalId,
    /// What.
    pub subject: ApprovalSubject,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// The key of the request. A request that has none is asked for anew each time.
    pub key: Option<String>,
    /// What makes two requests the same.
    pub canonical: Box<[u8]>,
    /// The body that is done, without secrets.
    pub body: String,
}

/// What came of a request.
pub(crate) enum Done {
    /// An operation, approved or declined.
    Operation(Answer),
    /// A batch that will be made, and whether the same was asked for before.
    Batch(Box<Batch>, bool),
    /// A version of an agreement.
    Agreement(Box<settlement::Agreement>),
    /// Something that is shown in this answer only.
    Shown(Response),
}

impl Done {
    /// The answer to who asked.
    pub(crate) fn response(self) -> Result<Response, Problem> {
        match self {
            Self::Operation(answer) => answered(&answer),
            Self::Batch(batch, before) => batches::accepted(&batch, before),
            Self::Agreement(agreement) => json(StatusCode::CREATED, &AgreementView::new(*agreement)),
            Self::Shown(response) => Ok(response),
        }
    }

    /// The id of what came of it.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Operation(answer) => answer.operation.id.to_string(),
            Self::Batch(batch, _) => batch.id.to_string(),
            Self::Agreement(agreement) => agreement.id.to_string(),
            Self::Shown(_) => String::new(),
        }
    }

    /// Why it was declined, where it was.
    pub(crate) fn declined(&self) -> Option<&'static str> {
        match self {
            Self::Operation(answer) => match answer.operation.status {
                domain::operation::Status::Declined(decline) => Some(decline.code()),
                domain::operation::Status::Approved => None,
            },
            _ => None,
        }
    }
}

/// Does a request if it may be done without a second person, and writes it down for one otherwise. `asked` is what
/// counts; nothing, where the request moves nothing that could.
pub(crate) async fn done_or_asked(
    app: &AppState,
    caller: &Caller,
    asked: Option<Asked>,
    work: impl Future<Output = Result<Done, Problem>>,
) -> Result<Response, Problem> {
    let (Some(_), Some(asked)) = (caller.limits(), asked) else { return work.await?.response() };
    let (counting, counted) = count(app, caller, asked).await?;
    if counted.status == UseStatus::Approval {
        return accepted(app, &counting.approval, &counted).await;
    }
    let done = work.await;
    if let Some(status) = comes_to_nothing(&done) {
        let (maker, key) = (counting.approval.maker, counting.key.as_str());
        app.engine.store().uncount_use(maker, key, counted.attempt, status).await?;
    }
    done?.response()
}

/// Whether a request is certain not to have moved anything.
fn comes_to_nothing(done: &Result<Done, Problem>) -> Option<UseStatus> {
    match done {
        Ok(done) => done.declined().map(|_| UseStatus::Declined),
        Err(problem) if problem.is_refusal() => Some(UseStatus::Released),
        Err(_) => None,
    }
}

/// Counts a request of a user.
async fn count(app: &AppState, caller: &Caller, asked: Asked) -> Result<(Counting, Counted), Problem> {
    let counting = counting(app, caller, &asked)?;
    let store = app.engine.store();
    let counted = match store.count_use(&counting).await {
        // The same key came twice at once, for different things.
        Err(StorageError::Conflict { .. }) => store.count_use(&counting).await?,
        counted => counted?,
    };
    let (key_id, bytes) = counted.fingerprint;
    if counted.before && app.engine.vault().fingerprint_with(key_id, &asked.canonical) != Some(bytes) {
        return Err(Refusal::IdempotencyConflict.into());
    }
    Ok((counting, counted))
}

fn counting(app: &AppState, caller: &Caller, asked: &Asked) -> Result<Counting, Problem> {
    let actor = caller.actor()?;
    let now = app.engine.now();
    let id = asked.id;
    let limit = caller.limits().map(|limits| limits.of(asked.subject.kind())).unwrap_or_default();
    let approval = Approval {
        id,
        issuer: actor.issuer,
        subject: asked.subject,
        maker: actor.client,
        body: asked.body.clone(),
        amount: asked.amount,
        currency: asked.currency,
        state: ApprovalState::Pending,
        decided_by: None,
        decided_at: None,
        note: None,
        result: None,
        failure: None,
        created_at: now,
        expires_at: identity::approvals::expiry(now),
        version: 1,
    };
    Ok(Counting {
        approval,
        key: asked.key.clone().unwrap_or_else(|| id.to_string()),
        fingerprint: app.engine.vault().fingerprint(&asked.canonical),
        day: today(app, actor.issuer)?,
        limit,
    })
}

/// The day of an issuer.
fn today(app: &AppState, issuer: IssuerId) -> Result<BusinessDate, Problem> {
    let catalog = app.engine.catalog();
    let found = catalog.issuers.get(&issuer);
    let found = found.ok_or_else(|| Problem::new(Code::IssuerUnknown, "no such issuer for this client"))?;
    Ok(BusinessDate::of(app.engine.now(), &found.zone))
}

/// Says that a second person is waited for. The same request later is answered with how far that is by then.
async fn accepted(app: &AppState, asked: &Approval, counted: &Counted) -> Result<Response, Problem> {
    let approval = if counted.before {
        let found = app.engine.store().approval(counted.id).await?;
        found.ok_or_else(|| Problem::new(Code::Internal, "the approval is missing; ask the operator"))?
    } else {
        asked.clone()
    };
    let names = Names::of(app, std::slice::from_ref(&approval)).await?;
    let mut response = json(StatusCode::ACCEPTED, &ApprovalAccepted::new(approval, &names)?)?;
    if let Ok(location) = HeaderValue::try_from(format!("/v1/approvals/{}", counted.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(if counted.before { crate::answer::replayed(response) } else { response })
}

/// A body as it is kept for a second person.
pub(crate) fn stored(body: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(body).map_err(|_| unwritten())
}

fn unwritten() -> Problem {
    Problem::new(Code::Internal, "the request could not be written down; ask the operator")
}

/// A request of a user about a card. It is written down with the card's id: numbers are secrets.
pub(crate) async fn about_card(
    app: &AppState,
    caller: &Caller,
    keyed: &Keyed,
    body: &impl Serialize,
    name: &CardName,
    (subject, currency): (ApprovalSubject, Currency),
    worth: impl FnOnce(&Card) -> Amount,
) -> Result<Option<Asked>, Problem> {
    if caller.limits().is_none() {
        return Ok(None);
    }
    let card = named_card(app, caller, name, "/card").await?;
    let amount = worth(&card);
    if amount.is_zero() {
        return Ok(None);
    }
    let id = ApprovalId::new(app.engine.next_id());
    let mut written = serde_json::to_value(body).map_err(|_| unwritten())?;
    written["card"] = serde_json::json!({ "id": card.id });
    concealed::conceal(app.engine.vault(), id, &mut written)?;
    let canonical = keyed.canonical(body)?;
    let key = Some(keyed.key.to_text());
    Ok(Some(Asked { id, subject, amount, currency, key, canonical, body: written.to_string() }))
}

/// The card that a user names.
async fn named_card(
    app: &AppState,
    caller: &Caller,
    name: &CardName,
    at: &'static str,
) -> Result<Card, Problem> {
    let store = app.engine.store();
    let card = match name.find_by(app.engine.vault(), at)? {
        CardRef::Id(id) | CardRef::Held { card: id, .. } => store.card(id).await?,
        CardRef::Number(indexes) => store.card_by_number(&indexes).await?,
    };
    let issuer = caller.issuer()?;
    let card = card.filter(|card| card.issuer == issuer);
    card.ok_or_else(|| Problem::from(Refusal::CardUnknown).card_at(at))
}

/// A sum as a limit sees it: what is too much to be an amount is too much for any limit.
pub(crate) fn together(parts: impl IntoIterator<Item = Amount>) -> Amount {
    Amount::checked_sum(parts).unwrap_or(Amount::MAX)
}

/// So many times an amount, in the same way.
pub(crate) fn times(count: u32, amount: Amount) -> Amount {
    let product = amount.get().checked_mul(i64::from(count));
    product.and_then(|product| Amount::new(product).ok()).unwrap_or(Amount::MAX)
}
