//! Calls to backing services, by OpenTelemetry's semantic conventions for databases (stable since 1.33),
//! messaging and DNS (1.39, in development).

use std::sync::Arc;

use crate::connection::Address;
use crate::exchange::{Exchange, Incomplete, Side};
use crate::protocol::backing::{Call, Conventions, System};
use crate::protocol::propagation::extract;

use super::http::size;
use super::{Kind, Link, SpanId, TraceId, Value};

/// `messaging.operation.name` of what makes a PRODUCER span: Kafka's, and RabbitMQ's.
const SENDS: [&str; 2] = ["send", "publish"];
/// The same of what makes a CONSUMER span: RabbitMQ's.
const DELIVERS: &str = "deliver";
/// Attributes that are numbers.
const NUMBERS: [&str; 2] =
    ["messaging.message.body.size", "messaging.rabbitmq.message.delivery_tag"];
/// `error.type` of what was never answered.
const TIMEOUT: &str = "timeout";
/// How a lookup is called, as .NET's spans of it are (OpenTelemetry's conventions for them).
const LOOKUP: &str = "DNS lookup";
/// Characters of `db.query.summary` at most.
const MAX_NAME: usize = 255;

/// What a batch of such calls is called, where the service has a word for it.
fn batch(system: System) -> &'static str {
    match system {
        System::Redis => "PIPELINE",
        _ => "BATCH",
    }
}

/// A batch of statements or commands says so first; and where its calls have nothing in common, that is all that it says.
fn of_batch(call: &Call, said: Option<&str>) -> Option<String> {
    match (call.batch, said) {
        (2.., said) if is_database(call) => {
            let name = [batch(call.system), said.unwrap_or_default()].join(" ");
            Some(name.trim_end().chars().take(MAX_NAME).collect())
        }
        (_, said) => said.map(str::to_owned),
    }
}

/// The span's name: the summary of what is asked, else the operation and what it is about.
pub(super) fn name(call: &Call) -> String {
    let operation = of_batch(call, call.operation.as_deref());
    let summary = of_batch(call, call.text.summary.as_deref());
    if is_database(call)
        && let Some(summary) = summary.filter(|_| call.text.summary.is_some())
    {
        return summary;
    }
    if let (Conventions::Lookup, Some(name)) = (call.system.conventions(), &call.collection) {
        return format!("{LOOKUP} {name}");
    }
    match (operation, &call.collection) {
        (Some(operation), Some(about)) => format!("{operation} {about}"),
        (Some(operation), None) => operation,
        (None, _) => call.system.name().to_owned(),
    }
}

/// What it asks for and how it came out.
pub(super) fn facts(call: &Call, exchange: &Exchange, put: &mut impl FnMut(&'static str, Value)) {
    match call.system.conventions() {
        Conventions::Messaging => messaging(call, exchange, put),
        Conventions::Lookup => lookup(call, exchange, put),
        Conventions::Database => database(call, put),
    }
    for (key, value) in &call.attributes {
        put(key, attribute(key, value));
    }
    let Some(outcome) = &exchange.outcome else { return };
    if let Some(rows) = outcome.rows {
        put("db.response.returned_rows", size(rows));
    }
    if let (Some(failure), true) = (&outcome.failure, is_database(call)) {
        put("db.response.status_code", failure.code.clone().into());
    }
}

fn messaging(call: &Call, exchange: &Exchange, put: &mut impl FnMut(&'static str, Value)) {
    put("messaging.system", call.system.name().into());
    if let Some(operation) = &call.operation {
        put("messaging.operation.name", operation.to_string().into());
    }
    if let Some(destination) = &call.collection {
        put("messaging.destination.name", destination.clone().into());
    }
    let came = exchange.log().and_then(|log| log.count);
    if let Some(count) = came.or(Some(call.batch).filter(|&count| count > 1)) {
        put("messaging.batch.message_count", i64::from(count).into());
    }
}

fn database(call: &Call, put: &mut impl FnMut(&'static str, Value)) {
    put("db.system.name", call.system.name().into());
    if let Some(operation) = of_batch(call, call.operation.as_deref()) {
        put("db.operation.name", operation.into());
    }
    if let Some(collection) = &call.collection {
        put("db.collection.name", collection.clone().into());
    }
    if let Some(namespace) = &call.namespace {
        put("db.namespace", namespace.clone().into());
    }
    if let Some(summary) = of_batch(call, call.text.summary.as_deref()) {
        put("db.query.summary", summary.into());
    }
    if let Some(text) = &call.text.text {
        put("db.query.text", text.clone().into());
    }
    if call.batch > 1 {
        put("db.operation.batch.size", i64::from(call.batch).into());
    }
}

/// The type has no name in the conventions; this is Elastic Common Schema's.
fn lookup(call: &Call, exchange: &Exchange, put: &mut impl FnMut(&'static str, Value)) {
    put("network.protocol.name", call.system.name().into());
    if let Some(name) = &call.collection {
        put("dns.question.name", name.clone().into());
    }
    if let Some(kind) = &call.operation {
        put("dns.question.type", kind.to_string().into());
    }
    let answers = exchange.outcome.as_ref().map(|outcome| &outcome.answers);
    if let Some(answers) = answers.filter(|answers| !answers.is_empty()) {
        put("dns.answers", Value::Texts(answers.clone()));
    }
}

fn is_messaging(call: &Call) -> bool {
    call.system.conventions() == Conventions::Messaging
}

fn is_database(call: &Call) -> bool {
    call.system.conventions() == Conventions::Database
}

/// An attribute's value, as the conventions want it.
fn attribute(key: &str, value: &str) -> Value {
    match value.parse::<i64>() {
        Ok(number) if NUMBERS.contains(&key) => number.into(),
        _ => value.to_owned().into(),
    }
}

/// `error.type`.
pub(super) fn error(exchange: &Exchange) -> Option<String> {
    let failure = exchange.outcome.as_ref().and_then(|outcome| outcome.failure.as_ref());
    match failure {
        Some(failure) => Some(failure.code.clone()),
        None if exchange.incomplete.contains(Incomplete::Closed) => {
            let unanswered = exchange.datagrams && exchange.replied.is_none();
            let why = if unanswered { TIMEOUT } else { Incomplete::Closed.name() };
            Some(why.to_owned())
        }
        None => None,
    }
}

/// Whether it sends messages.
pub(super) fn sends(call: &Call) -> bool {
    call.operation.as_deref().is_some_and(|operation| SENDS.contains(&operation))
}

/// Sending a message is a kind of its own.
pub(super) fn kind(call: &Call, side: Side) -> Kind {
    match side {
        Side::Client if is_messaging(call) && sends(call) => Kind::Producer,
        Side::Client => Kind::Client,
        Side::Server if is_delivery(call) => Kind::Consumer,
        Side::Server => Kind::Server,
    }
}

/// The service has sent a message that nobody asked for.
pub(super) fn is_delivery(call: &Call) -> bool {
    call.system == System::Amqp && call.operation.as_deref() == Some(DELIVERS)
}

/// The spans that have sent messages which have come, by what the messages themselves say.
pub(super) fn senders(exchange: &Exchange) -> impl Iterator<Item = Link> {
    let call = exchange.call.as_deref().filter(|call| !sends(call));
    let log = exchange.log().filter(|_| call.is_some());
    let said = call.and_then(|call| call.traceparent.as_ref());
    let said = said.into_iter().chain(log.into_iter().flat_map(|log| &log.senders));
    said.filter_map(|header| {
        let context = extract([("traceparent", header.as_bytes())].into_iter()).context?;
        Some(sender(TraceId(context.trace_id), SpanId(context.span_id?)))
    })
}

/// A link to the span that has sent what has come.
pub(super) fn sender(trace_id: TraceId, span_id: SpanId) -> Link {
    Link { trace_id, span_id, attributes: vec![("tracer.link".into(), "sender".into())] }
}

/// How the end that answers is called, should nobody know better: backends draw it as a service.
pub(super) fn service(call: &Call) -> Arc<str> {
    call.system.name().into()
}

/// Host and port of the end that answers.
pub(super) fn authority(end: Option<&Address>) -> (String, u16) {
    let port = end.and_then(Address::port).unwrap_or(0);
    (end.map(Address::to_string).unwrap_or_default(), port)
}

#[cfg(test)]
mod tests {
    use super::{attribute, kind};
    use crate::exchange::Side;
    use crate::protocol::backing::{Call, System};
    use crate::trace::{Kind, Value};

    #[test]
    fn who_sends_a_message_is_a_producer() {
        let call = |system, operation: &'static str| Call {
            operation: Some(operation.into()),
            ..Call::new(system)
        };
        for (system, operation) in [(System::Kafka, "send"), (System::Amqp, "publish")] {
            assert_eq!(kind(&call(system, operation), Side::Client), Kind::Producer);
            assert_eq!(kind(&call(system, operation), Side::Server), Kind::Server);
        }
        // Redis has a command of that name.
        for (system, operation) in [(System::Amqp, "get"), (System::Redis, "publish")] {
            assert_eq!(kind(&call(system, operation), Side::Client), Kind::Client);
        }
    }

    #[test]
    fn sizes_are_numbers_and_ids_are_not() {
        assert_eq!(attribute("messaging.message.body.size", "7"), Value::from(7_i64));
        assert_eq!(attribute("messaging.message.id", "7"), Value::from("7"));
    }
}
