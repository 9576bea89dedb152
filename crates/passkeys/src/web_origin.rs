//! Addresses of our pages at which passkeys are good: `https://cards.example.com`, or `http://localhost:8080`.
//!
//! A passkey belongs to a host name, the id of the relying party, so there are none at bare addresses such as
//! 127.0.0.1; and browsers offer them over TLS only, but for this machine itself.

use std::{fmt, net::IpAddr, str::FromStr};

/// The most origins of one server.
pub const MAX_ORIGINS: usize = 8;
/// The longest host name (RFC 1035).
const MAX_HOST: usize = 253;

/// An origin as browsers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin {
    text: String,
    host: String,
}

impl WebOrigin {
    /// This machine, for its own browser.
    pub fn localhost(port: u16) -> Self {
        let host = "localhost".to_owned();
        let text = if port == 80 { format!("http://{host}") } else { format!("http://{host}:{port}") };
        Self { text, host }
    }

    /// As browsers write it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The id of the relying party: the host.
    pub fn rp_id(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for WebOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("write the address of the pages, such as https://cards.example.com".to_owned());
        };
        let (host, port) = host_and_port(rest)?;
        check_host(&host)?;
        let is_local = host == "localhost" || host.ends_with(".localhost");
        let usual = match scheme {
            "https" => 443,
            "http" if is_local => 80,
            "http" => {
                return Err("browsers have passkeys over https only, but for http://localhost".to_owned());
            }
            _ => return Err("an address begins with https://, or with http://localhost".to_owned()),
        };
        let text = match port.filter(|port| *port != usual) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        Ok(Self { text, host })
    }
}

fn host_and_port(rest: &str) -> Result<(String, Option<u16>), String> {
    if rest.contains(['/', '?', '#', '@']) {
        return Err("an address is scheme, host and port only, without user, path or query".to_owned());
    }
    if rest.starts_with('[') {
        return Err(no_addresses());
    }
    match rest.split_once(':') {
        None => Ok((rest.to_owned(), None)),
        Some((host, port)) => {
            let port = port.parse().ok().filter(|port| *port > 0);
            let port = port.ok_or("the port is a number from 1 to 65535")?;
            Ok((host.to_owned(), Some(port)))
        }
    }
}

fn no_addresses() -> String {
    "a passkey belongs to a host name, not to an IP address: give the server a name".to_owned()
}

fn check_host(host: &str) -> Result<(), String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_number =
        host.rsplit('.').next().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    if host.parse::<IpAddr>().is_ok() || (last_is_number && !host.is_empty()) {
        return Err(no_addresses());
    }
    if host.len() > MAX_HOST || !host.split('.').all(label) {
        return Err(
            "the host is a name of letters, digits, dashes and dots; write others as xn--…".to_owned()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for (text, origin, rp_id) in [
            ("https://cards.example.com", "https://cards.example.com", "cards.example.com"),
            (" HTTPS://Cards.Example.com:443/ ", "https://cards.example.com", "cards.example.com"),
            ("https://cards.example.com:8443", "https://cards.example.com:8443", "cards.example.com"),
            ("http://localhost:8080", "http://localhost:8080", "localhost"),
            ("http://localhost:80", "http://localhost", "localhost"),
            ("http://cards.localhost", "http://cards.localhost", "cards.localhost"),
            ("https://cards", "https://cards", "cards"),
        ] {
            let read: WebOrigin = text.parse().expect(text);
            assert_eq!((read.as_str(), read.rp_id()), (origin, rp_id), "{text}");
        }
        assert_eq!(WebOrigin::localhost(8080), "http://localhost:8080".parse().expect("an origin"));
        assert_eq!(WebOrigin::localhost(80), "http://localhost".parse().expect("an origin"));
    }

    #[test]
    fn what_browsers_refuse_is_refused_with_the_cure() {
        for (text, why) in [
            ("cards.example.com", "such as https://"),
            ("http://cards.example.com", "over https only"),
            ("ftp://cards.example.com", "begins with https://"),
            ("https://127.0.0.1:8080", "host name"),
            ("http://127.0.0.1", "host name"),
            ("https://[::1]", "host name"),
            ("https://1.2.3", "host name"),
            ("https://cards.example.com/console", "without user, path"),
            ("https://me@cards.example.com", "without user, path"),
            ("https://cards.example.com:0", "1 to 65535"),
            ("https://cards.example.com:x", "1 to 65535"),
            ("https://", "such as https://"),
            ("https://a..example", "letters, digits"),
            ("https://-a.example", "letters, digits"),
            ("https://卡.example", "xn--"),
        ] {
            let error = text.parse::<WebOrigin>().expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
