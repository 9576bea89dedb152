//! What is opened, by whom, and what is refused with a reason.

use std::time::Duration;

use postgres_testing::Cluster;
use storage::{CatalogStore, StorageError};
use storage_postgres::{Options, PostgresStore};

use crate::support::{database, name_of, options};

async fn refusal(url: &str, options: Options) -> String {
    match PostgresStore::connect(url, options).await {
        Err(StorageError::Setup(why)) => why,
        other => panic!("must be refused with a reason: {other:?}"),
    }
}

async fn psql(database: &str, sql: &str) -> String {
    let (database, sql) = (database.to_owned(), sql.to_owned());
    let asked = tokio::task::spawn_blocking(move || Cluster::shared().psql(&database, &sql).expect(&sql));
    asked.await.expect("run")
}

async fn empty() -> String {
    tokio::task::spawn_blocking(|| Cluster::shared().create_database()).await.expect("a database")
}

#[tokio::test]
async fn bad_addresses_and_options_are_refused() {
    for (url, why) in [
        ("", "must begin with postgres://"),
        ("sqlite:a.db", "must begin with postgres://"),
        ("postgres://u:secret@h:port/d", "cannot be read"),
        ("postgres:///d?user=u", "names no host"),
        ("postgres://127.0.0.1", "must name a user and a database"),
        ("postgres://u@127.0.0.1/d?sslmode=prefer", "sslmode=prefer is not supported"),
        ("postgres://u@127.0.0.1/d?sslmode=verify-full&sslrootcert=no.pem", "no.pem cannot be read"),
        ("postgres://u@%2Frun%2Fpostgresql/d?sslmode=verify-full", "needs a host by name"),
    ] {
        let refused = refusal(url, options()).await;
        assert!(refused.contains(why) && !refused.contains("secret"), "{url}: {refused}");
    }
    let url = "postgres://u@127.0.0.1/d";
    for wrong in [
        Options { writers: 0, ..options() },
        Options { readers: 1, ..options() },
        Options { lock_timeout: Duration::ZERO, ..options() },
    ] {
        let refused = refusal(url, wrong.clone()).await;
        assert!(refused.contains("must be"), "{wrong:?}: {refused}");
    }
    let nobody = PostgresStore::connect("postgres://u:secret@127.0.0.1:1/d", options()).await;
    let Err(StorageError::Unavailable(why)) = nobody else { panic!("{nobody:?}") };
    assert!(why.contains("127.0.0.1:1") && !why.contains("secret"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_and_newer_databases_are_refused_untouched() {
    let url = empty().await;
    psql(name_of(&url), "CREATE TABLE theirs (n integer)").await;
    assert!(refusal(&url, options()).await.contains("belongs to another program"));
    assert_eq!(
        psql(name_of(&url), "SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname = 'public'")
            .await,
        "theirs"
    );
    let url = empty().await;
    assert!(refusal(&url, Options { migrate: false, ..options() }).await.contains("start the server once"));
    let url = tokio::task::spawn_blocking(database).await.expect("a database");
    psql(
        name_of(&url),
        "INSERT INTO refinery_schema_history VALUES (99, 'future', '2027-01-01T00:00:00Z', '1')",
    )
    .await;
    let why = refusal(&url, options()).await;
    assert!(why.contains("version 99") && why.contains("newer program"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_migrate_once() {
    let url = empty().await;
    let nodes = (0..4).map(|_| PostgresStore::connect(&url, Options { writers: 1, readers: 2, ..options() }));
    for node in futures_util::future::join_all(nodes).await {
        assert_eq!(node.expect("a store").catalog_revision().await.expect("a revision"), 0);
    }
    // Numbers may be left out: one for every file.
    let files =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).expect("a folder").count();
    let done = psql(name_of(&url), "SELECT count(*) FROM refinery_schema_history").await;
    assert_eq!(done, files.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_could_be_lost_are_refused() {
    let url = tokio::task::spawn_blocking(database).await.expect("a database");
    let settings =
        [("off", false), ("local", false), ("remote_write", false), ("remote_apply", true), ("on", true)];
    for (setting, fine) in settings {
        psql("postgres", &format!("ALTER DATABASE {} SET synchronous_commit = {setting}", name_of(&url)))
            .await;
        match PostgresStore::connect(&url, options()).await {
            Ok(_) => assert!(fine, "{setting}"),
            Err(StorageError::Setup(why)) => {
                assert!(!fine && why.contains("synchronous_commit") && why.contains(setting), "{why}");
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_hosts_the_one_that_can_write_is_found() {
    let url = tokio::task::spawn_blocking(database).await.expect("a database");
    let port = Cluster::shared().port();
    let hosts = format!("postgres://postgres@127.0.0.1:1,127.0.0.1:{port},127.0.0.1:2/{}", name_of(&url));
    let store = PostgresStore::connect(&(hosts + "?target_session_attrs=read-write"), options()).await;
    assert_eq!(store.expect("a store").catalog_revision().await.expect("a revision"), 0);
}

/// The address that the program runs with belongs to a user who may do nothing but run it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_migrates_and_a_user_without_rights_runs() {
    let url = empty().await;
    let database = name_of(&url);
    let roles = format!(
        "CREATE ROLE owner_of_{database} LOGIN CREATEROLE; CREATE ROLE user_of_{database} LOGIN NOINHERIT; \
         ALTER DATABASE {database} OWNER TO owner_of_{database}"
    );
    psql(database, &roles).await;
    // Where the role is there already, somebody who may must have given it to the owner to pass on.
    psql(database, "DO $$ BEGIN CREATE ROLE hexiao_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$").await;
    psql(database, &format!("GRANT hexiao_app TO owner_of_{database} WITH ADMIN OPTION")).await;
    let owner = Cluster::shared().url_as(&format!("owner_of_{database}"), database);
    let user = Cluster::shared().url_as(&format!("user_of_{database}"), database);
    assert!(refusal(&user, options()).await.contains("HEXIAO_DB_OWNER"));
    let with_owner = Options { owner_url: Some(owner), ..options() };
    let store = PostgresStore::connect(&user, with_owner).await.expect("a store");
    assert_eq!(store.catalog_revision().await.expect("a revision"), 0);
    PostgresStore::connect(&user, options()).await.expect("a database that needs no owner any more");
    let rights = format!(
        "SELECT has_table_privilege('user_of_{database}', 'operation', 'UPDATE'), \
         has_schema_privilege('user_of_{database}', 'public', 'CREATE')"
    );
    assert_eq!(psql(database, &rights).await, "f|f");
}
