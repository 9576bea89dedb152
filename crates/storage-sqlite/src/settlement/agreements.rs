//! What settlement is decided by: calendars, agreements and bank accounts.

use domain::{AgreementId, BusinessDate, IssuerId, MerchantId, PayeeId};
use rusqlite::{Connection, params};
use settlement::{Agreement, CalendarDay, Payee};
use storage::{Page, Result};

use super::{
    list, one_more, page,
    rows::{self, AGREEMENT, PAYEE, places},
};
use crate::error::{IntoStorage, corrupt};

pub(super) fn put_year(
    connection: &Connection,
    issuer: IssuerId,
    year: i16,
    days: &[CalendarDay],
) -> Result<()> {
    let forget = "DELETE FROM calendar_day WHERE issuer_id = ?1 AND year = ?2";
    connection.execute(forget, params![issuer.get(), year]).stored()?;
    let insert = "INSERT INTO calendar_day (issuer_id, year, day, working, name) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut insert = connection.prepare_cached(insert).stored()?;
    for day in days {
        insert.execute(params![issuer.get(), year, day.date.get(), day.working, day.name]).unique("date")?;
    }
    Ok(())
}

pub(super) fn days(
    connection: &Connection,
    issuer: IssuerId,
    from: i16,
    to: i16,
) -> Result<Vec<CalendarDay>> {
    let sql = "SELECT year, day, working, name FROM calendar_day \
               WHERE issuer_id = ?1 AND year BETWEEN ?2 AND ?3 ORDER BY year, day";
    list(connection, sql, params![issuer.get(), from, to], rows::day)
}

pub(super) fn append(connection: &Connection, agreement: &Agreement) -> Result<()> {
    let a = agreement;
    let terms = serde_json::to_string(&a.terms).map_err(|error| corrupt(error.to_string()))?;
    let sql = format!("INSERT INTO agreement ({AGREEMENT}) VALUES ({})", places(AGREEMENT));
    let values = params![
        a.id.get(),
        a.issuer.get(),
        a.merchant.map_or(0, MerchantId::get),
        a.currency.code(),
        a.effective_from.get(),
        terms,
        a.created_by.get(),
        a.created_at.micros()
    ];
    connection.execute(&sql, values).unique("effective_from")?;
    Ok(())
}

pub(super) fn one(connection: &Connection, id: AgreementId) -> Result<Option<Agreement>> {
    let sql = format!("SELECT {AGREEMENT} FROM agreement WHERE id = ?1");
    Ok(list(connection, &sql, [id.get()], rows::agreement)?.pop())
}

pub(super) fn newest(
    connection: &Connection,
    issuer: IssuerId,
    merchant: Option<MerchantId>,
    before: Option<AgreementId>,
    limit: usize,
) -> Result<Page<Agreement>> {
    let before = before.map_or(i64::MAX, AgreementId::get);
    let found = if let Some(merchant) = merchant {
        let sql = format!(
            "SELECT {AGREEMENT} FROM agreement WHERE issuer_id = ?1 AND merchant_id = ?2 AND id < ?3 \
             ORDER BY id DESC LIMIT ?4"
        );
        let values = params![issuer.get(), merchant.get(), before, one_more(limit)];
        list(connection, &sql, values, rows::agreement)?
    } else {
        let sql = format!(
            "SELECT {AGREEMENT} FROM agreement WHERE issuer_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
        );
        list(connection, &sql, params![issuer.get(), before, one_more(limit)], rows::agreement)?
    };
    Ok(page(found, limit, |agreement| agreement.id.get()))
}

pub(super) fn append_payee(connection: &Connection, payee: &Payee) -> Result<()> {
    let p = payee;
    let sql = format!("INSERT INTO payee ({PAYEE}) VALUES ({})", places(PAYEE));
    let values = params![
        p.id.get(),
        p.issuer.get(),
        p.merchant.get(),
        p.currency.code(),
        p.effective_from.get(),
        p.holder_name,
        p.account_number,
        p.bank_name,
        p.bic,
        p.clearing_code,
        p.created_by.get(),
        p.created_at.micros(),
        p.sealed.as_ref().map(|sealed| sealed.key_id),
        p.sealed.as_ref().map(|sealed| &sealed.bytes[..])
    ];
    connection.execute(&sql, values).unique("id")?;
    Ok(())
}

pub(super) fn not_under(
    connection: &Connection,
    current: u8,
    after: Option<PayeeId>,
    limit: usize,
) -> Result<Vec<Payee>> {
    let sql =
        format!("SELECT {PAYEE} FROM payee WHERE id > ?1 AND account_key_id IS NOT ?2 ORDER BY id LIMIT ?3");
    let after = after.map_or(i64::MIN, PayeeId::get);
    list(connection, &sql, params![after, current, crate::jobs::clamp(limit)], rows::payee)
}

pub(super) fn seal(connection: &Connection, payees: &[Payee]) -> Result<()> {
    let sql = "UPDATE payee SET account_number = ?2, account_key_id = ?3, account_sealed = ?4 WHERE id = ?1";
    let mut update = connection.prepare_cached(sql).stored()?;
    for payee in payees {
        let Some(sealed) = &payee.sealed else { continue };
        let values = params![payee.id.get(), payee.account_number, sealed.key_id, &sealed.bytes[..]];
        update.execute(values).stored()?;
    }
    Ok(())
}

pub(super) fn payee(connection: &Connection, id: PayeeId) -> Result<Option<Payee>> {
    let sql = format!("SELECT {PAYEE} FROM payee WHERE id = ?1");
    Ok(list(connection, &sql, [id.get()], rows::payee)?.pop())
}

pub(super) fn payees(
    connection: &Connection,
    issuer: IssuerId,
    merchant: MerchantId,
    before: Option<PayeeId>,
    limit: usize,
) -> Result<Page<Payee>> {
    let sql = format!(
        "SELECT {PAYEE} FROM payee WHERE merchant_id = ?1 AND id < ?2 AND issuer_id = ?3 \
         ORDER BY id DESC LIMIT ?4"
    );
    let before = before.map_or(i64::MAX, PayeeId::get);
    let values = params![merchant.get(), before, issuer.get(), one_more(limit)];
    Ok(page(list(connection, &sql, values, rows::payee)?, limit, |payee| payee.id.get()))
}

pub(super) fn in_force(
    connection: &Connection,
    issuer: IssuerId,
    merchants: &[MerchantId],
    on: BusinessDate,
) -> Result<Vec<Payee>> {
    let sql = format!(
        "SELECT {PAYEE} FROM payee WHERE merchant_id = ?1 AND issuer_id = ?2 AND effective_from <= ?3 \
         ORDER BY currency, effective_from DESC, id DESC"
    );
    let mut found: Vec<Payee> = Vec::new();
    for merchant in merchants {
        let values = params![merchant.get(), issuer.get(), on.get()];
        let mut all = list(connection, &sql, values, rows::payee)?;
        all.dedup_by_key(|payee| payee.currency);
        found.append(&mut all);
    }
    Ok(found)
}
