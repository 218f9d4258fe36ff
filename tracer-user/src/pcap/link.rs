//! From link layer to network layer.

use etherparse::{EtherType, LaxSlicedPacket};

use super::counts::Count;

/// `LINKTYPE_*` by number: <https://www.tcpdump.org/linktypes.html>
const NULL: i32 = 0;
const ETHERNET: i32 = 1;
/// What raw IP was on OpenBSD (14) and elsewhere (12) before it had a number of its own.
const RAW_OLD: [i32; 2] = [12, 14];
const RAW: i32 = 101;
const LOOP: i32 = 108;
const LINUX_SLL: i32 = 113;
const IPV4: i32 = 228;
const IPV6: i32 = 229;
const LINUX_SLL2: i32 = 276;

/// `AF_INET`, the same everywhere.
const AF_INET: u32 = 2;
/// `AF_INET6` of Linux, NetBSD and OpenBSD, FreeBSD, macOS.
const AF_INET6: [u32; 4] = [10, 24, 28, 30];

/// Takes off what is around the IP packet; what is cut off at the end does not matter yet.
pub(super) fn slice(link: i32, bytes: &[u8]) -> Result<LaxSlicedPacket<'_>, Count> {
    match link {
        ETHERNET => LaxSlicedPacket::from_ethernet(bytes).map_err(|_| Count::CutPacket),
        // In the byte order of the machine that captured it.
        NULL => family(bytes, |family| {
            let little = u32::from_le_bytes(family);
            if little > 0xffff { u32::from_be_bytes(family) } else { little }
        }),
        LOOP => family(bytes, u32::from_be_bytes),
        RAW | IPV4 | IPV6 => ip(bytes),
        raw if RAW_OLD.contains(&raw) => ip(bytes),
        LINUX_SLL => typed(bytes, 14, 16),
        LINUX_SLL2 => typed(bytes, 0, 20),
        _ => Err(Count::UnknownLink),
    }
}

fn ip(bytes: &[u8]) -> Result<LaxSlicedPacket<'_>, Count> {
    match bytes.first().map(|first| first >> 4) {
        None => Err(Count::CutPacket),
        Some(4) => Ok(LaxSlicedPacket::from_ether_type(EtherType::IPV4, bytes)),
        Some(6) => Ok(LaxSlicedPacket::from_ether_type(EtherType::IPV6, bytes)),
        Some(_) => Err(Count::NotIp),
    }
}

/// Behind four bytes that name the address family.
fn family(bytes: &[u8], read: impl Fn([u8; 4]) -> u32) -> Result<LaxSlicedPacket<'_>, Count> {
    let (family, rest) = bytes.split_first_chunk().ok_or(Count::CutPacket)?;
    match read(*family) {
        AF_INET => Ok(LaxSlicedPacket::from_ether_type(EtherType::IPV4, rest)),
        other if AF_INET6.contains(&other) => {
            Ok(LaxSlicedPacket::from_ether_type(EtherType::IPV6, rest))
        }
        _ => Err(Count::NotIp),
    }
}

/// Behind a header of `len` bytes with the EtherType at `at`.
fn typed(bytes: &[u8], at: usize, len: usize) -> Result<LaxSlicedPacket<'_>, Count> {
    let (header, rest) = bytes.split_at_checked(len).ok_or(Count::CutPacket)?;
    let kind = header.get(at..).and_then(<[u8]>::first_chunk).ok_or(Count::CutPacket)?;
    Ok(LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes(*kind)), rest))
}
