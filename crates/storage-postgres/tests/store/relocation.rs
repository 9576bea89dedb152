//! The description of what a move carries has every column of every table.

use std::collections::BTreeSet;

use postgres_testing::Cluster;
use storage::{
    KEY_COLUMNS,
    relocation::{Kind, LEFT_BEHIND, TABLES},
};

use crate::support::{database, name_of};

/// Columns whose values mean nothing in another database: a target makes its own.
const MADE_ANEW: [(&str, &str); 3] =
    [("operation", "xid"), ("job_cursor", "xid"), ("settlement_cursor", "xid")];

#[test]
fn every_column_of_every_table_is_moved_or_made_anew_on_purpose() {
    let sql = "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c \
               JOIN information_schema.tables t USING (table_schema, table_name) \
               WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'";
    let found = Cluster::shared().psql(name_of(&database()), sql).expect(sql);
    let is_moved = |table: &str, column: &str| {
        !LEFT_BEHIND.iter().any(|(left, _)| *left == table) && !MADE_ANEW.contains(&(table, column))
    };
    let there: BTreeSet<(&str, &str, Kind)> = found
        .lines()
        .map(|line| line.split('|').collect::<Vec<_>>())
        .filter(|parts| is_moved(parts[0], parts[1]))
        .map(|parts| (parts[0], parts[1], kind(parts[2])))
        .collect();
    let described: BTreeSet<(&str, &str, Kind)> = TABLES
        .iter()
        .flat_map(|table| table.columns.iter().map(|column| (table.name, column.name, column.kind)))
        .collect();
    assert_eq!(described, there);
    assert!(there.len() > 100, "the schema was read");
}

fn kind(name: &str) -> Kind {
    match name {
        "bigint" | "integer" | "smallint" => Kind::Int,
        "boolean" => Kind::Bool,
        "text" => Kind::Text,
        "bytea" => Kind::Bytes,
        other => panic!("a type that no move knows: {other}"),
    }
}

#[test]
fn every_column_of_a_key_is_in_the_list_of_what_a_rotation_does() {
    let sql = "SELECT c.table_name, c.column_name FROM information_schema.columns c \
               JOIN information_schema.tables t USING (table_schema, table_name) \
               WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' \
               AND (c.column_name = 'key_id' OR c.column_name LIKE '%!_key!_id' ESCAPE '!')";
    let found = Cluster::shared().psql(name_of(&database()), sql).expect(sql);
    let there: BTreeSet<(&str, &str)> = found.lines().filter_map(|line| line.split_once('|')).collect();
    let listed: BTreeSet<(&str, &str)> =
        KEY_COLUMNS.iter().map(|(table, column, _)| (*table, *column)).collect();
    assert_eq!(there, listed);
}
