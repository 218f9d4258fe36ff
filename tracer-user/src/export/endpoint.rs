//! What people write for an endpoint, and the URL that it means.

use url::Url;

use super::target::{Kind, Target, TargetError};

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
pub(super) fn jaeger_url(text: &str) -> Result<String, TargetError> {
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
