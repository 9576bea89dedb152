//! Files and their lines.

use domain::{Account, IssuerId, ReconciliationId};
use rusqlite::{Connection, params};
use storage::{Page, ReconciledLine, Reconciliation, Result};

use super::{
    conflict, insert, list, one_more, page,
    rows::{self, FILE, LINE},
};
use crate::{error::IntoStorage, fields::Binder, jobs::clamp};

pub(super) fn begin(connection: &Connection, file: &Reconciliation) -> Result<()> {
    let mut statement = connection.prepare_cached(&insert("reconciliation", FILE)).stored()?;
    let mut binder = Binder::new(&mut statement);
    rows::put_file(&mut binder, file)?;
    binder.run().unique("id")?;
    Ok(())
}

pub(super) fn append(
    connection: &Connection,
    of: (ReconciliationId, IssuerId),
    lines: &[ReconciledLine],
) -> Result<()> {
    let mut statement = connection.prepare_cached(&insert("reconciliation_line", LINE)).stored()?;
    for line in lines {
        let mut binder = Binder::new(&mut statement);
        rows::put_line(&mut binder, of, line)?;
        binder.run().unique("id")?;
    }
    Ok(())
}

pub(super) fn finish(connection: &Connection, file: &Reconciliation) -> Result<()> {
    let set: Vec<String> =
        FILE.split(',').zip(1..).map(|(name, n): (&str, usize)| format!("{} = ?{n}", name.trim())).collect();
    let sql = format!("UPDATE reconciliation SET {} WHERE id = ?1", set.join(", "));
    let mut statement = connection.prepare_cached(&sql).stored()?;
    let mut binder = Binder::new(&mut statement);
    rows::put_file(&mut binder, file)?;
    if binder.run().unique("file")? == 1 { Ok(()) } else { conflict("reconciliation") }
}

pub(super) fn one(connection: &Connection, id: ReconciliationId) -> Result<Option<Reconciliation>> {
    let sql = format!("SELECT {FILE} FROM reconciliation WHERE id = ?1");
    Ok(list(connection, &sql, [id.get()], rows::file)?.pop())
}

pub(super) fn of_file(
    connection: &Connection,
    issuer: IssuerId,
    account: Account,
    digest: [u8; 32],
) -> Result<Option<Reconciliation>> {
    let sql = format!(
        "SELECT {FILE} FROM reconciliation WHERE issuer_id = ?1 AND account_kind = ?2 AND account_ref = ?3 \
         AND digest = ?4 AND status = 'complete'"
    );
    let values = params![issuer.get(), account.kind().number(), account.reference(), &digest[..]];
    Ok(list(connection, &sql, values, rows::file)?.pop())
}

pub(super) fn newest(
    connection: &Connection,
    issuer: IssuerId,
    before: Option<ReconciliationId>,
    limit: usize,
) -> Result<Page<Reconciliation>> {
    let sql = format!(
        "SELECT {FILE} FROM reconciliation WHERE issuer_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
    );
    let before = before.map_or(i64::MAX, ReconciliationId::get);
    let found = list(connection, &sql, [issuer.get(), before, one_more(limit)], rows::file)?;
    Ok(page(found, limit, |file| file.id.get()))
}

pub(super) fn lines(
    connection: &Connection,
    of: ReconciliationId,
    after: u32,
    limit: usize,
) -> Result<Vec<ReconciledLine>> {
    let sql = format!(
        "SELECT {LINE} FROM reconciliation_line WHERE reconciliation_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3"
    );
    list(connection, &sql, [of.get(), i64::from(after), clamp(limit)], rows::line)
}
