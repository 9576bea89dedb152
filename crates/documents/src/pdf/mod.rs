//! What every PDF of ours is made with: embedded fonts, line breaking, and a page to set text and rules on.
//! Positions and sizes are points (1/72 inch) from the upper left corner of the page.

mod canvas;
mod face;
mod missing;
mod wrap;

pub(crate) use canvas::{Align, Canvas, Ink, Style, document};
pub(crate) use face::{Faces, Weight, faces};
pub use missing::MissingCharacters;
pub(crate) use wrap::wrap;

/// A4.
pub(crate) const PAGE_WIDTH: f32 = 595.28;
pub(crate) const PAGE_HEIGHT: f32 = 841.89;
