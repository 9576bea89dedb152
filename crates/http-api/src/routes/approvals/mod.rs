//! Approvals (复核): what users asked for beyond their limits, decided by a second person.

pub(crate) mod concealed;
pub(crate) mod decide;
pub(crate) mod execute;
pub(crate) mod list;
pub(crate) mod read;

use std::collections::{BTreeMap, BTreeSet};

use domain::{ApprovalId, ClientId, Currency, UserId, catalog::Scope, role::LimitKind};
use identity::approvals::{StepError, approves};
use serde::Serialize;
use storage::Approval;
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::{Code, Problem},
    state::AppState,
    wire::{moment::Moment, schema},
};

/// What a second person decides.
#[derive(Serialize, ToSchema)]
#[schema(as = Approval)]
pub(crate) struct ApprovalView {
    /// Its id.
    #[schema(value_type = schema::ApprovalId)]
    id: ApprovalId,
    /// What it counts as: which limit it went beyond, and which permission approves it.
    #[schema(value_type = schema::LimitKind)]
    kind: &'static str,
    /// What is asked for.
    #[schema(value_type = schema::ApprovalSubject)]
    subject: &'static str,
    /// How far it is. Approved without a `result`: it is being done.
    #[schema(value_type = schema::ApprovalState)]
    state: &'static str,
    /// Who asks.
    #[schema(value_type = schema::UserId)]
    maker: UserId,
    /// His name.
    #[serde(skip_serializing_if = "Option::is_none")]
    maker_name: Option<String>,
    /// How much it counts, in minor units; 0 for terms.
    #[schema(value_type = schema::AnyAmount)]
    amount: i64,
    /// The currency of the amount.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// Exactly what will be done: the body of the request, with a card named by its id, and of bank accounts the last
    /// four characters.
    #[schema(value_type = Object)]
    body: serde_json::Value,
    /// Who decided; the maker himself, if he withdrew it. Absent where time did.
    #[schema(value_type = Option<schema::UserId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<UserId>,
    /// His name.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by_name: Option<String>,
    /// What was said about the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The id of what came of it: an operation, a batch, an agreement.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    /// Why it could not be done: the code of a decline or of a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// When it was asked for.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// When it was decided.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<Moment>,
    /// From when on it is too old to be approved.
    #[schema(value_type = schema::Moment)]
    expires_at: Moment,
}

/// A request that waits for a second person.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApprovalAccepted {
    /// What the second person decides.
    approval: ApprovalView,
}

impl ApprovalAccepted {
    pub(crate) fn new(approval: Approval, names: &Names) -> Result<Self, Problem> {
        Ok(Self { approval: ApprovalView::new(approval, names)? })
    }
}

/// A principal that is a user's.
pub(crate) fn user(principal: ClientId) -> UserId {
    UserId::new(principal.get())
}

impl ApprovalView {
    fn new(of: Approval, names: &Names) -> Result<Self, Problem> {
        let name = |who: ClientId| names.0.get(&who).cloned();
        let body = concealed::show(&of.body);
        Ok(Self {
            id: of.id,
            kind: of.subject.kind().name(),
            subject: of.subject.name(),
            state: of.state.name(),
            maker: user(of.maker),
            maker_name: name(of.maker),
            amount: of.amount.get(),
            currency: of.currency,
            body: body
                .ok_or_else(|| Problem::new(Code::Internal, "the request is damaged; ask the operator"))?,
            decided_by: of.decided_by.map(user),
            decided_by_name: of.decided_by.and_then(name),
            note: of.note,
            result: of.result,
            failure: of.failure,
            created_at: Moment(of.created_at),
            decided_at: of.decided_at.map(Moment),
            expires_at: Moment(of.expires_at),
        })
    }
}

/// How people are called.
#[derive(Default)]
pub(crate) struct Names(BTreeMap<ClientId, String>);

impl Names {
    /// Of who asked and who decided.
    pub(crate) async fn of(app: &AppState, approvals: &[Approval]) -> Result<Self, Problem> {
        let both = approvals.iter().flat_map(|one| [Some(one.maker), one.decided_by]);
        let people: BTreeSet<ClientId> = both.flatten().collect();
        let mut names = BTreeMap::new();
        for who in people {
            if let Some(found) = app.engine.store().user(user(who)).await? {
                names.insert(who, found.name);
            }
        }
        Ok(Self(names))
    }
}

/// Whether the caller may see approvals of this kind that are not his own: who decides them, and who audits.
pub(crate) fn sees(caller: &Caller, kind: LimitKind) -> bool {
    let scopes = &caller.0.scopes;
    caller.merchant().is_none() && (scopes.contains(&approves(kind)) || scopes.contains(&Scope::AuditRead))
}

/// An approval within the caller's reach.
pub(crate) async fn within_reach(
    app: &AppState,
    caller: &Caller,
    id: ApprovalId,
) -> Result<Approval, Problem> {
    let issuer = caller.issuer()?;
    let found = app.engine.store().approval(id).await?.filter(|found| found.issuer == issuer);
    let reached = found.filter(|found| found.maker == caller.0.id || sees(caller, found.kind()));
    reached.ok_or_else(|| {
        Problem::new(Code::ApprovalUnknown, "no such approval for this user; check the id").parameter("id")
    })
}

impl From<StepError> for Problem {
    fn from(error: StepError) -> Self {
        let code = match error {
            StepError::Decided(_) => Code::ApprovalState,
            StepError::OwnRequest => Code::SecondPersonNeeded,
            StepError::NotOwnRequest => Code::NotPermitted,
            StepError::Stale => Code::ApprovalStale,
            StepError::MakerGone => Code::ApprovalMaker,
        };
        Self::new(code, error.to_string())
    }
}
