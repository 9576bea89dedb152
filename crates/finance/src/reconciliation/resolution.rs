//! What is done about a difference: proposed by one client, approved by another, posted by the engine.
//!
//! An approval is written before its correction is posted, under a key that follows from the difference and
//! its version: whoever finds it approved and not posted posts it again, and nothing is posted twice.

use domain::{
    Account, Amount, ClientId, Command, DifferenceId, IdempotencyKey, IssuerId, PostedTransfer, Posting,
    PostingKind, command::Actor,
};
use engine::Intent;
use reconciliation::Correction;
use storage::{DifferenceEvent, DifferenceRecord, DifferenceStatus, Proposal, StorageError};

use super::{ReconcileError, Reconciler, error::field};

/// The longest note, in bytes.
const MAX_NOTE: usize = 500;
/// Interrupted postings that are taken up at once.
const RESUMED: usize = 100;

/// What somebody proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// What to move into the account, seen as its owner's file sees it; `None`: nothing, it is explained.
    pub correction: Option<i64>,
    /// Why.
    pub note: String,
}

impl Reconciler {
    /// Proposes what to do about an open difference.
    pub async fn propose(
        &self,
        issuer: IssuerId,
        client: ClientId,
        id: DifferenceId,
        proposed: Proposed,
    ) -> Result<DifferenceRecord, ReconcileError> {
        let record = self.own_difference(issuer, id).await?;
        expect(&record, DifferenceStatus::Open, "only an open difference can be proposed for")?;
        check_note(&proposed.note)?;
        if let Some(delta) = proposed.correction {
            correction(record.account, issuer, delta)?;
        }
        let at = self.engine.now();
        let proposal = Proposal { by: client, at, correction: proposed.correction, note: proposed.note };
        let note = proposal.note.clone();
        let changed =
            DifferenceRecord { status: DifferenceStatus::Proposed, proposal: Some(proposal), ..record };
        self.change(changed, client, "proposed", note).await
    }

    /// Approves what another client proposed, and posts it where it moves something.
    pub async fn approve(
        &self,
        issuer: IssuerId,
        client: ClientId,
        id: DifferenceId,
    ) -> Result<DifferenceRecord, ReconcileError> {
        let record = self.own_difference(issuer, id).await?;
        if waits_for_posting(&record) {
            return self.post(record).await;
        }
        expect(&record, DifferenceStatus::Proposed, "only a proposed difference can be approved")?;
        if record.proposal.as_ref().is_none_or(|proposal| proposal.by == client) {
            return Err(ReconcileError::SameClient);
        }
        let decided = Some((client, self.engine.now()));
        let approved = DifferenceRecord { status: DifferenceStatus::Approved, decided, ..record };
        let approved = self.change(approved, client, "approved", String::new()).await?;
        if waits_for_posting(&approved) { self.post(approved).await } else { Ok(approved) }
    }

    /// Turns a proposal down: the difference is open again.
    pub async fn reject(
        &self,
        issuer: IssuerId,
        client: ClientId,
        id: DifferenceId,
        note: String,
    ) -> Result<DifferenceRecord, ReconcileError> {
        let record = self.own_difference(issuer, id).await?;
        expect(&record, DifferenceStatus::Proposed, "only a proposed difference can be rejected")?;
        check_note(&note)?;
        let open = DifferenceRecord { status: DifferenceStatus::Open, proposal: None, ..record };
        self.change(open, client, "rejected", note).await
    }

    /// Posts approved corrections whose posting was interrupted. Says how many.
    pub async fn resume(&self) -> Result<u64, ReconcileError> {
        let mut posted = 0;
        for record in self.engine.store().unposted_corrections(RESUMED).await? {
            match self.post(record).await {
                Ok(_) => posted += 1,
                // It is open again, or another node was first.
                Err(ReconcileError::Refused(_) | ReconcileError::Changed) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(posted)
    }

    async fn own_difference(
        &self,
        issuer: IssuerId,
        id: DifferenceId,
    ) -> Result<DifferenceRecord, ReconcileError> {
        let found = self.engine.store().difference(id).await?;
        found.filter(|record| record.issuer == issuer).ok_or(ReconcileError::Unknown("difference"))
    }

    async fn change(
        &self,
        record: DifferenceRecord,
        by: ClientId,
        action: &str,
        note: String,
    ) -> Result<DifferenceRecord, ReconcileError> {
        let record = DifferenceRecord { version: record.version.saturating_add(1), ..record };
        let event = DifferenceEvent {
            difference: record.id,
            version: record.version,
            at: self.engine.now(),
            by: Some(by),
            action: action.to_owned(),
            note,
        };
        match self.engine.store().update_difference(&record, &event).await {
            Ok(()) => Ok(record),
            Err(StorageError::Conflict { what: "version" }) => Err(ReconcileError::Changed),
            Err(error) => Err(error.into()),
        }
    }

    async fn post(&self, record: DifferenceRecord) -> Result<DifferenceRecord, ReconcileError> {
        let intent = intent(&record)?;
        let by = intent.actor.client;
        match self.engine.submit(intent).await? {
            Ok(answer) => {
                let operation = answer.operation.id;
                let posted = DifferenceRecord { correction: Some(operation), ..record };
                self.change(posted, by, "posted", operation.to_string()).await
            }
            Err(refusal) => {
                let open = DifferenceRecord {
                    status: DifferenceStatus::Open,
                    proposal: None,
                    decided: None,
                    ..record
                };
                self.change(open, by, "returned", format!("{refusal:?}")).await?;
                Err(ReconcileError::Refused(refusal))
            }
        }
    }
}

fn waits_for_posting(record: &DifferenceRecord) -> bool {
    let moves = record.proposal.as_ref().is_some_and(|proposal| proposal.correction.is_some());
    record.status == DifferenceStatus::Approved && moves && record.correction.is_none()
}

fn expect(
    record: &DifferenceRecord,
    status: DifferenceStatus,
    needed: &'static str,
) -> Result<(), ReconcileError> {
    if record.status == status {
        return Ok(());
    }
    Err(ReconcileError::Status { status: record.status.name(), needed })
}

fn check_note(note: &str) -> Result<(), ReconcileError> {
    if note.trim().is_empty() || note.len() > MAX_NOTE {
        return field("note", "say why, in at most 500 bytes");
    }
    Ok(())
}

fn correction(account: Account, issuer: IssuerId, delta: i64) -> Result<PostedTransfer, ReconcileError> {
    let found = Correction::of(account, issuer, delta);
    let found = found.and_then(|c| Some((c, Amount::new(c.amount).ok()?)));
    let Some((Correction { debit, credit, .. }, amount)) = found else {
        return field(
            "correction",
            "a correction is not zero, at most 2^53 - 1 either way, and moves a merchant's or a channel's account; \
             money in the bank moves by payouts and payments",
        );
    };
    Ok(PostedTransfer { debit, credit, amount })
}

/// The posting of an approved correction. The same for the same approval, whoever asks and when.
fn intent(record: &DifferenceRecord) -> Result<Intent, ReconcileError> {
    let (proposal, decided) = (record.proposal.as_ref(), record.decided);
    let Some(((delta, note), (client, _))) =
        proposal.and_then(|p| Some((p.correction?, p.note.clone()))).zip(decided)
    else {
        return Err(ReconcileError::Status {
            status: record.status.name(),
            needed: "nothing of it is to be posted",
        });
    };
    let transfer = correction(record.account, record.issuer, delta)?;
    let merchant = match record.account {
        Account::Merchant(merchant) => Some(merchant),
        _ => None,
    };
    let name = format!("{}-{}", record.id, record.version);
    let key = IdempotencyKey::parse(&name).map_err(|_| ReconcileError::Unknown("difference"))?;
    let posting = Posting {
        kind: PostingKind::Correction,
        currency: record.currency,
        merchant,
        transfers: vec![transfer],
        reason: Some(note),
    };
    Ok(Intent {
        actor: Actor { client, issuer: record.issuer, merchant: None },
        key,
        canonical: format!("reconciliation correction {name} {delta}").into_bytes().into(),
        command: Command::Post(posting),
        trace: None,
        reference: Some(record.id.to_string()),
        metadata: None,
    })
}
