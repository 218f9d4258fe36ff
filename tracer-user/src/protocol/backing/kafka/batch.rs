//! Records as they are sent, kept and fetched: <https://kafka.apache.org/documentation/#messageformat>.

use super::cursor::Cursor;
use crate::protocol::backing::log::MAX_TOLD;

/// What goes before the records of a batch.
const HEADER: usize = 61;
/// Bytes that its length does not count: that of the offset, and its own.
const BEFORE_LENGTH: usize = 12;
/// Where its format is told, and the current one.
const FORMAT: usize = 16;
const CURRENT: u8 = 2;
/// Bits of a batch's attributes: how its records are compressed, and whether they are the broker's own
/// marks in a transaction.
const COMPRESSED: u8 = 0x07;
const CONTROL: u8 = 0x20;
/// The header's name in a record.
const TRACEPARENT: &[u8] = b"traceparent";
/// A longer one is none.
const MAX_TRACEPARENT: usize = 128;

/// A batch's header, and as much of its records as is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch<'a> {
    /// Of its first record; brokers put it in.
    pub(super) offset: i64,
    pub(super) count: u32,
    /// Not all of it is there.
    pub(super) is_cut: bool,
    attributes: u8,
    records: &'a [u8],
}

/// How many records there are, by the header of their batch.
pub(super) fn count(records: &[u8]) -> Option<u32> {
    read(records).map(|(batch, _)| batch.count)
}

/// All batches whose headers are there.
pub(super) fn all<'a>(mut records: &'a [u8]) -> impl Iterator<Item = Batch<'a>> {
    std::iter::from_fn(move || {
        let (batch, length) = read(records)?;
        records = records.get(length..).unwrap_or_default();
        Some(batch)
    })
}

/// Whether these are of a format before the current one, which is as old as Kafka 0.11 and the last that
/// is read here.
pub(super) fn is_older(records: &[u8]) -> bool {
    records.get(FORMAT).is_some_and(|format| *format < CURRENT)
}

/// The first batch, and how long it is.
fn read(bytes: &[u8]) -> Option<(Batch<'_>, usize)> {
    let mut header = Cursor::new(bytes.get(..HEADER)?);
    let (offset, length) = (header.int64()?, header.int32()?);
    // The leader's epoch, then the format.
    let format = header.take(5)?.last();
    // A checksum.
    header.take(4)?;
    let [_, attributes] = header.int16()?.to_be_bytes();
    // The last record's offset, times, and the producer.
    header.take(34)?;
    let count = u32::try_from(header.int32()?).ok()?;
    let length = usize::try_from(length).ok()?.checked_add(BEFORE_LENGTH)?;
    if format != Some(&CURRENT) || length < HEADER {
        return None;
    }
    let records = bytes.get(HEADER..length.min(bytes.len())).unwrap_or_default();
    let is_cut = length > bytes.len();
    Some((Batch { offset, count, is_cut, attributes, records }, length))
}

impl<'a> Batch<'a> {
    /// The broker wrote it for itself.
    pub(super) fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// What records say of the spans that have sent them, as far as that can be read.
    pub(super) fn senders(&self) -> impl Iterator<Item = &'a str> {
        let readable = self.attributes & (COMPRESSED | CONTROL) == 0;
        let mut records = Cursor::new(if readable { self.records } else { &[] });
        let record = move || {
            let length = usize::try_from(records.signed()?).ok()?;
            Some(sender(records.take(length)?))
        };
        std::iter::from_fn(record).take(MAX_TOLD).flatten()
    }
}

/// The header of a record that names the span which has sent it.
fn sender(record: &[u8]) -> Option<&str> {
    let mut record = Cursor::new(record);
    // Attributes, and how much later, and further on, than the batch's first it is.
    record.take(1)?;
    record.signed()?;
    record.signed()?;
    let (_key, _value) = (record.field()?, record.field()?);
    for _ in 0..record.signed()? {
        let (name, value) = (record.field()?, record.field()?);
        if name == TRACEPARENT && value.len() <= MAX_TRACEPARENT {
            return std::str::from_utf8(value).ok();
        }
    }
    None
}
