//! Marks of services in heads. They are looked at where they lie: of an `Authorization` nothing is kept
//! but whether it is for S3.

use super::Api;
use super::host::{Host, host};

/// The names of client libraries in User-Agent, up to their versions.
const CLIENTS: [(&[u8], Api); 19] = [
    (b"elasticsearch-py", Api::Elasticsearch),
    (b"elasticsearch-java", Api::Elasticsearch),
    (b"elastic-java", Api::Elasticsearch),
    (b"elasticsearch-js", Api::Elasticsearch),
    (b"go-elasticsearch", Api::Elasticsearch),
    (b"elasticsearch-ruby", Api::Elasticsearch),
    (b"elasticsearch-php", Api::Elasticsearch),
    (b"elasticsearch-net", Api::Elasticsearch),
    (b"elasticsearch-rs", Api::Elasticsearch),
    (b"elastic-transport-python", Api::Elasticsearch),
    (b"elastic-transport-ruby", Api::Elasticsearch),
    (b"opensearch-py", Api::OpenSearch),
    (b"opensearch-java", Api::OpenSearch),
    (b"opensearch-js", Api::OpenSearch),
    (b"opensearch-go", Api::OpenSearch),
    (b"opensearch-ruby", Api::OpenSearch),
    (b"opensearch-php", Api::OpenSearch),
    (b"opensearch-net", Api::OpenSearch),
    (b"opensearch-rs", Api::OpenSearch),
];

/// What only Elasticsearch's clients accept and send
/// (<https://www.elastic.co/docs/reference/elasticsearch/rest-apis/compatibility>).
const MEDIA: &[u8] = b"application/vnd.elasticsearch+";
/// How the value of `X-Elastic-Client-Meta` begins if the client is one of Elasticsearch, and serverless
/// Elasticsearch: other products of Elastic have such a header, too.
const META: [&[u8]; 2] = [b"es=", b"esv="];
/// `X-Elastic-Product`, which servers answer with from 7.14 on.
const PRODUCT: &[u8] = b"Elasticsearch";

/// How AWS calls services whose API is S3's in the scope of a credential.
const S3: [&[u8]; 4] = [b"s3", b"s3express", b"s3-object-lambda", b"s3-outposts"];

/// The marks of one request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    search: Option<Api>,
    /// A credential's scope names S3, or another service.
    scope: Option<bool>,
    /// `X-Amz-Content-Sha256`.
    hashed: bool,
    dated: bool,
    /// `X-Amz-Target`, of AWS's services that take JSON.
    targeted: bool,
    copies: bool,
}

impl Marks {
    /// Takes a field. Nearly all are settled by how long their names are.
    pub fn add(&mut self, name: &str, value: &[u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name.len() {
            4 if is("date") => self.dated = true,
            6 if is("accept") => self.media(value),
            10 if is("user-agent") => self.found(client(value)),
            10 if is("x-amz-date") => self.dated = true,
            12 if is("content-type") => self.media(value),
            12 if is("x-amz-target") => self.targeted = true,
            13 if is("authorization") => self.scope = self.scope.or_else(|| signed(value)),
            17 if is("x-amz-copy-source") => self.copies = true,
            20 if is("x-amz-content-sha256") => self.hashed = true,
            21 if is("x-elastic-client-meta") => {
                let meta = META.iter().any(|meta| value.starts_with(meta));
                self.found(meta.then_some(Api::Elasticsearch));
            }
            _ => {}
        }
    }

    fn media(&mut self, value: &[u8]) {
        let own = value.get(..MEDIA.len()).is_some_and(|own| own.eq_ignore_ascii_case(MEDIA));
        self.found(own.then_some(Api::Elasticsearch));
    }

    fn found(&mut self, search: Option<Api>) {
        self.search = self.search.or(search);
    }

    /// What all of them say. `target`: as it was sent; `host`: which it is sent to, with its port.
    #[must_use]
    pub fn api(self, target: &str, host: Option<&str>) -> Option<Api> {
        let s3 = || self.is_s3(target, host).then_some(Api::S3 { copies: self.copies });
        self.search.or_else(s3)
    }

    fn is_s3(self, target: &str, named: Option<&str>) -> bool {
        match named.and_then(host) {
            Some(Host::S3(_)) => true,
            Some(Host::OtherOfAws) => false,
            None => match self.scope.or_else(|| presigned(target)) {
                Some(is_s3) => is_s3,
                None => self.hashed && self.dated && !self.targeted,
            },
        }
    }
}

/// What a field of a response says.
#[must_use]
pub fn product(name: &str, value: &[u8]) -> Option<Api> {
    let named = name.eq_ignore_ascii_case("x-elastic-product") && value.trim_ascii() == PRODUCT;
    named.then_some(Api::Elasticsearch)
}

fn client(agent: &[u8]) -> Option<Api> {
    if !matches!(agent.first(), Some(b'e' | b'g' | b'o')) {
        return None;
    }
    let name = agent.split(|byte| b"/ ".contains(byte)).next()?;
    CLIENTS.iter().find(|(known, _)| *known == name).map(|(_, api)| *api)
}

/// Whether a credential ends in `/s3/aws4_request`; `None` if it has no scope
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
fn scope(credential: &[u8]) -> Option<bool> {
    let service = before_slash(credential.strip_suffix(b"aws4_request")?)?;
    Some(S3.iter().any(|s3| service.strip_suffix(*s3).and_then(before_slash).is_some()))
}

fn before_slash(text: &[u8]) -> Option<&[u8]> {
    let slashes: [&[u8]; 3] = [b"/", b"%2F", b"%2f"];
    slashes.iter().find_map(|slash| text.strip_suffix(*slash))
}

/// The same of an `Authorization`: as it was sent, or as recordings mask it.
fn signed(value: &[u8]) -> Option<bool> {
    if !value.starts_with(b"AWS4-") && !value.starts_with(b"*") {
        return None;
    }
    scope(value.split(|byte| *byte == b',').next()?.trim_ascii_end())
}

/// The same of a URL that is signed beforehand.
fn presigned(target: &str) -> Option<bool> {
    // Bytes, as this is asked of nearly every request.
    let query = target.bytes().position(|byte| byte == b'?')?;
    let mut pairs = target.as_bytes().get(query + 1..)?.split(|byte| *byte == b'&');
    scope(pairs.find_map(|pair| pair.strip_prefix(b"X-Amz-Credential="))?)
}
