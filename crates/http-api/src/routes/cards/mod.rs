//! Making one card, and looking cards up.

pub(crate) mod create;
pub(crate) mod evidence;
pub(crate) mod expiring;
pub(crate) mod lookup;
pub(crate) mod operations;
pub(crate) mod read;

use std::sync::Arc;

use domain::{Card, CardId, Program, ProgramId};

use crate::{
    auth::Caller,
    error::{Code, Problem},
    state::AppState,
};

/// A card of the caller's issuer. A foreign card is unknown.
pub(crate) async fn own_card(app: &AppState, caller: &Caller, id: CardId) -> Result<Card, Problem> {
    let issuer = caller.issuer()?;
    let found = app.engine.store().card(id).await?.filter(|card| card.issuer == issuer);
    found.ok_or_else(|| {
        Problem::new(Code::CardUnknown, "no such card for this client; check the id").parameter("id")
    })
}

/// The program of a card, which every card has.
pub(crate) fn program_of(app: &AppState, id: ProgramId) -> Result<Arc<Program>, Problem> {
    app.engine.catalog().programs.get(&id).cloned().ok_or_else(|| {
        tracing::error!(program = %id, "a card belongs to a program that is not in the catalog");
        Problem::new(Code::Internal, "the card's program is missing; ask the operator to run `hexiao verify`")
    })
}
