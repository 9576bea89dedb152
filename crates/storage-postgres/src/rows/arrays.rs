//! Rows as arrays: one parameter for each column, whatever the number of rows, so that a statement has the
//! same text and the same plan for one row as for two thousand.

/// Declares a struct with one vector for each column, in the order of the statement's parameters.
///
/// `COLUMNS` has the name and type of each column; `params` the vectors as parameters.
macro_rules! arrays {
    ($(#[$doc:meta])* $name:ident<'a> { $($column:ident: $type:ty => $sql:literal,)+ }) => {
        $(#[$doc])*
        pub(crate) struct $name<'a> {
            $(pub(crate) $column: Vec<$type>,)+
            _borrowed: std::marker::PhantomData<&'a ()>,
        }

        impl $name<'_> {
            pub(crate) const COLUMNS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($column), $sql),)+];

            pub(crate) fn with_capacity(rows: usize) -> Self {
                Self { $($column: Vec::with_capacity(rows),)+ _borrowed: std::marker::PhantomData }
            }

            pub(crate) fn params(&self) -> Vec<&(dyn tokio_postgres::types::ToSql + Sync)> {
                vec![$(&self.$column,)+]
            }
        }
    };
}
pub(crate) use arrays;

type Columns = [(&'static str, &'static str)];

/// `$1::bigint[], $2::text[], …`
pub(crate) fn parameters(columns: &Columns) -> String {
    let parts: Vec<String> =
        columns.iter().zip(1..).map(|((_, sql), n): (_, usize)| format!("${n}::{sql}[]")).collect();
    parts.join(", ")
}

/// `a, b, …`
pub(crate) fn names(columns: &Columns) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// Writes all rows of the arrays.
pub(crate) fn insert(table: &str, columns: &Columns) -> String {
    let names = names(columns);
    format!("INSERT INTO {table} ({names}) SELECT * FROM unnest({})", parameters(columns))
}

/// Changes the row of each id. The first column is the id, the rest is set. Fails with a division by zero
/// unless there is a row for each: the statements after it, the commit among them, are on their way already.
pub(crate) fn update(table: &str, columns: &Columns) -> String {
    let names = names(columns);
    let set: Vec<String> = columns.iter().skip(1).map(|(name, _)| format!("{name} = new.{name}")).collect();
    let (set, values) = (set.join(", "), parameters(columns));
    format!(
        "WITH done AS (UPDATE {table} SET {set} FROM unnest({values}) AS new ({names}) \
         WHERE {table}.id = new.id RETURNING 1) \
         SELECT 1 / (count(*) = cardinality($1))::integer FROM done"
    )
}
