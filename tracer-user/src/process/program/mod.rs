//! The program as people call it: what an interpreter was told to run, else the binary.
//!
//! Each interpreter has a file, or a few lines in [`other`], that finds the script, module, class
//! or archive on its command line; [`script`] makes a name of that.

mod java;
mod node;
mod other;
mod python;
mod script;

use super::facts::Facts;
pub(super) use script::says_nothing;

/// Programs that are named by what they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interpreter {
    Python,
    Node,
    Ruby,
    Php,
    Perl,
    Java,
    Dotnet,
    Shell,
    /// One binary that is many programs, told apart by the name that they are called by.
    Multicall,
}

impl Interpreter {
    /// By the executable's file name, with or without a version: `python3.11`, `ruby3.1`, `node`.
    fn of(program: &str) -> Option<Self> {
        let plain = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
        Some(match plain {
            "python" | "pypy" => Self::Python,
            "node" | "nodejs" | "bun" | "deno" => Self::Node,
            "ruby" | "jruby" | "truffleruby" => Self::Ruby,
            "php" => Self::Php,
            "perl" => Self::Perl,
            "java" => Self::Java,
            "dotnet" => Self::Dotnet,
            "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash" => Self::Shell,
            "busybox" | "toybox" | "coreutils" => Self::Multicall,
            _ => return None,
        })
    }
}

/// Is the executable's name that of an interpreter?
pub(super) fn is_interpreter(program: &str) -> bool {
    Interpreter::of(program).is_some()
}

/// `process.runtime.name` where the executable's name shows it; values as in OpenTelemetry's
/// semantic conventions. A Java runtime's name is not its executable's.
pub(super) fn runtime_name(program: &str) -> Option<&'static str> {
    match Interpreter::of(program)? {
        Interpreter::Python if program.starts_with("pypy") => Some("pypy"),
        Interpreter::Python => Some("cpython"),
        Interpreter::Node if program.starts_with("bun") => Some("bun"),
        Interpreter::Node if program.starts_with("deno") => Some("deno"),
        Interpreter::Node => Some("nodejs"),
        Interpreter::Ruby => Some("ruby"),
        Interpreter::Php => Some("php"),
        Interpreter::Perl => Some("perl"),
        Interpreter::Dotnet => Some(".NET"),
        Interpreter::Java | Interpreter::Shell | Interpreter::Multicall => None,
    }
}

/// Is this a child that its program started as a helper of its own, with a command line that says
/// nothing of the program? Python's multiprocessing (spawn and forkserver) does that.
pub(super) fn is_helper(facts: &Facts) -> bool {
    facts.program().and_then(Interpreter::of) == Some(Interpreter::Python)
        && facts.arguments.iter().any(|argument| argument.starts_with("from multiprocessing."))
}

/// The name; `None` where the command line says nothing (an interactive interpreter, `-c`).
pub(super) fn name(facts: &Facts) -> Option<String> {
    let program = facts.program()?;
    let Some(interpreter) = Interpreter::of(program) else { return Some(program.to_owned()) };
    if let Some(title) = facts.title() {
        return titled(facts, interpreter, title);
    }
    let arguments: Vec<&str> = facts.arguments.iter().skip(1).map(String::as_str).collect();
    match interpreter {
        Interpreter::Python => python::name(facts, &arguments),
        Interpreter::Node => node::name(facts, &arguments),
        Interpreter::Ruby => other::ruby(facts, &arguments),
        Interpreter::Php => other::php(facts, &arguments),
        Interpreter::Perl => other::perl(facts, &arguments),
        Interpreter::Java => java::name(facts, &arguments),
        Interpreter::Dotnet => other::dotnet(facts, &arguments),
        Interpreter::Shell => other::shell(facts, &arguments),
        Interpreter::Multicall => {
            let called = facts.arguments.first()?.rsplit('/').next()?;
            Some(called.trim_start_matches('-').to_owned())
        }
    }
}

/// Of a title that the process gave itself:
/// - gunicorn: `gunicorn: worker [shop:app]`
/// - puma: `puma: cluster worker 0: 123 [shop]`, `puma 6.4.0 (tcp://0.0.0.0:3000) [shop]`
/// - sidekiq: `sidekiq 7.1.0 shop [0 of 5 busy]`
/// - Node programs that set process.title: the package they run in
///
/// Others say nothing by themselves when the process was forked from one with a command line;
/// their first word names a process that has no such parent (see `super::super::name`).
fn titled(facts: &Facts, interpreter: Interpreter, title: &str) -> Option<String> {
    let bracket = || title.rsplit_once('[')?.1.strip_suffix(']');
    let word = title.split([' ', ':']).next().unwrap_or_default();
    match word {
        "gunicorn" => Some(script::module(facts, bracket()?)),
        "puma" => bracket().map(str::to_owned),
        "sidekiq" => title.split(' ').nth(2).map(str::to_owned),
        _ if interpreter == Interpreter::Node => {
            node::package(facts, &facts.directory()?).or_else(|| Some(word.to_owned()))
        }
        _ => None,
    }
}

/// First word of a title, for a process of which nothing else is known.
pub(super) fn title_word(facts: &Facts) -> Option<String> {
    facts.title()?.split([' ', ':']).next().map(str::to_owned)
}

#[cfg(test)]
mod tests;
