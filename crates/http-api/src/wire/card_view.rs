//! A card as it is looked up.

use domain::{
    Amount, BatchId, Card, CardId, CardState, Hold, HoldId, MerchantId, Program, ProgramId, StoreId,
    TerminalId, Timestamp, card::CloseReason, hold::HoldStatus,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{moment::Moment, operation::Last4, schema};

/// A card.
#[derive(Serialize, ToSchema)]
#[schema(as = Card)]
pub(crate) struct CardView {
    /// Its id.
    #[schema(value_type = schema::CardId)]
    id: CardId,
    /// Its program.
    #[schema(value_type = schema::ProgramId)]
    program: ProgramId,
    /// The batch it was made in.
    #[schema(value_type = Option<schema::BatchId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<BatchId>,
    /// The last four digits of its number.
    #[schema(value_type = schema::Last4)]
    last4: Last4,
    /// Its state.
    #[schema(value_type = schema::CardState)]
    state: &'static str,
    /// Why it is frozen, or how it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<String>,
    /// The card that took its place.
    #[schema(value_type = Option<schema::CardId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<CardId>,
    /// Its currency.
    #[schema(value_type = schema::Currency)]
    currency: String,
    /// What it was made to be sold for, in minor units.
    #[schema(value_type = Option<schema::AnyAmount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    face_value: Option<i64>,
    /// The sum of its lots, in minor units.
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
    /// Whether the PIN is locked.
    pin_locked: bool,
    /// The member it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<String>,
    /// When it was activated.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    activated_at: Option<Moment>,
    /// When it expires.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Moment>,
    /// When it was made.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
}

/// Value of one source on a card.
#[derive(Serialize, ToSchema)]
pub(crate) struct Lot {
    /// Its number on the card.
    #[schema(minimum = 1)]
    no: u16,
    /// Where the value came from.
    #[schema(value_type = schema::LotSource)]
    source: &'static str,
    /// The merchant that gave it.
    #[schema(value_type = Option<schema::MerchantId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    funder: Option<MerchantId>,
    /// All that was granted into it, less what was moved on or taken back, in minor units. What is neither left
    /// nor expired of it was used.
    #[schema(value_type = schema::AnyAmount)]
    granted: i64,
    /// What is left, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    remaining: i64,
    /// What expired out of it and can still be claimed, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    expired: i64,
    /// When it expires before the card does.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Moment>,
}

/// Value set aside on a card.
#[derive(Serialize, ToSchema)]
#[schema(as = Hold)]
pub(crate) struct HoldView {
    /// Its id.
    #[schema(value_type = schema::HoldId)]
    id: HoldId,
    /// Its owner.
    #[schema(value_type = schema::MerchantId)]
    merchant: MerchantId,
    /// The store it was made in.
    #[schema(value_type = Option<schema::StoreId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<StoreId>,
    /// The terminal it was made on.
    #[schema(value_type = Option<schema::TerminalId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<TerminalId>,
    /// How much was set aside, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    amount: i64,
    /// How much of it was captured, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    captured: i64,
    /// What it still sets aside, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    remaining: i64,
    /// Where it is in its life.
    #[schema(value_type = schema::HoldStatus)]
    status: &'static str,
    /// When it was made.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// When it gives its value back by itself.
    #[schema(value_type = schema::Moment)]
    expires_at: Moment,
}

/// A card with its lots and its newest holds.
#[derive(Serialize, ToSchema)]
pub(crate) struct CardDetail {
    /// The card.
    card: CardView,
    /// Its value by source.
    lots: Vec<Lot>,
    /// Its newest holds, at most 100. A client that is bound to a merchant sees its own.
    holds: Vec<HoldView>,
}

/// A card at a moment.
pub(crate) fn card(card: &Card, program: &Program, now: Timestamp) -> CardView {
    CardView {
        id: card.id,
        program: card.program,
        batch: card.batch,
        last4: Last4(card.last4),
        state: card.state.code().name(),
        state_reason: state_reason(&card.state),
        replaced_by: card.state.successor(),
        currency: program.currency.code().to_owned(),
        face_value: card.face_value.map(Amount::get),
        balance: card.posted().get(),
        held: card.held.get(),
        available: card.available(now).get(),
        claimable: card.claimable().get(),
        pin_locked: card.pin.is_locked(),
        member: card.member.clone(),
        activated_at: card.activated_at.map(Moment),
        expires_at: card.expires_at.map(Moment),
        created_at: Moment(card.created_at),
    }
}

/// A card with what belongs to it.
pub(crate) fn detail(found: &Card, program: &Program, holds: &[Hold], now: Timestamp) -> CardDetail {
    CardDetail {
        card: card(found, program, now),
        lots: found.lots.iter().map(lot).collect(),
        holds: holds.iter().map(hold).collect(),
    }
}

fn state_reason(state: &CardState) -> Option<String> {
    let closed = |reason: &CloseReason| match reason {
        CloseReason::Replaced(_) => "replaced",
        CloseReason::Merged(_) => "merged",
        CloseReason::CashedOut => "cashed_out",
        CloseReason::Refunded => "refunded",
        CloseReason::Destroyed => "destroyed",
    };
    match state {
        CardState::Frozen { reason } => Some(reason.clone()),
        CardState::Closed { reason } => Some(closed(reason).to_owned()),
        _ => None,
    }
}

fn lot(lot: &domain::Lot) -> Lot {
    Lot {
        no: lot.no.0,
        source: lot.source.name(),
        funder: lot.funder,
        granted: lot.granted.get(),
        remaining: lot.remaining.get(),
        expired: lot.expired.get(),
        expires_at: lot.expires_at.map(Moment),
    }
}

fn hold(hold: &Hold) -> HoldView {
    HoldView {
        id: hold.id,
        merchant: hold.merchant,
        store: hold.store,
        terminal: hold.terminal,
        amount: hold.amount.get(),
        captured: hold.captured.get(),
        remaining: hold.remaining().get(),
        status: match hold.status {
            HoldStatus::Open => "open",
            HoldStatus::Captured => "captured",
            HoldStatus::Released => "released",
            HoldStatus::Expired => "expired",
        },
        created_at: Moment(hold.created_at),
        expires_at: Moment(hold.expires_at),
    }
}
