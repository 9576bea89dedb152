//! What every request needs: the engine, the limits, and how this server runs.

use std::{
    ops::Deref,
    sync::{Arc, Weak, atomic::AtomicBool},
    time::Duration,
};

use domain::Timestamp;
use engine::{Engine, Membership};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    address_limit::{AddressLimiter, AddressLimits, Proxies},
    dashboard::Dashboard,
    gate::RequestIds,
    lookup_limit::{LookupLimiter, LookupLimits},
    rate_limit::ClientLimiter,
    routes::service_state::jobs::JobReport,
    settlement_runs::SettlementRuns,
    shared_limits,
    wallet_limit::{WalletLimiter, WalletLimits},
};

/// How the interface runs.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone)]
pub struct Options {
    /// The largest body, in bytes.
    pub max_body: usize,
    /// The largest body of `/v1/redemptions/batch`, in bytes.
    pub max_batch_body: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long an answer of the engine is waited for.
    pub answer_timeout: Duration,
    /// Where `/metrics` takes its text from; without it, the route answers 404.
    pub metrics: Option<PrometheusHandle>,
    /// Whether `/metrics` asks for a client with the scope `ledger_read` or `platform`. It shows rates
    /// and counts, never numbers, names or secrets.
    pub metrics_protected: bool,
    /// Limits on looking cards up by number.
    pub lookups: LookupLimits,
    /// Limits on strangers, by address.
    pub addresses: AddressLimits,
    /// Limits on what happens at the wallet.
    pub wallet: WalletLimits,
    /// Proxies whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<Proxies>,
    /// This process's part among several nodes on one database. Limits are shared with the others, and
    /// nothing is taken in while the membership is not certain. None: this process is alone.
    pub membership: Option<Membership>,
    /// Set when the process is about to stop: `/readyz` says so, so that no new requests are sent here, and
    /// those that come are still answered.
    pub leaving: Arc<AtomicBool>,
    /// Called when a batch was asked for, so that the job that makes cards need not wait for its turn.
    pub wake_issuing: Option<Arc<dyn Fn() + Send + Sync>>,
    /// What sends sign-in codes to card holders; without it they are kept where a demonstration shows them.
    pub code_sender: Option<Arc<dyn wallet::CodeSender>>,
    /// How people sign in.
    pub sign_in: identity::Policy,
    /// Second factors beside one-time passwords and passkeys.
    pub second_factors: Vec<Arc<dyn identity::SecondFactor>>,
    /// Where browsers find this server, such as `https://cards.example.com`: identity providers lead people back there.
    pub origin: String,
    /// How long one answer of an identity provider may take.
    pub provider_timeout: Duration,
    /// Whether identity providers on this machine may speak http: for demos and tests.
    pub providers_on_loopback: bool,
    /// Where browsers find this server, as far as passkeys are good there; the first is the main one.
    pub passkey_origins: Vec<passkeys::WebOrigin>,
    /// Whether this is a demo, so that its pages can say so.
    pub demo: bool,
    /// The screens.
    pub screens: Arc<console::Site>,
    /// Tells how the jobs of this process are.
    pub jobs: Option<Arc<dyn Fn() -> Vec<JobReport> + Send + Sync>>,
    /// Whether to follow the log for the dashboard from the start, rather than when somebody first looks.
    pub follow_log: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_body: 256 * 1024,
            max_batch_body: 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            metrics: None,
            metrics_protected: false,
            lookups: LookupLimits::default(),
            addresses: AddressLimits::default(),
            wallet: WalletLimits::default(),
            trusted_proxies: Vec::new(),
            membership: None,
            leaving: Arc::default(),
            wake_issuing: None,
            code_sender: None,
            sign_in: identity::Policy::default(),
            second_factors: Vec::new(),
            origin: "http://localhost".to_owned(),
            provider_timeout: Duration::from_secs(4),
            providers_on_loopback: false,
            passkey_origins: Vec::new(),
            demo: false,
            screens: Arc::new(console::Site::built_in()),
            jobs: None,
            follow_log: false,
        }
    }
}

impl Options {
    /// Where identity providers lead people back to.
    pub(crate) fn redirect_uri(&self) -> String {
        format!("{}/v1/sessions/openid/callback", self.origin.trim_end_matches('/'))
    }
}

/// Files that are taken in at once.
const UPLOADS: usize = 2;

/// The state of the routes. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

/// What [`AppState`] holds.
pub struct Inner {
    pub(crate) engine: Engine,
    pub(crate) identity: identity::Identity,
    pub(crate) passkeys: passkeys::Passkeys,
    /// Asks identity providers.
    pub(crate) openid: openid::OpenId,
    pub(crate) options: Options,
    pub(crate) clients: ClientLimiter,
    pub(crate) lookups: LookupLimiter,
    pub(crate) addresses: AddressLimiter,
    pub(crate) wallet: wallet::Wallet,
    pub(crate) wallet_limits: WalletLimiter,
    pub(crate) request_ids: RequestIds,
    pub(crate) misuse: crate::trail::Misuse,
    pub(crate) reconciler: finance::reconciliation::Reconciler,
    pub(crate) dashboard: Dashboard,
    /// When this process began.
    pub(crate) started_at: Timestamp,
    /// Files that are being sent: each is on disk as it arrives.
    pub(crate) uploads: Arc<tokio::sync::Semaphore>,
    /// Settlement runs that were asked for.
    pub(crate) settlement_runs: SettlementRuns,
}

impl AppState {
    /// The state of an interface to this engine. With a membership, begins to share limits.
    pub fn new(engine: Engine, options: Options) -> Self {
        let mut factors = options.second_factors.clone();
        factors.push(Arc::new(passkeys::PasskeyFactor::new(Arc::clone(engine.store()) as _)));
        let identity = identity::Identity::new(engine.clone(), options.sign_in, factors);
        let origins = options.passkey_origins.clone();
        let passkeys = passkeys::Passkeys::new(engine.clone(), identity.clone(), origins);
        let openid = openid::OpenId::new(openid::Settings {
            redirect_uri: options.redirect_uri(),
            timeout: options.provider_timeout,
            loopback_allowed: options.providers_on_loopback,
        });
        let lookups = LookupLimiter::new(options.lookups);
        let addresses = AddressLimiter::new(options.addresses);
        let wallet = match &options.code_sender {
            Some(sender) => wallet::Wallet::new(engine.clone(), Arc::clone(sender)),
            None => wallet::Wallet::with_outbox(engine.clone()),
        };
        let wallet_limits = WalletLimiter::new(options.wallet);
        let request_ids = RequestIds::starting_at(engine.next_id());
        let clients = ClientLimiter::default();
        let reconciler = finance::reconciliation::Reconciler::new(engine.clone());
        let uploads = Arc::new(tokio::sync::Semaphore::new(UPLOADS));
        let dashboard = Dashboard::new(Arc::clone(engine.store()));
        let started_at = engine.now();
        let state = Self(Arc::new(Inner {
            dashboard,
            misuse: crate::trail::Misuse::default(),
            started_at,
            engine,
            identity,
            passkeys,
            openid,
            options,
            clients,
            lookups,
            addresses,
            wallet,
            wallet_limits,
            request_ids,
            reconciler,
            uploads,
            settlement_runs: SettlementRuns::default(),
        }));
        shared_limits::start(&state);
        if state.options.follow_log {
            crate::dashboard::follow(&state);
        }
        crate::routes::approvals::execute::start(&state);
        state
    }

    /// The state that was kept in this way.
    pub(crate) fn of(inner: Arc<Inner>) -> Self {
        Self(inner)
    }

    /// People.
    pub fn identity(&self) -> &identity::Identity {
        &self.0.identity
    }

    /// The state without keeping it.
    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }
}

impl Inner {
    /// Nodes among which limits are shared.
    pub(crate) fn nodes(&self) -> u16 {
        self.options.membership.as_ref().map_or(1, Membership::nodes)
    }

    /// Whether this node may take requests in.
    pub(crate) fn is_member(&self) -> bool {
        self.options.membership.as_ref().is_none_or(Membership::is_current)
    }
}

impl Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
