//! A client: asks at random, loses patience, sends again under the same key, and sometimes reverses what
//! it got no answer to.

use std::{rc::Rc, time::Duration};

use domain_testing::script::Step;
use engine::Outcome;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    asking::{self, Ask, Asking, KEYS, Kind},
    planted::{self, Bug},
    simulation::Simulation,
    world::Island,
};

/// How often a request is sent before its client turns to something else.
const ATTEMPTS: usize = 8;
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_millis(150);

/// A client of an issuer.
pub(crate) struct Client {
    simulation: Rc<Simulation>,
    number: usize,
    island: &'static Island,
    /// Which of its issuer's clients it is.
    rank: usize,
    /// The number of its first key.
    first: usize,
    /// How many keys it has used.
    used: usize,
}

impl Client {
    pub(crate) fn new(
        simulation: Rc<Simulation>,
        number: usize,
        island: &'static Island,
        rank: usize,
    ) -> Self {
        let first = (number * 16 + rank) * KEYS;
        Self { simulation, number, island, rank, first, used: 0 }
    }

    pub(crate) async fn run(mut self) {
        let prologue = if self.rank == 0 { 3 } else { 0 };
        for card in 1..=prologue {
            let step = Step::Activate { card, amount: 1_000, bonus: 200 };
            let ask = self.ask(&step, None);
            self.perform(vec![ask]).await;
        }
        let (requests, together) =
            (self.simulation.environment.profile.requests, self.simulation.environment.profile.together);
        let mut done = 0;
        while done < requests {
            self.simulation.environment.wait_up_to(5).await;
            let size = 1 + self.simulation.environment.random().index(together);
            let asks: Vec<usize> = (0..size).map(|_| self.next()).collect();
            done += asks.len();
            self.reverse_at_once(&asks).await;
            let unanswered = self.perform(asks).await;
            self.reverse_some(unanswered).await;
        }
    }

    /// What a cash register does that loses patience at once: its reversal races the request.
    async fn reverse_at_once(&mut self, asks: &[usize]) {
        let environment = &self.simulation.environment;
        let reverses = environment.profile.kinds.contains(&Kind::Reverse);
        if !reverses || !environment.random().chance(60) {
            return;
        }
        let of = self.simulation.history.borrow().asks[asks[0]].number;
        let reversal = self.ask(&Step::Reverse { of }, None);
        drop(send(&self.simulation, asks.to_vec()));
        self.perform(vec![reversal]).await;
    }

    /// What a cash register does that got no answer.
    async fn reverse_some(&mut self, unanswered: Vec<usize>) {
        let kinds = &self.simulation.environment.profile.kinds;
        if !kinds.contains(&Kind::Reverse) {
            return;
        }
        for ask in unanswered {
            if self.simulation.environment.random().chance(500) {
                let of = self.simulation.history.borrow().asks[ask].number;
                let ask = self.ask(&Step::Reverse { of }, None);
                self.perform(vec![ask]).await;
            }
        }
    }

    /// The next request: something new, the same again, or something else under a key that was used.
    fn next(&mut self) -> usize {
        let simulation = Rc::clone(&self.simulation);
        let environment = &simulation.environment;
        let earlier = {
            let mut random = environment.random();
            let again = self.used > 0 && random.chance(60);
            again.then(|| (random.index(self.used), random.chance(300)))
        };
        match earlier {
            Some((position, false)) => {
                let name = (self.island.actor(self.rank).client, asking::key(position));
                let found = simulation.history.borrow().by_key.get(&name).map(|asks| asks[0]);
                found.unwrap_or_else(|| self.new_step(None))
            }
            Some((position, true)) => self.new_step(Some(position)),
            None => self.new_step(None),
        }
    }

    fn new_step(&mut self, under: Option<usize>) -> usize {
        let step = {
            let history = self.simulation.history.borrow();
            let mut random = self.simulation.environment.random();
            let mut asking = self.asking(&mut random, &history.known[self.number]);
            asking.step()
        };
        self.ask(&step, under)
    }

    fn asking<'a>(
        &'a self,
        random: &'a mut crate::random::Random,
        known: &'a asking::Knowledge,
    ) -> Asking<'a> {
        let environment = &self.simulation.environment;
        Asking {
            random,
            kinds: &environment.profile.kinds,
            island: self.island,
            known,
            now: environment.now(),
            first_number: self.first,
            next_number: self.first + self.used,
        }
    }

    /// Enters a request for a step, under a new key or a used one.
    fn ask(&mut self, step: &Step, under: Option<usize>) -> usize {
        let simulation = Rc::clone(&self.simulation);
        let position = under.unwrap_or(self.used);
        let ask = {
            let history = simulation.history.borrow();
            let known = &history.known[self.number];
            let mut random = simulation.environment.random();
            let mut asking = self.asking(&mut random, known);
            let command = asking.command(step);
            let traced = asking::has_terminal(&command) && random.chance(500);
            let trace = traced.then(|| u32::try_from(random.below(60)).unwrap_or(0));
            let purpose = history.asks.len();
            Ask {
                island: self.number,
                actor: self.island.actor(self.rank),
                key: asking::key(position),
                number: self.first + position,
                canonical: format!("request {purpose}").into_bytes().into_boxed_slice(),
                names_known: asking::names_known(step, &command, known, self.island),
                command,
                step: step.clone(),
                trace,
                purpose,
            }
        };
        if under.is_none() {
            self.used += 1;
        }
        simulation.history.borrow_mut().ask(ask)
    }

    /// Sends requests together until they are answered or patience ends. Returns those without an answer.
    async fn perform(&mut self, mut asks: Vec<usize>) -> Vec<usize> {
        let simulation = Rc::clone(&self.simulation);
        let environment = &simulation.environment;
        for _ in 0..ATTEMPTS {
            let faults = environment.profile.faults;
            let answer = send(&simulation, asks.clone());
            if environment.strikes(faults.duplicated, "sent twice") {
                drop(send(&simulation, asks.clone()));
            }
            if timeout(PATIENCE, answer).await.is_ok_and(|answer| answer.is_ok()) {
                return Vec::new();
            }
            if planted::is(Bug::RetryUnderNewKey) && asks.len() == 1 {
                asks = vec![self.under_new_key(asks[0])];
            }
            environment.wait_up_to(30).await;
        }
        asks.into_iter().filter(|ask| !simulation.history.borrow().is_answered(*ask)).collect()
    }

    /// The same request under another key: what a caller must not do.
    fn under_new_key(&mut self, ask: usize) -> usize {
        let (step, purpose) = {
            let history = self.simulation.history.borrow();
            (history.asks[ask].step.clone(), history.asks[ask].purpose)
        };
        let again = self.ask(&step, None);
        let mut history = self.simulation.history.borrow_mut();
        if let Some(ask) = Rc::get_mut(&mut history.asks[again]) {
            ask.purpose = purpose;
        }
        again
    }
}

/// Sends requests to some node. What is on its way arrives, or does not, whatever becomes of its sender.
fn send(simulation: &Rc<Simulation>, asks: Vec<usize>) -> oneshot::Receiver<()> {
    let (reply, answer) = oneshot::channel();
    let node = simulation.environment.random().index(simulation.nodes.len());
    tokio::task::spawn_local(travel(Rc::clone(simulation), node, asks, reply));
    answer
}

async fn travel(simulation: Rc<Simulation>, node: usize, asks: Vec<usize>, reply: oneshot::Sender<()>) {
    let environment = &simulation.environment;
    let faults = environment.profile.faults;
    environment.pause().await;
    let lost = environment.strikes(faults.request_lost, "a request is lost");
    if lost || *simulation.nodes[node].is_cut_off.borrow() {
        return never(reply).await;
    }
    // A node that is not there, or dies over it, is noticed at once: the connection ends.
    let Some(outcomes) = submit(&simulation, node, &asks).await else { return };
    {
        let mut history = simulation.history.borrow_mut();
        for (ask, outcome) in asks.iter().zip(outcomes) {
            let id = outcome.as_ref().map_or(0, |answer| answer.operation.id.get());
            environment.note("answered", i64::try_from(*ask).unwrap_or(0), id);
            history.answer(*ask, outcome);
        }
    }
    environment.pause().await;
    let lost = environment.strikes(faults.answer_lost, "an answer is lost");
    if lost || *simulation.nodes[node].is_cut_off.borrow() {
        return never(reply).await;
    }
    let _ = reply.send(());
}

/// Keeps the sender waiting for longer than it does.
async fn never(reply: oneshot::Sender<()>) {
    tokio::time::sleep(PATIENCE * 2).await;
    drop(reply);
}

async fn submit(simulation: &Simulation, node: usize, asks: &[usize]) -> Option<Vec<Outcome>> {
    let engine = simulation.nodes[node].engine()?;
    let intent = |ask: &usize| simulation.history.borrow().asks[*ask].intent();
    if let [ask] = asks {
        let intent = intent(ask);
        return engine.submit(intent).await.ok().map(|outcome| vec![outcome]);
    }
    let intents = asks.iter().map(intent).collect();
    let mut outcomes = engine.submit_many(intents).await.ok()?;
    if planted::is(Bug::AnswersOutOfStep)
        && let Some(refused) = outcomes.iter().position(Result::is_err)
    {
        outcomes[refused..].rotate_left(1);
    }
    Some(outcomes)
}
