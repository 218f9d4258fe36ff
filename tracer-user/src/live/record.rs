//! `tracer record`: what it adds to `tracer run`.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use bytesize::ByteSize;

use crate::config::RecordArgs;
use crate::pipeline::Settings;
use crate::recording::{Header, Recorder, Secrets, Totals};
use crate::trace::Clock;

/// Creates the file. One with secrets can be read by its owner alone.
pub(super) fn start(args: &RecordArgs, settings: &Settings, clock: &Clock) -> Result<Recorder> {
    let mut options = OpenOptions::new();
    options.write(true).mode(if args.with_secrets { 0o600 } else { 0o666 });
    if args.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let name = args.file.display();
    let file = options.open(&args.file).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!("{name} is there already; --force writes over it"),
        _ => anyhow!("cannot write {name}: {error}"),
    })?;
    let secrets = if args.with_secrets { Secrets::Kept } else { Secrets::Masked };
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    let header = Header::new(settings, clock, kernel, secrets);
    Recorder::start(file, &header, args.max_size)
        .with_context(|| format!("cannot write the recording {name}"))
}

/// Said at the start.
pub(super) fn announcement(args: &RecordArgs) -> String {
    let name = args.file.display();
    if args.with_secrets {
        format!(
            "recording to {name}\nWARNING: --with-secrets: {name} will hold every byte that is seen, \
             passwords, cookies and keys included; give it to nobody"
        )
    } else {
        format!("recording to {name}; secrets and bodies are masked")
    }
}

/// Said at the end.
pub(super) fn summary(args: &RecordArgs, totals: &Totals, took: Duration) -> String {
    let size = ByteSize::b(totals.bytes).display().iec();
    let (name, inputs, seconds) = (args.file.display(), totals.inputs, took.as_secs_f64());
    let mut text = format!("recorded: {inputs} events, {size}, {seconds:.1} s to {name}\n");
    if totals.lost > 0 {
        text.push_str(&format!("lost: {} recording_queue_full\n", totals.lost));
    }
    text
}
