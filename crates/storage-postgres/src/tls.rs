//! TLS to the database: what an address asks for, and whom to trust.
//!
//! There are two ways and no third: in plain, or encrypted to a server whose certificate was checked. What encrypts
//! without checking (`prefer`, and `require` as other programs understand it) protects from nobody who can stand in
//! between, so it is not offered.

use std::{borrow::Cow, sync::Arc};

use percent_encoding::percent_decode_str;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use storage::{Result, StorageError};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What of an address is about TLS.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) verified: bool,
    /// A file with the certificates to trust; the system's where there is none.
    roots: Option<String>,
}

fn setup(why: impl Into<String>) -> StorageError {
    StorageError::Setup(why.into())
}

/// Takes `sslmode` and `sslrootcert` out of an address, which its parser knows less of.
pub(crate) fn take_out(url: &str) -> Result<(Cow<'_, str>, Wanted)> {
    let Some((before, query)) = url.split_once('?') else { return Ok((url.into(), Wanted::default())) };
    let (mut wanted, mut rest, mut mode) = (Wanted::default(), Vec::new(), "");
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = value,
            Some(("sslrootcert", value)) => {
                let path = percent_decode_str(value).decode_utf8();
                wanted.roots = Some(path.map_err(|_| setup("sslrootcert is not UTF-8"))?.into_owned());
            }
            _ => rest.push(pair),
        }
    }
    wanted.verified = match mode {
        "" | "disable" => false,
        "verify-full" | "require" => true,
        other => {
            return Err(setup(format!(
                "sslmode={other} is not supported: write verify-full for a connection that is encrypted to a server \
                 whose certificate is checked, or disable for a private network or this machine"
            )));
        }
    };
    if !wanted.verified && wanted.roots.is_some() {
        return Err(setup("sslrootcert is given, but nothing is encrypted without sslmode=verify-full"));
    }
    let url = if rest.is_empty() { before.to_owned() } else { format!("{before}?{}", rest.join("&")) };
    Ok((url.into(), wanted))
}

impl Wanted {
    /// How sessions are encrypted, or nothing where they are not to be.
    pub(crate) fn connector(&self) -> Result<Option<MakeRustlsConnect>> {
        if !self.verified {
            return Ok(None);
        }
        let roots = match &self.roots {
            Some(path) => roots_in(path)?,
            None => system_roots()?,
        };
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| setup(format!("TLS cannot be set up: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Some(MakeRustlsConnect::new(config)))
    }
}

fn roots_in(path: &str) -> Result<RootCertStore> {
    let unreadable =
        |why: String| setup(format!("sslrootcert: {path} cannot be read as certificates in PEM: {why}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    if roots.is_empty() { Err(unreadable("there is none in it".to_owned())) } else { Ok(roots) }
}

fn system_roots() -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    // Some of a system's may be of a kind that is not understood; the others count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(setup(
            "this system has no root certificates to know the database by: install them (ca-certificates), or name a \
             file with sslrootcert",
        ));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_tls_is_taken_out() {
        let wanted = |verified, roots: Option<&str>| Wanted { verified, roots: roots.map(str::to_owned) };
        for (url, rest, expected) in [
            ("postgres://u@h/d", "postgres://u@h/d", wanted(false, None)),
            ("postgres://u@h/d?sslmode=disable", "postgres://u@h/d", wanted(false, None)),
            (
                "postgres://u@h/d?sslmode=require&options=-c",
                "postgres://u@h/d?options=-c",
                wanted(true, None),
            ),
            (
                "postgres://u@h/d?a=b&sslrootcert=%2Fetc%2Fca.pem&sslmode=verify-full",
                "postgres://u@h/d?a=b",
                wanted(true, Some("/etc/ca.pem")),
            ),
        ] {
            assert_eq!(take_out(url).expect("understood"), (rest.into(), expected), "{url}");
        }
        for mode in ["prefer", "allow", "verify-ca", "no", "verify-full%20"] {
            let refused =
                take_out(&format!("postgres://u@h/d?sslmode={mode}")).expect_err("refused").to_string();
            assert!(refused.contains(mode) && refused.contains("verify-full"), "{refused}");
        }
        let refused = take_out("postgres://u@h/d?sslrootcert=ca.pem").expect_err("refused").to_string();
        assert!(refused.contains("nothing is encrypted"), "{refused}");
    }

    #[test]
    fn only_files_with_certificates_are_trusted() {
        let wanted = |path: &str| Wanted { verified: true, roots: Some(path.to_owned()) };
        for path in ["/does/not/exist.pem", "/dev/null", file!()] {
            let refused = wanted(path).connector().err().expect("refused").to_string();
            assert!(refused.contains(path) && refused.contains("sslrootcert"), "{refused}");
        }
    }
}
