//! One direction of a connection as a stream of bytes with positions.

/// Turns TCP's 32-bit sequence numbers into 64-bit positions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stream {
    end: Option<u64>,
}

impl Stream {
    /// Position at which an operation of `len` bytes began, given where the stream stood after it,
    /// relative to the stream's base and modulo 2^32. The first one seen is taken as it is: of a
    /// connection that had moved more than 4 GiB before, both ends are off by the same.
    pub fn start(&mut self, relative_end: u32, len: u32) -> u64 {
        let end = match self.end {
            None => u64::from(relative_end),
            Some(last) => {
                let ahead = relative_end.wrapping_sub(last as u32) as i32;
                last.saturating_add_signed(i64::from(ahead))
            }
        };
        self.end = Some(self.end.map_or(end, |last| last.max(end)));
        end.saturating_sub(u64::from(len))
    }

    /// Position after the last byte seen; `None` before the first.
    #[must_use]
    pub fn seen(&self) -> Option<u64> {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::Stream;

    #[test]
    fn positions_go_on_past_4_gib() {
        let mut stream = Stream::default();
        assert_eq!(stream.start(u32::MAX - 1, 10), u64::from(u32::MAX) - 11);
        assert_eq!(stream.start(8, 10), u64::from(u32::MAX) - 1);
        assert_eq!(stream.seen(), Some(u64::from(u32::MAX) + 9));
    }

    #[test]
    fn a_late_record_does_not_move_the_end_back() {
        let mut stream = Stream::default();
        stream.start(100, 50);
        assert_eq!(stream.start(50, 50), 0);
        assert_eq!(stream.seen(), Some(100));
    }
}
