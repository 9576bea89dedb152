//! What settlement is decided by: calendars, agreements and bank accounts.

use domain::{AgreementId, BusinessDate, IssuerId, MerchantId, PayeeId};
use settlement::{Agreement, CalendarDay, Payee};
use storage::{Page, Result};

use super::{
    ended, one_more, page,
    rows::{self, AGREEMENT, PAYEE},
};
use crate::{
    PostgresStore,
    error::corrupt,
    fields::Fields,
    store::{Scope, Writing},
};

const PUT_DAYS: &str = "INSERT INTO calendar_day (issuer_id, year, day, working, name) \
     SELECT $1, $2, * FROM unnest($3::integer[], $4::boolean[], $5::text[])";

pub(super) async fn put_year(
    store: &PostgresStore,
    issuer: IssuerId,
    year: i16,
    days: &[CalendarDay],
) -> Result<()> {
    let writing = store.writing(Scope::One(issuer)).await?;
    let done = write_year(&writing, issuer, year, days).await;
    ended(writing, done).await
}

async fn write_year(writing: &Writing, issuer: IssuerId, year: i16, days: &[CalendarDay]) -> Result<()> {
    let year = i32::from(year);
    let forget = "DELETE FROM calendar_day WHERE issuer_id = $1 AND year = $2";
    writing.execute(forget, &[&issuer.get(), &year]).await?;
    let dates: Vec<i32> = days.iter().map(|day| day.date.get()).collect();
    let working: Vec<bool> = days.iter().map(|day| day.working).collect();
    let names: Vec<&str> = days.iter().map(|day| day.name.as_str()).collect();
    writing.execute_unique(PUT_DAYS, &[&issuer.get(), &year, &dates, &working, &names], "date").await?;
    Ok(())
}

pub(super) async fn days(
    store: &PostgresStore,
    issuer: IssuerId,
    from: i16,
    to: i16,
) -> Result<Vec<CalendarDay>> {
    let sql = "SELECT year, day, working, name FROM calendar_day \
               WHERE issuer_id = $1 AND year BETWEEN $2 AND $3 ORDER BY year, day";
    let (from, to) = (i32::from(from), i32::from(to));
    let found = store.one(Scope::One(issuer), sql, &[&issuer.get(), &from, &to]).await?;
    found.iter().map(|row| rows::day(&mut Fields::new(row))).collect()
}

pub(super) async fn append(store: &PostgresStore, agreement: &Agreement) -> Result<()> {
    let a = agreement;
    let terms = serde_json::to_string(&a.terms).map_err(|error| corrupt(error.to_string()))?;
    let sql = format!("INSERT INTO agreement ({AGREEMENT}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    let writing = store.writing(Scope::One(a.issuer)).await?;
    let merchant = a.merchant.map_or(0, MerchantId::get);
    let done = writing
        .execute_unique(
            &sql,
            &[
                &a.id.get(),
                &a.issuer.get(),
                &merchant,
                &a.currency.code(),
                &a.effective_from.get(),
                &terms,
                &a.created_by.get(),
                &a.created_at.micros(),
            ],
            "effective_from",
        )
        .await;
    ended(writing, done.map(drop)).await
}

pub(super) async fn one(store: &PostgresStore, id: AgreementId) -> Result<Option<Agreement>> {
    let sql = format!("SELECT {AGREEMENT} FROM agreement WHERE id = $1");
    let found = store.one(Scope::All, &sql, &[&id.get()]).await?;
    found.first().map(|row| rows::agreement(&mut Fields::new(row))).transpose()
}

pub(super) async fn newest(
    store: &PostgresStore,
    issuer: IssuerId,
    merchant: Option<MerchantId>,
    before: Option<AgreementId>,
    limit: usize,
) -> Result<Page<Agreement>> {
    let sql = format!(
        "SELECT {AGREEMENT} FROM agreement WHERE issuer_id = $1 AND id < $2 \
         AND ($3::bigint IS NULL OR merchant_id = $3) ORDER BY id DESC LIMIT $4"
    );
    let (before, merchant) = (before.map_or(i64::MAX, AgreementId::get), merchant.map(MerchantId::get));
    let params: [crate::session::Param<'_>; 4] = [&issuer.get(), &before, &merchant, &one_more(limit)];
    let found = store.one(Scope::One(issuer), &sql, &params).await?;
    let found = found.iter().map(|row| rows::agreement(&mut Fields::new(row))).collect::<Result<_>>()?;
    Ok(page(found, limit, |agreement: &Agreement| agreement.id.get()))
}

pub(super) async fn append_payee(store: &PostgresStore, payee: &Payee) -> Result<()> {
    let p = payee;
    let sql = format!(
        "INSERT INTO payee ({PAYEE}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
    );
    let key = p.sealed.as_ref().map(|sealed| i16::from(sealed.key_id));
    let bytes = p.sealed.as_ref().map(|sealed| &sealed.bytes[..]);
    let writing = store.writing(Scope::One(p.issuer)).await?;
    let done = writing
        .execute_unique(
            &sql,
            &[
                &p.id.get(),
                &p.issuer.get(),
                &p.merchant.get(),
                &p.currency.code(),
                &p.effective_from.get(),
                &p.holder_name,
                &p.account_number,
                &p.bank_name,
                &p.bic,
                &p.clearing_code,
                &p.created_by.get(),
                &p.created_at.micros(),
                &key,
                &bytes,
            ],
            "id",
        )
        .await;
    ended(writing, done.map(drop)).await
}

pub(super) async fn not_under(
    store: &PostgresStore,
    current: u8,
    after: Option<PayeeId>,
    limit: usize,
) -> Result<Vec<Payee>> {
    let sql = format!(
        "SELECT {PAYEE} FROM payee WHERE id > $1 AND account_key_id IS DISTINCT FROM $2 ORDER BY id LIMIT $3"
    );
    let after = after.map_or(i64::MIN, PayeeId::get);
    let found =
        store.one(Scope::All, &sql, &[&after, &i16::from(current), &crate::jobs::clamp(limit)]).await?;
    found.iter().map(|row| rows::payee(&mut Fields::new(row))).collect()
}

pub(super) async fn seal(store: &PostgresStore, payees: &[Payee]) -> Result<()> {
    let sql = "UPDATE payee SET account_number = $2, account_key_id = $3, account_sealed = $4 WHERE id = $1";
    let writing = store.writing(Scope::All).await?;
    let mut done = Ok(());
    for payee in payees {
        let Some(sealed) = &payee.sealed else { continue };
        let (id, key, bytes) = (payee.id.get(), i16::from(sealed.key_id), &sealed.bytes[..]);
        done = writing.query(sql, &[&id, &payee.account_number, &key, &bytes]).await.map(drop);
        if done.is_err() {
            break;
        }
    }
    ended(writing, done).await
}

pub(super) async fn payee(store: &PostgresStore, id: PayeeId) -> Result<Option<Payee>> {
    let sql = format!("SELECT {PAYEE} FROM payee WHERE id = $1");
    let found = store.one(Scope::All, &sql, &[&id.get()]).await?;
    found.first().map(|row| rows::payee(&mut Fields::new(row))).transpose()
}

pub(super) async fn payees(
    store: &PostgresStore,
    issuer: IssuerId,
    merchant: MerchantId,
    before: Option<PayeeId>,
    limit: usize,
) -> Result<Page<Payee>> {
    let sql = format!(
        "SELECT {PAYEE} FROM payee WHERE merchant_id = $1 AND id < $2 AND issuer_id = $3 \
         ORDER BY id DESC LIMIT $4"
    );
    let before = before.map_or(i64::MAX, PayeeId::get);
    let params: [crate::session::Param<'_>; 4] = [&merchant.get(), &before, &issuer.get(), &one_more(limit)];
    let found = store.one(Scope::One(issuer), &sql, &params).await?;
    let found = found.iter().map(|row| rows::payee(&mut Fields::new(row))).collect::<Result<_>>()?;
    Ok(page(found, limit, |payee: &Payee| payee.id.get()))
}

pub(super) async fn in_force(
    store: &PostgresStore,
    issuer: IssuerId,
    merchants: &[MerchantId],
    on: BusinessDate,
) -> Result<Vec<Payee>> {
    let sql = format!(
        "SELECT DISTINCT ON (merchant_id, currency) {PAYEE} FROM payee \
         WHERE merchant_id = ANY ($1::bigint[]) AND issuer_id = $2 AND effective_from <= $3 \
         ORDER BY merchant_id, currency, effective_from DESC, id DESC"
    );
    let merchants: Vec<i64> = merchants.iter().map(|merchant| merchant.get()).collect();
    let found = store.one(Scope::One(issuer), &sql, &[&merchants, &issuer.get(), &on.get()]).await?;
    found.iter().map(|row| rows::payee(&mut Fields::new(row))).collect()
}
