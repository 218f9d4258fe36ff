//! From IP packets to TCP segments and datagrams of UDP.

use std::net::IpAddr;

use etherparse::{
    IpNumber, Ipv6ExtensionSlice, LaxIpv4Slice, LaxIpv6Slice, LaxNetSlice, LaxSlicedPacket,
    TcpSlice, TransportSlice, UdpSlice,
};

use super::counts::{Count, Counts};
use super::fragments::{Fragment, Fragments, Name};
use super::segment::{Datagram, Payload, Segment};

/// Hands over what a packet carries, if it is a segment or a datagram, or completes one.
pub(super) fn payload<T>(
    packet: &LaxSlicedPacket<'_>,
    now: u64,
    fragments: &mut Fragments,
    counts: &mut Counts,
    take: impl FnOnce(Payload<'_>, &mut Counts) -> T,
) -> Option<T> {
    let found = match &packet.net {
        Some(LaxNetSlice::Ipv4(ip)) => v4(ip),
        Some(LaxNetSlice::Ipv6(ip)) => v6(ip),
        Some(_) => Err(Count::NotIp),
        None if packet.stop_err.is_some() => Err(Count::CutPacket),
        None => Err(Count::NotIp),
    };
    let Ip { name, fragment, missing } = match found {
        Ok(ip) => ip,
        Err(why) => {
            counts.add(why);
            return None;
        }
    };
    let is_tcp = name.protocol == IpNumber::TCP.0;
    if !is_tcp && name.protocol != IpNumber::UDP.0 {
        counts.add(Count::NotTcp);
        return None;
    }
    if let Some(fragment) = fragment {
        if missing > 0 {
            counts.add(Count::CutPacket);
            return None;
        }
        let whole = fragments.add(name, &fragment, now, counts)?;
        let payload = if is_tcp {
            TcpSlice::from_slice(&whole).ok().map(|tcp| segment(&name, &tcp, 0))
        } else {
            UdpSlice::from_slice(&whole).ok().map(|udp| datagram(&name, &udp, 0))
        };
        if payload.is_none() {
            counts.add(Count::BadHeader);
        }
        return payload.map(|payload| take(payload, counts));
    }
    match &packet.transport {
        Some(TransportSlice::Tcp(tcp)) => Some(take(segment(&name, tcp, missing), counts)),
        Some(TransportSlice::Udp(udp)) => Some(take(datagram(&name, udp, missing), counts)),
        _ => {
            counts.add(if missing > 0 { Count::CutPacket } else { Count::BadHeader });
            None
        }
    }
}

/// An IP packet.
struct Ip<'a> {
    name: Name,
    /// If it is only a part of one.
    fragment: Option<Fragment<'a>>,
    /// Bytes that it had on the wire and that were not captured.
    missing: usize,
}

fn v4<'a>(ip: &'a LaxIpv4Slice<'_>) -> Result<Ip<'a>, Count> {
    let (header, payload) = (ip.header(), ip.payload());
    let extensions = ip.extensions().auth.as_ref().map_or(0, |auth| auth.slice().len());
    let seen = header.slice().len() + extensions + payload.payload.len();
    let fragment = payload.fragmented.then_some(Fragment {
        offset: header.fragments_offset(),
        more: header.more_fragments(),
        bytes: payload.payload,
    });
    Ok(Ip {
        name: Name {
            source: IpAddr::V4(header.source_addr()),
            destination: IpAddr::V4(header.destination_addr()),
            identification: header.identification().into(),
            protocol: payload.ip_number.0,
        },
        fragment,
        missing: usize::from(header.total_len()).saturating_sub(seen),
    })
}

fn v6<'a>(ip: &'a LaxIpv6Slice<'_>) -> Result<Ip<'a>, Count> {
    let (header, payload) = (ip.header(), ip.payload());
    let seen = ip.extensions().slice().len() + payload.payload.len();
    let mut name = Name {
        source: IpAddr::V6(header.source_addr()),
        destination: IpAddr::V6(header.destination_addr()),
        identification: 0,
        protocol: payload.ip_number.0,
    };
    let mut fragment = None;
    if payload.fragmented {
        let mut extensions = ip.extensions().clone().into_iter();
        let part = extensions.find_map(|extension| match extension {
            Ipv6ExtensionSlice::Fragment(part) => Some(part),
            _ => None,
        });
        let part = part.ok_or(Count::BadHeader)?;
        name.identification = part.identification();
        let (offset, more) = (part.fragment_offset(), part.more_fragments());
        fragment = Some(Fragment { offset, more, bytes: payload.payload });
    }
    let missing = usize::from(header.payload_length()).saturating_sub(seen);
    Ok(Ip { name, fragment, missing })
}

fn datagram<'a>(name: &Name, udp: &UdpSlice<'a>, missing: usize) -> Payload<'a> {
    let bytes = udp.payload();
    Payload::Datagram(Datagram {
        source: (name.source, udp.source_port()),
        destination: (name.destination, udp.destination_port()),
        bytes,
        len: u32::try_from(bytes.len() + missing).unwrap_or(u32::MAX),
    })
}

fn segment<'a>(name: &Name, tcp: &TcpSlice<'a>, missing: usize) -> Payload<'a> {
    let bytes = tcp.payload();
    Payload::Segment(Segment {
        source: (name.source, tcp.source_port()),
        destination: (name.destination, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        acknowledged: tcp.ack().then(|| tcp.acknowledgment_number()),
        syn: tcp.syn(),
        fin: tcp.fin(),
        rst: tcp.rst(),
        bytes,
        len: u32::try_from(bytes.len() + missing).unwrap_or(u32::MAX),
    })
}
