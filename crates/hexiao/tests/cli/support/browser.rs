//! A person in front of a browser: a cookie, and the token that our pages know.

use std::{net::SocketAddr, process::Stdio};

use identity::totp;
use serde_json::{Value, json};

use super::{Answer, Connection, Sandbox};

pub(crate) const PASSWORD: &str = "tr4vel-kettle-moss";

/// Makes a user with [`PASSWORD`], and returns his id. No server runs on a file meanwhile.
pub(crate) fn make_user(sandbox: &Sandbox, login: &str, role: &str) -> String {
    use std::io::Write;
    let args =
        ["users", "create", "--login", login, "--name", login, "--role", role, "--password-stdin", "--json"];
    let mut child = sandbox
        .command(&args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    writeln!(child.stdin.take().expect("its input"), "{PASSWORD}").expect("it reads");
    let done = child.wait_with_output().expect("it ends");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let made: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    made["user"].as_str().expect("an id").to_owned()
}

/// A session.
#[derive(Clone)]
pub(crate) struct Browser {
    cookie: String,
    csrf: String,
}

impl Browser {
    /// Signs somebody in for the first time, with one-time passwords. The recovery codes open further sessions without
    /// waiting for the next one-time password; the secret makes those.
    pub(crate) fn enrol(node: SocketAddr, login: &str) -> (Self, Vec<String>, totp::Secret) {
        let mut line = Connection::open(node, "").expect("it listens");
        let begun = Self::begin(&mut line, login, "second_factor_enrolment_needed");
        let offer = begun.post(&mut line, "/v1/me/totp", &json!({}));
        assert_eq!(offer.status, 200, "{offer:?}");
        let secret = offer.body["secret"].as_str().and_then(totp::Secret::from_base32).expect("a secret");
        let code = totp::code_at(&secret, seconds()).to_string();
        let done = begun.post(&mut line, "/v1/me/totp/confirm", &json!({ "code": code }));
        assert_eq!(done.status, 200, "{done:?}");
        let codes = done.body["recovery_codes"].as_array().expect("codes");
        let codes = codes.iter().filter_map(|code| code.as_str().map(str::to_owned)).collect();
        (begun.completed(&mut line), codes, secret)
    }

    /// Signs in with a recovery code.
    pub(crate) fn again(node: SocketAddr, login: &str, recovery: &str) -> Self {
        Self::with(node, login, &json!({ "recovery_code": recovery }))
    }

    /// Signs in with this second factor.
    pub(crate) fn with(node: SocketAddr, login: &str, factor: &Value) -> Self {
        let mut line = Connection::open(node, "").expect("it listens");
        let begun = Self::begin(&mut line, login, "second_factor_needed");
        let done = begun.post(&mut line, "/v1/sessions/second-factor", factor);
        assert_eq!((done.status, &done.body["status"]), (200, &json!("complete")), "{done:?}");
        begun.completed(&mut line)
    }

    fn begin(line: &mut Connection, login: &str, expect: &str) -> Self {
        let body = json!({ "login": login, "password": PASSWORD }).to_string();
        let answer = line.send("POST", "/v1/sessions", "", &body).expect("an answer");
        assert_eq!((answer.status, &answer.body["status"]), (201, &json!(expect)), "{answer:?}");
        Self {
            cookie: line.cookie.take().expect("a cookie"),
            csrf: answer.body["csrf_token"].as_str().expect("a token").to_owned(),
        }
    }

    /// The session under the token that it has once it is complete.
    fn completed(self, line: &mut Connection) -> Self {
        let cookie = line.cookie.take().unwrap_or(self.cookie);
        let new = Self { cookie, csrf: String::new() };
        let session = new.get(line, "/v1/sessions/current");
        assert_eq!(session.status, 200, "{session:?}");
        Self { csrf: session.body["csrf_token"].as_str().expect("a token").to_owned(), ..new }
    }

    pub(crate) fn get(&self, line: &mut Connection, path: &str) -> Answer {
        self.call(line, "GET", path, "")
    }

    pub(crate) fn post(&self, line: &mut Connection, path: &str, body: &Value) -> Answer {
        self.call(line, "POST", path, &body.to_string())
    }

    pub(crate) fn delete(&self, line: &mut Connection, path: &str) -> Answer {
        self.call(line, "DELETE", path, "")
    }

    fn call(&self, line: &mut Connection, method: &str, path: &str, body: &str) -> Answer {
        let headers = format!("cookie: {}\r\nx-csrf-token: {}\r\n", self.cookie, self.csrf);
        line.send(method, path, &headers, body).expect("an answer")
    }
}

/// The time in seconds, as one-time passwords count it.
#[expect(clippy::disallowed_methods, reason = "an authenticator has the machine's clock")]
pub(crate) fn seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("seconds")
}
