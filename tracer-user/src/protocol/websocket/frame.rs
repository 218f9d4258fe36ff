//! The header of a frame (RFC 6455 section 5.2).

/// Bytes of the longest one.
pub(super) const MAX_HEADER: usize = 14;
/// Most bytes of a control frame's payload (RFC 6455 section 5.5).
const MAX_CONTROL: u64 = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message's first frame: text or binary.
    First,
    /// A further one.
    Further,
    /// The sender closes the connection.
    Close,
    /// Ping or pong.
    Beat,
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// It is a message's last one.
    pub(super) last: bool,
    /// What each byte of the payload is combined with, if it is.
    pub(super) key: Option<[u8; 4]>,
    /// Bytes of the payload.
    pub(super) payload: u64,
}

/// How far a header has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// It takes so many bytes, at least.
    Needs(usize),
    /// This is all of it.
    Whole(Header),
    /// It is none.
    Malformed,
}

/// Reads the first bytes of a frame, of which there are no more than it takes. `masked`: it is one of
/// the client's, whose payloads are masked, all of them, while the server's never are (section 5.1).
pub(super) fn parse(bytes: &[u8], masked: bool) -> Parsed {
    let &[first, second, ref rest @ ..] = bytes else { return Parsed::Needs(2) };
    let kind = match first & 0xf {
        0 => Kind::Further,
        1 | 2 => Kind::First,
        8 => Kind::Close,
        9 | 10 => Kind::Beat,
        _ => return Parsed::Malformed,
    };
    // Of the reserved bits one has a meaning: it marks compressed messages.
    if first & 0x30 != 0 || (second & 0x80 != 0) != masked {
        return Parsed::Malformed;
    }
    let last = first & 0x80 != 0;
    let short = u64::from(second & 0x7f);
    let (extra, least) = match short {
        126 => (2, 126),
        127 => (8, 1 << 16),
        _ => (0, 0),
    };
    let key = if masked { 4 } else { 0 };
    let Some((length, key)) = rest.split_at_checked(extra).filter(|(_, rest)| rest.len() >= key)
    else {
        return Parsed::Needs(2 + extra + key);
    };
    let long = length.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let payload = if extra == 0 { short } else { long };
    let control = matches!(kind, Kind::Close | Kind::Beat);
    if payload < least || payload > i64::MAX as u64 || control && (!last || payload > MAX_CONTROL) {
        return Parsed::Malformed;
    }
    Parsed::Whole(Header { kind, last, key: key.first_chunk().copied(), payload })
}

#[cfg(test)]
mod tests {
    use super::{Header, Kind, Parsed, parse};

    /// RFC 6455 section 5.7.
    #[test]
    fn the_examples_of_the_specification() {
        let header = |kind, last, key, payload| Parsed::Whole(Header { kind, last, key, payload });
        let key = Some([0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(parse(&[0x81, 0x05], false), header(Kind::First, true, None, 5));
        assert_eq!(
            parse(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d], true),
            header(Kind::First, true, key, 5)
        );
        assert_eq!(parse(&[0x01, 0x03], false), header(Kind::First, false, None, 3));
        assert_eq!(parse(&[0x80, 0x02], false), header(Kind::Further, true, None, 2));
        assert_eq!(parse(&[0x89, 0x05], false), header(Kind::Beat, true, None, 5));
        assert_eq!(
            parse(&[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d], true),
            header(Kind::Beat, true, key, 5)
        );
        assert_eq!(parse(&[0x82, 0x7e, 1, 0], false), header(Kind::First, true, None, 256));
        let long = [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0];
        assert_eq!(parse(&long, false), header(Kind::First, true, None, 65_536));
    }

    #[test]
    fn what_is_cut_needs_more_and_what_is_wrong_is_none() {
        let long = [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4];
        for length in 0..long.len() {
            let Parsed::Needs(more) = parse(&long[..length], true) else { panic!("{length}") };
            assert!(more > length);
        }
        assert!(matches!(parse(&long, true), Parsed::Whole(_)));
        for wrong in [
            &[0x83, 0x00][..],     // an opcode that means nothing
            &[0xa1, 0x00],         // a reserved bit
            &[0x81, 0x80],         // masked by the server
            &[0x09, 0x00],         // a control frame in pieces
            &[0x89, 0x7e, 0, 126], // a long one
            &[0x82, 0x7e, 0, 5],   // more bytes than its length takes
            &[0x82, 0x7f, 0, 0, 0, 0, 0, 0, 1, 0],
            &[0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ] {
            let parsed = parse(wrong, false);
            let parsed = if let Parsed::Needs(_) = parsed {
                parse(&[wrong, &[0; 4]].concat(), false)
            } else {
                parsed
            };
            assert_eq!(parsed, Parsed::Malformed, "{wrong:x?}");
        }
    }
}
