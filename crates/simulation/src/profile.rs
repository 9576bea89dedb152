//! What a seed is about. Each one draws its own subset of commands and faults ("swarm testing"): what is
//! always on hides what happens only without it.

use domain::lot::LotOrder;

use crate::{asking::Kind, random::Random};

/// Which kind of database is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// In the process: one writer, commits visible before they are durable, lost with the power.
    Embedded,
    /// Of its own: several writers of several nodes, rows locked, durable when the commit returns.
    Server,
}

/// How often things go wrong, of a thousand; zero is never.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// A request does not arrive.
    pub(crate) request_lost: u32,
    /// An answer does not arrive.
    pub(crate) answer_lost: u32,
    /// A request arrives twice, perhaps on two nodes.
    pub(crate) duplicated: u32,
    /// A transaction fails because of another.
    pub(crate) busy: u32,
    /// A commit gets no answer; half of them happened.
    pub(crate) in_doubt: u32,
    /// Of those, how many happen only later.
    pub(crate) late: u32,
    /// The database does not take a transaction.
    pub(crate) unavailable: u32,
    /// The disk refuses, so that the process has to end.
    pub(crate) fatal: u32,
    /// Weights of what happens to the whole: a node dies, the database dies, a node is cut off, time leaps.
    pub(crate) kill: u32,
    pub(crate) crash: u32,
    pub(crate) cut_off: u32,
    pub(crate) leap: u32,
    /// How far a node's clock may be from the others', in milliseconds.
    pub(crate) skew: u32,
    /// How many steps of the database take long.
    pub(crate) slow: u32,
}

/// What a seed is about.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) database: Database,
    pub(crate) nodes: usize,
    pub(crate) writers: usize,
    pub(crate) max_batch: usize,
    /// Clients of each issuer.
    pub(crate) clients: usize,
    /// Requests of each client.
    pub(crate) requests: usize,
    /// The most requests that a client sends together.
    pub(crate) together: usize,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) order: LotOrder,
    pub(crate) faults: Faults,
    /// How often the jobs look for work, in milliseconds; zero is never.
    pub(crate) jobs: u32,
}

impl Profile {
    /// The profile of a seed.
    pub(crate) fn draw(random: &mut Random) -> Self {
        let database = if random.chance(400) { Database::Embedded } else { Database::Server };
        let (nodes, writers) = match database {
            Database::Embedded => (1, 1),
            Database::Server => (1 + random.index(3), 1 + random.index(3)),
        };
        Self {
            database,
            nodes,
            writers,
            max_batch: random.pick(&[1, 2, 8, 64, 1024]),
            clients: 1 + random.index(4),
            requests: random.pick(&[10, 20, 40, 80]),
            together: random.pick(&[1, 1, 2, 6, 12]),
            kinds: Kind::ALL.iter().copied().filter(|kind| kind.is_vital() || random.chance(700)).collect(),
            order: random.pick(&[LotOrder::ProRata, LotOrder::PaidFirst, LotOrder::BonusFirst]),
            faults: Faults::draw(random),
            jobs: random.pick(&[0, 50, 500]),
        }
    }
}

impl Faults {
    fn draw(random: &mut Random) -> Self {
        if random.chance(100) {
            return Self::default();
        }
        let mut some = |values: &[u32]| if random.chance(500) { random.pick(values) } else { 0 };
        Self {
            request_lost: some(&[10, 50, 200]),
            answer_lost: some(&[10, 50, 200]),
            duplicated: some(&[20, 100, 300]),
            busy: some(&[10, 100, 300]),
            in_doubt: some(&[10, 50, 200]),
            late: some(&[300, 700]),
            unavailable: some(&[10, 50, 200]),
            fatal: some(&[5, 20]),
            kill: some(&[1, 4]),
            crash: some(&[1, 4]),
            cut_off: some(&[1, 4]),
            leap: some(&[1, 4]),
            skew: some(&[5, 500, 90_000]),
            slow: some(&[50, 300, 800]),
        }
    }
}
