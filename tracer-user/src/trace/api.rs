//! What is asked of services that are more than some HTTP server, by OpenTelemetry's semantic conventions
//! for Elasticsearch, and for AWS's SDK and S3 (all in development).

use std::sync::Arc;

use crate::connection::Address;
use crate::exchange::{Exchange, Side};
use crate::protocol::http_api::{Api, s3, search};
use crate::protocol::http1::RequestHead;

use super::{Namer, Value};

/// A call to such a service.
pub(super) enum Asked {
    /// Of Elasticsearch or OpenSearch.
    Search(Api, Option<search::Endpoint>),
    /// Of S3.
    Objects(Api, s3::Call),
}

impl Asked {
    /// What a client has asked for, if it is certain for which service it is, and that one is wanted.
    pub(super) fn of(exchange: &Exchange, namer: &Namer) -> Option<Self> {
        let request = exchange.request.as_deref().filter(|_| exchange.side == Side::Client)?;
        let tunnels = request.method.as_str() == "CONNECT";
        if tunnels || exchange.rpc.is_some() || exchange.websocket.is_some() {
            return None;
        }
        // The server knows better which of the two it is.
        let answered = exchange.response.as_ref().and_then(|response| response.api);
        let endpoint = || search::endpoint(request.method.as_str(), request.path());
        let found = match answered.or(request.api) {
            Some(api @ Api::S3 { copies }) => Self::Objects(api, objects(request, copies)),
            Some(api) => Self::Search(api, endpoint()),
            None if is_port(exchange, request) => {
                let endpoint = endpoint().filter(|endpoint| endpoint.own)?;
                Self::Search(Api::Elasticsearch, Some(endpoint))
            }
            None => return None,
        };
        namer.knows(found.api()).then_some(found)
    }

    fn api(&self) -> Api {
        match self {
            Self::Search(api, _) | Self::Objects(api, _) => *api,
        }
    }

    /// How the end that answers is called, should nobody know better: backends draw it as a service.
    pub(super) fn service(&self) -> Arc<str> {
        self.api().name().into()
    }

    /// The span's name: `search products`, `S3.GetObject`.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Search(_, Some(search::Endpoint { operation, index: Some(index), .. })) => {
                format!("{operation} {index}")
            }
            Self::Search(_, Some(endpoint)) => endpoint.operation.to_owned(),
            Self::Search(api, None) => api.name().to_owned(),
            Self::Objects(_, call) => match call.operation {
                Some(operation) => format!("{S3}.{operation}"),
                None => S3.to_owned(),
            },
        }
    }

    /// What it asks for and how it came out. `status`: HTTP's.
    pub(super) fn facts(&self, status: Option<u16>, put: &mut impl FnMut(&'static str, Value)) {
        match self {
            Self::Search(api, endpoint) => {
                put("db.system.name", api.name().into());
                endpoint.iter().for_each(|endpoint| searched(endpoint, put));
                if let Some(status) = status.filter(|status| *status >= 400) {
                    put("db.response.status_code", status.to_string().into());
                }
            }
            Self::Objects(_, call) => {
                put("rpc.system.name", "aws-api".into());
                put("rpc.service", S3.into());
                stored(call, put);
            }
        }
    }
}

/// `rpc.service`, as AWS's SDKs call it.
const S3: &str = "S3";

fn searched(endpoint: &search::Endpoint, put: &mut impl FnMut(&'static str, Value)) {
    put("db.operation.name", endpoint.operation.into());
    if let Some(index) = &endpoint.index {
        put("db.collection.name", index.clone().into());
    }
}

fn stored(call: &s3::Call, put: &mut impl FnMut(&'static str, Value)) {
    if let Some(operation) = call.operation {
        put("rpc.method", operation.into());
    }
    let texts = [
        ("aws.s3.bucket", &call.bucket),
        ("aws.s3.key", &call.key),
        ("aws.s3.upload_id", &call.upload),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            put(key, text.clone().into());
        }
    }
    if let Some(number) = call.part_number {
        put("aws.s3.part_number", i64::from(number).into());
    }
}

fn objects(request: &RequestHead, copies: bool) -> s3::Call {
    if request.target_cut || request.target.is_empty() {
        // What it asks for may be in what is missing.
        return s3::Call::default();
    }
    s3::call(s3::Asked {
        method: request.method.as_str(),
        host: request.host.as_deref(),
        path: request.path(),
        query: request.query(),
        copies,
    })
}

/// Whether it goes to the port of Elasticsearch, there or as the client calls it.
fn is_port(exchange: &Exchange, request: &RequestHead) -> bool {
    let there = exchange.remote.as_ref().and_then(Address::port);
    let named = || request.host.as_deref()?.rsplit_once(':')?.1.parse().ok();
    there == Some(search::PORT) || named() == Some(search::PORT)
}
