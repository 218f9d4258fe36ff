//! Secrets in a URL that comes in pieces; on a whole one it does what [`super::mask_target`] does.

use super::target::{is_scheme, is_secret};

/// Bytes of a parameter's name that are remembered. The longest secret one has 20, each of which
/// may be percent-encoded as three.
const MAX_KEY: usize = 64;

/// Masks one URL.
#[derive(Clone, Debug, Default)]
pub(super) struct TargetMask {
    phase: Phase,
    /// The parameter's name so far.
    key: Vec<u8>,
    part: Part,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// In what may be a scheme.
    #[default]
    Scheme,
    /// Behind its `:`, and so many `/`.
    Slashes(u8),
    Authority,
    Path,
    Query,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Key,
    /// A name that is too long to be that of a secret.
    LongKey,
    Value,
    Secret,
}

impl TargetMask {
    /// Masks the next bytes. `ended`: the URL ends behind them.
    pub(super) fn feed(&mut self, bytes: &mut [u8], ended: bool) {
        let mut open = false;
        for at in 0..bytes.len() {
            let Some(rest) = bytes.get_mut(at..) else { return };
            if self.phase == Phase::Authority && !open {
                open = !self.user(rest, ended);
            }
            let Some(byte) = rest.first_mut() else { return };
            self.byte(byte);
            // Whether it is a user or a host would show in bytes to come.
            if open && !b":@".contains(byte) && !byte.is_ascii_control() {
                *byte = b'*';
            }
        }
    }

    /// Masks user and password, which an `@` follows; false if the authority goes on elsewhere.
    fn user(&mut self, rest: &mut [u8], ended: bool) -> bool {
        let end = rest.iter().position(|byte| b"/?#".contains(byte));
        let Some(end) = end.or(ended.then_some(rest.len())) else { return false };
        self.phase = Phase::Path;
        let until = rest.iter().take(end).rposition(|byte| *byte == b'@').unwrap_or(0);
        let text = rest.iter_mut().take(until).filter(|byte| **byte != b':');
        text.filter(|byte| !byte.is_ascii_control()).for_each(|byte| *byte = b'*');
        true
    }

    fn byte(&mut self, byte: &mut u8) {
        self.phase = match (self.phase, *byte) {
            (Phase::Query, _) | (_, b'?') => Phase::Query,
            (Phase::Scheme, b':') => Phase::Slashes(0),
            (Phase::Scheme, other) if is_scheme(other) => Phase::Scheme,
            (Phase::Slashes(0), b'/') => Phase::Slashes(1),
            (Phase::Slashes(1), b'/') => Phase::Authority,
            (Phase::Authority, _) => Phase::Authority,
            _ => Phase::Path,
        };
        let delimiters: &[u8] = if self.phase == Phase::Query { b"?&;#" } else { b"/;" };
        match self.part {
            _ if delimiters.contains(byte) => {
                self.key.clear();
                self.part = Part::Key;
            }
            Part::Key if *byte == b'=' => {
                self.part = if is_secret(&self.key) { Part::Secret } else { Part::Value };
            }
            Part::Key if self.key.len() < MAX_KEY => self.key.push(*byte),
            Part::Key => self.part = Part::LongKey,
            Part::LongKey if *byte == b'=' => self.part = Part::Value,
            Part::Secret if !byte.is_ascii_control() => *byte = b'*',
            Part::LongKey | Part::Value | Part::Secret => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mask_target;
    use super::TargetMask;
    use proptest::prelude::{Just, any, prop_oneof, proptest};
    use proptest::strategy::Strategy;

    fn in_pieces(url: &[u8], cut: usize) -> Vec<u8> {
        let (mut mask, mut bytes) = (TargetMask::default(), url.to_vec());
        let (first, second) = bytes.split_at_mut(cut % (url.len() + 1));
        mask.feed(first, false);
        mask.feed(second, true);
        bytes
    }

    fn url() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("http://"),
            Just("://"),
            Just("/"),
            Just("?"),
            Just("&"),
            Just(";"),
            Just("#"),
            Just("="),
            Just("token="),
            Just("t%6Fken="),
            Just("a=b"),
            Just("me:pw@"),
            Just("host"),
            Just("\u{e9}"),
            Just("key"),
            Just("%"),
            Just("password"),
        ];
        proptest::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_whole_url_is_masked_as_ever(url in url()) {
            let (mut mask, mut bytes) = (TargetMask::default(), url.as_bytes().to_vec());
            let mut want = bytes.clone();
            mask_target(&mut want);
            mask.feed(&mut bytes, true);
            assert_eq!(bytes, want, "{url}");
        }

        #[test]
        fn pieces_hide_no_less(url in url(), cut in any::<usize>()) {
            let mut want = url.as_bytes().to_vec();
            mask_target(&mut want);
            for (got, want) in in_pieces(url.as_bytes(), cut).iter().zip(want) {
                // An `@` that is left says nothing, and parts user from host.
                assert!(*got == want || b"*@".contains(got), "{url} {cut}");
            }
        }
    }

    #[test]
    fn what_may_be_a_user_is_masked() {
        assert_eq!(in_pieces(b"http://me:pw@h/?sig=1", 9), b"http://**:**@h/?sig=*");
        assert_eq!(in_pieces(b"http://me:pw@h/?sig=1", 11), b"http://**:**@h/?sig=*");
        assert_eq!(in_pieces(b"http://host/?sig=1", 9), b"http://**st/?sig=*");
    }
}
