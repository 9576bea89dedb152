//! What providers say of themselves (OpenID Connect Discovery 1.0), kept for an hour.
//!
//! One request at a time asks a provider, and the others wait for its answer: they wait at most as long as one answer
//! takes, because a failure is kept too, for some seconds. Keys that are not known are asked for again, but not more
//! often than every half minute, so that tokens with made-up key ids cannot be turned into requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::Timestamp;
use openidconnect::{
    IssuerUrl,
    core::{CoreJsonWebKeySet, CoreProviderMetadata},
};
use tokio::sync::Semaphore;

use crate::{OpenIdError, address, http::Http};

/// Providers that are kept.
const MOST: usize = 256;
const KEPT_SECONDS: i64 = 3600;
const KEYS_AGAIN_SECONDS: i64 = 30;
const FAILURE_KEPT_SECONDS: i64 = 5;
/// Exchanges of codes with one provider at once.
const AT_ONCE: usize = 16;

/// What is known of all providers.
#[derive(Default)]
pub(crate) struct Directory {
    entries: Mutex<HashMap<String, Arc<Entry>>>,
}

/// What is known of one.
pub(crate) struct Entry {
    known: tokio::sync::Mutex<Known>,
    /// Bounds what is asked of it at once.
    pub(crate) turns: Semaphore,
}

impl Default for Entry {
    fn default() -> Self {
        Self { known: tokio::sync::Mutex::default(), turns: Semaphore::new(AT_ONCE) }
    }
}

#[derive(Default)]
struct Known {
    metadata: Option<Arc<CoreProviderMetadata>>,
    fetched_at: Option<Timestamp>,
    keys_fetched_at: Option<Timestamp>,
    failed: Option<(Timestamp, OpenIdError)>,
}

fn is_within(since: Option<Timestamp>, now: Timestamp, seconds: i64) -> bool {
    // A clock that was set back makes nothing fresh for ever.
    since.is_some_and(|since| since.plus_seconds(-seconds) < now && now < since.plus_seconds(seconds))
}

impl Directory {
    /// What is known of a provider.
    pub(crate) fn entry(&self, issuer: &str) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST && !entries.contains_key(issuer) {
            // Whoever is in use keeps his entry; the others ask again.
            entries.clear();
        }
        Arc::clone(entries.entry(issuer.to_owned()).or_default())
    }
}

impl Entry {
    /// The provider's description, with its keys.
    pub(crate) async fn metadata(
        &self,
        issuer: &str,
        http: &Http,
        loopback_allowed: bool,
        now: Timestamp,
    ) -> Result<Arc<CoreProviderMetadata>, OpenIdError> {
        let mut known = self.known.lock().await;
        if let Some(metadata) = &known.metadata
            && is_within(known.fetched_at, now, KEPT_SECONDS)
        {
            return Ok(Arc::clone(metadata));
        }
        if let Some((at, error)) = known.failed
            && is_within(Some(at), now, FAILURE_KEPT_SECONDS)
        {
            return Err(error);
        }
        match described(issuer, http, loopback_allowed).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Known {
                    metadata: Some(Arc::clone(&metadata)),
                    fetched_at: Some(now),
                    keys_fetched_at: Some(now),
                    failed: None,
                };
                Ok(metadata)
            }
            Err(error) => {
                known.failed = Some((now, error));
                Err(error)
            }
        }
    }

    /// The description with keys that are newer than what the caller has, if that may be asked for again.
    pub(crate) async fn with_fresh_keys(
        &self,
        stale: &Arc<CoreProviderMetadata>,
        http: &Http,
        now: Timestamp,
    ) -> Result<Option<Arc<CoreProviderMetadata>>, OpenIdError> {
        let mut known = self.known.lock().await;
        if let Some(metadata) = &known.metadata
            && !Arc::ptr_eq(metadata, stale)
        {
            return Ok(Some(Arc::clone(metadata)));
        }
        if is_within(known.keys_fetched_at, now, KEYS_AGAIN_SECONDS) {
            return Ok(None);
        }
        known.keys_fetched_at = Some(now);
        let keys = keys_of(stale, http).await?;
        let metadata = Arc::new(CoreProviderMetadata::clone(stale).set_jwks(keys));
        known.metadata = Some(Arc::clone(&metadata));
        Ok(Some(metadata))
    }
}

async fn described(
    issuer: &str,
    http: &Http,
    loopback_allowed: bool,
) -> Result<CoreProviderMetadata, OpenIdError> {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let body = http.get(&url).await?;
    let metadata: CoreProviderMetadata = serde_json::from_slice(&body)
        .map_err(|_| OpenIdError::Refused("its description is not one of OpenID Connect"))?;
    let own = IssuerUrl::new(issuer.to_owned()).map_err(|_| OpenIdError::Refused("its address is none"))?;
    if *metadata.issuer() != own {
        return Err(OpenIdError::Refused(
            "it calls itself otherwise; enter its issuer exactly as it does, with or without the last /",
        ));
    }
    // Somebody is sent there: nothing but a page of the web will do.
    if address::parse(metadata.authorization_endpoint().as_str(), loopback_allowed).is_err() {
        return Err(OpenIdError::Refused("the page to sign in at is not of https"));
    }
    let keys = keys_of(&metadata, http).await?;
    Ok(metadata.set_jwks(keys))
}

async fn keys_of(metadata: &CoreProviderMetadata, http: &Http) -> Result<CoreJsonWebKeySet, OpenIdError> {
    let body = http.get(metadata.jwks_uri().as_str()).await?;
    serde_json::from_slice(&body).map_err(|_| OpenIdError::Refused("its keys are not a JSON Web Key Set"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded() {
        let directory = Directory::default();
        for number in 0..3 * MOST {
            directory.entry(&format!("https://id-{number}.example.com"));
            assert!(directory.entries.lock().expect("whole").len() <= MOST);
        }
        let one = directory.entry("https://id.example.com");
        assert!(Arc::ptr_eq(&one, &directory.entry("https://id.example.com")));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nothing_for_ever() {
        let at = |seconds: i64| Timestamp::from_micros(0).plus_seconds(seconds);
        for (since, now, expect) in [
            (None, 0, false),
            (Some(100), 100, true),
            (Some(100), 109, true),
            (Some(100), 110, false),
            (Some(100), 95, true),
            (Some(100), 90, false),
        ] {
            assert_eq!(is_within(since.map(at), at(now), 10), expect, "{since:?} {now}");
        }
    }
}
