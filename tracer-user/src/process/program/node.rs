//! Node (and bun, deno): the package's name near the script, else the script's.

use std::path::Path;

use serde::Deserialize;

use super::script::{operand, script};
use crate::process::facts::Facts;

/// Options whose value may be the next argument (`node --help`, v20).
const WITH_VALUE: [&str; 14] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-C",
    "--conditions",
    "--env-file",
    "--title",
    "--input-type",
    "--inspect-port",
    "--icu-data-dir",
    "-c",
    "--config",
];
/// Options that give the program itself.
const INLINE: [&str; 5] = ["-e", "--eval", "-p", "--print", "-pe"];
/// Most bytes of a package.json.
const PACKAGE_LIMIT: u64 = 1 << 20;
/// Folders upward that are searched for one: `dist/src/server.js` is three below its package.
const MAX_FOLDERS: usize = 4;

#[derive(Deserialize)]
struct Package {
    name: String,
}

pub(super) fn name(facts: &Facts, arguments: &[&str]) -> Option<String> {
    let (index, mut path) = operand(arguments, &WITH_VALUE)?;
    let options = arguments.get(..index)?;
    if options.iter().any(|option| INLINE.contains(option)) {
        return None;
    }
    let runner = facts.program().is_some_and(|p| p.starts_with("bun") || p.starts_with("deno"));
    if runner && ["run", "serve", "start", "x"].contains(&path) {
        path = operand(arguments.get(index + 1..)?, &WITH_VALUE)?.1;
    }
    // A tool out of node_modules (next, nest, ts-node) serves the package it is started in.
    let tool = Path::new(path).components().any(|part| part.as_os_str() == "node_modules");
    tool.then(|| package(facts, &facts.directory()?))
        .flatten()
        .or_else(|| package(facts, facts.absolute(Path::new(path))?.parent()?))
        .or_else(|| script(facts, path))
}

/// Name of the package that `folder`, in the process's file system, belongs to; without its scope.
pub(super) fn package(facts: &Facts, folder: &Path) -> Option<String> {
    folder.ancestors().take(MAX_FOLDERS).find_map(|folder| {
        let bytes = facts.file(&folder.join("package.json"), PACKAGE_LIMIT)?;
        let package: Package = serde_json::from_slice(&bytes).ok()?;
        let name = package.name.rsplit('/').next()?.to_owned();
        (!name.is_empty()).then_some(name)
    })
}
