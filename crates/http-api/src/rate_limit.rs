//! Requests per second of each client, averaged, with bursts of as many.
//!
//! Kept by client and never by address: whoever has no key gets nowhere anyway, and an address out of
//! X-Forwarded-For is whatever the caller says it is.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, PoisonError, RwLock},
};

use domain::{ClientId, catalog::Client};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock};

use crate::error::{Code, Problem};

/// A limiter for each client of the catalog.
#[derive(Default)]
pub(crate) struct ClientLimiter {
    limiters: RwLock<HashMap<ClientId, Arc<Limited>>>,
}

struct Limited {
    rate: u32,
    limiter: DefaultDirectRateLimiter,
}

impl ClientLimiter {
    /// Counts a request.
    pub(crate) fn check(&self, client: &Client) -> Result<(), Problem> {
        let own = self.limiter_of(client);
        own.limiter.check().map_err(|not_until| {
            let wait = not_until.wait_time_from(governor::clock::DefaultClock::default().now());
            let detail = format!(
                "this client may send {} requests a second; wait, then send the same request again",
                own.rate
            );
            Problem::new(Code::RateLimited, detail).retry_after(wait.as_secs() + 1)
        })
    }

    fn limiter_of(&self, client: &Client) -> Arc<Limited> {
        let known = self.limiters.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(limited) = known.get(&client.id).filter(|l| l.rate == client.rate_per_second) {
            return Arc::clone(limited);
        }
        drop(known);
        let rate = NonZeroU32::new(client.rate_per_second).unwrap_or(NonZeroU32::MIN);
        let limited = Arc::new(Limited {
            rate: client.rate_per_second,
            limiter: RateLimiter::direct(Quota::per_second(rate)),
        });
        let mut known = self.limiters.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(client.id, Arc::clone(&limited));
        limited
    }
}
