//! The routes of `/v1`, one endpoint a file, and the table of who may call them.

pub(crate) mod approvals;
pub(crate) mod batches;
pub(crate) mod card_changes;
pub(crate) mod cards;
pub(crate) mod catalog;
pub(crate) mod dashboard;
pub(crate) mod identity;
pub(crate) mod ledger;
pub(crate) mod operations;
pub(crate) mod policy_packs;
pub(crate) mod reconciliations;
pub(crate) mod reports;
pub(crate) mod service;
pub(crate) mod service_state;
pub(crate) mod settlement;
pub(crate) mod value;
pub(crate) mod wallet;

use domain::catalog::Scope;
use utoipa_axum::routes;

use crate::{
    access::Access,
    openapi::{
        Builder,
        Key::{Needed, None},
    },
};

macro_rules! scopes {
    ($($name:ident = $($scope:ident)|+;)*) => { $( const $name: Access = Access::AnyOf(&[$(Scope::$scope),+]); )* };
}

scopes! {
    ISSUERS_READ = CatalogRead | Platform;
    PLATFORM = Platform;
    APPROVALS_DECIDE = ApproveIssue | ApproveAdjust | ApproveRefund | ApproveTerms;
    APPROVALS_ASK = CardsIssue | Load | Adjust | RefundUnlinked | SettlementWrite;
    APPROVALS_SEE = ApproveIssue | ApproveAdjust | ApproveRefund | ApproveTerms | AuditRead | CardsIssue | Load | Adjust | RefundUnlinked | SettlementWrite;
    CATALOG_READ = CatalogRead;
    CATALOG_WRITE = CatalogWrite;
    CLIENTS = Clients | Platform;
    USERS = Users | Platform;
    AUDIT = AuditRead | Platform;
    ISSUE = CardsIssue;
    EXPORT = CardsExport;
    READ = CardsRead;
    SERVICE = ServiceRead;
    OWN_KEYS = CardsRead | Redeem | Refund | Load;
    MANAGE = CardsManage;
    LOAD = Load;
    REDEEM = Redeem;
    REFUND = Refund;
    REFUND_UNLINKED = RefundUnlinked;
    TRANSFER = Transfer;
    ADJUST = Adjust;
    CASH_OUT = CashOut;
    LEDGER = LedgerRead;
    ACCOUNTING_READ = AccountingRead;
    ACCOUNTING_WRITE = AccountingWrite;
    HOLDER_REFUND = HolderRefund;
    EVIDENCE = Evidence;
    SETTLEMENT_READ = SettlementRead;
    SETTLEMENT_WRITE = SettlementWrite;
    PAYOUTS_APPROVE = PayoutsApprove;
    RECONCILIATION_READ = ReconciliationRead;
    RECONCILIATION_WRITE = ReconciliationWrite;
    RECONCILIATION_APPROVE = ReconciliationApprove;
}

/// The one table of routes, scopes and keys.
pub(crate) fn register(builder: Builder) -> Builder {
    let builder = value(builder);
    let builder = people(builder);
    let builder = cards(builder);
    let builder = catalog(builder);
    let builder = settling(builder);
    let builder = reports(builder);
    let builder = reconciliation(builder);
    let builder = holders(builder);
    let builder = approval(builder);
    builder
        .add(READ, None, routes!(operations::export::export))
        .add(READ, None, routes!(operations::list::list))
        .add(READ, None, routes!(operations::read::read))
        .add(OWN_KEYS, None, routes!(operations::lookup::lookup))
        .add(LEDGER, None, routes!(ledger::trial_balance::trial_balance))
        .add(LEDGER, None, routes!(ledger::account::account))
        .add(LEDGER, None, routes!(ledger::transfers::transfers))
        .add(READ, None, routes!(dashboard::read::read))
        .add(READ, None, routes!(dashboard::events::events))
        .add(SERVICE, None, routes!(service_state::jobs::jobs))
        .add(SERVICE, None, routes!(service_state::health::health))
        .add(Access::Public, None, routes!(service::healthz))
        .add(Access::Public, None, routes!(service::readyz))
        .add(Access::Public, None, routes!(service::metrics))
}

fn approval(builder: Builder) -> Builder {
    builder
        .add(APPROVALS_SEE, None, routes!(approvals::list::list))
        .add(APPROVALS_SEE, None, routes!(approvals::read::read))
        .add(APPROVALS_DECIDE, None, routes!(approvals::decide::approve))
        .add(APPROVALS_DECIDE, None, routes!(approvals::decide::reject))
        .add(APPROVALS_ASK, None, routes!(approvals::decide::withdraw))
}

fn reconciliation(builder: Builder) -> Builder {
    builder
        .add(RECONCILIATION_WRITE, None, routes!(reconciliations::upload::create))
        .add(RECONCILIATION_READ, None, routes!(reconciliations::list::list))
        .add(RECONCILIATION_READ, None, routes!(reconciliations::read::read))
        .add(RECONCILIATION_READ, None, routes!(reconciliations::lines::lines))
        .add(RECONCILIATION_READ, None, routes!(reconciliations::ageing::ageing))
        .add(RECONCILIATION_READ, None, routes!(reconciliations::differences::list))
        .add(RECONCILIATION_READ, None, routes!(reconciliations::differences::read))
        .add(RECONCILIATION_WRITE, None, routes!(reconciliations::resolve::propose))
        .add(RECONCILIATION_APPROVE, None, routes!(reconciliations::resolve::approve))
        .add(RECONCILIATION_APPROVE, None, routes!(reconciliations::resolve::reject))
}

fn people(builder: Builder) -> Builder {
    builder
        .add(Access::Public, None, routes!(identity::sign_in::create))
        .add(Access::Begun, None, routes!(identity::second_factor::give))
        .add(Access::SignedIn, None, routes!(identity::current::read))
        .add(Access::Begun, None, routes!(identity::current::end))
        .add(Access::SignedIn, None, routes!(identity::sessions::list))
        .add(Access::SignedIn, None, routes!(identity::sessions::end))
        .add(Access::SignedIn, None, routes!(identity::me::change))
        .add(Access::Begun, None, routes!(identity::totp::begin))
        .add(Access::Begun, None, routes!(identity::totp::confirm))
        .add(Access::SignedIn, None, routes!(identity::totp::remove))
        .add(Access::Public, None, routes!(identity::passkey_proof::origins))
        .add(Access::Public, None, routes!(identity::passkey_proof::begin_sign_in))
        .add(Access::Public, None, routes!(identity::passkey_proof::sign_in))
        .add(Access::Begun, None, routes!(identity::passkey_proof::begin_second))
        .add(Access::SignedIn, None, routes!(identity::passkeys::list))
        .add(Access::Begun, None, routes!(identity::passkeys::begin))
        .add(Access::Begun, None, routes!(identity::passkeys::add))
        .add(Access::SignedIn, None, routes!(identity::passkeys::remove))
        .add(USERS, None, routes!(identity::users::list))
        .add(USERS, None, routes!(identity::users::read))
        .add(USERS, None, routes!(identity::users::change))
        .add(USERS, None, routes!(identity::users::reset))
        .add(USERS, None, routes!(identity::invitations::create))
        .add(USERS, None, routes!(identity::invitations::list))
        .add(USERS, None, routes!(identity::invitations::withdraw))
        .add(Access::Public, None, routes!(identity::invitations::accept))
        .add(USERS, None, routes!(identity::roles::list))
        .add(USERS, None, routes!(identity::roles::read))
        .add(USERS, None, routes!(identity::roles::create))
        .add(USERS, None, routes!(identity::roles::change))
        .add(USERS, None, routes!(identity::providers::list))
        .add(USERS, None, routes!(identity::providers::read))
        .add(USERS, None, routes!(identity::providers::create))
        .add(USERS, None, routes!(identity::providers::change))
        .add(USERS, None, routes!(identity::providers::check))
        .add(USERS, None, routes!(identity::providers::linked))
        .add(USERS, None, routes!(identity::providers::unlink))
        .add(Access::Public, None, routes!(identity::openid::options))
        .add(Access::Public, None, routes!(identity::openid::begin))
        .add(Access::Public, None, routes!(identity::openid::callback))
        .add(AUDIT, None, routes!(identity::audit::list))
        .add(Access::SignedIn, None, routes!(identity::views::list))
        .add(Access::SignedIn, None, routes!(identity::views::create))
        .add(Access::SignedIn, None, routes!(identity::views::delete))
}

fn value(builder: Builder) -> Builder {
    builder
        .add(LOAD, Needed, routes!(value::activations::create))
        .add(LOAD, Needed, routes!(value::loads::create))
        .add(REDEEM, Needed, routes!(value::redemptions::create))
        .add(REDEEM, None, routes!(value::redemption_batch::create))
        .add(REFUND, Needed, routes!(value::refunds::create))
        .add(REFUND_UNLINKED, Needed, routes!(value::unlinked_refunds::create))
        .add(REDEEM, Needed, routes!(value::holds::create))
        .add(REDEEM, Needed, routes!(value::captures::create))
        .add(REDEEM, Needed, routes!(value::releases::create))
        .add(REDEEM, Needed, routes!(value::reversals::create))
        .add(ADJUST, Needed, routes!(value::adjustments::create))
        .add(TRANSFER, Needed, routes!(value::transfers::create))
        .add(TRANSFER, Needed, routes!(value::merges::create))
        .add(MANAGE, Needed, routes!(value::replacements::create))
        .add(CASH_OUT, Needed, routes!(value::cash_outs::create))
        .add(HOLDER_REFUND, Needed, routes!(value::holder_refunds::create))
        .add(ADJUST, Needed, routes!(value::exchanges::create))
}

fn cards(builder: Builder) -> Builder {
    builder
        .add(ISSUE, None, routes!(cards::create::create))
        .add(READ, None, routes!(cards::lookup::lookup))
        .add(READ, None, routes!(cards::expiring::expiring))
        .add(EVIDENCE, None, routes!(cards::evidence::evidence))
        .add(HOLDER_REFUND, None, routes!(value::holder_refunds::quote))
        .add(READ, None, routes!(cards::read::read))
        .add(READ, None, routes!(cards::operations::operations))
        .add(MANAGE, Needed, routes!(card_changes::freeze::freeze))
        .add(MANAGE, Needed, routes!(card_changes::unfreeze::unfreeze))
        .add(MANAGE, Needed, routes!(card_changes::report_lost::report_lost))
        .add(ADJUST, Needed, routes!(card_changes::reactivate::reactivate))
        .add(MANAGE, Needed, routes!(card_changes::close::close))
        .add(MANAGE, Needed, routes!(card_changes::bind::bind))
        .add(ISSUE, Needed, routes!(batches::create::create))
        .add(ISSUE, None, routes!(batches::list::list))
        .add(ISSUE, None, routes!(batches::read::read))
        .add(EXPORT, None, routes!(batches::export::export))
}

fn catalog(builder: Builder) -> Builder {
    builder
        .add(PLATFORM, None, routes!(catalog::issuers::create))
        .add(ISSUERS_READ, None, routes!(catalog::issuers::list))
        .add(ISSUERS_READ, None, routes!(catalog::issuers::read))
        .add(PLATFORM, None, routes!(catalog::issuers::change))
        .add(CATALOG_WRITE, None, routes!(catalog::programs::create))
        .add(CATALOG_READ, None, routes!(catalog::program_check::check))
        .add(CATALOG_READ, None, routes!(catalog::programs::list))
        .add(CATALOG_READ, None, routes!(catalog::programs::read))
        .add(CATALOG_WRITE, None, routes!(catalog::programs::change))
        .add(CATALOG_READ, None, routes!(policy_packs::list::list))
        .add(CATALOG_READ, None, routes!(policy_packs::read::read))
        .add(CATALOG_WRITE, None, routes!(catalog::merchants::create))
        .add(CATALOG_READ, None, routes!(catalog::merchants::list))
        .add(CATALOG_READ, None, routes!(catalog::merchants::read))
        .add(CATALOG_WRITE, None, routes!(catalog::merchants::change))
        .add(CATALOG_WRITE, None, routes!(catalog::stores::create))
        .add(CATALOG_READ, None, routes!(catalog::stores::list))
        .add(CATALOG_READ, None, routes!(catalog::stores::read))
        .add(CATALOG_WRITE, None, routes!(catalog::stores::change))
        .add(CATALOG_WRITE, None, routes!(catalog::terminals::create))
        .add(CATALOG_READ, None, routes!(catalog::terminals::list))
        .add(CATALOG_READ, None, routes!(catalog::terminals::read))
        .add(CATALOG_WRITE, None, routes!(catalog::terminals::change))
        .add(CLIENTS, None, routes!(catalog::clients::create))
        .add(CLIENTS, None, routes!(catalog::clients::list))
        .add(CLIENTS, None, routes!(catalog::clients::read))
        .add(CLIENTS, None, routes!(catalog::clients::change))
        .add(CLIENTS, None, routes!(catalog::client_secret::rotate))
}

fn reports(builder: Builder) -> Builder {
    builder
        .add(ACCOUNTING_READ, None, routes!(reports::liability::liability))
        .add(ACCOUNTING_READ, None, routes!(reports::ageing::ageing))
        .add(ACCOUNTING_READ, None, routes!(reports::breakage::breakage))
        .add(ACCOUNTING_READ, None, routes!(reports::journal::journal))
        .add(ACCOUNTING_READ, None, routes!(reports::quarterly::quarterly))
        .add(ACCOUNTING_READ, None, routes!(reports::custody::custody))
        .add(ACCOUNTING_READ, None, routes!(reports::invoices::invoices))
        .add(ACCOUNTING_READ, None, routes!(reports::settings::read))
        .add(ACCOUNTING_WRITE, None, routes!(reports::settings::change))
        .add(ACCOUNTING_WRITE, None, routes!(reports::figures::custody_balance))
        .add(ACCOUNTING_WRITE, None, routes!(reports::figures::revenue))
}

fn holders(builder: Builder) -> Builder {
    builder
        .add(Access::Public, None, routes!(wallet::codes::create))
        .add(Access::Public, None, routes!(wallet::sessions::create))
        .add(Access::Public, None, routes!(wallet::outbox::read))
        .add(Access::Holder, None, routes!(wallet::sessions::read))
        .add(Access::Holder, None, routes!(wallet::sessions::end))
        .add(Access::Holder, None, routes!(wallet::cards::list))
        .add(Access::Holder, None, routes!(wallet::cards::add))
        .add(Access::Holder, None, routes!(wallet::cards::read))
        .add(Access::Holder, None, routes!(wallet::card_operations::list))
        .add(Access::Holder, None, routes!(wallet::report_lost::create))
        .add(Access::Holder, None, routes!(wallet::devices::enrol))
        .add(Access::Holder, None, routes!(wallet::devices::list))
        .add(Access::Holder, None, routes!(wallet::devices::revoke))
        .add(Access::Holder, None, routes!(wallet::gifts::offer))
        .add(Access::Holder, None, routes!(wallet::gifts::list))
        .add(Access::Holder, None, routes!(wallet::gifts::accept))
        .add(Access::Holder, None, routes!(wallet::gifts::decline))
        .add(Access::Holder, None, routes!(wallet::gifts::withdraw))
}

fn settling(builder: Builder) -> Builder {
    builder
        .add(SETTLEMENT_READ, None, routes!(settlement::calendar::read))
        .add(SETTLEMENT_WRITE, None, routes!(settlement::calendar::import))
        .add(SETTLEMENT_WRITE, None, routes!(settlement::agreements::create))
        .add(SETTLEMENT_READ, None, routes!(settlement::agreements::list))
        .add(SETTLEMENT_READ, None, routes!(settlement::agreements::read))
        .add(SETTLEMENT_READ, None, routes!(settlement::dry_run::create))
        .add(SETTLEMENT_WRITE, None, routes!(settlement::runs::create))
        .add(SETTLEMENT_READ, None, routes!(settlement::statements::list))
        .add(SETTLEMENT_READ, None, routes!(settlement::statements::read))
        .add(SETTLEMENT_READ, None, routes!(settlement::statements::lines))
        .add(SETTLEMENT_READ, None, routes!(settlement::statement_export::export))
        .add(SETTLEMENT_WRITE, None, routes!(settlement::payees::create))
        .add(SETTLEMENT_READ, None, routes!(settlement::payees::list))
        .add(SETTLEMENT_READ, None, routes!(settlement::payouts::list))
        .add(SETTLEMENT_READ, None, routes!(settlement::payouts::read))
        .add(PAYOUTS_APPROVE, None, routes!(settlement::payout_steps::approve))
        .add(PAYOUTS_APPROVE, None, routes!(settlement::payout_steps::reject))
        .add(SETTLEMENT_WRITE, None, routes!(settlement::payout_file::create))
        .add(SETTLEMENT_WRITE, None, routes!(settlement::payout_steps::confirm))
        .add(SETTLEMENT_WRITE, None, routes!(settlement::payout_steps::give_back))
        .add(SETTLEMENT_WRITE, None, routes!(settlement::merchant_payments::create))
        .add(SETTLEMENT_WRITE, Needed, routes!(settlement::channel_payments::create))
}
