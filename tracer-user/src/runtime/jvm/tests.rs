//! With the Java of this host, if it has one.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::super::{Candidate, Detector as _};
use super::Java;
use tracer_common::record::FLOW_FUTURE;

/// Waits for a future, says that it runs, and waits for its input to end.
const PROGRAM: &str = "
public class Waits {
    public static void main(String[] arguments) throws Exception {
        var first = new java.util.concurrent.CompletableFuture<Void>();
        var second = new java.util.concurrent.CompletableFuture<Void>();
        var both = first.thenCombine(second, (a, b) -> a);
        new Thread(() -> { first.complete(null); second.complete(null); }).start();
        both.get();
        System.out.println(\"ready\");
        System.in.read();
    }
}
";

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn futures_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("Waits.java");
    std::fs::write(&source, PROGRAM).unwrap();
    let (input, output) = (Stdio::piped(), Stdio::piped());
    let started = Command::new("java").arg(&source).stdin(input).stdout(output).spawn();
    let Ok(mut java) = started.map(Running) else { return };
    let mut line = String::new();
    BufReader::new(java.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let process = Candidate::open(java.0.id()).unwrap();
    let insight = Java::default().look(&process).unwrap();
    let runtime = insight.runtime.unwrap();
    assert_eq!(runtime.kind, FLOW_FUTURE);
    let jvm = runtime.jvm;
    assert!(jvm.heap_start < jvm.heap_end && jvm.future != 0 && jvm.single != 0);
    assert!(jvm.eetop != 0 && jvm.osthread != 0 && jvm.thread_id != 0 && jvm.thread_number != 0);
    // An object's head has twelve bytes, and a pointer four.
    assert!([jvm.stack, jvm.next, jvm.dependent].iter().all(|at| (12..64).contains(at)), "{jvm:?}");
}

#[test]
fn other_programs_are_not_taken_for_it() {
    let this = Candidate::open(std::process::id()).unwrap();
    assert_eq!(Java::default().look(&this), None);
}
