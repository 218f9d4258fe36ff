//! Does an operation begin like an HTTP/1 message head, or like an HTTP/2 connection? Asked in the
//! kernel for every operation on a socket that is or may be HTTP, and in user space to find the next
//! head after a loss.

/// What the first bytes look like.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing of HTTP/1, nor the first word of HTTP/2's preface.
    Other,
    /// A known method and a space.
    Request,
    /// `CONNECT `, after whose 2xx the connection is a tunnel.
    ConnectRequest,
    /// `HTTP/1.`
    Response,
    /// Too few bytes to tell, but all of them fit.
    Partial,
    /// A PROXY protocol prefix; what it announces follows.
    ProxyPrefix,
    /// `PRI `, with which HTTP/2's client begins (RFC 9113 section 3.4).
    Preface,
}

/// Room for all entries of [`starts`].
pub const MAX_STARTS: u32 = 256;

/// Methods of RFC 9110 and 5789, QUERY, WebDAV (RFC 4918, 3253, 5323), UPnP, and PURGE as caches
/// know it.
const METHODS: [&[u8]; 27] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"DELETE ",
    b"PATCH ",
    b"OPTIONS ",
    b"TRACE ",
    b"QUERY ",
    b"PURGE ",
    b"PROPFIND ",
    b"PROPPATCH ",
    b"MKCOL ",
    b"COPY ",
    b"MOVE ",
    b"LOCK ",
    b"UNLOCK ",
    b"REPORT ",
    b"SEARCH ",
    b"MERGE ",
    b"NOTIFY ",
    b"SUBSCRIBE ",
    b"LINK ",
    b"UNLINK ",
    b"ACL ",
    b"BIND ",
    b"MKCALENDAR ",
];

/// Whether the first bytes of an operation, given as the little-endian number that its first eight
/// make (fewer: the rest zero), begin a response.
#[inline(always)]
#[must_use]
pub fn is_response(first: u64) -> bool {
    const RESPONSE: (u64, u64) = pattern(b"HTTP/1.");
    first & RESPONSE.1 == RESPONSE.0
}

/// Whether the first bytes of an operation, given as two little-endian numbers, are the frame header
/// (RFC 9113 sections 4.1 and 6) of HEADERS in one piece, or of SETTINGS: what a connection that
/// carries HTTP/2 shows soon, and hardly any other.
#[inline(always)]
#[must_use]
pub fn is_frame(low: u64, high: u64) -> bool {
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    // In the order of the wire: three bytes of length, type, flags, four bytes of stream.
    let [long, _, length, kind, flags, high_stream @ .., low_stream] = low.to_le_bytes();
    let stream = u16::from_be_bytes([low_stream, high as u8]);
    let small = long == 0 && high_stream == [0; 2];
    let headers = kind == HEADERS && flags & !0x29 == 0x4 && stream & 1 == 1;
    let settings = kind == SETTINGS && flags & !1 == 0 && stream == 0 && length < 97;
    small && (headers || settings)
}

/// Whether the first bytes of an operation, given as a little-endian number, may be a WebSocket frame
/// (RFC 6455 section 5.2) that is a whole message or a control frame. One in fourteen numbers is.
#[inline(always)]
#[must_use]
pub fn is_websocket(low: u64) -> bool {
    const FINAL: u8 = 0x80;
    const RESERVED: u8 = 0x30;
    let first = low as u8;
    first & (FINAL | RESERVED) == FINAL && matches!(first & 0xf, 1 | 2 | 8 | 9 | 10)
}

/// Anything else that [`look`] knows is in the table [`starts`] under this key: the bytes up to the
/// first space. The kernel side looks there: [`look`]'s chain of comparisons would cost the
/// verifier more than all the rest of a probe.
#[inline(always)]
#[must_use]
pub fn key(first: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Mycroft's test for a zero byte: the lowest bit that is set marks the first space.
    let other = first ^ (ONES * b' ' as u64);
    let spaces = other.wrapping_sub(ONES) & !other & (ONES << 7);
    let lowest = spaces & spaces.wrapping_neg();
    first & (lowest << 1).wrapping_sub(1)
}

/// The table: keys, some of them twice, with what they begin.
pub fn starts() -> impl Iterator<Item = (u64, Start)> {
    let others: [&[u8]; 5] = [b"HTTP/1.", b"CONNECT ", b"PRI ", b"PROXY ", b"\r\n\r\n\0\r\nQ"];
    METHODS.into_iter().chain(others).flat_map(|pattern| {
        (1..=pattern.len().min(8)).map(|len| {
            let beginning = pattern.get(..len).unwrap_or_default();
            (key(first(beginning)), look_at(beginning))
        })
    })
}

/// Looks at the first `len` bytes of an operation, given as the little-endian number that its
/// first eight make (`len` of them, the rest zero).
#[inline(always)]
#[must_use]
pub fn look(first: u64, len: u32) -> Start {
    const RESPONSE: (u64, u64) = pattern(b"HTTP/1.");
    const CONNECT: (u64, u64) = pattern(b"CONNECT ");
    const PREFACE: (u64, u64) = pattern(b"PRI ");
    const PROXY_1: (u64, u64) = pattern(b"PROXY ");
    const PROXY_2: (u64, u64) = pattern(b"\r\n\r\n\0\r\nQ");
    const PATTERNS: [(u64, u64); METHODS.len()] = patterns();
    let seen = if len >= 8 { u64::MAX } else { (1 << (8 * len)) - 1 };
    let fits = |(value, mask): (u64, u64)| first & mask & seen == value & seen;
    let whole = |(_, mask): (u64, u64)| mask & seen == mask;
    let verdict = |pattern, start| if whole(pattern) { start } else { Start::Partial };
    if fits(RESPONSE) {
        return verdict(RESPONSE, Start::Response);
    }
    if fits(CONNECT) {
        return verdict(CONNECT, Start::ConnectRequest);
    }
    let mut i = 0;
    while i < PATTERNS.len() {
        if fits(PATTERNS[i]) {
            return verdict(PATTERNS[i], Start::Request);
        }
        i += 1;
    }
    if fits(PREFACE) {
        return verdict(PREFACE, Start::Preface);
    }
    if fits(PROXY_1) || fits(PROXY_2) {
        return Start::ProxyPrefix;
    }
    Start::Other
}

/// The same for a slice of any length.
#[must_use]
pub fn look_at(bytes: &[u8]) -> Start {
    look(first(bytes), bytes.len().min(8) as u32)
}

fn first(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    let len = bytes.len().min(8);
    first[..len].copy_from_slice(&bytes[..len]);
    u64::from_le_bytes(first)
}

/// Value and mask of a pattern's first eight bytes.
const fn pattern(bytes: &[u8]) -> (u64, u64) {
    let (mut value, mut mask, mut i) = (0, 0, 0);
    while i < bytes.len() && i < 8 {
        value |= (bytes[i] as u64) << (8 * i);
        mask |= 0xff << (8 * i);
        i += 1;
    }
    (value, mask)
}

const fn patterns() -> [(u64, u64); METHODS.len()] {
    let mut all = [(0, 0); METHODS.len()];
    let mut i = 0;
    while i < all.len() {
        all[i] = pattern(METHODS[i]);
        i += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{METHODS, Start, first, is_frame, is_response, is_websocket, key, look_at, starts};

    #[test]
    fn heads_are_told_from_the_rest() {
        for (bytes, want) in [
            (&b"GET / HTTP/1.1"[..], Start::Request),
            (b"PROPFIND /x", Start::Request),
            (b"HTTP/1.1 200", Start::Response),
            (b"CONNECT a:1", Start::ConnectRequest),
            (b"G", Start::Partial),
            (b"HTTP", Start::Partial),
            (b"PROXY TCP4 ", Start::ProxyPrefix),
            (b"PROXY UNKNOWN\r\n", Start::ProxyPrefix),
            (b"PRI * HTTP/2.0", Start::Preface),
            (b"PRIX", Start::Other),
            (b"\x16\x03\x01", Start::Other),
            (b"GETX / ", Start::Other),
            (b"*1\r\n$4\r\n", Start::Other),
        ] {
            assert_eq!(look_at(bytes), want, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn frames_are_told_from_the_rest() {
        let is = |bytes: &[u8]| is_frame(first(bytes), first(bytes.get(8..).unwrap_or_default()));
        assert!(is(&[0, 0, 18, 4, 0, 0, 0, 0, 0, 0, 3]), "SETTINGS");
        assert!(is(&[0, 0, 0, 4, 1, 0, 0, 0, 0]), "SETTINGS, acknowledged");
        assert!(is(&[0, 1, 70, 1, 4, 0, 0, 0, 5, 0x83]), "HEADERS");
        assert!(is(&[0, 0, 70, 1, 0x25, 0, 0, 1, 1, 0x83]), "HEADERS with priority");
        assert!(!is(&[0, 0, 70, 1, 4, 0, 0, 0, 4, 0x83]), "an even stream");
        assert!(!is(&[0, 0, 70, 0, 0, 0, 0, 0, 5]), "DATA");
        assert!(!is(&[1, 0, 70, 1, 4, 0, 0, 0, 5]), "too long");
        assert!(!is(b"GET / HTTP/1.1") && !is(&[0; 16]) && !is(&[0xff; 16]));
    }

    #[test]
    fn whole_messages_are_told_from_the_rest() {
        assert!([0x81, 0xc1, 0x82, 0x88, 0x89, 0x8a].into_iter().all(is_websocket));
        let others = [0x01, 0x80, 0x83, 0xb1, 0x8b, u64::from(b'G'), 0];
        assert!(!others.into_iter().any(is_websocket));
        let share = (0..256).filter(|byte| is_websocket(*byte)).count();
        assert_eq!(share, 10);
    }

    /// As the kernel side looks.
    fn by_table(bytes: &[u8]) -> Start {
        let first = first(bytes);
        if is_response(first) {
            return Start::Response;
        }
        let known = starts().find(|(entry, _)| *entry == key(first));
        known.map_or(Start::Other, |(_, start)| start)
    }

    #[test]
    fn the_table_knows_the_same() {
        let others = [
            &b"HTTP/1.1 200"[..],
            b"HTTP/2",
            b"CONNECT a:1",
            b"PROXY TCP4 ",
            b"PROXYX",
            b"\r\n\r\n\0\r\nQUIT\n",
            b"PRI * HTTP/2.0",
            b"\x16\x03\x01\x02\x00\x01\x00\x01",
            b" GET / HTTP/1.1",
            b"GETX / HTTP/1.1",
            b"get / HTTP/1.1",
            b"\xa0\xa0\xa0\xa0",
            b"*1\r\n$4\r\n",
            b"PROPFINDX",
        ];
        for bytes in METHODS.into_iter().chain(others) {
            for len in 1..=bytes.len() {
                // (A zero byte at the end of a very short operation goes for none: harmless.)
                for tail in [&b""[..], b" ", b"/", b"  HTTP/1.1"] {
                    let bytes = [&bytes[..len], tail].concat();
                    let shown = String::from_utf8_lossy(&bytes);
                    assert_eq!(by_table(&bytes), look_at(&bytes), "{shown:?}");
                }
            }
        }
    }
}
