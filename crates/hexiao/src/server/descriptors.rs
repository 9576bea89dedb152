//! Room for connections: each needs a file descriptor, and the usual soft limit of 1,024 is far below what
//! the server accepts.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the database, the logs and the runtime need beside connections.
const OTHERS: u64 = 256;

/// Raises the soft limit to what so many connections need, as far as the hard limit lets it.
pub(crate) fn make_room(connections: u32) {
    let wanted = u64::from(connections) + OTHERS;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let reachable = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum });
    if raised.is_err() || reachable < wanted {
        tracing::warn!(
            wanted,
            reachable,
            "too few file descriptors for --max-connections; raise the limit (LimitNOFILE, ulimit -Hn)"
        );
    }
}
