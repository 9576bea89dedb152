//! Runs all tables and asserts that between them they reach every code there is.

use std::collections::BTreeSet;

use domain::{Decline, Refusal};

use crate::{
    harness::{Case, Expect, Outcome},
    holding, law, life, mistakes, paying, postings, precedence, refusals, selling, undoing,
};

fn run(cases: Vec<Case>) -> Vec<Outcome> {
    cases.into_iter().map(Case::check).collect()
}

fn all() -> Vec<Outcome> {
    let commands = [selling::cases(), paying::cases(), holding::cases(), undoing::cases(), life::cases()];
    let more = [mistakes::cases(), law::cases(), postings::cases(), precedence::cases(), refusals::cases()];
    commands.into_iter().chain(more).flat_map(run).collect()
}

#[test]
fn cases_decide_as_expected_and_reach_every_decline_refusal_and_command() {
    let outcomes = all();
    let declines: BTreeSet<Decline> = outcomes.iter().filter_map(|o| declined(o.expect)).collect();
    let missing: Vec<_> = Decline::ALL.iter().filter(|d| !declines.contains(d)).collect();
    assert!(missing.is_empty(), "declines that no case reaches: {missing:?}");

    let refusals: Vec<Refusal> = outcomes.iter().filter_map(|o| refused(o.expect)).collect();
    // The last one means that stored data contradicts itself; it has a test of its own.
    let missing: Vec<_> =
        Refusal::ALL.iter().filter(|r| **r != Refusal::Inconsistent && !refusals.contains(r)).collect();
    assert!(missing.is_empty(), "refusals that no case reaches: {missing:?}");

    let approved = outcomes.iter().filter(|o| matches!(o.expect, Expect::Approved(_)));
    let commands: BTreeSet<String> = approved.map(|o| name(&o.command)).collect();
    assert_eq!(commands.len(), domain::OperationKind::ALL.len(), "{commands:?}");
}

fn name(command: &domain::Command) -> String {
    if let domain::Command::Post(posting) = command {
        return format!("Post {:?}", posting.kind);
    }
    format!("{command:?}").split('(').next().unwrap_or_default().to_owned()
}

fn declined(expect: Expect) -> Option<Decline> {
    if let Expect::Declined(decline) = expect { Some(decline) } else { None }
}

fn refused(expect: Expect) -> Option<Refusal> {
    if let Expect::Refused(refusal) = expect { Some(refusal) } else { None }
}
