//! The store of a run.

use anyhow::Result;
use bytesize::ByteSize;

use crate::config::Data;
use crate::store::Store;

/// Opens it, unless there shall be none. If the default directory can't be had, tracing goes on without;
/// one that somebody chose must be had.
///
/// # Errors
/// It can't be opened.
pub(super) fn open(data: &Data) -> Result<Option<Store>> {
    let Some(limits) = data.store else { return Ok(None) };
    match Store::open(&data.directory, limits) {
        Ok(store) => {
            if let Some(trouble) = store.stats().last_trouble {
                eprintln!("store: {trouble}");
            }
            Ok(Some(store))
        }
        Err(error) if data.chosen => Err(error.into()),
        Err(error) => {
            eprintln!("no traces are kept: {error}");
            Ok(None)
        }
    }
}

/// Said at the end; all has been written.
pub(super) fn summary(store: &Store, data: &Data) -> String {
    let stats = store.stats();
    let (bytes, most) = (ByteSize::b(stats.bytes), ByteSize::b(stats.limits.bytes));
    let mut text = format!(
        "stored: {} spans; {} in {} ({} of {}",
        stats.stored,
        stats.spans,
        data.directory.display(),
        bytes.display().iec(),
        most.display().iec(),
    );
    if stats.removed > 0 {
        text.push_str(&format!(", {} removed to keep to the limits", stats.removed));
    }
    text.push_str(")\n");
    if let (false, Some(trouble)) = (stats.lost.is_empty(), stats.last_trouble) {
        text.push_str(&format!("store: {trouble}\n"));
    }
    text
}
