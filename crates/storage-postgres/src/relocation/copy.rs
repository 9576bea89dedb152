//! The binary form of COPY, both ways: a header, then for each row the number of its fields and each field
//! with its length. <https://www.postgresql.org/docs/current/sql-copy.html>

use storage::{
    Result,
    relocation::{Cell, Kind, Place, Rows, Table},
};
use tokio_postgres::types::Type;

use crate::error::corrupt;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const END: i16 = -1;
const NULL: i32 = -1;

fn malformed() -> storage::StorageError {
    corrupt("what the server copies cannot be read")
}

/// Writes rows for columns of these types.
pub(super) fn encode(table: &Table, rows: &Rows, types: &[Type]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(64 + rows.len() * types.len() * 10);
    out.extend_from_slice(HEADER);
    let columns = i16::try_from(types.len()).map_err(|_| corrupt("too many columns"))?;
    for row in rows.iter() {
        out.extend_from_slice(&columns.to_be_bytes());
        for ((cell, kind), column) in row.zip(types).zip(table.columns) {
            let zero = cell == Cell::Null && column.place != Place::Both;
            field(&mut out, if zero { Cell::Int(0) } else { cell }, kind)?;
        }
    }
    out.extend_from_slice(&END.to_be_bytes());
    Ok(out)
}

fn field(out: &mut Vec<u8>, cell: Cell<'_>, kind: &Type) -> Result<()> {
    match cell {
        Cell::Null => out.extend_from_slice(&NULL.to_be_bytes()),
        Cell::Int(number) => return int(out, number, kind),
        Cell::Text(text) => sized(out, text.as_bytes())?,
        Cell::Bytes(bytes) => sized(out, bytes)?,
    }
    Ok(())
}

fn sized(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    let length = i32::try_from(bytes.len()).map_err(|_| corrupt("a value is longer than 2 GiB"))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

/// A number as the column has it. One that does not fit was never written by this program.
fn int(out: &mut Vec<u8>, number: i64, kind: &Type) -> Result<()> {
    let too_wide = |_| corrupt(format!("{number} does not fit a column of type {kind}"));
    match *kind {
        Type::INT8 => sized(out, &number.to_be_bytes()),
        Type::INT4 => sized(out, &i32::try_from(number).map_err(too_wide)?.to_be_bytes()),
        Type::INT2 => sized(out, &i16::try_from(number).map_err(too_wide)?.to_be_bytes()),
        Type::BOOL => sized(out, &[u8::from(number != 0)]),
        _ => Err(corrupt(format!("a number for a column of type {kind}"))),
    }
}

/// Reads rows of a table whose numbers are all 64 bits wide.
pub(super) fn decode(table: &Table, copied: &[u8], expected: usize) -> Result<Rows> {
    let mut rows = Rows::new(table.columns.len(), expected);
    let mut rest = copied.strip_prefix(HEADER).ok_or_else(malformed)?;
    loop {
        let columns = i16::from_be_bytes(take(&mut rest)?);
        if columns == END {
            return Ok(rows);
        }
        if usize::try_from(columns) != Ok(table.columns.len()) {
            return Err(malformed());
        }
        for column in table.columns {
            let length = i32::from_be_bytes(take(&mut rest)?);
            if length == NULL {
                rows.push(Cell::Null)?;
                continue;
            }
            let length = usize::try_from(length).map_err(|_| malformed())?;
            let (value, after) = rest.split_at_checked(length).ok_or_else(malformed)?;
            rest = after;
            rows.push(cell(column.kind, value)?)?;
        }
    }
}

fn cell(kind: Kind, value: &[u8]) -> Result<Cell<'_>> {
    Ok(match kind {
        Kind::Int | Kind::Bool => Cell::Int(i64::from_be_bytes(value.try_into().map_err(|_| malformed())?)),
        Kind::Text => Cell::Text(std::str::from_utf8(value).map_err(|_| malformed())?),
        Kind::Bytes => Cell::Bytes(value),
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or_else(malformed)?;
    *rest = after;
    Ok(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job_cursor() -> &'static Table {
        Table::named("job_cursor").unwrap()
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let mut rows = Rows::new(2, 1);
        rows.push(Cell::Text("roll_up")).unwrap();
        rows.push(Cell::Int(-5)).unwrap();
        let whole = encode(job_cursor(), &rows, &[Type::TEXT, Type::INT8]).unwrap();
        assert_eq!(decode(job_cursor(), &whole, 1).unwrap(), rows);
        for length in 0..whole.len() {
            assert!(decode(job_cursor(), &whole[..length], 1).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let mut rows = Rows::new(1, 1);
        rows.push(Cell::Int(40_000)).unwrap();
        assert!(encode(job_cursor(), &rows, &[Type::INT2]).is_err());
        assert!(encode(job_cursor(), &rows, &[Type::TEXT]).is_err());
        assert!(encode(job_cursor(), &rows, &[Type::INT4]).is_ok());
    }
}
