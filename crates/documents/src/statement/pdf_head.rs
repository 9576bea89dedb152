//! The first page of a statement's PDF above its lines, and the notes below them, as blocks that the layout puts
//! one under the other and moves to the next page where they no longer fit.

use super::{
    Statement,
    pdf_form::MARGIN,
    words::{Figure, Weight as Standing, Word},
};
use crate::{
    money,
    pdf::{Align, Canvas, Faces, Ink, MissingCharacters, PAGE_WIDTH, Style, Weight, faces, wrap},
};

const SIZE: f32 = 8.5;
const LEADING: f32 = 12.5;
const RIGHT: f32 = PAGE_WIDTH - MARGIN;
/// Left edge of the right-hand column, and width of either.
const MIDDLE: f32 = MARGIN + 268.0;
const HALF: f32 = RIGHT - MIDDLE;
const LABEL: f32 = 84.0;

/// A piece of the page with a height of its own; what it holds is placed from its top.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) height: f32,
    pub(crate) keep_with_next: bool,
    areas: Vec<(f32, f32, f32, f32, Ink)>,
    texts: Vec<Placed>,
}

struct Placed {
    x: f32,
    y: f32,
    text: String,
    style: Style,
}

fn left(size: f32, weight: Weight, ink: Ink) -> Style {
    Style { size, weight, align: Align::Left, ink }
}

fn right(size: f32, weight: Weight, ink: Ink) -> Style {
    Style { size, weight, align: Align::Right, ink }
}

impl Block {
    fn of(height: f32) -> Self {
        Self { height, ..Self::default() }
    }

    fn text(mut self, x: f32, y: f32, text: &str, style: Style) -> Self {
        self.texts.push(Placed { x, y, text: text.to_owned(), style });
        self
    }

    fn plain(self, x: f32, text: &str, ink: Ink) -> Self {
        self.text(x, LEADING - 3.5, text, left(SIZE, Weight::Regular, ink))
    }

    fn area(mut self, x: f32, y: f32, width: f32, height: f32, ink: Ink) -> Self {
        self.areas.push((x, y, width, height, ink));
        self
    }

    fn kept(mut self) -> Self {
        self.keep_with_next = true;
        self
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas<'_>, top: f32) {
        for (x, y, width, height, ink) in &self.areas {
            canvas.area(*x, top + y, *width, *height, *ink);
        }
        for Placed { x, y, text, style } in &self.texts {
            canvas.text(*x, top + y, text, *style);
        }
    }
}

/// Every text of the head that was given, to look for characters that the fonts lack.
pub(crate) fn texts(statement: &Statement) -> Vec<String> {
    let terms = statement.agreement.terms(statement.language, statement.currency.exponent());
    let details = statement.details();
    details.into_iter().chain(terms).map(|(_, text)| text).collect()
}

/// Title, parties, the amount payable, figures beside terms.
pub(crate) fn head(statement: &Statement, lines: usize, faces: &Faces) -> Vec<Block> {
    let mut blocks = vec![title(statement)];
    blocks.extend(issuer(statement, faces));
    blocks.push(Block::of(10.0).area(MARGIN, 2.0, RIGHT - MARGIN, 0.8, Ink::BLACK));
    blocks.extend(parties(statement, faces));
    blocks.push(payable(statement));
    blocks.extend(figures_and_terms(statement, faces));
    blocks.push(Block::of(12.0));
    if lines == 0 {
        let text = Word::NoLines.say(statement.language);
        blocks.push(Block::of(LEADING + 6.0).plain(MARGIN, text, Ink::GREY));
    } else {
        let text = Word::Lines.say(statement.language);
        blocks.push(heading(MARGIN, text, Block::of(LEADING + 7.0)).kept());
    }
    blocks
}

fn title(statement: &Statement) -> Block {
    let text = Word::Title.say(statement.language);
    Block::of(26.0).text(MARGIN, 18.0, text, left(18.0, Weight::Bold, Ink::BLACK)).text(
        RIGHT,
        18.0,
        &statement.number,
        right(10.0, Weight::Regular, Ink::BLACK),
    )
}

fn issuer(statement: &Statement, faces: &Faces) -> Vec<Block> {
    let lines = wrap(faces, &statement.issuer.name, Weight::Regular, 10.0, RIGHT - MARGIN);
    let line =
        |text: &String| Block::of(14.0).text(MARGIN, 11.0, text, left(10.0, Weight::Regular, Ink::GREY));
    lines.iter().map(line).collect()
}

/// A label and its text, in lines that fit a half of the page.
struct Field {
    label: String,
    lines: Vec<String>,
}

impl Field {
    fn new(label: &str, text: &str, faces: &Faces, label_width: f32) -> Self {
        let lines = wrap(faces, text, Weight::Regular, SIZE, HALF - label_width);
        Self { label: label.to_owned(), lines }
    }
}

/// One line of a column of fields.
struct FieldLine {
    label: Option<String>,
    text: String,
}

fn field_lines(fields: Vec<Field>) -> Vec<FieldLine> {
    fields
        .into_iter()
        .flat_map(|field| {
            let mut label = Some(field.label);
            field.lines.into_iter().map(move |text| FieldLine { label: label.take(), text })
        })
        .collect()
}

fn field_line(block: Block, line: &FieldLine, x: f32, label_width: f32) -> Block {
    let block = match &line.label {
        Some(label) => block.plain(x, label, Ink::GREY),
        None => block,
    };
    block.plain(x + label_width, &line.text, Ink::BLACK)
}

/// The merchant on the left, the statement on the right.
fn parties(statement: &Statement, faces: &Faces) -> Vec<Block> {
    let field = |word: Word, text: &str| Field::new(word.say(statement.language), text, faces, LABEL);
    let merchant = &statement.merchant;
    let mut left = vec![field(Word::Merchant, &merchant.name)];
    left.extend(merchant.number.iter().map(|number| field(Word::MerchantNumber, number)));
    left.extend(merchant.registration.iter().map(|number| field(Word::Registration, number)));
    let right = vec![
        field(Word::Period, &statement.period()),
        field(Word::Due, &statement.due_wording()),
        field(Word::Currency, statement.currency.code()),
    ];
    beside(&field_lines(left), &field_lines(right))
}

fn beside(left: &[FieldLine], right: &[FieldLine]) -> Vec<Block> {
    (0..left.len().max(right.len()))
        .map(|index| {
            let mut block = Block::of(LEADING);
            if let Some(line) = left.get(index) {
                block = field_line(block, line, MARGIN, LABEL);
            }
            if let Some(line) = right.get(index) {
                block = field_line(block, line, MIDDLE, LABEL);
            }
            block
        })
        .collect()
}

/// The one figure that everyone looks for.
fn payable(statement: &Statement) -> Block {
    let amount = format!(
        "{} {}",
        statement.currency.code(),
        money::grouped(statement.totals.payout, statement.currency.exponent())
    );
    let label = Word::Payable.say(statement.language);
    Block::of(56.0)
        .area(MARGIN, 10.0, RIGHT - MARGIN, 32.0, Ink::SHADE)
        .text(MARGIN + 10.0, 30.0, label, left(10.0, Weight::Bold, Ink::BLACK))
        .text(RIGHT - 10.0, 31.5, &amount, right(15.0, Weight::Bold, Ink::BLACK))
}

fn heading(x: f32, text: &str, block: Block) -> Block {
    block.text(x, LEADING - 2.0, text, left(10.0, Weight::Bold, Ink::BLACK))
}

/// How the payable amount comes about on the left, by which terms on the right.
fn figures_and_terms(statement: &Statement, faces: &Faces) -> Vec<Block> {
    let language = statement.language;
    let exponent = statement.currency.exponent();
    let figures = statement.totals.figures(language);
    let terms = statement.agreement.terms(language, exponent);
    let fields = terms.iter().map(|(label, text)| Field::new(label, text, faces, LABEL)).collect();
    let terms = field_lines(fields);
    let titles = heading(MARGIN, Word::Figures.say(language), Block::of(LEADING + 4.0));
    let mut blocks = vec![heading(MIDDLE, Word::Agreement.say(language), titles).kept()];
    for index in 0..figures.len().max(terms.len()) {
        let mut block = Block::of(LEADING);
        if let Some(figure) = figures.get(index) {
            block = figure_line(block, figure, exponent);
        }
        if let Some(line) = terms.get(index) {
            block = field_line(block, line, MIDDLE, LABEL);
        }
        blocks.push(block);
    }
    blocks
}

fn figure_line(block: Block, figure: &Figure, exponent: u16) -> Block {
    let (y, edge) = (LEADING - 3.5, MIDDLE - 24.0);
    let (weight, block) = match figure.weight {
        Standing::Plain => (Weight::Regular, block),
        // In the gap between the descenders above and the letters below.
        Standing::Sum => (Weight::Bold, block.area(MARGIN, -0.9, edge - MARGIN, 0.5, Ink::BLACK)),
    };
    block.text(MARGIN, y, figure.label, left(SIZE, weight, Ink::BLACK)).text(
        edge,
        y,
        &money::grouped(figure.minor, exponent),
        right(SIZE, weight, Ink::BLACK),
    )
}

/// Notes, when the document was made, and the digest by which it can be checked.
pub(crate) fn tail(
    statement: &Statement,
    late: bool,
    missing: &MissingCharacters,
    faces: &Faces,
) -> Vec<Block> {
    let language = statement.language;
    let mut notes = Vec::new();
    if late {
        notes.push(Word::LateNote.say(language).to_owned());
    }
    if statement.due_estimated {
        notes.push(Word::EstimatedNote.say(language).to_owned());
    }
    if !missing.is_empty() {
        notes.push(format!("{}{}", Word::MissingNote.say(language), missing.code_points()));
    }
    let colon = language.choose("：", ": ");
    notes.push(format!("{}{colon}{}", Word::Generated.say(language), statement.generated_wording()));
    let digest = statement.digest.as_deref().unwrap_or(Word::Open.say(language));
    notes.push(format!("{}{colon}{digest}", Word::Digest.say(language)));
    let mut blocks = vec![Block::of(10.0)];
    for line in notes.iter().flat_map(|note| wrap(faces, note, Weight::Regular, 7.5, RIGHT - MARGIN)) {
        let block = Block::of(11.0);
        blocks.push(block.text(MARGIN, 8.0, &line, left(7.5, Weight::Regular, Ink::GREY)));
    }
    blocks
}

/// A text cut to one line, with a mark that it was.
pub(crate) fn shortened(text: &str, size: f32, width: f32) -> String {
    let Ok(faces) = faces() else { return String::new() };
    let mut lines = wrap(faces, text, Weight::Regular, size, width).into_iter();
    let first = lines.next().unwrap_or_default();
    if lines.next().is_some() { format!("{first}…") } else { first }
}
