//! What the replay came to.

use domain::Currency;
use serde_json::{Value, json};

use super::{invoices::Invoices, sell::Figures, shop::Books};
use crate::output::{count, money};

/// The closing figures.
pub(super) struct Summary {
    sales: u64,
    returns: u64,
    figures: Figures,
    books: Books,
}

impl Summary {
    pub(super) fn new(invoices: &Invoices, figures: Figures, books: Books) -> Self {
        Self { sales: invoices.sales, returns: invoices.returns, figures, books }
    }

    /// Whether all debits equal all credits.
    pub(super) fn balanced(&self) -> bool {
        self.books.debits == self.books.credits
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "invoices": self.sales + self.returns,
            "sales": self.sales,
            "returns": self.returns,
            "approved": self.figures.approved,
            "declined": self.figures.declined,
            "redeemed_minor": self.figures.redeemed,
            "refunded_linked_minor": self.figures.refunded_linked,
            "refunded_unlinked_minor": self.figures.refunded_unlinked,
            "debits_minor": self.books.debits,
            "credits_minor": self.books.credits,
            "balanced": self.balanced(),
        })
    }

    pub(super) fn text(&self, currency: Currency) -> String {
        let money = |minor| format!("{:>16} {currency}", money(minor, currency.exponent()));
        let count = |number| format!("{:>16}", count(number));
        [
            format!("invoices            {}", count(self.sales + self.returns)),
            format!("  sales             {}", count(self.sales)),
            format!("  returns           {}", count(self.returns)),
            format!("approved            {}", count(self.figures.approved)),
            format!("declined            {}", count(self.figures.declined)),
            format!("redeemed            {}", money(self.figures.redeemed)),
            format!("refunded to sales   {}", money(self.figures.refunded_linked)),
            format!("refunded without    {}", money(self.figures.refunded_unlinked)),
            format!("debits              {}", money(self.books.debits)),
            format!("credits             {}", money(self.books.credits)),
            format!("books balance       {:>16}", if self.balanced() { "yes" } else { "NO" }),
        ]
        .join("\n")
    }
}
