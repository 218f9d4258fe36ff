//! One direction of a connection as a stream of bytes with positions.

/// Turns TCP's 32-bit sequence numbers into 64-bit positions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stream {
    end: Option<u64>,
    passed_fin: bool,
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

    /// The same for an operation that received. `copied_seq` counts the peer's FIN, which takes one
    /// sequence number (RFC 9293 section 3.4), and the read that takes the last bytes often passes
    /// it as well: then one byte less was read than the stream advanced. `fresh`: nothing had
    /// moved when the connection was first seen. `left`: how many bytes the message under way is
    /// known to go on.
    ///
    /// A byte that was received unseen (splice) looks the same. It is taken for one if it completes
    /// what is under way and more was read than that.
    ///
    /// The bias: any other byte that was not seen is no byte, until the next operation shows that
    /// the stream goes on; from then on the positions are right again.
    pub fn start_received(&mut self, relative_end: u32, len: u32, fresh: bool, left: u64) -> u64 {
        let before = self.end.or(fresh.then_some(0));
        let start = self.start(relative_end, len);
        let passes = before.is_some_and(|before| before.checked_add(1) == Some(start));
        let unseen = left == 1 && len > 1;
        if len == 0 || !passes || unseen || std::mem::replace(&mut self.passed_fin, true) {
            return start;
        }
        self.end = self.end.map(|end| end.saturating_sub(1));
        start.saturating_sub(1)
    }

    /// Where the stream stands by what an operation of the other direction says, relative to the
    /// stream's base and modulo 2^32. More than was seen has been received without an operation
    /// (splice), or its operation's record is still to come. `fresh` as above.
    #[must_use]
    pub fn stands(&self, relative: u32, fresh: bool) -> Option<u64> {
        let seen = self.end.or(fresh.then_some(0))?;
        let ahead = relative.wrapping_sub(seen as u32) as i32;
        let stands = seen.saturating_add_signed(i64::from(ahead));
        Some(stands.saturating_sub(self.passed_fin.into()))
    }

    /// The sender has closed this stream: its FIN takes a sequence number, too. `begin`: where the
    /// stream begins, should nothing have been sent.
    pub fn close(&mut self, begin: u64) {
        if !std::mem::replace(&mut self.passed_fin, true) {
            self.end = Some(self.end.unwrap_or(begin).saturating_add(1));
        }
    }

    /// The receiver has read the end of the stream: what [`Stream::stands`] is told counts the FIN.
    pub fn end_read(&mut self) {
        self.passed_fin = true;
    }

    /// Bytes up to `position` have moved, seen or not.
    pub fn pass(&mut self, position: u64) {
        self.end = Some(self.end.map_or(position, |end| end.max(position)));
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
    fn the_end_of_the_stream_is_no_byte() {
        let mut stream = Stream::default();
        assert_eq!(stream.start_received(11, 10, true, 0), 0);
        assert_eq!(stream.seen(), Some(10));
        let mut stream = Stream::default();
        assert_eq!(stream.start_received(10, 10, true, 0), 0);
        assert_eq!(stream.start_received(31, 20, true, 0), 10);
        assert_eq!(stream.start_received(31, 0, true, 0), 31);
    }

    #[test]
    fn a_lost_byte_is_no_end_of_the_stream_for_long() {
        let mut stream = Stream::default();
        assert_eq!(stream.start_received(10, 10, true, 0), 0);
        assert_eq!(stream.start_received(21, 10, true, 0), 10);
        assert_eq!(stream.start_received(31, 10, true, 0), 21);
        assert_eq!(stream.start_received(42, 10, true, 0), 32);
    }

    #[test]
    fn of_a_connection_met_in_the_middle_nothing_is_expected() {
        let mut stream = Stream::default();
        assert_eq!(stream.start_received(11, 10, false, 0), 1);
    }

    #[test]
    fn a_byte_that_completes_a_body_is_no_end_of_the_stream() {
        let received = |len, left| {
            let mut stream = Stream::default();
            stream.start_received(10, 10, true, 0);
            stream.start_received(11 + len, len, true, left)
        };
        assert_eq!(received(2, 1), 11, "spliced out");
        assert_eq!(received(1, 1), 10, "the last byte, and the end of the stream");
        assert_eq!(received(2, 100), 10, "cut short");
    }

    #[test]
    fn the_other_direction_tells_where_the_stream_stands() {
        let mut stream = Stream::default();
        assert_eq!((stream.stands(7, false), stream.stands(7, true)), (None, Some(7)));
        stream.start(u32::MAX, 10);
        assert_eq!(stream.stands(9, true), Some(u64::from(u32::MAX) + 10));
        stream.pass(u64::from(u32::MAX) + 4);
        assert_eq!(stream.start_received(14, 10, true, 0), u64::from(u32::MAX) + 4);
        assert_eq!(stream.stands(14, true), Some(u64::from(u32::MAX) + 14), "the FIN is no byte");
    }

    #[test]
    fn closing_takes_a_sequence_number_once() {
        let mut stream = Stream::default();
        stream.close(1);
        assert_eq!(stream.seen(), Some(2));
        stream.close(1);
        assert_eq!(stream.seen(), Some(2));
    }

    #[test]
    fn a_late_record_does_not_move_the_end_back() {
        let mut stream = Stream::default();
        stream.start(100, 50);
        assert_eq!(stream.start(50, 50), 0);
        assert_eq!(stream.seen(), Some(100));
    }
}
