//! With the Node.js of this host, if it has one.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::super::{Candidate, Detector as _};
use super::Node;
use tracer_common::record::FLOW_PROMISE;

/// Says that it runs, and waits for its input to end.
const SCRIPT: &str = "console.log('ready'); process.stdin.resume()";

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_queue_of_microtasks_is_found() {
    let (input, output) = (Stdio::piped(), Stdio::piped());
    let started = Command::new("node").args(["-e", SCRIPT]).stdin(input).stdout(output).spawn();
    let Ok(mut node) = started.map(Running) else { return };
    let mut line = String::new();
    BufReader::new(node.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let process = Candidate::open(node.0.id()).unwrap();
    // It may be older than V8 11, or a distribution's, which has V8 in a library.
    let Some(insight) = Node::default().look(&process) else { return };
    let runtime = insight.runtime.unwrap();
    assert_eq!((runtime.kind, runtime.steps), (FLOW_PROMISE, 2));
    assert!(runtime.path[0] < 0 && runtime.path[1] > 0);
}

#[test]
fn other_programs_are_not_taken_for_it() {
    let this = Candidate::open(std::process::id()).unwrap();
    assert_eq!(Node::default().look(&this), None);
}
