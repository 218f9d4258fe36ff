//! GnuTLS, by programs of the distribution's that use it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use tests::process;
use tests::span::Side;
use tests::traced::ToFile;

use crate::pair::{Pair, gunicorn, only};

/// wget itself, and git by the curl that is built with GnuTLS: of each the requests are seen at both
/// ends, the other of which has OpenSSL.
#[test]
fn wget_and_git_to_gunicorn() -> Result<()> {
    let pair = Pair::start("tls-gnutls", &gunicorn)?;
    let tracer = ToFile::start("tls-gnutls", &["--port", &pair.ports()])?;
    let url = format!("https://localhost:{}", pair.front);
    let mut wget = Command::new("wget");
    wget.args(["--quiet", "--no-proxy", "--tries=1", "--timeout=10", "--output-document=-"]);
    wget.arg(format!("--ca-certificate={}", pair.certificates.authority.display()));
    wget.args(["go/first", "leaf/second"].map(|path| format!("{url}/{path}")));
    process::run("wget", &mut wget)?;
    let mut git = Command::new("git");
    git.args(["ls-remote", &format!("{url}/leaf/git")]);
    git.env("GIT_SSL_CAINFO", &pair.certificates.authority).env("GIT_TERMINAL_PROMPT", "0");
    git.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", pair.certificates.directory());
    // There is no repository, of course.
    ensure!(!git.output()?.status.success(), "git found something");
    let seen = tracer.stop()?;
    let spans = &seen.spans;
    ensure!(spans.iter().all(|span| span.name != "TLS"), "{spans:?}");
    for path in ["/go/first", "/leaf/first", "/leaf/second", "/leaf/git/info/refs"] {
        let (client, server) = (only(spans, Side::Client, path)?, only(spans, Side::Server, path)?);
        ensure!(server.parent == client.id, "{path}: not paired");
        ensure!(
            client.get("url.full").is_some_and(|url| url.starts_with("https://")),
            "{client:?}"
        );
    }
    for (library, path) in [("libgnutls", "/usr/bin/wget"), ("libcurl-gnutls", REMOTE)] {
        // Else something else was tried.
        let file = fs::read(Path::new(path))?;
        ensure!(contains(&file, library.as_bytes()), "{path} does not use {library}");
    }
    Ok(())
}

/// The part of git that speaks HTTP.
const REMOTE: &str = "/usr/lib/git-core/git-remote-https";

fn contains(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|window| window == text)
}
