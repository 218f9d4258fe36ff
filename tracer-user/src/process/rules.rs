//! Naming rules of the configuration file.

use std::sync::Arc;

use regex::Regex;

/// One `[[service]]` of the configuration file. Every condition that it has must hold; the file
/// makes sure that it has one.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The service's name.
    pub name: Arc<str>,
    /// The process's id, or that of the program that forked it.
    pub pid: Option<u32>,
    /// A local port on which the process was seen to be the server.
    pub port: Option<u16>,
    /// Found anywhere in the command line, its arguments joined by spaces.
    pub cmdline: Option<Regex>,
}

/// All of them; an earlier one goes before a later one.
#[derive(Clone, Debug, Default)]
pub struct Rules(Arc<[Rule]>);

/// Which rules a process meets, apart from those with a port that it has not been seen to serve.
#[derive(Clone, Debug, Default)]
pub(super) struct Matches {
    /// Rules whose only open condition is their port, in order, all before `settled`.
    pub(super) by_port: Vec<(u16, Arc<str>)>,
    /// The first rule that the process meets whatever it serves.
    pub(super) settled: Option<Arc<str>>,
}

impl Rules {
    /// In the order in which they are tried.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules.into())
    }

    /// `programs` are ids and command lines of the process and of those that it was forked from.
    pub(super) fn matches(&self, programs: &[(u32, String)]) -> Matches {
        let mut matches = Matches::default();
        for rule in self.0.iter() {
            let holds = programs.iter().any(|(pid, cmdline)| {
                rule.pid.is_none_or(|want| want == *pid)
                    && rule.cmdline.as_ref().is_none_or(|want| want.is_match(cmdline))
            });
            match rule.port {
                _ if !holds => {}
                Some(port) => matches.by_port.push((port, rule.name.clone())),
                None => {
                    matches.settled = Some(rule.name.clone());
                    break;
                }
            }
        }
        matches
    }
}

impl Matches {
    /// The rule that names a process serving `port`, if that one goes before what named it so far;
    /// later ones are forgotten.
    pub(super) fn serve(&mut self, port: u16) -> Option<Arc<str>> {
        let index = self.by_port.iter().position(|(want, _)| *want == port)?;
        let (_, name) = self.by_port.drain(index..).next()?;
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Rule, Rules};
    use regex::Regex;

    fn rule(name: &str, pid: Option<u32>, port: Option<u16>, cmdline: Option<&str>) -> Rule {
        let cmdline = cmdline.map(|pattern| Regex::new(pattern).unwrap());
        Rule { name: name.into(), pid, port, cmdline }
    }

    #[test]
    fn the_first_rule_whose_conditions_all_hold_names() {
        let rules = Rules::new(vec![
            rule("both", Some(7), None, Some("shop")),
            rule("line", None, None, Some("^gunicorn .*shop:app$")),
            rule("pid", Some(9), None, None),
        ]);
        let named = |pid, line: &str| rules.matches(&[(pid, line.to_owned())]).settled;
        assert_eq!(named(7, "x shop").as_deref(), Some("both"));
        assert_eq!(named(8, "gunicorn -w 4 shop:app").as_deref(), Some("line"));
        assert_eq!(named(9, "other").as_deref(), Some("pid"));
        assert_eq!(named(8, "other"), None);
    }

    #[test]
    fn the_earliest_rule_of_a_served_port_wins_whenever_it_is_seen() {
        let rules = Rules::new(vec![
            rule("front", None, Some(80), None),
            rule("admin", None, Some(90), None),
            rule("rest", None, None, Some("shop")),
            rule("late", None, Some(70), None),
        ]);
        let mut matches = rules.matches(&[(1, "shop".into())]);
        assert_eq!(matches.settled.as_deref(), Some("rest"));
        assert_eq!(matches.serve(70), None, "a later rule than the one that names");
        assert_eq!(matches.serve(90).as_deref(), Some("admin"));
        assert_eq!(matches.serve(80).as_deref(), Some("front"));
        assert_eq!(matches.serve(90), None);
    }
}
