//! Interpreters of which there is little to say.

use std::path::Path;

use super::script::{folder, here, operand, option, script};
use crate::process::facts::Facts;

/// Ruby's commands that serve the application in the folder they are started in.
const RUBY_TOOLS: [&str; 10] =
    ["bundle", "falcon", "iodine", "puma", "pumactl", "rackup", "rails", "rake", "thin", "unicorn"];

/// `ruby [options] script`; -I, -r, -C, -x and -E may have their value in the next argument.
pub(super) fn ruby(facts: &Facts, arguments: &[&str]) -> Option<String> {
    if inline(arguments, &["-e"], &["-I", "-r", "-C", "-E"]) {
        return None;
    }
    let (_, path) = operand(arguments, &["-I", "-r", "-C", "-E"])?;
    tool(facts, path, &RUBY_TOOLS)
}

/// `php script`, `php artisan serve`, and the built-in server `php -S address [-t root] [script]`.
pub(super) fn php(facts: &Facts, arguments: &[&str]) -> Option<String> {
    const WITH_VALUE: [&str; 8] = ["-c", "-d", "-f", "-z", "-S", "-t", "-B", "-R"];
    if inline(arguments, &["-r"], &WITH_VALUE) {
        return None;
    }
    if option(arguments, "-S", "-S").is_some() {
        let root = option(arguments, "-t", "-t").and_then(|path| facts.absolute(Path::new(path)));
        return root.and_then(|path| folder(&path)).or_else(|| here(facts));
    }
    let path =
        option(arguments, "-f", "-f").or_else(|| Some(operand(arguments, &WITH_VALUE)?.1))?;
    tool(facts, path, &["artisan", "console"])
}

/// `perl [options] script`.
pub(super) fn perl(facts: &Facts, arguments: &[&str]) -> Option<String> {
    if inline(arguments, &["-e", "-E"], &["-I"]) {
        return None;
    }
    script(facts, operand(arguments, &["-I"])?.1)
}

/// `dotnet shop.dll`, `dotnet exec shop.dll`; `dotnet run` only starts another process.
pub(super) fn dotnet(facts: &Facts, arguments: &[&str]) -> Option<String> {
    let library = arguments.iter().find(|argument| argument.ends_with(".dll"))?;
    script(facts, library)
}

/// `sh script`.
pub(super) fn shell(facts: &Facts, arguments: &[&str]) -> Option<String> {
    const WITH_VALUE: [&str; 4] = ["-o", "+o", "--rcfile", "--init-file"];
    let (index, path) = operand(arguments, &WITH_VALUE)?;
    // -c may be joined with others, as in `bash -lc`.
    let commands = arguments.get(..index)?.iter().any(|argument| {
        argument.starts_with('-') && !argument.starts_with("--") && argument.contains('c')
    });
    if commands { None } else { script(facts, path) }
}

/// Is the program itself given by an option, before any script?
fn inline(arguments: &[&str], options: &[&str], with_value: &[&str]) -> bool {
    let end = operand(arguments, with_value).map_or(arguments.len(), |(index, _)| index);
    arguments.iter().take(end).any(|argument| options.contains(argument))
}

/// A script, or one of the tools that serve the folder that they are started in.
fn tool(facts: &Facts, path: &str, tools: &[&str]) -> Option<String> {
    let name = path.rsplit('/').next()?;
    if tools.contains(&name) {
        return here(facts).or_else(|| Some(name.to_owned()));
    }
    script(facts, path)
}
