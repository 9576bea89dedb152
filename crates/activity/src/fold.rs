//! The counts of all issuers and merchants.

use std::collections::HashMap;

use domain::{IssuerId, MerchantId, Timestamp};
use storage::Activity;

use crate::Figures;

/// Minutes of a cell of an issuer: how far a comparison with the same time of yesterday may be off.
const ISSUER_SECONDS: i64 = 300;
/// Minutes of a cell of a merchant: there may be thousands.
const MERCHANT_SECONDS: i64 = 900;
/// The most issuers, and the most merchants, that are counted for themselves. With 10,000 merchants that sell round
/// the clock about 200 MiB; what does not sell takes nothing.
const MAX_ISSUERS: usize = 2_000;
const MAX_MERCHANTS: usize = 10_000;

/// Whose figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// All of an issuer.
    Issuer(IssuerId),
    /// A merchant's.
    Merchant(MerchantId),
}

/// The counts.
#[derive(Debug, Default)]
pub struct Fold {
    issuers: HashMap<IssuerId, Figures>,
    merchants: HashMap<MerchantId, Figures>,
    /// Whether some are not counted because there are too many.
    is_full: bool,
}

impl Fold {
    /// Counts operations that are not older than `from`.
    pub fn take(&mut self, items: &[Activity], from: Timestamp) {
        for item in items.iter().filter(|item| item.at >= from) {
            let is_new = !self.issuers.contains_key(&item.issuer);
            if is_new && self.issuers.len() >= MAX_ISSUERS {
                self.is_full = true;
            } else {
                let figures = self.issuers.entry(item.issuer);
                figures.or_insert_with(|| Figures::new(ISSUER_SECONDS)).take(item);
            }
            let Some(merchant) = item.merchant else { continue };
            let is_new = !self.merchants.contains_key(&merchant);
            if is_new && self.merchants.len() >= MAX_MERCHANTS {
                self.is_full = true;
            } else {
                let figures = self.merchants.entry(merchant);
                figures.or_insert_with(|| Figures::new(MERCHANT_SECONDS)).take(item);
            }
        }
    }

    /// Forgets what was before a moment, and who did nothing since.
    pub fn forget(&mut self, before: Timestamp) {
        let keeps = |figures: &mut Figures| {
            figures.forget(before);
            !figures.is_empty()
        };
        self.issuers.retain(|_, figures| keeps(figures));
        self.merchants.retain(|_, figures| keeps(figures));
    }

    /// The figures of an issuer or a merchant; those of nobody where nothing happened. None where something may have
    /// happened that was not counted, because there are too many.
    pub fn figures(&self, of: Of) -> Option<Figures> {
        let (found, seconds) = match of {
            Of::Issuer(issuer) => (self.issuers.get(&issuer), ISSUER_SECONDS),
            Of::Merchant(merchant) => (self.merchants.get(&merchant), MERCHANT_SECONDS),
        };
        match found {
            Some(figures) => Some(figures.clone()),
            None if self.is_full => None,
            None => Some(Figures::new(seconds)),
        }
    }
}
