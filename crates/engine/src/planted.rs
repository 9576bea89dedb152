//! Defects on purpose: a seam between the engine and the rules, for simulations that must find what is put
//! there. Compiled with the feature `planted` only, which nothing that ships turns on.

use std::cell::Cell;

use domain::{
    Refusal, Request,
    decide::{Context, Verdict},
    working::Working,
};

/// What stands in for [`domain::decide::decide`]. May change the loaded state, as a defect might.
pub type Decide = fn(&Request, &mut Working, &Context<'_>) -> Result<Verdict, Refusal>;

thread_local! {
    static DECIDE: Cell<Decide> = const { Cell::new(sound) };
}

fn sound(request: &Request, working: &mut Working, context: &Context<'_>) -> Result<Verdict, Refusal> {
    domain::decide::decide(request, working, context)
}

/// Puts `decide` in place of the rules, for writers that work on this thread.
pub fn plant(decide: Decide) {
    DECIDE.set(decide);
}

pub(crate) fn decide(
    request: &Request,
    working: &mut Working,
    context: &Context<'_>,
) -> Result<Verdict, Refusal> {
    DECIDE.get()(request, working, context)
}
