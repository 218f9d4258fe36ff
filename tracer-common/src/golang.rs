//! What the probes on Go's functions need to know of a program; it fits into an attach cookie.

/// Reads of TLS connections that are under way at the same time.
pub const MAX_TLS_READS: u32 = 16_384;
/// Programs of which it is remembered where their structures have connections.
pub const MAX_HOLDERS: u32 = 4096;

/// Byte offsets into Go's structures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// In what a probe is given, the connection (`net.Conn`), or the structure that has it.
    pub conn: u16,
    /// In a stream of HTTP/2, its number.
    pub stream: u16,
    /// 1 if what has the number is behind a pointer at the stream's beginning.
    pub behind: u8,
    /// `net.netFD.pfd.Sysfd`.
    pub descriptor: u8,
    /// `net.netFD.family`.
    pub family: u8,
    /// `net.netFD.sotype`.
    pub kind: u8,
}

impl From<u64> for Layout {
    fn from(cookie: u64) -> Self {
        let byte = |index: u32| (cookie >> (8 * index)) as u8;
        let half = |index: u32| (cookie >> (16 * index)) as u16;
        Self {
            conn: half(0),
            stream: half(1),
            behind: byte(4),
            descriptor: byte(5),
            family: byte(6),
            kind: byte(7),
        }
    }
}

impl From<Layout> for u64 {
    fn from(layout: Layout) -> Self {
        let bytes = [layout.behind, layout.descriptor, layout.family, layout.kind];
        Self::from(u32::from_le_bytes(bytes)) << 32
            | Self::from(layout.stream) << 16
            | Self::from(layout.conn)
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn a_layout_survives_the_cookie() {
        let (conn, stream) = (80, 0xffff);
        let layout = Layout { conn, stream, behind: 1, descriptor: 16, family: 56, kind: 0xff };
        assert_eq!(Layout::from(u64::from(layout)), layout);
    }
}
