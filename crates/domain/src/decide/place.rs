//! Where a request happens: resolves what it says against the catalog.

use super::{Step, draft::Draft};
use crate::{Channel, MerchantId, Refusal, StoreId, TerminalId, command::Place, program::Status};

/// A place that was found in the catalog.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Located {
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) store: Option<StoreId>,
    pub(crate) terminal: Option<TerminalId>,
    pub(crate) channel: Option<Channel>,
}

impl Draft<'_> {
    /// Resolves the terminal to its store, the store to its merchant, and the merchant from the client
    /// where nothing else names it. What is foreign is unknown.
    pub(crate) fn locate(&mut self, place: &Place) -> Step {
        let catalog = self.context.catalog;
        let actor = self.request.actor;
        let mut store = place.store;
        if let Some(id) = place.terminal {
            let found = catalog.terminals.get(&id).filter(|t| t.issuer == actor.issuer);
            // A bound client learns nothing of other merchants' terminals, not even that they exist.
            let reachable = |store| self.may_act_for(catalog.stores.get(&store).map(|s| s.merchant));
            let terminal = found.filter(|t| reachable(t.store)).ok_or(Refusal::TerminalUnknown)?;
            if terminal.status == Status::Closed {
                return Err(Refusal::TerminalClosed.into());
            }
            if store.is_some_and(|s| s != terminal.store) {
                return Err(Refusal::PlaceMismatch.into());
            }
            store = Some(terminal.store);
        }
        let mut merchant = place.merchant;
        if merchant.is_some_and(|id| !self.may_act_for(Some(id))) {
            return Err(Refusal::MerchantUnknown.into());
        }
        if let Some(id) = store {
            let found = catalog.stores.get(&id).filter(|s| s.issuer == actor.issuer);
            let store = found.filter(|s| self.may_act_for(Some(s.merchant))).ok_or(Refusal::StoreUnknown)?;
            if store.status == Status::Closed {
                return Err(Refusal::StoreClosed.into());
            }
            if merchant.is_some_and(|m| m != store.merchant) {
                return Err(Refusal::PlaceMismatch.into());
            }
            merchant = Some(store.merchant);
        }
        let merchant = merchant.or(actor.merchant);
        if let Some(id) = merchant {
            let found = catalog.merchants.get(&id).filter(|m| m.issuer == actor.issuer);
            let merchant = found.ok_or(Refusal::MerchantUnknown)?;
            if merchant.status == Status::Closed {
                return Err(Refusal::MerchantClosed.into());
            }
        }
        let default = if store.is_some() { "store" } else { "api" };
        let channel = place.channel.or_else(|| Channel::parse(default).ok());
        self.located = Located { merchant, store, terminal: place.terminal, channel };
        Ok(())
    }

    /// The merchant of the place; a request that sells or refunds must have one.
    pub(crate) fn merchant(&self) -> Step<MerchantId> {
        Ok(self.located.merchant.ok_or(Refusal::MerchantRequired)?)
    }

    /// The sales channel of the place.
    pub(crate) fn channel(&self) -> Step<Channel> {
        Ok(self.located.channel.ok_or(Refusal::Inconsistent)?)
    }
}
