//! Apache SkyWalking, version 3
//! (<https://skywalking.apache.org/docs/main/next/en/api/x-process-propagation-headers-v3/>):
//! `sw8: {sample}-{trace id}-{segment id}-{span}-{service}-{instance}-{endpoint}-{address}`, texts
//! in Base64. Of these the first four are read.
//!
//! SkyWalking's ids are texts of any length, and a span is a segment with a number in it. So that
//! these spans meet those that its agents send to Zipkin, Jaeger or others by way of the
//! OpenTelemetry Collector, ids become bytes as in the Collector's SkyWalking receiver:
//!  - a UUID, with dashes or without (browsers, Python, Envoy, nginx), is the 16 bytes it stands for;
//!  - `{UUID}.{thread}.{sequence}` (Java, Go): the UUID's bytes, of which bytes 4 to 7 are XORed with
//!    the thread and bytes 8 to 15 with the sequence, lowest byte first;
//!  - of a span, its segment's 16 bytes, of which bytes 0 to 3 are XORed with the span's number,
//!    lowest byte first; then the second half is XORed onto the first.
//!
//! Any other text, for which the Collector has no bytes, is hashed (FNV-1a, 128 bits). SkyWalking's
//! own page finds a trace by its text: [`Context::name`].

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::decimal::decimal;
use super::hex::bytes;
use super::single::Single;
use super::{Context, Format, Found};

/// Longest value (the specification's default), and longest id, in bytes.
const LENGTH: usize = 2048;
const ID_LENGTH: usize = 256;
const FIELDS: usize = 8;

/// Not all agents send the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The format's field of one request.
#[derive(Default)]
pub(super) struct Headers<'a>(Single<'a>);

impl<'a> Headers<'a> {
    /// Takes a field if it is the format's.
    pub(super) fn add(&mut self, name: &str, value: &'a [u8]) {
        self.0.add("sw8", name, value);
    }

    /// What it says; two of them are malformed.
    pub(super) fn read(&self) -> Found {
        self.0.read(|value| parse(value).map(Found::Context))
    }
}

fn parse(value: &[u8]) -> Option<Context> {
    let mut fields = value.split(|byte| *byte == b'-');
    let (sample, trace) = (fields.next()?, text(fields.next()?)?);
    let (segment, span) = (text(fields.next()?)?, decimal(fields.next()?)?);
    let whole = value.len() <= LENGTH && fields.count() == FIELDS - 4;
    let (trace_id, span_id) = (wide(&trace), span_id(&segment, u32::try_from(span).ok()?));
    let sampled = match sample {
        b"0" => false,
        b"1" => true,
        _ => return None,
    };
    (whole && trace_id != [0; 16] && span_id != [0; 8]).then_some(Context {
        trace_id,
        is_64_bit: false,
        span_id: Some(span_id),
        parent_id: None,
        sampled: Some(sampled),
        debug: false,
        format: Format::SkyWalking,
        trace_state: None,
        name: Some(trace),
    })
}

/// A field in Base64: printable ASCII, not empty.
fn text(field: &[u8]) -> Option<String> {
    let text = String::from_utf8(BASE64.decode(field).ok()?).ok()?;
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    ((1..=ID_LENGTH).contains(&text.len()) && printable).then_some(text)
}

/// An id as 16 bytes.
fn wide(id: &str) -> [u8; 16] {
    let mut parts = id.splitn(3, '.');
    let uuid = parts.next().and_then(uuid);
    let rest = match (parts.next(), parts.next()) {
        (None, None) => Some((0, 0)),
        (Some(thread), Some(sequence)) => {
            decimal(thread.as_bytes()).zip(decimal(sequence.as_bytes()))
        }
        _ => None,
    };
    let Some((mut wide, (thread, sequence))) = uuid.zip(rest) else { return hash(id.as_bytes()) };
    // Of the thread, the Collector takes the lower half.
    let masks = thread.to_le_bytes().into_iter().take(4).chain(sequence.to_le_bytes());
    wide.iter_mut().skip(4).zip(masks).for_each(|(byte, mask)| *byte ^= mask);
    wide
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    match text.len() {
        32 => bytes(text.as_bytes()),
        36 if DASHES.iter().all(|&at| text.as_bytes().get(at) == Some(&b'-')) => {
            bytes(text.replace('-', "").as_bytes())
        }
        _ => None,
    }
}

/// FNV-1a with 128 bits (<https://www.ietf.org/archive/id/draft-eastlake-fnv-21.html>).
fn hash(text: &[u8]) -> [u8; 16] {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let step = |hash: u128, byte: &u8| (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
    text.iter().fold(BASIS, step).to_be_bytes()
}

/// A segment's span as 8 bytes.
fn span_id(segment: &str, span: u32) -> [u8; 8] {
    let mut wide = wide(segment);
    wide.iter_mut().zip(span.to_le_bytes()).for_each(|(byte, mask)| *byte ^= mask);
    let (high, low) = wide.split_at(8);
    let mut id = [0; 8];
    id.iter_mut().zip(high.iter().zip(low)).for_each(|(byte, (high, low))| *byte = high ^ low);
    id
}

#[cfg(test)]
mod tests;
