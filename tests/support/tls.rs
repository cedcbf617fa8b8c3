//! A certificate authority of its own for each server, and TLS over a connection.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::net::TcpStream;
use std::sync::Arc;

pub struct TestCa {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// All leaves share it; making one costs more than signing.
    leaf_key: KeyPair,
    pem: String,
}

impl TestCa {
    pub fn new() -> Self {
        let mut params = named("Test CA of the fake AWS", Vec::new());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a CA certificate");
        let pem = issuer.pem();
        Self {
            issuer,
            leaf_key: KeyPair::generate().expect("a key"),
            pem,
        }
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A configuration that proves to be `names` (DNS names or IP addresses), without ALPN.
    pub fn server_config(&self, names: &[&str]) -> Arc<ServerConfig> {
        let owned = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = named(names[0], owned);
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = params
            .signed_by(&self.leaf_key, &self.issuer)
            .expect("a leaf certificate");
        let key = PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring knows the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key.into())
            .expect("a leaf and its key");
        Arc::new(config)
    }
}

/// The server's end of TLS on `socket`; the handshake happens at the first read.
pub fn accept(config: Arc<ServerConfig>, socket: &TcpStream) -> StreamOwned<ServerConnection, &TcpStream> {
    let connection = ServerConnection::new(config).expect("a valid configuration");
    StreamOwned::new(connection, socket)
}

fn named(common_name: &str, names: Vec<String>) -> CertificateParams {
    let mut params = CertificateParams::new(names).expect("names that can stand in a certificate");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}
