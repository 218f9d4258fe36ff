//! TLS: how records begin, and what the probes on a TLS library's functions are told.

/// TLS sessions whose sockets are remembered.
pub const MAX_SESSIONS: u32 = 16_384;
/// Threads that call TLS libraries, or read TLS from sockets, at the same time.
pub const MAX_TLS_THREADS: u32 = 8192;

/// Bytes of the first record of each side that are told at most: a ClientHello with post-quantum keys
/// and a session ticket has half as many.
pub const MAX_HELLO: u32 = 4096;
/// Bytes in front of what a record carries: type, version, length (RFC 8446, 5.1).
pub const RECORD_HEADER: u32 = 5;

/// What a probed function of OpenSSL's kind, or of GnuTLS, does with the session that is its first
/// argument. The attach cookie of a probe.
#[repr(u64)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `int SSL_do_handshake(SSL *)`: it moves no plaintext.
    Handshake = 1,
    /// `int SSL_read(SSL *, void *, int)`, `ssize_t gnutls_record_recv(gnutls_session_t, void *, size_t)`:
    /// the result is the number of bytes.
    Read = 2,
    /// `int SSL_write(SSL *, const void *, int)`, `ssize_t gnutls_record_send(gnutls_session_t, const void *,
    /// size_t)`: the same.
    Write = 3,
    /// `int SSL_read_ex(SSL *, void *, size_t, size_t *)`: the last argument says the number.
    ReadEx = 4,
    /// `int SSL_write_ex(SSL *, const void *, size_t, size_t *)`: the same.
    WriteEx = 5,
    /// `ossl_ssize_t SSL_sendfile(SSL *, int, off_t, size_t, int)`: the result is the number of
    /// bytes, which are in no memory.
    Sendfile = 6,
    /// `SSL *SSL_new(SSL_CTX *)`: the result is the session.
    New = 7,
    /// `void SSL_free(SSL *)`, `void gnutls_deinit(gnutls_session_t)`.
    Free = 8,
    /// `int gnutls_handshake(gnutls_session_t)`: what [`Call::Handshake`] does; a session that was not
    /// heard of begins here.
    Begin = 9,
}

/// Whether the first bytes of an operation, given as the little-endian number that its first eight
/// make, begin a TLS record: a content type from change_cipher_spec to application_data, and a version
/// from SSL 3.0 to TLS 1.3 (RFC 8446, 5.1).
#[inline(always)]
#[must_use]
pub const fn is_record(first: u64) -> bool {
    const SHORTEST: u32 = 4;
    let [kind, major, minor, ..] = first.to_le_bytes();
    let hello = hello_len(first);
    // MySQL's packets of 790 bytes begin so, too.
    let plausible = hello == 0 || hello >= RECORD_HEADER + SHORTEST;
    matches!(kind, 20..=23) && major == 3 && minor <= 4 && plausible
}

/// How long the record is that begins so, if both sides' hellos come in such ones (a handshake): with
/// its header, in bytes. 0 if it is another one.
#[inline(always)]
#[must_use]
pub const fn hello_len(first: u64) -> u32 {
    const HANDSHAKE: u8 = 22;
    let [kind, _, _, high, low, ..] = first.to_le_bytes();
    if kind == HANDSHAKE { RECORD_HEADER + u16::from_be_bytes([high, low]) as u32 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::{hello_len, is_record};

    #[test]
    fn a_hello_says_how_long_it_is() {
        assert_eq!(hello_len(u64::from_le_bytes([22, 3, 1, 2, 1, 1, 0, 1])), 5 + 513);
        assert_eq!(hello_len(u64::from_le_bytes([23, 3, 3, 2, 1, 1, 0, 1])), 0);
    }

    #[test]
    fn records_are_known_by_their_first_bytes() {
        let first = |bytes: [u8; 8]| is_record(u64::from_le_bytes(bytes));
        assert!(first([0x16, 3, 1, 2, 0, 1, 0, 1]), "ClientHello");
        assert!(first([0x17, 3, 3, 0, 30, 0, 0, 0]), "only the header was read");
        assert!(!first(*b"GET / HT"));
        assert!(!first([0x16, 3, 5, 0, 0, 0, 0, 0]));
        assert!(!first([0x18, 3, 3, 0, 0, 0, 0, 0]));
        assert!(!first(*b"\x16\x03\0\0\x03SEL"), "MySQL");
    }
}
