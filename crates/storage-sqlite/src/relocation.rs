//! Moving a whole database out of a file, or into one. SQL is made from the one description of the tables
//! that both kinds of database share.

mod source;
mod target;

pub use source::SqliteRelocationSource;
pub use target::SqliteRelocationTarget;

use rusqlite::Connection;
use storage::{
    Result,
    relocation::{Column, CurrencyOf, Place, Sum, Table},
};

use crate::error::{IntoStorage, corrupt};

/// See [`storage::RelocationSource::mark`]. A server, an import or a new key raises a term when it starts.
const MARK: &str = "SELECT 'revision ' || (SELECT revision FROM catalog_revision) \
     || ', terms ' || (SELECT coalesce(sum(term), 0) FROM node) \
     || ', first issuer ' || (SELECT coalesce(min(id), 0) FROM issuer) \
     || ', last card ' || (SELECT coalesce(max(id), 0) FROM card) \
     || ', last operation ' || (SELECT coalesce(max(id), 0) FROM operation)";

fn mark(connection: &Connection) -> Result<String> {
    connection.query_row(MARK, [], |row| row.get(0)).stored()
}

/// Whether the file has this column.
fn is_here(column: &Column) -> bool {
    column.place != Place::OfOperation
}

fn quoted(names: &[&str], prefix: &str) -> String {
    names.iter().map(|name| format!("{prefix}\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// How a table's rows get to the currency of their amounts.
fn currency(table: &Table) -> (&'static str, &'static str) {
    match table.currency {
        CurrencyOf::None => ("''", ""),
        CurrencyOf::Own => ("coalesce(t.currency, '')", ""),
        CurrencyOf::Program => ("coalesce(p.currency, '')", "LEFT JOIN program p ON p.id = t.program_id"),
        CurrencyOf::Operation => {
            ("coalesce(o.currency, '')", "LEFT JOIN operation o ON o.id = t.operation_id")
        }
        CurrencyOf::Card => (
            "coalesce(p.currency, '')",
            "LEFT JOIN card c ON c.id = t.card_id LEFT JOIN program p ON p.id = c.program_id",
        ),
    }
}

/// Sums in two halves, because the sum of numbers of 64 bits needs more than 64.
fn sums(connection: &Connection, table: &Table) -> Result<Vec<Sum>> {
    let halves = |name: &&str| {
        format!(", coalesce(sum(t.\"{name}\" >> 32), 0), coalesce(sum(t.\"{name}\" & 4294967295), 0)")
    };
    let amounts: String = table.amounts.iter().map(halves).collect();
    let (code, join) = currency(table);
    let sql =
        format!("SELECT {code}, count(*){amounts} FROM \"{}\" t {join} GROUP BY 1 ORDER BY 1", table.name);
    let mut statement = connection.prepare(&sql).stored()?;
    let mut rows = statement.query([]).stored()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().stored()? {
        let mut amounts = Vec::with_capacity(table.amounts.len());
        for at in 0..table.amounts.len() {
            let (high, low): (i64, i64) = (row.get(2 + 2 * at).stored()?, row.get(3 + 2 * at).stored()?);
            let sum = i128::from(high).checked_mul(1 << 32).and_then(|high| high.checked_add(low.into()));
            amounts.push(sum.ok_or_else(|| corrupt("a sum exceeds 128 bits"))?);
        }
        found.push(Sum { currency: row.get(0).stored()?, rows: row.get(1).stored()?, amounts });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use storage::relocation::{Kind, LEFT_BEHIND, TABLES};

    use super::*;

    fn schema() -> Vec<(String, String, String)> {
        let mut connection = Connection::open_in_memory().expect("a database");
        crate::migrate::run(&mut connection).expect("migrated");
        let sql = "SELECT m.name, c.name, c.type FROM sqlite_schema m, pragma_table_info(m.name) c \
                   WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
        let mut statement = connection.prepare(sql).expect("a statement");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.expect("rows").map(|row| row.expect("a row")).collect()
    }

    #[test]
    fn every_column_of_every_table_is_moved_or_stays_behind_on_purpose() {
        let left = |table: &str| LEFT_BEHIND.iter().any(|(name, _)| *name == table);
        let there: BTreeSet<_> = schema().into_iter().filter(|(table, ..)| !left(table)).collect();
        let kind = |kind| match kind {
            Kind::Int | Kind::Bool => "INTEGER",
            Kind::Text => "TEXT",
            Kind::Bytes => "BLOB",
        };
        let described = TABLES.iter().flat_map(|table| {
            let here = table.columns.iter().filter(|column| is_here(column));
            here.map(|c| (table.name.to_owned(), c.name.to_owned(), kind(c.kind).to_owned()))
        });
        assert_eq!(described.collect::<BTreeSet<_>>(), there);
        assert!(there.len() > 100, "the schema was read");
    }

    #[test]
    fn every_column_of_a_key_is_in_the_list_of_what_a_rotation_does() {
        let is_key = |column: &str| column == "key_id" || column.ends_with("_key_id");
        let all = schema().into_iter().map(|(table, column, _)| (table, column));
        let there: BTreeSet<_> = all.filter(|(_, column)| is_key(column)).collect();
        let listed =
            storage::KEY_COLUMNS.iter().map(|(table, column, _)| ((*table).to_owned(), (*column).to_owned()));
        assert_eq!(there, listed.collect());
    }

    #[test]
    fn keys_and_amounts_are_columns() {
        for table in TABLES {
            let columns: BTreeSet<_> = table.columns.iter().map(|column| column.name).collect();
            assert!(
                table.key.iter().chain(table.amounts).all(|name| columns.contains(name)),
                "{}",
                table.name
            );
            assert_eq!(table.key_columns().len(), table.key.len());
        }
    }
}
