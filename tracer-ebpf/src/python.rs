//! Python tasks begin in contexts of their own: copies of the context of whoever creates them.

use aya_ebpf::{
    EbpfContext as _, helpers::bpf_get_current_pid_tgid, helpers::generated::bpf_get_attach_cookie,
    macros::map, maps::LruHashMap, programs::ProbeContext,
};
use tracer_common::{
    record::{COURSE_BEGINS, Course, FLOW_PYTHON, KIND_COURSE},
    runtime::{MAX_TASK_THREADS, PYTHON_TYPE_BITS},
};

use crate::{
    flow,
    kernel::{header, peek_user},
    ring::send,
    verdict::Stop,
};

/// A task that is being made: the constructor's last steps are not seen.
#[repr(C)]
#[derive(Clone, Copy)]
struct Birth {
    /// Where the task will name its context; 0 if no task is being made.
    place: u64,
    /// The context that makes it.
    creator: u64,
    /// What a context's type is.
    kind: u64,
}

/// `PyObject.ob_type`.
const OBJECT_TYPE: u64 = 8;

/// Thread -> the task that it made last, until it is told.
#[map]
static BIRTHS: LruHashMap<u32, Birth> = LruHashMap::with_max_entries(MAX_TASK_THREADS, 0);

/// `_asyncio.Task.__init__(self, ...)` begins. The attach cookie holds the address of
/// `PyContext_Type` and, above [`PYTHON_TYPE_BITS`], where in a task its context is.
#[inline(always)]
pub(crate) fn try_task(ctx: &ProbeContext) -> Result<(), Stop> {
    let id = bpf_get_current_pid_tgid();
    let (pid, tid) = ((id >> 32) as u32, id as u32);
    let mut flow = flow::NOBODY;
    flow::current(pid, &mut flow);
    let task: u64 = ctx.arg(0).ok_or(Stop::NotOurs)?;
    // SAFETY: the helper takes the context that this program was called with.
    let cookie = unsafe { bpf_get_attach_cookie(ctx.as_ptr()) };
    if flow.context == 0 {
        return Err(Stop::NotOurs);
    }
    let place = task.wrapping_add(cookie >> PYTHON_TYPE_BITS);
    let birth =
        Birth { place, creator: flow.context, kind: cookie & ((1 << PYTHON_TYPE_BITS) - 1) };
    if let Some(last) = BIRTHS.get_ptr_mut(tid) {
        // SAFETY: the kernel keeps the entry's memory as long as this program can run, and only
        // its own thread writes it.
        unsafe { *last = birth }
    } else {
        // A full map evicts its oldest entry.
        let _ = BIRTHS.insert(tid, birth, 0);
    }
    Ok(())
}

/// Tells of the task that the current thread made last, if it has not been told.
#[inline(never)]
pub(crate) fn deliver() -> i32 {
    let tid = bpf_get_current_pid_tgid() as u32;
    let Some(last) = BIRTHS.get_ptr_mut(tid) else { return 0 };
    // SAFETY: as above.
    let birth = unsafe { core::mem::replace(&mut *last, Birth { place: 0, creator: 0, kind: 0 }) };
    if birth.place == 0 {
        return 0;
    }
    let Some(context) = peek_user(birth.place) else { return 0 };
    if peek_user(context.wrapping_add(OBJECT_TYPE)) != Some(birth.kind) {
        return 0;
    }
    let mut flow = flow::NOBODY;
    flow.context = context;
    flow.parent = birth.creator;
    flow.kind = FLOW_PYTHON;
    let header = header(KIND_COURSE, 0);
    // A full ring is counted where it is full of more than this.
    let _ = send(&Course { header, change: COURSE_BEGINS, reserved: 0, flow });
    0
}
