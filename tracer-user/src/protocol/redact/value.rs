//! Values of header fields: what of them stays.

use super::Pseudonym;
use super::pairs::Pairs;
use super::scope::Scope;
use crate::protocol::propagation::is_correlation;

/// Fields whose values stay, in lower case: those by which messages are framed, those of which spans
/// tell, and those of propagated contexts that [`crate::protocol::propagation`] reads whole. A list
/// of secret ones would never be whole: applications give their keys names of their own.
const KEPT: [&[u8]; 28] = [
    b"host",
    b"user-agent",
    b"content-length",
    b"content-type",
    b"transfer-encoding",
    b"te",
    b"trailer",
    b"connection",
    b"upgrade",
    b"expect",
    b"grpc-status",
    b"grpc-timeout",
    b"traceparent",
    b"tracestate",
    b"b3",
    b"x-b3-traceid",
    b"x-b3-spanid",
    b"x-b3-parentspanid",
    b"x-b3-sampled",
    b"x-b3-flags",
    b"uber-trace-id",
    b"x-datadog-trace-id",
    b"x-datadog-parent-id",
    b"x-datadog-sampling-priority",
    b"x-cloud-trace-context",
    b"grpc-trace-bin",
    b"x-elastic-client-meta",
    b"x-elastic-product",
];

/// Of `sw8`: sample, trace, segment and span stay, names of services and their endpoints do not.
const SKYWALKING: (u8, usize) = (b'-', 4);
/// Of what applications may add to, what is read.
const XRAY: (u8, &[&[u8]]) = (b';', &[b"Root=", b"Parent=", b"Sampled="]);
const DATADOG: (u8, &[&[u8]]) = (b',', &[b"_dd.p.tid="]);

/// Masks one value, which may come in pieces.
#[derive(Clone, Debug)]
pub(super) enum ValueMask {
    /// Known to hold no secret.
    Kept,
    /// Whatever else.
    Private,
    /// Of parts with this byte between them the first ones stay.
    First(u8, usize),
    /// Of `name=value` pairs some stay.
    Pairs(Pairs),
    /// What matters is only whether it is the same as another.
    Id(Pseudonym),
    /// Of a signature by AWS's rules, whether it is for S3.
    Scope(Scope),
}

impl ValueMask {
    /// Of a field with this name. `ids`: how ids are told.
    pub(super) fn of(name: &[u8], ids: &Pseudonym) -> Self {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if KEPT.into_iter().any(is) {
            ValueMask::Kept
        } else if is_correlation(name) {
            ValueMask::Id(ids.clone())
        } else if is(b"authorization") {
            ValueMask::Scope(Scope::default())
        } else if is(b"sw8") {
            ValueMask::First(SKYWALKING.0, SKYWALKING.1)
        } else if is(b"x-amzn-trace-id") {
            ValueMask::Pairs(Pairs::new(XRAY.0, XRAY.1))
        } else if is(b"x-datadog-tags") {
            ValueMask::Pairs(Pairs::new(DATADOG.0, DATADOG.1))
        } else {
            ValueMask::Private
        }
    }

    /// Masks the next bytes of the value. Control characters stay: they may make the head malformed,
    /// which it is to be afterwards, too.
    pub(super) fn feed(&mut self, bytes: &mut [u8]) {
        for byte in bytes.iter_mut().filter(|byte| !byte.is_ascii_control()) {
            match self {
                ValueMask::Kept => return,
                ValueMask::Private => *byte = b'*',
                ValueMask::First(separator, left) if byte == separator => {
                    *left = left.saturating_sub(1);
                }
                ValueMask::First(_, 0) => *byte = b'*',
                ValueMask::First(..) => {}
                ValueMask::Pairs(pairs) => *byte = if pairs.shows(*byte) { *byte } else { b'*' },
                ValueMask::Scope(scope) => *byte = if scope.shows(*byte) { *byte } else { b'*' },
                ValueMask::Id(pseudonym) => *byte = pseudonym.of(*byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pseudonym, ValueMask};

    fn masked(name: &str, value: &str) -> String {
        let mut mask = ValueMask::of(name.as_bytes(), &Pseudonym::default());
        let mut bytes = value.as_bytes().to_vec();
        // In pieces of every length.
        let mut rest = &mut bytes[..];
        for length in 1.. {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at_mut(length.min(rest.len()));
            mask.feed(piece);
            rest = behind;
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn of_signatures_only_what_they_are_for_stays() {
        let signed = |scope: &str| format!("AWS4-HMAC-SHA256 Credential={scope}, Signature=s3/a");
        let hidden = "*".repeat(28);
        for (scope, stays) in [
            ("KEY/20130524/us-east-1/s3/aws4_request", "***/********/*********/s3/aws4_request"),
            ("KEY/20130524/s3/aws4_request", "***/********/s3/aws4_request"),
            ("s3/s3/sa-1/sqs/aws4_requests", "**/**/s***/s**/aws4_request*"),
        ] {
            assert_eq!(
                masked("Authorization", &signed(scope)),
                format!("{hidden}{stays},***************")
            );
        }
        for secret in ["Bearer a/b/c/s3/aws4_request", "AWS4", "AWS KEY:a/b/s3", "Basic /s3/s3/s3"]
        {
            assert_eq!(masked("authorization", secret), "*".repeat(secret.len()));
        }
    }

    #[test]
    fn of_contexts_what_is_read_stays() {
        assert_eq!(
            masked("SW8", "1-YQ==-Yg==-3-Yw==-ZA==-ZQ==-Zg=="),
            "1-YQ==-Yg==-3-****-****-****-****"
        );
        let root = "Root=1-67891233-abcdef012345678912345678";
        assert_eq!(
            masked("X-Amzn-Trace-Id", &format!("Self=1-2-3; {root};Rooter=me; user=me;Sampled=1")),
            format!("S*********; {root};Root*****; *******;Sampled=1")
        );
        assert_eq!(
            masked("x-datadog-tags", "_dd.p.usr.id=bWU=,_dd.p.tid=640cfd8d00000000,hunter2"),
            "_dd.p.***********,_dd.p.tid=640cfd8d00000000,*******"
        );
        assert_eq!(masked("x-datadog-trace-id", "123"), "123");
        assert_eq!(masked("x-datadog-origin", "rum"), "***");
    }
}
