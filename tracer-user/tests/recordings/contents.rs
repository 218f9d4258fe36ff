//! What the files may hold: they are public.

use std::path::Path;

use tracer_user::kernel::Event;
use tracer_user::recording::Secrets;
use tracer_user::replay::{Input, Source as _};
use tracer_user::trace::Value;

use crate::replayed::{file, open};

/// Every recording there is.
fn names() -> Vec<String> {
    let directory = file("any").parent().map(Path::to_owned).unwrap();
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let recordings = files.filter(|path| path.extension().is_some_and(|end| end == "trec"));
    let mut names: Vec<_> =
        recordings.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn each_has_its_test() {
    let tested = ["go-fanout", "gunicorn", "io-uring", "nginx-flask", "py-zipkin", "unix-socket"];
    assert_eq!(names(), tested);
}

#[test]
fn they_are_small_and_hold_no_secrets() {
    for name in names() {
        assert_eq!(open(&name).header().secrets, Secrets::Masked, "{name}");
        assert!(std::fs::metadata(file(&name)).unwrap().len() <= 60 << 10, "{name}");
    }
}

#[test]
fn nothing_tells_of_the_machine() {
    for name in names() {
        let (mut reader, mut processes) = (open(&name), 0);
        while let Some(input) = reader.next().unwrap() {
            match input {
                Input::Process { resource, wanted, .. } => {
                    processes += 1;
                    assert_eq!(wanted, Some(true), "{name}: {resource:?}");
                    for (key, value) in &resource.attributes {
                        let Value::Text(value) = value else { continue };
                        let neutral = match &**key {
                            "host.name" => value == "recorded",
                            "process.executable.path" => value.starts_with("/srv/"),
                            _ => !value.contains('/'),
                        };
                        assert!(neutral, "{name}: {key} {value}");
                    }
                }
                Input::Record(bytes) => {
                    assert!(Event::parse(&bytes).is_some(), "{name}");
                    let text = String::from_utf8_lossy(&bytes);
                    for path in ["/home/", "/root/", "/Users/"] {
                        assert!(!text.contains(path), "{name}: {text}");
                    }
                }
                Input::Existing { connections, .. } => {
                    let outside = connections.iter().find(|((local, remote), _)| {
                        !local.0.is_loopback() || !remote.0.is_loopback()
                    });
                    assert!(outside.is_none(), "{name}: {outside:?}");
                }
                _ => {}
            }
        }
        assert!(processes > 0, "{name}");
    }
}
