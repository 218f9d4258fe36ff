//! Waiting for a condition instead of for a time.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

const PAUSE: Duration = Duration::from_millis(50);

/// Tries `attempt` until it succeeds or `limit` has passed.
///
/// # Errors
/// The last attempt's error, with `what` was waited for and how long.
pub fn until<T>(what: &str, limit: Duration, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) if start.elapsed() >= limit => {
                return Err(anyhow!("{what}: not within {limit:?}: {error:#}"));
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_value_or_the_last_error() {
        let mut tries = 0;
        let value = until("three tries", Duration::from_secs(10), || {
            tries += 1;
            if tries < 3 { Err(anyhow!("only {tries}")) } else { Ok(tries) }
        });
        assert_eq!(value.unwrap(), 3);
        let error =
            until::<()>("the impossible", Duration::ZERO, || Err(anyhow!("no"))).unwrap_err();
        assert_eq!(error.to_string(), "the impossible: not within 0ns: no");
    }
}
