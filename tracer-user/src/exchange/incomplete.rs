//! Why an exchange is not whole.

use std::fmt;

use crate::protocol::http1::Fault;
use crate::protocol::http2;

/// One reason. In order of severity: what is missing of the exchange itself, how it was ended
/// before its time, what may be missing below it, and what is wrong with its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Incomplete {
    /// Bytes of it were not seen.
    Lost,
    /// A head is longer, or has more fields, than is read.
    HeadCut,
    /// A message is not what it says that it is, and was not read to its end.
    Malformed,
    /// The connection closed first.
    Closed,
    /// The connection stopped being HTTP/1 first.
    Left,
    /// The tracer stopped first.
    Stopped,
    /// Records of whatever process were lost while it was open: what it caused may be missing.
    RingFull,
    /// A table was full while it was open: what its process did for it may be missing.
    TableFull,
    /// The wall clock was set while its trace was open: its times are those of the clock before.
    ClockStep,
}

impl Incomplete {
    /// All of them, the most severe first.
    pub const ALL: [Incomplete; 9] = [
        Incomplete::Lost,
        Incomplete::HeadCut,
        Incomplete::Malformed,
        Incomplete::Closed,
        Incomplete::Left,
        Incomplete::Stopped,
        Incomplete::RingFull,
        Incomplete::TableFull,
        Incomplete::ClockStep,
    ];

    /// As the attribute `tracer.incomplete` says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Incomplete::Lost => "bytes_lost",
            Incomplete::HeadCut => "head_cut",
            Incomplete::Malformed => "message_malformed",
            Incomplete::Closed => "connection_closed",
            Incomplete::Left => "protocol_left",
            Incomplete::Stopped => "tracer_stopped",
            Incomplete::RingFull => "ring_full",
            Incomplete::TableFull => "table_full",
            Incomplete::ClockStep => "clock_step",
        }
    }
}

impl From<Fault> for Incomplete {
    /// What a fault means for the exchange that it hit.
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::HeadTooLong | Fault::TooManyHeaders => Incomplete::HeadCut,
            Fault::HeadUnseen
            | Fault::MessageStartUnseen
            | Fault::Gap
            | Fault::ChunkedEndMistaken
            | Fault::ChunkedEndMissed
            | Fault::ResponseUnmatched
            | Fault::TooManyPending => Incomplete::Lost,
            Fault::RequestHead
            | Fault::ResponseHead
            | Fault::ContentLength
            | Fault::TransferEncoding
            | Fault::Chunk
            | Fault::ProxyPrefix => Incomplete::Malformed,
        }
    }
}

impl From<http2::Fault> for Incomplete {
    fn from(fault: http2::Fault) -> Self {
        match fault {
            http2::Fault::HeaderBlockTooLong => Incomplete::HeadCut,
            http2::Fault::HeaderBlock => Incomplete::Malformed,
            http2::Fault::Preface
            | http2::Fault::FrameHeader
            | http2::Fault::FrameUnseen
            | http2::Fault::HeaderBlockUnseen
            | http2::Fault::FieldUnknown
            | http2::Fault::StreamUnknown
            | http2::Fault::TooManyStreams => Incomplete::Lost,
        }
    }
}

/// Any number of reasons, each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasons(u16);

impl Reasons {
    /// Adds one.
    pub fn insert(&mut self, reason: Incomplete) {
        self.0 |= 1 << reason as u16;
    }

    /// Adds all of these.
    pub fn extend(&mut self, others: Reasons) {
        self.0 |= others.0;
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn contains(self, reason: Incomplete) -> bool {
        self.0 & 1 << reason as u16 != 0
    }

    /// There is none: nothing is missing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl From<Option<Incomplete>> for Reasons {
    fn from(reason: Option<Incomplete>) -> Self {
        let mut reasons = Reasons::default();
        reason.into_iter().for_each(|reason| reasons.insert(reason));
        reasons
    }
}

/// Their names, joined by commas, the most severe first.
impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Incomplete::ALL.into_iter().filter(|reason| self.contains(*reason));
        for (number, reason) in names.enumerate() {
            f.write_str(if number > 0 { "," } else { "" })?;
            f.write_str(reason.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Incomplete, Reasons};

    #[test]
    fn the_most_severe_is_named_first() {
        assert!(Incomplete::ALL.is_sorted());
        let mut reasons = Reasons::default();
        assert_eq!(reasons.to_string(), "");
        for reason in [Incomplete::RingFull, Incomplete::HeadCut, Incomplete::RingFull] {
            reasons.insert(reason);
        }
        assert_eq!(reasons.to_string(), "head_cut,ring_full");
        let mut all = Reasons::default();
        Incomplete::ALL.into_iter().for_each(|reason| all.insert(reason));
        assert_eq!(all.to_string().split(',').count(), Incomplete::ALL.len());
    }
}
