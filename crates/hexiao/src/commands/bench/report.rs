//! The figures, for machines and for people.

use serde_json::{Value, json};

use super::{disk::Syncs, shop::Shop};
use crate::{
    cli::{Bench, KeyOrder},
    output::count,
};

/// What was measured. What was not is absent.
pub(super) struct Figures {
    pub(super) noop_per_s: Option<f64>,
    pub(super) redeem_per_s: Option<f64>,
    pub(super) redeem_p50_ms: Option<f64>,
    pub(super) redeem_p99_ms: Option<f64>,
    pub(super) half_load_per_s: Option<f64>,
    pub(super) half_load_p99_ms: Option<f64>,
    pub(super) batch_redeem_per_s: Option<f64>,
    pub(super) lookup_per_s: Option<f64>,
    pub(super) rss_mib: Option<f64>,
    pub(super) startup_ms: Option<u64>,
    pub(super) conserved: bool,
    /// Redemptions of one node and of two, one run after the other; where several nodes can be.
    pub(super) one_node_per_s: Option<f64>,
    pub(super) two_nodes_per_s: Option<f64>,
    /// The engine's rate by the largest batch.
    pub(super) batch_sizes: Vec<(usize, f64)>,
    /// Of the disk under a scratch database; absent for a database that was named.
    pub(super) syncs: Option<Syncs>,
    engine_ordered_per_s: Option<f64>,
    engine_random_per_s: Option<f64>,
    issue_100k_s: Option<f64>,
    cards: usize,
    order: KeyOrder,
    connections: u16,
    seconds: u64,
}

impl Figures {
    pub(super) fn new(shop: &Shop, args: &Bench) -> Self {
        let (issued, took) = shop.issued;
        Self {
            noop_per_s: None,
            redeem_per_s: None,
            redeem_p50_ms: None,
            redeem_p99_ms: None,
            half_load_per_s: None,
            half_load_p99_ms: None,
            batch_redeem_per_s: None,
            lookup_per_s: None,
            rss_mib: None,
            startup_ms: None,
            conserved: false,
            one_node_per_s: None,
            two_nodes_per_s: None,
            batch_sizes: Vec::new(),
            syncs: None,
            engine_ordered_per_s: None,
            engine_random_per_s: None,
            issue_100k_s: (issued > 0).then(|| took.as_secs_f64() * 100_000.0 / f64::from(issued)),
            cards: shop.numbers.len(),
            order: args.key_order,
            connections: args.connections,
            seconds: args.seconds,
        }
    }

    /// What the engine reached with keys of this order.
    pub(super) fn engine(&mut self, order: KeyOrder, per_s: f64) {
        match order {
            KeyOrder::Ordered => self.engine_ordered_per_s = Some(per_s),
            KeyOrder::Random => self.engine_random_per_s = Some(per_s),
        }
    }

    fn engine_per_s(&self) -> Option<f64> {
        match self.order {
            KeyOrder::Ordered => self.engine_ordered_per_s,
            KeyOrder::Random => self.engine_random_per_s,
        }
    }

    fn ratio_to_noop(&self) -> Option<f64> {
        Some(self.redeem_per_s? / self.noop_per_s?)
    }

    fn two_nodes_ratio(&self) -> Option<f64> {
        Some(self.two_nodes_per_s? / self.one_node_per_s?)
    }

    pub(super) fn json(&self) -> Value {
        let (whole, fine) = (|rate| rounded(rate, 0), |figure| rounded(figure, 3));
        json!({
            "noop_per_s": whole(self.noop_per_s),
            "redeem_per_s": whole(self.redeem_per_s),
            "redeem_p50_ms": fine(self.redeem_p50_ms),
            "redeem_p99_ms": fine(self.redeem_p99_ms),
            "half_load_p99_ms": fine(self.half_load_p99_ms),
            "batch_redeem_per_s": whole(self.batch_redeem_per_s),
            "engine_per_s": whole(self.engine_per_s()),
            "lookup_per_s": whole(self.lookup_per_s),
            "ratio_to_noop": fine(self.ratio_to_noop()),
            "cards": self.cards,
            "conserved": self.conserved,
            "half_load_per_s": whole(self.half_load_per_s),
            "engine_ordered_keys_per_s": whole(self.engine_ordered_per_s),
            "engine_random_keys_per_s": whole(self.engine_random_per_s),
            "issue_100k_s": fine(self.issue_100k_s),
            "startup_ms": self.startup_ms,
            "rss_mib": fine(self.rss_mib),
            "one_node_per_s": whole(self.one_node_per_s),
            "two_nodes_per_s": whole(self.two_nodes_per_s),
            "two_nodes_ratio": fine(self.two_nodes_ratio()),
            "engine_per_s_by_batch": self.batch_sizes.iter()
                .map(|(size, rate)| (size.to_string(), json!(rate.round())))
                .collect::<serde_json::Map<_, _>>(),
            "disk_syncs_per_s": whole(self.syncs.as_ref().map(|syncs| syncs.per_s)),
            "disk_sync_p50_ms": fine(self.syncs.as_ref().map(|syncs| syncs.p50_ms)),
            "disk_sync_p99_ms": fine(self.syncs.as_ref().map(|syncs| syncs.p99_ms)),
            "keys": if self.order == KeyOrder::Ordered { "ordered" } else { "random" },
            "connections": self.connections,
            "seconds": self.seconds,
        })
    }

    pub(super) fn text(&self) -> String {
        let (mut lines, none) = (Vec::new(), "–".to_owned());
        let mut line = |name: &str, value: String| lines.push(format!("{name:<44}{value:>12}"));
        let rate = |figure: Option<f64>| figure.map_or(none.clone(), |f| count(whole(f)));
        let fine = |figure: Option<f64>, unit: &str| figure.map_or(none.clone(), |f| format!("{f:.2}{unit}"));
        line("route that does nothing, per second", rate(self.noop_per_s));
        line("redemptions, per second", rate(self.redeem_per_s));
        line("  ratio to the route that does nothing", fine(self.ratio_to_noop(), ""));
        line("  median", fine(self.redeem_p50_ms, " ms"));
        line("  99th percentile", fine(self.redeem_p99_ms, " ms"));
        line("  99th percentile at half load", fine(self.half_load_p99_ms, " ms"));
        line("redemptions in batches of 1,000, per second", rate(self.batch_redeem_per_s));
        line("look-ups, per second", rate(self.lookup_per_s));
        line("engine in process, time-ordered keys", rate(self.engine_ordered_per_s));
        line("engine in process, random keys", rate(self.engine_random_per_s));
        for (size, figure) in &self.batch_sizes {
            line(&format!("  in batches of at most {size}"), rate(Some(*figure)));
        }
        if self.two_nodes_per_s.is_some() {
            line("redemptions on two nodes, per second", rate(self.two_nodes_per_s));
            line("  ratio to one node", fine(self.two_nodes_ratio(), ""));
        }
        line("disk: writes of 4 KiB synced, per second", rate(self.syncs.as_ref().map(|s| s.per_s)));
        line("  99th percentile", fine(self.syncs.as_ref().map(|s| s.p99_ms), " ms"));
        line("issuing 100,000 cards", fine(self.issue_100k_s, " s"));
        line("start-up", self.startup_ms.map_or(none.clone(), |ms| format!("{ms} ms")));
        line("memory, at most", fine(self.rss_mib, " MiB"));
        line("cards", count(self.cards as u64));
        line("every answer and cent accounted for", if self.conserved { "yes" } else { "NO" }.to_owned());
        lines.join("\n")
    }
}

fn rounded(figure: Option<f64>, digits: i32) -> Option<f64> {
    let scale = 10_f64.powi(digits);
    figure.map(|figure| (figure * scale).round() / scale)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for display")]
fn whole(figure: f64) -> u64 {
    figure.round() as u64
}
