//! Runs `tests/programs/mover`, and checks what the tracer saw of it.

use std::fs;
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
    pub(crate) conversation: Conversation,
    pub(crate) client: String,
    pub(crate) server: String,
}

impl Case {
    /// Each side alone, with the same calls.
    pub(crate) fn alike(conversation: Conversation, put: &str, take: &str) -> Case {
        let side = format!("alone,{put},{take}");
        Case { conversation, client: side.clone(), server: side }
    }

    /// Both sides send and receive in the plainest way.
    pub(crate) fn shared(conversation: Conversation, client: &str, server: &str) -> Case {
        let side = |arrangement| format!("{arrangement},send,recv");
        Case { conversation, client: side(client), server: side(server) }
    }

    /// The command for one role, or for `both`.
    pub(crate) fn command(&self, name: &str, transport: &str, role: &str) -> Result<Command> {
        let file = paths::logs().join(format!("sockets-{name}.conversation"));
        fs::create_dir_all(paths::logs())?;
        fs::write(&file, &self.conversation.file)?;
        let mut command = Command::new(prepare::c_program("mover", &[], &[])?);
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
        ensure!(span.resource("service.name") == Some("mover"), "{span:#?}");
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

/// [`traced`] and [`check`].
pub(crate) fn found(group: &str, cases: &[Case]) -> Result<()> {
    check(&traced(group, cases)?, cases)
}
