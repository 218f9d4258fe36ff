//! Python: `python [options] script`, `-m module`, and the servers that run an application by its
//! name.

use super::script::{folder, here, module, operand, option, script};
use crate::process::facts::Facts;

/// Options of the known servers that take no value; any other `-x` or `--long` without `=` has its
/// value in the next argument. From the servers' own help: gunicorn 23, uvicorn 0.34, hypercorn
/// 0.17, daphne 4.1, waitress 3, granian 2.
const PLAIN_OPTIONS: [&str; 37] = [
    "--access-log",
    "--call",
    "--capture-output",
    "--check-config",
    "--daemon",
    "-D",
    "--debug",
    "--enable-stdio-inheritance",
    "--expose-tracebacks",
    "--factory",
    "--forwarded-allow",
    "--http2-protocol",
    "--initgroups",
    "--interactive",
    "--no-access-log",
    "--no-call",
    "--no-control-socket",
    "--no-date-header",
    "--no-proxy-headers",
    "--no-sendfile",
    "--no-server-header",
    "--no-use-colors",
    "--no-ws-per-message-deflate",
    "--preload",
    "--print-config",
    "--proxy-headers",
    "--proxy-protocol",
    "-R",
    "--reload",
    "--reuse-port",
    "--spew",
    "--suppress-ragged-eofs",
    "--use-colors",
    "--version",
    "-v",
    "--ws",
    "--server-header",
];

pub(super) fn name(facts: &Facts, arguments: &[&str]) -> Option<String> {
    let (what, rest) = target(arguments)?;
    let (tool, is_module) = match what {
        Target::Module(name) => (name.split('.').next()?, true),
        Target::Script(path) => (path.rsplit('/').next()?.trim_end_matches(".py"), false),
    };
    match (tool, what) {
        ("flask", _) => Some(flask(facts, rest)),
        ("gunicorn", _) => {
            option(rest, "--name", "-n").map(str::to_owned).or_else(|| application(facts, rest))
        }
        ("uvicorn" | "hypercorn" | "daphne" | "waitress" | "waitress-serve" | "granian", _) => {
            application(facts, rest)
        }
        ("celery", _) => option(rest, "--app", "-A").map(|value| module(facts, value)),
        ("fastapi" | "streamlit", _) => {
            let (_, path) = rest.iter().enumerate().skip(1).find(|(_, a)| !a.starts_with('-'))?;
            Some(module(facts, path))
        }
        // The standard library's server is known by its whole name.
        ("http", Target::Module(name)) => Some(name.to_owned()),
        (_, Target::Module(name)) => Some(module(facts, name)),
        (_, Target::Script(path)) if !is_module => script(facts, path),
        _ => None,
    }
    .or_else(|| Some(tool.to_owned()))
}

#[derive(Clone, Copy)]
enum Target<'a> {
    Module(&'a str),
    Script(&'a str),
}

/// What the interpreter runs, and the arguments after it. Options may be joined (`-um module`); of
/// python's own, -W, -X and --check-hash-based-pycs take a value.
fn target<'a, 'b>(arguments: &'b [&'a str]) -> Option<(Target<'a>, &'b [&'a str])> {
    let mut index = 0;
    while let Some(argument) = arguments.get(index).copied() {
        index += 1;
        let Some(letters) = argument.strip_prefix('-') else {
            return Some((Target::Script(argument), arguments.get(index..)?));
        };
        if letters.is_empty() {
            return None;
        }
        if letters.starts_with('-') {
            index += usize::from(argument == "--check-hash-based-pycs");
            continue;
        }
        for (at, letter) in letters.char_indices() {
            let glued = letters.get(at + 1..).unwrap_or_default();
            match letter {
                'c' => return None,
                'm' if glued.is_empty() => {
                    let module = arguments.get(index)?;
                    return Some((Target::Module(module), arguments.get(index + 1..)?));
                }
                'm' => return Some((Target::Module(glued), arguments.get(index..)?)),
                'W' | 'X' => {
                    index += usize::from(glued.is_empty());
                    break;
                }
                _ => {}
            }
        }
    }
    None
}

/// `--app` before or after the command, else FLASK_APP, else flask's own guess: wsgi.py or app.py
/// where it was started, which its folder names.
fn flask(facts: &Facts, arguments: &[&str]) -> String {
    option(arguments, "--app", "-A")
        .or_else(|| facts.variable("FLASK_APP"))
        .map(|value| module(facts, value))
        .or_else(|| here(facts))
        .unwrap_or_else(|| "flask".to_owned())
}

/// The application that a WSGI or ASGI server was given: an operand like `module:object`, or the
/// first operand; `--chdir`'s folder, if only that is given (its file may name the application).
fn application(facts: &Facts, arguments: &[&str]) -> Option<String> {
    let mut operands = Vec::new();
    let mut rest = arguments;
    let with_value: Vec<&str> = arguments
        .iter()
        .filter(|a| a.starts_with('-') && !a.contains('=') && !PLAIN_OPTIONS.contains(a))
        .copied()
        .collect();
    while let Some((index, found)) = operand(rest, &with_value) {
        operands.push(found);
        rest = rest.get(index + 1..)?;
    }
    let is_object = |text: &&&str| {
        text.split_once(':').is_some_and(|(module, object)| {
            !module.contains('/') && object.starts_with(|c: char| c.is_alphabetic() || c == '_')
        })
    };
    let chosen = operands.iter().find(is_object).or(operands.first());
    chosen.map(|value| module(facts, value)).or_else(|| {
        let directory = option(arguments, "--chdir", "--chdir")?;
        folder(std::path::Path::new(directory))
    })
}
