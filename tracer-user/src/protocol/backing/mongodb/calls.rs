//! What a request asks for, and how an answer says it came out.

use super::bson::{Element, Elements};
use super::render::Writer;
use super::wire::{Body, DELETE, GET_MORE, INSERT, KILL_CURSORS, QUERY, QUERY_FAILURE, UPDATE};
use crate::protocol::backing::{Call, CallText, Failure, System, Text};
use std::borrow::Cow;

/// Commands of which values are never told.
const SECRET: &[&str] = &[
    "authenticate",
    "copydb",
    "copydbgetnonce",
    "copydbsaslstart",
    "createUser",
    "getnonce",
    "saslContinue",
    "saslStart",
    "updateUser",
];

/// Commands whose first value is a collection's name: that of others may be a user's, or anything.
#[rustfmt::skip]
const OF_COLLECTIONS: &[&str] = &[
    "aggregate", "analyze", "cloneCollectionAsCapped", "collMod", "collStats", "compact",
    "convertToCapped", "count", "create", "createIndexes", "createSearchIndexes", "delete",
    "deleteIndexes", "distinct", "drop", "dropIndexes", "dropSearchIndex", "find", "findAndModify",
    "geoNear", "geoSearch", "insert", "killCursors", "listIndexes", "mapReduce",
    "parallelCollectionScan", "planCacheClear", "planCacheClearFilters", "planCacheListFilters",
    "planCacheSetFilter", "reIndex", "update", "updateSearchIndex", "validate",
];

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..255).unwrap_or(bytes)).into_owned()
}

/// A command's name.
fn name(element: &Element<'_>) -> Option<String> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$".contains(byte);
    let fits = (1..=64).contains(&element.name.len()) && element.name.iter().all(plain);
    fits.then(|| string(element.name))
}

/// Whether its values are told.
fn is_full(how: Text, name: Option<&str>, document: &Elements<'_>) -> bool {
    let secret =
        name.is_none_or(|name| SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret)));
    how == Text::Full && !secret && document.get("speculativeAuthenticate").is_none()
}

/// What a request asks for.
pub(super) fn call(body: &Body<'_>, how: Text) -> Call {
    match body {
        Body::Message { document, others, .. } => {
            let namespace = document.get("$db").and_then(|db| db.text()).map(string);
            command(document, others, namespace, how)
        }
        Body::Legacy { opcode, name, query } => {
            let end = name.iter().position(|byte| *byte == b'.');
            let (namespace, collection) = name.split_at(end.unwrap_or(name.len()));
            let namespace = (!namespace.is_empty()).then(|| string(namespace));
            if *opcode == QUERY && collection == b".$cmd" {
                let wrapped =
                    ["$query", "query"].into_iter().find_map(|name| query.get(name)?.elements());
                return command(wrapped.as_ref().unwrap_or(query), &[], namespace, how);
            }
            legacy(*opcode, namespace, collection.get(1..).unwrap_or_default(), query, how)
        }
        Body::Reply { .. } | Body::Opaque => Call::new(System::MongoDb),
    }
}

fn command(
    document: &Elements<'_>,
    others: &[(&[u8], &[u8])],
    namespace: Option<String>,
    how: Text,
) -> Call {
    let first = document.clone().next();
    let operation = first.as_ref().and_then(name);
    let collection = collection(document, true).map(string);
    let full = is_full(how, operation.as_deref(), document);
    let named = operation.as_deref().is_some_and(is_of_collection);
    let write = || Writer::new(full).command(document, named, others.iter().copied());
    let text = (how != Text::Off).then(write);
    told(operation.map(Cow::Owned), namespace, collection, text)
}

fn is_of_collection(name: &str) -> bool {
    // Old names are written in lower case.
    OF_COLLECTIONS.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// The collection that a command is about; of one that explains another, that other's.
fn collection<'a>(document: &Elements<'a>, outer: bool) -> Option<&'a [u8]> {
    let first = document.clone().next()?;
    match name(&first)?.as_str() {
        "getMore" => document.get("collection")?.text(),
        "explain" if outer => collection(&first.elements()?, false),
        name if is_of_collection(name) => first.text(),
        _ => None,
    }
}

fn legacy(
    opcode: i32,
    namespace: Option<String>,
    collection: &[u8],
    query: &Elements<'_>,
    how: Text,
) -> Call {
    let operation = match opcode {
        QUERY => "find",
        GET_MORE => "getMore",
        INSERT => "insert",
        UPDATE => "update",
        DELETE => "delete",
        KILL_CURSORS => "killCursors",
        _ => return Call::new(System::MongoDb),
    };
    let collection = (!collection.is_empty()).then(|| string(collection));
    let text = Writer::new(how == Text::Full).query(query.clone());
    let text = if opcode == QUERY { text } else { operation.to_owned() };
    told(Some(Cow::Borrowed(operation)), namespace, collection, (how != Text::Off).then_some(text))
}

fn told(
    operation: Option<Cow<'static, str>>,
    namespace: Option<String>,
    collection: Option<String>,
    text: Option<String>,
) -> Call {
    let summary = operation.as_ref().map(|operation| match &collection {
        Some(collection) => format!("{operation} {collection}"),
        None => operation.to_string(),
    });
    let text = CallText { text, summary };
    Call { operation, text, namespace, collection, ..Call::new(System::MongoDb) }
}

/// What an answer says that went wrong.
pub(super) fn failure(body: &Body<'_>) -> Option<Failure> {
    let (document, failed) = match body {
        Body::Message { document, .. } => (document, false),
        Body::Reply { flags, document, .. } => (document, flags & QUERY_FAILURE != 0),
        Body::Legacy { .. } | Body::Opaque => return None,
    };
    if failed || document.get("ok").and_then(|ok| ok.number()) == Some(0) {
        return Some(Failure { code: code(document).unwrap_or_else(|| "error".to_owned()) });
    }
    let first = document.get("writeErrors").and_then(|errors| errors.elements()?.next());
    let error = first.or_else(|| document.get("writeConcernError"))?.elements()?;
    code(&error).map(|code| Failure { code })
}

fn code(document: &Elements<'_>) -> Option<String> {
    document.get("code")?.number().map(|code| code.to_string())
}
