//! A statement as PDF. Lines are kept until the end, because a page says how many pages there are; so their
//! number is bounded. The layout itself is done twice, once to find the page breaks and once to draw, rather than
//! kept: memory goes with the lines, not with what is on the pages.

use std::io::Write;

use krilla::page::PageSettings;

use super::{
    Section, Statement, StatementLine,
    pdf_head::{self, Block},
    pdf_rows::{Entry, Grid, HEADER_HEIGHT},
    sums::Sums,
    words::Word,
};
use crate::{
    error::DocumentError,
    pdf::{Align, Canvas, Ink, MissingCharacters, PAGE_HEIGHT, PAGE_WIDTH, Style, Weight, document, faces},
};

/// The most lines of a statement as PDF, about 1,000 pages: nobody reads more on paper.
pub const MAX_LINES_PDF: usize = 50_000;

pub(crate) const MARGIN: f32 = 42.0;
const TOP_OF_FIRST: f32 = 46.0;
const TOP_OF_OTHERS: f32 = 62.0;
const BOTTOM: f32 = PAGE_HEIGHT - 52.0;

pub(crate) struct PdfForm<W: Write> {
    entries: Vec<Entry>,
    /// Of the section that is open.
    subtotal: Option<Sums>,
    lines: usize,
    missing: MissingCharacters,
    out: W,
}

impl<W: Write> PdfForm<W> {
    pub(crate) fn begin(statement: &Statement, out: W) -> Result<Self, DocumentError> {
        let mut missing = MissingCharacters::default();
        let faces = faces()?;
        for text in pdf_head::texts(statement) {
            missing.note(&text, faces);
        }
        Ok(Self { entries: Vec::new(), subtotal: None, lines: 0, missing, out })
    }

    pub(crate) fn section(&mut self, section: Section) {
        self.end_section();
        self.entries.push(Entry::Section(section));
        self.subtotal = Some(Sums::default());
    }

    pub(crate) fn line(&mut self, line: &StatementLine) -> Result<(), DocumentError> {
        if self.lines == MAX_LINES_PDF {
            let (most, cure) = (MAX_LINES_PDF, "export the statement as XLSX or CSV");
            return Err(DocumentError::TooManyLines { most, format: "PDF", cure });
        }
        self.lines += 1;
        let faces = faces()?;
        for text in [Some(&line.operation), line.place.as_ref(), line.original.as_ref()].into_iter().flatten()
        {
            self.missing.note(text, faces);
        }
        if let Some(subtotal) = &mut self.subtotal {
            subtotal.add(line)?;
        }
        self.entries.push(Entry::Line(Box::new(line.clone())));
        Ok(())
    }

    fn end_section(&mut self) {
        if let Some(subtotal) = self.subtotal.take() {
            self.entries.push(Entry::Subtotal(subtotal));
        }
    }

    pub(crate) fn finish(
        mut self,
        statement: &Statement,
        sums: &Sums,
    ) -> Result<(Option<u32>, MissingCharacters), DocumentError> {
        self.end_section();
        if self.lines > 0 {
            self.entries.push(Entry::Total(*sums));
        }
        let late = self.entries.iter().any(|entry| matches!(entry, Entry::Line(line) if line.late));
        let faces = faces()?;
        let layout = Layout {
            head: pdf_head::head(statement, self.lines, faces),
            tail: pdf_head::tail(statement, late, &self.missing, faces),
            grid: Grid::new(statement, faces, &self.entries),
            entries: &self.entries,
            statement,
        };
        let pages = layout.pages();
        self.out.write_all(&layout.draw(&pages)?)?;
        self.out.flush()?;
        Ok((u32::try_from(pages.len()).ok(), self.missing))
    }
}

/// The flow of a document: the head's blocks, the rows, the tail's blocks.
struct Layout<'a> {
    statement: &'a Statement,
    head: Vec<Block>,
    entries: &'a [Entry],
    tail: Vec<Block>,
    grid: Grid,
}

/// The items of the flow that are on one page.
type Page = std::ops::Range<usize>;

enum Item<'a> {
    Block(&'a Block),
    Row(&'a Entry),
}

impl Layout<'_> {
    fn item(&self, index: usize) -> Option<Item<'_>> {
        if let Some(block) = self.head.get(index) {
            return Some(Item::Block(block));
        }
        let index = index - self.head.len();
        if let Some(entry) = self.entries.get(index) {
            return Some(Item::Row(entry));
        }
        self.tail.get(index - self.entries.len()).map(Item::Block)
    }

    /// Fills page after page. The header row of the table counts on every page that has rows.
    fn pages(&self) -> Vec<Page> {
        let (mut pages, mut start, mut index) = (Vec::new(), 0, 0);
        let (mut y, mut in_table) = (TOP_OF_FIRST, false);
        while let Some(item) = self.item(index) {
            let header = if matches!(item, Item::Row(_)) && !in_table { HEADER_HEIGHT } else { 0.0 };
            let height = header + self.height(&item);
            if y + height + self.needed_after(&item, index) > BOTTOM && index > start {
                pages.push(start..index);
                (start, y, in_table) = (index, TOP_OF_OTHERS, false);
                continue;
            }
            in_table |= matches!(item, Item::Row(_));
            y += height;
            index += 1;
        }
        pages.push(start..index);
        pages
    }

    fn height(&self, item: &Item<'_>) -> f32 {
        match item {
            Item::Block(block) => block.height,
            Item::Row(entry) => self.grid.height(entry),
        }
    }

    /// A heading does not stand alone at the foot of a page, nor a sum at the top of one.
    fn needed_after(&self, item: &Item<'_>, index: usize) -> f32 {
        let keeps = match item {
            Item::Block(block) => block.keep_with_next,
            Item::Row(Entry::Section(_)) => true,
            Item::Row(_) => {
                matches!(self.item(index + 1), Some(Item::Row(Entry::Subtotal(_) | Entry::Total(_))))
            }
        };
        if !keeps {
            return 0.0;
        }
        self.item(index + 1).map_or(0.0, |next| self.height(&next))
    }

    fn draw(&self, pages: &[Page]) -> Result<Vec<u8>, DocumentError> {
        let statement = self.statement;
        let title = format!("{} {}", Word::Title.say(statement.language), statement.number);
        let mut pdf = document(
            &title,
            statement.language.tag(),
            &statement.issuer.name,
            &statement.digest.clone().unwrap_or_else(|| statement.number.clone()),
            &statement.generated,
        )?;
        let settings = PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT)
            .ok_or_else(|| DocumentError::Pdf("the page has no size".to_owned()))?;
        for (index, items) in pages.iter().enumerate() {
            let mut page = pdf.start_page_with(settings.clone());
            let mut canvas = Canvas::new(faces()?, page.surface());
            self.draw_page(&mut canvas, items.clone(), index == 0);
            self.footer(&mut canvas, index + 1, pages.len());
            canvas.finish();
            page.finish();
        }
        pdf.finish().map_err(|error| DocumentError::Pdf(format!("{error}: {error:?}")))
    }

    fn draw_page(&self, canvas: &mut Canvas<'_>, items: Page, first: bool) {
        let (mut y, mut in_table) = (TOP_OF_FIRST, false);
        if !first {
            self.running_head(canvas);
            y = TOP_OF_OTHERS;
        }
        for item in items.filter_map(|index| self.item(index)) {
            match item {
                Item::Block(block) => {
                    block.draw(canvas, y);
                    y += block.height;
                }
                Item::Row(entry) => {
                    if !in_table {
                        self.grid.draw_header(canvas, y);
                        y += HEADER_HEIGHT;
                        in_table = true;
                    }
                    self.grid.draw(entry, canvas, y);
                    y += self.grid.height(entry);
                }
            }
        }
    }

    /// From the second page on: whose statement this is.
    fn running_head(&self, canvas: &mut Canvas<'_>) {
        let statement = self.statement;
        let left = format!("{} {}", Word::Title.say(statement.language), statement.number);
        let (y, size) = (46.0, 8.0);
        let mut small = |x, align, text: &str| {
            canvas.text(x, y, text, Style { size, weight: Weight::Regular, align, ink: Ink::GREY });
        };
        small(MARGIN, Align::Left, &left);
        let name = pdf_head::shortened(&statement.merchant.name, size, 260.0);
        small(PAGE_WIDTH - MARGIN, Align::Right, &name);
        canvas.area(MARGIN, 51.0, PAGE_WIDTH - 2.0 * MARGIN, 0.5, Ink::RULE);
    }

    fn footer(&self, canvas: &mut Canvas<'_>, number: usize, of: usize) {
        let page = match self.statement.language {
            crate::Language::Chinese => format!("第 {number} 页，共 {of} 页"),
            crate::Language::English => format!("Page {number} of {of}"),
        };
        let (y, size) = (PAGE_HEIGHT - 30.0, 8.0);
        canvas.area(MARGIN, y - 12.0, PAGE_WIDTH - 2.0 * MARGIN, 0.5, Ink::RULE);
        let issuer = pdf_head::shortened(&self.statement.issuer.name, size, 300.0);
        let mut small = |x, align, text: &str| {
            canvas.text(x, y, text, Style { size, weight: Weight::Regular, align, ink: Ink::GREY });
        };
        small(MARGIN, Align::Left, &issuer);
        small(PAGE_WIDTH - MARGIN, Align::Right, &page);
    }
}
