//! Spans as rows of numbers, and a dictionary of what the numbers stand for: the spans of a block
//! share most of their attributes.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::sieve::Sieve;
use super::texts::Numbered;
use crate::store::error::Damage;
use crate::store::query::Query;
use crate::trace::{Endpoint, Event, Kind, Link, Resource, Span, SpanId, Status, TraceId, Value};

type Attributes = [(Cow<'static, str>, Value)];

/// A value as a key of a map.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Same<'a> {
    Text(&'a str),
    Int(i64),
    Double(u64),
    Bool(bool),
    Texts(&'a [String]),
}

impl<'a> Same<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Same::Text(text),
            Value::Int(number) => Same::Int(*number),
            Value::Double(number) => Same::Double(number.to_bits()),
            Value::Bool(truth) => Same::Bool(*truth),
            Value::Texts(texts) => Same::Texts(texts),
        }
    }
}

/// An end of a connection.
#[derive(Serialize, Deserialize)]
pub(super) struct End {
    pub(super) service: Option<u32>,
    address: Option<IpAddr>,
    port: u16,
}

/// A span; numbers of 32 bits are those of texts, pairs and resources.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    trace: TraceId,
    id: SpanId,
    parent: Option<SpanId>,
    state: Option<u32>,
    kind: Kind,
    pub(super) name: u32,
    /// Nanoseconds after the one before it, in wrapping arithmetic: any span has a form.
    start: i64,
    took: i64,
    /// `None`: unset; `Some(None)`: an error without a description.
    pub(super) error: Option<Option<u32>>,
    pub(super) pairs: Vec<u32>,
    pub(super) events: Vec<(u64, u32, Vec<u32>)>,
    links: Vec<(TraceId, SpanId, Vec<u32>)>,
    pub(super) resource: u32,
    local: End,
    pub(super) remote: End,
}

/// All of it: `T` is a text and `V` a value, owned or not.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct Rows<T, V> {
    pub(super) texts: Vec<T>,
    /// A key's text, and a value.
    pub(super) pairs: Vec<(u32, V)>,
    /// A service's text, and pairs.
    pub(super) resources: Vec<(u32, Vec<u32>)>,
    rows: Vec<Row>,
}

/// Makes numbers of a block's spans.
pub(super) struct Dictionary<'a> {
    texts: Numbered<&'a str>,
    same: Numbered<(u32, Same<'a>)>,
    values: Vec<(u32, &'a Value)>,
    resources: Numbered<*const Resource>,
    described: Vec<(u32, Vec<u32>)>,
}

impl<'a> Dictionary<'a> {
    fn new() -> Self {
        Self {
            texts: Numbered::new(),
            same: Numbered::new(),
            values: vec![],
            resources: Numbered::new(),
            described: vec![],
        }
    }

    /// Key's text and value of every pair.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let key = |key: u32| self.texts.things().get(key as usize).copied().unwrap_or_default();
        self.values.iter().map(move |(number, value)| (key(*number), *value))
    }

    fn number(&mut self, attributes: &'a Attributes) -> Vec<u32> {
        let mut number = |(key, value): &'a (Cow<'static, str>, Value)| {
            let key = self.texts.number(key);
            let pair = self.same.number((key, Same::of(value)));
            if pair as usize == self.values.len() {
                self.values.push((key, value));
            }
            pair
        };
        attributes.iter().map(&mut number).collect()
    }

    fn resource(&mut self, resource: &'a Arc<Resource>) -> u32 {
        let number = self.resources.number(Arc::as_ptr(resource));
        if number as usize == self.described.len() {
            let service = self.texts.number(&resource.service);
            let pairs = self.number(&resource.attributes);
            self.described.push((service, pairs));
        }
        number
    }

    fn end(&mut self, end: &'a Endpoint) -> End {
        let service = end.service.as_ref().map(|service| self.texts.number(service));
        End { service, address: end.address, port: end.port }
    }

    fn row(&mut self, span: &'a Span, before: u64) -> Row {
        Row {
            trace: span.trace_id,
            id: span.span_id,
            parent: span.parent,
            state: span.trace_state.as_ref().map(|state| self.texts.number(state)),
            kind: span.kind,
            name: self.texts.number(&span.name),
            start: span.start.wrapping_sub(before).cast_signed(),
            took: span.end.wrapping_sub(span.start).cast_signed(),
            error: match &span.status {
                Status::Unset => None,
                Status::Error(text) => Some(text.as_ref().map(|text| self.texts.number(text))),
            },
            pairs: self.number(&span.attributes),
            events: span
                .events
                .iter()
                .map(|it| (it.time, self.texts.number(&it.name), self.number(&it.attributes)))
                .collect(),
            links: span
                .links
                .iter()
                .map(|link| (link.trace_id, link.span_id, self.number(&link.attributes)))
                .collect(),
            resource: self.resource(&span.resource),
            local: self.end(&span.local),
            remote: self.end(&span.remote),
        }
    }
}

/// Spans in the order given, and the dictionary that was made for them.
pub(super) fn rows<'a>(spans: &[&'a Span]) -> (Dictionary<'a>, impl Serialize + use<'a>) {
    let mut dictionary = Dictionary::new();
    let mut before = 0;
    let rows = spans
        .iter()
        .map(|span| {
            let row = dictionary.row(span, before);
            before = span.start;
            row
        })
        .collect();
    let rows = Rows {
        texts: dictionary.texts.things().to_vec(),
        pairs: dictionary.values.clone(),
        resources: dictionary.described.clone(),
        rows,
    };
    (dictionary, rows)
}

/// Spans of one block, as they are read.
pub(in crate::store) type Stored = Rows<String, Value>;

impl Stored {
    /// The spans whose trace is wanted, in order.
    ///
    /// # Errors
    /// A number that stands for nothing.
    pub(in crate::store) fn spans(
        &self,
        mut wanted: impl FnMut(TraceId) -> bool,
    ) -> Result<Vec<Arc<Span>>, Damage> {
        self.spans_of(|row| wanted(row.trace))
    }

    /// The spans that fit a query.
    ///
    /// # Errors
    /// As [`spans`](Self::spans).
    pub(in crate::store) fn fitting(&self, query: &Query) -> Result<Vec<Arc<Span>>, Damage> {
        let sieve = Sieve::new(self, query);
        let mut spans = self.spans_of(|row| sieve.may_fit(row))?;
        spans.retain(|span| query.fits_span(span));
        Ok(spans)
    }

    fn spans_of(&self, mut wanted: impl FnMut(&Row) -> bool) -> Result<Vec<Arc<Span>>, Damage> {
        let mut resources: Vec<Option<Arc<Resource>>> = vec![None; self.resources.len()];
        let (mut spans, mut before) = (vec![], 0_u64);
        for row in &self.rows {
            let start = before.wrapping_add(row.start.cast_unsigned());
            before = start;
            if wanted(row) {
                let resource = self.resource(row.resource, &mut resources)?;
                spans.push(Arc::new(self.span(row, start, resource)?));
            }
        }
        Ok(spans)
    }

    fn span(&self, row: &Row, start: u64, resource: Arc<Resource>) -> Result<Span, Damage> {
        let event = |(time, name, pairs): &(u64, u32, Vec<u32>)| {
            let (name, attributes) = (self.text(*name)?.to_owned(), self.attributes(pairs)?);
            Ok(Event { time: *time, name, attributes })
        };
        let link = |(trace_id, span_id, pairs): &(TraceId, SpanId, Vec<u32>)| {
            let attributes = self.attributes(pairs)?;
            Ok(Link { trace_id: *trace_id, span_id: *span_id, attributes })
        };
        let text = |number: u32| self.text(number).map(str::to_owned);
        Ok(Span {
            trace_id: row.trace,
            span_id: row.id,
            parent: row.parent,
            trace_state: row.state.map(text).transpose()?,
            kind: row.kind,
            name: text(row.name)?,
            start,
            end: start.wrapping_add(row.took.cast_unsigned()),
            status: match row.error {
                None => Status::Unset,
                Some(text) => {
                    let text = text.map(|number| self.text(number)).transpose()?;
                    Status::Error(text.map(|text| Cow::Owned(text.to_owned())))
                }
            },
            attributes: self.attributes(&row.pairs)?,
            events: row.events.iter().map(event).collect::<Result<_, Damage>>()?,
            links: row.links.iter().map(link).collect::<Result<_, Damage>>()?,
            resource,
            local: self.end(&row.local)?,
            remote: self.end(&row.remote)?,
        })
    }

    fn text(&self, number: u32) -> Result<&str, Damage> {
        let text = self.texts.get(number as usize);
        text.map(String::as_str).ok_or_else(|| Damage::new("a text is missing from a block"))
    }

    fn attributes(&self, pairs: &[u32]) -> Result<Vec<(Cow<'static, str>, Value)>, Damage> {
        let pair = |number: &u32| {
            let pair = self.pairs.get(*number as usize);
            let (key, value) = pair.ok_or_else(|| Damage::new("an attribute is missing"))?;
            Ok((Cow::Owned(self.text(*key)?.to_owned()), value.clone()))
        };
        pairs.iter().map(pair).collect()
    }

    fn resource(
        &self,
        number: u32,
        made: &mut [Option<Arc<Resource>>],
    ) -> Result<Arc<Resource>, Damage> {
        let missing = || Damage::new("a resource is missing from a block");
        let slot = made.get_mut(number as usize).ok_or_else(missing)?;
        if let Some(resource) = slot {
            return Ok(resource.clone());
        }
        let (service, pairs) = self.resources.get(number as usize).ok_or_else(missing)?;
        let (service, attributes) = (self.text(*service)?.into(), self.attributes(pairs)?);
        Ok(slot.insert(Arc::new(Resource { service, attributes })).clone())
    }

    fn end(&self, end: &End) -> Result<Endpoint, Damage> {
        let service = end.service.map(|number| self.text(number)).transpose()?;
        Ok(Endpoint { service: service.map(Into::into), address: end.address, port: end.port })
    }
}

#[cfg(test)]
impl Stored {
    /// Rows whose numbers are another's.
    pub(super) fn take_rows(&mut self, other: Stored) {
        self.rows = other.rows;
    }
}
