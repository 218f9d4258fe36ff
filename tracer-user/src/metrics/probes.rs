//! How often the probes ran, and for how long, as the kernel counts it when it is told to
//! (sysctl kernel.bpf_stats_enabled; off by default, since counting costs).

use std::fs;
use std::os::fd::{AsRawFd as _, OwnedFd};

/// Whether the kernel counts.
const ENABLED: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// The probes' programs by name.
#[derive(Debug, Default)]
pub struct ProbeRuns(Vec<(String, OwnedFd)>);

/// One probe's runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Runs {
    pub(super) name: String,
    pub(super) count: u64,
    pub(super) nanoseconds: u64,
}

impl ProbeRuns {
    /// Of these programs.
    #[must_use]
    pub fn new(programs: Vec<(String, OwnedFd)>) -> Self {
        Self(programs)
    }

    pub(super) fn counted() -> bool {
        fs::read_to_string(ENABLED).is_ok_and(|text| text.trim() != "0")
    }

    pub(super) fn read(&self) -> Vec<Runs> {
        let of = |(name, fd): &(String, OwnedFd)| {
            let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).ok()?;
            let (count, nanoseconds) = parse(&info)?;
            Some(Runs { name: name.clone(), count, nanoseconds })
        };
        self.0.iter().filter_map(of).collect()
    }
}

/// Lines `run_cnt:` and `run_time_ns:` (bpf_prog_show_fdinfo in kernel/bpf/syscall.c).
fn parse(info: &str) -> Option<(u64, u64)> {
    let number = |key: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        line.trim().parse().ok()
    };
    Some((number("run_cnt")?, number("run_time_ns")?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn runs_are_in_the_descriptor_s_information() {
        let info =
            "pos:\t0\nprog_type:\t26\nrun_time_ns:\t1234\nrun_cnt:\t5\nrecursion_misses:\t0\n";
        assert_eq!(parse(info), Some((5, 1234)));
        assert_eq!(parse("pos:\t0\n"), None);
        assert_eq!(parse("run_cnt:\tx\nrun_time_ns:\t1"), None);
    }
}
