//! What the files may hold: they are public.

use std::path::Path;

use tracer_user::kernel::Event;
use tracer_user::recording::Secrets;
use tracer_user::replay::{Input, Source as _};
use tracer_user::trace::Value;

use crate::replayed::{file, open};

/// What a file may be long at most, in bytes: services, and loads of the accuracy suite.
const MOST: u64 = 60 << 10;
const MOST_OF_A_LOAD: u64 = 160 << 10;

/// Every recording in a directory.
fn names(directory: &str) -> Vec<String> {
    let place = file("any").parent().map(|place| place.join(directory)).unwrap();
    let files = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    let recordings = files.filter(|path| path.extension().is_some_and(|end| end == "trec"));
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut names: Vec<_> = recordings.map(|path| format!("{directory}{}", name(&path))).collect();
    names.sort();
    names
}

/// Every recording there is; `tests/tests/accuracy.rs` replays those of loads.
fn all() -> Vec<String> {
    [names(""), names("accuracy/")].concat()
}

#[test]
fn each_has_its_test() {
    let tested = ["go-fanout", "gunicorn", "io-uring", "nginx-flask", "py-zipkin", "unix-socket"];
    assert_eq!(names(""), tested);
}

#[test]
fn they_are_small_and_hold_no_secrets() {
    for name in all() {
        assert_eq!(open(&name).header().secrets, Secrets::Masked, "{name}");
        let most = if name.contains('/') { MOST_OF_A_LOAD } else { MOST };
        assert!(std::fs::metadata(file(&name)).unwrap().len() <= most, "{name}");
    }
}

#[test]
fn nothing_tells_of_the_machine() {
    for name in all() {
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
