//! What the limits that nodes share are counted under in the database. Numbers stay what they are.

use std::net::{IpAddr, Ipv6Addr};

use domain::{ClientId, HolderId, IssuerId, command::NumberIndex};
use storage::UsageKey;

const CLIENT_REQUESTS: u8 = 1;
const CLIENT_LOOKUPS: u8 = 2;
const NUMBER_LOOKUPS: u8 = 3;
const ISSUER_LOOKUPS: u8 = 4;
const ALL_LOOKUPS: u8 = 5;
const ADDRESS_FAILURES: u8 = 6;
const ADDRESS_REQUESTS: u8 = 7;
const ADDRESS_SENDS: u8 = 20;
const ALL_SENDS: u8 = 21;
const ADDRESS_SIGN_INS: u8 = 22;
const ALL_SIGN_INS: u8 = 23;
const HOLDER_CHANGES: u8 = 24;

fn id(value: i64) -> [u8; 16] {
    let mut subject = [0; 16];
    subject[8..].copy_from_slice(&value.to_be_bytes());
    subject
}

/// Requests of a client.
pub(crate) fn requests_of(client: ClientId) -> UsageKey {
    UsageKey { kind: CLIENT_REQUESTS, subject: id(client.get()), window: 0 }
}

/// Failing look-ups by a client.
pub(crate) fn lookups_by(client: ClientId, window: i64) -> UsageKey {
    UsageKey { kind: CLIENT_LOOKUPS, subject: id(client.get()), window }
}

/// Failing look-ups of a number. Its index is a keyed hash and says nothing without the key.
pub(crate) fn lookups_of(number: NumberIndex, window: i64) -> UsageKey {
    UsageKey { kind: NUMBER_LOOKUPS, subject: number.0, window }
}

/// Failing look-ups in an issuer.
pub(crate) fn lookups_in(issuer: IssuerId, window: i64) -> UsageKey {
    UsageKey { kind: ISSUER_LOOKUPS, subject: id(issuer.get()), window }
}

/// All failing look-ups.
pub(crate) fn all_lookups(window: i64) -> UsageKey {
    UsageKey { kind: ALL_LOOKUPS, subject: [0; 16], window }
}

/// Requests from an address that did not authenticate.
pub(crate) fn failures_from(address: IpAddr, window: i64) -> UsageKey {
    UsageKey { kind: ADDRESS_FAILURES, subject: network_of(address), window }
}

/// Requests from an address that need not authenticate.
pub(crate) fn requests_from(address: IpAddr, window: i64) -> UsageKey {
    UsageKey { kind: ADDRESS_REQUESTS, subject: network_of(address), window }
}

/// Sign-in codes that an address asked for.
pub(crate) fn sends_to(address: IpAddr, window: i64) -> UsageKey {
    UsageKey { kind: ADDRESS_SENDS, subject: network_of(address), window }
}

/// Sign-in codes that were asked for.
pub(crate) fn all_sends(window: i64) -> UsageKey {
    UsageKey { kind: ALL_SENDS, subject: [0; 16], window }
}

/// Failures to sign in at the wallet from an address.
pub(crate) fn sign_in_failures_from(address: IpAddr, window: i64) -> UsageKey {
    UsageKey { kind: ADDRESS_SIGN_INS, subject: network_of(address), window }
}

/// Failures to sign in at the wallet.
pub(crate) fn all_sign_in_failures(window: i64) -> UsageKey {
    UsageKey { kind: ALL_SIGN_INS, subject: [0; 16], window }
}

/// Changes by a card holder.
pub(crate) fn changes_by(holder: HolderId, window: i64) -> UsageKey {
    UsageKey { kind: HOLDER_CHANGES, subject: id(holder.get()), window }
}

/// An IPv4 address, or the first 64 bits of an IPv6 address: whoever has one address of such a network has
/// them all.
fn network_of(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.to_ipv6_mapped().octets(),
            None => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).octets(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart_by_what_their_owner_cannot_choose() {
        let check = |one: &str, other: &str, same: bool| {
            let of = |text: &str| failures_from(text.parse().expect("an address"), 0);
            assert_eq!(of(one) == of(other), same, "{one} and {other}");
        };
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.1", "192.0.2.2", false);
        check("192.0.2.1", "::ffff:192.0.2.1", true);
        check("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true);
        check("2001:db8:1:2::1", "2001:db8:1:3::1", false);
    }
}
