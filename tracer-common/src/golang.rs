//! What the probe on Go's HTTP client needs to know of a program; it fits into an attach cookie.

/// Byte offsets into Go's structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// `net/http.persistConn.conn`.
    pub conn: u16,
    /// `net.netFD.pfd.Sysfd`.
    pub descriptor: u16,
    /// `net.netFD.family`.
    pub family: u16,
    /// `net.netFD.sotype`.
    pub kind: u16,
}

impl From<u64> for Layout {
    fn from(cookie: u64) -> Self {
        let part = |index: u32| (cookie >> (16 * index)) as u16;
        Self { conn: part(0), descriptor: part(1), family: part(2), kind: part(3) }
    }
}

impl From<Layout> for u64 {
    fn from(layout: Layout) -> Self {
        [layout.kind, layout.family, layout.descriptor, layout.conn]
            .iter()
            .fold(0, |cookie, &part| cookie << 16 | Self::from(part))
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn a_layout_survives_the_cookie() {
        let layout = Layout { conn: 80, descriptor: 16, family: 56, kind: 0xffff };
        assert_eq!(Layout::from(u64::from(layout)), layout);
    }
}
