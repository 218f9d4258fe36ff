//! The order in which a service's name is looked for.

use std::sync::Arc;

use super::attributes::parse_attributes;
use super::container;
use super::facts::Facts;
use super::host::Host;
use super::identity::NameSource;
use super::program;
use super::rules::{Matches, Rules};

/// Most processes looked at on the way up to the one that forked the rest.
const MAX_ANCESTORS: usize = 16;
/// Most characters of a name.
const MAX_NAME: usize = 255;

/// What was decided, and how.
pub(super) struct Name {
    pub(super) name: Arc<str>,
    pub(super) source: NameSource,
    pub(super) forked_from: Vec<u32>,
    pub(super) rules: Matches,
}

/// The process comes first, then those of the same program that it was forked from: whichever of
/// them says something by a rule decides that rule.
pub(super) fn decide(host: &Host, rules: &Rules, facts: &Facts) -> Name {
    let ancestors = forked_from(host, facts);
    let family = || std::iter::once(facts).chain(&ancestors);
    let programs: Vec<_> = family().map(|f| (f.pid, f.arguments.join(" "))).collect();
    let rules = rules.matches(&programs);
    let first = |of: &dyn Fn(&Facts) -> Option<String>| family().find_map(|f| clean(&of(f)?));
    let (name, source) = if let Some(name) = rules.settled.clone() {
        (name, NameSource::Rule)
    } else if let Some(name) = first(&|f| f.variable("OTEL_SERVICE_NAME").map(str::to_owned)) {
        (name.into(), NameSource::ServiceVariable)
    } else if let Some(name) = first(&resource_variable) {
        (name.into(), NameSource::ResourceVariable)
    } else if let Some(name) = first(&|f| container::name(host, f)) {
        (name.into(), NameSource::Container)
    } else if let Some(name) = unit(host, facts).and_then(|name| clean(&name)) {
        (name.into(), NameSource::Unit)
    } else {
        let program = first(&program::name)
            .or_else(|| first(&program::title_word))
            .or_else(|| first(&|f| f.program().map(str::to_owned)))
            .or_else(|| clean(&facts.comm));
        (program.unwrap_or_else(|| "unknown_service".into()).into(), NameSource::Program)
    };
    Name { name, source, forked_from: ancestors.iter().map(|f| f.pid).collect(), rules }
}

/// A name that every backend takes: one line, bounded; `None` if nothing is left.
pub(super) fn clean(name: &str) -> Option<String> {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    (!name.is_empty()).then_some(name)
}

fn resource_variable(facts: &Facts) -> Option<String> {
    let all = parse_attributes(facts.variable("OTEL_RESOURCE_ATTRIBUTES")?).ok()?;
    all.into_iter().find(|(name, _)| name == "service.name").map(|(_, value)| value)
}

/// The processes above this one that are the same program, nearest first: same executable, and
/// either the same command line (a plain fork) or one that was written over (a worker that gave
/// itself a title, a child that Python's multiprocessing started).
fn forked_from(host: &Host, facts: &Facts) -> Vec<Facts> {
    let mut above: Vec<Facts> = Vec::new();
    while above.len() < MAX_ANCESTORS {
        let child = above.last().unwrap_or(facts);
        if child.exe.is_none() || child.parent <= 1 {
            break;
        }
        let Some(parent) = Facts::read(host, child.parent) else { break };
        let same = child.arguments == parent.arguments
            || child.title().is_some()
            || program::is_helper(child);
        // A parent that started later is another process with a number used again.
        if !same || parent.exe != child.exe || parent.start_time > child.start_time {
            break;
        }
        above.push(parent);
    }
    above
}

/// The process's systemd service, if it is its main process or a worker of the same program. The
/// main process is the uppermost of its ancestors in the service's cgroup.
fn unit(host: &Host, facts: &Facts) -> Option<String> {
    let unit = facts.cgroup.unit.as_ref()?;
    let mut main: Option<Facts> = None;
    for _ in 0..MAX_ANCESTORS {
        let parent = main.as_ref().unwrap_or(facts).parent;
        match Facts::read(host, parent).filter(|_| parent > 1) {
            Some(above) if above.cgroup.unit.as_ref() == Some(unit) => main = Some(above),
            _ => break,
        }
    }
    let same = match &main {
        None => true,
        Some(main) => facts.exe.is_some() && facts.exe == main.exe && same_program(facts, main),
    };
    same.then(|| unit.name.clone())
}

/// For two processes of one executable. That says nothing where it is an interpreter: supervisord
/// and the Python services that it starts are different programs.
fn same_program(one: &Facts, main: &Facts) -> bool {
    let interpreted = one.program().is_some_and(program::is_interpreter);
    !interpreted || program::is_helper(one) || program::name(one) == program::name(main)
}

#[cfg(test)]
mod tests {
    use super::{clean, decide};
    use crate::process::fake::{Fake, FakeProcess};
    use crate::process::{Facts, NameSource, Rule, Rules};

    const PYTHON: &str = "/usr/bin/python3.11";

    fn named(fake: &Fake, pid: u32) -> (String, NameSource) {
        let facts = Facts::read(&fake.host(), pid).unwrap();
        let name = decide(&fake.host(), &Rules::default(), &facts);
        (name.name.to_string(), name.source)
    }

    fn python<'a>(fake: &'a Fake, pid: u32, parent: u32, line: &str) -> FakeProcess<'a> {
        let arguments: Vec<&str> = line.split(' ').collect();
        fake.process(pid).parent(parent).exe(PYTHON).command(&arguments)
    }

    #[test]
    fn each_source_gives_way_to_the_one_before() {
        let id = "a".repeat(64);
        let fake = Fake::new();
        let path = format!("/var/lib/docker/containers/{id}/config.v2.json");
        fake.file(&path, r#"{"Name":"/by-container"}"#);
        let unit = "/system.slice/by-unit.service";
        let inside = format!("/docker/{id}{unit}");
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=by-attributes");
        let all = [("OTEL_SERVICE_NAME", "by-variable"), attributes];
        let empty = [("OTEL_SERVICE_NAME", ""), attributes];
        fake.process(10).cgroup(&inside).environment(&all).write();
        fake.process(11).cgroup(&inside).environment(&empty).write();
        fake.process(12).cgroup(&inside).write();
        fake.process(13).cgroup(unit).write();
        fake.process(14).write();
        let want = [
            (10, "by-variable", NameSource::ServiceVariable),
            (11, "by-attributes", NameSource::ResourceVariable),
            (12, "by-container", NameSource::Container),
            (13, "by-unit", NameSource::Unit),
            (14, "thing", NameSource::Program),
        ];
        for (pid, name, source) in want {
            assert_eq!(named(&fake, pid), (name.to_owned(), source));
        }
        let rule = Rule { name: "by-rule".into(), pid: Some(10), port: None, cmdline: None };
        let facts = Facts::read(&fake.host(), 10).unwrap();
        let name = decide(&fake.host(), &Rules::new(vec![rule]), &facts);
        assert_eq!((&*name.name, name.source), ("by-rule", NameSource::Rule));
    }

    #[test]
    fn workers_have_the_name_of_what_forked_them() {
        let fake = Fake::new();
        python(&fake, 20, 1, "python -m uvicorn shop:app --workers 2").write();
        let spawned = "from multiprocessing.spawn import spawn_main; spawn_main(5)";
        fake.process(21)
            .parent(20)
            .exe(PYTHON)
            .command(&[PYTHON, "-c", spawned, "--multiprocessing-fork"])
            .write();
        python(&fake, 22, 1, "python /srv/cart/main.py").write();
        fake.process(23).parent(22).exe(PYTHON).command(&["busy with 7 jobs"]).write();
        python(&fake, 24, 22, "python /srv/other/main.py").write();
        assert_eq!(named(&fake, 21).0, "shop");
        assert_eq!(named(&fake, 23).0, "cart");
        assert_eq!(named(&fake, 24).0, "other", "a child that runs something else");
        let rule = Rule { name: "ruled".into(), pid: Some(20), port: None, cmdline: None };
        let facts = Facts::read(&fake.host(), 21).unwrap();
        let name = decide(&fake.host(), &Rules::new(vec![rule]), &facts);
        assert_eq!((&*name.name, name.forked_from), ("ruled", vec![20]));
    }

    #[test]
    fn a_number_used_again_is_no_parent() {
        let fake = Fake::new();
        python(&fake, 30, 1, "python /srv/cart/main.py").start_time(2000).write();
        fake.process(31).parent(30).exe(PYTHON).command(&["busy with 7 jobs"]).write();
        assert_eq!(named(&fake, 31).0, "busy");
    }

    #[test]
    fn a_unit_names_its_main_process_and_that_program_s_workers() {
        let fake = Fake::new();
        let (shop, super_) = ("/system.slice/shop.service", "/system.slice/supervisor.service");
        fake.process(40).exe("/usr/bin/shopd").cgroup(shop).write();
        fake.process(41).parent(40).exe("/usr/bin/shopd").cgroup(shop).write();
        fake.process(42).parent(40).exe("/usr/bin/curl").command(&["curl"]).cgroup(shop).write();
        python(&fake, 50, 1, "python /usr/bin/supervisord -n").cgroup(super_).write();
        python(&fake, 51, 50, "python /srv/cart/main.py").cgroup(super_).write();
        for (pid, want) in
            [(40, "shop"), (41, "shop"), (42, "curl"), (50, "supervisor"), (51, "cart")]
        {
            assert_eq!(named(&fake, pid).0, want);
        }
    }

    #[test]
    fn names_are_one_bounded_line() {
        assert_eq!(clean(" a\nb\u{1b}[1m ").as_deref(), Some("ab[1m"));
        assert_eq!(clean(" \t"), None);
        assert_eq!(clean(&"x".repeat(1000)).unwrap().len(), 255);
    }
}
