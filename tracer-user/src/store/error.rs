//! Why a store does not open, and why a stored thing can't be read.

use std::io;
use std::path::PathBuf;

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{0} is used by another tracer; give this one another --data-dir, or --no-store")]
    InUse(PathBuf),
    /// The directory, or a file in it, can't be made, locked or read.
    #[error("cannot keep traces in {path}: {source}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its thread does not start.
    #[error("cannot start the thread that writes traces: {0}")]
    Thread(io::Error),
}

/// Why a file of the store can't be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    /// It is not what this program wrote.
    #[error("{0}")]
    Content(String),
    /// The system refuses: no room, no right.
    #[error("{0}")]
    System(String),
}

impl Damage {
    pub(super) fn new(what: impl ToString) -> Self {
        Self::Content(what.to_string())
    }

    pub(super) fn system(error: io::Error) -> Self {
        Self::System(error.to_string())
    }
}

impl From<redb::Error> for Damage {
    fn from(error: redb::Error) -> Self {
        match &error {
            redb::Error::Io(source) => match source.kind() {
                // So redb says that a file is none of its own, or is cut short.
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::new(error),
                _ => Self::System(error.to_string()),
            },
            redb::Error::PreviousIo | redb::Error::DatabaseAlreadyOpen => {
                Self::System(error.to_string())
            }
            _ => Self::new(error),
        }
    }
}
