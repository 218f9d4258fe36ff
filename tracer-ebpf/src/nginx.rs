//! For which client's connection nginx acts, in its own terms. A socket is registered in epoll with its
//! `ngx_connection_t` (lowest bit: which of the uses of that memory it is; ngx_epoll_module.c), which
//! begins with what it is used for: while a request is served, that request, of the client's connection
//! and of the one to the upstream server alike. A request, and a session of the stream module, begins with
//! a signature and the client's connection (ngx_http_request.h, ngx_stream.h). So it has been since 0.7.

use crate::kernel::{epoll_data, peek_user};

/// `NGX_HTTP_MODULE`: "HTTP".
const REQUEST: u32 = 0x5054_5448;
/// `NGX_STREAM_MODULE`: "STRM".
const SESSION: u32 = 0x4d52_5453;

/// The client's connection for which the socket of this `struct file` is used; the socket's own one if
/// it is not used for a request that has begun.
#[inline(always)]
pub(crate) fn client(file: u64) -> Option<u64> {
    let own = epoll_data(file)? & !1;
    let used_for: u64 = peek_user(own)?;
    match peek_user::<[u64; 2]>(used_for) {
        Some([signature, client]) if matches!(signature as u32, REQUEST | SESSION) => Some(client),
        _ => Some(own),
    }
}
