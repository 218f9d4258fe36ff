//! Where an isolate keeps its queue of microtasks. Found as what it points to: an object that holds
//! together as only a queue does (V8 9 to 13, src/execution/microtask-queue.h).

use super::super::memory::Memory;
use super::image::Image;

/// The main thread's control block is in a piece of memory of its own, or with little else.
const LONGEST: u64 = 1 << 20;
/// Isolates that are looked at: pointers where one may be.
const MAX_ISOLATES: usize = 8;
/// Words of an isolate among which is the pointer to its queue: it is some 60 KiB long.
const ISOLATE: usize = 0x20000 / 8;

/// Bytes from an isolate's beginning to the pointer to its queue.
pub(super) fn queue(memory: &Memory, image: &Image) -> Option<i32> {
    let isolates = threads(memory)
        .filter_map(|pointer| memory.word(pointer.wrapping_add_signed(image.isolate.into())))
        .filter(|&isolate| memory.holds_data(isolate));
    isolates.take(MAX_ISOLATES).find_map(|isolate| {
        let words = memory.words(isolate, ISOLATE);
        let at = words.iter().position(|&word| is_queue(memory, image, word))?;
        i32::try_from(8 * at).ok()
    })
}

/// Thread pointers: glibc's `tcbhead_t` begins with its own address and has it again in its third
/// word (sysdeps/x86_64/nptl/tls.h).
fn threads(memory: &Memory) -> impl Iterator<Item = u64> {
    memory.pieces(LONGEST).flat_map(|(start, len)| {
        let words = memory.words(start, (len / 8) as usize);
        let is_own = move |at: &usize| {
            let own = start + 8 * *at as u64;
            words.get(*at) == Some(&own) && words.get(*at + 2) == Some(&own)
        };
        let found: Vec<_> = (0..(len / 8) as usize).filter(is_own).collect();
        found.into_iter().map(move |at| start + 8 * at as u64)
    })
}

/// It has the table of functions of its class, like its neighbours in the ring of all queues; a size,
/// a capacity (a power of two, or 0 before the first use), the first entry and the entries.
fn is_queue(memory: &Memory, image: &Image, address: u64) -> bool {
    const NEXT: u64 = 48;
    const BEFORE: u64 = 56;
    /// Bits that relocation leaves alone.
    const IN_PAGE: u64 = 0xfff;
    if !memory.holds_data(address) {
        return false;
    }
    let words = memory.words(address, 8);
    let [table, size, capacity, start, entries, _, next, before] = words[..] else { return false };
    let unused = [size, capacity, start, entries] == [0; 4];
    let used = capacity.is_power_of_two()
        && size <= capacity
        && start < capacity
        && memory.holds_data(entries);
    (used || unused)
        && (table ^ image.table) & IN_PAGE == 0
        && !memory.holds_data(table)
        && memory.word(next) == Some(table)
        && memory.word(next.wrapping_add(BEFORE)) == Some(address)
        && memory.word(before.wrapping_add(NEXT)) == Some(address)
}
