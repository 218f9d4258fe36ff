//! A certificate authority, with a server's and a client's certificate.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::server::WebPkiClientVerifier;
use tempfile::TempDir;

use crate::export::Tls;

pub(in crate::export) struct Certificates {
    pub(in crate::export) ca: String,
    pub(in crate::export) server: (String, String),
    /// Files that a client needs.
    pub(in crate::export) tls: Tls,
    _directory: TempDir,
}

impl Certificates {
    pub(in crate::export) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let signed = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
        };
        let (cert, key) = signed("client");
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, pem: &str| -> Option<PathBuf> {
            let path = directory.path().join(name);
            std::fs::write(&path, pem).unwrap();
            Some(path)
        };
        let tls = Tls {
            ca: file("ca.pem", &ca),
            cert: file("cert.pem", &cert),
            key: file("key.pem", &key),
        };
        Certificates { ca, server: signed("127.0.0.1"), tls, _directory: directory }
    }

    /// A server that demands a client certificate.
    pub(in crate::export) fn server_config(&self) -> Arc<rustls::ServerConfig> {
        let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(der(&self.ca)).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let (cert, key) = &self.server;
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(
                vec![der(cert)],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            );
        Arc::new(config.unwrap())
    }
}
