//! The settings of the store: `--data-dir`, `--store-size`, `--store-age`, `--no-store`, their like in
//! the file and in the environment.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;

use super::error::Error;
use super::file::File;
use super::units;
use crate::store::Limits;

/// Where the tracer's data is unless anything else is said.
const DEFAULT: &str = "/var/lib/tracer";

/// Traces that are kept.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Traces that are kept on this host")]
pub struct StoreArgs {
    /// Keep traces, and the web page's token, in this directory [default: /var/lib/tracer]
    ///
    /// Traces are in its subdirectory `spans`, which only its owner can read. Under systemd the
    /// default is $STATE_DIRECTORY. Environment: TRACER_DATA_DIR.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Keep no more than this on the disk; the oldest go first [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = units::store_size)]
    pub store_size: Option<u64>,
    /// Keep a span no longer than this [default: 1day]
    #[arg(long, value_name = "DURATION", value_parser = units::store_age)]
    pub store_age: Option<Duration>,
    /// Keep no traces, nor what was learned of programs, on the disk; the web page shows the last ones from memory [default: false]
    ///
    /// Environment: TRACER_NO_STORE.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub no_store: Option<bool>,
}

/// Where the tracer's own data goes, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// The directory.
    pub directory: PathBuf,
    /// Somebody asked for this one: if it can't be had, that is an error.
    pub chosen: bool,
    /// What the store may take; `None` for no store.
    pub store: Option<Limits>,
}

/// Flags go before the file, and the file before the environment.
pub(super) fn resolve(
    args: &StoreArgs,
    file: &File,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Data, Error> {
    let of = |name| env(name).filter(|value| !value.trim().is_empty());
    let none = of("TRACER_NO_STORE").map(|text| text.trim().parse()).transpose();
    let none =
        none.map_err(|_| Error::Environment("TRACER_NO_STORE: write true or false".to_owned()))?;
    let given = args.data_dir.clone().or_else(|| file.data_dir.clone());
    let (directory, chosen) = directory(given, env);
    let defaults = Limits::default();
    let limits = Limits {
        bytes: args.store_size.or(file.store_size).unwrap_or(defaults.bytes),
        age: args.store_age.or(file.store_age).unwrap_or(defaults.age),
    };
    let none = args.no_store.or(file.no_store).or(none).unwrap_or(false);
    Ok(Data { chosen, directory, store: (!none).then_some(limits) })
}

/// Where the data is, and whether somebody chose that; `given` goes before the environment.
fn directory(given: Option<PathBuf>, env: &dyn Fn(&str) -> Option<String>) -> (PathBuf, bool) {
    let of = |name| env(name).filter(|value| !value.trim().is_empty());
    let given = given.or_else(|| of("TRACER_DATA_DIR").map(Into::into));
    let chosen = given.is_some();
    // systemd gives several, separated so, where a unit has several.
    let usual = || {
        let state = of("STATE_DIRECTORY");
        let first = state.as_deref().and_then(|paths| paths.split(':').next());
        first.unwrap_or(DEFAULT).into()
    };
    (given.unwrap_or_else(usual), chosen)
}

/// Where a tracer on this host has its data, if it was told no more than this and the environment.
#[must_use]
pub fn data_directory(given: Option<PathBuf>) -> PathBuf {
    directory(given, &|name| std::env::var(name).ok()).0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Data, File, Limits, StoreArgs, resolve};

    fn data(args: StoreArgs, file: &str, env: &[(&str, &str)]) -> Result<Data, String> {
        let file: File = toml::from_str(file).unwrap();
        let get = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        resolve(&args, &file, &get).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_go_before_the_file_and_that_before_the_environment() {
        let env = [("TRACER_DATA_DIR", "/env"), ("TRACER_NO_STORE", "true")];
        let file = "data_dir = '/file'\nstore_size = '64MiB'\nstore_age = '1h'\nno_store = false";
        let hour = Duration::from_secs(3600);
        let want = |directory: &str, bytes| Data {
            directory: directory.into(),
            chosen: true,
            store: Some(Limits { bytes, age: hour }),
        };
        let flags = || StoreArgs {
            data_dir: Some("/flag".into()),
            store_size: Some(32 << 20),
            ..StoreArgs::default()
        };
        assert_eq!(data(flags(), file, &env), Ok(want("/flag", 32 << 20)));
        assert_eq!(data(StoreArgs::default(), file, &env), Ok(want("/file", 64 << 20)));
        let by_env = data(StoreArgs::default(), "", &env).unwrap();
        assert_eq!((by_env.directory.to_str(), by_env.store), (Some("/env"), None));
        let error = data(StoreArgs::default(), "", &[("TRACER_NO_STORE", "maybe")]).unwrap_err();
        assert!(error.contains("TRACER_NO_STORE"), "{error}");
    }

    #[test]
    fn the_default_is_the_systems() {
        let default = data(StoreArgs::default(), "", &[]).unwrap();
        let limits = Limits { bytes: 1 << 30, age: Duration::from_secs(24 * 3600) };
        assert_eq!(default.store, Some(limits));
        assert_eq!((default.directory.to_str(), default.chosen), (Some("/var/lib/tracer"), false));
        let service = data(StoreArgs::default(), "", &[("STATE_DIRECTORY", "/a:/b")]).unwrap();
        assert_eq!((service.directory.to_str(), service.chosen), (Some("/a"), false));
    }

    #[test]
    fn too_little_is_refused() {
        for file in ["store_size = '1MiB'", "store_age = '1s'", "store_size = 'much'"] {
            assert!(toml::from_str::<File>(file).is_err(), "{file}");
        }
    }
}
