//! W3C Trace Context (<https://www.w3.org/TR/trace-context/>, sections 3.2 and 3.3):
//! `traceparent: 00-{32 hex trace-id}-{16 hex parent-id}-{2 hex flags}`, lower case.

use super::hex::{bytes, id, is_lower};
use super::{Context, Format, Found};

/// Longest version-00 header, which later versions begin like.
const LENGTH: usize = 55;
/// Most list members of a `tracestate` (section 3.3.1.1), and most bytes kept; 512 is what everyone
/// must pass on.
const MAX_MEMBERS: usize = 32;
const MAX_STATE: usize = 4096;

/// The format's fields of one request.
#[derive(Default)]
pub(super) struct Headers<'a> {
    parent: Option<&'a [u8]>,
    parents: usize,
    state: Vec<&'a [u8]>,
}

impl<'a> Headers<'a> {
    /// Takes a field if it is one of the format's.
    pub(super) fn add(&mut self, name: &str, value: &'a [u8]) {
        if name.eq_ignore_ascii_case("traceparent") {
            self.parent = Some(value);
            self.parents += 1;
        } else if name.eq_ignore_ascii_case("tracestate") && self.state.len() < MAX_MEMBERS {
            self.state.push(value);
        }
    }

    /// What they say. More than one `traceparent` is invalid; a `tracestate` alone says nothing,
    /// and an invalid one does not make the `traceparent` invalid.
    pub(super) fn read(&self) -> Found {
        let Some(parent) = self.parent else { return Found::Nothing };
        let context = (self.parents == 1).then(|| traceparent(parent.trim_ascii())).flatten();
        match context {
            Some(context) => {
                Found::Context(Context { trace_state: tracestate(&self.state), ..context })
            }
            None => Found::Malformed,
        }
    }
}

fn traceparent(value: &[u8]) -> Option<Context> {
    let known = value.get(..LENGTH)?;
    let mut parts = known.split(|b| *b == b'-');
    let version = bytes::<1>(parts.next()?)?;
    let (trace_id, span_id) = (id(parts.next()?)?, id(parts.next()?)?);
    let [flags] = bytes::<1>(parts.next()?)?;
    // Version ff is forbidden; a later version may have more, behind another dash.
    let rest_is_valid = match (version, value.get(LENGTH)) {
        ([0xff], _) => false,
        (_, None) => true,
        ([0], Some(_)) => false,
        (_, Some(byte)) => *byte == b'-',
    };
    (parts.next().is_none() && rest_is_valid && is_lower(known)).then_some(Context {
        trace_id,
        is_64_bit: false,
        span_id: Some(span_id),
        parent_id: None,
        sampled: Some(flags & 1 == 1),
        debug: false,
        format: Format::TraceContext,
        trace_state: None,
        name: None,
    })
}

/// All `tracestate` fields as one, or `None` if they are empty or invalid.
fn tracestate(fields: &[&[u8]]) -> Option<String> {
    let text: Vec<&str> =
        fields.iter().map(|f| std::str::from_utf8(f).ok()).collect::<Option<_>>()?;
    let joined = text.join(",");
    let members: Vec<&str> =
        joined.split(',').map(str::trim).filter(|member| !member.is_empty()).collect();
    let valid = members.iter().all(|member| is_member(member));
    let fits = joined.len() <= MAX_STATE && members.len() <= MAX_MEMBERS;
    (valid && fits && !members.is_empty()).then(|| members.join(","))
}

/// `key=value` (section 3.3.1.3): the key of lower-case letters, digits and `_-*/@`, the value of
/// printable ASCII without comma and equals sign, at most 256 each.
fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else { return false };
    let is_key = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/@".contains(&b);
    (1..=256).contains(&key.len())
        && key.bytes().all(is_key)
        && (1..=256).contains(&value.len())
        && value.bytes().all(|b| (0x20..=0x7e).contains(&b) && b != b',' && b != b'=')
}

#[cfg(test)]
mod tests {
    use super::{Found, Headers};

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    fn read(fields: &[(&str, &str)]) -> Found {
        let mut headers = Headers::default();
        fields.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        headers.read()
    }

    #[test]
    fn valid_parents() {
        for (rest, version, sampled) in [
            ("01", "00", true),
            ("00", "00", false),
            ("03", "00", true),
            ("01-x", "cc", true),
            ("01", "cc", true),
        ] {
            let value = format!("{version}-{TRACE}-{SPAN}-{rest}");
            let Found::Context(context) = read(&[("traceparent", &value)]) else {
                panic!("{value}")
            };
            assert_eq!(context.sampled, Some(sampled));
            assert_eq!((context.trace_id[0], context.span_id.unwrap()[7]), (0x0a, 0x31));
        }
    }

    #[test]
    fn invalid_parents() {
        let upper = TRACE.to_uppercase();
        let zeros = "0".repeat(32);
        for value in [
            String::new(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01-x"),
            format!("00-{TRACE}-{SPAN}-01."),
            format!("cc-{TRACE}-{SPAN}-01.x"),
            format!("00-{upper}-{SPAN}-01"),
            format!("0A-{TRACE}-{SPAN}-01"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-0g"),
            format!("00_{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}\u{e9}01"),
        ] {
            assert_eq!(read(&[("traceparent", &value)]), Found::Malformed, "{value}");
        }
        let value = format!("00-{TRACE}-{SPAN}-01");
        let twice = read(&[("traceparent", &value), ("traceparent", &value)]);
        assert_eq!(twice, Found::Malformed);
        assert_eq!(read(&[("tracestate", "a=1")]), Found::Nothing);
    }

    #[test]
    fn states() {
        let value = format!("00-{TRACE}-{SPAN}-01");
        let state = |fields: &[&str]| {
            let mut all = vec![("traceparent", value.as_str())];
            all.extend(fields.iter().map(|field| ("tracestate", *field)));
            match read(&all) {
                Found::Context(context) => context.trace_state,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(state(&["a=1, b@c=2,"]).as_deref(), Some("a=1,b@c=2"));
        assert_eq!(state(&["a=1", "b=2"]).as_deref(), Some("a=1,b=2"));
        for bad in ["", "a", "A=1", "a=b=c", "=1", "a="] {
            assert_eq!(state(&[bad]), None, "{bad}");
        }
        let many = (0..33).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
        assert_eq!(state(&[&many]), None);
    }
}
