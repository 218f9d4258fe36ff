//! The command.

use std::fs::File;

use crate::tracer::{capture, errors, replay, spans};

#[test]
fn a_capture_becomes_spans_the_same_each_time() {
    let run = || replay().arg(capture()).args(["--export", "file=-"]).output().unwrap();
    let output = run();
    assert!(output.status.success());
    let names: Vec<_> = spans(&output).iter().map(|span| span["name"].to_string()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(spans(&output), spans(&run()));
    let summary = errors(&output);
    assert!(summary.contains("exported: 3 spans to file=-\nlost: nothing\n"), "{summary}");
}

#[test]
fn headers_join_what_a_capture_shows() {
    let output = replay().arg(capture()).args(["--export", "file=-"]).output().unwrap();
    let joined: Vec<_> = spans(&output)
        .into_iter()
        .filter(|span| span["traceId"] == "0af7651916cd43dd8448eb211c80319c")
        .collect();
    let [span] = &joined[..] else { panic!("{joined:?}") };
    assert_eq!((&span["parentSpanId"], &span["kind"]), (&"b7ad6b7169203331".into(), &2.into()));
}

#[test]
fn standard_input_is_a_file_too() {
    let mut command = replay();
    command.arg("-").stdin(File::open(capture()).unwrap());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 3);
    assert!(text.lines().all(|line| line.contains(" SERVER 192.0.2.80:8080 ")), "{text}");
}

#[test]
fn services_can_be_chosen() {
    for (flag, glob, count) in
        [("--service", "192.0.2.*", 3), ("--service", "x", 0), ("--exclude-service", "*:8080", 0)]
    {
        let output = replay().arg(capture()).args([flag, glob]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), count, "{glob}");
    }
}

#[test]
fn what_is_no_capture_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let (text, empty) = (folder.path().join("text"), folder.path().join("empty"));
    std::fs::write(&text, "no capture, but longer than all the magic numbers there are").unwrap();
    std::fs::write(&empty, "").unwrap();
    let absent = folder.path().join("absent");
    for (file, why) in [
        (&text, "is neither a recording of tracer record, nor pcap, nor pcapng"),
        (&empty, "is neither a recording of tracer record, nor pcap, nor pcapng"),
        (&absent, "No such file or directory"),
        (&folder.path().to_owned(), "directory"),
    ] {
        let output = replay().arg(file).output().unwrap();
        let said = errors(&output);
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains(why) && said.contains(&*file.to_string_lossy()), "{said}");
    }
}

#[test]
fn a_capture_that_breaks_off_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.pcap");
    let whole = std::fs::read(capture()).unwrap();
    std::fs::write(&cut, &whole[..whole.len() - 3]).unwrap();
    let output = replay().arg(&cut).output().unwrap();
    assert!(output.status.success());
    assert!(errors(&output).contains("lost: 1 file_cut\n"), "{}", errors(&output));
}

#[test]
fn a_backend_that_is_away_ends_in_a_counted_loss() {
    // It lets connect and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("zipkin=http://{}", silent.local_addr().unwrap());
    let output = replay().arg(capture()).args(["--export", &url]).output().unwrap();
    let summary = errors(&output);
    assert!(summary.contains("3 lost (unsent when the tracer stopped)"), "{summary}");
}
