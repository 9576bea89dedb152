//! The two steps of signing in: where to send somebody, and who he is when he comes back.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::Timestamp;
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, TokenResponse,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
        CoreJwsSigningAlgorithm, CoreProviderMetadata,
    },
};

use crate::{
    Flow, OpenIdError, Person,
    discovery::{Directory, Entry},
    http::{Failed, Http},
};

/// How far clocks may be apart.
const SKEW_SECONDS: i64 = 60;
/// A token that was issued for this sign-in is not older.
const OLDEST_SECONDS: i64 = 15 * 60;
/// The longest code that a provider may give.
const LONGEST_CODE: usize = 4096;

/// Signatures that are believed. None that the client's secret makes, and none at all is not among them.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// How providers are spoken to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where people come back to.
    pub redirect_uri: String,
    /// How long one answer of a provider may take.
    pub timeout: Duration,
    /// Whether providers on this machine may speak http: in demos and tests.
    pub loopback_allowed: bool,
}

/// A provider, and as whom it knows us.
pub struct Provider<'a> {
    /// Its name for itself.
    pub issuer: &'a str,
    /// Our name there.
    pub client_id: &'a str,
    /// What proves it.
    pub client_secret: &'a str,
}

impl std::fmt::Debug for Provider<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Provider(***)")
    }
}

/// The client of all providers.
pub struct OpenId {
    settings: Settings,
    http: Http,
    directory: Directory,
}

impl std::fmt::Debug for OpenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenId").field("settings", &self.settings).finish_non_exhaustive()
    }
}

type Ready = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl OpenId {
    /// A client with these settings.
    pub fn new(settings: Settings) -> Self {
        let http = Http::new(settings.timeout, settings.loopback_allowed);
        Self { settings, http, directory: Directory::default() }
    }

    /// Whether a provider may be entered with this address. Says what is wrong with it.
    pub fn check_issuer(&self, address: &str) -> Result<(), &'static str> {
        crate::address::check(address, self.settings.loopback_allowed)
    }

    /// Where to send somebody who signs in.
    pub async fn address(
        &self,
        provider: &Provider<'_>,
        flow: &Flow,
        now: Timestamp,
    ) -> Result<String, OpenIdError> {
        let entry = self.directory.entry(provider.issuer);
        let metadata = self.metadata(&entry, provider, now).await?;
        let client = self.client(&metadata, provider)?;
        let verifier = PkceCodeVerifier::new(flow.verifier().to_owned());
        let (state, nonce) = (flow.state().to_owned(), flow.nonce().to_owned());
        let (address, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(address.into())
    }

    /// Who somebody is who came back with this code.
    pub async fn person(
        &self,
        provider: &Provider<'_>,
        flow: &Flow,
        code: &str,
        now: Timestamp,
    ) -> Result<Person, OpenIdError> {
        if code.is_empty() || code.len() > LONGEST_CODE {
            return Err(OpenIdError::Refused("the code has to have 1 to 4096 characters"));
        }
        let entry = self.directory.entry(provider.issuer);
        let _turn = entry
            .turns
            .try_acquire()
            .map_err(|_| OpenIdError::Unreachable("too many people sign in through it at once"))?;
        let metadata = self.metadata(&entry, provider, now).await?;
        let client = self.client(&metadata, provider)?;
        let token = self.exchange(&client, flow, code).await?;
        match claims(&client, &token, flow, now) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey | SignatureVerificationError::CryptoError(_),
            )) => {
                // Keys may have been exchanged since they were fetched.
                let fresh = entry.with_fresh_keys(&metadata, &self.http, now).await?;
                let fresh = fresh.ok_or(OpenIdError::Refused("no key of it fits the signature"))?;
                let client = self.client(&fresh, provider)?;
                Person::of(claims(&client, &token, flow, now).map_err(|error| refused(&error))?)
            }
            judged => Person::of(judged.map_err(|error| refused(&error))?),
        }
    }

    async fn metadata(
        &self,
        entry: &Entry,
        provider: &Provider<'_>,
        now: Timestamp,
    ) -> Result<Arc<CoreProviderMetadata>, OpenIdError> {
        entry.metadata(provider.issuer, &self.http, self.settings.loopback_allowed, now).await
    }

    fn client(&self, metadata: &CoreProviderMetadata, provider: &Provider<'_>) -> Result<Ready, OpenIdError> {
        let back = RedirectUrl::new(self.settings.redirect_uri.clone())
            .map_err(|_| OpenIdError::Unreachable("this server's own address is none; see --origin"))?;
        let secret = ClientSecret::new(provider.client_secret.to_owned());
        let id = ClientId::new(provider.client_id.to_owned());
        let client =
            CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret)).set_redirect_uri(back);
        // Basic is what holds where nothing is said.
        let methods = metadata.token_endpoint_auth_methods_supported();
        let speaks_basic =
            methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        Ok(if speaks_basic { client } else { client.set_auth_type(AuthType::RequestBody) })
    }

    async fn exchange(&self, client: &Ready, flow: &Flow, code: &str) -> Result<CoreIdToken, OpenIdError> {
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| OpenIdError::Refused("its description names no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier().to_owned()));
        let answer = request.request_async(&self.http).await.map_err(|error| match error {
            RequestTokenError::Request(Failed(error)) => error,
            RequestTokenError::ServerResponse(_) => OpenIdError::Refused("it does not take the code"),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                OpenIdError::Refused("its answer to the code is none of OpenID Connect")
            }
        })?;
        answer.id_token().cloned().ok_or(OpenIdError::Refused("its answer has no ID token"))
    }
}

/// What a token says, if all of it holds: signature, issuer, audience, times and nonce.
fn claims<'a>(
    client: &Ready,
    token: &'a CoreIdToken,
    flow: &Flow,
    now: Timestamp,
) -> Result<&'a CoreIdTokenClaims, ClaimsVerificationError> {
    let at = move |seconds: i64| moment(now.plus_seconds(seconds));
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || at(-SKEW_SECONDS))
        .set_issue_time_verifier_fn(move |issued| {
            let fits = issued <= at(SKEW_SECONDS) && issued >= at(-OLDEST_SECONDS);
            if fits { Ok(()) } else { Err("issued at another time".to_owned()) }
        });
    token.claims(&verifier, &Nonce::new(flow.nonce().to_owned()))
}

fn moment(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.micros()).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// What is wrong with a token, without what it says.
fn refused(error: &ClaimsVerificationError) -> OpenIdError {
    use ClaimsVerificationError as E;
    OpenIdError::Refused(match error {
        E::Expired(_) => "the ID token has expired",
        E::InvalidAudience(_) => "the ID token is for somebody else",
        E::InvalidIssuer(_) => "the ID token is of somebody else",
        E::InvalidNonce(_) => "the ID token is of another sign-in",
        E::SignatureVerification(_) => "the signature of the ID token does not hold",
        _ => "the ID token does not hold",
    })
}
