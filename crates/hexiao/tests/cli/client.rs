//! `client create` and start-up.

use crate::support::{Sandbox, Server, Shop};

#[test]
fn a_fresh_database_gets_an_issuer_a_client_and_a_private_key_ring() {
    for sandbox in Sandbox::each() {
        check_fresh(&Shop::on(sandbox));
    }
}

fn check_fresh(shop: &Shop) {
    use std::os::unix::fs::PermissionsExt;
    let rights = std::fs::metadata(shop.sandbox.keys()).expect("a key ring").permissions().mode();
    assert_eq!(rights & 0o777, 0o600);
    let made = shop.sandbox.json(&["client", "create", "--name", "till", "--scopes", "redeem,cards_read"]);
    assert_eq!(made["issuer"], shop.issuer, "the only issuer is taken where none is named");
    let server = shop.serve();
    let mut till = server.connect(made["secret"].as_str().expect("a secret"));
    assert_eq!(till.get("/v1/operations").expect("an answer").status, 200);
    assert_eq!(till.get("/v1/ledger/trial-balance").expect("an answer").status, 403, "not within its scopes");
}

#[test]
fn a_platform_client_belongs_to_no_issuer() {
    let sandbox = Sandbox::new();
    let made = sandbox.json(&["client", "create", "--name", "head", "--platform"]);
    assert!(made["issuer"].is_null());
    let server = Server::start(&sandbox);
    let mut head = server.connect(made["secret"].as_str().expect("a secret"));
    assert_eq!(head.get("/v1/issuers").expect("an answer").status, 200);
}

#[test]
fn refusals_name_the_cure() {
    for sandbox in Sandbox::each() {
        check_refusals(&Shop::on(sandbox));
    }
}

fn check_refusals(shop: &Shop) {
    let check = |args: &[&str], with: &str| {
        shop.sandbox.run(&[&["client", "create", "--name", "x"], args].concat()).refused(2, with);
    };
    check(&[], "--scopes");
    check(&["--scopes", "platform"], "--platform");
    check(&["--issuer", "iss_0000000000007", "--all-scopes"], "no such issuer");
    check(&["--merchant", "mer_0000000000007", "--all-scopes"], "no such merchant");
    check(&["--new-issuer", "Y", "--time-zone", "Mars/Olympus", "--all-scopes"], "Asia/Shanghai");
    shop.sandbox.run(&["client", "create", "--name", "", "--all-scopes"]).refused(2, "--name");
    shop.sandbox.json(&[
        "client",
        "create",
        "--name",
        "a",
        "--new-issuer",
        "Y",
        "--time-zone",
        "UTC",
        "--all-scopes",
    ]);
    check(&["--all-scopes"], "say which issuer");
}

#[test]
fn one_process_at_a_time_writes() {
    let shop = Shop::new();
    let _server = shop.serve();
    let second = shop.sandbox.run(&["client", "create", "--name", "x", "--all-scopes"]);
    second.refused(1, "POST /v1/clients");
    shop.sandbox.run(&["serve", "--listen", "127.0.0.1:0"]).refused(1, "another process");
}

#[test]
fn sigterm_stops_in_good_order() {
    let shop = Shop::new();
    let server = shop.serve();
    let mut till = shop.connect(&server);
    assert_eq!(till.get("/readyz").expect("an answer").status, 200);
    assert_eq!(server.terminate(), Some(0));
    let log = std::fs::metadata(shop.sandbox.path("hexiao.db-wal"));
    assert!(log.map_or(0, |log| log.len()) == 0, "the log was carried into the database");
}

#[test]
fn what_is_for_files_says_so() {
    let sandbox = Sandbox::on_postgres();
    sandbox.json(&["client", "create", "--name", "head", "--platform"]);
    sandbox.run(&["backup", "--to", "x"]).refused(2, "for databases in a file");
    sandbox.run(&["restore", "--from", "x"]).refused(2, "for databases in a file");
    sandbox.run(&["verify", "--db", "postgres://nobody:s3cret@127.0.0.1:1/x"]).hides("s3cret");
}

#[test]
fn a_taken_address_is_reported() {
    let shop = Shop::new();
    let server = shop.serve();
    let address = server.address.to_string();
    let other = Sandbox::new();
    other.run(&["serve", "--listen", &address]).refused(1, "--listen");
}
