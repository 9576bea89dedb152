//! What a browser is told that pages and files may do.

use crate::Entry;

/// A header and its value.
type Header = (&'static str, String);

/// The headers of a page, beside its type.
pub fn headers_of_page(entry: Entry, nonce: &str) -> Vec<Header> {
    vec![
        ("content-security-policy", page_policy(entry, nonce)),
        ("permissions-policy", permissions(entry)),
        ("cross-origin-opener-policy", "same-origin".to_owned()),
        ("cross-origin-resource-policy", "same-origin".to_owned()),
        ("referrer-policy", "no-referrer".to_owned()),
        ("x-frame-options", "DENY".to_owned()),
        // It carries a nonce, and names the files of this version.
        ("cache-control", "no-store".to_owned()),
    ]
}

/// The headers of any other file, beside its type.
pub fn headers_of_file(immutable: bool) -> Vec<Header> {
    let cache = if immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    vec![
        // Counts for scripts that run as workers: they take their policy from their own file.
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; \
             frame-ancestors 'none'"
                .to_owned(),
        ),
        ("cross-origin-resource-policy", "same-origin".to_owned()),
        ("referrer-policy", "no-referrer".to_owned()),
        ("cache-control", cache.to_owned()),
    ]
}

fn page_policy(entry: Entry, nonce: &str) -> String {
    // The scanner of the till is WebAssembly; nothing else is.
    let wasm = if entry == Entry::Till { " 'wasm-unsafe-eval'" } else { "" };
    format!(
        "default-src 'none'; script-src 'self'{wasm}; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; \
         manifest-src 'self'; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'self'"
    )
}

fn permissions(entry: Entry) -> String {
    let camera = if entry == Entry::Till { "camera=(self)" } else { "camera=()" };
    format!(
        "{camera}, accelerometer=(), autoplay=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(entry: Entry, name: &str) -> String {
        let headers = headers_of_page(entry, "N0nce");
        let found = headers.into_iter().find(|(header, _)| *header == name);
        found.unwrap_or_else(|| panic!("{name}")).1
    }

    #[test]
    fn no_page_may_run_anything_inline_or_foreign() {
        for entry in Entry::ALL {
            let policy = value(entry, "content-security-policy");
            for word in ["unsafe-inline", "'unsafe-eval'", "http:", "https:", "*"] {
                assert!(!policy.contains(word), "{entry:?}: {word} in {policy}");
            }
            assert!(policy.starts_with("default-src 'none';"), "{policy}");
            assert!(policy.contains("style-src 'self' 'nonce-N0nce'"), "{policy}");
        }
    }

    #[test]
    fn only_the_till_has_a_camera_and_a_scanner() {
        for entry in Entry::ALL {
            let is_till = entry == Entry::Till;
            assert_eq!(value(entry, "permissions-policy").contains("camera=(self)"), is_till);
            assert_eq!(value(entry, "content-security-policy").contains("wasm-unsafe-eval"), is_till);
        }
    }
}
