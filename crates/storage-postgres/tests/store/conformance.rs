//! The suite that every store passes, on a real server.

use storage::conformance::Fresh;

use crate::support::store;

async fn fresh() -> Fresh {
    Fresh::new(store().await)
}

storage::conformance_tests!(fresh);
