//! What the kernel tells of a connection.

use tracer_common::record::{
    self, CONNECTION_ACCEPTED, CONNECTION_DATAGRAM, CONNECTION_MIDSTREAM, CONNECTION_NAMED,
    CONNECTION_OPENER, CONNECTION_SILENT, FAMILY_UNIX,
};

use super::Address;

/// What the kernel told of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// This side's end, as this side sees it.
    pub local: Address,
    /// The other side's.
    pub remote: Address,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Whether this side called connect(2); `None` if that was before the tracer.
    pub opener: Option<bool>,
    /// Bytes had moved before the first look.
    pub midstream: bool,
    /// When it was told (boot time), if nothing had moved since operations are seen but with the one that
    /// showed what it carries.
    pub silent: Option<u64>,
    /// UDP: each operation is a message.
    pub datagrams: bool,
    /// Name of the first thread seen to use it.
    pub comm: String,
}

impl Info {
    /// What a record says; `None` if its family is not known.
    #[must_use]
    pub fn of(record: &record::Connection) -> Option<Self> {
        let (local, remote) = ends(record)?;
        let roles = CONNECTION_OPENER | CONNECTION_ACCEPTED | CONNECTION_NAMED;
        let opener = match record.flags & roles {
            CONNECTION_OPENER => Some(true),
            CONNECTION_ACCEPTED => Some(false),
            // Only a socket that listens, and what it accepts, has a name.
            CONNECTION_NAMED => Some(false),
            _ => None,
        };
        Some(Self {
            local,
            remote,
            netns: record.netns,
            opener,
            midstream: record.flags & CONNECTION_MIDSTREAM != 0,
            silent: (record.flags & CONNECTION_SILENT != 0).then_some(record.header.time),
            datagrams: record.flags & CONNECTION_DATAGRAM != 0,
            comm: text(&record.comm),
        })
    }
}

impl Info {
    /// The other side's address is not known.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        matches!(&self.remote, Address::Inet(address, 0) if address.is_unspecified())
    }
}

fn ends(record: &record::Connection) -> Option<(Address, Address)> {
    if record.family == FAMILY_UNIX {
        let named = Address::unix(record.path.get(..record.path_len as usize)?);
        let nameless = Address::unix(b"");
        let own = record.flags & CONNECTION_NAMED != 0;
        return Some(if own { (named, nameless) } else { (nameless, named) });
    }
    let address = |bytes| crate::kernel::address(record.family, bytes);
    Some((
        Address::Inet(address(record.local_address)?, record.local_port),
        Address::Inet(address(record.remote_address)?, record.remote_port),
    ))
}

/// A zero-terminated name as records hold it.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let name = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}
