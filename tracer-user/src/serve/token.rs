//! The secret that opens the page.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::rand::{GetRandomFlags, getrandom};
use subtle::ConstantTimeEq as _;

/// Random bytes of a token; it is written in twice as many digits.
const BYTES: usize = 16;
const DIGITS: usize = 2 * BYTES;
/// Its file in the data directory.
const FILE: &str = "ui-token";

/// 128 random bits, as hexadecimal digits in lower case. Its debug form does not show them.
#[derive(Clone)]
pub struct Token(String);

/// Why the token is not kept.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The kernel gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(io::Error),
    /// Its file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// The kernel gives no random bytes.
    pub fn random() -> Result<Self, TokenError> {
        let mut bytes = [0; BYTES];
        let (filled, rest) = getrandom(&mut bytes[..], GetRandomFlags::empty())
            .map(|filled| (filled, BYTES - filled))
            .map_err(|error| TokenError::Random(error.into()))?;
        if rest > 0 {
            // It never gives less than asked for below 256 bytes (getrandom(2)).
            let text = format!("{filled} of {BYTES}");
            return Err(TokenError::Random(io::Error::new(ErrorKind::UnexpectedEof, text)));
        }
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The one that an earlier run has kept in this directory, else a new one that is kept there
    /// from now on, so that bookmarks and scripts go on to work. A file that others may have read
    /// is not trusted.
    ///
    /// # Errors
    /// The directory or the file in it can't be used.
    pub fn kept(directory: &Path) -> Result<Self, TokenError> {
        let path = directory.join(FILE);
        let failed = |source| TokenError::File { path: path.clone(), source };
        if let Some(token) = read(&path).map_err(failed)? {
            return Ok(token);
        }
        let token = Self::random()?;
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        // Whole or not at all, whoever else starts now.
        let unfinished = directory.join(format!("{FILE}.{}", std::process::id()));
        let written = write(&unfinished, &token).and_then(|()| fs::rename(&unfinished, &path));
        written.map_err(failed)?;
        Ok(token)
    }

    /// Where [`kept`](Self::kept) keeps it.
    #[must_use]
    pub fn file(directory: &Path) -> PathBuf {
        directory.join(FILE)
    }

    /// Whether it is this one; how long that takes says nothing of where they differ.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

/// Its digits.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// `None` if there is none that can be trusted.
fn read(path: &Path) -> io::Result<Option<Token>> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !is_private(&file)? {
        return Ok(None);
    }
    let mut text = String::new();
    file.take(2 * DIGITS as u64).read_to_string(&mut text)?;
    let text = text.trim_end();
    let valid = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(valid.then(|| Token(text.to_owned())))
}

fn is_private(file: &File) -> io::Result<bool> {
    let of = file.metadata()?;
    Ok(of.is_file() && of.uid() == rustix::process::geteuid().as_raw() && of.mode() & 0o077 == 0)
}

fn write(path: &Path, token: &Token) -> io::Result<()> {
    // One that a killed run of the same number has left.
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{token}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::{DIGITS, Token};

    #[test]
    fn no_two_are_alike() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(one.to_string().len(), DIGITS);
        assert!(one.is(&one.to_string()) && !one.is(&other.to_string()));
        assert!(!one.is("") && !one.is(&one.to_string()[1..]));
        assert_eq!(format!("{one:?}"), "(hidden)");
    }

    #[test]
    fn one_is_kept_where_only_its_owner_can_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("data");
        let token = Token::kept(&inner).unwrap();
        assert!(Token::kept(&inner).unwrap().is(&token.to_string()));
        let file = Token::file(&inner);
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&inner).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn what_others_may_have_read_or_written_is_not_trusted() {
        let directory = tempfile::tempdir().unwrap();
        let file = Token::file(directory.path());
        let first = Token::kept(directory.path()).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let second = Token::kept(directory.path()).unwrap();
        assert!(!second.is(&first.to_string()));
        fs::write(&file, "short\n").unwrap();
        let third = Token::kept(directory.path()).unwrap();
        assert!(!third.is(&second.to_string()) && third.to_string().len() == DIGITS);
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        assert!(Token::kept(directory.path()).is_err());
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let error = Token::kept("/proc/nope".as_ref()).unwrap_err().to_string();
        assert!(error.contains("/proc/nope/ui-token: "), "{error}");
    }
}
