//! Which names a request may call the server by. In DNS rebinding, a foreign page's own name is made
//! to mean this host, so that the browser takes both for one site; but the name stays a foreign one.
//! An address in digits can't be rebound.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Whether the request names this host, as far as that can be known.
pub(super) fn names_us(headers: &HeaderMap, own_name: &str) -> bool {
    let mut named = headers.get_all(HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else { return false };
    host.to_str().is_ok_and(|host| is_ours(name(host), own_name))
}

fn is_ours(name: &str, own_name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let literal = name.trim_start_matches('[').trim_end_matches(']');
    literal.parse::<IpAddr>().is_ok()
        || name == "localhost"
        || name.ends_with(".localhost")
        || (!own_name.is_empty() && name == own_name.to_ascii_lowercase())
}

/// Without the port.
fn name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
        }
        _ => host,
    }
}

/// Whether a browser says that the request comes from another site's page.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let own = |scheme: &str| text(HOST).map(|host| format!("{scheme}://{host}"));
    let origin = origin.to_str().ok().map(str::to_owned);
    // https where a proxy before it speaks that.
    origin.is_none() || (origin != own("http") && origin != own("https"))
}

#[cfg(test)]
mod tests {
    use super::{HeaderMap, is_foreign, names_us};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_foreign_name_is_refused() {
        for host in [
            "127.0.0.1:7411",
            "10.0.0.7",
            "[::1]:7411",
            "[::1]",
            "localhost:7411",
            "LocalHost.",
            "shop.localhost:1",
            "Host-1:7411",
        ] {
            assert!(names_us(&headers(&[("host", host)]), "host-1"), "{host}");
        }
        for host in [
            "evil.example:7411",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evillocalhost",
            "",
            "localhost:7411:evil",
            "127.0.0.1@evil.example",
        ] {
            assert!(!names_us(&headers(&[("host", host)]), "host-1"), "{host}");
        }
        assert!(!names_us(&headers(&[]), "host-1"));
        let mut two = headers(&[("host", "localhost")]);
        two.append("host", "localhost".parse().unwrap());
        assert!(!names_us(&two, ""));
    }

    #[test]
    fn a_foreign_page_is_refused() {
        let foreign = |origin| is_foreign(&headers(&[("host", "localhost:7"), ("origin", origin)]));
        assert!(!is_foreign(&headers(&[("host", "localhost:7")])));
        assert!(!foreign("http://localhost:7") && !foreign("https://localhost:7"));
        assert!(foreign("http://localhost:8") && foreign("http://evil.example"));
        assert!(foreign("null") && foreign("") && foreign("http://localhost:7.evil.example"));
    }
}
