//! What threads run: contexts that begin others, work that is handed on, threads that start and end.

use tracer_common::record::{
    self, COURSE_ASKS, COURSE_BEGINS, COURSE_ENDS, COURSE_SPAWNS, Flow, KIND_COURSE,
};
use zerocopy::IntoBytes;

use super::{End, Script, Task, Wire};

impl Script {
    /// From now on the thread runs this context, which was started by `parent` (0: not known).
    pub(crate) fn run(&mut self, by: Task, kind: u32, context: u64, parent: u64) {
        let flow = Flow { context, parent, kind, ..Flow::default() };
        self.flows.insert(by.tid, flow);
    }

    /// From now on the thread works for the request that was read at this time, by another thread.
    pub(crate) fn take_over(&mut self, by: Task, origin: u64) {
        self.flows.insert(by.tid, Flow { origin, hops: 1, ..Flow::default() });
    }

    /// What the thread runs is about to ask for something on the connection.
    pub(crate) fn ask_on(&mut self, by: Task, wire: Wire) {
        let cookie = self.half(wire, End::Opener).cookie;
        self.course(by, COURSE_ASKS, cookie, self.flow(by));
    }

    /// What the thread runs starts another context.
    pub(crate) fn begin(&mut self, by: Task, context: u64) {
        let flow = self.flow(by);
        let origin = self.begun.get(&(by.pid, flow.context)).copied().unwrap_or(0);
        let begins = Flow { context, parent: flow.context, origin, ..flow };
        self.course(by, COURSE_BEGINS, 0, begins);
        self.begun.insert((by.pid, context), self.now);
    }

    /// What the thread runs does this to a stream, as one end of its connection: `COURSE_*`.
    pub(crate) fn stream(&mut self, by: Task, change: u32, wire: Wire, end: End, stream: u32) {
        let cookie = if stream == 0 { 0 } else { self.half(wire, end).cookie };
        self.course_of(by, change, cookie, stream, self.flow(by));
    }

    /// A thread starts another one.
    pub(crate) fn spawn(&mut self, by: Task, thread: u32) {
        self.course_of(by, COURSE_SPAWNS, 0, thread, Flow::default());
    }

    /// A thread ends.
    pub(crate) fn end(&mut self, thread: Task) {
        self.course_of(thread, COURSE_ENDS, 0, 0, Flow::default());
    }

    fn course(&mut self, by: Task, change: u32, cookie: u64, flow: Flow) {
        self.course_of(by, change, cookie, 0, flow);
    }

    fn course_of(&mut self, by: Task, change: u32, cookie: u64, subject: u32, flow: Flow) {
        let header = self.header(KIND_COURSE, by, cookie);
        let record = record::Course { header, change, subject, flow };
        self.push(by.pid, record.as_bytes().to_vec());
    }

    pub(super) fn flow(&self, by: Task) -> Flow {
        self.flows.get(&by.tid).copied().unwrap_or_default()
    }
}
