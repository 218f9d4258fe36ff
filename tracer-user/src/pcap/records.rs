//! Records as the kernel side of a connection's server would have written them.

use std::net::IpAddr;

use tracer_common::record::{
    CONNECTION_ACCEPTED, CONNECTION_DATAGRAM, CONNECTION_MIDSTREAM, CONNECTION_OPENER, Connection,
    DATA_DATAGRAM, DATA_SEND, DATA_UNIX, Data, FAMILY_INET, FAMILY_INET6, Header, KIND_CONNECTION,
    KIND_DATA, KIND_STATE, MAX_COPY, STATE_CLOSED, STATE_SEND_CLOSED, State,
};
use zerocopy::{FromZeros as _, IntoBytes as _};

use crate::replay::Input;

use super::half::Piece;
use super::segment::End;

/// A connection as its server sees it.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// The made-up process.
    pub(super) pid: u32,
    pub(super) cookie: u64,
    /// `VERDICT_*`: what it carries.
    pub(super) verdict: u32,
    /// It answers datagrams.
    pub(super) datagrams: bool,
    pub(super) local: End,
    pub(super) remote: End,
    /// It sent the SYN, which then counts as a byte of what it sends.
    pub(super) opened: bool,
    /// Not seen from the first byte on.
    pub(super) midstream: bool,
    pub(super) send_base: u32,
    pub(super) receive_base: u32,
    /// Position up to which it has sent, and received.
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Server {
    /// First sight.
    pub(super) fn connection(&self, time: u64) -> Input {
        let mut record = Connection::new_zeroed();
        record.header = self.header(KIND_CONNECTION, time);
        record.verdict = self.verdict;
        record.flags = if self.opened { CONNECTION_OPENER } else { CONNECTION_ACCEPTED };
        if self.midstream {
            record.flags |= CONNECTION_MIDSTREAM;
        }
        if self.datagrams {
            record.flags |= CONNECTION_DATAGRAM;
        }
        (record.send_base, record.receive_base) = self.bases();
        let (family, local) = bytes(self.local.0);
        (record.family, record.local_address) = (family, local);
        record.remote_address = bytes(self.remote.0).1;
        (record.local_port, record.remote_port) = (self.local.1, self.remote.1);
        Input::Record(record.as_bytes().to_vec())
    }

    /// Bytes that it sent or received, in operations of at most [`MAX_COPY`] captured bytes.
    pub(super) fn data(&mut self, sends: bool, piece: &Piece, out: &mut impl Extend<Input>) {
        let mut rest = &*piece.bytes;
        let mut done = 0;
        while done < piece.len {
            let (known, after) = rest.split_at(rest.len().min(MAX_COPY));
            // What was not captured is at the end.
            let left = (piece.len - done).min(u32::MAX.into());
            let step = if after.is_empty() { left } else { known.len() as u64 };
            (rest, done) = (after, done + step);
            if sends {
                self.sent = piece.position + done;
            } else {
                self.received = piece.position + done;
            }
            out.extend([self.operation(sends, piece.time, step as u32, known)]);
        }
    }

    /// The client sends nothing more: a receive of no bytes.
    pub(super) fn end_of_stream(&self, time: u64) -> Input {
        self.operation(false, time, 0, &[])
    }

    /// It sends nothing more.
    pub(super) fn send_closed(&self, time: u64) -> Input {
        self.state(STATE_SEND_CLOSED, time)
    }

    /// The connection is gone.
    pub(super) fn closed(&self, time: u64) -> Input {
        self.state(STATE_CLOSED, time)
    }

    fn operation(&self, sends: bool, time: u64, len: u32, known: &[u8]) -> Input {
        let mut record = Data::new_zeroed();
        record.header = self.header(KIND_DATA, time);
        record.flags = if sends { DATA_SEND } else { 0 };
        if self.datagrams {
            record.flags |= DATA_UNIX | DATA_DATAGRAM;
        }
        (record.len, record.head_len) = (len, known.len() as u32);
        (record.send_base, record.receive_base) = self.bases();
        record.write_seq = self.send_base.wrapping_add(self.sent as u32);
        record.copied_seq = self.receive_base.wrapping_add(self.received as u32);
        Input::Record([record.as_bytes(), known].concat())
    }

    fn state(&self, state: u32, time: u64) -> Input {
        let mut record = State::new_zeroed();
        record.header = self.header(KIND_STATE, time);
        record.state = state;
        Input::Record(record.as_bytes().to_vec())
    }

    /// As the kernel has them: that of an opener's sending side is lower by its SYN.
    fn bases(&self) -> (u32, u32) {
        (self.send_base.wrapping_sub(self.opened.into()), self.receive_base)
    }

    fn header(&self, kind: u32, time: u64) -> Header {
        Header { kind, pid: self.pid, tid: self.pid, cpu: 0, time, cookie: self.cookie }
    }
}

fn bytes(address: IpAddr) -> (u16, [u8; 16]) {
    match address {
        IpAddr::V4(address) => {
            let mut bytes = [0; 16];
            for (to, from) in bytes.iter_mut().zip(address.octets()) {
                *to = from;
            }
            (FAMILY_INET, bytes)
        }
        IpAddr::V6(address) => (FAMILY_INET6, address.octets()),
    }
}
