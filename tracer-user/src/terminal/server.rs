//! The running tracer.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args as ClapArgs, ValueEnum};
use reqwest::{Client, StatusCode};
use serde::de::DeserializeOwned;
use url::{Host, Url};

use crate::serve::Token;

/// Where a tracer is that was told nothing else.
const DEFAULT: &str = "http://127.0.0.1:7411";
/// For one answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How to reach a running tracer.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "The running tracer")]
pub struct Reach {
    /// Address of its web page, as its `tracing:` line has it, with the token or without [default:
    /// http://127.0.0.1:7411]
    #[arg(long, value_name = "URL")]
    pub url: Option<Url>,
    /// Its token, if the URL has none [default: the one that the tracer has kept on this host]
    ///
    /// A flag can be seen by everybody who can list processes; the variable can't.
    #[arg(long, value_name = "TOKEN", env = "TRACER_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Where a tracer on this host keeps its token, if that was not said either [default:
    /// /var/lib/tracer]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// How a trace is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A tree with bars where each span lies in time
    #[default]
    Waterfall,
    /// OTLP, as JSON
    Otlp,
    /// Zipkin v2, as JSON
    Zipkin,
}

/// A tracer that is asked.
#[derive(Clone, Debug)]
pub(super) struct Server {
    base: Url,
    token: Option<String>,
    client: Client,
}

impl Server {
    /// `directory`: where the tracer keeps its token.
    pub(super) fn new(reach: &Reach, directory: &std::path::Path) -> Result<Self> {
        let mut base = reach.url.clone().map_or_else(|| Url::parse(DEFAULT), Ok)?;
        let in_url = base.query_pairs().find(|(key, _)| key == "token").map(|(_, it)| it.into());
        base.set_query(None);
        // The secret of this host's tracer is not for others to hear.
        let kept = || is_here(&base).then(|| read(Token::file(directory))).flatten();
        let token = reach.token.clone().or(in_url).or_else(kept);
        // Another part of the process may have chosen a provider already; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Never by way of a proxy: it is this host, or one that was named.
        let client = Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        Ok(Self { base, token, client })
    }

    /// What is at this path below the page, with these parameters.
    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>> {
        let mut url = self.base.join(path).with_context(|| format!("no URL: {}", self.base))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.get(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let base = &self.base;
        let answer = request.send().await.with_context(|| {
            format!("no tracer answers at {base}; start one, or name its page with --url")
        })?;
        match answer.status() {
            StatusCode::OK => Ok(answer.bytes().await?.into()),
            StatusCode::NOT_FOUND => bail!("{}", answer.text().await?.trim()),
            StatusCode::UNAUTHORIZED => bail!(
                "the tracer at {base} asks for its token: run this as the tracer's user, or give \
                 --url as its `tracing:` line has it"
            ),
            other => bail!("the tracer at {base} answered {other}"),
        }
    }

    /// The same, parsed.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T> {
        let body = self.ask(path, query).await?;
        serde_json::from_slice(&body).context("the tracer is of another version")
    }

    /// One trace in a format of backends.
    pub(super) async fn file(&self, id: &str, format: &str) -> Result<Vec<u8>> {
        self.ask(&format!("ui/trace/{id}/{format}"), &[]).await
    }

    /// Whether anybody answers there.
    pub(super) async fn is_there(&self) -> bool {
        let url = self.base.join("healthz");
        match url {
            Ok(url) => self.client.get(url).send().await.is_ok(),
            Err(_) => false,
        }
    }
}

fn is_here(base: &Url) -> bool {
    match base.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `None` if it can't be read, as by a user who is not the tracer's.
fn read(file: PathBuf) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Reach, Server};

    fn token(url: &str, given: Option<&str>) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ui-token"), "kept\n").unwrap();
        let (url, token) = (Some(url.parse().unwrap()), given.map(str::to_owned));
        let reach = Reach { url, token, data_dir: None };
        Server::new(&reach, directory.path()).unwrap().token
    }

    #[test]
    fn the_token_of_this_host_is_told_to_this_host_alone() {
        for here in ["http://127.0.0.1:7411", "http://localhost:1/?x=y", "http://[::1]:7411"] {
            assert_eq!(token(here, None).as_deref(), Some("kept"), "{here}");
        }
        for there in ["http://10.0.0.7:7411", "http://localhost.example", "http://host:7411/"] {
            assert_eq!(token(there, None), None, "{there}");
        }
        let both = "http://10.0.0.7:7411/?token=url";
        assert_eq!(token(both, None).as_deref(), Some("url"));
        assert_eq!(token(both, Some("flag")).as_deref(), Some("flag"));
    }
}
