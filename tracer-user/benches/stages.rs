//! What the stages cost per span: recordings are played from memory, again and again, through all of
//! them and through causality alone. `cargo xtask bench [RECORDING...]`.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use rustix::time::{ClockId, clock_gettime};
use tracer_common::record::{PROCESS_EXEC, STATE_CLOSED, STATE_CONNECTING, VERDICT_HTTP};
use tracer_user::causality::{self, Causality};
use tracer_user::config::Limits;
use tracer_user::connection::{Cookie, Info, Moment};
use tracer_user::exchange::{Exchanges, Signal};
use tracer_user::kernel::Event;
use tracer_user::pipeline::{Pipeline, Settings};
use tracer_user::replay::{Input, Told, open};
use tracer_user::trace::Clock;

#[derive(Parser)]
struct Options {
    /// Passed on by `cargo bench`
    #[arg(long)]
    bench: bool,
    /// How often each recording is played in each way
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Recordings [default: those in tests/recordings]
    recordings: Vec<PathBuf>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let recordings = match options.recordings.is_empty() {
        true => there(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/recordings")))?,
        false => options.recordings,
    };
    println!("microseconds of CPU per span: min / median / max of {} rounds", options.rounds);
    for path in recordings {
        let played = Played::read(&path).with_context(|| path.display().to_string())?;
        // One after the other and again, so that what else the machine does meets both.
        let (mut all, mut causality, mut spans) = (vec![], vec![], 0);
        for _ in 0..options.rounds {
            let (took, count) = played.through_all();
            spans = count;
            all.push(took);
            causality.push(played.through_causality());
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let per_span = |times: Vec<Duration>| statistics(times, spans);
        println!(
            "{name:24} {spans:6} spans   all stages {}   causality {}",
            per_span(all),
            per_span(causality)
        );
    }
    Ok(())
}

fn there(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)?.collect::<Result<Vec<_>, _>>()?;
    let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "trec"));
    paths.sort();
    Ok(paths)
}

/// This thread's CPU time so far: the machine may be busy with other things.
fn spent() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

fn statistics(mut times: Vec<Duration>, spans: usize) -> String {
    times.sort();
    let of = |time: Option<&Duration>| {
        time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e6 / spans.max(1) as f64)
    };
    let (min, median, max) = (of(times.first()), of(times.get(times.len() / 2)), of(times.last()));
    format!("{min:.2} / {median:.2} / {max:.2}")
}

/// What causality is given, in order.
enum Step {
    Advance(u64),
    Connect(Moment, Cookie),
    Disconnect(Moment, Cookie),
    Operation(Moment, Cookie),
    Course(Moment, Cookie, u32, u32),
    Exited(u32, u64),
    Signal(Signal),
}

/// A recording in memory.
struct Played {
    clock: Clock,
    settings: Settings,
    inputs: Vec<Input>,
    steps: Vec<Step>,
}

impl Played {
    fn read(path: &Path) -> Result<Self> {
        let mut source = open(path, &Limits::default())?.source;
        let settings = source.settings().context("a recording is needed")?;
        let mut inputs = vec![];
        while let Some(input) = source.next()? {
            inputs.push(input);
        }
        let steps = steps(&inputs, &settings);
        Ok(Self { clock: source.clock(), settings, inputs, steps })
    }

    fn through_all(&self) -> (Duration, usize) {
        let told = Told::new(Default::default());
        let mut pipeline = Pipeline::new(self.settings.clone(), told, self.clock);
        let begun = spent();
        let mut spans = 0;
        for input in &self.inputs {
            match input {
                Input::Record(bytes) => pipeline.record(bytes),
                Input::Advance(now) => drop(pipeline.advance(*now)),
                Input::Process { pid, resource, wanted } => {
                    pipeline.directory().tell(*pid, resource.clone(), *wanted);
                }
                Input::Stop(now) => pipeline.stop(*now),
                Input::Lost { .. } | Input::Clock { .. } | Input::Existing { .. } => {}
            }
            spans += black_box(pipeline.take_spans()).len();
            pipeline.take_verdicts();
        }
        (spent().saturating_sub(begun), spans)
    }

    fn through_causality(&self) -> Duration {
        let Settings { settle, max_hold, min_confidence, without, .. } = self.settings;
        let settings = causality::Settings { settle, max_hold, min_confidence, without };
        let mut stage = Causality::new(settings);
        let begun = spent();
        for step in &self.steps {
            match step {
                Step::Advance(now) => {
                    black_box(stage.poll(*now).count());
                    black_box(stage.take_forgotten().count());
                }
                Step::Connect(at, cookie) => stage.connect(*at, *cookie),
                Step::Disconnect(at, cookie) => stage.disconnect(*at, *cookie),
                Step::Operation(at, cookie) => stage.operation(*at, *cookie),
                Step::Course(at, cookie, change, thread) => {
                    stage.course(*at, *cookie, *change, *thread)
                }
                Step::Exited(pid, now) => stage.exited(*pid, *now),
                Step::Signal(signal) => stage.signal(signal),
            }
        }
        spent().saturating_sub(begun)
    }
}

/// What the stages before causality make of a recording.
fn steps(inputs: &[Input], settings: &Settings) -> Vec<Step> {
    let mut exchanges =
        Exchanges::new(settings.connections, settings.open_exchanges, settings.protocols());
    let (mut steps, mut signals, mut order) = (vec![], vec![], 0);
    for input in inputs {
        match input {
            Input::Record(bytes) => {
                let Some(event) = Event::parse(bytes) else { continue };
                order += 1;
                let header = *event.header();
                let (time, pid, tid, flow) = (header.time, header.pid, header.tid, event.flow());
                let at = Moment { time, pid, tid, order, flow };
                let cookie = Cookie(header.cookie);
                steps.push(Step::Advance(time));
                match event {
                    Event::Data(record, head, tail) => {
                        steps.push(Step::Operation(at, cookie));
                        exchanges.data(&record, head, tail, at, &mut signals);
                    }
                    Event::Connection(record) if record.verdict == VERDICT_HTTP => {
                        if let Some(info) = Info::of(&record) {
                            exchanges.connection(&record, info, at);
                        }
                    }
                    Event::State(record) if record.state == STATE_CONNECTING => {
                        steps.push(Step::Connect(at, cookie));
                    }
                    Event::State(record) => {
                        exchanges.state(&record, at, &mut signals);
                        if record.state == STATE_CLOSED {
                            steps.push(Step::Disconnect(at, cookie));
                        }
                    }
                    Event::Course(record) => {
                        steps.push(Step::Course(at, cookie, record.change, record.subject));
                    }
                    Event::Process(record) if record.change != PROCESS_EXEC => {
                        exchanges.exited(pid, at, &mut signals);
                        steps.push(Step::Exited(pid, time));
                    }
                    Event::Connection(_) | Event::Traffic(_) | Event::Process(_) => {}
                }
            }
            Input::Advance(now) => {
                exchanges.poll(*now, &mut signals);
                steps.push(Step::Advance(*now));
            }
            Input::Stop(now) => {
                let at = Moment { time: *now, order: order + 1, ..Moment::default() };
                exchanges.stop(at, &mut signals);
            }
            _ => {}
        }
        steps.extend(signals.drain(..).map(Step::Signal));
    }
    steps.push(Step::Advance(u64::MAX));
    steps
}
