//! Which exporters there are, put together from flags, file and environment.

use super::error::Error;
use super::groups::ExportArgs;
use crate::export::{Kind, Target, targets_from_env};

/// The first of flags, file and environment that names any exporter decides, else it is standard
/// output; what `--export-header` and the like say is then added to those. With whether any was
/// named, or none asked for.
pub(super) fn resolve(
    args: &ExportArgs,
    file: Vec<Target>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(Vec<Target>, bool), Error> {
    let mut targets = if !args.targets.is_empty() {
        let parsed = args.targets.iter().map(|text| text.parse::<Target>());
        parsed.collect::<Result<_, _>>().map_err(|e| Error::flag("--export", e.to_string()))?
    } else if !file.is_empty() {
        file
    } else {
        targets_from_env(env).map_err(|error| Error::Environment(error.to_string()))?
    };
    let none = env("OTEL_TRACES_EXPORTER").is_some_and(|value| value.trim() == "none");
    let named = none || !targets.is_empty();
    if !named {
        targets.push(parse("stdout", "").map_err(|message| Error::flag("--export", message))?);
    }
    for header in &args.headers {
        add_header(&mut targets, &header.0).map_err(|e| Error::flag("--export-header", e))?;
    }
    for target in targets.iter_mut().filter(|target| has_url(target.kind)) {
        let or = |flag: &Option<_>, given: &mut Option<_>| {
            if flag.is_some() {
                given.clone_from(flag);
            }
        };
        or(&args.ca, &mut target.tls.ca);
        // A pair: one of the flags with the other half from elsewhere would not fit.
        if args.cert.is_some() || args.key.is_some() {
            target.tls.cert.clone_from(&args.cert);
            target.tls.key.clone_from(&args.key);
        }
        check(target).map_err(|message| Error::flag("--export-cert, --export-key", message))?;
    }
    Ok((targets, named))
}

/// One exporter of the file: `kind` and `url` as on either side of the flag's `=`.
pub(super) fn parse(kind: &str, url: &str) -> Result<Target, String> {
    let text = if url.is_empty() { kind.to_owned() } else { format!("{kind}={url}") };
    text.parse::<Target>().map_err(|error| error.to_string())
}

/// Do its parts fit together?
pub(super) fn check(target: &Target) -> Result<(), String> {
    let named = || target.name();
    if !has_url(target.kind) && (!target.headers.is_empty() || target.tls != Default::default()) {
        return Err(format!("{} takes no headers and no certificates", named()));
    }
    match (&target.tls.cert, &target.tls.key) {
        (Some(_), None) => Err(format!("{}: a certificate needs its key", named())),
        (None, Some(_)) => Err(format!("{}: a key needs its certificate", named())),
        _ => Ok(()),
    }
}

fn has_url(kind: Kind) -> bool {
    match kind {
        Kind::Zipkin | Kind::OtlpGrpc | Kind::OtlpHttp => true,
        Kind::File | Kind::Stdout => false,
    }
}

/// Adds `[KIND:]NAME=VALUE`. A header's name has no colon in it (RFC 9110 section 5.1), so what is
/// before one is a kind. The value is never part of an error: it may be a key.
fn add_header(targets: &mut [Target], text: &str) -> Result<(), String> {
    let (name, value) = text.split_once('=').ok_or("is not written as [KIND:]NAME=VALUE")?;
    let (kind, name) = match name.split_once(':') {
        Some((kind, name)) => (Some(header_kind(kind.trim())?), name.trim()),
        None => (None, name.trim()),
    };
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(format!("`{name}` is no header's name"));
    }
    let mut added = false;
    for target in targets.iter_mut().filter(|target| has_url(target.kind)) {
        if kind.is_none_or(|kind| kind == target.kind) {
            target.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            target.headers.push((name.to_owned(), value.to_owned()));
            added = true;
        }
    }
    if added { Ok(()) } else { Err(format!("no exporter takes the header `{name}`")) }
}

fn header_kind(kind: &str) -> Result<Kind, String> {
    match kind {
        "zipkin" => Ok(Kind::Zipkin),
        "otlp" | "jaeger" => Ok(Kind::OtlpGrpc),
        "otlp-http" => Ok(Kind::OtlpHttp),
        _ => Err(format!("`{kind}:` is no kind with headers; use zipkin, otlp, otlp-http, jaeger")),
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::resolve;
    use crate::config::RunArgs;
    use crate::config::groups::ExportArgs;
    use crate::config::settings::tests::{env, flags};
    use crate::export::{Kind, Target};

    fn export(line: &str) -> ExportArgs {
        let RunArgs { export, .. } = flags(line);
        export
    }

    fn names(targets: &[Target]) -> Vec<String> {
        targets.iter().map(Target::name).collect()
    }

    #[test]
    fn the_first_source_that_names_any_decides() {
        let variables = env(&[("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://env:9411/api/v2/spans")]);
        let file: Vec<Target> = vec!["otlp=http://file:4317".parse().unwrap()];
        let flag = export("--export otlp-http=http://flag:4318");
        let both = names(&resolve(&flag, file.clone(), &variables).unwrap().0);
        assert_eq!(both, ["otlp-http=http://flag:4318/v1/traces"]);
        let by_file = names(&resolve(&export(""), file, &variables).unwrap().0);
        assert_eq!(by_file, ["otlp=http://file:4317"]);
        let by_env = names(&resolve(&export(""), vec![], &variables).unwrap().0);
        assert_eq!(by_env, ["zipkin=http://env:9411/api/v2/spans"]);
        let (nobody, named) = resolve(&export(""), vec![], &env(&[])).unwrap();
        assert_eq!((nobody[0].kind, named), (Kind::Stdout, false));
        let none = resolve(&export(""), vec![], &env(&[("OTEL_TRACES_EXPORTER", "none")]));
        assert_eq!(none.unwrap(), (vec![], true), "asked for");
    }

    #[test]
    fn headers_go_to_all_or_to_one_kind() {
        let args = export(
            "--export zipkin=http://z --export otlp=http://o --export stdout \
             --export-header X-All=a=b --export-header otlp:api-key=k --export-header x-all=c",
        );
        let (targets, _) = resolve(&args, vec![], &env(&[])).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(targets[0].headers, [pair("x-all", "c")], "the last of a name counts");
        assert_eq!(targets[1].headers, [pair("api-key", "k"), pair("x-all", "c")]);
        assert_eq!(targets[2].headers, []);
    }

    #[test]
    fn certificates_go_to_what_has_a_url() {
        let args = export(
            "--export otlp=https://o --export stdout --export-ca ca --export-cert c --export-key k",
        );
        let (targets, _) = resolve(&args, vec![], &env(&[])).unwrap();
        assert_eq!(targets[0].tls.ca.as_deref(), Some("ca".as_ref()));
        assert_eq!(targets[0].tls.key.as_deref(), Some("k".as_ref()));
        assert_eq!(targets[1].tls, Default::default());
    }

    #[test]
    fn mistakes_are_named_and_secrets_are_not() {
        for (line, hint) in [
            ("--export ftp=x", "--export: "),
            ("--export otlp=http://o --export-header hunter2", "[KIND:]NAME=VALUE"),
            ("--export otlp=http://o --export-header zipkin:a=hunter2", "no exporter takes"),
            ("--export otlp=http://o --export-header ftp:a=hunter2", "`ftp:`"),
            ("--export otlp=http://o --export-header a(b=hunter2", "`a(b`"),
            ("--export stdout --export-header a=hunter2", "no exporter takes"),
            ("--export otlp=https://o --export-cert c", "needs its key"),
            ("--export otlp=https://o --export-key k", "needs its certificate"),
        ] {
            let error = resolve(&export(line), vec![], &env(&[])).unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let wrong = env(&[("OTEL_TRACES_EXPORTER", "pigeon")]);
        let error = resolve(&export(""), vec![], &wrong).unwrap_err().to_string();
        assert!(error.starts_with("environment: OTEL_TRACES_EXPORTER"), "{error}");
    }
}
