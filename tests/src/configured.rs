//! Servers that read a file of configuration.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

/// How to start `nginx` or `haproxy` with a template of a configuration, in which words are replaced:
/// DIRECTORY, where it may write, PORT, where it listens, and UPSTREAM, the port of whom it passes on to.
pub fn command(
    server: &str,
    template: &Path,
    directory: &Path,
    upstream: Option<u16>,
    port: u16,
) -> Result<Command> {
    fs::create_dir_all(directory)?;
    let configuration = fs::read_to_string(template)
        .with_context(|| template.display().to_string())?
        .replace("DIRECTORY", &directory.display().to_string())
        .replace("UPSTREAM", &upstream.unwrap_or(0).to_string())
        .replace("PORT", &port.to_string());
    let file = directory.join(format!("{server}-{port}.conf"));
    fs::write(&file, configuration)?;
    let mut command = Command::new(server);
    match server {
        "haproxy" => command.arg("-db").arg("-f").arg(&file),
        _ => command.args(["-e", "stderr", "-c"]).arg(&file),
    };
    // Debian keeps servers where only root's PATH looks.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin"));
    Ok(command)
}
