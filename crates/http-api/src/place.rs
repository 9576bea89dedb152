//! Where a user's work happens: one who is bound to a store works there and nowhere else.

use domain::{Catalog, Command, command::Place};

use crate::{
    auth::Caller,
    error::{Code, Problem},
};

/// Puts the store of a user who is bound to one into a command that happens somewhere, and refuses another.
pub(crate) fn bind(caller: &Caller, catalog: &Catalog, command: &mut Command) -> Result<(), Problem> {
    let Some(store) = caller.store() else { return Ok(()) };
    let Some(place) = place_of(command) else { return Ok(()) };
    let refused = |pointer: &str| {
        let detail = "you work in another store; leave it out, and yours is taken";
        Err(Problem::new(Code::NotPermitted, detail).at(pointer))
    };
    if place.store.is_some_and(|named| named != store) {
        return refused("/store");
    }
    if let Some(terminal) = place.terminal
        && catalog.terminals.get(&terminal).is_some_and(|terminal| terminal.store != store)
    {
        return refused("/terminal");
    }
    place.store = Some(store);
    Ok(())
}

fn place_of(command: &mut Command) -> Option<&mut Place> {
    match command {
        Command::Activate(activate) => Some(&mut activate.place),
        Command::Load(load) => Some(&mut load.place),
        Command::Redeem(payment) => Some(&mut payment.place),
        Command::Hold(hold) => Some(&mut hold.payment.place),
        Command::UnlinkedRefund(refund) => Some(&mut refund.place),
        _ => None,
    }
}
