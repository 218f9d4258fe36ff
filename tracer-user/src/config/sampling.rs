//! The settings of sampling: `--sample`, `--sample-errors`, `--sample-slow`, `--sample-rest`, their like
//! in the file and in the environment.

use clap::{Args as ClapArgs, ValueEnum};
use serde::{Deserialize, Deserializer};

use super::error::Error;
use super::file::File;
use super::units;
use crate::sampling::Policy;

/// Which traces are kept.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Sampling (traces as a whole; what is left out is counted)")]
pub struct SampleArgs {
    /// What not all traces go to [default: auto]
    ///
    /// auto: what is kept on this host, while its size would turn over before its age; store: that,
    /// always; exports: what --export names; all: both; off: neither. Rates and /metrics count all
    /// traces in any case, and a span that stands for others says for how many
    /// (tracer.sampling.probability, and th in OpenTelemetry's trace state). Environment:
    /// TRACER_SAMPLE.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub sample: Option<Sampled>,
    /// Take all traces in which a span failed [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub sample_errors: Option<bool>,
    /// Take those that are slower than this percentage of their route's; 100 for none [default: 99]
    #[arg(long, value_name = "PERCENT", value_parser = units::percent)]
    pub sample_slow: Option<f64>,
    /// Take so many others a second of each route; 0 for none [default: 1]
    #[arg(long, value_name = "N", value_parser = units::rate)]
    pub sample_rest: Option<f64>,
}

/// What not all traces go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lowercase")]
pub enum Sampled {
    /// The store, while it is too small.
    #[default]
    Auto,
    /// Nothing.
    Off,
    /// The store.
    Store,
    /// The exporters.
    Exports,
    /// Both.
    All,
}

impl Sampled {
    /// The exporters are among it.
    #[must_use]
    pub fn exports(self) -> bool {
        matches!(self, Self::Exports | Self::All)
    }

    /// The store is, or may be.
    #[must_use]
    pub fn store(self) -> bool {
        matches!(self, Self::Auto | Self::Store | Self::All)
    }
}

/// What is sampled, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sampling {
    /// What not all traces go to.
    pub what: Sampled,
    /// Which do.
    pub policy: Policy,
}

/// Flags go before the file, and the file before the environment.
pub(super) fn resolve(
    args: &SampleArgs,
    file: &File,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Sampling, Error> {
    let told = env("TRACER_SAMPLE").filter(|value| !value.trim().is_empty());
    let told = told.map(|text| Sampled::from_str(text.trim(), false)).transpose();
    let told = told.map_err(|_| {
        let message = "TRACER_SAMPLE: write auto, off, store, exports or all";
        Error::Environment(message.to_owned())
    })?;
    let usual = Policy::default();
    Ok(Sampling {
        what: args.sample.or(file.sample).or(told).unwrap_or_default(),
        policy: Policy {
            errors: args.sample_errors.or(file.sample_errors).unwrap_or(usual.errors),
            slow: args.sample_slow.or(file.sample_slow).unwrap_or(usual.slow),
            rest: args.sample_rest.or(file.sample_rest).unwrap_or(usual.rest),
        },
    })
}

pub(super) fn percent<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let number = f64::deserialize(from)?;
    units::checked_percent(number).map(Some).map_err(serde::de::Error::custom)
}

pub(super) fn rate<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let number = f64::deserialize(from)?;
    units::checked_rate(number).map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::{File, Policy, SampleArgs, Sampled, Sampling, resolve};
    use crate::config::RunArgs;
    use crate::config::settings::tests::{env, flags};

    fn sampling(line: &str, file: &str, told: &[(&str, &str)]) -> Result<Sampling, String> {
        let RunArgs { sample, .. } = flags(line);
        let file: File = toml::from_str(file).unwrap();
        resolve(&sample, &file, &env(told)).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_go_before_the_file_and_that_before_the_environment() {
        let all = [("TRACER_SAMPLE", "all")];
        assert_eq!(sampling("", "", &all).unwrap().what, Sampled::All);
        let file = "sample = 'store'\nsample_slow = 95\nsample_rest = 0.5\nsample_errors = false";
        let by_file = sampling("", file, &all).unwrap();
        let policy = Policy { errors: false, slow: 0.95, rest: 0.5 };
        assert_eq!(by_file, Sampling { what: Sampled::Store, policy });
        let line = "--sample exports --sample-errors --sample-slow 97.5 --sample-rest 0";
        let policy = Policy { errors: true, slow: 0.975, rest: 0.0 };
        assert_eq!(sampling(line, file, &all), Ok(Sampling { what: Sampled::Exports, policy }));
        assert_eq!(
            resolve(&SampleArgs::default(), &File::default(), &env(&[])).unwrap(),
            Sampling::default()
        );
    }

    #[test]
    fn mistakes_are_told() {
        let error = sampling("", "", &[("TRACER_SAMPLE", "some")]).unwrap_err();
        assert!(error.contains("TRACER_SAMPLE"), "{error}");
        for file in
            ["sample = 'some'", "sample_slow = 101", "sample_rest = -1", "sample_rest = nan"]
        {
            assert!(toml::from_str::<File>(file).is_err(), "{file}");
        }
    }
}
