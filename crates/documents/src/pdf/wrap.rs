//! Breaks text into lines: between Chinese characters, after a space or hyphen in Latin, anywhere if a word is
//! wider than the line. A line does not begin with a closing mark nor end with an opening one.

use super::face::{Faces, Weight};

const CLOSING: &str = "，。、；：？！）》」』】”’…,.;:?!)]}%";
const OPENING: &str = "（《「『【“‘([{";

/// The lines of `text` at most `width` points wide. Never empty.
pub(crate) fn wrap(faces: &Faces, text: &str, weight: Weight, size: f32, width: f32) -> Vec<String> {
    if faces.width(text, weight, size) <= width {
        return vec![text.to_owned()];
    }
    let characters: Vec<char> = text.chars().collect();
    let advance = |character: char| faces.width(character.encode_utf8(&mut [0; 4]), weight, size);
    let (mut lines, mut start) = (Vec::new(), 0);
    while start < characters.len() {
        let end = line_end(&characters, start, width, &advance);
        let line: String = characters[start..end].iter().collect();
        lines.push(line.trim_end().to_owned());
        start = end + characters[end..].iter().take_while(|character| **character == ' ').count();
    }
    if lines.is_empty() { vec![String::new()] } else { lines }
}

/// Where the line that begins at `start` ends: at the last break that fits, or where it is full.
fn line_end(characters: &[char], start: usize, width: f32, advance: &impl Fn(char) -> f32) -> usize {
    let (mut used, mut last_break) = (0.0, None);
    for index in start..characters.len() {
        if index > start && may_break(characters[index - 1], characters[index]) {
            last_break = Some(index);
        }
        used += advance(characters[index]);
        // A space may hang over the edge.
        if used > width && index > start && characters[index] != ' ' {
            return last_break.unwrap_or(index);
        }
    }
    characters.len()
}

fn may_break(before: char, after: char) -> bool {
    if CLOSING.contains(after) || OPENING.contains(before) || after == ' ' {
        return false;
    }
    matches!(before, ' ' | '-' | '/' | '_') || wide(before) || wide(after)
}

/// Ideographs, kana and full-width forms.
fn wide(character: char) -> bool {
    ('\u{2E80}'..='\u{FFEF}').contains(&character) || character >= '\u{20000}'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::faces;

    fn check(text: &str, width: f32, expected: &[&str]) {
        let lines = wrap(faces().expect("fonts"), text, Weight::Regular, 10.0, width);
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn breaks() {
        check("", 50.0, &[""]);
        check("上海", 50.0, &["上海"]);
        check("上海浦东新区世纪大道店", 50.0, &["上海浦东新", "区世纪大道", "店"]);
        check("上海浦东新，区店", 50.0, &["上海浦东", "新，区店"]);
        check("上海浦东（区店）", 50.0, &["上海浦东", "（区店）"]);
        check("Century Avenue store", 50.0, &["Century", "Avenue", "store"]);
        check("0000000000000000", 50.0, &["000000000", "0000000"]);
        check("店", 1.0, &["店"]);
        check("店铺", 1.0, &["店", "铺"]);
    }
}
