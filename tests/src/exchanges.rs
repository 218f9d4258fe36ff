//! What every exchange has to look like on both of its sides.

use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::export::Span;
use crate::span::Side;

/// An exchange that was made.
#[derive(Clone, Debug)]
pub struct Exchange {
    method: &'static str,
    target: String,
    status: Option<u64>,
    request: RangeInclusive<u64>,
    response: RangeInclusive<u64>,
    times: usize,
    least: Duration,
    client_least: Duration,
    incomplete: Option<&'static str>,
}

impl Exchange {
    /// A request without a body, answered with a body of `response` bytes.
    pub fn new(method: &'static str, target: impl Into<String>, status: u64) -> Exchange {
        let target = target.into();
        Exchange {
            method,
            target,
            status: Some(status),
            request: 0..=0,
            response: 0..=0,
            times: 1,
            least: Duration::ZERO,
            client_least: Duration::ZERO,
            incomplete: None,
        }
    }

    /// Bytes of both bodies.
    pub fn sizes(self, request: u64, response: u64) -> Exchange {
        Exchange { request: request..=request, response: response..=response, ..self }
    }

    /// Where the response's size is known only so far.
    pub fn response_in(self, response: RangeInclusive<u64>) -> Exchange {
        Exchange { response, ..self }
    }

    /// The same of the request.
    pub fn request_in(self, request: RangeInclusive<u64>) -> Exchange {
        Exchange { request, ..self }
    }

    /// On both sides it lasts at least so long.
    pub fn lasting(self, least: Duration) -> Exchange {
        Exchange { least, ..self }
    }

    /// On the client's side it lasts at least so long: a server cannot see how long before its first
    /// read the request was sent.
    pub fn lasting_for_client(self, client_least: Duration) -> Exchange {
        Exchange { client_least, ..self }
    }

    /// Not seen whole, for this reason (`tracer.incomplete`).
    pub fn incomplete(self, why: &'static str) -> Exchange {
        Exchange { incomplete: Some(why), ..self }
    }

    /// Made that often.
    pub fn times(self, times: usize) -> Exchange {
        Exchange { times, ..self }
    }

    /// Without a response.
    pub fn unanswered(self) -> Exchange {
        Exchange { status: None, incomplete: Some("connection_closed"), ..self }
    }

    /// Of one of its spans.
    fn fits(&self, span: &Span) -> Result<()> {
        let path = self.target.split('?').next().unwrap_or_default();
        let name = format!("{} {path}", self.method);
        ensure!(span.name == name, "not {name}");
        ensure!(span.get("http.request.method") == Some(self.method), "not {}", self.method);
        ensure!(span.number("http.response.status_code") == self.status, "not {:?}", self.status);
        let size = span.number("http.request.body.size");
        ensure!(size.is_some_and(|size| self.request.contains(&size)), "not {:?}", self.request);
        let size = span.number("http.response.body.size");
        ensure!(size.is_some() == self.status.is_some(), "a body's size needs a response");
        ensure!(size.is_none_or(|size| self.response.contains(&size)), "not {:?}", self.response);
        ensure!(span.get("tracer.incomplete") == self.incomplete, "not {:?}", self.incomplete);
        ensure!(span.start <= span.end, "it ends before it starts");
        let lasted = Duration::from_nanos(span.end - span.start);
        let least = if span.side == Side::Client { self.client_least } else { self.least };
        let least = least.max(self.least);
        ensure!(lasted >= least, "{lasted:?}, not {least:?}");
        if span.side == Side::Server {
            ensure!(span.get("http.route") == Some(path), "not {path}");
        }
        Ok(())
    }
}

/// The spans are these exchanges, each from both sides, the two sides paired; and nothing else.
pub fn exactly(spans: &[Span], exchanges: &[Exchange]) -> Result<()> {
    for exchange in exchanges {
        let of = |side| {
            let these = spans.iter().filter(move |span| span.side == side);
            these.filter(|span| span.target() == exchange.target).collect::<Vec<_>>()
        };
        let (clients, servers) = (of(Side::Client), of(Side::Server));
        let seen = (clients.len(), servers.len());
        ensure!(
            seen == (exchange.times, exchange.times),
            "{}: seen by {seen:?}, not {}, of:\n{}",
            exchange.target,
            exchange.times,
            list(spans)
        );
        for server in &servers {
            let mut pairs = clients.iter().filter(|client| client.id == server.parent);
            let client = pairs.next().with_context(|| format!("no caller of {server:#?}"))?;
            ensure!(pairs.next().is_none(), "two spans have the id {}", client.id);
            ensure!(client.trace == server.trace, "{client:#?} and {server:#?}: two traces");
            ensure!(client.start <= server.start, "{server:#?} starts before {client:#?}");
        }
        let mut parents: Vec<_> = servers.iter().map(|server| &server.parent).collect();
        parents.sort();
        parents.dedup();
        ensure!(parents.len() == exchange.times, "{}: pairs share an end", exchange.target);
        for span in clients.into_iter().chain(servers) {
            exchange.fits(span).with_context(|| format!("{exchange:?} is not {span:#?}"))?;
        }
    }
    let wanted: usize = exchanges.iter().map(|exchange| 2 * exchange.times).sum();
    ensure!(spans.len() == wanted, "{} spans, not {wanted}:\n{}", spans.len(), list(spans));
    Ok(())
}

/// The only span of this side with this target.
pub fn one<'s>(spans: &'s [Span], side: Side, target: &str) -> Result<&'s Span> {
    let mut found = spans.iter().filter(|span| span.side == side && span.target() == target);
    let span = found.next().with_context(|| format!("no {side:?} span {target}"))?;
    ensure!(found.next().is_none(), "several {side:?} spans {target}");
    Ok(span)
}

/// A line a span, for messages.
pub fn list(spans: &[Span]) -> String {
    let line = |span: &Span| {
        format!(
            "{:?} {} {} {:?} {:?} {:?} {}\n",
            span.side,
            span.name,
            span.target(),
            span.get("http.response.status_code"),
            span.get("http.request.body.size"),
            span.get("http.response.body.size"),
            span.get("tracer.incomplete").unwrap_or_default(),
        )
    };
    spans.iter().map(line).collect()
}
