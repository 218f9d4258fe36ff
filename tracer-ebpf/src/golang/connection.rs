//! The socket behind a connection of Go's (`net.Conn`), and the connection that a structure has.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, generated::bpf_loop},
    macros::map,
    maps::LruHashMap,
};
use tracer_common::{
    golang::{Layout, MAX_HOLDERS},
    record::{FAMILY_INET, FAMILY_INET6, FAMILY_UNIX},
};

use crate::kernel::{Found, peek_user, socket_of_fd};

/// `SOCK_STREAM`.
const STREAM: u64 = 1;
/// Connections in connections: a TLS connection of a wrapper of a socket, in a wrapper.
const MAX_WRAPPERS: u32 = 4;
/// Words of a structure among which its connection is sought.
const MAX_WORDS: u32 = 32;
/// So often it is sought in structures of one kind without being found; these have none then that is
/// known.
const MAX_TRIES: u32 = 64;

pub(crate) const NOT_FOUND: Found = Found { address: 0, cookie: 0 };

/// Process and kind of structure -> where those have their connections, in words and from 1 on; or,
/// above [`MAX_WORDS`], how often that was sought.
#[map]
static HOLDERS: LruHashMap<[u32; 2], u32> = LruHashMap::with_max_entries(MAX_HOLDERS, 0);

/// The socket behind the `net.Conn` at an address: 1 if there is one. A plain `*net.TCPConn` or
/// `*net.UnixConn` has one field, a `*netFD`, which says so by its family and type. Anything else is
/// taken for a structure that begins with a connection, as `*tls.Conn` and most wrappers do.
#[inline(never)]
pub(crate) fn socket_behind(conn: u64, layout: u64, to: &mut Found) -> u32 {
    let (layout, mut at) = (Layout::from(layout), conn);
    let mut level = 0;
    while level < MAX_WRAPPERS {
        // An interface is two words: type and value.
        let Some(value) = peek_user::<u64>(at.wrapping_add(8)) else { return 0 };
        if let Some(fd) = descriptor(value, layout) {
            return match socket_of_fd(fd) {
                Some(found) => {
                    *to = found;
                    1
                }
                None => 0,
            };
        }
        at = value;
        level += 1;
    }
    0
}

#[inline(always)]
fn descriptor(conn: u64, layout: Layout) -> Option<u32> {
    let fd: u64 = peek_user(conn)?;
    let word = |offset: u8| peek_user::<u64>(fd.wrapping_add(u64::from(offset)));
    let family = word(layout.family)?;
    let known = [FAMILY_INET, FAMILY_INET6, FAMILY_UNIX].iter().any(|&it| u64::from(it) == family);
    if !known || word(layout.kind)? != STREAM {
        return None;
    }
    u32::try_from(word(layout.descriptor)?).ok()
}

/// A search.
#[repr(C)]
struct Search {
    holder: u64,
    layout: u64,
    found: Found,
    /// In which word, from 1 on; 0 in none.
    word: u64,
}

/// The socket of a structure that has a `net.Conn` somewhere: which word that is differs from version
/// to version, so it is sought, once in a process for each kind of structure.
#[inline(always)]
pub(crate) fn socket_of(holder: u64, kind: u32, layout: Layout) -> Option<Found> {
    let key = [(bpf_get_current_pid_tgid() >> 32) as u32, kind];
    // SAFETY: the value is copied at once.
    let known = unsafe { HOLDERS.get(key) }.copied().unwrap_or(0);
    let mut found = NOT_FOUND;
    if known != 0 && known <= MAX_WORDS {
        let conn = holder.wrapping_add(u64::from(known - 1) * 8);
        if socket_behind(conn, layout.into(), &mut found) != 0 {
            return Some(found);
        }
    } else if known > MAX_WORDS + MAX_TRIES {
        return None;
    }
    let mut search = Search { holder, layout: layout.into(), found, word: 0 };
    // SAFETY: the callback has the form that the helper asks for, and `search` outlives the loop.
    unsafe { bpf_loop(MAX_WORDS, search_one as *mut c_void, (&raw mut search).cast(), 0) };
    let value = match search.word as u32 {
        // It may be closed.
        0 if known != 0 && known <= MAX_WORDS => known,
        0 => known.max(MAX_WORDS) + 1,
        word => word,
    };
    // A full map evicts its oldest entry.
    let _ = HOLDERS.insert(key, value, 0);
    (search.word != 0).then_some(search.found)
}

/// 0 goes on to the next word, 1 ends the loop.
extern "C" fn search_one(index: u32, search: *mut Search) -> u64 {
    // SAFETY: `bpf_loop` hands on the pointer that it was given.
    let search = unsafe { &mut *search };
    let conn = search.holder.wrapping_add(u64::from(index) * 8);
    if socket_behind(conn, search.layout, &mut search.found) == 0 {
        return 0;
    }
    search.word = u64::from(index) + 1;
    1
}
