//! What must hold whatever happens: nothing is lost, nothing is made, and nothing depends on when it is done.

use std::collections::BTreeMap;

use domain::{MerchantId, OperationKind};
use proptest::prelude::*;
use settlement::{Terms, closing::transfers};

use crate::world::{World, agreement, amount, mer, terms};

/// What happens next: on a merchant, so many hours later.
#[derive(Clone, Debug)]
enum Event {
    Sale(i64, i64),
    Refund(usize, i64),
    Reverse(usize),
    Unlinked(i64, i64),
    Correction(i64, i64),
    PayoutReturn(i64, i64),
    Close,
}

fn events() -> impl Strategy<Value = Vec<(u8, Event)>> {
    let merchant = || 1..=3_i64;
    let event = prop_oneof![
        8 => (merchant(), 1..200_000_i64).prop_map(|(m, a)| Event::Sale(m, a)),
        4 => (0..64_usize, 1..100_000_i64).prop_map(|(which, a)| Event::Refund(which, a)),
        2 => (0..64_usize).prop_map(Event::Reverse),
        1 => (merchant(), 1..9_999_i64).prop_map(|(m, a)| Event::Unlinked(m, a)),
        1 => (merchant(), -9_999..9_999_i64).prop_map(|(m, a)| Event::Correction(m, a)),
        1 => (merchant(), 1..9_999_i64).prop_map(|(m, a)| Event::PayoutReturn(m, a)),
        2 => Just(Event::Close),
    ];
    prop::collection::vec((0..40_u8, event), 1..80)
}

fn any_terms() -> impl Strategy<Value = Terms> {
    let cycle = prop_oneof![
        (0..4_u8).prop_map(|days| format!(r#"{{"kind":"t_plus","days":{days}}}"#)),
        Just(r#"{"kind":"weekly","weekday":"friday","plus":1}"#.to_owned()),
        Just(r#"{"kind":"monthly","day":"last","plus":2}"#.to_owned()),
    ];
    let fees = prop_oneof![
        Just("{}".to_owned()),
        (0..500_u16, 0..50_i64, 0..900_i64).prop_map(|(bp, fixed, yearly)| format!(
            r#"{{"basis_points":{bp},"fixed":{fixed},"yearly":{yearly}}}"#
        )),
        (1..500_u16).prop_map(|bp| format!(
            r#"{{"tiers":[{{"from":0,"basis_points":{bp}}},{{"from":300000,"basis_points":17}}],"floor":3}}"#
        )),
    ];
    let splits = prop_oneof![
        Just(String::new()),
        (1..5000_u16, 1..5000_u16, 1..99_i64, any::<bool>()).prop_map(|(a, b, fixed, gross)| format!(
            r#","splits":{{"base":"{}","receivers":[
                {{"merchant":"mer_0000000000002","share":{{"kind":"percent","basis_points":{a}}}}},
                {{"merchant":"mer_0000000000007","share":{{"kind":"percent","basis_points":{b}}}}},
                {{"merchant":"mer_0000000000008","share":{{"kind":"fixed","amount":{fixed}}}}}]}}"#,
            if gross { "gross" } else { "net" }
        )),
    ];
    (cycle, fees, splits, any::<bool>(), any::<bool>(), any::<bool>(), 0..50_000_i64).prop_map(
        |(cycle, fees, splits, statement, give_back, invoice, minimum)| {
            let rounding = if statement { "per_statement" } else { "per_operation" };
            let negative = if invoice { "invoice" } else { "carry" };
            terms(&format!(
                r#"{{"cycle":{cycle},"fees":{fees},"fee_rounding":"{rounding}","negative":"{negative}",
                    "refunds_return_fee":{give_back},"minimum_payout":{minimum}{splits}}}"#
            ))
        },
    )
}

/// A sale or refund that could still be given back or undone.
struct Sold {
    operation: i64,
    merchant: i64,
    left: i64,
    /// Of a refund, the sale, and how much.
    refund_of: Option<(usize, i64)>,
}

/// Plays events; takes the log in whenever `step` movements are new, and restarts after each if told to.
fn play(terms: &Terms, events: &[(u8, Event)], step: usize, restart: bool) -> World {
    let mut world = World::new(vec![agreement(1, None, "2026-01-01", terms.clone())]);
    let mut sold: Vec<Sold> = Vec::new();
    let mut hours: i64 = 0;
    for (later, event) in events {
        hours += i64::from(*later);
        let moment = crate::world::at("2026-09-20T00:00:00").plus_seconds(hours * 3600);
        let mut push = |kind, merchant: i64, delta, original| {
            world.push(kind, merchant, Some(merchant), moment, delta, original)
        };
        match event {
            Event::Sale(merchant, sale) => {
                let operation = push(OperationKind::Redemption, *merchant, *sale, None);
                sold.push(Sold { operation, merchant: *merchant, left: *sale, refund_of: None });
            }
            Event::Refund(which, most) => {
                let which = which % sold.len().max(1);
                if let Some(sale) = sold.get_mut(which).filter(|s| s.left > 0 && s.refund_of.is_none()) {
                    let back = sale.left.min(*most);
                    sale.left -= back;
                    let merchant = sale.merchant;
                    let operation = push(OperationKind::Refund, merchant, -back, Some(sale.operation));
                    sold.push(Sold { operation, merchant, left: back, refund_of: Some((which, back)) });
                }
            }
            Event::Reverse(which) => {
                let which = which % sold.len().max(1);
                let Some(found) = sold.get_mut(which).filter(|s| s.left > 0) else { continue };
                let back = found.left;
                found.left = 0;
                let (merchant, operation) = (found.merchant, found.operation);
                let delta = if found.refund_of.is_some() { back } else { -back };
                if let Some((sale, amount)) = found.refund_of {
                    sold[sale].left += amount;
                }
                push(OperationKind::Reversal, merchant, delta, Some(operation));
                // A sale of which a part was refunded is not reversed by the domain together with it: the
                // refunds of a reversed sale can no longer be undone.
                for other in sold.iter_mut().filter(|s| s.refund_of.is_some_and(|(of, _)| of == which)) {
                    other.left = 0;
                }
            }
            Event::Unlinked(merchant, back) => {
                push(OperationKind::UnlinkedRefund, *merchant, -back, None);
            }
            Event::Correction(merchant, delta) if *delta != 0 => {
                push(OperationKind::Correction, *merchant, *delta, None);
            }
            Event::Correction(..) => {}
            Event::PayoutReturn(merchant, back) => {
                push(OperationKind::PayoutReturn, *merchant, *back, None);
            }
            Event::Close => close_all(&mut world, hours),
        }
        while world.log.len() - world.taken >= step {
            world.take(step);
            if restart {
                world.restart();
            }
        }
    }
    close_all(&mut world, hours);
    world
}

fn close_all(world: &mut World, hours: i64) {
    let moment = crate::world::at("2026-09-20T00:00:00").plus_seconds(hours * 3600).to_string();
    let moment = moment.trim_end_matches('Z').to_owned();
    let none = BTreeMap::new();
    for _ in 0..200 {
        if world.close_once(&moment, &none) == 0 && world.close_idle(&moment, &none) == 0 {
            return;
        }
    }
    panic!("closing does not come to an end");
}

/// What the log moved on the account of a merchant, and what its statements say.
fn balance(world: &World, merchant: MerchantId) -> (i64, i64) {
    let ledger = world.log.iter().filter(|m| m.merchant == merchant).map(|m| m.delta).sum();
    let mut closed = world.closed.iter().filter(|s| s.merchant == merchant);
    let paid: i64 = closed.clone().map(|s| s.figures.payout.get() - s.figures.invoiced.get()).sum();
    let carried = closed.next_back().map_or(0, |s| s.figures.carried);
    let open = world.fold.open().filter(|open| open.statement.merchant == merchant);
    let lines: i64 = open.map(|open| open.statement.figures.sums.movements().expect("fits")).sum();
    (ledger, paid + carried + lines)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn statements_and_what_is_carried_are_the_ledger(terms in any_terms(), events in events()) {
        let mut world = play(&terms, &events, 7, false);
        world.take(usize::MAX);
        for merchant in [1, 2, 3, 7, 8].map(mer) {
            let (ledger, statements) = balance(&world, merchant);
            prop_assert_eq!(ledger, statements, "of {}", merchant);
        }
        // Each figure follows from the lines, the lines are chains, and what is posted is what they say.
        for statement in &world.closed {
            let f = &statement.figures;
            let lines: Vec<_> = world.order.iter().filter(|l| l.statement == statement.id).collect();
            prop_assert_eq!(f.sums.movements(), Some(lines.iter().map(|l| l.amount).sum::<i64>()));
            prop_assert_eq!(f.sums.fees, lines.iter().map(|l| l.fee).sum::<i64>());
            let receivers = world.receivers_of(statement.id);
            prop_assert_eq!(f.sums.splits_out, receivers.values().sum::<i64>());
            let mut previous = None;
            for line in &lines {
                prop_assert_eq!(line.previous, previous);
                previous = Some(line.operation);
            }
            prop_assert_eq!(statement.newest_line, previous);
            let posted = world.posted.iter().find(|(id, _)| *id == statement.id).map(|(_, t)| t.clone());
            prop_assert_eq!(posted, transfers(statement, &receivers));
        }
    }

    #[test]
    fn neither_portions_nor_restarts_change_anything(terms in any_terms(), events in events(), step in 1..9_usize) {
        let one = play(&terms, &events, usize::MAX, false);
        let many = play(&terms, &events, step, true);
        let content = |world: &World| {
            let ids: BTreeMap<_, _> = world.opened.iter().map(|s| (s.id, (s.merchant, s.period_to))).collect();
            let lines: Vec<_> = world.order.iter().map(|l| (l.merchant, l.kind, l.day, l.amount, l.fee, l.residue,
                l.refunded_before, l.late, ids[&l.statement])).collect();
            let parts: Vec<_> = world.parts.iter().map(|p| (p.merchant, p.receiver, p.amount)).collect();
            let mut closed: Vec<_> = world.closed.iter().map(|s| (s.merchant, s.period_from, s.period_to, s.due_on, s.figures)).collect();
            closed.sort_by_key(|(merchant, _, to, _, _)| (*merchant, *to));
            (lines, parts, closed)
        };
        prop_assert_eq!(content(&one), content(&many));
    }

    #[test]
    fn a_sale_refunded_in_any_pieces_leaves_nothing(
        terms in any_terms(), sale in 1..500_000_i64, cuts in prop::collection::vec(1..100_000_i64, 0..8),
    ) {
        let terms = Terms { refunds_return_fee: true, ..terms };
        let mut world = World::new(vec![agreement(1, None, "2026-01-01", terms)]);
        let id = world.sale("2026-03-02T12:00:00", sale);
        let mut left = sale;
        for cut in cuts {
            let back = cut.min(left);
            if back > 0 {
                world.refund("2026-03-02T13:00:00", back, id);
                left -= back;
            }
        }
        if left > 0 {
            world.refund("2026-03-02T14:00:00", left, id);
        }
        world.take(usize::MAX);
        prop_assert_eq!(world.order.iter().map(|l| l.amount).sum::<i64>(), 0);
        prop_assert_eq!(world.order.iter().map(|l| l.fee).sum::<i64>(), 0, "the whole fee came back");
        for receiver in [2, 7, 8].map(mer) {
            let sum: i64 = world.parts.iter().filter(|p| p.receiver == receiver).map(|p| p.amount).sum();
            prop_assert_eq!(sum, 0, "all that {} had received", receiver);
        }
    }

    #[test]
    fn splits_add_up(terms in any_terms(), sale in 1..500_000_i64) {
        let mut world = World::new(vec![agreement(1, None, "2026-01-01", terms.clone())]);
        world.sale("2026-03-02T12:00:00", sale);
        world.take(usize::MAX);
        let line = world.order[0];
        let given: i64 = world.parts.iter().map(|p| p.amount).sum();
        prop_assert!(world.parts.iter().all(|p| p.amount > 0));
        prop_assert!(given <= sale && line.fee >= 0);
        let _ = amount(given);
    }
}
