//! From a path or a module to a name.

use std::path::Path;

use crate::process::facts::Facts;

/// Names that a great many programs share.
const COMMON: [&str; 24] = [
    "__init__",
    "__main__",
    "app",
    "application",
    "asgi",
    "cli",
    "entrypoint",
    "index",
    "init",
    "launcher",
    "main",
    "manage",
    "manager",
    "program",
    "run",
    "runner",
    "runserver",
    "script",
    "serve",
    "server",
    "service",
    "start",
    "startup",
    "wsgi",
];

/// Folders that say where things lie, not what they are.
const PLACES: [&str; 37] = [
    "app", "apps", "bin", "build", "cmd", "code", "current", "debug", "deploy", "dist", "home",
    "html", "lib", "lib64", "libexec", "local", "mnt", "opt", "out", "project", "public",
    "release", "releases", "root", "run", "sbin", "server", "services", "share", "site", "source",
    "src", "srv", "target", "tmp", "usr", "var",
];
/// The same below the file system's usual places.
const MORE_PLACES: [&str; 4] = ["www", "workdir", "workspace", "data"];

/// How many folders upward a telling one is looked for.
const MAX_FOLDERS: usize = 4;

/// Is this a name that a great many programs share?
pub(in crate::process) fn says_nothing(name: &str) -> bool {
    COMMON.contains(&name.to_ascii_lowercase().as_str())
}

/// The nearest folder, from `path` upward, whose name says what is in it.
pub(super) fn folder(path: &Path) -> Option<String> {
    path.ancestors().take(MAX_FOLDERS).find_map(|folder| {
        let name = folder.file_name()?.to_str()?;
        let lower = name.to_ascii_lowercase();
        let place = PLACES.contains(&lower.as_str()) || MORE_PLACES.contains(&lower.as_str());
        // A user's name, a date or a number of a release, a hidden folder such as .venv.
        let home = folder.parent() == Some(Path::new("/home"));
        let other = !name.contains(char::is_alphabetic) || name.starts_with('.');
        (!place && !home && !other).then(|| name.to_owned())
    })
}

/// The name of a script: its file's, without the extension, or the folder's if that says nothing.
pub(super) fn script(facts: &Facts, path: &str) -> Option<String> {
    let stem = Path::new(path).file_stem()?.to_str()?;
    if !says_nothing(stem) {
        return Some(stem.to_owned());
    }
    let parent = facts.absolute(Path::new(path)).and_then(|path| folder(path.parent()?));
    Some(parent.unwrap_or_else(|| stem.to_owned()))
}

/// The name of an application given as `package.module:object`, `module`, or a path of a script.
/// `shop:app` and `shop.wsgi:application` are shop, `shop.web:app` is shop.web.
pub(super) fn module(facts: &Facts, application: &str) -> String {
    let place = application.split([':', '(']).next().unwrap_or_default();
    if place.contains('/') || place.ends_with(".py") {
        return script(facts, place).unwrap_or_else(|| place.to_owned());
    }
    let mut parts: Vec<&str> = place.split('.').filter(|part| !part.is_empty()).collect();
    while parts.last().is_some_and(|part| says_nothing(part)) {
        parts.pop();
    }
    if !parts.is_empty() {
        return parts.join(".");
    }
    here(facts).unwrap_or_else(|| place.to_owned())
}

/// The folder that the process works in, if its name says something.
pub(super) fn here(facts: &Facts) -> Option<String> {
    folder(&facts.directory()?)
}

/// The first argument that is no option. `with_value` are options whose value is the next argument;
/// `--option=value` is one argument anyway.
pub(super) fn operand<'a>(arguments: &[&'a str], with_value: &[&str]) -> Option<(usize, &'a str)> {
    let mut rest = arguments.iter().enumerate();
    while let Some((index, argument)) = rest.next() {
        if *argument == "--" {
            return rest.next().map(|(index, next)| (index, *next));
        }
        if !argument.starts_with('-') || *argument == "-" {
            return Some((index, argument));
        }
        if with_value.contains(argument) {
            rest.next();
        }
    }
    None
}

/// The value of an option in any of its spellings: `--app x`, `--app=x`, `-A x`, `-Ax`.
pub(super) fn option<'a>(arguments: &[&'a str], long: &str, short: &str) -> Option<&'a str> {
    arguments.iter().enumerate().find_map(|(index, argument)| {
        if *argument == long || *argument == short {
            return arguments.get(index + 1).copied();
        }
        let attached = argument.strip_prefix(long).and_then(|rest| rest.strip_prefix('='));
        let glued = || argument.strip_prefix(short).filter(|_| !argument.starts_with("--"));
        attached.or_else(glued).filter(|value| !value.is_empty())
    })
}
