//! Figures and settings that finance enters: never changed, only followed by a next version.

use domain::{Amount, ClientId, Currency, IssuerId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use storage::{Figure, FigureKind, MAX_FIGURES, Result, Setting};

use crate::{error::IntoStorage, fields::Fields, jobs::clamp, store::Outcome};

const NEWEST: &str = "SELECT issuer_id, kind, period, currency, version, amount, note, client_id, entered_at \
     FROM reported_figure WHERE issuer_id = ?1 AND kind = ?2 AND period = ?3 AND currency = ?4 \
     ORDER BY version DESC LIMIT 1";

const NEWEST_OF_ALL: &str = "SELECT issuer_id, kind, period, currency, version, amount, note, client_id, entered_at \
     FROM reported_figure AS f WHERE issuer_id = ?1 AND kind = ?2 AND period BETWEEN ?3 AND ?4 \
     AND version = (SELECT max(n.version) FROM reported_figure AS n WHERE n.issuer_id = f.issuer_id \
         AND n.kind = f.kind AND n.period = f.period AND n.currency = f.currency) \
     ORDER BY period, currency LIMIT ?5";

const INSERT: &str = "INSERT INTO reported_figure \
     (issuer_id, kind, period, currency, version, amount, note, client_id, entered_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

pub(crate) fn enter(connection: &Connection, figure: &Figure) -> Result<Outcome<Figure>> {
    let mut statement = connection.prepare_cached(NEWEST).stored()?;
    let key = params![figure.issuer.get(), figure.kind.number(), figure.period, figure.currency.code()];
    let mut rows = statement.query(key).stored()?;
    let newest = rows.next().stored()?.map(read).transpose()?;
    if let Some(newest) = &newest
        && newest.amount == figure.amount
        && newest.note == figure.note
    {
        return Ok(Outcome::RollBack(newest.clone()));
    }
    let version = newest.map_or(0, |figure| figure.version).saturating_add(1);
    let values = params![
        figure.issuer.get(),
        figure.kind.number(),
        figure.period,
        figure.currency.code(),
        version,
        figure.amount.get(),
        figure.note,
        figure.client.get(),
        figure.entered_at.micros(),
    ];
    connection.prepare_cached(INSERT).and_then(|mut insert| insert.execute(values)).unique("version")?;
    Ok(Outcome::Commit(Figure { version, ..figure.clone() }))
}

pub(crate) fn newest(
    connection: &Connection,
    issuer: IssuerId,
    kind: FigureKind,
    from: i32,
    to: i32,
) -> Result<Vec<Figure>> {
    let mut statement = connection.prepare_cached(NEWEST_OF_ALL).stored()?;
    let asked = params![issuer.get(), kind.number(), from, to, clamp(MAX_FIGURES)];
    let mut rows = statement.query(asked).stored()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().stored()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<Figure> {
    let mut f = Fields::new(row);
    Ok(Figure {
        issuer: IssuerId::new(f.int()?),
        kind: f.coded(FigureKind::from_number)?,
        period: f.narrow()?,
        currency: f.named(|code| Currency::parse(code).ok())?,
        version: f.narrow()?,
        amount: f.coded(|minor| Amount::new(minor).ok())?,
        note: f.opt_text()?.map(str::to_owned),
        client: ClientId::new(f.int()?),
        entered_at: f.time()?,
    })
}

pub(crate) fn setting(connection: &Connection, issuer: IssuerId, name: &str) -> Result<Option<Setting>> {
    let sql = "SELECT version, value, client_id, entered_at FROM accounting_setting \
               WHERE issuer_id = ?1 AND name = ?2 ORDER BY version DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql).stored()?;
    let read = |row: &Row<'_>| -> rusqlite::Result<(u32, String, i64, i64)> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    };
    let found = statement.query_row(params![issuer.get(), name], read).optional().stored()?;
    Ok(found.map(|(version, value, client, at)| Setting {
        issuer,
        name: name.to_owned(),
        version,
        value,
        client: ClientId::new(client),
        entered_at: domain::Timestamp::from_micros(at),
    }))
}

pub(crate) fn enter_setting(connection: &Connection, setting: &Setting) -> Result<Outcome<Setting>> {
    let newest = self::setting(connection, setting.issuer, &setting.name)?;
    if let Some(newest) = &newest
        && newest.value == setting.value
    {
        return Ok(Outcome::RollBack(newest.clone()));
    }
    let version = newest.map_or(0, |setting| setting.version).saturating_add(1);
    let sql = "INSERT INTO accounting_setting (issuer_id, name, version, value, client_id, entered_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = params![
        setting.issuer.get(),
        setting.name,
        version,
        setting.value,
        setting.client.get(),
        setting.entered_at.micros(),
    ];
    connection.prepare_cached(sql).and_then(|mut insert| insert.execute(values)).unique("version")?;
    Ok(Outcome::Commit(Setting { version, ..setting.clone() }))
}
