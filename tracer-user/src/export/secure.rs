//! TLS files, read once at the start, so that a wrong path is an error then and not a lost batch
//! later.

use std::path::{Path, PathBuf};

use super::target::Tls;

/// What is wrong with the TLS files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("cannot read {what} {path}: {source}", path = path.display())]
    Read {
        /// Which of the files.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no PEM of the kind that is needed.
    #[error("{what} {path} holds no {needed} in PEM form", path = path.display())]
    Empty {
        /// Which of the files.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// What should be in it.
        needed: &'static str,
    },
    /// A certificate without its key, or the reverse.
    #[error("a client certificate and its key are needed together; only the {0} is given")]
    Half(&'static str),
}

/// The files' contents.
#[derive(Debug, Default)]
pub(super) struct Pems {
    /// Roots to trust in place of the system's.
    pub(super) ca: Option<Vec<u8>>,
    /// Certificate chain and key.
    pub(super) identity: Option<(Vec<u8>, Vec<u8>)>,
}

pub(super) fn read(tls: &Tls) -> Result<Pems, TlsError> {
    let ca = tls.ca.as_deref().map(|path| pem("CA certificate", path, "CERTIFICATE"));
    let identity = match (&tls.cert, &tls.key) {
        (None, None) => None,
        (Some(_), None) => return Err(TlsError::Half("certificate")),
        (None, Some(_)) => return Err(TlsError::Half("key")),
        (Some(cert), Some(key)) => Some((
            pem("client certificate", cert, "CERTIFICATE")?,
            pem("client key", key, "PRIVATE KEY")?,
        )),
    };
    Ok(Pems { ca: ca.transpose()?, identity })
}

fn pem(what: &'static str, path: &Path, needed: &'static str) -> Result<Vec<u8>, TlsError> {
    let bytes =
        std::fs::read(path).map_err(|source| TlsError::Read { what, path: path.into(), source })?;
    // The parsers behind this take a file without any certificate for one with none to trust.
    let marker = format!("{needed}-----");
    match bytes.windows(marker.len()).any(|window| window == marker.as_bytes()) {
        true => Ok(bytes),
        false => Err(TlsError::Empty { what, path: path.into(), needed }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let tls = Tls { ca: Some(path.clone()), ..Tls::default() };
        assert!(read(&tls).unwrap_err().to_string().contains("ca.pem"));
        std::fs::write(&path, "-----BEGIN EC PRIVATE KEY-----").unwrap();
        let error = read(&tls).unwrap_err().to_string();
        assert!(error.contains("ca.pem holds no CERTIFICATE"), "{error}");
        let half = Tls { key: Some(path), ..Tls::default() };
        assert!(read(&half).unwrap_err().to_string().contains("only the key"));
    }
}
