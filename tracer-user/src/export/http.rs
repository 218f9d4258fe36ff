//! Posting to an HTTP backend: what Zipkin and OTLP/HTTP have in common.

use std::io::Write;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use reqwest::{Certificate, Client, Identity, StatusCode, redirect};

use super::exporters::StartError;
use super::secure;
use super::sink::Verdict;
use super::target::Target;

/// How the tracer names itself.
pub(super) const AGENT: &str = concat!("tracer/", env!("CARGO_PKG_VERSION"));

/// Of an answer no more is read; errors are shorter, and partial successes too.
const LONGEST_ANSWER: usize = 64 << 10;

pub(super) struct Poster {
    client: Client,
    url: String,
    headers: HeaderMap,
    gzip: bool,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

impl Answer {
    /// Status and the answer's first line, for people.
    pub(super) fn why(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line: String = text.lines().next().unwrap_or_default().chars().take(300).collect();
        format!("HTTP {} {}", self.status, line).trim_end().to_owned()
    }
}

impl Poster {
    pub(super) fn new(target: &Target, content_type: &'static str) -> Result<Self, StartError> {
        // Another part of the process may have chosen a provider already; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .connect_timeout(target.timeout)
            // A POST that is redirected becomes a GET: the batch would be lost without a word.
            .redirect(redirect::Policy::none());
        if target.endpoint.starts_with("https:") {
            let pems = secure::read(&target.tls)?;
            if let Some(ca) = &pems.ca {
                client =
                    client.tls_certs_only(Certificate::from_pem_bundle(ca).map_err(client_error)?);
            }
            if let Some((cert, key)) = &pems.identity {
                let pem = [cert.as_slice(), b"\n", key].concat();
                client = client.identity(Identity::from_pem(&pem).map_err(client_error)?);
            }
        } else {
            // Without TLS no roots are needed, and a host may have none.
            client = client.tls_certs_only([]);
        }
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        for (name, value) in &target.headers {
            headers.insert(header_name(name)?, header_value(name, value)?);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if target.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let client = client.build().map_err(client_error)?;
        Ok(Poster { client, url: target.endpoint.clone(), headers, gzip: target.gzip })
    }

    /// The body as it is sent.
    pub(super) fn pack(&self, body: Vec<u8>) -> Bytes {
        if !self.gzip {
            return body.into();
        }
        let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
        match encoder.write_all(&body).and_then(|()| encoder.finish()) {
            Ok(packed) => packed.into(),
            Err(never) => unreachable!("writing to memory: {never}"),
        }
    }

    /// Posts; an error is one of the connection, so worth another attempt.
    pub(super) async fn post(&self, body: &Bytes) -> Result<Answer, Verdict> {
        let unanswered = |error: reqwest::Error| Verdict::Again {
            answered: false,
            after: None,
            why: causes(&error.without_url()),
        };
        let request = self.client.post(&self.url).headers(self.headers.clone()).body(body.clone());
        let mut response = request.send().await.map_err(unanswered)?;
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now()));
        let status = response.status();
        let mut body = Vec::new();
        // The status says what became of the batch; an answer that breaks off changes nothing.
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = LONGEST_ANSWER - body.len();
            body.extend(chunk.iter().take(room));
            if chunk.len() >= room {
                break;
            }
        }
        Ok(Answer { status, retry_after, body: body.into() })
    }
}

/// `Retry-After`: seconds or a date. RFC 9110, section 10.2.3.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = httpdate::parse_http_date(value.trim()).ok()?;
            Some(date.duration_since(now).unwrap_or_default())
        }
    }
}

/// An error with its causes: `reqwest`'s own text leaves out what matters.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn client_error(error: reqwest::Error) -> StartError {
    StartError::Client(causes(&error.without_url()))
}

fn header_name(name: &str) -> Result<HeaderName, StartError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| StartError::Header(name.to_owned()))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, StartError> {
    let mut value =
        HeaderValue::from_str(value).map_err(|_| StartError::Header(name.to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Fri, 31 Dec 1999 23:59:29 GMT").unwrap();
        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(
            retry_after("Fri, 31 Dec 1999 23:59:59 GMT", now),
            Some(Duration::from_secs(30))
        );
        let past = retry_after("Fri, 31 Dec 1999 23:59:00 GMT", now);
        assert_eq!(past, Some(Duration::ZERO));
        assert_eq!(retry_after("-1", now), None);
        assert_eq!(retry_after("soon", now), None);
    }
}
