//! Sessions that are encrypted to a server whose certificate is checked, and servers that are not believed.

use postgres_testing::{Cluster, Options as ClusterOptions};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use storage::{Audit, StorageError, conformance::populate};
use storage_postgres::PostgresStore;
use tempfile::TempDir;

use crate::support::{name_of, options};

/// Whoever vouches for servers, and its certificate in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("roots.pem"), certificate.pem()).expect("written");
        Self { issuer: Issuer::new(params, key), folder }
    }

    /// Certificate and key of the server of this name.
    fn certify(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// An address whose server has to have a certificate from here.
    fn verified(&self, url: &str) -> String {
        format!("{url}?sslmode=verify-full&sslrootcert={}", self.folder.path().join("roots.pem").display())
    }
}

async fn encrypted(authority: &Authority, name: &str) -> Cluster {
    let options = ClusterOptions { tls: Some(authority.certify(name)), ..ClusterOptions::default() };
    let started = tokio::task::spawn_blocking(move || Cluster::start(&options));
    started.await.expect("no panic").expect("a cluster")
}

async fn unreachable(url: &str) -> String {
    match PostgresStore::connect(url, options()).await {
        Err(StorageError::Unavailable(why)) => why,
        other => panic!("must not be connected to: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_encrypted_to_a_server_that_is_known() {
    let authority = Authority::new();
    let cluster = encrypted(&authority, "127.0.0.1").await;
    let (cluster, url) = tokio::task::spawn_blocking(move || {
        let url = cluster.create_database();
        (cluster, url)
    })
    .await
    .expect("a database");
    let store = PostgresStore::connect(&authority.verified(&url), options()).await.expect("a store");
    populate(&store, 7).await;
    let counted = "SELECT count(*) > 2, bool_and(s.ssl), min(s.version) FROM pg_stat_ssl s \
                   JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'hexiao'";
    let database = name_of(&url).to_owned();
    let (cluster, found) = tokio::task::spawn_blocking(move || {
        let found = cluster.psql(&database, counted);
        (cluster, found)
    })
    .await
    .expect("no panic");
    assert_eq!(found.expect("counted"), "t|t|TLSv1.3");
    assert!(store.audit().await.expect("a report").operations > 100);

    // The server is right, but somebody else vouches for it.
    let why = unreachable(&Authority::new().verified(&url)).await;
    assert!(why.contains("certificate"), "{why}");
    // The certificate is right, but it is another server's.
    let why = unreachable(&authority.verified(&url.replace("127.0.0.1", "localhost"))).await;
    assert!(why.contains("certificate") && why.contains("localhost"), "{why}");
    tokio::task::spawn_blocking(move || drop(cluster)).await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_in_plain_to_a_server_without_tls() {
    let authority = Authority::new();
    let url = tokio::task::spawn_blocking(|| Cluster::shared().create_database()).await.expect("a database");
    let why = unreachable(&authority.verified(&url)).await;
    assert!(why.contains("does not support TLS"), "{why}");
}
