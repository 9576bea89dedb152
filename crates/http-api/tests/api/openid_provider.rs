//! A small OpenID provider: description, keys, the page to sign in at and the exchange of codes, with a key of its own.
//! It speaks over a real socket, and misbehaves as it is told to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

pub(crate) const CLIENT: &str = "hexiao";
pub(crate) const SECRET: &str = "kettle-of-moss:&=%";

/// How it misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not.
    #[default]
    None,
    /// No answer for ever, wherever it is asked.
    Hangs,
    /// The same, only for codes.
    HangsAtCodes,
    /// A description of a mebibyte.
    Oversized,
    /// An answer to a code of a mebibyte.
    OversizedAtCodes,
    /// Leads elsewhere instead of describing itself.
    Redirects,
    /// Calls itself otherwise.
    Misnamed,
    /// Takes no code.
    RefusesCodes,
    /// Signs with a key that it does not publish, under the name of one that it does.
    ForgesSignature,
    /// Says that no signature is needed.
    Unsigned,
    /// Signs with our secret, as with HS256.
    SignsWithSecret,
}

/// A sign-in that it knows of.
struct Asked {
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

struct Inner {
    url: String,
    fault: Fault,
    key: EcdsaKeyPair,
    key_id: String,
    descriptions_asked: u32,
    keys_asked: u32,
    now: i64,
    claims: Value,
    codes: HashMap<String, Asked>,
}

/// The provider.
#[derive(Clone)]
pub(crate) struct Provider(Arc<Mutex<Inner>>);

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).expect("a key")
}

fn encoded(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

impl Provider {
    /// One that runs until the test ends, at this moment in seconds.
    pub(crate) async fn start(now: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let provider = Self(Arc::new(Mutex::new(Inner {
            url,
            fault: Fault::None,
            key: new_key(),
            key_id: "first".to_owned(),
            descriptions_asked: 0,
            keys_asked: 0,
            now,
            claims: json!({}),
            codes: HashMap::new(),
        })));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(exchange))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("whole")
    }

    pub(crate) fn url(&self) -> String {
        self.inner().url.clone()
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.inner().fault = fault;
    }

    /// What its tokens say from now on, beside what they have to.
    pub(crate) fn say(&self, claims: Value) {
        self.inner().claims = claims;
    }

    /// Exchanges its key.
    pub(crate) fn rotate(&self, key_id: &str) {
        let mut inner = self.inner();
        inner.key = new_key();
        key_id.clone_into(&mut inner.key_id);
    }

    pub(crate) fn set_time(&self, now: i64) {
        self.inner().now = now;
    }

    pub(crate) fn descriptions_asked(&self) -> u32 {
        self.inner().descriptions_asked
    }

    pub(crate) fn keys_asked(&self) -> u32 {
        self.inner().keys_asked
    }

    /// Signs somebody in who was sent here: the code and the state that he is sent back with.
    pub(crate) fn sign_in(&self, authorize_url: &str) -> (String, String) {
        let (page, query) = authorize_url.split_once('?').expect("a query");
        assert_eq!(page, format!("{}/authorize", self.url()));
        let given: HashMap<String, String> = serde_urlencoded(query);
        let get = |name: &str| given.get(name).unwrap_or_else(|| panic!("{name} in {query}")).clone();
        assert_eq!(get("response_type"), "code");
        assert_eq!(get("client_id"), CLIENT);
        assert_eq!(get("code_challenge_method"), "S256");
        assert!(get("scope").split(' ').any(|scope| scope == "openid"));
        let mut inner = self.inner();
        let code = format!("code-{}", inner.codes.len());
        let asked = Asked {
            nonce: get("nonce"),
            challenge: get("code_challenge"),
            redirect_uri: get("redirect_uri"),
        };
        inner.codes.insert(code.clone(), asked);
        (code, get("state"))
    }
}

/// The pairs of a query.
pub(crate) fn serde_urlencoded(query: &str) -> HashMap<String, String> {
    let uri = format!("/?{query}").parse().expect("a query");
    axum::extract::Query::<HashMap<String, String>>::try_from_uri(&uri).expect("pairs").0
}

async fn describe(State(provider): State<Provider>) -> Response {
    let (url, fault) = {
        let mut inner = provider.inner();
        inner.descriptions_asked += 1;
        (inner.url.clone(), inner.fault)
    };
    match fault {
        Fault::Hangs => std::future::pending::<()>().await,
        Fault::Redirects => {
            return (StatusCode::FOUND, [("location", format!("{url}/keys"))]).into_response();
        }
        Fault::Oversized => return "x".repeat(1 << 20).into_response(),
        _ => {}
    }
    let own = if fault == Fault::Misnamed { "https://id.example.com".to_owned() } else { url.clone() };
    Json(json!({
        "issuer": own,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
    }))
    .into_response()
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    let mut inner = provider.inner();
    inner.keys_asked += 1;
    let point = inner.key.public_key().as_ref();
    let key = json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": inner.key_id,
        "x": encoded(&point[1..33]), "y": encoded(&point[33..65]),
    });
    // One of a kind that nobody knows must not spoil the others.
    Json(json!({"keys": [{"kty": "XX", "kid": "other"}, key]}))
}

async fn exchange(State(provider): State<Provider>, headers: HeaderMap, body: String) -> Response {
    let form = serde_urlencoded(&body);
    let fault = provider.inner().fault;
    match fault {
        Fault::Hangs | Fault::HangsAtCodes => {
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
        Fault::OversizedAtCodes => return "x".repeat(1 << 20).into_response(),
        _ => {}
    }
    let refused = || (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    let asked = form.get("code").and_then(|code| provider.inner().codes.remove(code));
    let Some(asked) = asked.filter(|_| fault != Fault::RefusesCodes) else { return refused() };
    let basic = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let basic = Base64::decode_vec(basic.trim_start_matches("Basic ")).unwrap_or_default();
    let basic = String::from_utf8(basic).unwrap_or_default();
    let (client, secret) = basic.split_once(':').unwrap_or_default();
    let secret = serde_urlencoded(&format!("secret={secret}")).remove("secret");
    let verifier = form.get("code_verifier").map(String::as_bytes).unwrap_or_default();
    if client != CLIENT
        || secret.as_deref() != Some(SECRET)
        || encoded(&Sha256::digest(verifier)) != asked.challenge
        || form.get("redirect_uri") != Some(&asked.redirect_uri)
        || form.get("grant_type").map(String::as_str) != Some("authorization_code")
    {
        return refused();
    }
    let token = id_token(&provider.inner(), &asked.nonce);
    Json(json!({"access_token": "unused", "token_type": "Bearer", "expires_in": 60, "id_token": token}))
        .into_response()
}

fn id_token(inner: &Inner, nonce: &str) -> String {
    let mut claims = json!({
        "iss": inner.url, "sub": "s-1", "aud": CLIENT, "nonce": nonce, "iat": inner.now, "exp": inner.now + 300,
    });
    for (name, value) in inner.claims.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    let alg = match inner.fault {
        Fault::Unsigned => "none",
        Fault::SignsWithSecret => "HS256",
        _ => "ES256",
    };
    let head = json!({"alg": alg, "typ": "JWT", "kid": inner.key_id});
    let text = format!("{}.{}", encoded(head.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
    let random = SystemRandom::new();
    let signature = match inner.fault {
        Fault::Unsigned => Vec::new(),
        Fault::SignsWithSecret => {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
            ring::hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
        }
        Fault::ForgesSignature => new_key().sign(&random, text.as_bytes()).expect("signed").as_ref().to_vec(),
        _ => inner.key.sign(&random, text.as_bytes()).expect("signed").as_ref().to_vec(),
    };
    format!("{text}.{}", encoded(&signature))
}
