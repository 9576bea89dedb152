//! Random scripts against the reference model.

use domain::{
    Amount, PostingKind,
    account::AccountKind,
    lot::LotOrder,
    operation::{OperationKind, Recorded},
};
use domain_testing::{
    memory::{Answer, Memory},
    model::{Model, Outcome},
    script::{self, Step},
};
use proptest::prelude::*;

fn settings() -> ProptestConfig {
    // Bounded, so that the whole suite stays within seconds; PROPTEST_CASES raises it.
    let cases = ProptestConfig::default().cases.max(400);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn every_answer_and_card_is_as_the_model_says(steps in script::scripts(60), order in script::orders()) {
        let (catalog, acts) = (script::catalog(order), script::acts(&steps));
        let mut memory = Memory::with_cards(script::cards());
        let mut model = Model::new(order, &acts);
        for (act, call) in acts.iter().zip(script::calls(&acts)) {
            let expected = model.step(act);
            let answer = memory.run(&catalog, &call);
            prop_assert_eq!(Outcome::of(&answer), expected, "{:?}\n{:?}\n{:#?}", act, answer, acts);
            if let Err(difference) = model.compare(&memory).and_then(|()| memory.audit()) {
                return Err(TestCaseError::fail(format!("{act:?}\n{difference}\n{acts:#?}")));
            }
        }
        prop_assert!(refunds_stay_within(&memory));
        prop_assert!(holders_get_no_more_than_was_paid_in(&memory));
    }

    #[test]
    fn a_batch_equals_one_by_one(
        steps in script::scripts(60), order in script::orders(), size in 1..=64_usize,
    ) {
        let catalog = script::catalog(order);
        let calls = script::calls(&script::acts(&steps));
        let (mut single, mut batched) = (Memory::with_cards(script::cards()), Memory::with_cards(script::cards()));
        let one_by_one: Vec<Answer> = calls.iter().map(|call| single.run(&catalog, call)).collect();
        let in_batches: Vec<Answer> = calls.chunks(size).flat_map(|calls| batched.batch(&catalog, calls)).collect();
        prop_assert_eq!(one_by_one, in_batches);
        prop_assert_eq!(single, batched);
    }

    #[test]
    fn a_reversal_leaves_the_cards_as_they_were(steps in script::scripts(40), order in script::orders()) {
        let catalog = script::catalog(order);
        let last = steps.len() - 1;
        let mut steps = steps;
        steps.push(Step::Reverse { of: last });
        let acts = script::acts(&steps);
        let calls = script::calls(&acts);
        let [.., doing, undoing] = calls.as_slice() else { return Ok(()) };
        let mut memory = Memory::with_cards(script::cards());
        memory.batch(&catalog, &calls[..calls.len() - 2]);
        let before = memory.clone();
        let done = memory.run(&catalog, doing);
        let undone = memory.run(&catalog, undoing);
        let (Answer::Decided(done), Answer::Decided(undone)) = (&done, &undone) else { return Ok(()) };
        let is_reversal = done.kind == OperationKind::Reversal || undone.original != Some(done.id);
        if is_reversal || !undone.is_approved() {
            return Ok(());
        }
        // The hold of a capture stays as the capture left it: its value comes back as available.
        let is_capture = done.kind == OperationKind::Capture;
        for (id, card) in &before.cards {
            let now = &memory.cards[id];
            prop_assert_eq!((card.posted(), card.claimable()), (now.posted(), now.claimable()));
            prop_assert!(card.held == now.held || is_capture);
            for lot in &card.lots {
                prop_assert_eq!(now.lot(lot.no).map(|l| (l.remaining, l.expired)), Some((lot.remaining, lot.expired)));
            }
            if card.day.date == now.day.date && !is_capture {
                prop_assert_eq!(card.day, now.day);
            }
        }
    }
}

fn refunds_stay_within(memory: &Memory) -> bool {
    let given_back = |of: &Recorded| {
        let refunds = memory.operations.values().filter(|r| {
            let refund = &r.operation;
            refund.kind == OperationKind::Refund
                && refund.original == Some(of.operation.id)
                && r.compensation.reversed_by.is_none()
        });
        Amount::checked_sum(refunds.map(|r| r.operation.approved))
    };
    memory.operations.values().filter(|r| r.operation.kind.is_redemption()).all(|redemption| {
        let given = given_back(redemption);
        given == Some(redemption.compensation.refunded) && given <= Some(redemption.operation.approved)
    })
}

/// All that cards give back to holders is no more than what was paid in for cards, bonus value apart.
fn holders_get_no_more_than_was_paid_in(memory: &Memory) -> bool {
    use AccountKind::{Bank, Card, Channel, Merchant, Residual, Suspense};

    let moved = |debit: AccountKind, credit: AccountKind| -> i64 {
        let all = memory.operations.values().flat_map(|recorded| &recorded.transfers);
        let along = all.filter(|t| t.debit.kind() == debit && t.credit.kind() == credit);
        // Postings move value of the bank's too, but never a card's.
        along.map(|t| t.amount.get()).sum()
    };
    // What a merchant gave without a redemption, and what was put right, counts as paid.
    let paid =
        moved(Channel, Card) + moved(Suspense, Card) + moved(Merchant, Card) + moved(Merchant, Residual);
    moved(Card, Bank) + moved(Residual, Bank) <= paid
}

/// A generator whose steps are nearly all turned down would test little.
#[test]
fn random_scripts_reach_every_kind_approved_and_declined() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut approved, mut declined) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for _ in 0..300 {
        let steps = script::scripts(60).new_tree(&mut runner).expect("a script").current();
        let calls = script::calls(&script::acts(&steps));
        let mut memory = Memory::with_cards(script::cards());
        for answer in memory.batch(&script::catalog(LotOrder::ProRata), &calls) {
            if let Answer::Decided(operation) = answer {
                let set = if operation.is_approved() { &mut approved } else { &mut declined };
                set.insert(operation.kind.name());
            }
        }
    }
    let all = OperationKind::ALL.iter();
    let all: std::collections::BTreeSet<_> = all.map(|kind| kind.name()).collect();
    assert_eq!(approved, all);
    // The expiry job's requests are refused where nothing has expired; a posting is only declined where its
    // key was reversed before, which is too rare for each kind to meet.
    let is_posting = |name: &str| OperationKind::from_name(name).and_then(PostingKind::of).is_some();
    let never: Vec<_> = all.difference(&declined).filter(|name| !is_posting(name)).collect();
    assert_eq!(never, [&"expiry"]);
    assert!(declined.iter().any(|name| is_posting(name)), "{declined:?}");
}
