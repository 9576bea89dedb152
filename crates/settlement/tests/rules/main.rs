//! Settlement worked out by hand, and what must hold whatever happens.

mod golden;
mod properties;
mod world;
