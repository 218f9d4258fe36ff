//! Names that the eBPF object gives its maps, globals and programs. A test on the embedded object
//! holds them together.

pub(super) const EVENTS: &str = "EVENTS";
pub(super) const COUNTS: &str = "COUNTS";
pub(super) const SCRATCH: &str = "SCRATCH";
pub(super) const FREE: &str = "FREE";
pub(super) const PROCESSES: &str = "PROCESSES";
pub(super) const PORTS: &str = "PORTS";
pub(super) const UNREADABLE: &str = "UNREADABLE";
pub(super) const STARTS: &str = "STARTS";
pub(super) const RUNTIMES: &str = "RUNTIMES";
pub(super) const UNFOLLOWED: &str = "UNFOLLOWED";
pub(super) const GENERATION: &str = "GENERATION";
pub(super) const OFFSETS: &str = "OFFSETS";
pub(super) const CHOICES: &str = "CHOICES";

/// Programs, each called like the tracepoint that it is for.
pub(super) const PROGRAMS: [&str; 6] = [
    "sock_send_length",
    "sock_recv_length",
    "inet_sock_set_state",
    "sched_process_exec",
    "sched_process_fork",
    "sched_process_exit",
];

/// The same, for kernels where io_uring's buffers can be found.
pub(super) const URING_PROGRAMS: [&str; 2] = ["io_uring_submit_req", "io_uring_poll_arm"];

/// The probe on the entry of Go's `net/http.(*persistConn).roundTrip`.
pub const GO_ROUND_TRIP: &str = "go_round_trip";
/// The probe on the entry of `(*serverConn).runHandler` of Go's HTTP/2.
pub const GO_SERVES: &str = "go_serves";
/// The probe on the entry of `(*clientStream).doRequest` of Go's HTTP/2.
pub const GO_WRITES: &str = "go_writes";
/// The probe on the entry of functions of Go that run in goroutines which do nothing else that is told.
pub const GO_RUNS: &str = "go_runs";
/// The probe on the entry of grpc-go's `(*Server).handleStream`.
pub const GO_RPC_SERVES: &str = "go_rpc_serves";
/// The probe on the returns of grpc-go's `(*http2Client).NewStream`.
pub const GO_RPC_CALLED: &str = "go_rpc_called";
/// The probe on the entry of the handshakes of Go's `*tls.Conn`.
pub const GO_TLS_BEGINS: &str = "go_tls_begins";
/// The probe on the entry of its `Write`.
pub const GO_TLS_WRITE: &str = "go_tls_write";
/// The probe on the entry of its `Read`.
pub const GO_TLS_READ: &str = "go_tls_read";
/// The probe on the returns of its `Read`.
pub const GO_TLS_READ_DONE: &str = "go_tls_read_done";
/// The probe on the entry of a TLS library's function.
pub const TLS_ENTER: &str = "tls_enter";
/// The probe on the return of one that makes a session, or its connection.
pub const TLS_LEFT: &str = "tls_left";
/// The probe on the return of one that takes plaintext.
pub const TLS_WROTE: &str = "tls_wrote";
/// The probe on the return of one that gives plaintext.
pub const TLS_READ: &str = "tls_read";
/// The probe on the entry of CPython's `_asyncio.Task.__init__`.
pub const PYTHON_TASK: &str = "python_task";
/// The probe on the return of CPython's `PyContext_CopyCurrent`.
pub const PYTHON_COPIED: &str = "python_copied";
/// The probe on the entry of gevent's `Greenlet.__init__`.
pub const PYTHON_GREENLET: &str = "python_greenlet";
