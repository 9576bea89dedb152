//! The routes of `/v1`, one endpoint a file, and the table of who may call them.

pub(crate) mod batches;
pub(crate) mod card_changes;
pub(crate) mod cards;
pub(crate) mod catalog;
pub(crate) mod ledger;
pub(crate) mod operations;
pub(crate) mod reconciliations;
pub(crate) mod service;
pub(crate) mod value;

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
    CATALOG_READ = CatalogRead;
    CATALOG_WRITE = CatalogWrite;
    CLIENTS = Clients | Platform;
    ISSUE = CardsIssue;
    EXPORT = CardsExport;
    READ = CardsRead;
    MANAGE = CardsManage;
    LOAD = Load;
    REDEEM = Redeem;
    REFUND = Refund;
    REFUND_UNLINKED = RefundUnlinked;
    TRANSFER = Transfer;
    ADJUST = Adjust;
    CASH_OUT = CashOut;
    LEDGER = LedgerRead;
    RECONCILIATION_READ = ReconciliationRead;
    RECONCILIATION_WRITE = ReconciliationWrite;
    RECONCILIATION_APPROVE = ReconciliationApprove;
}

/// The one table of routes, scopes and keys.
pub(crate) fn register(builder: Builder) -> Builder {
    let builder = value(builder);
    let builder = cards(builder);
    let builder = catalog(builder);
    let builder = reconciliation(builder);
    builder
        .add(READ, None, routes!(operations::list::list))
        .add(READ, None, routes!(operations::read::read))
        .add(LEDGER, None, routes!(ledger::trial_balance::trial_balance))
        .add(LEDGER, None, routes!(ledger::account::account))
        .add(LEDGER, None, routes!(ledger::transfers::transfers))
        .add(Access::Public, None, routes!(service::healthz))
        .add(Access::Public, None, routes!(service::readyz))
        .add(Access::Public, None, routes!(service::metrics))
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
}

fn cards(builder: Builder) -> Builder {
    builder
        .add(ISSUE, None, routes!(cards::create::create))
        .add(READ, None, routes!(cards::lookup::lookup))
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
        .add(CATALOG_READ, None, routes!(catalog::programs::list))
        .add(CATALOG_READ, None, routes!(catalog::programs::read))
        .add(CATALOG_WRITE, None, routes!(catalog::programs::change))
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
