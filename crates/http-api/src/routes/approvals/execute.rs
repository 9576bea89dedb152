//! Doing what was approved: exactly the stored body, in the name of who asked, under a key that follows from the
//! approval's id. Done again after a crash, by another node or by a second approval, it is done once.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{IdempotencyKey, catalog::Client, program::Status};
use engine::issue::job_key;
use identity::approvals;
use serde::de::DeserializeOwned;
use storage::{Approval, ApprovalSubject, StorageError};

use super::{concealed, user};
use crate::{
    auth::Caller,
    error::{Code, Problem},
    input,
    routes::{batches, cards, settlement, value},
    second_person::Done,
    state::AppState,
};

/// What is approved is done by the request that approves it. What that one left undone for so long is taken up.
const LEFT_SECONDS: i64 = 30;
/// How often it is looked for.
const LOOK: Duration = Duration::from_secs(5);
/// How much is taken up at once.
const ROUND: usize = 50;

/// What a stored request is done as.
pub(crate) struct Order {
    /// In whose name.
    pub caller: Caller,
    /// Under which key.
    pub key: IdempotencyKey,
    /// What makes two such requests the same: the approval, whose body never changes.
    pub canonical: Box<[u8]>,
}

/// Does what was approved, and notes what came of it. An error leaves it to be done.
pub(crate) async fn carry_out(app: &AppState, approval: Approval) -> Result<Approval, Problem> {
    let done = perform(app, &approval).await;
    let now = app.engine.now();
    let (approval, event) = match done {
        Ok(done) => match done.declined() {
            Some(code) => approvals::fail(approval, code, now),
            None => approvals::finish(approval, done.id(), now),
        },
        Err(problem) if problem.is_refusal() => approvals::fail(approval, problem.code(), now),
        Err(problem) => return Err(problem),
    };
    match app.engine.store().update_approval(&approval, &event).await {
        Ok(()) => Ok(approval),
        // Another one did it at the same moment, with the same outcome.
        Err(StorageError::Conflict { .. }) => {
            let found = app.engine.store().approval(approval.id).await?;
            found.ok_or_else(|| Problem::new(Code::Internal, "the approval is missing; ask the operator"))
        }
        Err(error) => Err(error.into()),
    }
}

async fn perform(app: &AppState, approval: &Approval) -> Result<Done, Problem> {
    let order = order(app, approval).await?;
    let body = concealed::reveal(app.engine.vault(), approval.id, &approval.body)?;
    let text = body.to_string();
    let text = text.as_str();
    match approval.subject {
        ApprovalSubject::Batch => batches::create::perform(app, order, parsed(text)?).await,
        ApprovalSubject::Card => cards::create::perform(app, order, parsed(text)?).await,
        ApprovalSubject::Activation => value::activations::perform(app, order, parsed(text)?).await,
        ApprovalSubject::Load => value::loads::perform(app, order, parsed(text)?).await,
        ApprovalSubject::Adjustment => value::adjustments::perform(app, order, parsed(text)?).await,
        ApprovalSubject::UnlinkedRefund => value::unlinked_refunds::perform(app, order, parsed(text)?).await,
        ApprovalSubject::Agreement => settlement::agreements::perform(app, order, parsed(text)?).await,
    }
}

fn parsed<T: DeserializeOwned>(body: &str) -> Result<T, Problem> {
    input::parse(body.as_bytes())
}

async fn order(app: &AppState, approval: &Approval) -> Result<Order, Problem> {
    let key = job_key(approval.id.get(), u64::from_be_bytes(*b"approval"));
    let key = key.ok_or_else(|| Problem::new(Code::Internal, "the approval's id makes no key"))?;
    Ok(Order {
        caller: maker(app, approval).await?,
        key,
        canonical: format!("approval:{}", approval.id).into_bytes().into_boxed_slice(),
    })
}

/// Who asked, as routes see him. Without limits: a second person has decided.
async fn maker(app: &AppState, approval: &Approval) -> Result<Caller, Problem> {
    let found = app.engine.store().user(user(approval.maker)).await?;
    let found =
        found.ok_or_else(|| Problem::new(Code::ApprovalMaker, "who asked for it is not there any more"))?;
    let client = Client {
        id: approval.maker,
        issuer: Some(approval.issuer),
        merchant: found.merchant,
        name: found.name,
        scopes: BTreeSet::from([approvals::asks(approval.subject)]),
        secret_hash: [0; 32],
        rate_per_second: 1,
        status: Status::Active,
        created_at: found.created_at,
        version: found.version,
    };
    Ok(Caller(Arc::new(client), None))
}

/// Takes up what was approved and not done, for as long as the interface is there: whoever approved it may have died
/// in the middle.
pub(crate) fn start(app: &AppState) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    let app = app.downgrade();
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(app) = app.upgrade().map(AppState::of) else { return };
            if !app.engine.is_running() {
                return;
            }
            if app.is_member()
                && let Err(problem) = take_up(&app).await
            {
                tracing::warn!(
                    code = problem.code(),
                    "what was approved could not be done; it will be tried again"
                );
            }
        }
    });
}

async fn take_up(app: &AppState) -> Result<(), Problem> {
    let before = app.engine.now().plus_seconds(-LEFT_SECONDS);
    for approval in app.engine.store().unfinished_approvals(before, ROUND).await? {
        carry_out(app, approval).await?;
    }
    Ok(())
}
