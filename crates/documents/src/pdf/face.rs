//! The embedded fonts: which characters they have and how wide those are. Chinese and Latin need no shaping, one
//! character is one glyph, so a table made once replaces a shaping engine.

use std::{collections::HashMap, sync::OnceLock};

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::{FontRef, MetadataProvider, instance::LocationRef, prelude::Size};

use super::missing::GETA;
use crate::error::DocumentError;

static REGULAR: &[u8] = include_bytes!("../../fonts/HexiaoDocumentSans-Regular.otf");
static BOLD: &[u8] = include_bytes!("../../fonts/HexiaoDocumentSans-Bold.otf");

/// How heavy text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    /// Falls back to regular, character by character, where the bold face has fewer.
    Bold,
}

#[derive(Clone, Copy)]
struct GlyphSize {
    id: GlyphId,
    /// In units of the font size.
    advance: f32,
}

struct Face {
    font: Font,
    glyphs: HashMap<char, GlyphSize>,
}

/// Both faces.
pub(crate) struct Faces {
    regular: Face,
    bold: Face,
}

/// A piece of text in one face, ready to be drawn.
pub(crate) struct Run {
    pub(crate) font: Font,
    pub(crate) text: String,
    pub(crate) glyphs: Vec<KrillaGlyph>,
    pub(crate) width: f32,
}

/// The fonts, read on first use.
pub(crate) fn faces() -> Result<&'static Faces, DocumentError> {
    static FACES: OnceLock<Option<Faces>> = OnceLock::new();
    FACES
        .get_or_init(|| Some(Faces { regular: Face::read(REGULAR)?, bold: Face::read(BOLD)? }))
        .as_ref()
        .ok_or_else(|| DocumentError::Pdf("the embedded fonts cannot be read".to_owned()))
}

impl Face {
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let tables = FontRef::new(bytes).ok()?;
        let metrics = tables.glyph_metrics(Size::new(1.0), LocationRef::default());
        let glyph = |(code, id): (u32, skrifa::GlyphId)| {
            let advance = metrics.advance_width(id)?;
            Some((char::from_u32(code)?, GlyphSize { id: GlyphId::new(id.to_u32()), advance }))
        };
        let glyphs = tables.charmap().mappings().filter_map(glyph).collect();
        Some(Self { font: Font::new(bytes.into(), 0)?, glyphs })
    }
}

impl Faces {
    /// Whether the character can be shown as itself. Line ends and tabs are set as spaces.
    pub(crate) fn has(&self, character: char) -> bool {
        self.regular.glyphs.contains_key(&spaced(character))
    }

    /// How wide the text is at a size.
    pub(crate) fn width(&self, text: &str, weight: Weight, size: f32) -> f32 {
        text.chars()
            .filter_map(|character| self.find(character, weight))
            .map(|(_, glyph)| glyph.advance)
            .sum::<f32>()
            * size
    }

    /// The text in pieces of one face each.
    pub(crate) fn runs(&self, text: &str, weight: Weight, size: f32) -> Vec<Run> {
        let mut runs: Vec<(bool, Run)> = Vec::with_capacity(1);
        for character in text.chars() {
            let shown = if self.has(character) { spaced(character) } else { GETA };
            let Some((bold, glyph)) = self.find(shown, weight) else { continue };
            if runs.last().is_none_or(|(of_bold, _)| *of_bold != bold) {
                runs.push((bold, self.empty_run(bold)));
            }
            if let Some((_, run)) = runs.last_mut() {
                run.push(shown, glyph, size);
            }
        }
        runs.into_iter().map(|(_, run)| run).collect()
    }

    fn empty_run(&self, bold: bool) -> Run {
        let face = if bold { &self.bold } else { &self.regular };
        Run { font: face.font.clone(), text: String::new(), glyphs: Vec::new(), width: 0.0 }
    }

    /// The glyph of a character, or of the sign for a missing one; and whether it is of the bold face.
    fn find(&self, character: char, weight: Weight) -> Option<(bool, GlyphSize)> {
        let character = spaced(character);
        let bold = if weight == Weight::Bold { self.bold.glyphs.get(&character) } else { None };
        if let Some(glyph) = bold {
            return Some((true, *glyph));
        }
        self.regular
            .glyphs
            .get(&character)
            .or_else(|| self.regular.glyphs.get(&GETA))
            .map(|glyph| (false, *glyph))
    }

    #[cfg(test)]
    pub(crate) fn has_bold(&self, character: char) -> bool {
        self.bold.glyphs.contains_key(&character)
    }
}

impl Run {
    fn push(&mut self, character: char, glyph: GlyphSize, size: f32) {
        let start = self.text.len();
        self.text.push(character);
        self.glyphs.push(KrillaGlyph::new(
            glyph.id,
            glyph.advance,
            0.0,
            0.0,
            0.0,
            start..self.text.len(),
            None,
        ));
        self.width += glyph.advance * size;
    }
}

fn spaced(character: char) -> char {
    if matches!(character, '\n' | '\r' | '\t') { ' ' } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "the widths are read from one table, equal or not at all")]
    fn figures_are_tabular_in_both_weights() {
        let faces = faces().expect("fonts");
        for weight in [Weight::Regular, Weight::Bold] {
            let zero = faces.width("0", weight, 1.0);
            assert!(zero > 0.0);
            for digit in '1'..='9' {
                assert_eq!(faces.width(&digit.to_string(), weight, 1.0), zero, "{digit}");
            }
        }
    }

    #[test]
    fn covers_both_scripts_and_shows_what_it_lacks() {
        let faces = faces().expect("fonts");
        let (rare, emoji) = ('\u{20BB7}', '😀');
        for character in "商户结算单喆镕骙臺灣Zürich€¥￥".chars() {
            assert!(faces.has(character), "{character}");
        }
        for character in [rare, emoji, '\u{202E}', '\u{0}', '\u{FEFF}', '\u{200B}'] {
            assert!(!faces.has(character), "{character:?}");
        }
        let runs = faces.runs(&format!("a{rare}b"), Weight::Bold, 10.0);
        let text: String = runs.iter().map(|run| run.text.as_str()).collect();
        assert_eq!(text, "a〓b");
        let width: f32 = runs.iter().map(|run| run.width).sum();
        assert!((width - faces.width(&format!("a{rare}b"), Weight::Bold, 10.0)).abs() < 0.01);
    }
}
