//! Which certificates are trusted: AWS_CA_BUNDLE or the profile's `ca_bundle`, else SSL_CERT_FILE and SSL_CERT_DIR,
//! else the system's.
//!
//! The SDK's TLS layer panics on a certificate that it cannot use, so every one is tried here before it gets them.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::env::{self, Env};
use crate::error::{Failure, Reason};
use crate::files;
use crate::platform;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The bundle that the environment or the profile names for AWS alone, read and tried; none where neither names one.
///
/// # Errors
///
/// A [`Failure`] that names the file, where it is missing or holds no certificate that can be used.
pub fn explicit_bundle(env: &Env, profile_bundle: Option<PathBuf>) -> Result<Option<TlsContext>, Failure> {
    let (path, origin) = match (env.path(env::AWS_CA_BUNDLE), profile_bundle) {
        (Some(path), _) => (path, env::AWS_CA_BUNDLE),
        (None, Some(path)) => (path, "the profile's ca_bundle"),
        (None, None) => return Ok(None),
    };
    let unusable = |why: &str| {
        Failure::new(
            Reason::Configuration,
            format!("{origin} names {}, which {why}", path.display()),
            "name a PEM file with the certificates to trust",
        )
    };
    let pem = files::read_blocking(&path)
        .map_err(|error| unusable(&format!("cannot be read: {}", files::describe(&error))))?;
    let certificates = certificates_in(&String::from_utf8_lossy(&pem));
    if certificates.is_empty() {
        return Err(unusable("holds no usable certificate"));
    }
    Ok(Some(context(&certificates)))
}

/// The bundle that the environment names for AWS alone.
pub fn named(env: &Env) -> Option<String> {
    let path = env.path(env::AWS_CA_BUNDLE)?;
    Some(format!("{} ({})", path.display(), env::AWS_CA_BUNDLE))
}

/// Where [`default_roots`] looks, for whoever waits for it.
pub fn places(env: &Env) -> String {
    let named: Vec<String> = [env::SSL_CERT_FILE, env::SSL_CERT_DIR]
        .into_iter()
        .filter_map(|name| Some(format!("{name} ({})", env.get(name)?)))
        .collect();
    match named.is_empty() {
        true => "the system's certificates".to_owned(),
        false => format!("the certificates in {}", named.join(" and ")),
    }
}

/// The certificates that are trusted where nothing is named for AWS alone.
///
/// # Errors
///
/// A [`Failure`] that says where none were found.
pub fn default_roots(env: &Env) -> Result<TlsContext, Failure> {
    let file = env.path(env::SSL_CERT_FILE);
    let directories = env.raw(env::SSL_CERT_DIR);
    let certificates = match (&file, directories) {
        (None, None) => system_roots(),
        _ => {
            let directories: Vec<PathBuf> = directories
                .map(|paths| std::env::split_paths(paths).collect())
                .unwrap_or_default();
            named_roots(file.as_deref(), &directories)
        }
    };
    if certificates.is_empty() {
        let advice = match (&file, directories) {
            (None, None) => "install ca-certificates, or name a PEM file in AWS_CA_BUNDLE",
            _ => "correct or unset the variable",
        };
        return Err(Failure::new(
            Reason::Tls,
            format!("none of {} can be used", places(env)),
            advice,
        ));
    }
    Ok(context(&certificates))
}

fn named_roots(file: Option<&Path>, directories: &[PathBuf]) -> Vec<CertificateDer<'static>> {
    let mut certificates = file.map(certificates_in_file).unwrap_or_default();
    for directory in directories {
        let loaded = rustls_native_certs::load_certs_from_paths(None, Some(directory));
        certificates.extend(loaded.certs.into_iter().filter(is_usable));
    }
    certificates
}

fn system_roots() -> Vec<CertificateDer<'static>> {
    for file in platform::root_certificate_files() {
        let certificates = certificates_in_file(Path::new(file));
        if !certificates.is_empty() {
            return certificates;
        }
    }
    let loaded = rustls_native_certs::load_native_certs();
    loaded.certs.into_iter().filter(is_usable).collect()
}

fn certificates_in_file(path: &Path) -> Vec<CertificateDer<'static>> {
    let pem = files::read_blocking(path).unwrap_or_default();
    certificates_in(&String::from_utf8_lossy(&pem))
}

/// Every certificate in a PEM text that can be used; the others are passed over.
fn certificates_in(pem: &str) -> Vec<CertificateDer<'static>> {
    pem.split(BEGIN)
        .skip(1)
        .filter_map(|section| {
            let (body, _) = section.split_once(END)?;
            let base64: String = body.split_whitespace().collect();
            BASE64_STANDARD.decode(base64).ok()
        })
        .map(CertificateDer::from)
        .filter(is_usable)
        .collect()
}

/// The very test whose failure makes the SDK panic.
fn is_usable(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

fn context(certificates: &[CertificateDer<'static>]) -> TlsContext {
    let mut pem = String::new();
    for certificate in certificates {
        for part in [BEGIN, "\n", &BASE64_STANDARD.encode(certificate), "\n", END, "\n"] {
            pem.push_str(part);
        }
    }
    with_store(TrustStore::empty().with_pem_certificate(pem))
}

/// No certificates at all: for endpoints that are reached without TLS.
pub fn no_roots() -> TlsContext {
    with_store(TrustStore::empty())
}

fn with_store(store: TrustStore) -> TlsContext {
    // The builder cannot fail; its signature leaves room for checks that other TLS libraries need.
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["ca.example".to_owned()]).unwrap();
        parameters.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn bad_certificates_are_passed_over_and_good_ones_found() {
        let good = certificate();
        let bad = format!("{BEGIN}\nbm90IGEgY2VydGlmaWNhdGU=\n{END}\n");
        let broken = format!("{BEGIN}\n!!!\n{END}\n");
        let open = format!("{BEGIN}\nAAAA\n");
        let bundle = format!("comment\n{bad}{good}{broken}{open}{good}");
        assert_eq!(certificates_in(&bundle).len(), 2);
        assert!(certificates_in(&bad).is_empty());
        assert!(certificates_in("no PEM at all").is_empty());
    }
}
