//! What the kernel side counts, one slot a processor, read by user space.

/// One per-processor counter. The discriminant is its index in the map.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Sends seen, of any socket.
    Sends,
    /// Receives seen, of any socket.
    Receives,
    /// A record did not fit into the ring buffer and is lost.
    RingFull,
    /// Sockets that were found not to speak HTTP/1.
    NotHttp,
    /// Sockets left out because a filter says so.
    Filtered,
    /// An operation on an HTTP connection whose bytes could not be read: a system call with no
    /// user buffer of a known form.
    NoBuffer,
    /// The same because the page was not in memory.
    PageFault,
    /// The kernel had no memory for a socket's state.
    NoStorage,
    /// Plaintext of a TLS session whose socket is not known.
    TlsUntied,
    /// Plaintext that was not looked at, for too many probes were at it at the same instant.
    TlsNoScratch,
    /// Where the next frame of an HTTP/2 connection begins was known, and is not any more.
    FramesLost,
}

impl Counter {
    /// All of them, in index order.
    pub const ALL: [Counter; 11] = [
        Counter::Sends,
        Counter::Receives,
        Counter::RingFull,
        Counter::NotHttp,
        Counter::Filtered,
        Counter::NoBuffer,
        Counter::PageFault,
        Counter::NoStorage,
        Counter::TlsUntied,
        Counter::TlsNoScratch,
        Counter::FramesLost,
    ];
}

impl Counter {
    /// The name under which it is reported.
    #[inline(always)]
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Counter::Sends => "sends",
            Counter::Receives => "receives",
            Counter::RingFull => "ring_full",
            Counter::NotHttp => "not_http",
            Counter::Filtered => "filtered",
            Counter::NoBuffer => "no_buffer",
            Counter::PageFault => "page_fault",
            Counter::NoStorage => "no_storage",
            Counter::TlsUntied => "tls_untied",
            Counter::TlsNoScratch => "tls_no_scratch",
            Counter::FramesLost => "frames_lost",
        }
    }
}

/// Length of the counter map.
pub const COUNTERS: u32 = Counter::ALL.len() as u32;

/// Processes whose unreadable operations are counted apart.
pub const MAX_UNREADABLE: u32 = 1024;
