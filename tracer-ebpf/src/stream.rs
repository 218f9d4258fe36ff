//! Where an operation lies in a connection's two streams: TCP says so itself; of a unix socket it is
//! counted here.

use tracer_common::record::{DATA_SEND, DATA_UNIX};

use crate::{
    kernel::{Sock, TcpSock, UnixSock},
    operation::Direction,
    socket::Socket,
    verdict::Stop,
};

/// The two kinds of sockets that carry HTTP.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Tcp(TcpSock),
    Unix(UnixSock),
}

impl Stream {
    /// Also counts the operation, if it is on a unix socket: every one must be counted.
    #[inline(always)]
    pub(crate) fn of(
        sock: Sock,
        is_unix: bool,
        socket: &mut Socket,
        direction: Direction,
        len: u32,
    ) -> Result<Self, Stop> {
        if !is_unix {
            return sock.tcp().map(Self::Tcp).ok_or(Stop::NotOurs);
        }
        let unix = sock.unix().ok_or(Stop::NotOurs)?;
        if !socket.is_based() {
            socket.set_unix_bases(sock, unix);
            // Both ends count from the same instant on. Where there is no memory for that, they do
            // not find each other.
            if let Some(peer) = unix.peer() {
                let _ = peer.find_or_create();
            }
        }
        socket.count_bytes(direction, len);
        Ok(Self::Unix(unix))
    }

    /// First sight of a connection, by an operation of `len` bytes.
    #[inline(always)]
    pub(crate) fn meet(self, socket: &mut Socket, len: u32) {
        if let Self::Tcp(tcp) = self {
            socket.set_bases(tcp);
            socket.note_midstream(tcp, len);
        }
    }

    #[inline(always)]
    pub(crate) fn unix(self) -> Option<UnixSock> {
        match self {
            Self::Tcp(_) => None,
            Self::Unix(unix) => Some(unix),
        }
    }

    #[inline(always)]
    pub(crate) fn flags(self, direction: Direction) -> u32 {
        let sent = if direction == Direction::Send { DATA_SEND } else { 0 };
        if self.unix().is_some() { sent | DATA_UNIX } else { sent }
    }

    /// `write_seq` and `copied_seq` of the record.
    #[inline(always)]
    pub(crate) fn sequence(self, socket: &Socket, direction: Direction) -> (u32, u32) {
        match self {
            Self::Tcp(tcp) => (tcp.write_seq(), tcp.copied_seq()),
            Self::Unix(unix) => {
                let mut sent = socket.sent();
                // A response can be received before the probe of its request's send has run; what
                // the other end has received by then was sent.
                if direction == Direction::Receive
                    && let Some(peer) = unix.peer()
                    && let Some(peer) = peer.find()
                    && peer.received().wrapping_sub(sent) as i32 > 0
                {
                    sent = peer.received();
                }
                (
                    socket.send_base.wrapping_add(sent),
                    socket.receive_base.wrapping_add(socket.received()),
                )
            }
        }
    }
}
