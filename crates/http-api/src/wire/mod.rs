//! What travels: the types of bodies and parameters, and their schemas.

pub(crate) mod amount;
pub(crate) mod card;
pub(crate) mod card_view;
pub(crate) mod day;
pub(crate) mod funding;
pub(crate) mod integer;
pub(crate) mod metadata;
pub(crate) mod moment;
pub(crate) mod object;
pub(crate) mod operation;
pub(crate) mod paying_card;
pub(crate) mod policy_view;
pub(crate) mod rules;
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod terms;
pub(crate) mod text;
