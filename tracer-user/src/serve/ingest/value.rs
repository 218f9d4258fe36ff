//! Attributes as they come by OTLP.

use std::borrow::Cow;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};

use crate::trace::Value;

pub(super) type Attributes = Vec<(Cow<'static, str>, Value)>;

/// How deep a value may be; what is deeper is left out.
const MAX_DEPTH: u8 = 8;

pub(super) fn attributes(pairs: Vec<KeyValue>) -> Attributes {
    let pairs = pairs.into_iter().filter_map(|pair| {
        let value = value(pair.value?.value?)?;
        Some((Cow::Owned(pair.key), value))
    });
    pairs.collect()
}

/// The text of an attribute.
pub(super) fn text<'a>(attributes: &'a Attributes, key: &str) -> Option<&'a str> {
    attributes.iter().find_map(|(name, value)| match value {
        Value::Text(text) if name == key => Some(&**text),
        _ => None,
    })
}

fn value(value: any_value::Value) -> Option<Value> {
    Some(match value {
        any_value::Value::StringValue(text) => text.into(),
        any_value::Value::IntValue(number) => number.into(),
        any_value::Value::DoubleValue(number) => number.into(),
        any_value::Value::BoolValue(truth) => truth.into(),
        any_value::Value::ArrayValue(list) => match texts(&list.values) {
            Some(texts) => Value::Texts(texts),
            None => list_json(&list.values, MAX_DEPTH)?.to_string().into(),
        },
        // No such values are in a span of ours: as JSON.
        other => json(&other, MAX_DEPTH)?.to_string().into(),
    })
}

fn texts(values: &[AnyValue]) -> Option<Vec<String>> {
    let text = |value: &AnyValue| match value.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text.clone()),
        _ => None,
    };
    values.iter().map(text).collect()
}

fn list_json(values: &[AnyValue], depth: u8) -> Option<serde_json::Value> {
    let depth = depth.checked_sub(1)?;
    let item = |value: &AnyValue| {
        value.value.as_ref().and_then(|value| json(value, depth)).unwrap_or_default()
    };
    Some(values.iter().map(item).collect())
}

fn json(value: &any_value::Value, depth: u8) -> Option<serde_json::Value> {
    Some(match value {
        any_value::Value::StringValue(text) => text.as_str().into(),
        any_value::Value::IntValue(number) => (*number).into(),
        any_value::Value::DoubleValue(number) => (*number).into(),
        any_value::Value::BoolValue(truth) => (*truth).into(),
        any_value::Value::ArrayValue(list) => list_json(&list.values, depth)?,
        any_value::Value::KvlistValue(list) => {
            let depth = depth.checked_sub(1)?;
            let pair = |pair: &KeyValue| {
                let value = json(pair.value.as_ref()?.value.as_ref()?, depth)?;
                Some((pair.key.clone(), value))
            };
            serde_json::Value::Object(list.values.iter().filter_map(pair).collect())
        }
        any_value::Value::BytesValue(bytes) => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(bytes).into()
        }
        // An index into a table that traces do not have.
        _ => return None,
    })
}
