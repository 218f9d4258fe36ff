//! A Zipkin server of one's own. API: <https://zipkin.io/zipkin-api/>, version 2.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

use crate::process::Process;
use crate::span::{self, Side};
use crate::{http, ports, prepare};

const HOUR_MS: u64 = 3_600_000;

/// The server, with memory storage, bound to the loopback address.
#[derive(Debug)]
pub struct Zipkin {
    _process: Process,
    /// Where it listens.
    pub port: u16,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    trace_id: String,
    id: String,
    parent_id: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    timestamp: u64,
    #[serde(default)]
    duration: u64,
    local_endpoint: Option<Endpoint>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    service_name: Option<String>,
}

/// Calls between two services, as Zipkin counts them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Caller.
    pub parent: String,
    /// Callee.
    pub child: String,
    /// How many.
    pub call_count: u64,
    /// How many of them failed.
    #[serde(default)]
    pub error_count: u64,
}

impl Zipkin {
    /// Starts it and waits until it is healthy.
    pub fn start() -> Result<Zipkin> {
        let port = ports::free()?;
        let mut java = Command::new("java");
        java.args(["-Xmx512m", "-jar"]).arg(prepare::zipkin()?);
        java.arg("--armeria.ports[0].address=127.0.0.1");
        java.arg(format!("--armeria.ports[0].port={port}"));
        java.arg("--armeria.ports[0].protocols[0]=http");
        java.env("STORAGE_TYPE", "mem").env("MEM_MAX_SPANS", "500000");
        let mut process = Process::start("zipkin", &mut java)?;
        process.wait_for("health", Duration::from_secs(90), |_| {
            http::get::<Value>(&format!("http://127.0.0.1:{port}/health"))
        })?;
        Ok(Zipkin { _process: process, port })
    }

    /// Base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Traces of the last hour in which `service` took part.
    pub fn traces(&self, service: &str) -> Result<Vec<Vec<span::Span>>> {
        let traces: Vec<Vec<Span>> = http::get(&format!(
            "{}/api/v2/traces?serviceName={service}&limit=10000&lookback={HOUR_MS}",
            self.url()
        ))?;
        Ok(traces
            .into_iter()
            .map(|trace| trace.into_iter().map(span::Span::from).collect())
            .collect())
    }

    /// The call graph of the last hour until `end`, in milliseconds since the Unix epoch.
    pub fn dependencies(&self, end: u64) -> Result<Vec<Link>> {
        http::get(&format!("{}/api/v2/dependencies?endTs={end}&lookback={HOUR_MS}", self.url()))
    }

    /// Names of the services that it has heard of.
    pub fn services(&self) -> Result<Vec<String>> {
        http::get(&format!("{}/api/v2/services", self.url()))
    }
}

impl From<Span> for span::Span {
    fn from(span: Span) -> Self {
        span::Span {
            trace: span.trace_id,
            id: span.id,
            parent: span.parent_id,
            service: span.local_endpoint.and_then(|end| end.service_name).unwrap_or_default(),
            side: match span.kind.as_deref() {
                Some("CLIENT") => Some(Side::Client),
                Some("SERVER") => Some(Side::Server),
                _ => None,
            },
            name: span.name,
            start: span.timestamp,
            duration: span.duration,
            status: span.tags.get("http.response.status_code").and_then(|code| code.parse().ok()),
            error: span.tags.contains_key("error"),
            links: links(span.tags.get("links")),
            tags: span.tags,
        }
    }
}

/// The tag in which the tracer puts what Zipkin has no field for: `TRACE-SPAN,TRACE-SPAN`.
fn links(tag: Option<&String>) -> Vec<(String, String)> {
    let links = tag.map(|tag| tag.split(',')).into_iter().flatten();
    let ids = links.filter_map(|link| link.split_once('-'));
    ids.map(|(trace, span)| (trace.to_owned(), span.to_owned())).collect()
}
