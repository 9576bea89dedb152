//! A page that is being drawn, and the document around it. The documents are PDF/A-2u: self-contained, every
//! glyph mapped to a character, so they can be archived and their text searched; the library refuses to finish
//! one that is not.

use jiff::Zoned;
use krilla::{
    Document, SerializeSettings,
    color::luma,
    configure::{Archival, ConfigurationBuilder},
    geom::{PathBuilder, Point, Rect},
    metadata::{DateTime, Metadata},
    paint::Fill,
    surface::Surface,
};

use super::face::{Faces, Weight};
use crate::error::DocumentError;

/// Where text stands to its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// How dark: 0 is black, 255 white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ink(pub(crate) u8);

impl Ink {
    pub(crate) const BLACK: Self = Self(0);
    pub(crate) const GREY: Self = Self(95);
    pub(crate) const RULE: Self = Self(160);
    pub(crate) const HAIRLINE: Self = Self(215);
    pub(crate) const SHADE: Self = Self(240);

    fn fill(self) -> Fill {
        Fill { paint: luma::Color::new(self.0).into(), ..Fill::default() }
    }
}

/// How a line of text is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) size: f32,
    pub(crate) weight: Weight,
    pub(crate) align: Align,
    pub(crate) ink: Ink,
}

/// A page.
pub(crate) struct Canvas<'a> {
    faces: &'static Faces,
    surface: Surface<'a>,
}

impl<'a> Canvas<'a> {
    pub(crate) fn new(faces: &'static Faces, surface: Surface<'a>) -> Self {
        Self { faces, surface }
    }

    /// A line of text; `y` is its baseline.
    pub(crate) fn text(&mut self, x: f32, y: f32, text: &str, style: Style) {
        let runs = self.faces.runs(text, style.weight, style.size);
        let width: f32 = runs.iter().map(|run| run.width).sum();
        let mut x = match style.align {
            Align::Left => x,
            Align::Right => x - width,
        };
        self.surface.set_fill(Some(style.ink.fill()));
        for run in runs {
            let at = Point::from_xy(x, y);
            self.surface.draw_glyphs(at, &run.glyphs, run.font, &run.text, style.size, false);
            x += run.width;
        }
    }

    /// A filled box; as thin as a rule is one.
    pub(crate) fn area(&mut self, x: f32, y: f32, width: f32, height: f32, ink: Ink) {
        let mut path = PathBuilder::new();
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            path.push_rect(rect);
        }
        if let Some(path) = path.finish() {
            self.surface.set_fill(Some(ink.fill()));
            self.surface.draw_path(&path);
        }
    }

    pub(crate) fn finish(self) {
        self.surface.finish();
    }
}

/// An empty document. It gets the identity of what it shows and the moment it was made, so the same input gives
/// the same bytes.
pub(crate) fn document(
    title: &str,
    language: &str,
    author: &str,
    identity: &str,
    at: &Zoned,
) -> Result<Document, DocumentError> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_U)
        .finish()
        .map_err(|error| DocumentError::Pdf(format!("{error:?}")))?;
    let settings = SerializeSettings { configuration, enable_tagging: false, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    document.set_metadata(
        Metadata::new()
            .title(title.to_owned())
            .language(language.to_owned())
            .authors(vec![author.to_owned()])
            .creator("Hexiao".to_owned())
            .document_id(identity.to_owned())
            .creation_date(moment(at)),
    );
    Ok(document)
}

fn moment(at: &Zoned) -> DateTime {
    let part = |number: i8| u8::try_from(number).unwrap_or_default();
    let minutes = at.offset().seconds() / 60;
    DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(part(at.month()))
        .day(part(at.day()))
        .hour(part(at.hour()))
        .minute(part(at.minute()))
        .second(part(at.second()))
        .utc_offset_hour(i8::try_from(minutes / 60).unwrap_or_default())
        .utc_offset_minute(u8::try_from(minutes.unsigned_abs() % 60).unwrap_or_default())
}
