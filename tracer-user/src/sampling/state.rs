//! OpenTelemetry's entry in W3C's `tracestate`: `ot=key:value;key:value`, one member of a list with
//! commas (<https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/>).

/// A value of its.
pub(super) fn get<'a>(state: &'a str, key: &str) -> Option<&'a str> {
    let own = members(state).find_map(own)?;
    own.split(';').find_map(|pair| pair.split_once(':').filter(|(k, _)| *k == key).map(|(_, v)| v))
}

/// The same state with another value. Who changes a member puts it first.
pub(super) fn set(state: &str, key: &str, value: &str) -> String {
    let others = |pair: &&str| pair.split_once(':').is_some_and(|(known, _)| known != key);
    let kept = members(state).find_map(own).unwrap_or_default();
    let new = format!("{key}:{value}");
    let pairs: Vec<&str> = kept.split(';').filter(others).chain([&*new]).collect();
    let rest = members(state).filter(|member| own(member).is_none());
    let all = std::iter::once(format!("ot={}", pairs.join(";")));
    all.chain(rest.map(str::to_owned)).collect::<Vec<_>>().join(",")
}

fn members(state: &str) -> impl Iterator<Item = &str> {
    state.split(',').map(str::trim).filter(|member| !member.is_empty())
}

fn own(member: &str) -> Option<&str> {
    member.strip_prefix("ot=")
}

#[cfg(test)]
mod tests {
    use super::{get, set};

    #[test]
    fn values_are_found_and_set() {
        assert_eq!(get("a=b, ot=th:8;rv:1 ", "rv"), Some("1"));
        assert_eq!(get("a=b,aot=th:8", "th"), None);
        assert_eq!(set("", "th", "8"), "ot=th:8");
        assert_eq!(set("a=b,ot=th:c;rv:1,d=e", "th", "8"), "ot=rv:1;th:8,a=b,d=e");
        assert_eq!(set(",,ot=;:,", "th", "8"), "ot=:;th:8");
    }
}
