//! Runs `tests/programs/mover`, and checks what the tracer saw of it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests::exchanges;
use tests::export::Span;
use tests::span::Side;
use tests::traced::{Seen, ToFile};
use tests::{paths, ports, prepare, process};

use crate::conversation::{Conversation, REST, SLACK};

/// A conversation, and how each side moves it: `ARRANGEMENT,PUT,TAKE` as tests/programs/mover/main.c
/// has them.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) program: Program,
    pub(crate) conversation: Conversation,
    pub(crate) client: String,
    pub(crate) server: String,
}

/// By what the bytes are moved.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    /// System calls: tests/programs/mover.
    Calls,
    /// io_uring: tests/programs/uring.
    Uring,
}

impl Program {
    fn build(self) -> Result<PathBuf> {
        match self {
            Program::Calls => prepare::mover(),
            Program::Uring => prepare::uring(),
        }
    }
}

impl Case {
    /// Each side alone, with the same calls.
    pub(crate) fn alike(conversation: Conversation, put: &str, take: &str) -> Case {
        let side = format!("alone,{put},{take}");
        let program = Program::Calls;
        Case { program, conversation, client: side.clone(), server: side }
    }

    /// Both sides send and receive in the plainest way.
    pub(crate) fn shared(conversation: Conversation, client: &str, server: &str) -> Case {
        let side = |arrangement| format!("{arrangement},send,recv");
        let program = Program::Calls;
        Case { program, conversation, client: side(client), server: side(server) }
    }

    /// The command for one role, or for `both`.
    pub(crate) fn command(&self, name: &str, transport: &str, role: &str) -> Result<Command> {
        let file = paths::logs().join(format!("sockets-{name}.conversation"));
        fs::create_dir_all(paths::logs())?;
        fs::write(&file, &self.conversation.file)?;
        let mut command = Command::new(self.program.build()?);
        command.arg(file).args([transport, role, &self.client, &self.server]);
        Ok(command)
    }

    /// Whether the client's end of a response is only known by what follows.
    fn is_late(&self) -> bool {
        [",splice", ",tee"].iter().any(|take| self.client.ends_with(take))
    }
}

/// Has all conversations over TCP on the loopback address under one tracer.
pub(crate) fn traced(group: &str, cases: &[Case]) -> Result<Seen> {
    let port = ports::free()?;
    let tracer = ToFile::start(&format!("sockets-{group}"), &["--port", &port.to_string()])?;
    for (number, case) in cases.iter().enumerate() {
        let transport = format!("tcp:127.0.0.1:{port}");
        let mut command = case.command(&format!("{group}-{number}"), &transport, "both")?;
        process::run(&format!("{} | {}", case.client, case.server), &mut command)?;
    }
    tracer.stop()
}

/// Every exchange of every case is there on both sides, whole and in time, and nothing else is.
pub(crate) fn check(seen: &Seen, cases: &[Case]) -> Result<()> {
    let all: Vec<_> = cases.iter().flat_map(|case| case.conversation.exchanges.clone()).collect();
    let (spans, summary) = (&seen.spans, &seen.summary);
    exchanges::exactly(spans, &all).with_context(|| summary.clone())?;
    for span in spans {
        let service = span.resource("service.name").unwrap_or_default();
        ensure!(service.starts_with("mover") || service == "uring", "{span:#?}");
    }
    for case in cases {
        for (before, after) in &case.conversation.rests {
            for side in [Side::Client, Side::Server] {
                let late = side == Side::Client && case.is_late();
                rested(
                    spans,
                    side,
                    before,
                    after,
                    if late { Duration::ZERO } else { REST - SLACK },
                )
                .with_context(|| format!("{} | {}", case.client, case.server))?;
            }
        }
    }
    ensure!(summary.ends_with("lost: nothing"), "{summary}");
    Ok(())
}

/// The one exchange ended so long before the other began.
fn rested(spans: &[Span], side: Side, before: &str, after: &str, least: Duration) -> Result<()> {
    let ended = exchanges::one(spans, side, before)?.end;
    let began = exchanges::one(spans, side, after)?.start;
    let rest = Duration::from_nanos(began.saturating_sub(ended));
    ensure!(began >= ended && rest >= least, "{side:?}: {rest:?} from {before} to {after}");
    Ok(())
}

/// The same over unix sockets of one kind: `path`, `abstract` or `pair`. They have no ports to
/// choose by, so the program has a name of its own.
pub(crate) fn traced_unix(group: &str, kind: &str, cases: &[Case]) -> Result<Seen> {
    let program = cases.first().context("no cases")?.program.build()?;
    let named = paths::programs().join(format!("mover-{group}"));
    let _ = fs::remove_file(&named);
    fs::hard_link(&program, &named)?;
    let exe = named.to_string_lossy();
    let tracer = ToFile::start(&format!("sockets-{group}"), &["--exe", &exe])?;
    for (number, case) in cases.iter().enumerate() {
        let name = format!("{group}-{number}");
        let socket = paths::logs().join(format!("{name}.socket"));
        let _ = fs::remove_file(&socket);
        let transport = match kind {
            "path" => format!("unix:{}", socket.display()),
            "abstract" => format!("unix:@tracer-test-{}-{name}", std::process::id()),
            _ => "pair".to_owned(),
        };
        let mut command = Command::new(&named);
        command.args(case.command(&name, &transport, "both")?.get_args());
        process::run(&format!("{} | {}", case.client, case.server), &mut command)?;
    }
    let seen = tracer.stop()?;
    for span in &seen.spans {
        ensure!(span.get("network.transport") == Some("unix"), "{span:#?}");
    }
    Ok(seen)
}

/// [`traced`] and [`check`].
pub(crate) fn found(group: &str, cases: &[Case]) -> Result<()> {
    check(&traced(group, cases)?, cases)
}
