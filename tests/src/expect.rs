//! What a trace must look like, and how one that does not differs.

use std::fmt::Write as _;

use anyhow::{Result, bail, ensure};

use crate::span::{Side, Span};

/// Both ends read clocks of one machine, but a response's last byte can be read before the write
/// of it has returned: so much later may a child end than its parent. Starts get no such grace
/// beyond the rounding to microseconds.
const LATE_US: u64 = 10_000;

/// One request between two services, with those that it caused.
#[derive(Clone, Debug)]
pub struct Call {
    /// Service that made it.
    pub caller: &'static str,
    /// Service that answered it.
    pub callee: &'static str,
    /// Name of both of its spans.
    pub name: &'static str,
    /// Its status code.
    pub status: u16,
    /// What the callee called meanwhile, in no order.
    pub calls: Vec<Call>,
}

impl Call {
    /// A call that caused `calls`, all with its own name and status: the services under test pass
    /// both on.
    pub fn new(caller: &'static str, callee: &'static str, calls: Vec<Call>) -> Call {
        Call { caller, callee, name: "", status: 200, calls }
    }

    /// The same tree, with this name and status at every call.
    pub fn with(&self, name: &'static str, status: u16) -> Call {
        let calls = self.calls.iter().map(|call| call.with(name, status)).collect();
        Call { name, status, calls, ..*self }
    }

    /// Calls in this tree.
    pub fn count(&self) -> usize {
        1 + self.calls.iter().map(Call::count).sum::<usize>()
    }

    /// Every call in this tree as `(caller, callee)`.
    pub fn edges(&self) -> Vec<(&'static str, &'static str)> {
        let below = self.calls.iter().flat_map(Call::edges);
        std::iter::once((self.caller, self.callee)).chain(below).collect()
    }
}

/// Checks that `trace` is exactly the spans of `call`: nothing missing, nothing more, every parent
/// right, children within their parents, every span at least `least` µs long. `parent` is the id
/// that the topmost span names as its parent, if any.
///
/// # Errors
/// The first difference, with the whole trace.
pub fn check(trace: &[Span], call: &Call, parent: Option<&str>, least: u64) -> Result<()> {
    differences(trace, call, parent, least).map_err(|error| error.context(draw(trace)))
}

fn differences(trace: &[Span], call: &Call, parent: Option<&str>, least: u64) -> Result<()> {
    let wanted = 2 * call.count();
    ensure!(trace.len() == wanted, "{} spans, not {wanted}", trace.len());
    for (at, span) in trace.iter().enumerate() {
        ensure!(span.duration >= least, "{} lasts {} µs", describe(span), span.duration);
        let twin = trace.iter().skip(at + 1).find(|other| other.id == span.id);
        ensure!(twin.is_none(), "two spans have the id {}", span.id);
    }
    let roots: Vec<&Span> = trace
        .iter()
        .filter(|span| !trace.iter().any(|other| Some(&other.id) == span.parent.as_ref()))
        .collect();
    let [root] = *roots else { bail!("{} roots, not one", roots.len()) };
    ensure!(root.parent.as_deref() == parent, "the root's parent is {:?}", root.parent);
    request(trace, root, call)
}

/// `client` must be the CLIENT span of `call`, and what is below it the rest.
fn request(trace: &[Span], client: &Span, call: &Call) -> Result<()> {
    one(client, Side::Client, call.caller, call)?;
    let below: Vec<&Span> = children(trace, client).collect();
    let [server] = *below else {
        bail!("{} has {} children, not one", describe(client), below.len())
    };
    one(server, Side::Server, call.callee, call)?;
    within(server, client)?;
    let mut open: Vec<&Call> = call.calls.iter().collect();
    for child in children(trace, server) {
        within(child, server)?;
        // Siblings are told apart by whom they called.
        let callee = children(trace, child).next().map(|span| &*span.service);
        let Some(at) = open.iter().position(|call| Some(call.callee) == callee) else {
            bail!("{} does not belong below {}", describe(child), describe(server))
        };
        request(trace, child, open.swap_remove(at))?;
    }
    ensure!(open.is_empty(), "{} lacks {} calls", describe(server), open.len());
    Ok(())
}

fn one(span: &Span, side: Side, service: &str, call: &Call) -> Result<()> {
    // Server errors are errors on both sides, client errors on the client's alone.
    let error = call.status >= 500 || call.status >= 400 && side == Side::Client;
    ensure!(span.side == Some(side), "{} is not {side:?}", describe(span));
    ensure!(span.service == service, "{} is not of {service}", describe(span));
    // Zipkin turns span names to lower case.
    ensure!(
        span.name.eq_ignore_ascii_case(call.name),
        "{} is not called {}",
        describe(span),
        call.name
    );
    ensure!(span.status == Some(call.status), "{} has not status {}", describe(span), call.status);
    ensure!(span.error == error, "{}: error is {}", describe(span), span.error);
    Ok(())
}

fn within(child: &Span, parent: &Span) -> Result<()> {
    ensure!(
        child.start + 1 >= parent.start && child.end() <= parent.end() + LATE_US,
        "{} ({}..{}) is not within {} ({}..{})",
        describe(child),
        child.start,
        child.end(),
        describe(parent),
        parent.start,
        parent.end()
    );
    Ok(())
}

fn children<'a>(trace: &'a [Span], of: &'a Span) -> impl Iterator<Item = &'a Span> {
    trace.iter().filter(|span| span.parent.as_ref() == Some(&of.id))
}

fn describe(span: &Span) -> String {
    let side = span.side.map_or_else(|| "no kind".to_owned(), |side| format!("{side:?}"));
    let status = span.status.map_or_else(|| "no status".to_owned(), |code| code.to_string());
    format!("{} {side} `{}` {status}", span.service, span.name)
}

/// The trace as an indented tree, one span a line.
pub fn draw(trace: &[Span]) -> String {
    let mut text = String::new();
    let mut spans: Vec<&Span> = trace.iter().collect();
    // Backwards: they are taken from the end.
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    let known = |id: &Option<String>| trace.iter().any(|span| Some(&span.id) == id.as_ref());
    let roots = spans.iter().filter(|span| !known(&span.parent));
    let mut open: Vec<(usize, &Span)> = roots.map(|span| (0, *span)).collect();
    let first = spans.last().map_or(0, |span| span.start);
    while let Some((depth, span)) = open.pop() {
        let _ = writeln!(
            text,
            "{:indent$}{} +{} us, {} us, id {} parent {}",
            "",
            describe(span),
            span.start.saturating_sub(first),
            span.duration,
            span.id,
            span.parent.as_deref().unwrap_or("-"),
            indent = 2 * depth
        );
        // Two spans of one id would have each other's children without end.
        if depth < trace.len() {
            let below = spans.iter().filter(|child| child.parent.as_ref() == Some(&span.id));
            open.extend(below.map(|child| (depth + 1, *child)));
        }
    }
    let id = trace.first().map_or("", |span| &span.trace);
    let _ = writeln!(text, "{} spans in trace {id}", trace.len());
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn span(id: &str, parent: Option<&str>, service: &str, side: Side, start: u64) -> Span {
        Span {
            trace: "t".into(),
            id: id.into(),
            parent: parent.map(str::to_owned),
            service: service.into(),
            side: Some(side),
            name: "get /x".into(),
            start,
            duration: 1000 - 2 * start,
            status: Some(200),
            error: false,
            tags: BTreeMap::new(),
            links: vec![],
        }
    }

    fn good() -> Vec<Span> {
        vec![
            span("1", None, "curl", Side::Client, 0),
            span("2", Some("1"), "a", Side::Server, 10),
            span("3", Some("2"), "a", Side::Client, 20),
            span("4", Some("3"), "b", Side::Server, 30),
        ]
    }

    fn wanted() -> Call {
        Call::new("curl", "a", vec![Call::new("a", "b", vec![])]).with("GET /x", 200)
    }

    #[test]
    fn accepts_the_right_tree() {
        check(&good(), &wanted(), None, 900).unwrap();
        assert_eq!(wanted().edges(), [("curl", "a"), ("a", "b")]);
    }

    #[test]
    fn finds_every_sort_of_fault() {
        type Spoil = fn(&mut Vec<Span>);
        let faults: [(&str, Spoil); 9] = [
            ("3 spans, not 4", |spans| drop(spans.pop())),
            ("2 roots", |spans| spans[2].parent = None),
            ("has 2 children", |spans| spans[2].parent = Some("1".into())),
            ("has not status", |spans| spans[3].status = Some(500)),
            ("error is true", |spans| spans[3].error = true),
            ("is not called", |spans| spans[1].name = "get /y".into()),
            ("does not belong below", |spans| spans[3].service = "c".into()),
            ("is not within", |spans| spans[3].start = 15),
            ("lasts 5 ", |spans| spans[3].duration = 5),
        ];
        for (message, spoil) in faults {
            let mut spans = good();
            spoil(&mut spans);
            let error = format!("{:#}", check(&spans, &wanted(), None, 900).unwrap_err());
            assert!(error.contains(message), "{message}: {error}");
        }
        let error = check(&good(), &wanted(), Some("0"), 900).unwrap_err();
        assert!(format!("{error:#}").contains("root's parent"));
    }
}
