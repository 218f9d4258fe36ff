//! Where spans go: `KIND=WHERE`, as on the command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Zipkin's JSON, version 2, by HTTP.
    Zipkin,
    /// OTLP by gRPC.
    OtlpGrpc,
    /// OTLP by HTTP, as binary protobuf.
    OtlpHttp,
    /// OTLP as JSON lines in a file.
    File,
    /// One readable line a span on standard output.
    Stdout,
}

/// PEM files for `https` endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates that may vouch for the server, in place of the system's.
    pub ca: Option<PathBuf>,
    /// The client's own certificate chain; needs `key`.
    pub cert: Option<PathBuf>,
    /// Its private key; needs `cert`.
    pub key: Option<PathBuf>,
}

/// One place where spans go.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Format.
    pub kind: Kind,
    /// For Zipkin and OTLP/HTTP the full URL that is posted to, for OTLP/gRPC the server's URL,
    /// for a file its path (`-` is standard output), for [`Kind::Stdout`] empty.
    pub endpoint: String,
    /// Extra request headers (gRPC: metadata), for API keys and the like.
    pub headers: Vec<(String, String)>,
    /// Keys and certificates.
    pub tls: Tls,
    /// For one request.
    pub timeout: Duration,
    /// Whether requests are compressed.
    pub gzip: bool,
}

/// What is wrong with a target, and how it should look.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct TargetError(pub(super) String);

/// Time for one request if nothing else is said; OpenTelemetry's default.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

const KINDS: &str = "zipkin=http://127.0.0.1:9411, otlp=http://127.0.0.1:4317 (gRPC), \
     otlp-http=http://127.0.0.1:4318, jaeger=127.0.0.1, file=PATH, or stdout";

impl Target {
    pub(super) fn new(kind: Kind, endpoint: impl Into<String>) -> Self {
        Target {
            kind,
            endpoint: endpoint.into(),
            headers: Vec::new(),
            tls: Tls::default(),
            timeout: TIMEOUT,
            gzip: true,
        }
    }

    /// What the summary calls it; without user, password and query, which may be secret.
    pub fn name(&self) -> String {
        let kind = match self.kind {
            Kind::Zipkin => "zipkin",
            Kind::OtlpGrpc => "otlp",
            Kind::OtlpHttp => "otlp-http",
            Kind::File => return format!("file={}", self.endpoint),
            Kind::Stdout => return "stdout".into(),
        };
        match Url::parse(&self.endpoint) {
            Ok(url) => {
                let host = url.host_str().unwrap_or_default();
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                let path = url.path().trim_end_matches('/');
                format!("{kind}={}://{host}{port}{path}", url.scheme())
            }
            Err(_) => kind.into(),
        }
    }
}

impl fmt::Debug for Target {
    // Header values are secrets: a debug log must not show them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Target")
            .field("name", &self.name())
            .field("headers", &headers)
            .field("tls", &self.tls)
            .field("timeout", &self.timeout)
            .field("gzip", &self.gzip)
            .finish()
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (kind, place) = match text.split_once('=') {
            Some((kind, place)) => (kind.trim(), place.trim()),
            None => (text.trim(), ""),
        };
        let missing = |example: &str| {
            TargetError(format!("`{text}` does not say where to: write {kind}={example}"))
        };
        match kind {
            "zipkin" if place.is_empty() => Err(missing("http://127.0.0.1:9411")),
            "otlp" if place.is_empty() => Err(missing("http://127.0.0.1:4317")),
            "otlp-http" if place.is_empty() => Err(missing("http://127.0.0.1:4318")),
            "jaeger" if place.is_empty() => Err(missing("127.0.0.1")),
            "file" if place.is_empty() => {
                Err(missing("spans.json (or file=- for standard output)"))
            }
            "zipkin" => Ok(Target::new(Kind::Zipkin, zipkin_url(place)?)),
            "otlp" => Ok(Target::new(Kind::OtlpGrpc, grpc_url(place)?)),
            "otlp-http" => Ok(Target::new(Kind::OtlpHttp, with_path(place, "v1/traces")?)),
            "jaeger" => Ok(Target::new(Kind::OtlpGrpc, jaeger_url(place)?)),
            "file" => Ok(Target::new(Kind::File, place)),
            "stdout" if place.is_empty() => Ok(Target::new(Kind::Stdout, "")),
            "stdout" => Err(TargetError(format!(
                "`{text}`: stdout takes no value; for a file write file={place}"
            ))),
            _ if kind.contains("://") => Err(TargetError(format!(
                "`{text}` does not say which format it takes: write KIND=URL; one of {KINDS}"
            ))),
            _ => Err(TargetError(format!("unknown exporter `{kind}`: use one of {KINDS}"))),
        }
    }
}

/// A URL by `http` or `https`; without a scheme it is `http`.
fn url(text: &str) -> Result<Url, TargetError> {
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&full).map_err(|e| {
        TargetError(format!("`{text}` is not a URL ({e}); example: http://127.0.0.1:4318"))
    })?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(TargetError(format!(
            "`{text}`: scheme `{scheme}` is not supported; use http:// or https://"
        ))),
    }
}

/// The URL as it is given.
pub(super) fn exact(text: &str) -> Result<String, TargetError> {
    url(text).map(Into::into)
}

/// As OpenTelemetry does with a base endpoint: the path is appended, unless it is there.
/// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp>
pub(super) fn with_path(text: &str, path: &str) -> Result<String, TargetError> {
    let mut url = url(text)?;
    let base = url.path().trim_end_matches('/').to_owned();
    match base.ends_with(&format!("/{path}")) {
        true => url.set_path(&base),
        false => url.set_path(&format!("{base}/{path}")),
    }
    Ok(url.into())
}

pub(super) fn zipkin_url(text: &str) -> Result<String, TargetError> {
    if url(text)?.path().ends_with("/api/v1/spans") {
        return Err(TargetError(format!(
            "`{text}`: Zipkin's API version 1 is not supported; use /api/v2/spans"
        )));
    }
    with_path(text, "api/v2/spans")
}

pub(super) fn grpc_url(text: &str) -> Result<String, TargetError> {
    let url = url(text)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetError(format!(
            "{}: gRPC takes no user and password in the URL; use an `authorization` header",
            Target::new(Kind::OtlpGrpc, url).name()
        )));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() {
        return Err(TargetError(format!(
            "`{text}`: OTLP by gRPC takes no path; write otlp=HOST:PORT, or otlp-http={text} for OTLP by HTTP"
        )));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// `HOST`, `HOST:PORT` or a URL; the port is 4317 if none is given.
fn jaeger_url(text: &str) -> Result<String, TargetError> {
    // A bare IPv6 address is not a URL's host without its brackets.
    let host = match text.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => text.to_owned(),
    };
    let mut url = url(&host)?;
    // `Url` hides a port that is the scheme's own, so look for what was written.
    let authority = host.split_once("://").map_or(host.as_str(), |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let written = authority.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    if !written && url.set_port(Some(4317)).is_err() {
        return Err(TargetError(format!("`{text}` names no host")));
    }
    grpc_url(url.as_str())
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
