//! Which socket carries a TLS session.

use aya_ebpf::{
    macros::map,
    maps::{Array, LruHashMap},
};
use tracer_common::{record::CONNECTION_MIDSTREAM, tls::MAX_SESSIONS};

use crate::socket::Socket;

/// Process and address of the session's object -> what is known of it.
#[map]
static SESSIONS: LruHashMap<[u64; 2], Session> = LruHashMap::with_max_entries(MAX_SESSIONS, 0);

/// A session of which nothing is known, from which entries are made: they are too large for the stack.
#[map]
static NO_SESSION: Array<Session> = Array::with_max_entries(1, 0);

/// [`Session::votes`]: its beginning was seen.
const BORN: u32 = 1;
/// [`Session::votes`]: the thread received on the socket, and then called the session.
const HEARD: u32 = 1 << 1;
/// [`Session::votes`]: that more than once.
const HEARD_AGAIN: u32 = 1 << 2;
/// [`Session::votes`]: the thread called the session, and then sent on the socket.
const SPOKEN: u32 = 1 << 3;
/// [`Session::votes`]: the socket is the session's.
const KNOWN: u32 = 1 << 4;

/// A socket that carries TLS.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct End {
    /// 0 if there is none.
    pub(crate) cookie: u64,
    /// Of its `struct sock`.
    pub(crate) address: u64,
    pub(crate) send_base: u32,
    pub(crate) receive_base: u32,
    /// `DATA_UNIX` or 0.
    pub(crate) flags: u32,
    pub(crate) reserved: u32,
}

/// One session. Its object is used by one thread at a time; Go's by one in each direction.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Session {
    /// The socket that carries it, or may.
    pub(crate) end: End,
    /// What its plaintext is, and how much of it there was.
    pub(crate) socket: Socket,
    votes: u32,
    reserved: u32,
}

/// How a session and a socket were seen together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vote {
    Inside,
    Heard,
    Spoken,
}

impl Session {
    #[inline(always)]
    pub(crate) fn is_tied(&self) -> bool {
        self.votes & KNOWN != 0
    }
}

#[inline(always)]
pub(crate) fn find(pid: u64, session: u64) -> Option<&'static mut Session> {
    // SAFETY: the kernel keeps the entry's memory as long as this program can run.
    SESSIONS.get_ptr_mut([pid, session]).map(|session| unsafe { &mut *session })
}

/// A session begins.
#[inline(always)]
pub(crate) fn born(pid: u64, session: u64) {
    insert(pid, session, BORN);
}

/// A session is over.
#[inline(always)]
pub(crate) fn over(pid: u64, session: u64) {
    // One that was never looked at is not there.
    let _ = SESSIONS.remove([pid, session]);
}

#[inline(always)]
fn insert(pid: u64, session: u64, votes: u32) {
    let Some(new) = NO_SESSION.get(0) else { return };
    // A full map evicts its oldest entry.
    let _ = SESSIONS.insert([pid, session], new, 0);
    let Some(new) = find(pid, session) else { return };
    new.votes = votes;
    if votes & BORN == 0 {
        new.socket.flags = CONNECTION_MIDSTREAM;
    }
}

/// A session and a socket were seen together. Whether the socket is known to be the session's: 1.
#[inline(never)]
pub(crate) fn vote(pid: u64, address: u64, end: &End, vote: Vote) -> u32 {
    if find(pid, address).is_none() {
        insert(pid, address, 0);
    }
    let Some(session) = find(pid, address) else { return 0 };
    let same = session.end.cookie == end.cookie;
    if session.is_tied() && (same || vote != Vote::Inside) {
        return same.into();
    }
    if !same {
        if session.is_tied() {
            // The object serves another connection now.
            insert(pid, address, 0);
        }
        session.votes &= BORN;
        session.end = *end;
        session.socket.send_base = end.send_base;
        session.socket.receive_base = end.receive_base;
    }
    session.votes |= match vote {
        Vote::Inside => KNOWN,
        Vote::Heard if session.votes & HEARD != 0 => HEARD_AGAIN,
        Vote::Heard => HEARD,
        Vote::Spoken => SPOKEN,
    };
    let both = HEARD | SPOKEN;
    if session.votes & HEARD_AGAIN != 0 || session.votes & both == both {
        session.votes |= KNOWN;
    }
    session.is_tied().into()
}
