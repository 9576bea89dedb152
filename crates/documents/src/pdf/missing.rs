//! Characters that the embedded font lacks. Each is shown as a geta mark, the sign that printers have always put
//! where a character was missing; that there were some is told to the caller and said in the document.

use std::collections::BTreeSet;

use super::face::Faces;

/// The sign that stands for a missing character.
pub(crate) const GETA: char = '〓';
/// How many different ones are remembered; the count goes on.
const REMEMBERED: usize = 32;

/// What a document's font lacked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingCharacters {
    /// How often a character was replaced.
    pub occurrences: u64,
    /// Which, the first 32 different ones.
    pub characters: BTreeSet<char>,
}

impl MissingCharacters {
    /// Whether everything could be shown.
    pub fn is_empty(&self) -> bool {
        self.occurrences == 0
    }

    /// Takes note of what of this text the fonts lack.
    pub(crate) fn note(&mut self, text: &str, faces: &Faces) {
        for character in text.chars().filter(|character| !faces.has(*character)) {
            self.occurrences += 1;
            if self.characters.len() < REMEMBERED {
                self.characters.insert(character);
            }
        }
    }

    /// `U+20BB7, U+0007`, for the document itself.
    pub(crate) fn code_points(&self) -> String {
        let codes = self.characters.iter().map(|character| format!("U+{:04X}", u32::from(*character)));
        codes.collect::<Vec<_>>().join(", ")
    }
}
