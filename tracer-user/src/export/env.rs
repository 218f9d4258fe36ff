//! OpenTelemetry's environment variables for exporters.
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/> and
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::target::{Kind, Target, TargetError, Tls, exact, grpc_url, with_path, zipkin_url};

/// The targets that the environment asks for; `get` looks a variable up.
///
/// `OTEL_TRACES_EXPORTER` is a list of `otlp`, `zipkin`, `console` and `none`. If it is not set,
/// an endpoint that is set speaks for itself: unlike an SDK, the tracer does not assume a
/// collector that nobody mentioned. An empty list means that nothing was asked for, or `none`.
///
/// # Errors
/// Values that make no sense, with the variable's name.
pub fn targets_from_env(get: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Target>, TargetError> {
    let env = Env { get };
    let Some((name, list)) = env.first(&["OTEL_TRACES_EXPORTER"]) else {
        let otlp = env.first(&[TRACES_ENDPOINT, ENDPOINT]).map(|_| otlp(&env));
        let zipkin = env.first(&[ZIPKIN_ENDPOINT]).map(|_| zipkin(&env));
        return otlp.into_iter().chain(zipkin).collect();
    };
    let mut targets = Vec::new();
    for exporter in list.split(',').map(str::trim).filter(|exporter| !exporter.is_empty()) {
        match exporter {
            "none" => {}
            "otlp" => targets.push(otlp(&env)?),
            "zipkin" => targets.push(zipkin(&env)?),
            "console" | "logging" => targets.push(Target::new(Kind::Stdout, "")),
            _ => {
                return Err(TargetError(format!(
                    "{name}: unknown exporter `{exporter}`; use otlp, zipkin, console or none"
                )));
            }
        }
    }
    Ok(targets)
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const ZIPKIN_ENDPOINT: &str = "OTEL_EXPORTER_ZIPKIN_ENDPOINT";

struct Env<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
}

impl Env<'_> {
    /// The first that is set, with its name. An empty value is as good as none.
    fn first<'n>(&self, names: &[&'n str]) -> Option<(&'n str, String)> {
        names.iter().find_map(|name| {
            let value = (self.get)(name)?.trim().to_owned();
            (!value.is_empty()).then_some((*name, value))
        })
    }

    fn path(&self, names: [&str; 2]) -> Option<PathBuf> {
        self.first(&names).map(|(_, path)| PathBuf::from(path))
    }

    fn timeout(&self, names: &[&str]) -> Result<Duration, TargetError> {
        match self.first(names) {
            None => Ok(super::target::TIMEOUT),
            Some((name, text)) => match text.parse::<u64>() {
                Ok(millis @ 1..=3_600_000) => Ok(Duration::from_millis(millis)),
                _ => Err(TargetError(format!(
                    "{name}: `{text}` is not a number of milliseconds between 1 and 3600000"
                ))),
            },
        }
    }
}

fn zipkin(env: &Env<'_>) -> Result<Target, TargetError> {
    let (name, endpoint) =
        env.first(&[ZIPKIN_ENDPOINT]).unwrap_or((ZIPKIN_ENDPOINT, "http://localhost:9411".into()));
    let mut target = Target::new(Kind::Zipkin, zipkin_url(&endpoint).map_err(in_variable(name))?);
    target.timeout = env.timeout(&["OTEL_EXPORTER_ZIPKIN_TIMEOUT"])?;
    Ok(target)
}

fn otlp(env: &Env<'_>) -> Result<Target, TargetError> {
    let given = env.first(&[TRACES_ENDPOINT, ENDPOINT]);
    let kind = protocol(env, given.as_ref().map(|(_, endpoint)| endpoint.as_str()))?;
    let (name, endpoint) = given.unwrap_or_else(|| {
        let port = if kind == Kind::OtlpGrpc { 4317 } else { 4318 };
        (ENDPOINT, format!("http://localhost:{port}"))
    });
    if !endpoint.contains("://") {
        return Err(TargetError(format!(
            "{name}: `{endpoint}` needs http:// or https:// in front"
        )));
    }
    let endpoint = match kind {
        Kind::OtlpGrpc => grpc_url(&endpoint),
        // The variable for traces alone is the full URL, whatever its path.
        _ if name == TRACES_ENDPOINT => exact(&endpoint),
        _ => with_path(&endpoint, "v1/traces"),
    };
    let mut target = Target::new(kind, endpoint.map_err(in_variable(name))?);
    if let Some((name, list)) =
        env.first(&["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"])
    {
        target.headers = headers(&list).map_err(in_variable(name))?;
    }
    target.tls = Tls {
        ca: env.path(["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"]),
        cert: env.path([
            "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        ]),
        key: env.path(["OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"]),
    };
    target.timeout =
        env.timeout(&["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"])?;
    let compression =
        env.first(&["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"]);
    target.gzip = compression.is_none_or(|(_, value)| value != "none");
    Ok(target)
}

/// The specification's default is `http/protobuf`; port 4317, though, is gRPC's alone.
fn protocol(env: &Env<'_>, endpoint: Option<&str>) -> Result<Kind, TargetError> {
    let set = env.first(&["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]);
    match set.as_ref().map(|(name, value)| (*name, value.as_str())) {
        Some((_, "grpc")) => Ok(Kind::OtlpGrpc),
        Some((_, "http/protobuf")) => Ok(Kind::OtlpHttp),
        Some((name, other)) => Err(TargetError(format!(
            "{name}: `{other}` is not supported; use grpc or http/protobuf"
        ))),
        None => match endpoint.and_then(|text| Url::parse(text).ok()).and_then(|url| url.port()) {
            Some(4317) => Ok(Kind::OtlpGrpc),
            _ => Ok(Kind::OtlpHttp),
        },
    }
}

/// `name=value,name=value`, the values percent-encoded, as in W3C Baggage.
fn headers(list: &str) -> Result<Vec<(String, String)>, TargetError> {
    let pairs = list.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            // The pair itself is not shown: it may hold a key.
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| TargetError("a header is not written as name=value".into()))?;
            let name = name.trim();
            let value = percent_encoding::percent_decode_str(value.trim())
                .decode_utf8()
                .map_err(|_| TargetError(format!("header `{name}`: value is not UTF-8")))?;
            Ok((name.to_owned(), value.into_owned()))
        })
        .collect()
}

fn in_variable(name: &str) -> impl Fn(TargetError) -> TargetError + '_ {
    move |error| TargetError(format!("{name}: {error}"))
}

#[cfg(test)]
#[path = "env_tests.rs"]
mod tests;
