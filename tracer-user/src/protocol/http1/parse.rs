//! Heads from bytes, by httparse.

use super::engine::Limits;
use super::event::Fault;
use super::framing::{Framing, Lengths};
use super::head::{Method, RequestHead, ResponseHead, Version, cut, field};
use super::mend::mend;
use super::reader::Head;
use crate::protocol::http_api::{self, Marks};
use crate::protocol::{propagation, redact};
use httparse::{Header, ParserConfig, Request, Response, Status};
use std::mem::MaybeUninit;
use tracer_common::head::Start;

/// Fields that fit without an allocation.
const FEW: usize = 64;

impl Head for RequestHead {
    const ANNOUNCED: bool = true;
    const MALFORMED: Fault = Fault::RequestHead;

    fn is_start(start: Start) -> bool {
        matches!(start, Start::Request | Start::ConnectRequest)
    }

    fn may_begin_with(byte: u8) -> bool {
        // The first byte of a token, RFC 9110 section 5.6.2.
        byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
    }

    fn parse(bytes: &[u8], limits: &Limits) -> Parsed<Self> {
        leniently(bytes, Self::MALFORMED, |bytes| parse_request(bytes, limits))
    }
}

impl Head for ResponseHead {
    const ANNOUNCED: bool = false;
    const MALFORMED: Fault = Fault::ResponseHead;

    fn is_start(start: Start) -> bool {
        start == Start::Response
    }

    fn may_begin_with(byte: u8) -> bool {
        byte == b'H'
    }

    fn parse(bytes: &[u8], limits: &Limits) -> Parsed<Self> {
        leniently(bytes, Self::MALFORMED, |bytes| parse_response(bytes, limits))
    }
}

type Parsed<H> = Result<Option<(usize, H, Lengths)>, Fault>;

/// Parses, and if that fails, parses the mended head.
fn leniently<H>(bytes: &[u8], malformed: Fault, parse: impl Fn(&[u8]) -> Parsed<H>) -> Parsed<H> {
    match parse(bytes) {
        Err(fault) if fault == malformed => parse(&mend(bytes)),
        result => result,
    }
}

fn parse_request(bytes: &[u8], limits: &Limits) -> Parsed<RequestHead> {
    with_fields(limits, Fault::RequestHead, |fields| {
        let mut request = Request::new(&mut []);
        let status = ParserConfig::default().parse_request_with_uninit_headers(
            &mut request,
            bytes,
            fields,
        )?;
        Ok(read(status, || request_head(&request, limits)))
    })
}

fn parse_response(bytes: &[u8], limits: &Limits) -> Parsed<ResponseHead> {
    with_fields(limits, Fault::ResponseHead, |fields| {
        let mut response = Response::new(&mut []);
        let status = ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            bytes,
            fields,
        )?;
        Ok(read(status, || response_head(&response)))
    })
}

type Fields<'f, 'b> = &'f mut [MaybeUninit<Header<'b>>];

/// Runs a parser with room for a few fields, and if they are not enough, for as many as are
/// allowed.
fn with_fields<'b, T>(
    limits: &Limits,
    malformed: Fault,
    parse: impl Fn(Fields<'_, 'b>) -> Result<Option<T>, httparse::Error>,
) -> Result<Option<T>, Fault> {
    let mut few: [MaybeUninit<Header<'b>>; FEW] = [const { MaybeUninit::uninit() }; FEW];
    let (few, _) = few.split_at_mut(FEW.min(limits.max_headers));
    let result = match parse(few) {
        Err(httparse::Error::TooManyHeaders) if limits.max_headers > FEW => {
            let mut all = vec![MaybeUninit::uninit(); limits.max_headers];
            parse(&mut all)
        }
        result => result,
    };
    result.map_err(|error| match error {
        httparse::Error::TooManyHeaders => Fault::TooManyHeaders,
        _ => malformed,
    })
}

/// Name and value of each field of a request's or a response's head, as it is read.
#[cfg(test)]
pub(super) fn fields(head: &[u8], is_request: bool) -> Option<Vec<(String, Vec<u8>)>> {
    let own = |fields: &[Header<'_>]| -> Vec<(String, Vec<u8>)> {
        fields.iter().map(|field| (field.name.to_owned(), field.value.to_vec())).collect()
    };
    let parse = |head: &[u8]| {
        let mut room = [httparse::EMPTY_HEADER; FEW];
        if is_request {
            let mut request = Request::new(&mut room);
            request.parse(head).map(|_| own(request.headers))
        } else {
            let mut response = Response::new(&mut room);
            response.parse(head).map(|_| own(response.headers))
        }
    };
    parse(head).or_else(|_| parse(&mend(head))).ok()
}

fn read<H>(
    status: Status<usize>,
    head: impl FnOnce() -> Option<(H, Lengths)>,
) -> Option<(usize, H, Lengths)> {
    match status {
        Status::Complete(len) => head().map(|(head, lengths)| (len, head, lengths)),
        Status::Partial => None,
    }
}

fn version(minor: Option<u8>) -> Version {
    if minor == Some(0) { Version::Http10 } else { Version::Http11 }
}

fn request_head(request: &Request<'_, '_>, limits: &Limits) -> Option<(RequestHead, Lengths)> {
    let raw = request.path?;
    let target = redact::target(raw);
    let kept = cut(&target, limits.max_target);
    let mut lengths = Lengths::default();
    let mut head = RequestHead {
        method: Method::new(request.method?),
        target: kept.to_owned(),
        target_cut: kept.len() < raw.len(),
        version: version(request.version),
        host: redact::authority(raw).and_then(|host| field(host.as_bytes())),
        user_agent: None,
        content_length: None,
        expect_continue: false,
        upgrade: None,
        context: propagation::extract(request.headers.iter().map(|h| (h.name, h.value))),
        api: None,
    };
    let mut marks = Marks::default();
    for Header { name, value } in request.headers.iter() {
        lengths.add(name, value);
        marks.add(name, value);
        if name.eq_ignore_ascii_case("host") && head.host.is_none() {
            head.host = field(value);
        } else if name.eq_ignore_ascii_case("user-agent") && head.user_agent.is_none() {
            head.user_agent = field(value);
        } else if name.eq_ignore_ascii_case("upgrade") && head.upgrade.is_none() {
            head.upgrade = field(value);
        } else if name.eq_ignore_ascii_case("expect") {
            head.expect_continue |= value.trim_ascii().eq_ignore_ascii_case(b"100-continue");
        }
    }
    head.content_length = lengths.content_length();
    head.api = marks.api(raw, head.host.as_deref());
    Some((head, lengths))
}

fn response_head(response: &Response<'_, '_>) -> Option<(ResponseHead, Lengths)> {
    let mut lengths = Lengths::default();
    response.headers.iter().for_each(|h| lengths.add(h.name, h.value));
    let correlation = propagation::correlation(response.headers.iter().map(|h| (h.name, h.value)));
    let head = ResponseHead {
        correlation,
        status: response.code?,
        version: version(response.version),
        content_length: lengths.content_length(),
        framing: Framing::None,
        api: response.headers.iter().find_map(|h| http_api::product(h.name, h.value)),
    };
    Some((head, lengths))
}
