//! What the measurements depend on: kernel, processors, versions.

use std::fs;
use std::process::Command;

use e2e::accuracy::Own;

use super::runtimes::{self, Source};
use crate::step;

/// One line a fact; nothing that names this machine.
pub(super) fn machine(runtimes: &[String]) -> Vec<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let number = release.trim().split('-').next().unwrap_or_default().to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut lines = vec![format!("Linux {number}, {}, {cores} cores", std::env::consts::ARCH)];
    let tools: [(&str, &[&str]); 7] = [
        ("python", &["python3", "--version"]),
        ("go", &["go", "version"]),
        ("node", &["node", "--version"]),
        ("rust", &["rustc", "--version"]),
        ("java", &["java", "--version"]),
        ("php", &["php", "--version"]),
        ("ruby", &["ruby", "--version"]),
    ];
    let needed = |tool: &str| {
        let mut known = runtimes.iter().filter_map(|name| runtimes::find(name));
        known.any(|runtime| match runtime.source {
            Source::Suite(part) => part == tool,
            Source::Own(Own::Gevent | Own::Uwsgi) => tool == "python",
            Source::Own(Own::Java(_)) => tool == "java",
            Source::Own(Own::Php) => tool == "php",
            Source::Own(Own::Ruby) => tool == "ruby",
        })
    };
    for (tool, command) in tools.into_iter().filter(|(tool, _)| needed(tool)) {
        let [program, argument] = command else { continue };
        let said = step::output(Command::new(program).arg(argument)).unwrap_or_default();
        let version = said.split_whitespace().find_map(version).unwrap_or("?");
        lines.push(format!("{tool} {version}"));
    }
    lines
}

/// The `3.11.7`, `26.8` or `20.20` in one word of what a program says of itself.
fn version(word: &str) -> Option<&str> {
    let word = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    word.get(..end).filter(|number| number.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_in_words() {
        assert_eq!(version("go1.26.8"), Some("1.26.8"));
        assert_eq!(version("v20.20.2"), Some("20.20.2"));
        assert_eq!(version("3.1.2p20"), Some("3.1.2"));
        assert_eq!(version("17.0.15"), Some("17.0.15"));
        assert_eq!((version("linux/amd64"), version("Python")), (None, None));
    }
}
