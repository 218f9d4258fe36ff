//! OpenCensus over gRPC: `grpc-trace-bin`, a binary field, which HTTP/2 carries in base64 with or without
//! padding (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>), or as it is behind a zero
//! byte, where both ends of gRPC's C core agree on that (G1 of its proposals).
//!
//! The bytes (<https://github.com/census-instrumentation/opencensus-specs/blob/master/encodings/BinaryEncoding.md>):
//! a version, which is 0, then fields in order, each behind its number: 0 the trace id, 1 the span id, 2 the
//! options, whose lowest bit is the sampling decision. What comes behind them is left to later versions.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Context, Format, Found};

/// Longer values are not looked at.
const MAX_LENGTH: usize = 256;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The format's field of one request.
#[derive(Default)]
pub(super) struct Headers<'a> {
    value: Option<&'a [u8]>,
    count: usize,
}

impl<'a> Headers<'a> {
    /// Takes a field if it is the format's.
    pub(super) fn add(&mut self, name: &str, value: &'a [u8]) {
        if name.eq_ignore_ascii_case("grpc-trace-bin") {
            self.value = Some(value);
            self.count += 1;
        }
    }

    /// What it says; two of them are malformed.
    pub(super) fn read(&self) -> Found {
        match self.value {
            None => Found::Nothing,
            Some(value) if self.count == 1 => {
                context(value).map_or(Found::Malformed, Found::Context)
            }
            Some(_) => Found::Malformed,
        }
    }
}

fn context(value: &[u8]) -> Option<Context> {
    match value {
        _ if value.len() > MAX_LENGTH => None,
        [0, bytes @ ..] => parse(bytes),
        coded => parse(&BASE64.decode(coded).ok()?),
    }
}

fn parse(bytes: &[u8]) -> Option<Context> {
    let (version, rest) = bytes.split_first()?;
    if *version != 0 {
        return None;
    }
    let (trace_id, rest) = field::<16>(0, rest);
    let (span_id, rest) = field::<8>(1, rest);
    let (options, _) = field::<1>(2, rest);
    Some(Context {
        trace_id: trace_id.filter(|id| *id != [0; 16])?,
        is_64_bit: false,
        span_id: span_id.filter(|id| *id != [0; 8]),
        parent_id: None,
        sampled: options.map(|[options]| options & 1 == 1),
        debug: false,
        format: Format::OpenCensus,
        trace_state: None,
        name: None,
    })
}

/// The field with this number, if it comes next, and what is behind it.
fn field<const N: usize>(number: u8, bytes: &[u8]) -> (Option<[u8; N]>, &[u8]) {
    let next = bytes.split_first().filter(|(first, _)| **first == number);
    match next.and_then(|(_, rest)| rest.split_first_chunk::<N>()) {
        Some((field, rest)) => (Some(*field), rest),
        None => (None, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Headers};
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};

    fn read(value: &[u8]) -> Found {
        let mut headers = Headers::default();
        headers.add("Grpc-Trace-Bin", value);
        headers.read()
    }

    /// The example of the specification.
    fn example() -> Vec<u8> {
        let (trace, span) = (64..80, 97..105);
        [0, 0].into_iter().chain(trace).chain([1]).chain(span).chain([2, 1]).collect()
    }

    #[test]
    fn contexts() {
        let bytes = example();
        let raw = [&[0][..], &bytes].concat();
        for value in [
            BASE64_STANDARD.encode(&bytes).into_bytes(),
            BASE64_STANDARD_NO_PAD.encode(&bytes).into_bytes(),
            BASE64_STANDARD.encode([&bytes[..], b"\x07later"].concat()).into_bytes(),
            raw,
        ] {
            let Found::Context(context) = read(&value) else { panic!("{value:?}") };
            assert_eq!(context.trace_id.to_vec(), (64..80).collect::<Vec<u8>>());
            assert_eq!(context.span_id.unwrap().to_vec(), (97..105).collect::<Vec<u8>>());
            assert_eq!((context.sampled, context.is_64_bit), (Some(true), false));
        }
        let Found::Context(context) = read(BASE64_STANDARD.encode(&bytes[..18]).as_bytes()) else {
            panic!("a trace alone");
        };
        assert_eq!((context.span_id, context.sampled), (None, None));
    }

    #[test]
    fn malformed() {
        let coded = |bytes: &[u8]| BASE64_STANDARD.encode(bytes).into_bytes();
        let other_version = [&[1][..], &example()[1..]].concat();
        let zeros = [&[0; 18][..], &example()[18..]].concat();
        let long = [example(), vec![7; 300]].concat();
        let values = [coded(&other_version), coded(&zeros), coded(&example()[..17]), coded(&long)];
        for value in values.into_iter().chain([b"".to_vec(), b"?".to_vec(), vec![0], vec![0, 0]]) {
            assert_eq!(read(&value), Found::Malformed, "{value:?}");
        }
    }
}
