//! What movements are folded by: the agreements, calendar and time zone of one issuer.

use std::{collections::HashMap, sync::Arc};

use domain::{AgreementId, BusinessDate, Currency, IssuerId, MerchantId, Timestamp};
use jiff::{civil::Date, tz::TimeZone};

use crate::{Agreement, Calendar, CutOff, Terms};

/// The agreements of an issuer, its calendar and its time zone.
#[derive(Clone, Debug)]
pub struct Books {
    /// The issuer.
    pub issuer: IssuerId,
    zone: TimeZone,
    calendar: Calendar,
    standard: Arc<Terms>,
    /// By merchant (none: the issuer's default) and currency, the latest effective first.
    versions: HashMap<(Option<MerchantId>, Currency), Vec<Arc<Agreement>>>,
    by_id: HashMap<AgreementId, Arc<Agreement>>,
}

/// The terms that apply, and the agreement that they are of.
#[derive(Clone, Debug)]
pub struct InForce {
    agreement: Option<Arc<Agreement>>,
    standard: Arc<Terms>,
}

impl InForce {
    /// The agreement; none where the standard terms apply.
    pub fn id(&self) -> Option<AgreementId> {
        self.agreement.as_ref().map(|agreement| agreement.id)
    }

    /// The terms.
    pub fn terms(&self) -> &Terms {
        self.agreement.as_ref().map_or(&self.standard, |agreement| &agreement.terms)
    }
}

impl Books {
    /// The books of an issuer.
    pub fn new(issuer: IssuerId, zone: TimeZone, calendar: Calendar, agreements: Vec<Agreement>) -> Self {
        let mut versions: HashMap<_, Vec<Arc<Agreement>>> = HashMap::new();
        let mut by_id = HashMap::new();
        for agreement in agreements {
            let agreement = Arc::new(agreement);
            by_id.insert(agreement.id, Arc::clone(&agreement));
            versions.entry((agreement.merchant, agreement.currency)).or_default().push(agreement);
        }
        for list in versions.values_mut() {
            list.sort_by_key(|agreement| std::cmp::Reverse((agreement.effective_from, agreement.id)));
        }
        Self { issuer, zone, calendar, standard: Arc::new(Terms::standard()), versions, by_id }
    }

    /// The time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The calendar.
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The merchants that have an agreement of their own, with its currency; none for the issuer's default.
    pub fn parties(&self) -> impl Iterator<Item = (Option<MerchantId>, Currency)> {
        self.versions.keys().copied()
    }

    /// Whether sales of a merchant may have parts that go to others, under any version.
    pub fn may_split(&self, merchant: MerchantId, currency: Currency) -> bool {
        self.candidates(merchant, currency).any(|agreement| agreement.terms.splits.is_some())
    }

    /// The terms of an agreement, or the standard ones.
    pub fn terms_of(&self, id: Option<AgreementId>) -> Option<&Terms> {
        match id {
            Some(id) => self.by_id.get(&id).map(|agreement| &agreement.terms),
            None => Some(&self.standard),
        }
    }

    /// The settlement day of a moment, and the terms that apply on it. The cut-off that makes the day is that
    /// of the agreement in force on it.
    pub fn at(&self, merchant: MerchantId, currency: Currency, at: Timestamp) -> (Date, InForce) {
        for agreement in self.candidates(merchant, currency) {
            let day = agreement.terms.cut_off.day_of(at, &self.zone);
            if agreement.effective_from <= BusinessDate::from_date(day) {
                return (day, self.in_force(Some(agreement)));
            }
        }
        (CutOff::MIDNIGHT.day_of(at, &self.zone), self.in_force(None))
    }

    /// The terms that apply on a settlement day.
    pub fn on(&self, merchant: MerchantId, currency: Currency, day: BusinessDate) -> InForce {
        let found = self.candidates(merchant, currency).find(|agreement| agreement.effective_from <= day);
        self.in_force(found)
    }

    fn in_force(&self, agreement: Option<&Arc<Agreement>>) -> InForce {
        InForce { agreement: agreement.cloned(), standard: Arc::clone(&self.standard) }
    }

    /// The merchant's own before the issuer's, the latest effective first.
    fn candidates(&self, merchant: MerchantId, currency: Currency) -> impl Iterator<Item = &Arc<Agreement>> {
        let of = |key| self.versions.get(&key).into_iter().flatten();
        of((Some(merchant), currency)).chain(of((None, currency)))
    }
}
