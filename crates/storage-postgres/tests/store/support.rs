//! Databases on the cluster that all tests of this process share.

use std::sync::OnceLock;

use postgres_testing::Cluster;
use storage_postgres::{Options, PostgresStore};

/// Few connections: many stores are open at once.
pub(crate) fn options() -> Options {
    Options { writers: 3, readers: 3, ..Options::default() }
}

pub(crate) fn name_of(url: &str) -> &str {
    url.rsplit('/').next().expect("a name")
}

/// A migrated, empty database. Migrated once, then copied.
pub(crate) fn database() -> String {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    let cluster = Cluster::shared();
    let template = TEMPLATE.get_or_init(|| {
        let url = cluster.create_database();
        // On a thread of its own: the caller may be inside a runtime.
        let made = std::thread::scope(|scope| scope.spawn(|| migrate(&url)).join());
        made.expect("a migrated database");
        url
    });
    cluster.copy_database(name_of(template))
}

fn migrate(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    drop(runtime.block_on(PostgresStore::connect(url, options())).expect("a store"));
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
}

/// A new store.
pub(crate) async fn store() -> PostgresStore {
    let url = tokio::task::spawn_blocking(database).await.expect("a database");
    PostgresStore::connect(&url, options()).await.expect("a store")
}
