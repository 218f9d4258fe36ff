//! Looks at a trace in which the tracer's spans and an SDK's stand beside each other.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use tests::expect::draw;
use tests::span::{Side, Span};

/// One trace, as a backend shows it.
pub(crate) struct Trace(Vec<Span>);

/// The tracer's own, not an SDK's: Jaeger shows who made a span, and in Zipkin only the tracer uses
/// OpenTelemetry's names.
fn is_ours(span: &Span) -> bool {
    let scope = span.tag("otel.scope.name");
    scope.map_or(span.tag("http.request.method").is_some(), |scope| scope == "tracer")
}

fn has_path(span: &Span, path: &str) -> bool {
    let full = span.tag("url.full").is_some_and(|url| url.ends_with(path));
    full || span.tag("url.path") == Some(path)
}

impl Trace {
    /// The only one with spans of a request for `path`.
    pub(crate) fn of(traces: Vec<Vec<Span>>, path: &str) -> Result<Trace> {
        let mut with: Vec<_> = traces
            .into_iter()
            .filter(|trace| trace.iter().any(|span| is_ours(span) && has_path(span, path)))
            .collect();
        ensure!(with.len() == 1, "{} traces of {path}", with.len());
        with.pop().map(Trace).context("counted")
    }

    pub(crate) fn draw(&self) -> String {
        draw(&self.0)
    }

    /// The tracer's only span of this side of a request for `path`.
    pub(crate) fn ours(&self, service: &str, side: Side, path: &str) -> Result<&Span> {
        let is = |span: &&Span| span.service == service && span.side == Some(side);
        let ours = self.0.iter().filter(|span| is_ours(span) && has_path(span, path));
        let found: Vec<_> = ours.filter(is).collect();
        match found[..] {
            [span] => Ok(span),
            _ => anyhow::bail!("{} {side:?} spans of {service}:\n{}", found.len(), self.draw()),
        }
    }

    /// A service's only span of its own SDK that is so.
    pub(crate) fn sdk(&self, service: &str, is: impl Fn(&Span) -> bool) -> Result<&Span> {
        let theirs = self.0.iter().filter(|span| span.service == service && !is_ours(span));
        let found: Vec<_> = theirs.filter(|span| is(span)).collect();
        match found[..] {
            [span] => Ok(span),
            _ => anyhow::bail!("{} such SDK spans of {service}:\n{}", found.len(), self.draw()),
        }
    }

    /// A request for `path` went through these services, one calling the next: both sides of every
    /// call are there, each below the one before, the first below `parent`.
    pub(crate) fn row(&self, services: &[&str], path: &str, parent: Option<&str>) -> Result<()> {
        let mut above = parent;
        for pair in services.windows(2) {
            let &[caller, callee] = pair else { continue };
            for (service, side) in [(caller, Side::Client), (callee, Side::Server)] {
                let span = self.ours(service, side, path)?;
                ensure!(
                    span.parent.as_deref() == above,
                    "{side:?} of {service} is below {:?}, not {above:?}:\n{}",
                    span.parent,
                    self.draw()
                );
                above = Some(&span.id);
            }
        }
        Ok(())
    }

    /// No id stands for two spans, and each span is above another or below one that is there,
    /// but for `outside`.
    pub(crate) fn whole(&self, outside: Option<&str>) -> Result<()> {
        let ids: BTreeSet<_> = self.0.iter().map(|span| span.id.as_str()).collect();
        ensure!(ids.len() == self.0.len(), "an id is used twice:\n{}", self.draw());
        for span in &self.0 {
            let known = span.parent.as_deref().is_none_or(|id| ids.contains(id));
            ensure!(
                known || span.parent.as_deref() == outside,
                "{} has a parent that is nowhere:\n{}",
                span.id,
                self.draw()
            );
        }
        Ok(())
    }
}
