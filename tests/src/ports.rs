//! Free ports on the loopback address.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};

/// Below the kernel's range for outgoing connections, so that none of those takes a port between
/// this choice and the server's start.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// One free port.
pub fn free() -> Result<u16> {
    consecutive(1)
}

/// The first of `count` free ports in a row. No port is given out twice by one process before all
/// have had their turn.
pub fn consecutive(count: u16) -> Result<u16> {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    if count == 0 || count > COUNT {
        bail!("{count} ports in a row");
    }
    // Processes that run at once start at different places.
    let start = process::id().wrapping_mul(977);
    for _ in 0..COUNT {
        let turn = start.wrapping_add(TAKEN.fetch_add(count.into(), Ordering::Relaxed));
        let Some(first) = row(turn, count) else { continue };
        let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (first..first + count).all(free) {
            return Ok(first);
        }
    }
    bail!("no {count} free ports in a row")
}

/// The row of `count` ports that begins at this turn. Turns go around; a row that would reach over
/// the end is none, so that rows of different lengths never overlap.
fn row(turn: u32, count: u16) -> Option<u16> {
    let place = (turn % u32::from(COUNT)) as u16;
    (count <= COUNT - place).then_some(FIRST + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_differ() {
        let (one, two) = (free().unwrap(), consecutive(6).unwrap());
        assert!(!(two..two + 6).contains(&one));
        for port in [one, two, two + 5] {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
        assert!(consecutive(0).is_err());
    }

    #[test]
    fn rows_do_not_overlap_where_turns_go_around() {
        for start in u32::from(COUNT) - 14..u32::from(COUNT) {
            let rows = [(5, 0), (1, 5), (1, 6), (5, 7), (1, 12), (1, 13)];
            let mut ports: Vec<_> = rows
                .into_iter()
                .filter_map(|(count, taken)| Some((row(start + taken, count)?, count)))
                .flat_map(|(first, count)| first..first + count)
                .collect();
            assert!(ports.iter().all(|port| (FIRST..FIRST + COUNT).contains(port)));
            let all = ports.len();
            ports.sort_unstable();
            ports.dedup();
            assert_eq!(ports.len(), all, "from turn {start}");
        }
    }
}
