//! Closes the replayed day: a settlement run that closes the merchant's period as well, though it is not over
//! yet, and the merchant's statements as a table that an accountant can read.
//!
//! A second run of the same file finds the day closed and shows the same statements. What another file sells on a
//! day that is closed comes late, onto the merchant's next statement, which is shown as open.

use domain::Currency;
use serde_json::{Value, json};

use super::shop::{Shop, expect};
use crate::{
    cli::Language,
    failure::{Failure, Result},
    output::{count, money},
};

/// How often the server may answer that its run is not done yet. Each answer waits for most of its answer time.
const MAX_RUNS: u32 = 120;
/// Pages of statements that are looked through for the newest closed one.
const MAX_PAGES: u32 = 1000;
/// Columns of the table.
const LABEL: usize = 34;
const COUNT: usize = 12;
const AMOUNT: usize = 20;

/// The statements that a replay ends with, as the server shows them.
pub(super) struct Statements {
    currency: Currency,
    merchant: String,
    /// The newest closed one, and what is open after it, oldest first.
    items: Vec<Value>,
}

impl Statements {
    /// Closes the day of the replay's merchant and reads what came of it.
    pub(super) async fn close(shop: &Shop) -> Result<Self> {
        run(shop).await?;
        let items = newest(shop).await?;
        Ok(Self { currency: shop.currency, merchant: shop.merchant.clone(), items })
    }

    pub(super) fn json(&self) -> Value {
        json!({ "statements": self.items })
    }

    /// For people.
    pub(super) fn text(&self, language: Language) -> String {
        let words = Words { language };
        if self.items.is_empty() {
            return format!("{} {}", words.of("none"), self.merchant);
        }
        let tables: Vec<String> = self.items.iter().map(|item| self.table(item, words)).collect();
        tables.join("\n\n")
    }

    fn table(&self, statement: &Value, words: Words) -> String {
        let text = |name: &str| statement[name].as_str().unwrap_or_default();
        let head = |label: &str, value: &str| format!("{}{value}", padded(words.of(label), LABEL));
        let mut lines = vec![
            head("statement", text("id")),
            head("merchant", &self.merchant),
            head("period", &format!("{} – {}", text("period_from"), text("period_to"))),
        ];
        let Some(figures) = statement["figures"].as_object() else {
            lines.push(head("status", words.of("open")));
            return lines.join("\n");
        };
        lines.push(head("status", words.of("closed")));
        lines.push(head("due_on", text("due_on")));
        let number = |name: &str| figures.get(name).and_then(Value::as_i64).unwrap_or_default();
        let rule = "-".repeat(LABEL + COUNT + AMOUNT);
        lines.push(rule.clone());
        let (counted, amount) = (words.of("count"), format!("{} {}", words.of("amount"), self.currency));
        let columns = [padded("", LABEL), aligned(counted, COUNT), aligned(&amount, AMOUNT)];
        lines.push(columns.concat());
        for row in ROWS {
            let amount = if row.taken { -number(row.name) } else { number(row.name) };
            if amount == 0 && !row.always {
                continue;
            }
            if row.name == "closing" || row.name == "payout" {
                lines.push(rule.clone());
            }
            let counted = row
                .count
                .map_or_else(String::new, |name| count(u64::try_from(number(name)).unwrap_or_default()));
            let amount = money(amount, self.currency.exponent());
            let cells =
                [padded(words.of(row.name), LABEL), aligned(&counted, COUNT), aligned(&amount, AMOUNT)];
            lines.push(cells.concat());
        }
        lines.push(rule);
        lines.push(head("digest", text("digest").get(..16).unwrap_or_default()));
        lines.join("\n")
    }
}

/// A row of the table.
struct Row {
    /// The figure's name.
    name: &'static str,
    /// The name of how many they are.
    count: Option<&'static str>,
    /// Whether the figure is taken from what the merchant is owed.
    taken: bool,
    /// Whether it is shown where it is zero.
    always: bool,
}

const fn row(name: &'static str, count: Option<&'static str>, taken: bool, always: bool) -> Row {
    Row { name, count, taken, always }
}

/// In the order in which they add up.
const ROWS: [Row; 15] = [
    row("opening", None, false, true),
    row("payouts_rejected", None, false, false),
    row("sales", Some("sales_count"), false, true),
    row("refunds", Some("refunds_count"), false, true),
    row("reversals", None, false, false),
    row("split_in", None, false, false),
    row("payout_returns", None, false, false),
    row("corrections", None, false, false),
    row("funding", None, false, false),
    row("fees", None, true, true),
    row("splits_out", None, true, false),
    row("yearly_fee", None, true, false),
    row("closing", None, false, true),
    row("payout", None, false, true),
    row("carried", None, false, true),
];

/// Words of the table in a language.
#[derive(Clone, Copy)]
struct Words {
    language: Language,
}

/// Name, English, Chinese.
const WORDS: &[(&str, &str, &str)] = &[
    ("statement", "Statement", "结算单"),
    ("merchant", "Merchant", "商户"),
    ("period", "Period", "结算周期"),
    ("status", "Status", "状态"),
    ("open", "open: to be closed when its period is over", "未关账：周期结束后关账"),
    ("closed", "closed", "已关账"),
    ("due_on", "Due on", "应付日期"),
    ("count", "Count", "笔数"),
    ("amount", "Amount", "金额"),
    ("opening", "Brought forward", "期初余额"),
    ("payouts_rejected", "Payouts rejected, payable again", "退回待付的打款"),
    ("sales", "Sales", "核销"),
    ("refunds", "Refunds", "退款"),
    ("reversals", "Reversals", "冲正"),
    ("split_in", "Parts in sales of others", "分账收入"),
    ("payout_returns", "Payouts returned by the bank", "银行退票"),
    ("corrections", "Corrections", "调账"),
    ("funding", "Value funded by the merchant", "商户出资"),
    ("fees", "Fees", "手续费"),
    ("splits_out", "Parts of others", "分账支出"),
    ("yearly_fee", "Yearly fee", "年费"),
    ("closing", "Balance", "期末余额"),
    ("payout", "To be paid out", "应打款"),
    ("carried", "Carried forward", "结转下期"),
    ("digest", "SHA-256, first 16 digits", "SHA-256 前 16 位"),
    ("none", "No statement for merchant", "无结算单，商户"),
];

impl Words {
    fn of(self, name: &str) -> &'static str {
        let found = WORDS.iter().find(|(known, ..)| *known == name);
        found.map_or("", |(_, english, chinese)| match self.language {
            Language::En => english,
            Language::Zh => chinese,
        })
    }
}

/// How many columns of a terminal a text takes: ideographs take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if u32::from(c) >= 0x2e80 { 2 } else { 1 }).sum()
}

fn padded(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

fn aligned(text: &str, to: usize) -> String {
    format!("{}{text}", " ".repeat(to.saturating_sub(width(text))))
}

async fn run(shop: &Shop) -> Result {
    let mut client = shop.caller()?;
    let body = json!({ "early": shop.merchant });
    for _ in 0..MAX_RUNS {
        let answer = client.post("/v1/settlement-runs", None, &body).await?;
        if answer.status.as_u16() == 200 {
            return Ok(());
        }
        expect(answer, 202, "settling the day")?;
    }
    Err(Failure::new("the day is still being settled on the server; run the replay again later"))
}

/// The newest closed statement in our currency, and open ones.
async fn newest(shop: &Shop) -> Result<Vec<Value>> {
    let mut client = shop.caller()?;
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..MAX_PAGES {
        let path = format!("/v1/statements?merchant={}&limit=200{cursor}", shop.merchant);
        let page = expect(client.get(&path).await?, 200, "reading the statements")?;
        for item in page.body["items"].as_array().into_iter().flatten() {
            if item["currency"] != shop.currency.code() {
                continue;
            }
            found.push(item.clone());
            if item["status"] != "open" {
                found.reverse();
                return Ok(found);
            }
        }
        let Some(next) = page.body["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    found.reverse();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements() -> Statements {
        let figures = json!({"opening": 0, "payouts_rejected": 0, "sales": 1_234_500, "sales_count": 12,
            "refunds": -4_500, "refunds_count": 2, "fees": 7_400, "closing": 1_222_600, "payout": 1_222_600,
            "carried": 0});
        let closed = json!({"id": "stmt_1", "status": "closed", "period_from": "2026-11-20",
            "period_to": "2026-11-23", "due_on": "2026-11-24", "digest": "0123456789abcdef0123",
            "figures": figures});
        let open = json!({"id": "stmt_2", "status": "open", "period_from": "2026-11-24",
            "period_to": "2026-11-24", "due_on": "2026-11-25"});
        Statements { currency: Currency::CNY, merchant: "mer_1".to_owned(), items: vec![closed, open] }
    }

    #[test]
    fn an_accountant_can_add_it_up() {
        let text = statements().text(Language::En);
        let line = |label: &str| {
            let line = text.lines().find(|line| line.starts_with(label));
            line.unwrap_or_else(|| panic!("{label}: {text}"))
                .split_whitespace()
                .last()
                .expect("a cell")
                .to_owned()
        };
        let amounts = ["Brought forward", "Sales", "Refunds", "Fees", "Balance", "To be paid out"].map(line);
        assert_eq!(amounts, ["0.00", "12,345.00", "-45.00", "-74.00", "12,226.00", "12,226.00"]);
        assert!(text.contains("open: to be closed"), "{text}");
        assert!(!text.contains("Reversals"), "nothing that is zero and rare: {text}");
    }

    #[test]
    fn columns_are_straight_in_both_languages() {
        for language in [Language::En, Language::Zh] {
            let text = statements().text(language);
            let rows: Vec<&str> = text.lines().filter(|line| line.ends_with(".00")).collect();
            assert_eq!(rows.len(), 7, "{text}");
            assert!(rows.iter().all(|row| width(row) == LABEL + COUNT + AMOUNT), "{text}");
        }
        assert!(statements().text(Language::Zh).contains("手续费"));
    }

    #[test]
    fn every_row_has_words() {
        for language in [Language::En, Language::Zh] {
            assert!(ROWS.iter().all(|row| !Words { language }.of(row.name).is_empty()));
        }
    }
}
