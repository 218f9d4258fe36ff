//! ClientHello and ServerHello (RFC 8446, 4.1; RFC 5246, 7.4.1), of which the end may be missing.

use std::fmt;
use std::ops::Range;

use super::said::Bytes;

/// Names of protocols that are taken from one hello.
const MAX_PROTOCOLS: usize = 8;
/// Bytes of a name: RFC 1035, 2.3.4, and RFC 7301, 3.1.
const MAX_NAME: usize = 255;

/// Types of handshake messages (RFC 8446, 4).
const CLIENT_HELLO: usize = 1;
const SERVER_HELLO: usize = 2;
/// Types of extensions (RFC 8446, 4.2).
const SERVER_NAME: usize = 0;
const PROTOCOLS: usize = 16;
const VERSIONS: usize = 43;

const RANDOM: usize = 32;

/// Who says hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The side that opens the session.
    Client,
    /// The side that answers.
    Server,
}

/// A version of the protocol, as the wire has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u16);

impl Version {
    /// `ssl` or `tls`.
    #[must_use]
    pub fn protocol(self) -> &'static str {
        if self.0 <= 0x0300 { "ssl" } else { "tls" }
    }
}

/// The number alone.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.to_be_bytes() {
            [3, 0] => f.write_str("3"),
            [3, minor] => write!(f, "1.{}", minor - 1),
            [major, minor] => write!(f, "{major}.{minor}"),
        }
    }
}

/// What one side says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Which one.
    pub speaker: Speaker,
    /// By which name the client knows the server (SNI).
    pub server_name: Option<String>,
    /// Protocols that may go on inside (ALPN): those that the client offers, or the server's choice, which
    /// TLS 1.3 hides.
    pub protocols: Vec<String>,
    /// Which version the server has chosen.
    pub version: Option<Version>,
}

impl Hello {
    /// Reads one out of a record, of which the end may be missing; `None` if it is none. `kept` gets
    /// the places that this depends on: what stands in others can be anything.
    pub(super) fn read(record: &[u8], kept: &mut Vec<Range<usize>>) -> Option<Self> {
        const HANDSHAKE: usize = 22;
        let mut bytes = Bytes::new(record, kept);
        let (kind, _version) = (bytes.number(1)?, bytes.number(2)?);
        let mut bytes = bytes.part(2)?;
        if kind != HANDSHAKE {
            return None;
        }
        let speaker = match bytes.number(1)? {
            CLIENT_HELLO => Speaker::Client,
            SERVER_HELLO => Speaker::Server,
            _ => return None,
        };
        let mut hello = Self { speaker, server_name: None, protocols: vec![], version: None };
        let mut bytes = bytes.part(3)?;
        // What is missing was not told.
        let _ = match speaker {
            Speaker::Client => hello.client(&mut bytes),
            Speaker::Server => hello.server(&mut bytes),
        };
        Some(hello)
    }

    fn client(&mut self, bytes: &mut Bytes<'_, '_>) -> Option<()> {
        let _version = bytes.number(2)?;
        bytes.skip(RANDOM)?;
        for length in [1, 2, 1] {
            // Session, ciphers, compressions.
            bytes.part(length)?.skip_all();
        }
        self.extensions(&mut bytes.part(2)?)
    }

    fn server(&mut self, bytes: &mut Bytes<'_, '_>) -> Option<()> {
        let version = Version(u16::try_from(bytes.number(2)?).ok()?);
        bytes.skip(RANDOM)?;
        bytes.part(1)?.skip_all();
        const CIPHER_AND_COMPRESSION: usize = 3;
        bytes.skip(CIPHER_AND_COMPRESSION)?;
        if bytes.is_over() {
            self.version = Some(version);
            return Some(());
        }
        self.extensions(&mut bytes.part(2)?)?;
        // 1.3 says so in an extension, and 1.2 here.
        self.version = self.version.or(Some(version));
        Some(())
    }

    fn extensions(&mut self, bytes: &mut Bytes<'_, '_>) -> Option<()> {
        while !bytes.is_over() {
            let kind = bytes.number(2)?;
            let mut bytes = bytes.part(2)?;
            match kind {
                SERVER_NAME => self.name(&mut bytes),
                PROTOCOLS => self.protocols(&mut bytes),
                VERSIONS if self.speaker == Speaker::Server => {
                    let version = bytes.number(2).and_then(|it| u16::try_from(it).ok());
                    self.version = version.map(Version);
                    version.map(|_| ())
                }
                _ => Some(()),
            };
            bytes.skip_all();
        }
        bytes.is_whole().then_some(())
    }

    fn name(&mut self, bytes: &mut Bytes<'_, '_>) -> Option<()> {
        const HOST_NAME: usize = 0;
        let mut list = bytes.part(2)?;
        if list.number(1)? == HOST_NAME {
            let name = list.part(2)?.text()?;
            let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_host) {
                self.server_name = Some(name.to_ascii_lowercase());
            }
        }
        Some(())
    }

    fn protocols(&mut self, bytes: &mut Bytes<'_, '_>) -> Option<()> {
        let mut list = bytes.part(2)?;
        while !list.is_over() && self.protocols.len() < MAX_PROTOCOLS {
            let name = list.part(1)?.text()?;
            // Some of what is offered means nothing (RFC 8701).
            let grease = matches!(name.as_bytes(), [a, b] if a == b && a & 15 == 10);
            if !name.is_empty() && !grease && name.bytes().all(|byte| byte.is_ascii_graphic()) {
                self.protocols.push(name.to_owned());
            }
        }
        Some(())
    }
}
