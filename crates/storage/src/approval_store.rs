//! Requests of users that count against the limits of their roles, and those among them that a second person
//! decides (maker and checker, 复核).
//!
//! What a user used up of a limit is the sum over its requests of the day, taken under a lock of that user: two
//! requests at once, on two nodes, never both fit where only one does.

use async_trait::async_trait;
use domain::{
    Amount, ApprovalId, BusinessDate, ClientId, Currency, IssuerId, Timestamp,
    role::{Limit, LimitKind},
};

use crate::{Page, Result};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $text:literal, )+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$variant_doc])* $variant, )+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The name in texts and in storage.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }

            /// The one with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

named! {
    /// What is asked for: which request the stored body is of.
    ApprovalSubject {
        /// A batch of cards.
        Batch = "batch",
        /// One card.
        Card = "card",
        /// Activating a card.
        Activation = "activation",
        /// Loading a card.
        Load = "load",
        /// An adjustment.
        Adjustment = "adjustment",
        /// A refund without a redemption.
        UnlinkedRefund = "unlinked_refund",
        /// A version of an agreement.
        Agreement = "agreement",
    }
}

impl ApprovalSubject {
    /// What it counts as.
    pub const fn kind(self) -> LimitKind {
        match self {
            Self::Batch | Self::Card | Self::Activation | Self::Load => LimitKind::Issue,
            Self::Adjustment => LimitKind::Adjust,
            Self::UnlinkedRefund => LimitKind::UnlinkedRefund,
            Self::Agreement => LimitKind::Terms,
        }
    }
}

named! {
    /// How far an approval is.
    ApprovalState {
        /// Nobody has decided.
        Pending = "pending",
        /// Approved. Done once it has a result.
        Approved = "approved",
        /// Turned down by a second person.
        Rejected = "rejected",
        /// Taken back by who asked.
        Withdrawn = "withdrawn",
        /// Nobody decided in time.
        Expired = "expired",
        /// Approved, but what was asked for cannot be done.
        Failed = "failed",
    }
}

impl ApprovalState {
    /// Whether what was asked for counts against the limit of its day: it may yet be done, or was.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Pending | Self::Approved)
    }
}

/// Something that a second person decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Its id. The key under which it is done follows from it.
    pub id: ApprovalId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// What is asked for.
    pub subject: ApprovalSubject,
    /// Who asks: the user's principal.
    pub maker: ClientId,
    /// The request's body in canonical JSON, without secrets. Exactly this is done.
    pub body: String,
    /// How much it counts, in minor units; nothing for terms, which have no amount.
    pub amount: Amount,
    /// The currency of the amount.
    pub currency: Currency,
    /// How far it is.
    pub state: ApprovalState,
    /// Who decided. Never the maker, except that a maker withdraws; absent where time did.
    pub decided_by: Option<ClientId>,
    /// When it was decided, withdrawn or expired.
    pub decided_at: Option<Timestamp>,
    /// What the one who decided wrote about it.
    pub note: Option<String>,
    /// The id of what came of it.
    pub result: Option<String>,
    /// Why it cannot be done: a stable code.
    pub failure: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// From when on it is too old to be approved.
    pub expires_at: Timestamp,
    /// How often it was changed, beginning with 1.
    pub version: u32,
}

impl Approval {
    /// What it counts as.
    pub const fn kind(&self) -> LimitKind {
        self.subject.kind()
    }
}

/// A step of an approval. Kept for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalEvent {
    /// The approval.
    pub approval: ApprovalId,
    /// The version that it led to.
    pub version: u32,
    /// When.
    pub at: Timestamp,
    /// Who; absent where a job did it.
    pub by: Option<ClientId>,
    /// What was done.
    pub action: String,
    /// What was said about it.
    pub note: String,
}

/// Which approvals to list. An absent field accepts all.
#[derive(Clone, Copy, Debug)]
pub struct ApprovalFilter {
    /// The issuer, always.
    pub issuer: IssuerId,
    /// A kind.
    pub kind: Option<LimitKind>,
    /// How far.
    pub state: Option<ApprovalState>,
    /// Who asked.
    pub maker: Option<ClientId>,
}

named! {
    /// What became of a request that counts.
    UseStatus {
        /// Within the limits: it went on at once.
        Through = "through",
        /// It went on and was declined. Counts no more, and the same key replays the decline.
        Declined = "declined",
        /// It went on and was refused: nothing is stored under its key. Counts no more, and the same key asks
        /// again.
        Released = "released",
        /// A second person decides.
        Approval = "approval",
    }
}

/// A request that counts, before it is known whether it goes on.
#[derive(Clone, Debug)]
pub struct Counting {
    /// What a second person would decide. Its id is also that of the request.
    pub approval: Approval,
    /// The key it was asked for under, unique within the maker.
    pub key: String,
    /// The keyed digest of the request, with the id of its key.
    pub fingerprint: (u8, [u8; 16]),
    /// The day that it counts for.
    pub day: BusinessDate,
    /// What needs no second person.
    pub limit: Limit,
}

impl Counting {
    /// Whether it needs no second person, where `used` is counted already that day. A sum that is no amount any more
    /// is more than any limit.
    pub fn is_within(&self, used: i64) -> bool {
        let used = Amount::new(used).unwrap_or(Amount::MAX);
        self.limit.allows(self.approval.amount, used)
    }
}

/// A request that was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Its id, which is that of its approval where there is one.
    pub id: ApprovalId,
    /// The keyed digest of the request, with the id of its key.
    pub fingerprint: (u8, [u8; 16]),
    /// What became of it.
    pub status: UseStatus,
    /// How often it was asked for.
    pub attempt: u32,
    /// Whether it was asked for before, under the same key.
    pub before: bool,
}

/// Where approvals are kept. Lists return at most `limit` items.
#[async_trait]
pub trait ApprovalStore: Send + Sync {
    /// Counts a request against its maker's day and writes it, in one transaction under a lock of the maker: if it
    /// is within the limit, it goes through; otherwise its approval is written. Where the maker used the key
    /// before, nothing is counted again unless that request was released, and the attempt is noted.
    /// [`crate::StorageError::Conflict`] on `key` where the key was used at the same moment for something else.
    async fn count_use(&self, counting: &Counting) -> Result<Counted>;

    /// Gives back what a request counted, if it went through and nobody asked again since that attempt.
    /// `status` is [`UseStatus::Declined`] or [`UseStatus::Released`].
    async fn uncount_use(&self, maker: ClientId, key: &str, attempt: u32, status: UseStatus) -> Result<()>;

    /// What counts of a user's day, in minor units.
    async fn used(
        &self,
        maker: ClientId,
        kind: LimitKind,
        currency: Currency,
        day: BusinessDate,
    ) -> Result<i64>;

    /// An approval.
    async fn approval(&self, id: ApprovalId) -> Result<Option<Approval>>;

    /// Approvals, newest first, older than `before`.
    async fn approvals(
        &self,
        filter: &ApprovalFilter,
        before: Option<ApprovalId>,
        limit: usize,
    ) -> Result<Page<Approval>>;

    /// How many of an issuer nobody has decided.
    async fn pending_approvals(&self, issuer: IssuerId) -> Result<u64>;

    /// Replaces an approval whose stored version is one less than its own, keeps what was done, and counts it no
    /// more where its state does not. [`crate::StorageError::Conflict`] on `version` otherwise.
    async fn update_approval(&self, approval: &Approval, event: &ApprovalEvent) -> Result<()>;

    /// What was done about an approval, oldest first.
    async fn approval_events(&self, id: ApprovalId) -> Result<Vec<ApprovalEvent>>;

    /// Pending ones that are too old, by id.
    async fn overdue_approvals(&self, now: Timestamp, limit: usize) -> Result<Vec<Approval>>;

    /// Approved ones without a result that were decided before `decided_before`, by id: doing them was interrupted.
    async fn unfinished_approvals(&self, decided_before: Timestamp, limit: usize) -> Result<Vec<Approval>>;
}

/// The first event of an approval: that it was asked for.
pub fn asked(approval: &Approval) -> ApprovalEvent {
    ApprovalEvent {
        approval: approval.id,
        version: approval.version,
        at: approval.created_at,
        by: Some(approval.maker),
        action: "asked".to_owned(),
        note: String::new(),
    }
}
