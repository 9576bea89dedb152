//! Statements as PDF, read back as text by pdf-extract: what it finds is what a reader can select and search, by
//! the fonts' own mapping from glyphs to characters.

use documents::{DocumentError, Format, Language, MAX_LINES_PDF, StatementWriter};

use crate::samples::{DIGEST, lines, statement, totals, written};

fn pages(bytes: &[u8]) -> Vec<String> {
    pdf_extract::extract_text_from_mem_by_pages(bytes).expect("a PDF with text")
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

fn grouped(minor: i64) -> String {
    let digits = format!("{:03}", minor.abs());
    let (whole, cents) = digits.split_at(digits.len() - 2);
    let groups: Vec<String> =
        whole.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    format!("{}{}.{cents}", if minor < 0 { "-" } else { "" }, groups.join(","))
}

#[test]
fn every_line_and_figure_can_be_read_in_both_languages() {
    let lines = lines(400);
    let figures = totals(&lines);
    for (language, title, header, page) in [
        (Language::Chinese, "商户结算单", "交易时间", "第2页，共"),
        (Language::English, "Merchantsettlementstatement", "Operation", "Page2of"),
    ] {
        let (bytes, report) = written(Format::Pdf, statement(language, &lines), &lines);
        let pages = pages(&bytes);
        assert_eq!(report.pages, u32::try_from(pages.len()).ok());
        assert!(report.missing.is_empty(), "{:?}", report.missing);
        assert!(pages.len() > 5);
        let text: Vec<String> = pages.iter().map(|page| without_spaces(page)).collect();
        for page in &text {
            assert!(page.contains(title) && page.contains(header), "{page}");
        }
        assert!(text[1].contains(page));
        let all = text.concat();
        for line in &lines {
            assert!(all.contains(&line.operation), "{}", line.operation);
        }
        for figure in [figures.sales, figures.refunds, -figures.fees, figures.closing, figures.payout] {
            assert!(all.contains(&grouped(figure)), "{}", grouped(figure));
        }
        assert!(all.contains("上海市浦东新区陆家嘴") && all.contains(DIGEST));
    }
}

/// The lines' own amounts, read off the page, give the sum that stands below them.
#[test]
fn the_amounts_on_the_page_add_up() {
    let lines = lines(30);
    let (bytes, _) = written(Format::Pdf, statement(Language::English, &lines), &lines);
    let text = pages(&bytes).concat();
    let compact = without_spaces(&text);
    let total: i64 = lines.iter().map(|line| line.amount - line.fee - line.split).sum();
    assert!(compact.contains("Total(30)") && compact.contains(&grouped(total)));
    for line in &lines {
        assert!(compact.contains(&grouped(line.amount - line.fee - line.split)));
    }
}

#[test]
fn a_character_without_a_glyph_is_shown_and_reported() {
    let mut lines = lines(3);
    lines[0].place = Some("\u{20BB7}野家\u{202E}".to_owned());
    let (bytes, report) = written(Format::Pdf, statement(Language::Chinese, &lines), &lines);
    assert_eq!(report.missing.occurrences, 2);
    assert!(
        report.missing.characters.contains(&'\u{20BB7}') && report.missing.characters.contains(&'\u{202E}')
    );
    let text = without_spaces(&pages(&bytes).concat());
    assert!(text.contains("〓野家〓") && text.contains("U+20BB7"), "{text}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let lines = lines(50);
    let (one, _) = written(Format::Pdf, statement(Language::Chinese, &lines), &lines);
    let (two, _) = written(Format::Pdf, statement(Language::Chinese, &lines), &lines);
    assert!(one == two);
}

#[test]
fn a_statement_without_lines_is_one_page() {
    let (bytes, report) = written(Format::Pdf, statement(Language::Chinese, &[]), &[]);
    assert_eq!(report.pages, Some(1));
    assert!(without_spaces(&pages(&bytes).concat()).contains("本期无交易明细"));
}

#[test]
fn too_many_lines_are_refused_with_the_cure() {
    let line = lines(1).remove(0);
    let head = statement(Language::Chinese, &[]);
    let mut writer =
        StatementWriter::begin(Format::Pdf, head, std::io::Cursor::new(Vec::new())).expect("a statement");
    for _ in 0..MAX_LINES_PDF {
        writer.line(&line).expect("a line");
    }
    let refused = writer.line(&line).expect_err("one too many");
    assert!(
        matches!(refused, DocumentError::TooManyLines { .. }) && refused.to_string().contains("CSV"),
        "{refused}"
    );
}
