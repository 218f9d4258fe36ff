use super::*;

fn parsed(text: &str) -> (Kind, String) {
    let target: Target = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    (target.kind, target.endpoint)
}

fn refused(text: &str) -> String {
    text.parse::<Target>().expect_err(text).to_string()
}

#[test]
fn http_urls_are_completed() {
    for (text, kind, endpoint) in [
        ("zipkin=http://127.0.0.1:9411", Kind::Zipkin, "http://127.0.0.1:9411/api/v2/spans"),
        ("zipkin=http://127.0.0.1:9411/", Kind::Zipkin, "http://127.0.0.1:9411/api/v2/spans"),
        ("zipkin=http://z:1/api/v2/spans", Kind::Zipkin, "http://z:1/api/v2/spans"),
        ("zipkin=https://z/prefix", Kind::Zipkin, "https://z/prefix/api/v2/spans"),
        ("zipkin=z:9411", Kind::Zipkin, "http://z:9411/api/v2/spans"),
        ("otlp-http=http://c:4318", Kind::OtlpHttp, "http://c:4318/v1/traces"),
        ("otlp-http=http://c:4318/v1/traces", Kind::OtlpHttp, "http://c:4318/v1/traces"),
        ("otlp-http=http://c:4318/v1/traces/", Kind::OtlpHttp, "http://c:4318/v1/traces"),
        ("otlp-http=https://c/otlp/", Kind::OtlpHttp, "https://c/otlp/v1/traces"),
        ("otlp-http=https://c/otlp?k=v", Kind::OtlpHttp, "https://c/otlp/v1/traces?k=v"),
    ] {
        assert_eq!(parsed(text), (kind, endpoint.to_owned()), "{text}");
    }
}

#[test]
fn grpc_urls_have_no_path_and_jaeger_a_default_port() {
    for (text, endpoint) in [
        ("otlp=http://127.0.0.1:4317", "http://127.0.0.1:4317"),
        ("otlp=https://collector/", "https://collector"),
        ("otlp=127.0.0.1:4317", "http://127.0.0.1:4317"),
        ("jaeger=127.0.0.1", "http://127.0.0.1:4317"),
        ("jaeger=j:14317", "http://j:14317"),
        ("jaeger=http://j", "http://j:4317"),
        ("jaeger=http://j:80", "http://j"),
        ("jaeger=https://j/", "https://j:4317"),
        ("jaeger=::1", "http://[::1]:4317"),
        ("jaeger=[::1]:5317", "http://[::1]:5317"),
        ("jaeger=[::1]", "http://[::1]:4317"),
    ] {
        assert_eq!(parsed(text), (Kind::OtlpGrpc, endpoint.to_owned()), "{text}");
    }
}

#[test]
fn files_and_stdout() {
    assert_eq!(parsed("file=/tmp/a=b.json"), (Kind::File, "/tmp/a=b.json".into()));
    assert_eq!(parsed("file=-"), (Kind::File, "-".into()));
    assert_eq!(parsed("stdout"), (Kind::Stdout, String::new()));
}

#[test]
fn errors_say_what_to_write() {
    assert!(refused("zipkin").contains("zipkin=http://127.0.0.1:9411"));
    assert!(refused("otlp=").contains("otlp=http://127.0.0.1:4317"));
    assert!(refused("http://127.0.0.1:9411").contains("KIND=URL"));
    assert!(refused("prometheus=x").contains("unknown exporter `prometheus`"));
    assert!(refused("").contains("stdout"));
    assert!(refused("otlp=ftp://x").contains("`ftp` is not supported"));
    assert!(refused("otlp=http://x/v1/traces").contains("otlp-http=http://x/v1/traces"));
    assert!(refused("zipkin=http://x/api/v1/spans").contains("/api/v2/spans"));
    assert!(refused("zipkin=http://").contains("not a URL"));
    assert!(refused("jaeger=x:99999").contains("not a URL"));
    assert!(refused("stdout=x").contains("file=x"));
}

#[test]
fn names_and_debug_output_hide_secrets() {
    let mut target: Target =
        "zipkin=https://me:s3cret@z:1/api/v2/spans?key=s3cret".parse().unwrap();
    target.headers.push(("authorization".into(), "s3cret".into()));
    assert_eq!(target.name(), "zipkin=https://z:1/api/v2/spans");
    assert!(!format!("{target:?}").contains("s3cret"));
    assert!(!refused("otlp=http://me:s3cret@c:4317").contains("s3cret"));
}
