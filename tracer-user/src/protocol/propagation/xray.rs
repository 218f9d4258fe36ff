//! AWS X-Ray and load balancers (<https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html>):
//! `X-Amzn-Trace-Id: Root=1-{8 hex, seconds}-{24 hex};Parent={16 hex};Sampled={0, 1 or ?}`, in any
//! order, among fields of anyone's own.
//!
//! The trace id is Root's digits without version and dashes, as X-Ray itself converts it. A load
//! balancer that finds no header sends Root alone, and one that finds Root adds `Self`, an id of its
//! own that no span has.

use super::b3::sampled;
use super::hex::id;
use super::single::Single;
use super::{Context, Format, Found};

/// Fields looked at.
const MAX_FIELDS: usize = 32;

/// The format's field of one request.
#[derive(Default)]
pub(super) struct Headers<'a>(Single<'a>);

impl<'a> Headers<'a> {
    /// Takes a field if it is the format's.
    pub(super) fn add(&mut self, name: &str, value: &'a [u8]) {
        self.0.add("x-amzn-trace-id", name, value);
    }

    /// What it says; two of them are malformed, and one without Root says nothing.
    pub(super) fn read(&self) -> Found {
        self.0.read(parse)
    }
}

fn parse(value: &[u8]) -> Option<Found> {
    let (mut root, mut parent, mut decision) = (None, None, None);
    for field in value.split(|byte| *byte == b';').take(MAX_FIELDS).map(<[u8]>::trim_ascii) {
        if let Some(value) = field.strip_prefix(b"Root=") {
            root.get_or_insert(value);
        } else if let Some(value) = field.strip_prefix(b"Parent=") {
            parent.get_or_insert(value);
        } else if let Some(value) = field.strip_prefix(b"Sampled=") {
            decision.get_or_insert(value);
        }
    }
    let Some(root) = root else { return Some(Found::Nothing) };
    let mut parts = root.split(|byte| *byte == b'-');
    let (version, time, random) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = version == b"1" && time.len() == 8 && parts.next().is_none();
    Some(Found::Context(Context {
        trace_id: id(&[time, random].concat()).filter(|_| whole)?,
        is_64_bit: false,
        span_id: parent.map_or(Some(None), |parent| id(parent).map(Some))?,
        parent_id: None,
        // "?" asks the receiver to decide.
        sampled: match decision {
            None | Some(b"?") => None,
            Some(decision) => Some(sampled(decision)?),
        },
        debug: false,
        format: Format::XRay,
        trace_state: None,
        name: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::{Context, Found, Headers};

    fn read(value: &str) -> Found {
        let mut headers = Headers::default();
        headers.add("X-Amzn-Trace-Id", value.as_bytes());
        headers.read()
    }

    fn context(value: &str) -> Context {
        let Found::Context(context) = read(value) else { panic!("{value}") };
        context
    }

    #[test]
    fn of_an_sdk() {
        let value = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let full = context(value);
        assert_eq!(u128::from_be_bytes(full.trace_id), 0x5759_e988_bd86_2e3f_e1be_46a9_9427_2793);
        assert_eq!(full.span_id, Some(0x5399_5c3f_42cd_8ad8_u64.to_be_bytes()));
        assert_eq!((full.sampled, full.is_64_bit), (Some(true), false));
        assert_eq!(
            context("Sampled=0; Root=1-5759e988-bd862e3fe1be46a994272793").sampled,
            Some(false)
        );
        assert_eq!(context("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=?").sampled, None);
    }

    #[test]
    fn of_a_load_balancer() {
        let alone = context("Root=1-67891233-abcdef012345678912345678");
        assert_eq!((alone.span_id, alone.sampled), (None, None));
        let passed = context(
            "Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678;CalledFrom=app",
        );
        assert_eq!(passed, alone);
        assert_eq!(read("Self=1-67891234-12456789abcdef0123456789"), Found::Nothing);
    }

    #[test]
    fn malformed() {
        for value in [
            "Root=",
            "Root=2-5759e988-bd862e3fe1be46a994272793",
            "Root=1-5759e98-8bd862e3fe1be46a994272793",
            "Root=1-5759e988-bd862e3fe1be46a99427279",
            "Root=1-5759e988-bd862e3fe1be46a994272793-1",
            "Root=1-00000000-000000000000000000000000",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=2",
        ] {
            assert_eq!(read(value), Found::Malformed, "{value}");
        }
        let mut twice = Headers::default();
        (0..2).for_each(|_| {
            twice.add("x-amzn-trace-id", b"Root=1-67891233-abcdef012345678912345678")
        });
        assert_eq!(twice.read(), Found::Malformed);
    }
}
