//! Takes the host's other processes out of a recording: nothing comes of them, and their names are
//! nobody's business.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use tracer_user::config::{RunArgs, Settings};
use tracer_user::kernel::Event;
use tracer_user::recording::{Reader, Writer};
use tracer_user::replay::{Input, Source, drive};
use tracer_user::trace::{Span, Value};

/// Copies the recording without them; it must still make the same spans.
pub(crate) fn leave_out(from: &Path, to: &Path) -> Result<()> {
    let inputs = read(from)?;
    let mut traced = HashSet::new();
    let mut connections = HashSet::new();
    for input in &inputs {
        if let Input::Process { pid, wanted: Some(true), .. } = input {
            traced.insert(*pid);
        }
    }
    for header in inputs.iter().filter_map(record).map(|event| *event.header()) {
        if header.cookie != 0 && traced.contains(&header.pid) {
            connections.insert(header.cookie);
        }
    }
    let mut writer = Writer::new(File::create(to)?, Reader::new(File::open(from)?)?.header())?;
    for mut input in inputs {
        let kept = match &mut input {
            Input::Process { wanted, .. } => *wanted == Some(true),
            Input::Existing { connections, .. } => {
                connections.retain(|(_, pid)| traced.contains(pid));
                true
            }
            other => record(other).is_none_or(|event| match event {
                // Told by whoever runs when the kernel closes it.
                Event::State(state) => connections.contains(&state.header.cookie),
                event => traced.contains(&event.header().pid),
            }),
        };
        if kept {
            writer.push(&input)?;
        }
    }
    writer.flush()?;
    ensure!(spans(from)? == spans(to)?, "the other processes had a part in it");
    Ok(())
}

/// Says of programs that they are in `/srv`, where they are in the other recordings.
pub(crate) fn rename(file: &Path) -> Result<()> {
    let header = Reader::new(File::open(file)?)?.header().clone();
    let mut inputs = read(file)?;
    let mut writer = Writer::new(File::create(file)?, &header)?;
    for input in &mut inputs {
        if let Input::Process { resource, .. } = input {
            for (name, value) in &mut Arc::make_mut(resource).attributes {
                if let (true, Value::Text(path)) = (name == "process.executable.path", &mut *value)
                {
                    let program = path.rsplit('/').next().unwrap_or_default();
                    *value = Value::Text(format!("/srv/{program}").into());
                }
            }
        }
        writer.push(input)?;
    }
    Ok(writer.flush()?)
}

fn read(file: &Path) -> Result<Vec<Input>> {
    let mut reader = Reader::new(File::open(file)?)?;
    let mut inputs = vec![];
    while let Some(input) = reader.next()? {
        inputs.push(input);
    }
    Ok(inputs)
}

fn record(input: &Input) -> Option<Event<'_>> {
    if let Input::Record(bytes) = input { Event::parse(bytes) } else { None }
}

/// In an order of their own: which of them are ready first also depends on when something happened
/// elsewhere.
fn spans(file: &Path) -> Result<Vec<Arc<Span>>> {
    let settings = Settings::resolve(&RunArgs::default(), None, &|_| None)?;
    let mut spans = vec![];
    let replayed = drive(&mut Reader::new(File::open(file)?)?, &settings, |some| {
        spans.extend(some);
        true
    });
    spans.sort_by_key(|span| (span.start, span.span_id.to_string()));
    replayed.broken.map_or(Ok(spans), Err)
}
