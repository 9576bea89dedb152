//! Several nodes on one PostgreSQL database, as real processes.

use std::{
    collections::HashSet,
    thread,
    time::{Duration, Instant},
};

use postgres_testing::{Cluster, Durability, Options};
use rustix::process::Signal;
use serde_json::json;

use crate::support::{Browser, Connection, Sales, Sandbox, Server, Shop, balance, browser::make_user};

/// How soon a change is to be seen on every node, which is printed; a machine that is busy with other things
/// may take longer, and a change that is never seen takes for ever.
const SEEN_WITHIN: Duration = Duration::from_secs(20);

fn shop() -> Shop {
    Shop::on(Sandbox::on_postgres())
}

/// Waits for something, and says how long it took.
fn until(limit: Duration, what: &str, mut is: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
    began.elapsed()
}

#[test]
fn thirty_clients_at_two_nodes_overspend_no_card() {
    let shop = shop();
    let nodes = [shop.serve(), shop.serve()];
    let value = 1_000;
    let card = shop.card(&mut shop.connect(&nodes[0]), value);
    let sold: Vec<i64> = thread::scope(|scope| {
        let clients = (0..30).map(|client: usize| {
            let (shop, node, card) = (&shop, &nodes[client % 2], &card);
            scope.spawn(move || {
                let mut till = shop.connect(node);
                let mut sold = 0;
                for n in 0..20 {
                    let (key, amount) = (format!("race-{client}-{n}"), 7);
                    let body = shop.sale(&json!({ "number": card.number }), amount);
                    let answer = till.post("/v1/redemptions", Some(&key), &body).expect("an answer");
                    assert_eq!(answer.status, 201, "{answer:?}");
                    match answer.body["status"].as_str() {
                        Some("approved") => sold += amount,
                        _ => assert_eq!(answer.body["decline"]["code"], "insufficient_funds", "{answer:?}"),
                    }
                }
                sold
            })
        });
        let clients: Vec<_> = clients.collect();
        clients.into_iter().map(|client| client.join().expect("no panic")).collect()
    });
    let sold: i64 = sold.iter().sum();
    assert_eq!(sold, value / 7 * 7, "all that could be sold, and not more");
    for node in &nodes {
        assert_eq!(balance(&mut shop.connect(node), &card.number), value - sold);
    }
    shop.sandbox.verify();
}

#[test]
fn one_key_at_two_nodes_is_one_operation() {
    let shop = shop();
    let nodes = [shop.serve(), shop.serve()];
    let card = shop.card(&mut shop.connect(&nodes[0]), 100_000);
    for n in 0..50 {
        let key = format!("twice-{n}");
        let body = shop.sale(&json!({ "number": card.number }), 10);
        let answers: Vec<_> = thread::scope(|scope| {
            let sent: Vec<_> = nodes
                .iter()
                .map(|node| {
                    let (mut till, key, body) = (shop.connect(node), &key, &body);
                    scope.spawn(move || till.post("/v1/redemptions", Some(key), body).expect("an answer"))
                })
                .collect();
            sent.into_iter().map(|sent| sent.join().expect("no panic")).collect()
        });
        assert_eq!(answers[0].body, answers[1].body, "{key}");
        assert_eq!(answers[0].status, 201, "{:?}", answers[0]);
    }
    assert_eq!(balance(&mut shop.connect(&nodes[1]), &card.number), 100_000 - 500);
}

#[test]
fn a_changed_client_is_known_on_every_node() {
    let shop = shop();
    let nodes = [shop.serve(), shop.serve()];
    let mut office = shop.connect(&nodes[0]);
    for round in 0..5 {
        let body = json!({ "name": format!("till {round}"), "scopes": ["cards_read"] });
        let made = office.post("/v1/clients", None, &body).expect("an answer").body;
        let secret = made["secret"].as_str().expect("a secret");
        let mut till = Connection::open(nodes[1].address, secret).expect("it listens");
        let mut status = || till.get("/v1/operations").expect("an answer").status;
        let known = until(SEEN_WITHIN, "the new client is let in", || status() == 200);
        let path = format!("/v1/clients/{}", made["client"]["id"].as_str().expect("an id"));
        let closed = office.patch(&path, &json!({ "version": 1, "status": "closed" })).expect("an answer");
        assert_eq!(closed.status, 200, "{closed:?}");
        let refused = until(SEEN_WITHIN, "the closed client is refused", || status() == 401);
        println!("known after {known:?}, refused after {refused:?}");
    }
}

/// How long a node may go by what it has read of a session. What is asked later than that is answered by what
/// another node has done, however slow the machine is: it is counted from when the request is sent.
const SESSION_CACHED: Duration = Duration::from_secs(2);

/// Asks until the answer is another one, and says how long after `changed` it was asked that last was answered as
/// before.
fn refused_within(changed: Instant, what: &str, mut status: impl FnMut() -> u16) -> u16 {
    let mut allowed = Duration::ZERO;
    loop {
        let asked = changed.elapsed();
        match status() {
            200 => allowed = asked,
            refused => {
                println!("{what}: last let in {allowed:?} after the change");
                assert!(allowed <= SESSION_CACHED, "{what}: let in {allowed:?} after the change");
                return refused;
            }
        }
        assert!(asked < SEEN_WITHIN, "{what}: never refused");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_ends_a_session_at_one_node_ends_it_at_every_node() {
    let shop = shop();
    let clerk = make_user(&shop.sandbox, "clerk", "auditor");
    let nodes = [shop.serve(), shop.serve()];
    let (here, codes, _) = Browser::enrol(nodes[0].address, "clerk");
    let [mut one, mut two] =
        [0, 1].map(|n: usize| Connection::open(nodes[n].address, "").expect("it listens"));
    // Revoked by the person himself, from another session of his.
    let stolen = Browser::again(nodes[1].address, "clerk", &codes[0]);
    assert_eq!(stolen.get(&mut two, "/v1/merchants").status, 200, "known and remembered there");
    let list = here.get(&mut one, "/v1/sessions").body;
    let items = list["items"].as_array().expect("items").iter();
    let id = items
        .filter(|item| item["current"] == false)
        .find_map(|item| item["id"].as_str())
        .expect("the other");
    assert_eq!(here.delete(&mut one, &format!("/v1/sessions/{id}")).status, 204);
    let status = refused_within(Instant::now(), "revoked", || stolen.get(&mut two, "/v1/merchants").status);
    assert_eq!(status, 401);
    assert_eq!(here.get(&mut two, "/v1/merchants").status, 200, "the one that revoked it lives");
    // Ended because an administrator gave the person another role.
    let path = format!("/v1/users/{clerk}");
    let change = json!({ "version": 1, "roles": ["customer_service"] });
    let changed = shop.connect(&nodes[0]).patch(&path, &change).expect("an answer");
    assert_eq!(changed.status, 200, "{changed:?}");
    let status = refused_within(Instant::now(), "moved", || here.get(&mut two, "/v1/merchants").status);
    assert_eq!(status, 401);
    // And because he is let in no more.
    let third = Browser::again(nodes[1].address, "clerk", &codes[1]);
    assert_eq!(third.get(&mut two, "/v1/merchants").status, 200);
    let closed = shop.connect(&nodes[0]).patch(&path, &json!({ "version": 2, "status": "closed" }));
    assert_eq!(closed.expect("an answer").status, 200);
    let status = refused_within(Instant::now(), "dismissed", || third.get(&mut two, "/v1/merchants").status);
    assert_eq!(status, 401);
}

#[test]
fn a_permission_taken_from_a_role_is_gone_at_every_node() {
    let shop = shop();
    let clerk = make_user(&shop.sandbox, "clerk", "auditor");
    let nodes = [shop.serve(), shop.serve()];
    let mut office = shop.connect(&nodes[0]);
    let role = json!({
        "code": "reader", "name_zh": "查看", "name_en": "Reader", "permissions": ["catalog_read", "cards_read"],
        "limits": {},
    });
    let made = office.post("/v1/roles", None, &role).expect("an answer");
    assert_eq!(made.status, 201, "{made:?}");
    let change = json!({ "version": 1, "roles": ["reader"] });
    let changed = office.patch(&format!("/v1/users/{clerk}"), &change).expect("an answer");
    assert_eq!(changed.status, 200, "{changed:?}");
    let (browser, ..) = Browser::enrol(nodes[1].address, "clerk");
    let mut line = Connection::open(nodes[1].address, "").expect("it listens");
    assert_eq!(browser.get(&mut line, "/v1/operations").status, 200);
    let mut less = role;
    (less["version"], less["permissions"]) = (json!(1), json!(["catalog_read"]));
    let id = made.body["id"].as_str().expect("an id");
    let put = office.put(&format!("/v1/roles/{id}"), &less).expect("an answer");
    assert_eq!(put.status, 200, "{put:?}");
    let status = refused_within(Instant::now(), "less", || browser.get(&mut line, "/v1/operations").status);
    assert!([401, 403].contains(&status), "{status}");
    let changed = office.patch(&format!("/v1/users/{clerk}"), &json!({ "version": 2, "roles": ["auditor"] }));
    assert_eq!(changed.expect("an answer").status, 200);
}

#[test]
fn a_client_made_by_the_command_is_known_to_running_nodes() {
    let shop = shop();
    let node = shop.serve();
    let made = shop.sandbox.json(&["client", "create", "--name", "late", "--scopes", "cards_read"]);
    let mut till = node.connect(made["secret"].as_str().expect("a secret"));
    until(SEEN_WITHIN, "the new client is let in", || {
        till.get("/v1/operations").expect("an answer").status == 200
    });
    shop.sandbox.run(&["keys", "rotate"]).refused(2, "stop them first");
}

#[test]
fn a_client_gets_one_rate_from_all_nodes() {
    let shop = shop();
    let nodes = [shop.serve(), shop.serve()];
    // The second node is known to the first within seconds; the rate holds before that too.
    let (rate, seconds) = (20_u32, 6_u32);
    let body = json!({ "name": "eager", "scopes": ["cards_read"], "rate_per_second": rate });
    let made = shop.connect(&nodes[0]).post("/v1/clients", None, &body).expect("an answer").body;
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    thread::sleep(Duration::from_secs(2));
    let began = Instant::now();
    let admitted: u32 = thread::scope(|scope| {
        let asking: Vec<_> = nodes
            .iter()
            .map(|node| {
                let mut till = Connection::open(node.address, &secret).expect("it listens");
                scope.spawn(move || {
                    let mut admitted = 0;
                    while began.elapsed() < Duration::from_secs(seconds.into()) {
                        match till.get("/v1/operations").expect("an answer").status {
                            200 => admitted += 1,
                            status => assert_eq!(status, 429),
                        }
                        thread::sleep(Duration::from_millis(2));
                    }
                    admitted
                })
            })
            .collect();
        asking.into_iter().map(|asking| asking.join().expect("no panic")).sum()
    });
    let alone = rate * seconds;
    println!("{admitted} admitted in {seconds} seconds at {rate} a second");
    assert!(admitted >= alone * 8 / 10, "{admitted}: a client gets its rate");
    assert!(admitted <= alone + 4 * rate, "{admitted}: but not once from each node");
}

#[test]
fn a_node_killed_in_a_batch_loses_and_doubles_nothing() {
    let shop = shop();
    let mut nodes = vec![shop.serve(), shop.serve()];
    let survivor = nodes[1].address;
    let sales = Sales::new(&shop, &[nodes[0].address, survivor]);
    sales.sell_during(8, || {
        thread::sleep(Duration::from_millis(1500));
        nodes.remove(0).kill_hard();
        thread::sleep(Duration::from_millis(1500));
    });
    assert!(sales.count() > 100, "{} sales", sales.count());
    let longest = sales.check(survivor);
    println!("{} sales, {:?} sent again, the longest took {longest:?}", sales.count(), sales.repeated);
    shop.sandbox.verify();
}

#[test]
fn a_frozen_node_that_wakes_up_doubles_nothing() {
    let shop = shop();
    let nodes = [shop.serve(), shop.serve()];
    let sales = Sales::new(&shop, &[nodes[0].address, nodes[1].address]);
    sales.sell_during(4, || {
        thread::sleep(Duration::from_millis(500));
        nodes[0].signal(Signal::STOP);
        thread::sleep(Duration::from_secs(3));
        nodes[0].signal(Signal::CONT);
        thread::sleep(Duration::from_millis(500));
    });
    sales.check(nodes[1].address);
    shop.sandbox.verify();
}

#[test]
fn a_database_restarted_under_load_loses_and_doubles_nothing() {
    let options = Options { durability: Durability::Real, ..Options::default() };
    let cluster = Cluster::start(&options).expect("a cluster");
    let shop = Shop::on(Sandbox::at(cluster.create_database()));
    let nodes = [shop.serve(), shop.serve()];
    let sales = Sales::new(&shop, &[nodes[0].address, nodes[1].address]);
    sales.sell_during(8, || {
        thread::sleep(Duration::from_secs(1));
        cluster.restart().expect("restarted");
        thread::sleep(Duration::from_secs(1));
        cluster.kill();
        cluster.start_again().expect("recovered");
        let before = sales.count();
        until(Duration::from_secs(30), "sales go on", || sales.count() > before + 50);
    });
    let longest = sales.check(nodes[0].address);
    println!("{} sales, {:?} sent again, the longest took {longest:?}", sales.count(), sales.repeated);
    shop.sandbox.verify();
    drop(nodes);
}

#[test]
fn nodes_have_numbers_of_their_own_and_give_them_back() {
    let url = Cluster::shared().create_database();
    let name = url.rsplit('/').next().expect("a name").to_owned();
    let lent = || {
        let sql = "SELECT number FROM node WHERE expires_at > extract(epoch FROM clock_timestamp()) * 1000000 \
                   ORDER BY number";
        let out = Cluster::shared().psql(&name, sql).expect("an answer");
        out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let jobs = || {
        let sql = "SELECT count(*) FROM job_lease WHERE expires_at > extract(epoch FROM clock_timestamp()) * 1000000";
        Cluster::shared().psql(&name, sql).expect("an answer")
    };
    let shop = Shop::on(Sandbox::at(url));
    assert!(lent().is_empty(), "commands give their numbers back: {:?}", lent());
    let (first, second) = (shop.serve(), shop.serve());
    assert_eq!(lent(), ["0", "1"]);
    until(Duration::from_secs(10), "jobs run", || jobs() != "0");
    let ids: HashSet<String> = [&first, &second]
        .map(|node| {
            let made =
                shop.connect(node).post("/v1/merchants", None, &json!({ "name": "m" })).expect("an answer");
            made.body["id"].as_str().expect("an id").to_owned()
        })
        .into();
    assert_eq!(ids.len(), 2);
    assert_eq!(first.terminate(), Some(0));
    assert_eq!(lent(), ["1"], "given back at once");
    assert_eq!(second.terminate(), Some(0));
    assert!(lent().is_empty());
    assert_eq!(jobs(), "0", "and so are the leases of jobs");
    let third: Server = shop.serve();
    assert_eq!(lent(), ["0"]);
    third.kill_hard();
    let fourth = shop.serve();
    assert_eq!(lent(), ["0", "1"], "the number of a node that died is not free before its time");
    drop(fourth);
}
