//! The parameters of a search for traces.

use std::ops::RangeInclusive;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use crate::store::Query;

/// Milliseconds before `endTs` where no lookback is said: a day, Zipkin's `QUERY_LOOKBACK`.
const LOOKBACK: u64 = 86_400_000;
/// Traces where no limit is said.
const LIMIT: usize = 10;
/// No more, whatever is said.
const MOST: usize = 1000;

/// As in the URL. Durations are in microseconds, times in milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Search {
    pub(super) service_name: Option<String>,
    pub(super) remote_service_name: Option<String>,
    pub(super) span_name: Option<String>,
    pub(super) annotation_query: Option<String>,
    pub(super) min_duration: Option<u64>,
    pub(super) max_duration: Option<u64>,
    pub(super) end_ts: Option<u64>,
    pub(super) lookback: Option<u64>,
    pub(super) limit: Option<i64>,
}

/// The times that are meant, in nanoseconds.
pub(super) fn range(
    end: Option<u64>,
    lookback: Option<u64>,
) -> Result<RangeInclusive<u64>, &'static str> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let end = end.unwrap_or_else(|| now() as u64);
    let lookback = lookback.unwrap_or(LOOKBACK);
    if end == 0 {
        return Err("endTs <= 0");
    }
    if lookback == 0 {
        return Err("lookback <= 0");
    }
    let nanoseconds = |milliseconds: u64| milliseconds.saturating_mul(1_000_000);
    // All of the last millisecond.
    let end_of = nanoseconds(end).saturating_add(999_999);
    Ok(nanoseconds(end.saturating_sub(lookback))..=end_of)
}

impl Search {
    /// What the store is asked.
    ///
    /// # Errors
    /// What Zipkin refuses, in its words.
    pub(super) fn query(&self) -> Result<Query, &'static str> {
        let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let limit = match self.limit.unwrap_or(LIMIT as i64) {
            limit @ 1.. => usize::try_from(limit).unwrap_or(MOST).min(MOST),
            _ => return Err("limit <= 0"),
        };
        match (self.min_duration, self.max_duration) {
            (Some(0), _) => return Err("minDuration <= 0"),
            (None, Some(_)) => return Err("maxDuration is only valid with minDuration"),
            (Some(min), Some(max)) if max < min => return Err("maxDuration < minDuration"),
            _ => {}
        }
        let range = range(self.end_ts, self.lookback)?;
        let (errors, attributes) = attributes(self.annotation_query.as_deref().unwrap_or_default());
        Ok(Query {
            service: named(&self.service_name),
            name: named(&self.span_name).filter(|name| name != "all"),
            remote_service: named(&self.remote_service_name),
            // Zipkin's durations are between rounded ends.
            min_duration: self.min_duration.map(|min| min.saturating_mul(1000).saturating_sub(999)),
            max_duration: self.max_duration.map(|max| max.saturating_mul(1000).saturating_add(999)),
            errors,
            from: Some(*range.start()),
            to: Some(*range.end()),
            attributes,
            text: None,
            limit,
        })
    }
}

/// `error and http.route=/x`: whether errors are asked for, and the tags. `otel.status_code` is one
/// that spans are given on their way out, see the export room's mapping.
fn attributes(query: &str) -> (bool, Vec<(String, Option<String>)>) {
    let mut errors = false;
    let mut attributes = vec![];
    for part in query.split(" and ").map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
            None if part == "error" => errors = true,
            None => attributes.push((part.to_owned(), None)),
            Some(("otel.status_code", "ERROR")) => errors = true,
            Some((key, value)) => attributes.push((key.to_owned(), Some(value.to_owned()))),
        }
    }
    (errors, attributes)
}

#[cfg(test)]
mod tests {
    use super::{Search, attributes};

    #[test]
    fn annotations_are_tags_or_their_keys() {
        let (errors, tags) = attributes("error and a=b=c and key and  x = y ");
        let pair = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        assert!(errors);
        assert_eq!(tags, [pair("a", Some("b=c")), pair("key", None), pair("x", Some("y"))]);
        assert_eq!(attributes(""), (false, vec![]));
    }

    #[test]
    fn what_zipkin_refuses_is_refused() {
        let of = |change: fn(&mut Search)| {
            let mut search = Search::default();
            change(&mut search);
            search.query().map(|_| ())
        };
        assert_eq!(of(|_| {}), Ok(()));
        assert_eq!(of(|it| it.limit = Some(0)), Err("limit <= 0"));
        assert_eq!(of(|it| it.min_duration = Some(0)), Err("minDuration <= 0"));
        assert!(of(|it| it.max_duration = Some(5)).is_err());
        assert!(of(|it| (it.min_duration, it.max_duration) = (Some(9), Some(5))).is_err());
        assert_eq!(of(|it| it.lookback = Some(0)), Err("lookback <= 0"));
        let most = Search { limit: Some(i64::MAX), ..Search::default() }.query().unwrap();
        assert_eq!((most.limit, most.name), (1000, None));
    }
}
