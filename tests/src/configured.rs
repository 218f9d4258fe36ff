//! Servers that read a file of configuration.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::prepare;

/// How to start `nginx`, `haproxy` or `envoy` with a template of a configuration, in which words are replaced:
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
    // Envoy goes by the ending.
    let ending = template.extension().unwrap_or_default().display();
    let file = directory.join(format!("{server}-{port}.{ending}"));
    fs::write(&file, configuration)?;
    let mut command = match server {
        "envoy" => Command::new(prepare::envoy()?),
        _ => Command::new(server),
    };
    match server {
        "haproxy" => command.arg("-db").arg("-f").arg(&file),
        "envoy" => {
            command.args(["--concurrency", "2", "--use-dynamic-base-id", "--log-level", "warning"]);
            command.arg("-c").arg(&file)
        }
        _ => command.args(["-e", "stderr", "-c"]).arg(&file),
    };
    // Debian keeps servers where only root's PATH looks.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin"));
    Ok(command)
}
