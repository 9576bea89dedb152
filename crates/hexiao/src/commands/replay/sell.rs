//! Sells each customer's invoices in order of time.

use domain::Amount;
use serde_json::{Value, json};

use super::{
    invoices::{Customer, Invoice, Invoices, Kind},
    shop::{Shop, expect, in_parallel, text},
};
use crate::{
    failure::{Failure, Result},
    http_client::ApiClient,
    progress::Progress,
};

/// What came of it: counts of invoices, sums in minor units.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) approved: u64,
    pub(super) declined: u64,
    pub(super) redeemed: i64,
    pub(super) refunded_linked: i64,
    pub(super) refunded_unlinked: i64,
}

impl Figures {
    fn add(&mut self, other: &Self) -> Option<()> {
        self.approved += other.approved;
        self.declined += other.declined;
        self.redeemed = self.redeemed.checked_add(other.redeemed)?;
        self.refunded_linked = self.refunded_linked.checked_add(other.refunded_linked)?;
        self.refunded_unlinked = self.refunded_unlinked.checked_add(other.refunded_unlinked)?;
        Some(())
    }

    fn count(&mut self, approved: bool) {
        if approved { self.approved += 1 } else { self.declined += 1 }
    }
}

/// Sells everything.
pub(super) async fn sell(
    shop: &Shop,
    invoices: &Invoices,
    cards: &[String],
    concurrency: u16,
) -> Result<Figures> {
    let progress = Progress::new("invoices", Some(invoices.sales + invoices.returns));
    let customers: Vec<(&Customer, &String)> = invoices.customers.iter().zip(cards).collect();
    let parts = in_parallel(concurrency, &customers, |part| async {
        let mut client = shop.caller()?;
        let mut sum = Figures::default();
        for (customer, card) in part {
            let mut till =
                Till { shop, client: &mut client, card, sales: Vec::new(), figures: Figures::default() };
            till.serve(customer, &progress).await?;
            sum.add(&till.figures).ok_or_else(too_much)?;
        }
        Ok(sum)
    })
    .await?;
    progress.finish();
    let mut sum = Figures::default();
    for part in &parts {
        sum.add(part).ok_or_else(too_much)?;
    }
    Ok(sum)
}

fn too_much() -> Failure {
    Failure::new("the sum of all invoices is too large")
}

/// A sale with what can still be refunded of it.
struct Sold {
    operation: String,
    refundable: Amount,
}

/// Where one customer is served.
struct Till<'a> {
    shop: &'a Shop,
    client: &'a mut ApiClient,
    card: &'a str,
    /// Approved sales, oldest first.
    sales: Vec<Sold>,
    figures: Figures,
}

impl Till<'_> {
    async fn serve(&mut self, customer: &Customer, progress: &Progress) -> Result {
        for invoice in &customer.invoices {
            let done = match invoice.kind {
                Kind::Sale => self.redeem(invoice).await,
                Kind::Return => self.give_back(invoice).await,
            };
            done.map_err(|failure| failure.while_doing(&format!("invoice {}", invoice.number)))?;
            progress.add(1);
        }
        Ok(())
    }

    async fn redeem(&mut self, invoice: &Invoice) -> Result {
        let body = self.body(invoice);
        let (operation, approved) = self.ask("/v1/redemptions", &invoice.number, &body).await?;
        self.figures.count(approved.is_some());
        if let Some(amount) = approved {
            self.figures.redeemed = self.figures.redeemed.checked_add(amount.get()).ok_or_else(too_much)?;
            self.sales.push(Sold { operation, refundable: amount });
        }
        Ok(())
    }

    /// To the customer's earlier sales where together they cover it, without a sale where they do not.
    async fn give_back(&mut self, invoice: &Invoice) -> Result {
        let amount = Amount::new(invoice.amount_minor)?;
        let Some(parts) = linked(&self.sales, amount) else { return self.give_back_unlinked(invoice).await };
        let mut all = true;
        for (position, part) in parts.into_iter().enumerate() {
            // The first part has the invoice's own number, further ones say which part they are.
            let key = match position {
                0 => invoice.number.clone(),
                _ => format!("{}#{}", invoice.number, position + 1),
            };
            let path = format!("/v1/redemptions/{}/refunds", self.sales[part.sale].operation);
            let body = json!({ "amount": part.amount.get(), "reference": invoice.number });
            let (_, approved) = self.ask(&path, &key, &body).await?;
            all &= approved.is_some();
            let amount = approved.unwrap_or(Amount::ZERO);
            let sale = &mut self.sales[part.sale];
            sale.refundable = sale.refundable.saturating_sub(amount);
            let sum = self.figures.refunded_linked.checked_add(amount.get());
            self.figures.refunded_linked = sum.ok_or_else(too_much)?;
        }
        self.figures.count(all);
        Ok(())
    }

    async fn give_back_unlinked(&mut self, invoice: &Invoice) -> Result {
        let body = self.body(invoice);
        let (_, approved) = self.ask("/v1/refunds", &invoice.number, &body).await?;
        self.figures.count(approved.is_some());
        let sum = self.figures.refunded_unlinked.checked_add(approved.map_or(0, Amount::get));
        self.figures.refunded_unlinked = sum.ok_or_else(too_much)?;
        Ok(())
    }

    fn body(&self, invoice: &Invoice) -> Value {
        json!({
            "card": { "id": self.card },
            "amount": invoice.amount_minor,
            "currency": self.shop.currency.code(),
            "merchant": self.shop.merchant,
            "reference": invoice.number,
            "metadata": {
                "customer": invoice.customer,
                "country": invoice.country,
                "time": invoice.time,
                "lines": invoice.lines.to_string(),
            },
        })
    }

    /// Sends a request that moves value. The operation's id, and the amount if it was approved.
    async fn ask(&mut self, path: &str, key: &str, body: &Value) -> Result<(String, Option<Amount>)> {
        let answer = self.client.post(path, Some(key), body).await?;
        let answer = expect(answer, 201, "was refused")?;
        let id = text(&answer.body, "/id")?.to_owned();
        let approved = match text(&answer.body, "/status")? {
            "approved" => answer.body["approved"].as_i64().and_then(|minor| Amount::new(minor).ok()),
            _ => None,
        };
        Ok((id, approved))
    }
}

/// A part of a return that goes back to one sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    sale: usize,
    amount: Amount,
}

/// Divides a return among earlier sales, newest first. `None` if together they do not cover it.
fn linked(sales: &[Sold], amount: Amount) -> Option<Vec<Part>> {
    let mut left = amount;
    let mut parts = Vec::new();
    for (sale, sold) in sales.iter().enumerate().rev() {
        let amount = left.min(sold.refundable);
        if !amount.is_zero() {
            parts.push(Part { sale, amount });
            left = left.checked_sub(amount)?;
        }
    }
    left.is_zero().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_go_to_the_newest_sales_that_cover_them() {
        let sold = |minor: i64| Sold { operation: String::new(), refundable: Amount::new(minor).unwrap() };
        let check = |sales: &[i64], amount: i64, expect: Option<&[(usize, i64)]>| {
            let sales: Vec<Sold> = sales.iter().map(|minor| sold(*minor)).collect();
            let parts = linked(&sales, Amount::new(amount).unwrap());
            let parts = parts.map(|all| all.iter().map(|p| (p.sale, p.amount.get())).collect::<Vec<_>>());
            assert_eq!(parts.as_deref(), expect, "{amount}");
        };
        check(&[100, 50], 30, Some(&[(1, 30)]));
        check(&[100, 50], 120, Some(&[(1, 50), (0, 70)]));
        check(&[100, 0, 50], 150, Some(&[(2, 50), (0, 100)]));
        check(&[100, 50], 151, None);
        check(&[], 1, None);
    }
}
