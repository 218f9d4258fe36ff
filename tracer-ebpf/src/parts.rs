//! Operations of HTTP/2 connections: frames are followed, what somebody wants of them is copied, and what
//! DATA carries is counted. Of connections that were upgraded to something else, all is copied. One
//! operation can make several records, one after the other: each has bytes that were copied, and behind
//! them others that were not.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_loop;
use tracer_common::{
    counter::Counter,
    follow::{Frames, Place},
    record::{DATA_NO_BUFFER, DATA_PAGE_FAULT, DATA_TLS, DATA_UNIX, MAX_COPY},
};

use crate::{
    buffer::{FLAT, Fault, MAX_VECTORS, read},
    operation::Direction,
    ring::{Scratch, scratch},
    socket::{Socket, UPGRADED},
    verdict::{Stop, count},
};

/// Records that one operation makes.
const MAX_PARTS: u32 = 256;
/// Of which all is wanted, as many as WebSocket's longest operations take.
const MAX_WHOLE: u32 = 64;
/// Bytes that a record has of where frames are expected to be long.
const SPARSE: u32 = 256;
/// The same where they were not.
const DENSE: u32 = 4096;
/// Fewer bytes than these cost less to copy than to leave out.
const NEAR: u32 = 512;

/// What is common to the parts, and how far they are. In a map's memory: what the verifier does not
/// know of, it does not follow through the loops.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    /// The direction's frames, while the operation is worked on.
    frames: Frames,
    /// Bytes of the operation.
    len: u32,
    /// Where the stream stands after it.
    end: u32,
    flags: u32,
    sends: u32,
    /// Bytes of the operation that have been told.
    told: u32,
    /// [`SPARSE`] or [`DENSE`].
    chunk: u32,
    /// The bytes that have been copied and are to be walked through: from the one at `place` on.
    place: u32,
    until: u32,
    /// The first piece of the buffer that has bytes which have not been copied, and bytes of the
    /// operation before it.
    piece: u32,
    failed: u32,
    /// 1 if it has read the stream's end as well, which TCP counts.
    past_end: u32,
    /// 1 if all of it is wanted.
    whole: u32,
    before: u64,
    /// Bytes from there on that are to be passed over, that are to be copied, and that have been.
    skip: u64,
    left: u64,
    done: u64,
}

/// Sends the operation in this scratch memory, of `len` bytes of an HTTP/2 connection.
#[inline(always)]
pub(crate) fn send(
    scratch: &mut Scratch,
    socket: &mut Socket,
    index: u32,
    len: u32,
    direction: Direction,
) {
    scratch.parts.whole = (socket.class == UPGRADED) as u32;
    let frames = socket.frames(direction);
    scratch.parts.frames = *frames;
    send_parts(index, len, (direction == Direction::Send).into());
    *frames = scratch.parts.frames;
}

/// A function that others could link to: the verifier looks at such a one once, not for each way that
/// leads to it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn send_parts(index: u32, len: u32, sends: u32) -> u32 {
    let Some(mut scratch) = scratch(index) else { return 0 };
    {
        // SAFETY: this processor's, for this direction: see `SCRATCH`; its caller does not go on
        // with it before this returns.
        let scratch = unsafe { &mut *scratch };
        let data = &scratch.data;
        let parts = &mut scratch.parts;
        parts.len = len;
        parts.end = if sends != 0 { data.write_seq } else { data.copied_seq };
        parts.flags = data.flags;
        parts.sends = sends;
        (parts.told, parts.chunk, parts.piece, parts.before) = (0, SPARSE, 0, 0);
        parts.past_end = 0;
        let ends = sends == 0 && parts.flags & (DATA_UNIX | DATA_TLS) == 0;
        match parts.frames.operation(parts.end.wrapping_sub(len), len, ends) {
            Place::Next => {}
            Place::PastEnd => parts.past_end = 1,
            Place::Elsewhere => count(Counter::FramesLost),
        }
    }
    // SAFETY: the callback has the form that the helper asks for, and `scratch` outlives the loop.
    unsafe { bpf_loop(MAX_PARTS, part_one as *mut c_void, (&raw mut scratch).cast(), 0) };
    0
}

/// 0 goes on to the next part, 1 ends the loop.
extern "C" fn part_one(index: u32, to: *mut *mut Scratch) -> u64 {
    // SAFETY: `bpf_loop` hands on the pointer that it was given, to one to scratch memory.
    let scratch = unsafe { &mut **to };
    let parts = &mut scratch.parts;
    let rest = parts.len.wrapping_sub(parts.told);
    if rest == 0 {
        return 1;
    }
    let followed = parts.frames.is_followed();
    let whole = parts.whole != 0;
    let (mut copied, mut missing) = (0, 0);
    if whole && index < MAX_WHOLE {
        let want = rest.min(MAX_COPY as u32);
        match copy(scratch, 0, want) {
            Ok(()) => copied = want,
            Err(Fault) => missing = fail(scratch),
        }
    } else if index == MAX_PARTS - 1 {
        // So many small frames are hostile.
        if followed && parts.frames.quiet() < rest {
            lose(parts);
        }
    } else if hidden(&parts.frames, rest) == 0 && (followed || parts.told == 0) {
        let want = parts.frames.kept().max(parts.chunk).min(MAX_COPY as u32).min(rest);
        match copy(scratch, 0, want) {
            Ok(()) => copied = walk(to, want),
            Err(Fault) => missing = fail(scratch),
        }
    }
    // SAFETY: as above.
    let scratch = unsafe { &mut **to };
    let parts = &mut scratch.parts;
    let rest = rest - copied.min(rest);
    let hidden = match parts.frames.is_followed() {
        _ if whole && missing == 0 && index < MAX_WHOLE => 0,
        true => hidden(&parts.frames, rest),
        false => rest,
    };
    parts.frames.pass(hidden);
    parts.chunk = if hidden == 0 { DENSE } else { SPARSE };
    let part = copied + hidden;
    if part == 0 {
        return 1;
    }
    parts.told = parts.told.wrapping_add(part);
    let rest = parts.len.wrapping_sub(parts.told);
    let past_end = if rest == 0 { 0 } else { parts.past_end };
    let stands = parts.end.wrapping_sub(rest).wrapping_sub(past_end);
    let data = &mut scratch.data;
    (data.len, data.head_len, data.tail_len) = (part, copied, 0);
    data.flags = parts.flags | missing;
    if parts.sends != 0 {
        data.write_seq = stands;
    } else {
        data.copied_seq = stands;
    }
    if let Err(Stop::Counted(counter)) = scratch.send(copied) {
        count(counter);
    }
    0
}

/// How many of the next bytes are left out.
#[inline(always)]
fn hidden(frames: &Frames, rest: u32) -> u32 {
    let quiet = frames.quiet().min(rest);
    if quiet >= NEAR || quiet == rest { quiet } else { 0 }
}

#[inline(always)]
fn lose(parts: &mut Parts) {
    parts.frames.lose();
    count(Counter::FramesLost);
}

/// The bytes could not be read; the flag that says so.
#[inline(always)]
fn fail(scratch: &mut Scratch) -> u32 {
    if scratch.parts.frames.is_followed() {
        lose(&mut scratch.parts);
    }
    if scratch.buffer.is_none() {
        count(Counter::NoBuffer);
        DATA_NO_BUFFER
    } else {
        count(Counter::PageFault);
        DATA_PAGE_FAULT
    }
}

/// Follows the frames through bytes that have been copied. Of a header block that goes on behind them,
/// the rest is copied, too, as far as it is there: how many bytes that makes.
#[inline(always)]
fn walk(to: *mut *mut Scratch, bytes: u32) -> u32 {
    // SAFETY: as in `part_one`.
    let scratch = unsafe { &mut **to };
    let followed = scratch.parts.frames.is_followed();
    if !followed {
        let (first, ninth) = next(scratch, 0);
        scratch.parts.frames.resume(bytes, first, ninth);
    }
    scratch.parts.place = 0;
    steps(to, bytes);
    // SAFETY: as in `part_one`.
    let scratch = unsafe { &mut **to };
    let parts = &mut scratch.parts;
    if !parts.frames.is_followed() {
        if followed {
            count(Counter::FramesLost);
        }
        return bytes;
    }
    let room = (MAX_COPY as u32).saturating_sub(bytes);
    let rest = parts.len.wrapping_sub(parts.told).saturating_sub(bytes);
    let more = parts.frames.kept().min(rest).min(room);
    if more == 0 {
        return bytes;
    }
    if copy(scratch, bytes, more).is_err() {
        fail(scratch);
        return bytes;
    }
    steps(to, bytes + more);
    bytes + more
}

/// Follows the frames up to this byte.
#[inline(always)]
fn steps(to: *mut *mut Scratch, until: u32) {
    // SAFETY: as in `part_one`.
    unsafe { (**to).parts.until = until };
    // Some steps take nothing.
    // SAFETY: as in `send_parts`.
    unsafe { bpf_loop(2 * until, walk_one as *mut c_void, to.cast(), 0) };
}

/// 0 goes on to the next step, 1 ends the loop.
extern "C" fn walk_one(_: u32, to: *mut *mut Scratch) -> u64 {
    // SAFETY: as in `part_one`.
    let scratch = unsafe { &mut **to };
    let (place, until) = (scratch.parts.place, scratch.parts.until);
    if place >= until || !scratch.parts.frames.is_followed() {
        return 1;
    }
    let (first, ninth) = next(scratch, place);
    let taken = scratch.parts.frames.step(until - place, first, ninth);
    scratch.parts.place = place + taken;
    0
}

/// The bytes at `place`, as [`Frames::step`] wants them.
#[inline(always)]
fn next(scratch: &Scratch, place: u32) -> (u64, u8) {
    // SAFETY: `place < MAX_COPY`, and there is room for twice that.
    unsafe {
        let from = scratch.bytes.as_ptr().add((place as usize).min(MAX_COPY));
        (from.cast::<u64>().read_unaligned(), *from.add(8))
    }
}

/// Copies `want` bytes of those that have not been told, behind the first `behind`, which have been copied.
#[inline(always)]
fn copy(mut scratch: &mut Scratch, behind: u32, want: u32) -> Result<(), Fault> {
    let buffer = scratch.buffer;
    if buffer.is_none() {
        return Err(Fault);
    }
    let (behind, want) = (behind.min(MAX_COPY as u32), want.min(MAX_COPY as u32));
    let from = u64::from(scratch.parts.told) + u64::from(behind);
    if buffer.form == FLAT {
        // SAFETY: `behind <= MAX_COPY`, and there is room for twice that.
        let to = unsafe { scratch.bytes.as_mut_ptr().add(behind as usize) };
        return read(to, want, buffer.address.wrapping_add(from));
    }
    let parts = &mut scratch.parts;
    parts.skip = from.wrapping_sub(parts.before);
    (parts.left, parts.done, parts.failed) = (want.into(), behind.into(), 0);
    // SAFETY: the callback has the form that the helper asks for, and `scratch` outlives the loop.
    unsafe { bpf_loop(MAX_VECTORS as u32, piece_one as *mut c_void, (&raw mut scratch).cast(), 0) };
    let parts = &scratch.parts;
    if parts.failed == 0 && parts.left == 0 { Ok(()) } else { Err(Fault) }
}

/// 0 goes on to the next piece, 1 ends the loop.
extern "C" fn piece_one(_: u32, to: *mut *mut Scratch) -> u64 {
    // SAFETY: as in `part_one`.
    let scratch = unsafe { &mut **to };
    let buffer = scratch.buffer;
    let index = scratch.parts.piece;
    if u64::from(index) >= buffer.count.min(MAX_VECTORS) {
        return 1;
    }
    let Ok(vector) = buffer.piece(index) else {
        scratch.parts.failed = 1;
        return 1;
    };
    let parts = &mut scratch.parts;
    let skip = parts.skip.min(vector.len);
    let want = (vector.len - skip).min(parts.left).min(MAX_COPY as u64);
    let place = parts.done.min(MAX_COPY as u64) as usize;
    // SAFETY: `place <= MAX_COPY`, and there is room for twice that.
    let to = unsafe { scratch.bytes.as_mut_ptr().add(place) };
    let copied = read(to, want as u32, vector.base.wrapping_add(skip));
    parts.skip -= skip;
    parts.left -= want;
    parts.done += want;
    parts.failed = copied.is_err().into();
    if parts.left == 0 || copied.is_err() {
        return 1;
    }
    parts.piece = index + 1;
    parts.before += vector.len;
    0
}
