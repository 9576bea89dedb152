//! The table of lines in a statement's PDF: eight columns, or seven without splits; places and ids wrap, amounts
//! stand right-aligned in figures of one width.

use super::{Section, Statement, StatementLine, pdf_form::MARGIN, sums::Sums, words::Word};
use crate::{
    language::Language,
    money,
    pdf::{Align, Canvas, Faces, Ink, PAGE_WIDTH, Style, Weight, wrap},
};

const SIZE: f32 = 7.5;
const LEADING: f32 = 9.6;
const PADDING: f32 = 2.4;
/// From the top of a line to the foot of its letters.
const BASELINE: f32 = 7.4;
/// The row of titles.
pub(crate) const HEADER_HEIGHT: f32 = LEADING + 2.0 * PADDING + 2.0;
const GAP: f32 = 7.0;
const WIDTH: f32 = PAGE_WIDTH - 2.0 * MARGIN;

/// A row of the table.
pub(crate) enum Entry {
    Section(Section),
    Line(Box<StatementLine>),
    Subtotal(Sums),
    Total(Sums),
}

struct Place {
    word: Word,
    x: f32,
    width: f32,
    align: Align,
}

pub(crate) struct Grid {
    faces: &'static Faces,
    language: Language,
    exponent: u16,
    columns: Vec<Place>,
}

/// A cell: its lines, those after `dark` in grey.
struct CellText {
    lines: Vec<String>,
    dark: usize,
}

impl Grid {
    pub(crate) fn new(statement: &Statement, faces: &'static Faces, entries: &[Entry]) -> Self {
        let mut grid = Self {
            faces,
            language: statement.language,
            exponent: statement.currency.exponent(),
            columns: Vec::new(),
        };
        let widest = entries.iter().map(|entry| grid.widest(entry)).fold([0.0; 4], widest_of);
        let splits = entries.iter().any(has_split);
        grid.columns = grid.place(widest, splits);
        grid
    }

    /// Amounts get what they need, ids and times what they have, the place takes the rest.
    fn place(&self, widest: [f32; 4], splits: bool) -> Vec<Place> {
        let amounts = [Word::Amount, Word::Fee, Word::Split, Word::Net].into_iter().zip(widest);
        let amounts: Vec<(Word, f32, Align)> = amounts
            .filter(|(word, _)| splits || *word != Word::Split)
            .map(|(word, width)| {
                let title = self.faces.width(word.say(self.language), Weight::Bold, SIZE);
                (word, width.max(title).max(34.0), Align::Right)
            })
            .collect();
        let mut columns = vec![
            (Word::Time, 72.0, Align::Left),
            (Word::Operation, 82.0, Align::Left),
            (Word::Kind, 42.0, Align::Left),
            (Word::Place, 0.0, Align::Left),
        ];
        columns.extend(amounts);
        let gaps: f32 = columns.iter().skip(1).map(|_| GAP).sum();
        let taken: f32 = columns.iter().map(|(_, width, _)| width).sum();
        columns[3].1 = (WIDTH - gaps - taken).max(40.0);
        let mut x = MARGIN;
        let place = |(word, width, align): (Word, f32, Align)| {
            let column = Place { word, x, width, align };
            x += width + GAP;
            column
        };
        columns.into_iter().map(place).collect()
    }

    fn widest(&self, entry: &Entry) -> [f32; 4] {
        let width =
            |minor: i64, weight| self.faces.width(&money::grouped(minor, self.exponent), weight, SIZE);
        let (figures, weight) = match entry {
            Entry::Section(_) => return [0.0; 4],
            Entry::Line(line) => (figures_of_line(line), Weight::Regular),
            Entry::Subtotal(sums) | Entry::Total(sums) => (figures_of_sums(sums), Weight::Bold),
        };
        figures.map(|minor| width(minor, weight))
    }

    pub(crate) fn draw_header(&self, canvas: &mut Canvas<'_>, top: f32) {
        let height = HEADER_HEIGHT;
        canvas.area(MARGIN, top, WIDTH, height - 2.0, Ink::SHADE);
        for column in &self.columns {
            let title = column.word.say(self.language);
            column.text(canvas, top + PADDING + BASELINE, title, Weight::Bold, Ink::BLACK);
        }
    }

    pub(crate) fn height(&self, entry: &Entry) -> f32 {
        match entry {
            Entry::Section(_) => LEADING + 2.0 * PADDING + 6.0,
            Entry::Subtotal(_) | Entry::Total(_) => LEADING + 2.0 * PADDING + 1.0,
            Entry::Line(line) => height_of(&self.cells(line)),
        }
    }

    pub(crate) fn draw(&self, entry: &Entry, canvas: &mut Canvas<'_>, top: f32) {
        match entry {
            Entry::Section(section) => {
                let (y, text) = (top + PADDING + 6.0 + BASELINE, section.say(self.language));
                self.columns[0].text(canvas, y, &text, Weight::Bold, Ink::BLACK);
            }
            Entry::Line(line) => self.draw_line(line, canvas, top),
            Entry::Subtotal(sums) => self.draw_sums(Word::Subtotal, sums, canvas, top),
            Entry::Total(sums) => self.draw_sums(Word::Total, sums, canvas, top),
        }
    }

    fn draw_line(&self, line: &StatementLine, canvas: &mut Canvas<'_>, top: f32) {
        let cells = self.cells(line);
        for (column, cell) in self.columns.iter().zip(&cells) {
            let mut y = top + PADDING / 2.0 + BASELINE;
            for (index, text) in cell.lines.iter().enumerate() {
                let ink = if index < cell.dark { Ink::BLACK } else { Ink::GREY };
                column.text(canvas, y, text, Weight::Regular, ink);
                y += LEADING;
            }
        }
        canvas.area(MARGIN, top + height_of(&cells) - 0.25, WIDTH, 0.25, Ink::HAIRLINE);
    }

    fn draw_sums(&self, word: Word, sums: &Sums, canvas: &mut Canvas<'_>, top: f32) {
        let total = word == Word::Total;
        canvas.area(
            MARGIN,
            top,
            WIDTH,
            if total { 0.9 } else { 0.4 },
            if total { Ink::BLACK } else { Ink::RULE },
        );
        let y = top + PADDING + BASELINE;
        let label = match self.language {
            Language::Chinese => format!("{}（{} 笔）", word.say(self.language), money::count(sums.lines)),
            Language::English => format!("{} ({})", word.say(self.language), money::count(sums.lines)),
        };
        self.columns[0].text(canvas, y, &label, Weight::Bold, Ink::BLACK);
        for (word, minor) in AMOUNTS.into_iter().zip(figures_of_sums(sums)) {
            if let Some(column) = self.columns.iter().find(|column| column.word == word) {
                column.text(canvas, y, &money::grouped(minor, self.exponent), Weight::Bold, Ink::BLACK);
            }
        }
    }

    /// The cells of a line in the order of the columns.
    fn cells(&self, line: &StatementLine) -> Vec<CellText> {
        let amounts = AMOUNTS.into_iter().zip(figures_of_line(line));
        self.columns
            .iter()
            .map(|column| match column.word {
                Word::Time => self.time(line),
                Word::Operation => self.operation(line, column.width),
                Word::Kind => self.kind(line, column.width),
                Word::Place => CellText::of(self.wrapped(line.place.as_deref().unwrap_or("—"), column.width)),
                word => {
                    let figure = amounts.clone().find(|(of, _)| *of == word).map_or(0, |(_, minor)| minor);
                    CellText::of(vec![money::grouped(figure, self.exponent)])
                }
            })
            .collect()
    }

    /// The settlement day is said where the cut-off moved the operation to another.
    fn time(&self, line: &StatementLine) -> CellText {
        let mut cell = CellText::of(vec![line.at.strftime("%Y-%m-%d %H:%M:%S").to_string()]);
        if line.day != line.at.date() {
            cell.lines.push(match self.language {
                Language::Chinese => format!("结算日 {}", line.day),
                Language::English => format!("settled {}", line.day),
            });
        }
        cell
    }

    fn operation(&self, line: &StatementLine, width: f32) -> CellText {
        let mut cell = CellText::of(self.wrapped(&line.operation, width));
        if let Some(original) = &line.original {
            let text = match self.language {
                Language::Chinese => format!("原 {original}"),
                Language::English => format!("of {original}"),
            };
            cell.lines.extend(self.wrapped(&text, width));
        }
        cell
    }

    fn kind(&self, line: &StatementLine, width: f32) -> CellText {
        let mark = if line.late { " *" } else { "" };
        CellText::of(self.wrapped(&format!("{}{mark}", line.kind.say(self.language)), width))
    }

    fn wrapped(&self, text: &str, width: f32) -> Vec<String> {
        wrap(self.faces, text, Weight::Regular, SIZE, width)
    }
}

impl CellText {
    fn of(lines: Vec<String>) -> Self {
        let dark = lines.len();
        Self { lines, dark }
    }
}

impl Place {
    fn text(&self, canvas: &mut Canvas<'_>, y: f32, text: &str, weight: Weight, ink: Ink) {
        let x = if self.align == Align::Right { self.x + self.width } else { self.x };
        canvas.text(x, y, text, Style { size: SIZE, weight, align: self.align, ink });
    }
}

const AMOUNTS: [Word; 4] = [Word::Amount, Word::Fee, Word::Split, Word::Net];

fn height_of(cells: &[CellText]) -> f32 {
    let lines = cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(1);
    (0..lines).map(|_| LEADING).sum::<f32>() + PADDING
}

/// The net of a line was computed without overflow when it was added to the sums.
fn figures_of_line(line: &StatementLine) -> [i64; 4] {
    [line.amount, line.fee, line.split, line.net().unwrap_or_default()]
}

fn figures_of_sums(sums: &Sums) -> [i64; 4] {
    [sums.amount, sums.fee, sums.split, sums.net]
}

fn widest_of(so_far: [f32; 4], next: [f32; 4]) -> [f32; 4] {
    std::array::from_fn(|index| so_far[index].max(next[index]))
}

fn has_split(entry: &Entry) -> bool {
    matches!(entry, Entry::Line(line) if line.split != 0)
}
