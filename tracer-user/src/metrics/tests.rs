//! Spans in, Prometheus's text and the map out.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Health, Metrics, ProbeRuns};
use crate::export::Observer;
use crate::stats::{Tally, Vitals};
use crate::trace::{COVERS, Endpoint, Kind, Resource, Span, SpanId, Status, TraceId, Value};

fn metrics(vitals: &Arc<Vitals>) -> Metrics {
    let (exporters, probes) = (Observer::default(), ProbeRuns::default());
    Metrics::new(Health { vitals: vitals.clone(), exporters, probes, store: None, sampling: None })
}

/// 20 ms of `service`; it failed if the status says so.
fn span(kind: Kind, service: &str, peer: Option<&str>, route: &str, status: i64) -> Arc<Span> {
    let pair = |key: &'static str, value: Value| (Cow::Borrowed(key), value);
    let end = |service: Option<&str>| Endpoint {
        service: service.map(Into::into),
        address: None,
        port: 0,
    };
    let mut attributes = vec![
        pair("http.request.method", "GET".into()),
        pair("http.response.status_code", status.into()),
        pair("server.address", "api.example".into()),
        pair("server.port", 8443.into()),
    ];
    if kind == Kind::Server {
        attributes.push(pair("http.route", route.to_owned().into()));
    }
    Arc::new(Span {
        trace_id: TraceId([1; 16]),
        span_id: SpanId([2; 8]),
        parent: None,
        trace_state: None,
        kind,
        name: format!("GET {route}"),
        start: 1_000_000_000,
        end: 1_020_000_000,
        status: if status >= 500 { Status::Error(None) } else { Status::Unset },
        attributes,
        events: vec![],
        links: vec![],
        resource: Arc::new(Resource { service: service.into(), attributes: vec![] }),
        local: end(None),
        remote: end(peer),
    })
}

/// The value of a series; its labels may come in any order, and others beside them.
fn value(text: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (found, rest) = series.split_once('{').unwrap_or((series, ""));
        let fits = |(key, value): &(&str, &str)| rest.contains(&format!("{key}=\"{value}\""));
        (found == name && labels.iter().all(fits)).then(|| value.parse().ok()).flatten()
    })
}

#[test]
fn requests_are_told_by_service_route_and_peer() {
    let metrics = metrics(&Arc::default());
    metrics.record(&[
        span(Kind::Client, "front", Some("cart"), "/cart", 200),
        span(Kind::Server, "cart", Some("front"), "/cart", 200),
        span(Kind::Client, "front", Some("cart"), "/cart", 503),
        span(Kind::Server, "cart", Some("front"), "/cart", 503),
        span(Kind::Server, "front", None, "/", 200),
        span(Kind::Client, "cart", None, "/v1", 200),
    ]);
    let text = metrics.text();
    let server = "http_server_request_duration_seconds";
    let of_cart =
        [("service_name", "cart"), ("http_route", "/cart"), ("http_request_method", "GET")];
    let ok = [&of_cart[..], &[("http_response_status_code", "200")]].concat();
    assert_eq!(value(&text, &format!("{server}_count"), &ok), Some(1.0));
    assert_eq!(value(&text, &format!("{server}_sum"), &ok), Some(0.02));
    let bucket = |le| value(&text, &format!("{server}_bucket"), &[&ok[..], &[("le", le)]].concat());
    assert_eq!((bucket("0.01"), bucket("0.025")), (Some(0.0), Some(1.0)));
    let client = "http_client_request_duration_seconds_count";
    for (peer, count) in [("cart", 1.0), ("api.example:8443", 1.0)] {
        assert_eq!(value(&text, client, &[("peer_service", peer)]), Some(count), "{text}");
    }
    let graph = |name, client, server| {
        let name = format!("traces_service_graph_request{name}");
        value(&text, &name, &[("client", client), ("server", server)])
    };
    assert_eq!(graph("_total", "front", "cart"), Some(2.0), "counted once, not on both sides");
    assert_eq!(graph("_failed_total", "front", "cart"), Some(1.0));
    assert_eq!(graph("_server_seconds_count", "front", "cart"), Some(2.0));
    assert_eq!(graph("_client_seconds_count", "front", "cart"), Some(2.0));
    assert_eq!(graph("_total", "user", "front"), Some(1.0));
    assert_eq!(graph("_total", "cart", "api.example:8443"), Some(1.0));
}

#[test]
fn the_tracer_tells_of_itself() {
    let vitals = Arc::<Vitals>::default();
    let metrics = metrics(&vitals);
    assert_eq!(value(&metrics.text(), "tracer_up", &[]), Some(0.0));
    let losses = [("ring_full", 7)].into();
    vitals.tell(Tally { records: 5, bytes: 600, spans: 3, losses, ..Tally::default() });
    let text = metrics.text();
    for (name, expected) in [
        ("tracer_up", 1.0),
        ("tracer_events_total", 5.0),
        ("tracer_event_bytes_total", 600.0),
        ("tracer_spans_total", 3.0),
    ] {
        assert_eq!(value(&text, name, &[]), Some(expected), "{name}");
    }
    assert_eq!(value(&text, "tracer_lost_total", &[("reason", "ring_full")]), Some(7.0));
    assert!(value(&text, "process_resident_memory_bytes", &[]).unwrap() > 1e6);
    assert!(text.ends_with("# EOF\n"));
}

/// As a strict reader of the format sees it, with names that try to break it.
#[test]
fn the_text_is_openmetrics() {
    let vitals = Arc::<Vitals>::default();
    let metrics = metrics(&vitals);
    let losses = [("ring_full", 7)].into();
    vitals.tell(Tally { losses, ..Tally::default() });
    for name in ["front", "a\"} 1\nfake 1", "\u{1b}[2J\u{0}", "{}", "\\"] {
        metrics.record(&[
            span(Kind::Server, name, None, name, 500),
            span(Kind::Client, "front", Some(name), "/", 200),
        ]);
    }
    metrics.received("otlp", 3, 1);
    let text = metrics.text();
    let parsed = openmetrics_parser::openmetrics::parse_openmetrics(&text);
    let parsed = parsed.unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    for (family, series) in [
        ("http_server_request_duration_seconds", 5),
        ("http_client_request_duration_seconds", 5),
        ("traces_service_graph_request", 10),
        ("tracer_lost", 1),
        ("tracer_received_spans", 2),
    ] {
        let found = parsed.families.get(family).map(|family| family.iter_samples().count());
        assert_eq!(found, Some(series), "{family}");
    }
}

#[test]
fn hostile_names_stay_in_their_label() {
    let metrics = metrics(&Arc::default());
    metrics.record(&[span(Kind::Server, "a\"} 1\nfake_metric 1", None, "/\\\n", 200)]);
    let text = metrics.text();
    assert!(text.lines().all(|line| !line.starts_with("fake_metric")), "{text}");
    assert!(text.contains(r#"service_name="a\"} 1\nfake_metric 1""#), "{text}");
}

#[test]
fn series_are_bounded() {
    let metrics = metrics(&Arc::default());
    for n in 0..3000 {
        metrics.record(&[span(
            Kind::Server,
            &format!("s{}", n % 400),
            None,
            &format!("/{n}"),
            200,
        )]);
    }
    let text = metrics.text();
    let counts = |line: &&str| line.starts_with("http_server_request_duration_seconds_count");
    let series: Vec<_> = text.lines().filter(counts).collect();
    assert!((1000..=1251).contains(&series.len()), "{}", series.len());
    let all: f64 =
        series.iter().filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum();
    assert_eq!(all, 3000.0, "what is folded is counted all the same");
    assert!(value(&text, "tracer_metrics_folded_total", &[]).unwrap() >= 2000.0);
}

#[test]
fn the_map_shows_the_last_requests() {
    let metrics = metrics(&Arc::default());
    metrics.record(&[
        span(Kind::Client, "front", Some("cart"), "/cart", 503),
        span(Kind::Server, "cart", Some("front"), "/cart", 503),
        span(Kind::Server, "front", None, "/", 200),
        span(Kind::Client, "cart", None, "/v1", 200),
    ]);
    let map = metrics.map(Duration::from_secs(60));
    let nodes: Vec<_> =
        map.nodes.iter().map(|it| (&*it.name, it.traced, it.red.requests, it.red.errors)).collect();
    let expected = [
        ("api.example:8443", false, 1, 0),
        ("cart", true, 1, 1),
        ("front", true, 1, 0),
        ("user", false, 0, 0),
    ];
    assert_eq!(nodes, expected);
    let calls: Vec<_> = map.calls.iter().map(|it| (&*it.from, &*it.to, it.red.errors)).collect();
    let expected = [("cart", "api.example:8443", 0), ("front", "cart", 1), ("user", "front", 0)];
    assert_eq!(calls, expected);
    let cart = &map.nodes[1];
    assert_eq!(cart.routes[0].name, "GET /cart");
    assert!((18.0..22.0).contains(&cart.red.p99), "{}", cart.red.p99);
}

#[test]
fn what_stands_for_a_whole_connection_is_no_request() {
    let mut connection = Span::clone(&span(Kind::Server, "cart", Some("front"), "/cart", 200));
    connection.attributes.push((COVERS.into(), "connection".into()));
    let metrics = metrics(&Arc::default());
    metrics.record(&[Arc::new(connection)]);
    assert!(metrics.map(Duration::from_secs(60)).nodes.is_empty());
}

#[test]
fn what_is_old_leaves_the_map() {
    let (facts, now) = (
        super::facts::Facts::of(&span(Kind::Server, "front", None, "/", 200)).unwrap(),
        Instant::now(),
    );
    let mut live = super::Live::default();
    for second in 0..400 {
        live.observe(&facts, now + Duration::from_secs(second));
    }
    let end = now + Duration::from_secs(400);
    let requests = |window, at| live.map(at, Duration::from_secs(window)).nodes[0].red.requests;
    assert!((58..=62).contains(&requests(60, end)));
    assert!((298..=302).contains(&requests(3000, end)), "no more than is kept");
    let later = live.map(end + Duration::from_secs(61), Duration::from_secs(60));
    assert!(later.nodes.is_empty() && later.calls.is_empty());
}
