//! `tracer trace ID`.

use std::io::{Write as _, stdout};
use std::path::Path;

use anyhow::Result;

use super::server::{Format, Reach, Server};
use super::wire::Trace;
use crate::waterfall;

/// Prints one trace that the running tracer holds. `directory`: where that keeps its token.
///
/// # Errors
/// No tracer answers, or it holds no such trace; standard output can't be written.
pub async fn trace(reach: &Reach, directory: &Path, id: &str, format: Format) -> Result<()> {
    let server = Server::new(reach, directory)?;
    let text = match format {
        Format::Waterfall => {
            let trace: Trace = server.get(&format!("ui/trace/{id}"), &[]).await?;
            waterfall::text(&trace.drawn(), waterfall::width(), waterfall::colours()).into()
        }
        Format::Otlp => server.file(id, "otlp").await?,
        Format::Zipkin => server.file(id, "zipkin").await?,
    };
    let mut out = stdout().lock();
    out.write_all(&text)?;
    if !text.ends_with(b"\n") {
        out.write_all(b"\n")?;
    }
    Ok(())
}
