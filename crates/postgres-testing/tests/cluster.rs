//! A cluster starts, crashes, recovers, and leaves nothing behind, not even when its process is killed.

use std::{
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use postgres_testing::{Cluster, Options};

fn count(cluster: &Cluster, database: &str) -> String {
    cluster.psql(database, "SELECT count(*) FROM t").expect("a count")
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().expect("a name")
}

#[test]
fn databases_survive_restarts_and_crashes_and_go_with_the_cluster() {
    let cluster = Cluster::start(&Options::default()).expect("a cluster");
    let (one, two) = (cluster.create_database(), cluster.create_database());
    assert_ne!(one, two);
    let one = name_of(&one);
    cluster.psql(one, "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2)").expect("written");
    let copy = cluster.copy_database(one);
    assert_eq!(count(&cluster, name_of(&copy)), "2");
    cluster.restart().expect("restarted");
    assert_eq!(count(&cluster, one), "2");
    cluster.psql(one, "CHECKPOINT").expect("a checkpoint");
    cluster.kill();
    cluster.psql(one, "SELECT 1").expect_err("nobody answers");
    cluster.start_again().expect("recovered");
    assert_eq!(count(&cluster, one), "2");
    let folder = cluster.folder().to_owned();
    drop(cluster);
    assert!(!folder.exists());
}

const INSIDE: &str = "HEXIAO_TEST_INSIDE";

#[test]
fn a_killed_process_leaves_nothing_behind() {
    if std::env::var_os(INSIDE).is_some() {
        let cluster = Cluster::start(&Options::default()).expect("a cluster");
        println!("folder={}", cluster.folder().display());
        sleep(Duration::from_mins(1));
        return;
    }
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "a_killed_process_leaves_nothing_behind", "--nocapture"]).env(INSIDE, "1");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("another process");
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("its output")));
    let folder = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("folder=").map(|(_, path)| path.to_owned()))
        .expect("its folder");
    let server = std::fs::read_to_string(Path::new(&folder).join("data/postmaster.pid")).expect("running");
    let server = server.lines().next().expect("its process").to_owned();
    child.kill().expect("killed");
    child.wait().expect("gone");
    let began = Instant::now();
    while Path::new(&folder).exists() || Path::new("/proc").join(&server).exists() {
        assert!(began.elapsed() < Duration::from_secs(10), "the server and its folder must go");
        sleep(Duration::from_millis(50));
    }
}
