//! A Python task, or a function that is handed to another thread, runs in a copy of the context of
//! whoever started it, and nothing in the copy says so; nor does a greenlet say who made it. Who made which is noted here, and told when
//! the copy first does something that is told: most never do.

use aya_ebpf::{
    EbpfContext as _,
    helpers::{bpf_get_current_pid_tgid, bpf_ktime_get_boot_ns, generated::bpf_get_attach_cookie},
    macros::map,
    maps::LruHashMap,
    programs::{ProbeContext, RetProbeContext},
};
use tracer_common::{
    record::{COURSE_BEGINS, Course, FLOW_PYTHON, KIND_COURSE},
    runtime::{MAX_COPIES, MAX_TASK_THREADS, PYTHON_TYPE_BITS},
};

use crate::{
    flow,
    kernel::{header, peek_user},
    operation::Direction,
    ring::send,
    verdict::Stop,
};

/// How a context came to be.
#[repr(C)]
#[derive(Clone, Copy)]
struct Birth {
    /// The context that made it.
    creator: u64,
    /// When that began; 0 if that is not known.
    creator_began: u64,
    /// Boot time, nanoseconds.
    time: u64,
    /// Not 0 once user space has heard of it.
    told: u64,
}

/// A task that is being made.
#[repr(C)]
#[derive(Clone, Copy)]
struct Making {
    /// Where the task will name its context; 0 if no task is being made.
    place: u64,
    /// How its context begins.
    birth: Birth,
    /// What a context's type is.
    kind: u64,
}

/// `PyObject.ob_type`.
const OBJECT_TYPE: u64 = 8;
/// Copies of copies that are told at once.
const MAX_GENERATIONS: usize = 4;

/// Process and context -> how that began.
#[map]
static BIRTHS: LruHashMap<[u64; 2], Birth> = LruHashMap::with_max_entries(MAX_COPIES, 0);
/// Thread -> the task that it made last, until its context is known.
#[map]
static MAKING: LruHashMap<u32, Making> = LruHashMap::with_max_entries(MAX_TASK_THREADS, 0);

/// `PyContext_CopyCurrent` has returned the copy.
#[inline(always)]
pub(crate) fn try_copied(ctx: &RetProbeContext) -> Result<(), Stop> {
    let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    let mut flow = flow::NOBODY;
    flow::peek(pid, Direction::Send, &mut flow);
    let copy: u64 = ctx.ret();
    if flow.context == 0 || copy == 0 {
        return Err(Stop::NotOurs);
    }
    born(pid, copy, &begun_by(pid, flow.context));
    Ok(())
}

/// `_asyncio.Task.__init__(self, ...)` begins: what it returns says nothing, so the task is looked
/// at later. The attach cookie holds the address of `PyContext_Type` and, above
/// [`PYTHON_TYPE_BITS`], where in a task its context is.
#[inline(always)]
pub(crate) fn try_task(ctx: &ProbeContext) -> Result<(), Stop> {
    let id = bpf_get_current_pid_tgid();
    let (pid, tid) = ((id >> 32) as u32, id as u32);
    finish(pid, tid);
    let mut flow = flow::NOBODY;
    flow::peek(pid, Direction::Send, &mut flow);
    let task: u64 = ctx.arg(0).ok_or(Stop::NotOurs)?;
    if flow.context == 0 {
        return Err(Stop::NotOurs);
    }
    // SAFETY: the helper takes the context that this program was called with.
    let cookie = unsafe { bpf_get_attach_cookie(ctx.as_ptr()) };
    let place = task.wrapping_add(cookie >> PYTHON_TYPE_BITS);
    let kind = cookie & ((1 << PYTHON_TYPE_BITS) - 1);
    // By now: what it is made by may be gone when it is looked at, and another have its place.
    let making = Making { place, birth: begun_by(pid, flow.context), kind };
    if let Some(last) = MAKING.get_ptr_mut(tid) {
        // SAFETY: the kernel keeps the entry's memory as long as this program can run, and only
        // its own thread writes it.
        unsafe { *last = making }
    } else {
        // A full map evicts its oldest entry.
        let _ = MAKING.insert(tid, making, 0);
    }
    Ok(())
}

/// gevent's `Greenlet.__init__(self, ...)` begins: a greenlet is its own context.
#[inline(always)]
pub(crate) fn try_greenlet(ctx: &ProbeContext) -> Result<(), Stop> {
    let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    let greenlet: u64 = ctx.arg(0).ok_or(Stop::NotOurs)?;
    let mut flow = flow::NOBODY;
    flow::peek(pid, Direction::Send, &mut flow);
    if flow.context == 0 || flow.context == greenlet {
        return Err(Stop::NotOurs);
    }
    born(pid, greenlet, &begun_by(pid, flow.context));
    Ok(())
}

/// The current thread acts in a context: tells how that and those before it began, as far as it has
/// not been told, the oldest first.
#[inline(never)]
pub(crate) fn tell(pid: u32, context: u64) -> i32 {
    finish(pid, bpf_get_current_pid_tgid() as u32);
    let mut untold = [0_u64; MAX_GENERATIONS];
    let mut at = context;
    for place in &mut untold {
        let Some(birth) = birth(pid, at) else { break };
        if birth.told != 0 {
            break;
        }
        *place = at;
        at = birth.creator;
        // Another one may have its place by now.
        if self::birth(pid, at).is_none_or(|creator| creator.time != birth.creator_began) {
            break;
        }
    }
    for &context in untold.iter().rev() {
        if context != 0 {
            tell_one(pid, context);
        }
    }
    0
}

fn tell_one(pid: u32, context: u64) {
    let Some(birth) = birth(pid, context) else { return };
    birth.told = 1;
    let mut flow = flow::NOBODY;
    flow.kind = FLOW_PYTHON;
    flow.context = context;
    (flow.parent, flow.origin) = (birth.creator, birth.creator_began);
    let mut header = header(KIND_COURSE, 0);
    header.time = birth.time;
    // A full ring is counted where it is full of more than this.
    let _ = send(&Course { header, change: COURSE_BEGINS, subject: 0, flow });
}

/// The task that the thread made last has its context by now.
#[inline(always)]
fn finish(pid: u32, tid: u32) {
    let Some(last) = MAKING.get_ptr_mut(tid) else { return };
    // SAFETY: as above.
    let making = unsafe { *last };
    if making.place == 0 {
        return;
    }
    // SAFETY: as above.
    unsafe { (*last).place = 0 };
    let Some(context) = peek_user::<u64>(making.place) else { return };
    let is_context = peek_user(context.wrapping_add(OBJECT_TYPE)) == Some(making.kind);
    // The copy may have been seen when it was made.
    let known = birth(pid, context).is_some_and(|birth| {
        birth.creator == making.birth.creator && birth.time >= making.birth.time
    });
    if is_context && context != making.birth.creator && !known {
        born(pid, context, &making.birth);
    }
}

#[inline(always)]
fn birth<'a>(pid: u32, context: u64) -> Option<&'a mut Birth> {
    let birth = BIRTHS.get_ptr_mut([u64::from(pid), context])?;
    // SAFETY: the kernel keeps the entry's memory as long as this program can run; another thread
    // that writes it at the same time only makes one telling more or less.
    Some(unsafe { &mut *birth })
}

/// What begins now, made by a context.
#[inline(always)]
fn begun_by(pid: u32, creator: u64) -> Birth {
    let creator_began = birth(pid, creator).map_or(0, |birth| birth.time);
    // SAFETY: a helper without arguments.
    let time = unsafe { bpf_ktime_get_boot_ns() };
    Birth { creator, creator_began, time, told: 0 }
}

#[inline(always)]
fn born(pid: u32, context: u64, birth: &Birth) {
    // A full map evicts its oldest entries.
    let _ = BIRTHS.insert([u64::from(pid), context], birth, 0);
}
