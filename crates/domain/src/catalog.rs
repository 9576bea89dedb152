//! The catalog: who and what takes part. An immutable snapshot, replaced whole when something changes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{
    ClientId, IssuerId, MerchantId, Program, ProgramId, StoreId, TerminalId, Timestamp, program::Status,
};

/// An issuer (发卡企业): a tenant.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its id.
    pub id: IssuerId,
    /// Its name.
    pub name: String,
    /// The IANA name of its time zone, which decides its business dates.
    pub time_zone: String,
    /// The same zone, ready to use.
    pub zone: TimeZone,
    /// Whether it still does business.
    pub status: Status,
    /// When it was created.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: u32,
}

/// A merchant (商户).
#[derive(Clone, Debug)]
pub struct Merchant {
    /// Its id.
    pub id: MerchantId,
    /// The issuer whose cards it accepts.
    pub issuer: IssuerId,
    /// Its name.
    pub name: String,
    /// Whether it still does business.
    pub status: Status,
    /// When it was created.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: u32,
}

/// A store (门店) of a merchant.
#[derive(Clone, Debug)]
pub struct Store {
    /// Its id.
    pub id: StoreId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// Its merchant.
    pub merchant: MerchantId,
    /// Its name.
    pub name: String,
    /// Whether it still does business.
    pub status: Status,
    /// When it was created.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: u32,
}

/// A terminal (终端) in a store.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// Its id.
    pub id: TerminalId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// Its store.
    pub store: StoreId,
    /// Its name.
    pub name: String,
    /// Whether it is still in use.
    pub status: Status,
    /// When it was created.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: u32,
}

/// What an API client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Create and change issuers and platform clients. Only for clients that belong to no issuer.
    Platform,
    /// Read issuers, programs, merchants, stores, terminals.
    CatalogRead,
    /// Create and change them.
    CatalogWrite,
    /// Create, read and change API clients.
    Clients,
    /// Make cards.
    CardsIssue,
    /// Export numbers and PINs of a batch, once.
    CardsExport,
    /// Look cards and operations up.
    CardsRead,
    /// Freeze, unfreeze, replace, bind, close.
    CardsManage,
    /// Activate and load.
    Load,
    /// Redeem, hold, capture, release, reverse.
    Redeem,
    /// Refund a redemption.
    Refund,
    /// Refund without a redemption.
    RefundUnlinked,
    /// Move value between cards.
    Transfer,
    /// Adjust balances and reactivate cards.
    Adjust,
    /// Pay value out.
    CashOut,
    /// Read the ledger.
    LedgerRead,
    /// Quote and pay the refunds that the law gives to holders.
    HolderRefund,
    /// Export everything recorded about a card, with the bank accounts of its payments.
    Evidence,
    /// Read agreements, statements and payouts.
    SettlementRead,
    /// Agree on terms, settle, send and confirm payouts.
    SettlementWrite,
    /// Approve and reject payouts.
    PayoutsApprove,
    /// Read reports of accounting.
    AccountingRead,
    /// Enter figures and settings of accounting.
    AccountingWrite,
    /// Read reconciliations and their differences.
    ReconciliationRead,
    /// Send files to reconcile, propose what to do about differences.
    ReconciliationWrite,
    /// Approve or turn down what another client proposed about a difference.
    ReconciliationApprove,
    /// Invite, read and change users and roles.
    Users,
    /// Read the audit trail.
    AuditRead,
    /// Approve what another asked for: batches of cards.
    ApproveIssue,
    /// Approve what another asked for: adjustments.
    ApproveAdjust,
    /// Approve what another asked for: refunds without a redemption.
    ApproveRefund,
    /// Approve what another asked for: terms of settlement.
    ApproveTerms,
    /// Read how the service runs: jobs, health, latency.
    ServiceRead,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 33] = [
        Self::Platform,
        Self::CatalogRead,
        Self::CatalogWrite,
        Self::Clients,
        Self::CardsIssue,
        Self::CardsExport,
        Self::CardsRead,
        Self::CardsManage,
        Self::Load,
        Self::Redeem,
        Self::Refund,
        Self::RefundUnlinked,
        Self::Transfer,
        Self::Adjust,
        Self::CashOut,
        Self::LedgerRead,
        Self::HolderRefund,
        Self::Evidence,
        Self::SettlementRead,
        Self::SettlementWrite,
        Self::PayoutsApprove,
        Self::AccountingRead,
        Self::AccountingWrite,
        Self::ReconciliationRead,
        Self::ReconciliationWrite,
        Self::ReconciliationApprove,
        Self::Users,
        Self::AuditRead,
        Self::ApproveIssue,
        Self::ApproveAdjust,
        Self::ApproveRefund,
        Self::ApproveTerms,
        Self::ServiceRead,
    ];

    /// The name in texts, such as `cards_issue`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::CatalogRead => "catalog_read",
            Self::CatalogWrite => "catalog_write",
            Self::Clients => "clients",
            Self::CardsIssue => "cards_issue",
            Self::CardsExport => "cards_export",
            Self::CardsRead => "cards_read",
            Self::CardsManage => "cards_manage",
            Self::Load => "load",
            Self::Redeem => "redeem",
            Self::Refund => "refund",
            Self::RefundUnlinked => "refund_unlinked",
            Self::Transfer => "transfer",
            Self::Adjust => "adjust",
            Self::CashOut => "cash_out",
            Self::LedgerRead => "ledger_read",
            Self::HolderRefund => "holder_refund",
            Self::Evidence => "evidence",
            Self::ReconciliationRead => "reconciliation_read",
            Self::ReconciliationWrite => "reconciliation_write",
            Self::ReconciliationApprove => "reconciliation_approve",
            Self::SettlementRead => "settlement_read",
            Self::SettlementWrite => "settlement_write",
            Self::PayoutsApprove => "payouts_approve",
            Self::AccountingRead => "accounting_read",
            Self::AccountingWrite => "accounting_write",
            Self::Users => "users",
            Self::AuditRead => "audit_read",
            Self::ApproveIssue => "approve_issue",
            Self::ApproveAdjust => "approve_adjust",
            Self::ApproveRefund => "approve_refund",
            Self::ApproveTerms => "approve_terms",
            Self::ServiceRead => "service_read",
        }
    }

    /// The scope with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// An API client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Its issuer; without one it is a platform client.
    pub issuer: Option<IssuerId>,
    /// The only merchant it may act for, if it is bound to one.
    pub merchant: Option<MerchantId>,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// SHA-256 of its secret, which itself has 256 random bits.
    pub secret_hash: [u8; 32],
    /// The most requests per second, averaged; bursts of as many are accepted.
    pub rate_per_second: u32,
    /// Whether it is still let in.
    pub status: Status,
    /// When it was created.
    pub created_at: Timestamp,
    /// How often it was changed.
    pub version: u32,
}

/// A snapshot of everything low-rate that a decision needs.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Issuers.
    pub issuers: HashMap<IssuerId, Arc<Issuer>>,
    /// Programs.
    pub programs: HashMap<ProgramId, Arc<Program>>,
    /// Merchants.
    pub merchants: HashMap<MerchantId, Arc<Merchant>>,
    /// Stores.
    pub stores: HashMap<StoreId, Arc<Store>>,
    /// Terminals.
    pub terminals: HashMap<TerminalId, Arc<Terminal>>,
    /// API clients.
    pub clients: HashMap<ClientId, Arc<Client>>,
    /// API clients by the hash of their secret.
    pub clients_by_secret: HashMap<[u8; 32], ClientId>,
}
