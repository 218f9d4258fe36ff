//! Durations, sizes and shares as they are written in flags and in the configuration file.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use tracer_common::record::MAX_COPY;

use crate::store::Limits;

/// `500ms`, `2s`, `1m`, `1h 30m` (crate humantime's format).
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write 500ms, 2s or 1m"))
}

/// A duration that is not zero.
pub(super) fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be more than zero".into()),
        time => Ok(time),
    }
}

/// A number from 0 to 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "not a number".to_owned()).and_then(checked_share)
}

/// The same for one that is a number already; refuses NaN.
pub(super) fn checked_share(number: f64) -> Result<f64, String> {
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("not between 0 and 1".into()) }
}

/// A number from 0 to 100, as a share of 1.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "not a number".to_owned()).and_then(checked_percent)
}

/// The same for one that is a number already.
pub(super) fn checked_percent(number: f64) -> Result<f64, String> {
    checked_share(number / 100.0).map_err(|_| "not between 0 and 100".to_owned())
}

/// So many a second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "not a number".to_owned()).and_then(checked_rate)
}

/// The same for one that is a number already.
pub(super) fn checked_rate(number: f64) -> Result<f64, String> {
    if number.is_finite() && number >= 0.0 { Ok(number) } else { Err("not 0 or more".into()) }
}

/// The first digits of a trace id, in lower case.
pub(super) fn trace_prefix(text: &str) -> Result<String, String> {
    let digits = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if digits {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("not the beginning of a trace id".into())
    }
}

/// Bytes of the ring buffer. The kernel takes powers of two that are whole pages
/// (kernel/bpf/ringbuf.c); those of 64 KiB fit every page size.
pub(super) fn ring_size(text: &str) -> Result<u32, String> {
    let size = bytes(text, 64 << 10..=1 << 30)?;
    if size.is_power_of_two() {
        return Ok(size);
    }
    let (less, more) = (size.next_power_of_two() / 2, size.next_power_of_two());
    Err(format!("not a power of two; {} and {} are the nearest", written(less), written(more)))
}

/// Bytes of a message head that are parsed; no more than one operation copies.
pub(super) fn head_size(text: &str) -> Result<u32, String> {
    bytes(text, 256..=MAX_COPY as u32)
}

/// Bytes of a recording.
pub(super) fn file_size(text: &str) -> Result<u64, String> {
    let size: ByteSize = text.parse().map_err(|_| NO_SIZE.to_owned())?;
    if size.as_u64() < 64 << 10 { Err("less than 64KiB".into()) } else { Ok(size.as_u64()) }
}

/// Bytes of the store.
pub(super) fn store_size(text: &str) -> Result<u64, String> {
    let size: ByteSize = text.parse().map_err(|_| NO_SIZE.to_owned())?;
    if size.as_u64() < Limits::MIN_BYTES {
        Err("less than 16MiB".into())
    } else {
        Ok(size.as_u64())
    }
}

/// How long spans are kept.
pub(super) fn store_age(text: &str) -> Result<Duration, String> {
    let age = duration(text)?;
    if age < Duration::from_secs(60) { Err("less than 1m".into()) } else { Ok(age) }
}

/// A file that can be written anywhere, so not standard output.
pub(super) fn new_file(text: &str) -> Result<PathBuf, String> {
    if text == "-" { Err("a recording goes to a file".into()) } else { Ok(text.into()) }
}

const NO_SIZE: &str = "not a size; write 65536, 64KiB or 16MiB";

fn bytes(text: &str, range: RangeInclusive<u32>) -> Result<u32, String> {
    let size: ByteSize = text.parse().map_err(|_| NO_SIZE.to_owned())?;
    let size = u32::try_from(size.as_u64()).ok().filter(|size| range.contains(size));
    size.ok_or_else(|| {
        format!("not between {} and {}", written(*range.start()), written(*range.end()))
    })
}

fn written(bytes: u32) -> String {
    ByteSize::b(u64::from(bytes)).display().iec().to_string().replace(".0 ", " ").replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::{duration, head_size, ring_size, share, some_time};
    use std::time::Duration;

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("1m"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert!(some_time("0s").is_err());
        for bad in ["", "5", "-1s", "1parsec", "99999999999999999999h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn shares() {
        assert_eq!(share("0.9"), Ok(0.9));
        for bad in ["NaN", "-0.1", "1.1", "inf", "x", ""] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(ring_size("16MiB"), Ok(16 << 20));
        assert_eq!(ring_size("65536"), Ok(65536));
        assert_eq!(head_size("8KiB"), Ok(8192));
        let error = ring_size("16MB").unwrap_err();
        assert_eq!(error, "not a power of two; 8MiB and 16MiB are the nearest");
        assert_eq!(head_size("1MiB").unwrap_err(), "not between 256B and 16KiB");
        for bad in ["", "1KiB", "2GiB", "-1", "99999999999999999999", "many"] {
            assert!(ring_size(bad).is_err(), "{bad}");
        }
    }
}
