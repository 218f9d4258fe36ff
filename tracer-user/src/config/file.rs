//! The configuration file: TOML, the flags' names with `_` for `-`, and what flags can't say.
//!
//! ```toml
//! min_confidence = 0.9
//! settle = "1s"
//! ring_size = "16MiB"
//!
//! [trace]                       # as --pid, --port, --exe, --service
//! service = ["shop-*"]
//! [exclude]                     # as --exclude-…
//! port = [9100]
//!
//! [resource]                    # attributes of every span's resource
//! "deployment.environment.name" = "production"
//!
//! [[service]]                   # names; the first rule whose conditions all hold
//! name = "cart"
//! port = 8080                   # or pid = 123, or cmdline = "a regular expression"
//!
//! [[export]]
//! kind = "otlp-http"
//! url = "https://otlp.example.com"
//! headers = { api-key = "…" }
//! ca = "/etc/ssl/private-ca.pem"
//! ```

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;
use serde::{Deserialize, Deserializer};

use super::backing::{Protocol, SqlText};
use super::error::Error;
use super::filter::Selection;
use super::groups::WhenInstrumented;
use super::sampling::{self, Sampled};
use super::ui::Place;
use super::units;
use crate::causality::Kinds;
use crate::export::Target;
use crate::process::Rule;

/// Most bytes of the file.
const MAX_FILE: u64 = 1 << 20;

/// Settings as the file has them; one that it has not is `None` or empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the flag of the same name")]
pub struct File {
    #[serde(deserialize_with = "share")]
    pub min_confidence: Option<f64>,
    pub without_evidence: Option<Kinds>,
    #[serde(deserialize_with = "duration")]
    pub settle: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub max_hold: Option<Duration>,
    pub when_instrumented: Option<WhenInstrumented>,
    pub respect_sampled: Option<bool>,
    pub no_uprobes: Option<bool>,
    pub protocols: Vec<Protocol>,
    pub sql_text: Option<SqlText>,
    pub database_servers: Option<bool>,
    pub ui: Option<Place>,
    pub ui_open: Option<bool>,
    pub data_dir: Option<PathBuf>,
    #[serde(deserialize_with = "store_size")]
    pub store_size: Option<u64>,
    #[serde(deserialize_with = "store_age")]
    pub store_age: Option<Duration>,
    pub no_store: Option<bool>,
    pub sample: Option<Sampled>,
    pub sample_errors: Option<bool>,
    #[serde(deserialize_with = "sampling::percent")]
    pub sample_slow: Option<f64>,
    #[serde(deserialize_with = "sampling::rate")]
    pub sample_rest: Option<f64>,
    #[serde(deserialize_with = "some_time")]
    pub duration: Option<Duration>,
    #[serde(deserialize_with = "positive")]
    pub max_connections: Option<u32>,
    #[serde(deserialize_with = "positive")]
    pub max_open_exchanges: Option<u32>,
    #[serde(deserialize_with = "head_size")]
    pub max_head: Option<u32>,
    #[serde(deserialize_with = "positive")]
    pub max_headers: Option<u16>,
    #[serde(deserialize_with = "ring_size")]
    pub ring_size: Option<u32>,
    pub trace: Selection,
    pub exclude: Selection,
    pub resource: BTreeMap<String, String>,
    #[serde(rename = "service")]
    pub services: Vec<ServiceRule>,
    #[serde(rename = "export")]
    pub exports: Vec<Export>,
}

/// One `[[service]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawService")]
pub struct ServiceRule(pub Rule);

/// One `[[export]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawExport")]
pub struct Export(pub Target);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawService {
    name: String,
    pid: Option<u32>,
    port: Option<u16>,
    #[serde(default, deserialize_with = "regex")]
    cmdline: Option<Regex>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExport {
    kind: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    ca: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl File {
    /// Reads it.
    ///
    /// # Errors
    /// One that names the file and, for what is wrong in it, the line and the setting.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut text = String::new();
        let read =
            std::io::Read::read_to_string(&mut std::io::Read::take(file, MAX_FILE + 1), &mut text);
        match read.map_err(unreadable)? as u64 {
            0..=MAX_FILE => Self::parse(path, &text),
            _ => Err(unreadable(std::io::Error::other("it is larger than 1 MiB"))),
        }
    }

    /// Reads `text`, which came from `path`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count();
            Error::File {
                path: path.to_owned(),
                line: line + 1,
                key: text.lines().nth(line).and_then(key),
                message: discreet(error.message()),
            }
        })
    }
}

/// The setting of a line: `settle` of `settle = 1`, or the whole of `[[service]]`.
fn key(line: &str) -> Option<String> {
    let line = line.trim();
    let key = if line.starts_with('[') { line } else { line.split_once('=')?.0.trim() };
    (!key.is_empty()).then(|| key.to_owned())
}

/// serde quotes a text that is found where something else should be: it may be a header's value.
fn discreet(message: &str) -> String {
    match (message.find("string \""), message.rfind("\", expected")) {
        (Some(start), Some(end)) if start < end => {
            format!("{}a string{}", &message[..start], &message[end + 1..])
        }
        _ => message.lines().collect::<Vec<_>>().join("; "),
    }
}

impl TryFrom<RawService> for ServiceRule {
    type Error = &'static str;

    fn try_from(raw: RawService) -> Result<Self, Self::Error> {
        if raw.name.trim().is_empty() {
            return Err("`name` is empty");
        }
        if raw.pid.is_none() && raw.port.is_none() && raw.cmdline.is_none() {
            return Err("needs `pid`, `port` or `cmdline`, or it would name every process");
        }
        let name = raw.name.trim().into();
        Ok(Self(Rule { name, pid: raw.pid, port: raw.port, cmdline: raw.cmdline }))
    }
}

impl TryFrom<RawExport> for Export {
    type Error = String;

    fn try_from(raw: RawExport) -> Result<Self, Self::Error> {
        let mut target = super::exporters::parse(&raw.kind, &raw.url)?;
        target.headers.extend(raw.headers);
        target.tls.ca = raw.ca;
        target.tls.cert = raw.cert;
        target.tls.key = raw.key;
        super::exporters::check(&target)?;
        Ok(Self(target))
    }
}

/// A text, or a number where the unit may be left out.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text such as \"2s\" or \"16KiB\"")]
enum Written {
    Text(String),
    Number(u64),
}

fn written<'de, D: Deserializer<'de>, T>(
    from: D,
    parse: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, D::Error> {
    let text = match Written::deserialize(from)? {
        Written::Text(text) => text,
        Written::Number(number) => number.to_string(),
    };
    parse(&text).map(Some).map_err(serde::de::Error::custom)
}

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    written(from, units::duration)
}

fn some_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    written(from, units::some_time)
}

fn head_size<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    written(from, units::head_size)
}

fn ring_size<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    written(from, units::ring_size)
}

fn store_size<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    written(from, units::store_size)
}

fn store_age<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    written(from, units::store_age)
}

fn share<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let number = f64::deserialize(from)?;
    units::checked_share(number).map(Some).map_err(serde::de::Error::custom)
}

fn positive<'de, D: Deserializer<'de>, T>(from: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de> + Default + PartialEq + Display,
{
    let number = T::deserialize(from)?;
    if number == T::default() {
        return Err(serde::de::Error::custom("must be more than zero"));
    }
    Ok(Some(number))
}

fn regex<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Regex>, D::Error> {
    let pattern = String::deserialize(from)?;
    Regex::new(&pattern).map(Some).map_err(|error| {
        // The last line says what is wrong; those before it draw the pattern.
        let what = error.to_string();
        let what = what.lines().last().unwrap_or_default().trim_start_matches("error: ");
        serde::de::Error::custom(format!("no regular expression: {what}"))
    })
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
