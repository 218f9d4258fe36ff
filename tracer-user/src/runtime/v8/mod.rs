//! V8 as Node.js has it: which promise settles when all is done that waits for what a thread runs.
//! The places are found in the file's own symbols and, where it has none, in the live process by what
//! must hold there.

mod image;
mod isolate;

#[cfg(test)]
mod tests;

use tracer_common::record::FLOW_PROMISE;
use tracer_common::runtime::Runtime;

use super::memory::Memory;
use super::{Again, ByFile, Candidate, Detector, Insight};
use image::Image;

/// Recognises it.
#[derive(Debug, Default)]
pub(super) struct Node {
    images: ByFile<Option<Image>>,
    /// Where isolates keep their queue, as soon as one of that file's has been found.
    queues: ByFile<i32>,
}

impl Detector for Node {
    fn look(&mut self, process: &Candidate) -> Option<Insight> {
        let read = || process.exe.try_clone().ok().and_then(Image::read);
        let image = self.images.get(process.exe_id, read)?;
        let queue = self.queues.known(process.exe_id).or_else(|| {
            let found = isolate::queue(&Memory::of(process).ok()?, &image)?;
            Some(self.queues.get(process.exe_id, || found))
        });
        let runtime = queue.map(|queue| runtime(&image, queue));
        // It may be starting.
        Some(Insight { again: Again::later_if(runtime.is_none()), runtime, uprobes: vec![] })
    }
}

fn runtime(image: &Image, queue: i32) -> Runtime {
    let mut path = <[i32; _]>::default();
    path.iter_mut().zip([image.isolate, queue]).for_each(|(to, from)| *to = from);
    Runtime { kind: FLOW_PROMISE, steps: 2, path, v8: image.types, ..Runtime::default() }
}
