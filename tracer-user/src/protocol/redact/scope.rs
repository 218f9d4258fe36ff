//! What a signed request is for: the scope of AWS's signatures, of which only S3's name and the last
//! word stay, by which [`crate::protocol::http_api`] tells requests of S3.

/// How the names of AWS's algorithms begin.
const ALGORITHM: &[u8] = b"AWS4-";
/// What stays, as a whole or as far as it has begun, of `KEY/DATE/REGION/SERVICE/aws4_request`.
const WORDS: [Option<&[u8]>; 3] = [Some(b"s3"), Some(b"s3express"), Some(b"aws4_request")];
/// Slashes behind the key and behind the date, of which nothing stays.
const PRIVATE: u8 = 2;

/// Follows one `Authorization` byte by byte.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    /// In the algorithm's name, of which this is still to come.
    Algorithm(&'static [u8]),
    /// In the credential, behind so many slashes. Of each word, what is still to come, if the part under
    /// way begins with what has come.
    Credential(u8, [Option<&'static [u8]>; 3]),
    /// Behind it, or in another scheme.
    Over,
}

impl Default for Scope {
    fn default() -> Self {
        Scope::Algorithm(ALGORITHM)
    }
}

impl Scope {
    /// Whether the next byte stays.
    pub(super) fn shows(&mut self, byte: u8) -> bool {
        match self {
            Scope::Over => false,
            Scope::Algorithm(left) => {
                *self = match left.split_first() {
                    Some((next, [])) if *next == byte => Scope::Credential(0, WORDS),
                    Some((next, left)) if *next == byte => Scope::Algorithm(left),
                    _ => Scope::Over,
                };
                false
            }
            Scope::Credential(slashes, words) => match byte {
                b',' => {
                    *self = Scope::Over;
                    true
                }
                b'/' => {
                    (*slashes, *words) = (slashes.saturating_add(1), WORDS);
                    true
                }
                byte => {
                    *words = words.map(|left| left?.strip_prefix(&[byte]));
                    *slashes >= PRIVATE && words.iter().any(Option::is_some)
                }
            },
        }
    }
}
