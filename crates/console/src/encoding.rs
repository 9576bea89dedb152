//! Which of the forms of a file a browser takes (RFC 9110, 12.5.3).

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// The smaller first.
    pub(crate) const BY_SIZE: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// As in Content-Encoding.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// What its files end with.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    /// Whether this value of Accept-Encoding takes it.
    pub(crate) fn is_accepted(self, accept: &str) -> bool {
        let mut others = false;
        for part in accept.split(',').take(32) {
            let mut words = part.split(';').map(str::trim);
            let name = words.next().unwrap_or_default();
            let refused = words.any(|word| word.strip_prefix("q=").is_some_and(is_zero));
            if name.eq_ignore_ascii_case(self.name()) {
                return !refused;
            }
            if name == "*" {
                others = !refused;
            }
        }
        others
    }
}

fn is_zero(quality: &str) -> bool {
    !quality.is_empty() && quality.bytes().all(|byte| byte == b'0' || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted() {
        for (accept, brotli, gzip) in [
            ("", false, false),
            ("gzip", false, true),
            ("gzip, deflate, br, zstd", true, true),
            ("BR;q=0.5", true, false),
            ("br;q=0, gzip;q=0.000", false, false),
            ("br;q=0, *", false, true),
            ("*;q=0", false, false),
            ("*", true, true),
            ("brotli", false, false),
        ] {
            assert_eq!(Encoding::Brotli.is_accepted(accept), brotli, "{accept}");
            assert_eq!(Encoding::Gzip.is_accepted(accept), gzip, "{accept}");
        }
    }
}
