//! Files, right and wrong.

use std::path::Path;

use super::File;

fn parse(text: &str) -> Result<File, String> {
    File::parse(Path::new("tracer.toml"), text).map_err(|error| error.to_string())
}

#[test]
fn the_documented_example_is_right() {
    let lines = include_str!("file.rs").lines();
    let example: Vec<&str> = lines
        .skip_while(|line| *line != "//! ```toml")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!").trim_start())
        .collect();
    let file = parse(&example.join("\n")).unwrap();
    assert_eq!(file.trace.services, ["shop-*"]);
    assert_eq!(file.exclude.ports, [9100]);
    assert_eq!((&*file.services[0].0.name, file.services[0].0.port), ("cart", Some(8080)));
    assert_eq!(file.exports[0].0.endpoint, "https://otlp.example.com/v1/traces");
    assert_eq!(file.exports[0].0.headers[0].0, "api-key");
    assert_eq!(file.resource.len(), 1);
}

#[test]
fn mistakes_name_file_line_and_key() {
    for (text, start, hint) in [
        ("\nsetle = '1s'", "tracer.toml:2: `setle`: ", "unknown field"),
        ("settle = '1s'\nmax_hold = 'soon'", "tracer.toml:2: `max_hold`: ", "2s"),
        ("settle = 1.5", "tracer.toml:1: `settle`: ", "text"),
        ("when_instrumented = 'never'", "tracer.toml:1: `when_instrumented`: ", "skip"),
        ("duration = '0s'", "tracer.toml:1: `duration`: ", "more than zero"),
        ("min_confidence = 2", "tracer.toml:1: `min_confidence`: ", "between 0 and 1"),
        ("min_confidence = nan", "tracer.toml:1: `min_confidence`: ", "between 0 and 1"),
        ("without_evidence = ['luck']", "tracer.toml:1: `without_evidence`: ", "timing"),
        ("max_headers = 0", "tracer.toml:1: `max_headers`: ", "more than zero"),
        ("max_headers = 70000", "tracer.toml:1: `max_headers`: ", "70000"),
        ("ring_size = '3MiB'", "tracer.toml:1: `ring_size`: ", "power of two"),
        ("[trace]\nport = [80, 70000]", "tracer.toml:2: `port`: ", "70000"),
        ("[trace]\nhost = 1", "tracer.toml:2: `host`: ", "unknown field"),
        ("[[service]]\nname = 'x'\ncmdline = 'a('", "tracer.toml:3: `cmdline`: ", "unclosed group"),
        ("[[service]]\nname = 'x'", "tracer.toml:1: `[[service]]`: ", "needs `pid`"),
        ("[[service]]\nname = ''\npid = 1", "tracer.toml:1: `[[service]]`: ", "empty"),
        ("[[service]]\npid = 1", "tracer.toml:1: `[[service]]`: ", "missing field `name`"),
        ("[[export]]\nkind = 'ftp'\nurl = 'x'", "tracer.toml:1: `[[export]]`: ", "ftp"),
        ("[[export]]\nkind = 'stdout'\nca = 'x'", "tracer.toml:1: `[[export]]`: ", "no headers"),
        (
            "[[export]]\nkind = 'otlp'\nurl = 'https://o'\nkey = 'k'",
            "tracer.toml:1: ",
            "certificate",
        ),
        ("settle = ", "tracer.toml:1: `settle", ""),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(start) && error.contains(hint), "{text:?} gave: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn mistakes_hide_headers() {
    for text in [
        "[[export]]\nkind='otlp'\nurl='http://o'\nheaders = 'Authorization: hunter2'",
        "[[export]]\nkind='otlp'\nurl='http://o'\nheaders = { a = \"hunter2\", b = 1 }",
        "[[export]]\nkind='otlp'\nurl='http://o'\nheaders = { a = \"hunter2\" b = 'x' }",
        "[[export]]\nkind='otlp'\nurl='http://o'\nheaders = { \"a\" = \"hunter2 }",
        "[[export]]\nkind='otlp'\nurl='http://o'\nheaders = [\"hunter2\"]",
        "[[export]]\nkind='otlp'\nurl='http://o'\n[[export.headers]]\na = \"hunter2\"",
        "[[export]]\nkind='otlp'\nheader.x = 'hunter2'",
    ] {
        let error = parse(text).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_file_is_read_up_to_a_limit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tracer.toml");
    std::fs::write(&path, "settle = '3s'").unwrap();
    assert_eq!(File::read(&path).unwrap().settle.unwrap().as_secs(), 3);
    std::fs::write(&path, "#".repeat((1 << 20) + 1)).unwrap();
    assert!(File::read(&path).unwrap_err().to_string().contains("1 MiB"));
    std::fs::write(&path, b"\xff").unwrap();
    assert!(File::read(&path).is_err());
}
