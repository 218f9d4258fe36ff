//! Inputs as they are stored.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;

use crate::pipeline::Ends;
use crate::replay::Input;
use crate::trace::{Resource, Value};

/// An [`Input`]. The order of the variants is a part of the format.
#[derive(Serialize, Deserialize)]
pub(super) enum Entry<'a> {
    #[serde(borrow)]
    Record(&'a Bytes),
    Advance(u64),
    Lost {
        since: u64,
        until: u64,
    },
    Existing {
        connections: Vec<(Ends, u32)>,
        first: bool,
    },
    Process {
        pid: u32,
        service: Cow<'a, str>,
        attributes: Vec<(Cow<'a, str>, Stored<'a>)>,
        wanted: Option<bool>,
    },
    Stop(u64),
    Clock {
        since: u64,
        boot: u64,
        unix: u64,
    },
}

/// An attribute's value.
#[derive(Serialize, Deserialize)]
pub(super) enum Stored<'a> {
    Text(Cow<'a, str>),
    Int(i64),
    Double(f64),
    Bool(bool),
    Texts(Vec<Cow<'a, str>>),
}

impl<'a> From<&'a Input> for Entry<'a> {
    fn from(input: &'a Input) -> Self {
        match input {
            Input::Record(bytes) => Entry::Record(Bytes::new(bytes)),
            Input::Advance(now) => Entry::Advance(*now),
            Input::Lost { since, until } => Entry::Lost { since: *since, until: *until },
            Input::Existing { connections, first } => {
                Entry::Existing { connections: connections.clone(), first: *first }
            }
            Input::Process { pid, resource, wanted } => Entry::Process {
                pid: *pid,
                service: Cow::Borrowed(&resource.service),
                attributes: resource.attributes.iter().map(stored).collect(),
                wanted: *wanted,
            },
            Input::Stop(now) => Entry::Stop(*now),
            Input::Clock { since, boot, unix } => {
                Entry::Clock { since: *since, boot: *boot, unix: *unix }
            }
        }
    }
}

impl From<Entry<'_>> for Input {
    fn from(entry: Entry<'_>) -> Self {
        match entry {
            Entry::Record(bytes) => Input::Record(bytes.to_vec()),
            Entry::Advance(now) => Input::Advance(now),
            Entry::Lost { since, until } => Input::Lost { since, until },
            Entry::Existing { connections, first } => Input::Existing { connections, first },
            Entry::Process { pid, service, attributes, wanted } => {
                let resource = Resource {
                    service: service.into(),
                    attributes: attributes.into_iter().map(restored).collect(),
                };
                Input::Process { pid, resource: Arc::new(resource), wanted }
            }
            Entry::Stop(now) => Input::Stop(now),
            Entry::Clock { since, boot, unix } => Input::Clock { since, boot, unix },
        }
    }
}

fn stored<'a>((name, value): &'a (Cow<'static, str>, Value)) -> (Cow<'a, str>, Stored<'a>) {
    let value = match value {
        Value::Text(text) => Stored::Text(Cow::Borrowed(text)),
        Value::Int(number) => Stored::Int(*number),
        Value::Double(number) => Stored::Double(*number),
        Value::Bool(truth) => Stored::Bool(*truth),
        Value::Texts(texts) => {
            Stored::Texts(texts.iter().map(|text| Cow::Borrowed(&**text)).collect())
        }
    };
    (Cow::Borrowed(name), value)
}

fn restored((name, value): (Cow<'_, str>, Stored<'_>)) -> (Cow<'static, str>, Value) {
    let value = match value {
        Stored::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
        Stored::Int(number) => Value::Int(number),
        Stored::Double(number) => Value::Double(number),
        Stored::Bool(truth) => Value::Bool(truth),
        Stored::Texts(texts) => Value::Texts(texts.into_iter().map(Cow::into_owned).collect()),
    };
    (Cow::Owned(name.into_owned()), value)
}
