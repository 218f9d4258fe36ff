//! A certificate authority of a test's own, and what it says of this host.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::paths;

/// Files that programs take.
#[derive(Debug)]
pub struct Certificates {
    /// Whom clients trust.
    pub authority: PathBuf,
    /// Of localhost, as which it signs.
    pub certificate: PathBuf,
    /// The key of that.
    pub key: PathBuf,
    directory: PathBuf,
}

impl Certificates {
    /// New ones. `name` names their directory, which is emptied.
    pub fn new(name: &str) -> Result<Certificates> {
        let directory = paths::logs().join(format!("certificates-{name}"));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory)?;
        let authority_key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![])?;
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key)?;
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate()?;
        let mut host = CertificateParams::new(["localhost", "127.0.0.1"].map(String::from))?;
        host.distinguished_name.push(DnType::CommonName, "localhost");
        let certificate = host.signed_by(&key, &issuer)?;
        let file = |name: &str, text: &str| -> Result<PathBuf> {
            let path = directory.join(name);
            fs::write(&path, text)?;
            Ok(path)
        };
        Ok(Certificates {
            authority: file("authority.pem", &authority.pem())?,
            certificate: file("certificate.pem", &certificate.pem())?,
            key: file("key.pem", &key.serialize_pem())?,
            directory: directory.clone(),
        })
    }

    /// Where they are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}
