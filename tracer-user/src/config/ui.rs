//! The web page's settings: `--ui`, `--ui-open`, their like in the file and in the environment.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args as ClapArgs;
use serde::{Deserialize, Deserializer};

use super::error::Error;
use super::file::File;
use crate::serve::Page;

/// The port where nothing else is said.
const PORT: u16 = 7411;
/// Where the page is unless anything else is said.
const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT);

/// The web page and its APIs.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Web page, APIs and /metrics")]
pub struct UiArgs {
    /// Serve the web page there, or not at all: off [default: 127.0.0.1:7411]
    ///
    /// The same address has /metrics, /healthz, the query APIs of Zipkin and Jaeger, and takes spans
    /// by OTLP/HTTP (/v1/traces) and Zipkin v2 (/api/v2/spans). A port alone is one on 127.0.0.1.
    /// Environment: TRACER_UI. While the page is served, spans go to standard output only when
    /// --export says so.
    #[arg(long = "ui", value_name = "ADDR|off", value_parser = Place::parse)]
    pub place: Option<Place>,
    /// Ask for no token [default: false]
    ///
    /// Whoever can connect sees all traffic of this host. Without this, a token is asked for: it is
    /// in the URL that the tracer prints, and scripts send it as `Authorization: Bearer TOKEN`.
    /// Environment: TRACER_UI_OPEN.
    #[arg(long = "ui-open", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub open: Option<bool>,
}

/// What `--ui` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// No page.
    Off,
    /// There.
    At(SocketAddr),
}

impl Place {
    /// `off`, `PORT`, `ADDRESS` or `ADDRESS:PORT`, where `localhost` is an address.
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "off" {
            return Ok(Self::Off);
        }
        let numeric = text.replacen("localhost", "127.0.0.1", 1);
        let port = || numeric.parse().ok().map(|port| SocketAddr::new(DEFAULT.ip(), port));
        let bare = || numeric.parse().ok().map(|address| SocketAddr::new(address, PORT));
        let whole = numeric.parse().ok();
        whole.or_else(port).or_else(bare).map(Self::At).ok_or_else(|| {
            "not an address; write 127.0.0.1:7411, [::1]:7411, a port, or off".to_owned()
        })
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Place::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// Flags go before the file, and the file before the environment.
pub(super) fn resolve(
    args: &UiArgs,
    file: &File,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Page>, Error> {
    let of = |name| env(name).filter(|value| !value.trim().is_empty());
    let wrong = |name: &str, why: String| Error::Environment(format!("{name}: {why}"));
    let place = of("TRACER_UI").map(|text| Place::parse(&text)).transpose();
    let place = args.place.or(file.ui).or(place.map_err(|why| wrong("TRACER_UI", why))?);
    let open = of("TRACER_UI_OPEN").map(|text| text.trim().parse()).transpose();
    let open = open.map_err(|_| wrong("TRACER_UI_OPEN", "write true or false".into()))?;
    let open = args.open.or(file.ui_open).or(open).unwrap_or(false);
    Ok(match place {
        Some(Place::Off) => None,
        Some(Place::At(address)) => Some(Page { address, chosen: true, open }),
        None => Some(Page { address: DEFAULT, chosen: false, open }),
    })
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT, File, Page, Place, UiArgs, resolve};

    #[test]
    fn an_address_may_be_short() {
        for (text, full) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("localhost:80", "127.0.0.1:80"),
            ("8080", "127.0.0.1:8080"),
            ("0.0.0.0", "0.0.0.0:7411"),
            ("[::1]:9", "[::1]:9"),
            ("::1", "[::1]:7411"),
        ] {
            assert_eq!(Place::parse(text), Ok(Place::At(full.parse().unwrap())), "{text}");
        }
        assert_eq!(Place::parse("off"), Ok(Place::Off));
        for wrong in ["", "on", "host:80", "127.0.0.1:70000", "-1"] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }

    fn page(flag: Option<&str>, file: &str, env: &[(&str, &str)]) -> Result<Option<Page>, String> {
        let place = flag.map(|text| Place::parse(text).unwrap());
        let file: File = toml::from_str(file).unwrap();
        let get = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        resolve(&UiArgs { place, open: None }, &file, &get).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_go_before_the_file_and_that_before_the_environment() {
        let at = |port, open| {
            let address = ([127, 0, 0, 1], port).into();
            Ok(Some(Page { address, chosen: true, open }))
        };
        let env = [("TRACER_UI", "3"), ("TRACER_UI_OPEN", "true")];
        assert_eq!(page(Some("1"), "ui = \"2\"\nui_open = false", &env), at(1, false));
        assert_eq!(page(None, "ui = \"2\"", &env), at(2, true));
        assert_eq!(page(None, "", &env), at(3, true));
        assert_eq!(page(None, "ui = \"off\"", &env), Ok(None));
        let default = Page { address: DEFAULT, chosen: false, open: false };
        assert_eq!(page(None, "", &[("TRACER_UI", " ")]), Ok(Some(default)));
        let error = page(None, "", &[("TRACER_UI_OPEN", "perhaps")]).unwrap_err();
        assert!(error.contains("TRACER_UI_OPEN"), "{error}");
        let error = page(None, "", &[("TRACER_UI", "perhaps")]).unwrap_err();
        assert!(error.contains("TRACER_UI: not an address"), "{error}");
    }
}
