//! A file of invoices in the form of a real retailer's: customers who come back, returns of earlier
//! purchases, returns of things bought before the file begins.

use std::fmt::Write;

/// A file with what it should come to, worked out by a plain ledger of its own.
pub(crate) struct Generated {
    pub(crate) csv: String,
    pub(crate) sales: u64,
    pub(crate) returns: u64,
    pub(crate) sold: i64,
    pub(crate) linked: i64,
    pub(crate) unlinked: i64,
}

/// The same file for the same seed.
pub(crate) fn generate(seed: u64, invoices: u32, customers: u64) -> Generated {
    let mut random = seed;
    let mut draw = move |below: u64| {
        // Knuth's generator: good enough to mix customers.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut made = Generated {
        csv: "time,invoice,customer,country,kind,amount_minor,lines\n".to_owned(),
        sales: 0,
        returns: 0,
        sold: 0,
        linked: 0,
        unlinked: 0,
    };
    // What each customer bought and did not return.
    let mut kept = std::collections::HashMap::<u64, i64>::new();
    for n in 0..invoices {
        let customer = 12_000 + draw(customers);
        let is_return = draw(5) == 0;
        let minor = i64::try_from(draw(if is_return { 9_000 } else { 20_000 })).expect("small") + 1;
        let kept = kept.entry(customer).or_default();
        let (name, kind) = if is_return { ("C", "return") } else { ("", "sale") };
        if is_return {
            made.returns += 1;
        } else {
            made.sales += 1;
        }
        let sum = match (is_return, *kept >= minor) {
            (false, _) => &mut made.sold,
            (true, true) => &mut made.linked,
            (true, false) => &mut made.unlinked,
        };
        *sum += minor;
        *kept += match (is_return, *kept >= minor) {
            (false, _) => minor,
            (true, true) => -minor,
            (true, false) => 0,
        };
        let (hour, minute) = (8 + n / 60 % 12, n % 60);
        let (day, lines) = (1 + n / 720, draw(30) + 1);
        let row = writeln!(
            made.csv,
            "2010-12-{day:02} {hour:02}:{minute:02}:00,{name}{},{customer},United Kingdom,{kind},{minor},{lines}",
            536_365 + n
        );
        row.expect("a text takes every line");
    }
    made
}
