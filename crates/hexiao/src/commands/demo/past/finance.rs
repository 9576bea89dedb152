//! The finance desk's days: payouts approved by the second person, sent, confirmed or returned by the bank; a
//! merchant's file compared with our records; and, on the last of them, something left to do for who looks.

use std::fmt::Write;

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    Past,
    chain::{MALL, approve_all},
    office::{Desk, ids},
};
use crate::failure::{Failure, Result};

/// The day's file of the mall says how it is read.
const MAPPING: &str = r#"{"columns":{"reference":"订单号","amount":"金额","at":"交易时间","status":"状态"},"statuses":{"succeeded":["交易成功"],"failed":["交易关闭"]}}"#;

impl Past {
    /// What was sent before is confirmed, what waits is approved and sent.
    pub(super) async fn finance_day(&mut self, day: Date) -> Result {
        let maker = self.office.sign_in("maker", 21).await?;
        self.bank_answers(&maker).await?;
        let checker = self.office.sign_in("checker", 22).await?;
        approve(&checker, 0).await?;
        approve_all(&checker).await?;
        checker.sign_out().await?;
        send(&maker, day, 0).await?;
        maker.sign_out().await
    }

    /// The same, but one payout of each step stays where it is.
    pub(super) async fn last_finance_day(&mut self, day: Date) -> Result {
        let maker = self.office.sign_in("maker", 21).await?;
        self.bank_answers(&maker).await?;
        let checker = self.office.sign_in("checker", 22).await?;
        approve(&checker, 1).await?;
        send(&maker, day, 1).await?;
        let differences = self.compare(&maker, day).await?;
        propose(&maker, &differences).await?;
        // Two are decided; what else was proposed waits for whoever looks.
        for id in differences.iter().skip(1).take(1) {
            checker.post(&format!("/v1/reconciliation-differences/{id}/approve"), json!({})).await?;
        }
        checker.sign_out().await?;
        maker.sign_out().await
    }

    /// The bank has paid what was sent, but for the first, whose account is closed.
    async fn bank_answers(&self, maker: &Desk<'_>) -> Result {
        let sent = ids(&maker.get("/v1/payouts?status=sent&limit=200").await?);
        let returned = maker.get("/v1/payouts?status=returned&limit=1").await?;
        let confirmed = if ids(&returned).is_empty() && sent.len() > 1 {
            let back =
                json!({"payouts": [sent[0]], "reason": "账户名不符 R03 name does not match the account"});
            maker.post("/v1/payouts/return", back).await?;
            &sent[1..]
        } else {
            &sent[..]
        };
        if !confirmed.is_empty() {
            maker.post("/v1/payouts/confirm", json!({"payouts": confirmed})).await?;
        }
        Ok(())
    }

    /// The mall's file of the week before. Answers the differences.
    async fn compare(&self, maker: &Desk<'_>, day: Date) -> Result<Vec<String>> {
        let (from, to) =
            (day.checked_sub(7.days())?.max(self.first), day.checked_sub(1.day())?.max(self.first));
        let Some(file) = self.file_of_the_mall(from, to) else { return Ok(Vec::new()) };
        let query = format!(
            "account=merchant:{}&format=csv&match_on=reference&window_seconds=43200&from={from}&to={to}&file_name={}&mapping={}",
            self.chain.merchants[MALL].id,
            encoded(&format!("万家商城对账单_{from}_{to}.csv")),
            encoded(MAPPING),
        );
        let sent = maker.upload(&format!("/v1/reconciliations?{query}"), file).await?;
        let id = sent["id"].as_str().ok_or_else(|| Failure::new("a reconciliation has no id"))?;
        Ok(ids(&maker.get(&format!("/v1/reconciliation-differences?reconciliation={id}&limit=200")).await?))
    }

    /// Almost what we have, as files of others are: an amount of its own, an order that we do not know, one missing,
    /// one twice, one that it says was closed.
    fn file_of_the_mall(&self, from: Date, to: Date) -> Option<String> {
        let (begin, end) = (self.at(from, 0, 0), self.at(to.tomorrow().ok()?, 0, 0));
        let of_the_mall = self.sales.iter().filter(|sale| sale.place == MALL && !sale.refunded);
        let sales: Vec<_> = of_the_mall.filter(|sale| sale.at >= begin && sale.at < end).collect();
        if sales.len() < 8 {
            return None;
        }
        let mut file = "订单号,金额,交易时间,状态\n".to_owned();
        let mut line = |reference: &str, fen: i64, at: domain::Timestamp, status: &str| {
            let at = on_the_wall(at, &self.zone);
            let _ = writeln!(file, "{reference},{}.{:02},{at},{status}", fen / 100, fen % 100);
        };
        for (number, sale) in sales.iter().enumerate() {
            match number {
                1 => line(&sale.reference, sale.amount + 1000, sale.at, "交易成功"),
                3 => {}
                5 => {
                    line(&sale.reference, sale.amount, sale.at, "交易成功");
                    line(&sale.reference, sale.amount, sale.at, "交易成功");
                }
                6 => line(&sale.reference, sale.amount, sale.at, "交易关闭"),
                7 => line(&sale.reference, sale.amount, sale.at.plus_seconds(16 * 3600), "交易成功"),
                _ => line(&sale.reference, sale.amount, sale.at, "交易成功"),
            }
        }
        line("WJ9900017", 12_800, sales[2].at.plus_seconds(600), "交易成功");
        Some(file)
    }
}

/// Approves what is proposed, but for so many of the newest.
async fn approve(checker: &Desk<'_>, keep: usize) -> Result {
    let proposed = ids(&checker.get("/v1/payouts?status=proposed&limit=200").await?);
    let decided: Vec<String> = proposed.into_iter().skip(keep).collect();
    if !decided.is_empty() {
        checker.post("/v1/payouts/approve", json!({"payouts": decided})).await?;
    }
    Ok(())
}

/// Sends what is approved, but for so many of the newest.
async fn send(maker: &Desk<'_>, day: Date, keep: usize) -> Result {
    let approved = ids(&maker.get("/v1/payouts?status=approved&limit=200").await?);
    let sent: Vec<String> = approved.into_iter().skip(keep).collect();
    if sent.is_empty() {
        return Ok(());
    }
    let payer = json!({
        "holder_name": "示例商贸有限公司", "account_number": "31001520313050009999",
        "bank_name": "中国建设银行上海分行营业部", "clearing_code": "105290036005",
    });
    let file = json!({"payouts": sent, "execution": day.to_string(), "payer": payer});
    maker.post("/v1/payouts/export", file).await.map(drop)
}

/// Proposes what to do about the first two differences.
async fn propose(maker: &Desk<'_>, differences: &[String]) -> Result {
    let notes = [
        "商户小票金额无误，等待补充凭证 their receipt is right",
        "测试订单，不属于我方 a test order, not ours",
    ];
    for (id, note) in differences.iter().zip(notes) {
        let path = format!("/v1/reconciliation-differences/{id}");
        let found = maker.get(&path).await?;
        let mut body = json!({"note": note});
        if let Some(suggested) = found["suggested"].as_i64().filter(|amount| *amount != 0) {
            body["correction"] = Value::from(suggested);
        }
        maker.post(&format!("{path}/propose"), body).await?;
    }
    Ok(())
}

/// What a clock on the wall showed.
fn on_the_wall(at: domain::Timestamp, zone: &TimeZone) -> String {
    let at = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or_default();
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A text as it goes into a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
