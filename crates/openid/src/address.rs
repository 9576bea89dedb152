//! Which addresses are spoken to.

use openidconnect::url::{Host, Url};

/// Longer ones are no address of a provider.
const LONGEST: usize = 500;

/// Whether this can be the address by which a provider calls itself: https, or http on this machine where that is
/// allowed; no user, query or fragment. Says what is wrong with it.
pub fn check(text: &str, loopback_allowed: bool) -> Result<(), &'static str> {
    let url = parse(text, loopback_allowed)?;
    if url.query().is_some() {
        return Err("the address of a provider has no query");
    }
    Ok(())
}

/// Whether this address may be asked, or somebody sent to it.
pub(crate) fn parse(text: &str, loopback_allowed: bool) -> Result<Url, &'static str> {
    if text.len() > LONGEST {
        return Err("the address is longer than 500 characters");
    }
    let url = Url::parse(text).map_err(|_| "this is no address; it begins with https://")?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err("the address has no host"),
    };
    let fits = url.scheme() == "https" || (url.scheme() == "http" && loopback_allowed && is_loopback);
    if !fits {
        return Err("the address has to begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("the address has no user, password or fragment");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_spoken_to_save_with_this_machine_where_that_is_allowed() {
        for (text, expect, in_demo) in [
            ("https://id.example.com", true, true),
            ("https://id.example.com:8443/realms/main", true, true),
            ("http://127.0.0.1:9000", false, true),
            ("http://localhost:9000/a", false, true),
            ("http://[::1]:9000", false, true),
            ("http://id.example.com", false, false),
            ("http://127.0.0.1.example.com", false, false),
            ("http://localhost.example.com", false, false),
            ("https://user:password@id.example.com", false, false),
            ("https://user@id.example.com", false, false),
            ("https://id.example.com#a", false, false),
            ("https://id.example.com?a=b", false, false),
            ("javascript:alert(1)", false, false),
            ("data:text/html,x", false, false),
            ("file:///etc/passwd", false, false),
            ("ftp://id.example.com", false, false),
            ("id.example.com", false, false),
            ("https://", false, false),
            ("", false, false),
        ] {
            assert_eq!(check(text, false).is_ok(), expect, "{text}");
            assert_eq!(check(text, true).is_ok(), in_demo, "{text}, in a demo");
        }
        assert!(check(&format!("https://id.example.com/{}", "a".repeat(500)), true).is_err());
    }
}
