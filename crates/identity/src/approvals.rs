//! The steps of an approval (复核): who may take which, and until when. Pure: a step takes the approval as it is and
//! returns it as it is to be stored, with the event that says so.

use domain::{ClientId, Timestamp, catalog::Scope, role::LimitKind};
use storage::{Approval, ApprovalEvent, ApprovalState, ApprovalSubject};

/// How long something waits for a second person. Who decides later decides about another day.
pub const WAITS_HOURS: i64 = 72;

/// The most characters of a note.
pub const MAX_NOTE: usize = 500;

/// When something asked for now is too old to be approved.
pub fn expiry(now: Timestamp) -> Timestamp {
    now.plus_seconds(WAITS_HOURS * 3600)
}

/// The permission to approve and to reject this kind.
pub const fn approves(kind: LimitKind) -> Scope {
    match kind {
        LimitKind::Issue => Scope::ApproveIssue,
        LimitKind::Adjust => Scope::ApproveAdjust,
        LimitKind::UnlinkedRefund => Scope::ApproveRefund,
        LimitKind::Terms => Scope::ApproveTerms,
    }
}

/// The permission to ask for it. The maker must still have it when it is approved.
pub const fn asks(subject: ApprovalSubject) -> Scope {
    match subject {
        ApprovalSubject::Batch | ApprovalSubject::Card => Scope::CardsIssue,
        ApprovalSubject::Activation | ApprovalSubject::Load => Scope::Load,
        ApprovalSubject::Adjustment => Scope::Adjust,
        ApprovalSubject::UnlinkedRefund => Scope::RefundUnlinked,
        ApprovalSubject::Agreement => Scope::SettlementWrite,
    }
}

/// Why a step is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Somebody, or time, has decided.
    #[error("it is {} already; read it again", .0.name())]
    Decided(ApprovalState),
    /// Four eyes.
    #[error("who asked for it cannot decide it; another person with the permission can")]
    OwnRequest,
    /// Only the maker takes it back.
    #[error("only who asked for it can withdraw it; reject it instead")]
    NotOwnRequest,
    /// It waited too long.
    #[error("it waited longer than 72 hours; ask for it again")]
    Stale,
    /// The maker was closed, or lost the permission.
    #[error("who asked for it may not do this any more; reject it")]
    MakerGone,
}

/// A step: what to store.
pub type Step = Result<(Approval, ApprovalEvent), StepError>;

fn pending(approval: &Approval) -> Result<(), StepError> {
    match approval.state {
        ApprovalState::Pending => Ok(()),
        state => Err(StepError::Decided(state)),
    }
}

fn other_person(approval: &Approval, checker: ClientId) -> Result<(), StepError> {
    if approval.maker == checker { Err(StepError::OwnRequest) } else { Ok(()) }
}

/// Writes the next version.
fn next(
    mut approval: Approval,
    at: Timestamp,
    by: Option<ClientId>,
    action: &str,
    note: &str,
) -> (Approval, ApprovalEvent) {
    approval.version = approval.version.saturating_add(1);
    let event = ApprovalEvent {
        approval: approval.id,
        version: approval.version,
        at,
        by,
        action: action.to_owned(),
        note: note.to_owned(),
    };
    (approval, event)
}

fn decide(
    mut approval: Approval,
    state: ApprovalState,
    by: Option<ClientId>,
    at: Timestamp,
    note: Option<&str>,
) -> (Approval, ApprovalEvent) {
    (approval.state, approval.decided_by, approval.decided_at) = (state, by, Some(at));
    approval.note = note.map(str::to_owned);
    next(approval, at, by, state.name(), note.unwrap_or_default())
}

/// Approves. `maker_may` says whether the maker is still let in and still has the permission to ask for this: what
/// a dismissed person left behind is not done in his name.
pub fn approve(
    approval: Approval,
    checker: ClientId,
    maker_may: bool,
    at: Timestamp,
    note: Option<&str>,
) -> Step {
    pending(&approval)?;
    other_person(&approval, checker)?;
    if at >= approval.expires_at {
        return Err(StepError::Stale);
    }
    if !maker_may {
        return Err(StepError::MakerGone);
    }
    Ok(decide(approval, ApprovalState::Approved, Some(checker), at, note))
}

/// Turns down.
pub fn reject(approval: Approval, checker: ClientId, at: Timestamp, note: &str) -> Step {
    pending(&approval)?;
    other_person(&approval, checker)?;
    Ok(decide(approval, ApprovalState::Rejected, Some(checker), at, Some(note)))
}

/// Takes back.
pub fn withdraw(approval: Approval, maker: ClientId, at: Timestamp, note: Option<&str>) -> Step {
    pending(&approval)?;
    if approval.maker != maker {
        return Err(StepError::NotOwnRequest);
    }
    Ok(decide(approval, ApprovalState::Withdrawn, Some(maker), at, note))
}

/// Gives up what nobody decided in time; nothing if its time is not over.
pub fn expire(approval: Approval, at: Timestamp) -> Option<(Approval, ApprovalEvent)> {
    let over = approval.state == ApprovalState::Pending && at >= approval.expires_at;
    over.then(|| decide(approval, ApprovalState::Expired, None, at, None))
}

/// Whether it was approved and is still to be done.
pub fn is_unfinished(approval: &Approval) -> bool {
    approval.state == ApprovalState::Approved && approval.result.is_none()
}

/// Notes what came of it.
pub fn finish(mut approval: Approval, result: String, at: Timestamp) -> (Approval, ApprovalEvent) {
    let note = result.clone();
    approval.result = Some(result);
    next(approval, at, None, "done", &note)
}

/// Notes that it cannot be done.
pub fn fail(mut approval: Approval, code: &str, at: Timestamp) -> (Approval, ApprovalEvent) {
    approval.state = ApprovalState::Failed;
    approval.failure = Some(code.to_owned());
    next(approval, at, None, "failed", code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Amount, ApprovalId, Currency, IssuerId};

    const MAKER: ClientId = ClientId::new(1);
    const CHECKER: ClientId = ClientId::new(2);

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_micros(1_772_350_800_000_000).plus_seconds(hours * 3600)
    }

    fn asked() -> Approval {
        Approval {
            id: ApprovalId::new(9),
            issuer: IssuerId::new(3),
            subject: ApprovalSubject::Batch,
            maker: MAKER,
            body: "{}".to_owned(),
            amount: Amount::MAX,
            currency: Currency::CNY,
            state: ApprovalState::Pending,
            decided_by: None,
            decided_at: None,
            note: None,
            result: None,
            failure: None,
            created_at: at(0),
            expires_at: expiry(at(0)),
            version: 1,
        }
    }

    #[test]
    fn only_another_person_approves_in_time_what_the_maker_may_still_ask_for() {
        let try_at = |who, maker_may, hours| approve(asked(), who, maker_may, at(hours), None);
        for (who, maker_may, hours, expect) in [
            (MAKER, true, 1, StepError::OwnRequest),
            (MAKER, true, 99, StepError::OwnRequest),
            (CHECKER, true, 72, StepError::Stale),
            (CHECKER, true, 99, StepError::Stale),
            (CHECKER, false, 1, StepError::MakerGone),
        ] {
            assert_eq!(try_at(who, maker_may, hours), Err(expect), "{who} {maker_may} {hours}");
        }
        let (approved, event) = try_at(CHECKER, true, 71).expect("in time");
        assert_eq!((approved.state, approved.decided_by), (ApprovalState::Approved, Some(CHECKER)));
        assert_eq!((approved.version, event.version, event.by), (2, 2, Some(CHECKER)));
        assert!(is_unfinished(&approved));
        assert!(approved.state.counts());
    }

    #[test]
    fn what_is_decided_stays_decided() {
        let (rejected, _) = reject(asked(), CHECKER, at(1), "no").expect("rejected");
        let (withdrawn, _) = withdraw(asked(), MAKER, at(1), None).expect("withdrawn");
        let (expired, _) = expire(asked(), at(72)).expect("over");
        let (approved, _) = approve(asked(), CHECKER, true, at(1), None).expect("approved");
        let (done, _) = finish(approved.clone(), "op_1".to_owned(), at(1));
        let (failed, _) = fail(approved.clone(), "card_unknown", at(1));
        for decided in [rejected, withdrawn, expired, approved, done, failed] {
            let state = decided.state;
            let wrong = Err(StepError::Decided(state));
            assert_eq!(approve(decided.clone(), CHECKER, true, at(1), None), wrong);
            assert_eq!(reject(decided.clone(), CHECKER, at(1), "no"), wrong);
            assert_eq!(withdraw(decided.clone(), MAKER, at(1), None), wrong);
            assert_eq!(expire(decided.clone(), at(99)), None);
            assert_eq!(state.counts(), state == ApprovalState::Approved);
        }
    }

    #[test]
    fn makers_withdraw_and_others_reject() {
        assert_eq!(withdraw(asked(), CHECKER, at(1), None), Err(StepError::NotOwnRequest));
        assert_eq!(reject(asked(), MAKER, at(1), "no"), Err(StepError::OwnRequest));
        assert_eq!(expire(asked(), at(71)), None);
    }
}
