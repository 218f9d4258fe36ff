//! What is asked of S3 (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>).

use super::decoded;
use super::host::bucket_of;
use super::operations::{OPERATIONS, Row, Subject};

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a str,
    /// Host, with its port if it has one.
    pub host: Option<&'a str>,
    /// Path, percent-encoded.
    pub path: &'a str,
    /// Query without its `?`.
    pub query: Option<&'a str>,
    /// What is to be written is copied from another object.
    pub copies: bool,
}

/// What it asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// As the SDKs call it: `GetObject`. `None` if it is none that is known.
    pub operation: Option<&'static str>,
    /// The bucket; an access point's alias, where one stands for it.
    pub bucket: Option<String>,
    /// The object's key, in whole.
    pub key: Option<String>,
    /// Of a part of an object that is sent in several, its number.
    pub part_number: Option<u16>,
    /// Which object that is sent in several parts.
    pub upload: Option<String>,
}

/// What a request asks for which is known to be for S3.
#[must_use]
pub fn call(asked: Asked<'_>) -> Call {
    let path = asked.path.strip_prefix('/').unwrap_or(asked.path);
    // The bucket is the host's first part, or else the path's.
    let (bucket, key) = match asked.host.and_then(bucket_of) {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    let [bucket, key] = [bucket, key].map(|part| (!part.is_empty()).then(|| decoded(part)));
    let subject = match (&bucket, &key) {
        (None, _) => Subject::Service,
        (Some(_), None) => Subject::Bucket,
        (Some(_), Some(_)) => Subject::Object,
    };
    let query = asked.query.unwrap_or_default();
    let row = OPERATIONS.iter().find(|row| fits(row, &asked, subject, query));
    Call {
        operation: row.map(|row| row.operation),
        bucket,
        key,
        part_number: value(query, "partNumber").and_then(|number| number.parse().ok()),
        upload: value(query, "uploadId").filter(|id| !id.is_empty()).map(decoded),
    }
}

fn fits(row: &Row, asked: &Asked<'_>, subject: Subject, query: &str) -> bool {
    row.method == asked.method
        && row.subject == subject
        && (!row.copies || asked.copies)
        && row.marks.iter().all(|mark| has(query, mark))
}

/// The query has this parameter, or this one with this value.
fn has(query: &str, mark: &str) -> bool {
    let named = |pair: &str| pair.split_once('=').is_some_and(|(key, _)| key == mark);
    query.split('&').any(|pair| pair == mark || named(pair))
}

fn value<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}
