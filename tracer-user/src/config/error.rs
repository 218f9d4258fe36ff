//! What can be wrong with what the user wants.

use std::path::PathBuf;

/// One line for the user that says where the mistake is. Values that may be secret (headers) are
/// never part of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration file holds something wrong.
    #[error("{}:{line}: {}{message}", path.display(), key.as_ref().map(|k| format!("`{k}`: ")).unwrap_or_default())]
    File {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The setting, where the line has one.
        key: Option<String>,
        /// What is wrong.
        message: String,
    },
    /// A flag's value is wrong, by itself or together with others.
    #[error("{flag}: {message}")]
    Flag {
        /// The flag as it is written.
        flag: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A variable of the environment is wrong.
    #[error("environment: {0}")]
    Environment(String),
}

impl Error {
    pub(super) fn flag(flag: &'static str, message: impl Into<String>) -> Self {
        Self::Flag { flag, message: message.into() }
    }
}
