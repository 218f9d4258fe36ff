//! Free ports on the loopback address.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// Below the kernel's range for outgoing connections, so that none of those takes a port between
/// this choice and the server's start.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// One free port.
pub fn free() -> Result<u16> {
    consecutive(1)
}

/// The first of `count` free ports in a row. No port is given out twice by one process.
pub fn consecutive(count: u16) -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    if count == 0 || count > COUNT {
        bail!("{count} ports in a row");
    }
    // Processes that run at once start at different places.
    let start = (process::id().wrapping_mul(977) % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let offset = NEXT.fetch_add(count, Ordering::Relaxed) % COUNT;
        let first = FIRST + (start + offset) % (COUNT - count + 1);
        let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (first..first + count).all(free) {
            return Ok(first);
        }
    }
    bail!("no {count} free ports in a row")
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
}
