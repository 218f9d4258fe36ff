//! Names that the eBPF object gives its maps, globals and programs. A test on the embedded object
//! holds them together.

pub(super) const EVENTS: &str = "EVENTS";
pub(super) const COUNTS: &str = "COUNTS";
pub(super) const SCRATCH: &str = "SCRATCH";
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
/// The probe on the entry of CPython's `_asyncio.Task.__init__`.
pub const PYTHON_TASK: &str = "python_task";
/// The probe on the return of CPython's `PyContext_CopyCurrent`.
pub const PYTHON_COPIED: &str = "python_copied";
