//! Limits on requests without a key, or with a wrong one, from one address.
//!
//! Keys are too long to be guessed; what is limited is the work that strangers can cause. Whoever has a
//! right key is never turned away here, so that an attacker behind the same proxy or on the same network
//! as a till does not stop it. Probes (`/healthz`, `/readyz`) are never turned away either: a refused probe
//! would take the node out of service.
//!
//! The address is the peer's. X-Forwarded-For is believed only where the peer is a configured proxy: then
//! the last address in it that is not such a proxy counts, because everything before that is whatever
//! the caller says it is.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, request::Parts},
};
use domain::Timestamp;
use storage::{Usage, UsageKey};

use crate::{
    error::{Code, Problem},
    usage_kinds::{failures_from, requests_from},
    window_counts::{WindowCounts, seconds_left, window_of},
};

/// Requests of strangers per minute.
#[derive(Clone, Copy, Debug)]
pub struct AddressLimits {
    /// From one address (IPv6: one network of 64 bits) without a key, or with a wrong one.
    pub failures: u32,
    /// From one address to what needs no key, other than probes.
    pub public: u32,
}

impl Default for AddressLimits {
    fn default() -> Self {
        Self { failures: 600, public: 1_200 }
    }
}

/// Addresses whose X-Forwarded-For is believed: one address, or a network such as 10.0.0.0/8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxies {
    network: u128,
    mask: u128,
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl Proxies {
    fn contain(self, address: IpAddr) -> bool {
        bits(address) & self.mask == self.network
    }
}

impl FromStr for Proxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write an address such as 10.0.0.7, or a network such as 10.0.0.0/8".to_owned();
        let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width: u32 = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(width), |length| length.parse().map_err(|_| wrong()))?;
        if length > width {
            return Err(wrong());
        }
        let mask = u128::MAX.checked_shl(width - length).unwrap_or(0);
        if bits(address) & mask != bits(address) {
            return Err(format!("{text} has bits after the network's {length}; {}", wrong()));
        }
        Ok(Self { network: bits(address), mask })
    }
}

/// Where a request comes from. None: not from a connection, as in tests.
pub(crate) fn address_of(request: &Request, trusted: &[Proxies]) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    Some(origin(peer.ip(), request.headers(), trusted))
}

/// Whether a trusted proxy says that the browser's connection to it is encrypted.
pub(crate) fn is_behind_tls(request: &Request, trusted: &[Proxies]) -> bool {
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else { return false };
    trusted.iter().any(|proxies| proxies.contain(peer.ip()))
        && request.headers().get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}

/// Where a request comes from that was taken apart.
pub(crate) fn address_in(parts: &Parts, trusted: &[Proxies]) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(origin(peer.ip(), &parts.headers, trusted))
}

/// The last address on the way that is not a trusted proxy's.
fn origin(peer: IpAddr, headers: &HeaderMap, trusted: &[Proxies]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|proxies| proxies.contain(address));
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    let way = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
    let mut nearest = peer;
    for step in way {
        if !is_trusted(nearest) {
            break;
        }
        // What a trusted proxy wrote and we cannot read is the proxy's own doing.
        let Ok(address) = step.trim().parse() else { break };
        nearest = address;
    }
    nearest
}

/// Counts requests of strangers.
pub(crate) struct AddressLimiter {
    limits: AddressLimits,
    counts: Mutex<WindowCounts>,
}

impl AddressLimiter {
    pub(crate) fn new(limits: AddressLimits) -> Self {
        Self { limits, counts: Mutex::default() }
    }

    /// Counts a request that did not authenticate, on one of `nodes` nodes.
    pub(crate) fn failed(&self, from: IpAddr, now: Timestamp, nodes: u16) -> Result<(), Problem> {
        self.count(failures_from(from, window_of(now)), self.limits.failures, now, nodes)
    }

    /// Counts a request that need not authenticate.
    pub(crate) fn public(&self, from: IpAddr, now: Timestamp, nodes: u16) -> Result<(), Problem> {
        self.count(requests_from(from, window_of(now)), self.limits.public, now, nodes)
    }

    fn count(&self, key: UsageKey, limit: u32, now: Timestamp, nodes: u16) -> Result<(), Problem> {
        let mut counts = self.counts(now);
        if counts.admits(key, limit, nodes) {
            counts.add(key);
            return Ok(());
        }
        metrics::counter!("hexiao_strangers_limited_total").increment(1);
        let why = "too many requests without a valid API key from this address; wait, and check the key";
        Err(Problem::new(Code::RateLimited, why).retry_after(seconds_left(now)))
    }

    fn counts(&self, now: Timestamp) -> MutexGuard<'_, WindowCounts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.turn_to(window_of(now));
        counts
    }

    /// What other nodes do not know yet.
    pub(crate) fn untold(&self, now: Timestamp, most: usize) -> Vec<Usage> {
        self.counts(now).untold(most)
    }

    /// Takes note of what was told, and of the total of all nodes.
    pub(crate) fn settle(&self, now: Timestamp, told: &Usage, total: i64) {
        self.counts(now).settle(told, total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<Proxies> = ["10.0.0.0/8", "::1"].iter().map(|p| p.parse().expect("ok")).collect();
        let check = |peer: &str, forwarded: &[&str], expect: &str| {
            let mut headers = HeaderMap::new();
            for line in forwarded {
                headers.append("x-forwarded-for", line.parse().expect("a header"));
            }
            let origin = origin(peer.parse().expect("an address"), &headers, &trusted);
            assert_eq!(origin.to_string(), expect, "{peer} {forwarded:?}");
        };
        check("192.0.2.1", &[], "192.0.2.1");
        check("192.0.2.1", &["198.51.100.7"], "192.0.2.1");
        check("10.1.2.3", &["198.51.100.7"], "198.51.100.7");
        check("::1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7");
        check("10.1.2.3", &["203.0.113.9, 198.51.100.7, 10.9.9.9"], "198.51.100.7");
        check("10.1.2.3", &["203.0.113.9", "198.51.100.7", "10.9.9.9"], "198.51.100.7");
        check("10.1.2.3", &["203.0.113.9, nonsense"], "10.1.2.3");
        check("10.1.2.3", &["10.7.7.7"], "10.7.7.7");
        check("10.1.2.3", &[], "10.1.2.3");
    }

    #[test]
    fn proxies_are_addresses_or_networks() {
        let check = |text: &str, ok: bool| assert_eq!(text.parse::<Proxies>().is_ok(), ok, "{text}");
        for good in ["127.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "::1", "fd00::/8", "::/0", "192.0.2.0/32"] {
            check(good, true);
        }
        for bad in ["", "localhost", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "::/129", "10.0.0.0/-1"] {
            check(bad, false);
        }
        let all: Proxies = "0.0.0.0/0".parse().expect("a network");
        assert!(all.contain("203.0.113.1".parse().expect("v4")));
        assert!(!all.contain("2001:db8::1".parse().expect("v6")));
    }

    #[test]
    fn strangers_are_counted_by_address() {
        let limiter = AddressLimiter::new(AddressLimits { failures: 2, public: 1 });
        let now = Timestamp::from_micros(0);
        let (one, other): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        limiter.failed(one, now, 1).expect("first");
        limiter.failed(one, now, 1).expect("second");
        assert!(limiter.failed(one, now, 1).is_err());
        limiter.failed(other, now, 1).expect("another address");
        limiter.public(one, now, 1).expect("counted apart");
        assert!(limiter.public(one, now, 1).is_err());
        limiter.failed(one, now.plus_seconds(60), 1).expect("the next minute");
    }
}
