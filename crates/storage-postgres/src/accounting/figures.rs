//! Figures and settings that finance enters: never changed, only followed by a next version.

use domain::{Amount, ClientId, Currency, IssuerId};
use storage::{Figure, FigureKind, MAX_FIGURES, Result, Setting};
use tokio_postgres::Row;

use crate::{PostgresStore, fields::Fields, jobs::clamp, session::Param, store::Scope};

const NEWEST: &str = "SELECT issuer_id, kind, period, currency, version, amount, note, client_id, entered_at \
     FROM reported_figure WHERE issuer_id = $1 AND kind = $2 AND period = $3 AND currency = $4 \
     ORDER BY version DESC LIMIT 1";

const NEWEST_OF_ALL: &str = "SELECT issuer_id, kind, period, currency, version, amount, note, client_id, entered_at \
     FROM (SELECT DISTINCT ON (period, currency) * FROM reported_figure \
         WHERE issuer_id = $1 AND kind = $2 AND period BETWEEN $3 AND $4 \
         ORDER BY period, currency, version DESC) AS newest \
     ORDER BY period, currency COLLATE \"C\" LIMIT $5";

const INSERT: &str = "INSERT INTO reported_figure \
     (issuer_id, kind, period, currency, version, amount, note, client_id, entered_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

fn number_of(kind: FigureKind) -> i16 {
    i16::try_from(kind.number()).unwrap_or(0)
}

fn version_of(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

/// Of two that enter the same version at once, the key refuses one.
pub(crate) async fn enter(store: &PostgresStore, figure: &Figure) -> Result<Figure> {
    let writing = store.writing(Scope::One(figure.issuer)).await?;
    let (issuer, kind, currency) = (figure.issuer.get(), number_of(figure.kind), figure.currency.code());
    let key: [Param<'_>; 4] = [&issuer, &kind, &figure.period, &currency];
    let newest = writing.query(NEWEST, &key).await?.first().map(read).transpose()?;
    if let Some(newest) = &newest
        && newest.amount == figure.amount
        && newest.note == figure.note
    {
        writing.roll_back().await?;
        return Ok(newest.clone());
    }
    let version = newest.map_or(0, |figure| figure.version).saturating_add(1);
    let values: [Param<'_>; 9] = [
        &issuer,
        &kind,
        &figure.period,
        &currency,
        &version_of(version),
        &figure.amount.get(),
        &figure.note,
        &figure.client.get(),
        &figure.entered_at.micros(),
    ];
    writing.execute_unique(INSERT, &values, "version").await?;
    writing.commit().await?;
    Ok(Figure { version, ..figure.clone() })
}

pub(crate) async fn newest(
    store: &PostgresStore,
    issuer: IssuerId,
    kind: FigureKind,
    from: i32,
    to: i32,
) -> Result<Vec<Figure>> {
    let asked: [Param<'_>; 5] = [&issuer.get(), &number_of(kind), &from, &to, &clamp(MAX_FIGURES)];
    store.one(Scope::One(issuer), NEWEST_OF_ALL, &asked).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Figure> {
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

const SETTING: &str = "SELECT version, value, client_id, entered_at FROM accounting_setting \
     WHERE issuer_id = $1 AND name = $2 ORDER BY version DESC LIMIT 1";

fn read_setting(row: &Row, issuer: IssuerId, name: &str) -> Result<Setting> {
    let mut f = Fields::new(row);
    Ok(Setting {
        issuer,
        name: name.to_owned(),
        version: f.narrow()?,
        value: f.text()?.to_owned(),
        client: ClientId::new(f.int()?),
        entered_at: f.time()?,
    })
}

pub(crate) async fn setting(store: &PostgresStore, issuer: IssuerId, name: &str) -> Result<Option<Setting>> {
    let rows = store.one(Scope::One(issuer), SETTING, &[&issuer.get(), &name]).await?;
    rows.first().map(|row| read_setting(row, issuer, name)).transpose()
}

pub(crate) async fn enter_setting(store: &PostgresStore, setting: &Setting) -> Result<Setting> {
    let writing = store.writing(Scope::One(setting.issuer)).await?;
    let rows = writing.query(SETTING, &[&setting.issuer.get(), &setting.name]).await?;
    let newest = rows.first().map(|row| read_setting(row, setting.issuer, &setting.name)).transpose()?;
    if let Some(newest) = &newest
        && newest.value == setting.value
    {
        writing.roll_back().await?;
        return Ok(newest.clone());
    }
    let version = newest.map_or(0, |setting| setting.version).saturating_add(1);
    let sql = "INSERT INTO accounting_setting (issuer_id, name, version, value, client_id, entered_at) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let values: [Param<'_>; 6] = [
        &setting.issuer.get(),
        &setting.name,
        &version_of(version),
        &setting.value,
        &setting.client.get(),
        &setting.entered_at.micros(),
    ];
    writing.execute_unique(sql, &values, "version").await?;
    writing.commit().await?;
    Ok(Setting { version, ..setting.clone() })
}
