//! What a recording keeps.

use std::fs::File;
use std::path::Path;

use anyhow::Result;
use tracer_user::recording::Reader;
use tracer_user::replay::{Input, Source as _};

/// The bytes of all records.
pub(crate) fn contents(file: &Path) -> Result<String> {
    let mut reader = Reader::new(File::open(file)?)?;
    let mut text = String::new();
    while let Some(input) = reader.next()? {
        if let Input::Record(bytes) = input {
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    Ok(text)
}
