//! What was asked and what was answered: all that the checks at the end go by, beside the log itself.

use std::{rc::Rc, sync::Arc};

use domain::{ClientId, IdempotencyKey, Operation, Refusal, working::Map};
use engine::Outcome;

use crate::asking::{Ask, Knowledge};

/// An answer that a node gave.
pub(crate) struct Answered {
    /// Which request.
    pub(crate) ask: usize,
    pub(crate) outcome: Result<(Arc<Operation>, bool), Refusal>,
}

/// Everything asked and answered.
#[derive(Default)]
pub(crate) struct History {
    pub(crate) asks: Vec<Rc<Ask>>,
    /// Requests by client and key: more than one, where a key is used again for something else.
    pub(crate) by_key: Map<(ClientId, IdempotencyKey), Vec<usize>>,
    pub(crate) answers: Vec<Answered>,
    is_answered: Vec<bool>,
    /// What the clients of each issuer know.
    pub(crate) known: [Knowledge; 2],
}

impl History {
    /// Enters a request.
    pub(crate) fn ask(&mut self, ask: Ask) -> usize {
        let position = self.asks.len();
        self.by_key.entry((ask.actor.client, ask.key.clone())).or_default().push(position);
        self.asks.push(Rc::new(ask));
        self.is_answered.push(false);
        position
    }

    /// Enters an answer.
    pub(crate) fn answer(&mut self, ask: usize, outcome: Outcome) {
        if let Ok(answer) = &outcome {
            self.learn(ask, &answer.operation);
        }
        let outcome = outcome.map(|answer| (answer.operation, answer.replayed));
        self.answers.push(Answered { ask, outcome });
        self.is_answered[ask] = true;
    }

    fn learn(&mut self, position: usize, operation: &Operation) {
        let ask = &self.asks[position];
        let known = &mut self.known[ask.island];
        // A second reversal is answered with the first one, which has another key.
        let is_own = operation.key == ask.key && operation.client == ask.actor.client;
        if !is_own || known.operations.insert(ask.number, operation.id).is_some() {
            return;
        }
        if operation.is_approved() && operation.kind.is_redemption() {
            known.payments.push(ask.number);
        }
        if operation.is_approved() && operation.kind == domain::OperationKind::Activation {
            known.activations.push(ask.number);
        }
        if operation.is_approved() && operation.kind == domain::OperationKind::Hold {
            known.holds.push(ask.number);
        }
    }

    /// Whether a request was answered.
    pub(crate) fn is_answered(&self, ask: usize) -> bool {
        self.is_answered[ask]
    }

    /// Requests that nobody answered.
    pub(crate) fn unanswered(&self) -> Vec<usize> {
        (0..self.asks.len()).filter(|ask| !self.is_answered[*ask]).collect()
    }
}
