//! From a source through the pipeline.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;

use crate::config::Settings;
use crate::pipeline::{self, Pipeline};
use crate::trace::Span;

use super::{Input, LeftOut, Source, Told};

/// Inputs between two hand-overs of spans.
const BATCH: usize = 1024;

/// How a replay ended.
#[derive(Debug)]
pub struct Replayed {
    /// Every loss by name: the source's and the pipeline's.
    pub losses: BTreeMap<&'static str, u64>,
    /// What the source passed over and is no loss.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// What stopped it before the source's end; all before that is handed over.
    pub broken: Option<anyhow::Error>,
}

/// Takes a source to its end, or until `hand_over` says that it is enough. `hand_over` gets the
/// spans in the order in which they become ready.
pub fn drive(
    source: &mut dyn Source,
    settings: &Settings,
    mut hand_over: impl FnMut(Vec<Arc<Span>>) -> bool,
) -> Replayed {
    let mut pipeline = pipeline(source, settings);
    drive_through(source, &mut pipeline, |pipeline| hand_over(pipeline.take_spans()))
}

/// The settings of the run that a source is from, unless others were asked for.
pub fn chosen(source: &dyn Source, settings: &Settings) -> pipeline::Settings {
    let recorded = source.settings();
    let mut chosen =
        recorded.map_or_else(|| settings.pipeline(), |recorded| settings.pipeline_over(recorded));
    if source.knows_addresses_only() {
        // It has each connection once, as its server saw it; and who wrote what in one go, its
        // packets do not tell.
        (chosen.backing.servers, chosen.backing.join) = (true, false);
        chosen.backing.lookups = true;
    }
    chosen
}

/// A pipeline for a source, with those.
pub fn pipeline(source: &dyn Source, settings: &Settings) -> Pipeline<Told> {
    let told = Told::new(settings.filter.clone());
    let mut pipeline = Pipeline::new(chosen(source, settings), told, source.clock());
    if source.knows_addresses_only() {
        pipeline.name_by_address();
    }
    pipeline
}

/// Takes a source to its end, or until `look` says that it is enough, which looks at the pipeline
/// now and then and once after the end.
pub fn drive_through(
    source: &mut dyn Source,
    pipeline: &mut Pipeline<Told>,
    mut look: impl FnMut(&mut Pipeline<Told>) -> bool,
) -> Replayed {
    let mut last = 0;
    let broken = loop {
        match feed(source, pipeline, &mut last) {
            Ok(true) if look(pipeline) => {}
            Ok(_) => break None,
            Err(error) => break Some(error),
        }
    };
    pipeline.stop(last);
    look(pipeline);
    let LeftOut { mut losses, passed_over } = source.left_out();
    for (name, count) in pipeline.losses() {
        *losses.entry(name).or_default() += count;
    }
    Replayed { losses, passed_over, broken }
}

/// Takes the next inputs; whether there are more.
fn feed(source: &mut dyn Source, pipeline: &mut Pipeline<Told>, last: &mut u64) -> Result<bool> {
    for _ in 0..BATCH {
        match source.next()? {
            None => return Ok(false),
            Some(Input::Record(bytes)) => pipeline.record(&bytes),
            Some(Input::Advance(now)) => {
                pipeline.advance(now);
            }
            Some(Input::Lost { since, until }) => pipeline.lost_records(since, until),
            Some(Input::Clock { since, boot, unix }) => {
                pipeline.clock(since, boot, unix);
            }
            Some(Input::Existing { connections, first }) => pipeline.existing(connections, first),
            Some(Input::Process { pid, resource, wanted }) => {
                pipeline.directory().tell(pid, resource, wanted);
            }
            Some(Input::Stop(now)) => *last = now,
        }
    }
    // The kernel side, which would have to be told, is a file here.
    pipeline.take_verdicts();
    Ok(true)
}
