use super::*;

/// Variables and their values.
type Vars<'a> = &'a [(&'a str, &'a str)];

fn targets(pairs: Vars<'_>) -> Result<Vec<Target>, TargetError> {
    targets_from_env(&|name| {
        pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    })
}

fn one(pairs: Vars<'_>) -> Target {
    let mut targets = targets(pairs).unwrap();
    assert_eq!(targets.len(), 1, "{targets:?}");
    targets.remove(0)
}

#[test]
fn nothing_is_assumed() {
    assert_eq!(targets(&[]), Ok(vec![]));
    assert_eq!(targets(&[("OTEL_TRACES_EXPORTER", "")]), Ok(vec![]));
    assert_eq!(
        targets(&[("OTEL_TRACES_EXPORTER", "none"), (ENDPOINT, "http://c:4318")]),
        Ok(vec![])
    );
}

#[test]
fn lists_and_defaults() {
    let all = targets(&[("OTEL_TRACES_EXPORTER", "otlp, zipkin,console")]).unwrap();
    let seen: Vec<_> = all.iter().map(|t| (t.kind, t.endpoint.as_str())).collect();
    assert_eq!(
        seen,
        [
            (Kind::OtlpHttp, "http://localhost:4318/v1/traces"),
            (Kind::Zipkin, "http://localhost:9411/api/v2/spans"),
            (Kind::Stdout, "")
        ]
    );
    let unknown = targets(&[("OTEL_TRACES_EXPORTER", "jaeger")]).unwrap_err().to_string();
    assert!(unknown.contains("OTEL_TRACES_EXPORTER") && unknown.contains("zipkin"), "{unknown}");
}

#[test]
fn endpoints_and_protocols() {
    let cases: [(Vars<'_>, Kind, &str); 8] = [
        (&[(ENDPOINT, "http://c:4318")], Kind::OtlpHttp, "http://c:4318/v1/traces"),
        (&[(ENDPOINT, "http://c:4318/base")], Kind::OtlpHttp, "http://c:4318/base/v1/traces"),
        (&[(TRACES_ENDPOINT, "http://c:4318/x")], Kind::OtlpHttp, "http://c:4318/x"),
        (&[(TRACES_ENDPOINT, "http://c:4318")], Kind::OtlpHttp, "http://c:4318/"),
        (&[(ENDPOINT, "http://c:4317")], Kind::OtlpGrpc, "http://c:4317"),
        (
            &[(ENDPOINT, "https://c"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            Kind::OtlpGrpc,
            "https://c",
        ),
        (
            &[
                (ENDPOINT, "http://c:4317"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
            ],
            Kind::OtlpHttp,
            "http://c:4317/v1/traces",
        ),
        (&[(ZIPKIN_ENDPOINT, "http://z/api/v2/spans")], Kind::Zipkin, "http://z/api/v2/spans"),
    ];
    for (pairs, kind, endpoint) in cases {
        let target = one(pairs);
        assert_eq!((target.kind, target.endpoint.as_str()), (kind, endpoint), "{pairs:?}");
    }
}

#[test]
fn the_rest_goes_along_and_the_specific_wins() {
    let target = one(&[
        (ENDPOINT, "https://c"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=se%20cret, x = y=z ,"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "cert.pem"),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "mine.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
    ]);
    let expected = [("api-key", "se cret"), ("x", "y=z")];
    assert_eq!(target.headers, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    assert_eq!(target.tls.ca, Some("ca.pem".into()));
    assert_eq!(target.tls.cert, Some("mine.pem".into()));
    assert_eq!(target.tls.key, Some("key.pem".into()));
    assert_eq!(target.timeout, Duration::from_millis(2500));
    assert!(!target.gzip);
}

#[test]
fn errors_name_the_variable_and_hide_the_secret() {
    for (name, value, hint) in [
        (ENDPOINT, "c:4317", "http://"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret", "name=value"),
    ] {
        let pairs = [("OTEL_TRACES_EXPORTER", "otlp"), (name, value)];
        let error = targets(&pairs).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(hint), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
