//! One seed: nodes, clients and faults on one thread, in simulated time, and the checks afterwards.

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::LocalSet};

use crate::{
    checks,
    client::Client,
    database::{Database, INJECTED},
    environment::Environment,
    faults,
    history::History,
    jobs,
    node::{Node, Stopped},
    profile::Profile,
    random::Random,
    world::{self, ISLANDS},
};

/// What became of a seed.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Operations in the log at the end.
    pub operations: u64,
    /// Answers given.
    pub answers: u64,
    /// Faults that happened.
    pub faults: u64,
    /// What is wrong.
    pub violations: Vec<String>,
    /// A digest of everything that happened, in order.
    pub digest: u64,
}

/// What the tasks of a simulation share.
pub(crate) struct Simulation {
    pub(crate) environment: Arc<Environment>,
    pub(crate) database: Arc<Database>,
    pub(crate) nodes: Vec<Rc<Node>>,
    pub(crate) history: RefCell<History>,
}

/// Longer than any simulation takes, in its own time.
const HANGS: Duration = Duration::from_hours(2);

/// Runs a seed. `shown` writes what happens to standard error.
pub fn run(seed: u64, shown: bool) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return broken(format!("cannot start a runtime: {error}")),
    };
    let play = std::panic::AssertUnwindSafe(|| LocalSet::new().block_on(&runtime, play(seed, shown)));
    std::panic::catch_unwind(play).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        broken(format!("panic: {}", text.unwrap_or_default()))
    })
}

fn broken(what: String) -> Report {
    Report { violations: vec![what], ..Report::default() }
}

async fn play(seed: u64, shown: bool) -> Report {
    let mut random = Random::new(seed);
    let profile = Profile::draw(&mut random);
    if shown {
        eprintln!("seed {seed}: {profile:?}");
    }
    let catalog = world::catalog(profile.order, &mut random);
    let vault = world::vault();
    let cards = world::cards(&vault);
    let environment = Arc::new(Environment::new(profile, random, shown));
    let database = Arc::new(Database::new(Arc::clone(&environment), catalog.clone(), cards.clone()));
    let (stopped, stops) = mpsc::unbounded_channel();
    let node = |number| Node::new(number, &environment, &database, &vault, &stopped);
    let nodes = (0..environment.profile.nodes).map(node).collect();
    let history = RefCell::default();
    let simulation = Rc::new(Simulation { environment, database, nodes, history });
    if tokio::time::timeout(HANGS, live(&simulation, stops)).await.is_err() {
        simulation.environment.violation("the simulation hangs".to_owned());
    }
    let ground = checks::Ground { catalog: &catalog, cards: &cards, vault: &vault };
    checks::all(&simulation, &ground).await;
    let environment = &simulation.environment;
    Report {
        operations: simulation
            .database
            .with_log(|log| log.iter().map(|c| c.changes.operations.len() as u64).sum()),
        answers: simulation.history.borrow().answers.len() as u64,
        faults: environment.faults(),
        violations: environment.violations(),
        digest: environment.digest(),
    }
}

/// Everything that happens: a life with faults, then calm, in which everybody gets an answer.
async fn live(simulation: &Rc<Simulation>, stops: mpsc::UnboundedReceiver<Stopped>) {
    for node in &simulation.nodes {
        node.start().await;
    }
    let supervisor = tokio::task::spawn_local(supervise(Rc::clone(simulation), stops));
    let faults = tokio::task::spawn_local(faults::strike(Rc::clone(simulation)));
    let jobs = tokio::task::spawn_local(jobs::run(Rc::clone(simulation)));
    let mut clients = Vec::new();
    for (number, island) in ISLANDS.iter().enumerate() {
        for client in 0..simulation.environment.profile.clients {
            let client = Client::new(Rc::clone(simulation), number, island, client);
            clients.push(tokio::task::spawn_local(client.run()));
        }
    }
    for client in clients {
        if let Err(error) = client.await {
            simulation.environment.violation(format!("a client ended: {error}"));
        }
    }
    simulation.environment.calm_down();
    faults.abort();
    jobs.abort();
    faults::mend(simulation);
    settle(simulation).await;
    supervisor.abort();
}

/// Starts nodes again that stopped, and notes where one had no reason to.
async fn supervise(simulation: Rc<Simulation>, mut stops: mpsc::UnboundedReceiver<Stopped>) {
    while let Some(stop) = stops.recv().await {
        let node = &simulation.nodes[stop.node];
        if !node.is_living(&stop.process) {
            continue;
        }
        if !stop.why.contains(INJECTED) {
            simulation.environment.violation(format!("an engine stopped: {}", stop.why));
        }
        node.kill();
        let node = Rc::clone(node);
        tokio::task::spawn_local(async move { node.start().await });
    }
}

/// How often requests without an answer are sent again in calm.
const ROUNDS: usize = 60;

/// Sends everything again that has no answer, until all has.
async fn settle(simulation: &Rc<Simulation>) {
    // Commits that were late are over by then, and so are nodes that were starting.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for round in 0..ROUNDS {
        let unanswered = simulation.history.borrow().unanswered();
        if unanswered.is_empty() {
            return;
        }
        let node = &simulation.nodes[round % simulation.nodes.len()];
        let Some(engine) = node.engine() else {
            node.start().await;
            continue;
        };
        for asks in unanswered.chunks(50) {
            let intents = asks.iter().map(|ask| simulation.history.borrow().asks[*ask].intent()).collect();
            let Ok(outcomes) = engine.submit_many(intents).await else { break };
            let mut history = simulation.history.borrow_mut();
            for (ask, outcome) in asks.iter().zip(outcomes) {
                history.answer(*ask, outcome);
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let left = simulation.history.borrow().unanswered().len();
    simulation
        .environment
        .violation(format!("{left} requests are not answered though nothing fails any more"));
}
