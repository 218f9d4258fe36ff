//! The end of the uprobes. To remove one, the kernel waits for a tenth of a second, for one after the
//! other, and whoever closes it last waits with it: for a host full of Go programs that can be a
//! minute. So what is not done within seconds is left to a child that does nothing else.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::process;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// How long the child waits for the tracer to end, milliseconds. If that takes longer, it is the
/// tracer who waits for the kernel.
const PATIENCE: i32 = 60_000;

/// Leaves what uprobes are attached to a child, which lasts until they are removed. To be called last:
/// the child has nothing else of this process, and waits for its end.
///
/// # Errors
/// There can be no child. Then the end of this process takes longer.
pub fn leave_uprobes() -> io::Result<()> {
    let mut kept = uprobes()?;
    if kept.is_empty() {
        return Ok(());
    }
    let this = Pid::from_raw(process::id().cast_signed()).ok_or(io::ErrorKind::NotFound)?;
    let ended = pidfd_open(this, PidfdFlags::empty())?;
    kept.push(ended.as_raw_fd());
    kept.sort_unstable();
    // SAFETY: other threads may hold any lock at this instant, so the child makes system calls and
    // reads memory that is its own; it allocates nothing, and does not return.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => remove(&kept, ended.as_raw_fd()),
        _ => Ok(()),
    }
}

/// The descriptors of this process's uprobes.
fn uprobes() -> io::Result<Vec<RawFd>> {
    let numbers = fs::read_dir("/proc/self/fdinfo")?.flatten().filter_map(|entry| {
        let fd = entry.file_name().to_str()?.parse().ok()?;
        // Of a kind of link that nothing else here has: perf's, or several at once.
        let info = fs::read_to_string(entry.path()).ok()?;
        let is_it = |line: &str| {
            let kind = line.strip_prefix("link_type:").map(str::trim);
            matches!(kind, Some("perf" | "uprobe_multi"))
        };
        info.lines().any(is_it).then_some(fd)
    });
    Ok(numbers.collect())
}

/// What the child does: closes everything but these, waits for its parent's end, and ends.
fn remove(kept: &[RawFd], ended: RawFd) -> ! {
    let close = |from: u32, to: u32| {
        // SAFETY: takes plain numbers; nothing in the child uses any of these descriptors.
        unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) };
    };
    let mut next = 0;
    for fd in kept.iter().map(|fd| fd.cast_unsigned()) {
        if fd > next {
            close(next, fd - 1);
        }
        next = fd + 1;
    }
    close(next, u32::MAX);
    let mut ended = libc::pollfd { fd: ended, events: libc::POLLIN, revents: 0 };
    // SAFETY: system calls alone, with one structure that outlives them. Not even a signal to the
    // terminal's programs is meant for the child.
    unsafe {
        libc::setsid();
        libc::prctl(libc::PR_SET_NAME, c"tracer-removal".as_ptr());
        libc::poll(&raw mut ended, 1, PATIENCE);
        libc::_exit(0)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn other_descriptors_are_no_uprobes() {
        let _file = std::fs::File::open("/proc/self/stat").unwrap();
        assert!(super::uprobes().unwrap().is_empty());
        super::leave_uprobes().unwrap();
    }
}
