//! A Jaeger of one's own: OTLP in, its query API out (the HTTP API that Jaeger's own page uses,
//! <https://www.jaegertracing.io/docs/2.0/apis/>).

use std::collections::HashMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

use crate::process::Process;
use crate::span::{self, Side};
use crate::{http, paths, ports, prepare};

const HOUR_US: u64 = 3_600_000_000;

/// The server, with memory storage, bound to the loopback address.
#[derive(Debug)]
pub struct Jaeger {
    _process: Process,
    query: u16,
    /// Takes OTLP over gRPC.
    pub grpc: u16,
    /// Takes OTLP over HTTP.
    pub http: u16,
}

/// Every answer of the query API.
#[derive(Deserialize)]
struct Answer<T> {
    data: Option<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    spans: Vec<Span>,
    processes: HashMap<String, Service>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    service_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    operation_name: String,
    references: Vec<Reference>,
    start_time: u64,
    duration: u64,
    tags: Vec<Tag>,
    #[serde(rename = "processID")]
    process_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: String,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    value: Value,
}

/// Calls between two services, as Jaeger counts them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Caller.
    pub parent: String,
    /// Callee.
    pub child: String,
    /// How many.
    pub call_count: u64,
}

impl Jaeger {
    /// Starts it and waits until it answers. `name` tells several apart in the logs.
    pub fn start(name: &str) -> Result<Jaeger> {
        let binary = prepare::jaeger()?;
        let (query, grpc, http) = (ports::free()?, ports::free()?, ports::free()?);
        let config = paths::logs().join(format!("{name}.yaml"));
        fs::create_dir_all(paths::logs())?;
        fs::write(&config, configuration(query, ports::free()?, grpc, http))?;
        let mut command = Command::new(binary);
        // Without this it traces itself, to another collector's port, and waits for it at its end.
        command.arg("--config").arg(&config).env("OTEL_TRACES_SAMPLER", "always_off");
        let mut process = Process::start(name, &mut command)?;
        let limit = Duration::from_secs(60);
        for port in [grpc, http] {
            process.wait_for_port(port, limit)?;
        }
        process.wait_for("its query API", limit, |_| {
            http::get::<Value>(&format!("http://127.0.0.1:{query}/api/services"))
        })?;
        Ok(Jaeger { _process: process, query, grpc, http })
    }

    /// Base URL of its query API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.query)
    }

    /// Traces between `start` and `start` plus an hour (microseconds since the Unix epoch) in
    /// which `service` took part.
    pub fn traces(&self, service: &str, start: u64) -> Result<Vec<Vec<span::Span>>> {
        let end = start.saturating_add(HOUR_US);
        let answer: Answer<Vec<Trace>> = http::get(&format!(
            "{}/api/traces?service={service}&start={start}&end={end}&limit=10000",
            self.url()
        ))?;
        Ok(answer.data.unwrap_or_default().into_iter().map(spans).collect())
    }

    /// The call graph of the last hour until `end`, in milliseconds since the Unix epoch. Jaeger
    /// also counts each pair of spans inside one service; those are left out.
    pub fn dependencies(&self, end: u64) -> Result<Vec<Link>> {
        let answer: Answer<Vec<Link>> = http::get(&format!(
            "{}/api/dependencies?endTs={end}&lookback={}",
            self.url(),
            HOUR_US / 1000
        ))?;
        let links = answer.data.unwrap_or_default();
        Ok(links.into_iter().filter(|link| link.parent != link.child).collect())
    }
}

fn spans(trace: Trace) -> Vec<span::Span> {
    let Trace { spans, processes } = trace;
    let service = |id: &str| processes.get(id).map(|p| p.service_name.clone()).unwrap_or_default();
    spans
        .into_iter()
        .map(|span| {
            let tag = |key: &str| span.tags.iter().find(|tag| tag.key == key).map(|tag| &tag.value);
            let parent = span.references.iter().find(|reference| reference.ref_type == "CHILD_OF");
            span::Span {
                side: match tag("span.kind").and_then(Value::as_str) {
                    Some("client") => Some(Side::Client),
                    Some("server") => Some(Side::Server),
                    _ => None,
                },
                status: tag("http.response.status_code")
                    .and_then(Value::as_u64)
                    .and_then(|code| u16::try_from(code).ok()),
                error: tag("error").and_then(Value::as_bool).unwrap_or(false),
                parent: parent.map(|reference| reference.span_id.clone()),
                service: service(&span.process_id),
                trace: span.trace_id,
                id: span.span_id,
                name: span.operation_name,
                start: span.start_time,
                duration: span.duration,
                links: span
                    .references
                    .iter()
                    .filter(|reference| reference.ref_type != "CHILD_OF")
                    .map(|reference| (reference.trace_id.clone(), reference.span_id.clone()))
                    .collect(),
                tags: span.tags.iter().map(|tag| (tag.key.clone(), text(&tag.value))).collect(),
            }
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn configuration(query: u16, query_grpc: u16, grpc: u16, http: u16) -> String {
    format!(
        "service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}
  telemetry:
    metrics: {{level: none}}
extensions:
  jaeger_storage:
    backends:
      memory: {{memory: {{max_traces: 100000}}}}
  jaeger_query:
    storage: {{traces: memory}}
    http: {{endpoint: '127.0.0.1:{query}'}}
    grpc: {{endpoint: '127.0.0.1:{query_grpc}'}}
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: '127.0.0.1:{grpc}'}}
      http: {{endpoint: '127.0.0.1:{http}'}}
exporters:
  jaeger_storage_exporter: {{trace_storage: memory}}
"
    )
}
