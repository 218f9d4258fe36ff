//! Java: `java [options] -jar x-1.2.3.jar`, or a main class.

use std::path::Path;

use super::script::{folder, here, says_nothing, script};
use crate::process::facts::Facts;

/// Options whose value is the next argument (`java --help`, 21).
const WITH_VALUE: [&str; 12] = [
    "-cp",
    "-classpath",
    "--class-path",
    "-p",
    "--module-path",
    "--add-modules",
    "--add-opens",
    "--add-exports",
    "--add-reads",
    "--limit-modules",
    "--upgrade-module-path",
    "--patch-module",
];
/// Properties by which a Java program is told its own service name: OpenTelemetry's autoconfigure
/// and Spring Boot.
const NAME_PROPERTIES: [&str; 2] = ["-Dotel.service.name=", "-Dspring.application.name="];
/// Parts of package names that say nothing of the program.
const PACKAGES: [&str; 10] =
    ["com", "org", "net", "io", "boot", "loader", "launch", "jar", "core", "springframework"];

pub(super) fn name(facts: &Facts, arguments: &[&str]) -> Option<String> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if let Some(name) = NAME_PROPERTIES.iter().find_map(|p| argument.strip_prefix(p)) {
            return Some(name.to_owned());
        }
        match *argument {
            "-jar" => return archive(facts, rest.next()?),
            "-m" | "--module" => {
                let parts = rest.next()?.split('/').rev();
                return parts.flat_map(class_name).next().or_else(|| here(facts));
            }
            _ if WITH_VALUE.contains(argument) => {
                rest.next();
            }
            // @file holds further arguments.
            _ if argument.starts_with(['-', '@']) => {}
            source if source.ends_with(".java") => return script(facts, source),
            class => return class_name(class).or_else(|| here(facts)),
        }
    }
    None
}

/// `cart-1.2.3-SNAPSHOT.jar` is cart: the version starts at the first `-` before a digit.
fn archive(facts: &Facts, path: &str) -> Option<String> {
    let stem = Path::new(path).file_stem()?.to_str()?;
    let version = stem.match_indices('-').map(|(at, _)| at).find(|at| {
        stem.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    let name = version.and_then(|at| stem.get(..at)).filter(|name| !name.is_empty());
    let name = name.unwrap_or(stem);
    if says_nothing(name) {
        let parent = facts.absolute(Path::new(path)).and_then(|path| folder(path.parent()?));
        return Some(parent.unwrap_or_else(|| name.to_owned()));
    }
    Some(name.to_owned())
}

/// Simple name of a class; of the package around it where that says nothing (`shop.cart.Main`).
fn class_name(class: &str) -> Option<String> {
    let generic = |part: &str| {
        says_nothing(part)
            || PACKAGES.contains(&part)
            || part == "Bootstrap"
            || part == "JarLauncher"
    };
    let telling = class.rsplit(['.', '$']).find(|part| !part.is_empty() && !generic(part));
    telling.map(str::to_owned)
}
