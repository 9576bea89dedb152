//! Both databases have the same schema by meaning: the same tables with the same columns, nullable where
//! the other's are, unique in the same things. What differs on purpose is listed here as data.

use std::collections::{BTreeMap, BTreeSet};

use postgres_testing::Cluster;

use crate::support::{database, name_of};

/// The migrations of the embedded database, in the order in which they are applied.
fn migrations() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../storage-sqlite/migrations");
    let mut files: Vec<(u32, std::path::PathBuf)> = std::fs::read_dir(folder)
        .expect("a folder of migrations")
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            let version = name.strip_prefix('V').and_then(|name| name.split_once("__"));
            (version.and_then(|(number, _)| number.parse().ok()).expect("V1__name.sql"), path)
        })
        .collect();
    files.sort();
    files.iter().map(|(_, path)| std::fs::read_to_string(path).expect("a readable file")).collect()
}

/// Which types of PostgreSQL hold what a type of SQLite holds.
const TYPES: [(&str, &[&str]); 3] =
    [("INTEGER", &["bigint", "integer", "smallint", "boolean"]), ("TEXT", &["text"]), ("BLOB", &["bytea"])];

/// Columns that only PostgreSQL has, and why.
const MORE_COLUMNS: [(&str, &str, &str); 10] = [
    ("operation", "xid", "the order in which transactions of several writers became visible"),
    ("job_cursor", "xid", "a place in that order"),
    ("transfer", "card_id", "the distribution key"),
    ("transfer", "issuer_id", "the policy that isolates issuers"),
    ("compensation", "card_id", "the distribution key"),
    ("compensation", "issuer_id", "the policy that isolates issuers"),
    ("settlement_cursor", "xid", "a place in that order"),
    ("settlement_line", "issuer_id", "the policy that isolates issuers"),
    ("settlement_split", "issuer_id", "the policy that isolates issuers"),
    ("settlement_refund", "issuer_id", "the policy that isolates issuers"),
];

/// Columns that are nullable in SQLite only: 0 stands for none, because the column is part of a key.
const NEVER_NULL: [(&str, &str); 1] = [("operation", "card_id")];

/// Tables whose primary key has the distribution key as well.
const DISTRIBUTED: [&str; 4] = ["hold", "operation", "transfer", "compensation"];

/// Refinery's own.
const NOT_OURS: &str = "refinery_schema_history";

#[derive(Debug, PartialEq, Eq)]
struct Column {
    kind: String,
    nullable: bool,
}

#[derive(Debug, Default)]
struct Table {
    columns: BTreeMap<String, Column>,
    unique: BTreeSet<BTreeSet<String>>,
}

type Schema = BTreeMap<String, Table>;

fn words(text: &str) -> BTreeSet<String> {
    text.split(',').map(|word| word.trim().to_owned()).collect()
}

fn in_parentheses(text: &str) -> &str {
    let from = text.find('(').expect("a list") + 1;
    &text[from..from + text[from..].find(')').expect("its end")]
}

/// Reads the form in which the embedded store's schema is written: one column or constraint a line.
fn embedded() -> Schema {
    let mut schema = Schema::new();
    let mut current: Option<String> = None;
    // A line that begins with a list goes on with the constraint of the line before.
    let text = migrations();
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("--") && !line.starts_with("('"));
    for line in lines {
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            let name = rest.split_whitespace().next().expect("a name").to_owned();
            schema.insert(name.clone(), Table::default());
            current = Some(name);
        } else if let Some((table, column)) =
            line.strip_prefix("ALTER TABLE ").and_then(|rest| rest.split_once(" ADD COLUMN "))
        {
            take_line(schema.get_mut(table).expect("a table"), column.trim_end_matches(';'));
        } else if line.starts_with("CREATE UNIQUE INDEX ") && line.contains("coalesce(") {
            // Unique in an expression: the conformance suite holds it against both.
        } else if let Some(rest) = line.strip_prefix("CREATE UNIQUE INDEX ") {
            let table =
                rest.split(" ON ").nth(1).and_then(|on| on.split_whitespace().next()).expect("a table");
            let table = schema.get_mut(table).expect("a table");
            table.unique.insert(words(in_parentheses(rest)));
        } else if line.starts_with(')') {
            current = None;
        } else if let Some(table) = current.as_ref().and_then(|name| schema.get_mut(name)) {
            take_line(table, line.trim_end_matches(','));
        }
    }
    schema
}

fn take_line(table: &mut Table, line: &str) {
    if line.starts_with("PRIMARY KEY") || line.starts_with("UNIQUE") {
        table.unique.insert(words(in_parentheses(line)));
        return;
    }
    let mut parts = line.split_whitespace();
    let (Some(name), Some(kind)) = (parts.next(), parts.next()) else { return };
    if name == "CHECK" {
        return;
    }
    let key = line.contains("PRIMARY KEY");
    let column = Column { kind: kind.to_owned(), nullable: !key && !line.contains("NOT NULL") };
    if key || line.contains(" UNIQUE") {
        table.unique.insert(BTreeSet::from([name.to_owned()]));
    }
    table.columns.insert(name.to_owned(), column);
}

/// Asks the server what its schema is.
fn served(database: &str) -> Schema {
    let mut schema = Schema::new();
    let sql = "SELECT c.table_name, c.column_name, c.data_type, c.is_nullable FROM information_schema.columns c \
               JOIN information_schema.tables t USING (table_schema, table_name) \
               WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'";
    for line in ask(database, sql).lines() {
        let parts: Vec<&str> = line.split('|').collect();
        let column = Column { kind: parts[2].to_owned(), nullable: parts[3] == "YES" };
        schema.entry(parts[0].to_owned()).or_default().columns.insert(parts[1].to_owned(), column);
    }
    let sql = "SELECT i.indrelid::regclass, string_agg(a.attname, ',') FROM pg_index i \
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) \
               WHERE i.indisunique AND 0 <> ALL (i.indkey) AND i.indrelid::regclass::text !~ '^pg_' \
               AND i.indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) \
               GROUP BY i.indexrelid, i.indrelid";
    for line in ask(database, sql).lines() {
        let (table, columns) = line.split_once('|').expect("two fields");
        schema.get_mut(table).expect("a table").unique.insert(words(columns));
    }
    schema.remove(NOT_OURS);
    schema
}

fn ask(database: &str, sql: &str) -> String {
    Cluster::shared().psql(database, sql).expect(sql)
}

#[test]
fn the_schemas_mean_the_same() {
    let (embedded, served) = (embedded(), served(name_of(&database())));
    let names = |schema: &Schema| schema.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&served), names(&embedded), "tables");
    assert!(embedded.len() > 15, "the schema was read: {:?}", names(&embedded));
    for (name, ours) in &embedded {
        let theirs = &served[name];
        compare_columns(name, ours, theirs);
        compare_keys(name, ours, theirs);
    }
}

fn compare_columns(table: &str, ours: &Table, theirs: &Table) {
    let mut expected: BTreeSet<&str> = ours.columns.keys().map(String::as_str).collect();
    expected.extend(MORE_COLUMNS.iter().filter(|(of, ..)| *of == table).map(|(_, column, _)| *column));
    let found: BTreeSet<&str> = theirs.columns.keys().map(String::as_str).collect();
    assert_eq!(found, expected, "columns of {table}");
    for (name, column) in &ours.columns {
        let other = &theirs.columns[name];
        let (_, alike) = TYPES.iter().find(|(kind, _)| *kind == column.kind).expect("a type of SQLite");
        assert!(alike.contains(&other.kind.as_str()), "{table}.{name}: {} and {}", column.kind, other.kind);
        let nullable = column.nullable && !NEVER_NULL.contains(&(table, name));
        assert_eq!(other.nullable, nullable, "{table}.{name} is nullable");
    }
}

fn compare_keys(table: &str, ours: &Table, theirs: &Table) {
    let with_card = |key: &BTreeSet<String>| {
        let mut key = key.clone();
        let primary = !key.contains("key") && !key.contains("trace");
        if primary && DISTRIBUTED.contains(&table) {
            key.insert("card_id".to_owned());
        }
        key
    };
    let expected: BTreeSet<BTreeSet<String>> = ours.unique.iter().map(with_card).collect();
    assert_eq!(theirs.unique, expected, "unique keys of {table}");
}
