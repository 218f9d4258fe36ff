//! Blanks a body whose end is looked for in it by [`super::tail`]: what that goes by stays.

use tracer_common::head::{Start, look_at};

/// Bytes before the next one that matter: an end, and a message's first bytes behind it.
const MEMORY: usize = 16;
const END: &[u8] = b"\r\n0\r\n\r\n";

/// The state of one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct TailMask {
    before: Vec<u8>,
}

impl TailMask {
    /// Bytes follow that are not known.
    pub(super) fn hide(&mut self) {
        self.before.clear();
    }

    /// Blanks the next bytes. Line ends, colons and last zeros of lines stay, and what begins a
    /// message right behind an end; what may be in a trailer's name stays such, and what may not.
    pub(super) fn feed(&mut self, bytes: &mut [u8]) {
        for at in 0..bytes.len() {
            let next = bytes.get(at + 1).copied();
            let Some(byte) = bytes.get_mut(at) else { break };
            self.before.push(*byte);
            let excess = self.before.len().saturating_sub(MEMORY);
            self.before.drain(..excess);
            *byte = match *byte {
                kept @ (b'\r' | b'\n' | b':') => kept,
                b'0' if next.is_none_or(|next| next == b'\r') => b'0',
                kept if begins_message(&self.before) => kept,
                token if is_token(token) => b'x',
                _ => b'(',
            };
        }
    }
}

/// The last byte is one of those behind an end that tell that a message begins there.
fn begins_message(bytes: &[u8]) -> bool {
    (1..=8).any(|length| {
        let (before, start) = bytes.split_at(bytes.len().saturating_sub(length));
        let undecided = start.split_last().is_some_and(|(_, so_far)| {
            matches!(look_at(so_far), Start::Partial | Start::ProxyPrefix)
        });
        before.ends_with(END) && undecided && look_at(start) != Start::Other
    })
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::TailMask;

    #[test]
    fn what_tells_an_end_stays() {
        for (bytes, want) in [
            ("secret 10\r\n0\r\nA-b: c d\r\n\r\n", "xxxxxx(x0\r\n0\r\nxxx:(x(x\r\n\r\n"),
            ("x\r\n0\r\n\r\nGET /secret", "x\r\n0\r\n\r\nGET (xxxxxx"),
            ("x\r\n0\r\n\r\nHTTQ", "x\r\n0\r\n\r\nHTTx"),
            ("007 0", "xxx(0"),
        ] {
            let mut bytes = bytes.as_bytes().to_vec();
            TailMask::default().feed(&mut bytes);
            assert_eq!(String::from_utf8(bytes).unwrap(), want);
        }
    }
}
