//! Cards as their holders see them.

use domain::{Card, CardId, ProgramId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use wallet::OwnCard;

use crate::{
    error::Problem,
    routes::cards::program_of,
    state::AppState,
    wire::{moment::Moment, operation::Last4, schema},
};

/// Value that ends within so many days is told.
const NOTICE_DAYS: i64 = 30;
const DAY_SECONDS: i64 = 86_400;

/// A card in a wallet.
#[derive(Serialize, ToSchema)]
pub(crate) struct WalletCard {
    /// Its id.
    #[schema(value_type = schema::CardId)]
    pub(super) id: CardId,
    /// Its program.
    #[schema(value_type = schema::ProgramId)]
    program: ProgramId,
    /// The name of its program.
    program_name: String,
    /// The last four digits of its number.
    #[schema(value_type = schema::Last4)]
    last4: Last4,
    /// Its state.
    #[schema(value_type = schema::CardState)]
    state: &'static str,
    /// Its currency.
    #[schema(value_type = schema::Currency)]
    currency: String,
    /// What is on it, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    balance: i64,
    /// What open holds set aside, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    held: i64,
    /// What can be spent now, in minor units. Show this.
    #[schema(value_type = schema::AnyAmount)]
    available: i64,
    /// What expired from it and can still be claimed, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    claimable: i64,
    /// Whether it can be reported lost.
    registered: bool,
    /// When it expires.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Moment>,
    /// Value that ends within 30 days, soonest first.
    expiring: Vec<ExpiringValue>,
}

/// Value that ends soon.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExpiringValue {
    /// How much, in minor units.
    #[schema(value_type = schema::Amount)]
    amount: i64,
    /// When.
    #[schema(value_type = schema::Moment)]
    expires_at: Moment,
}

pub(super) fn card(app: &AppState, own: &OwnCard) -> Result<WalletCard, Problem> {
    let (card, now) = (&own.card, app.engine.now());
    let program = program_of(app, card.program)?;
    Ok(WalletCard {
        id: card.id,
        program: card.program,
        program_name: program.name.clone(),
        last4: Last4(card.last4),
        state: card.state.code().name(),
        currency: program.currency.code().to_owned(),
        balance: card.posted().get(),
        held: card.held.get(),
        available: card.available(now).get(),
        claimable: card.claimable().get(),
        registered: program.rules.registered,
        expires_at: card.expires_at.map(Moment),
        expiring: expiring(card, now),
    })
}

/// By moment: lots that end with the card, and those that end before it.
fn expiring(card: &Card, now: Timestamp) -> Vec<ExpiringValue> {
    let until = now.plus_seconds(NOTICE_DAYS * DAY_SECONDS);
    let mut found: Vec<(Timestamp, i64)> = Vec::new();
    for lot in card.lots.iter().filter(|lot| !lot.remaining.is_zero()) {
        let ends = [lot.expires_at, card.expires_at].into_iter().flatten().min();
        let Some(at) = ends.filter(|at| *at > now && *at <= until) else { continue };
        match found.iter_mut().find(|(other, _)| *other == at) {
            Some((_, amount)) => *amount = amount.saturating_add(lot.remaining.get()),
            None => found.push((at, lot.remaining.get())),
        }
    }
    found.sort_unstable();
    let view = |(at, amount)| ExpiringValue { amount, expires_at: Moment(at) };
    found.into_iter().map(view).collect()
}
