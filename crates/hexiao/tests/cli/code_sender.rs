//! Sign-in codes on their way to a gateway: a real server, a real receiver, and somebody who signs in.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Answer, Connection, Sandbox, Server, Shop};

const SECRET: &str = "3f9b62f0c1d84e7aa5b0c9d2e4f60718";
const PHONE: &str = "13800138000";
const PATIENCE: Duration = Duration::from_secs(30);

/// What a gateway was sent.
struct Sent {
    headers: Vec<(String, String)>,
    body: String,
}

impl Sent {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map_or_else(|| panic!("no header {name}"), |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// As docs/wallet.md tells gateways to do it.
    fn is_signed(&self) -> bool {
        let (moment, sent) = self.header("hexiao-signature").split_once(",v1=").expect("two parts");
        let seconds = moment.strip_prefix("t=").expect("a moment");
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
        mac.update(format!("{seconds}.{}", self.body).as_bytes());
        let bytes: Vec<u8> = (0..sent.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&sent[at..at + 2], 16).expect("hexadecimal"))
            .collect();
        mac.verify_slice(&bytes).is_ok()
    }
}

/// Answers with these, the last one for ever.
fn gateway(answers: &'static [u16]) -> (SocketAddr, Receiver<Sent>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, received) = channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            let status = answers.get(number).or(answers.last()).copied().unwrap_or(200);
            let Some(sent) = read(BufReader::new(&stream)) else { continue };
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = (&stream).write_all(answer.as_bytes());
            if sender.send(sent).is_err() {
                return;
            }
        }
    });
    (address, received)
}

fn read(mut from: BufReader<&std::net::TcpStream>) -> Option<Sent> {
    let (mut headers, mut line) = (Vec::new(), String::new());
    from.read_line(&mut line).ok()?;
    assert_eq!(line.trim_end(), "POST /sms HTTP/1.1");
    loop {
        line.clear();
        from.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some(Sent { headers, body: String::from_utf8(body).ok()? })
}

fn serve(shop: &Shop, to: SocketAddr) -> Server {
    let url = format!("http://{to}/sms");
    let secret = PathBuf::from(SECRET);
    Server::start_in(&shop.sandbox, &["--code-sender", &url], &[("HEXIAO_CODE_SENDER_SECRET", &secret)])
}

fn ask(shop: &Shop, server: &Server) -> Answer {
    let mut line = Connection::open(server.address, "").expect("it listens");
    let body = json!({ "issuer": shop.issuer, "phone": PHONE }).to_string();
    line.send("POST", "/v1/wallet/codes", "", &body).expect("an answer")
}

fn sign_in(shop: &Shop, server: &Server, code: &str) -> u16 {
    let mut line = Connection::open(server.address, "").expect("it listens");
    let body = json!({ "issuer": shop.issuer, "phone": PHONE, "code": code }).to_string();
    line.send("POST", "/v1/wallet/sessions", "", &body).expect("an answer").status
}

fn job(shop: &Shop, server: &Server) -> Value {
    let jobs = shop.connect(server).get("/v1/service/jobs").expect("an answer").body;
    let found = jobs["items"].as_array().expect("jobs").iter().find(|job| job["name"] == "deliver_codes");
    found.unwrap_or_else(|| panic!("{jobs}")).clone()
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_code_reaches_the_gateway_signed_and_signs_in() {
    for sandbox in Sandbox::each() {
        let shop = Shop::on(sandbox);
        // The first attempt fails, and is tried again under the same id.
        let (address, sent) = gateway(&[503, 200]);
        let server = serve(&shop, address);
        assert_eq!(ask(&shop, &server).status, 202);
        let first = sent.recv_timeout(PATIENCE).expect("an attempt");
        let second = sent.recv_timeout(PATIENCE).expect("another attempt");
        for (attempt, sent) in [(1, &first), (2, &second)] {
            assert!(sent.is_signed(), "{:?}", sent.headers);
            let body = sent.json();
            assert_eq!((&body["phone"], &body["attempt"]), (&json!("+8613800138000"), &json!(attempt)));
            assert_eq!((&body["template"], &body["language"]), (&json!("sign_in"), &json!("zh-CN")));
            assert_eq!(body["issuer"], json!({ "id": shop.issuer, "name": "Shop" }));
            assert_eq!(body["id"], sent.header("idempotency-key"));
        }
        assert_eq!(
            (first.json()["code"].clone(), first.json()["id"].clone()),
            (second.json()["code"].clone(), second.json()["id"].clone())
        );
        let code = second.json()["code"].as_str().expect("a code").to_owned();
        assert_eq!(code.len(), 6);
        until("the job says that it delivered", || job(&shop, &server)["done"] == 1);
        let job = job(&shop, &server);
        assert_eq!((&job["status"], &job["failures"]), (&json!("ok"), &json!(1)), "{job}");
        let why = job["last_error"].as_str().expect("why");
        assert_eq!(why, "1 sign-in codes were not delivered: the gateway answered 503");
        assert_eq!(sign_in(&shop, &server, &code), 201);
        assert!(sent.try_recv().is_err(), "delivered once");
        assert_eq!(server.terminate(), Some(0));
    }
}

#[test]
fn a_gateway_that_refuses_is_not_asked_again_and_a_dead_one_loses_no_code() {
    let shop = Shop::new();
    let (address, sent) = gateway(&[400]);
    let server = serve(&shop, address);
    assert_eq!(ask(&shop, &server).status, 202, "who asks learns nothing of it");
    sent.recv_timeout(PATIENCE).expect("an attempt");
    until("the refusal is told", || job(&shop, &server)["failures"] == 1);
    thread::sleep(Duration::from_millis(2500));
    assert!(sent.try_recv().is_err(), "a refusal is final");
    assert_eq!(server.terminate(), Some(0));
    // Nobody listens: the code waits in the database, over a restart of the server too.
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let other = Shop::new();
    let server = serve(&other, nobody);
    assert_eq!(ask(&other, &server).status, 202);
    until("the failure is told", || job(&other, &server)["failures"].as_u64() >= Some(1));
    assert_eq!(server.terminate(), Some(0));
    let (address, sent) = gateway(&[200]);
    let server = serve(&other, address);
    let late = sent.recv_timeout(PATIENCE).expect("the code that waited");
    let code = late.json()["code"].as_str().expect("a code").to_owned();
    assert_eq!(sign_in(&other, &server, &code), 201);
}

#[test]
fn what_cannot_be_a_gateway_is_refused_at_once() {
    let sandbox = Sandbox::new();
    let serve = |url: &str, secret: Option<&str>| {
        let args = ["serve", "--listen", "127.0.0.1:0", "--code-sender", url];
        let mut command = sandbox.command(&args);
        if let Some(secret) = secret {
            command.env("HEXIAO_CODE_SENDER_SECRET", secret);
        }
        let done = command.output().expect("it runs");
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    for (url, secret, why) in [
        ("http://sms.example.com/send", Some(SECRET), "https only"),
        ("sms.example.com", Some(SECRET), "https://host/path"),
        ("http://127.0.0.1:9/sms", Some("short"), "16 to"),
        ("http://127.0.0.1:9/sms", None, "HEXIAO_CODE_SENDER_SECRET"),
    ] {
        let (code, err) = serve(url, secret);
        assert_eq!(code, Some(2), "{url}: {err}");
        assert!(err.contains(why), "{url}: {err}");
        assert!(!err.contains(SECRET), "{err}");
    }
}
