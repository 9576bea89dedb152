//! A statement's lines as a table for machines and spreadsheets: every field in a column of its own.

use domain::Currency;

use super::{StatementLine, sums::Sums, words::Word};
use crate::{
    error::DocumentError,
    language::Language,
    table::{Cell, Column, ColumnKind},
};

/// How many columns there are.
pub(crate) const COLUMNS: usize = 12;

pub(crate) fn columns(language: Language) -> [Column; COLUMNS] {
    let column = |word: Word, kind| Column::new(word.say(language), kind);
    [
        column(Word::Day, ColumnKind::Date),
        column(Word::Time, ColumnKind::Moment),
        column(Word::Operation, ColumnKind::Text),
        column(Word::Kind, ColumnKind::Text),
        column(Word::Place, ColumnKind::Text),
        column(Word::Amount, ColumnKind::Amount),
        column(Word::Fee, ColumnKind::Amount),
        column(Word::Split, ColumnKind::Amount),
        column(Word::Net, ColumnKind::Amount),
        column(Word::Currency, ColumnKind::Text),
        column(Word::Original, ColumnKind::Text),
        column(Word::Late, ColumnKind::Text),
    ]
}

pub(crate) fn row(
    line: &StatementLine,
    language: Language,
    currency: Currency,
) -> Result<[Cell; COLUMNS], DocumentError> {
    let optional = |text: &Option<String>| text.clone().map_or(Cell::Empty, Cell::Text);
    Ok([
        Cell::Date(line.day),
        Cell::Moment(line.at),
        Cell::Text(line.operation.clone()),
        Cell::from(line.kind.say(language)),
        optional(&line.place),
        Cell::Amount(line.amount),
        Cell::Amount(line.fee),
        Cell::Amount(line.split),
        Cell::Amount(line.net()?),
        Cell::from(currency.code()),
        optional(&line.original),
        if line.late { Cell::from(Word::LateMark.say(language)) } else { Cell::Empty },
    ])
}

/// The last row: the sums of the lines.
pub(crate) fn total(sums: &Sums, language: Language, currency: Currency) -> [Cell; COLUMNS] {
    let mut cells = [const { Cell::Empty }; COLUMNS];
    cells[3] = Cell::from(Word::Total.say(language));
    cells[5] = Cell::Amount(sums.amount);
    cells[6] = Cell::Amount(sums.fee);
    cells[7] = Cell::Amount(sums.split);
    cells[8] = Cell::Amount(sums.net);
    cells[9] = Cell::from(currency.code());
    cells
}

/// A row below the total: one figure of the statement, in the column of net amounts.
pub(crate) fn figure(label: &str, minor: i64, currency: Currency) -> [Cell; COLUMNS] {
    let mut cells = [const { Cell::Empty }; COLUMNS];
    cells[3] = Cell::from(label);
    cells[8] = Cell::Amount(minor);
    cells[9] = Cell::from(currency.code());
    cells
}
