//! The answer: a service's name, and the resource that its spans share.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use super::attributes::parse_attributes;
use super::facts::Facts;
use super::host::Host;
use super::name::{self, Name};
use super::program::runtime_name;
use super::rules::{Matches, Rules};
use crate::trace::{Resource, Value};

/// What a service's name was taken from; in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameSource {
    /// A rule of the configuration file.
    Rule,
    /// `OTEL_SERVICE_NAME` of its environment.
    ServiceVariable,
    /// `service.name` in `OTEL_RESOURCE_ATTRIBUTES` of its environment.
    ResourceVariable,
    /// Its container.
    Container,
    /// Its systemd service.
    Unit,
    /// The script, module, class or binary that it runs.
    Program,
    /// The name of the thread that was seen; the process was gone.
    Thread,
    /// Nothing: it was gone, and no thread name is known.
    Unknown,
}

/// One process, for as long as it runs one program.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its id.
    pub pid: u32,
    /// Clock ticks from boot to its start; 0 when it was gone before it could be read.
    pub start_time: u64,
    /// Its program; of one that was gone before it could be read, the name alone (15 bytes at most)
    /// that its thread had.
    pub exe: Option<PathBuf>,
    /// Processes of the same program that it was forked from, its parent first.
    pub forked_from: Vec<u32>,
    /// What `resource.service` was taken from.
    pub source: NameSource,
    /// For its spans.
    pub resource: Arc<Resource>,
    pub(super) rules: Matches,
}

impl Identity {
    /// `service.name`.
    #[must_use]
    pub fn service(&self) -> &Arc<str> {
        &self.resource.service
    }

    /// Reads it; `None` when there is no such process (any more). `extra` are attributes that every
    /// resource gets; what the process itself says goes before them.
    #[must_use]
    pub fn read(host: &Host, rules: &Rules, extra: &[(String, String)], pid: u32) -> Option<Self> {
        let facts = Facts::read(host, pid)?;
        let Name { name, source, forked_from, rules } = name::decide(host, rules, &facts);
        Some(Self {
            pid,
            start_time: facts.start_time,
            forked_from,
            source,
            resource: Arc::new(Resource {
                service: name,
                attributes: attributes(host, &facts, extra),
            }),
            rules,
            exe: facts.exe,
        })
    }

    /// One that was gone before it could be read; `comm` is the name of a thread of it.
    pub(super) fn gone(
        host: &Host,
        rules: &Rules,
        extra: &[(String, String)],
        pid: u32,
        comm: Option<&str>,
    ) -> Self {
        let rules = rules.matches(&[(pid, String::new())]);
        let comm = comm.and_then(name::clean);
        let exe = comm.as_ref().map(PathBuf::from);
        let (name, source) = match (&rules.settled, comm) {
            (Some(name), _) => (name.clone(), NameSource::Rule),
            (None, Some(comm)) => (comm.into(), NameSource::Thread),
            (None, None) => ("unknown_service".into(), NameSource::Unknown),
        };
        let mut found = Attributes(Vec::new());
        found.detected(host, pid);
        found.extra(extra);
        let resource = Arc::new(Resource { service: name, attributes: found.0 });
        Self { pid, start_time: 0, exe, forked_from: Vec::new(), source, resource, rules }
    }

    /// A child of this process that was gone before it could be read.
    pub(super) fn child(&self, pid: u32) -> Self {
        let mut attributes = self.resource.attributes.clone();
        for (_, value) in attributes.iter_mut().filter(|(name, _)| name == "process.pid") {
            *value = i64::from(pid).into();
        }
        let service = self.resource.service.clone();
        Self {
            pid,
            start_time: 0,
            resource: Arc::new(Resource { service, attributes }),
            ..self.clone()
        }
    }

    /// The same process under another name.
    pub(super) fn renamed(&self, name: Arc<str>, rules: Matches) -> Self {
        let attributes = self.resource.attributes.clone();
        Self {
            source: NameSource::Rule,
            resource: Arc::new(Resource { service: name, attributes }),
            rules,
            ..self.clone()
        }
    }
}

/// Attributes in the order of OpenTelemetry's semantic conventions for resources; the first value
/// of a name stays.
struct Attributes(Vec<(Cow<'static, str>, Value)>);

impl Attributes {
    fn add(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let name = name.into();
        if !self.0.iter().any(|(known, _)| *known == name) {
            self.0.push((name, value.into()));
        }
    }

    fn detected(&mut self, host: &Host, pid: u32) {
        self.add("process.pid", i64::from(pid));
        if let Some(name) = host.name() {
            self.add("host.name", name);
        }
    }

    fn extra(&mut self, extra: &[(String, String)]) {
        for (name, value) in extra {
            self.add(name.clone(), value.clone());
        }
    }
}

/// The process's own OTEL_RESOURCE_ATTRIBUTES go before what we see, but for `process.*`: those
/// came with the environment from whoever started it. Its arguments are left out, for they may
/// hold secrets.
fn attributes(
    host: &Host,
    facts: &Facts,
    extra: &[(String, String)],
) -> Vec<(Cow<'static, str>, Value)> {
    let mut found = Attributes(Vec::new());
    let own = facts.variable("OTEL_RESOURCE_ATTRIBUTES").and_then(|t| parse_attributes(t).ok());
    for (name, value) in own.unwrap_or_default() {
        if name != "service.name" && !name.starts_with("process.") {
            found.add(name, value);
        }
    }
    found.detected(host, facts.pid);
    if let Some(exe) = facts.exe.as_deref() {
        found.add("process.executable.path", exe.to_string_lossy().into_owned());
    }
    if let Some(name) = facts.program() {
        found.add("process.executable.name", name.to_owned());
        if let Some(runtime) = runtime_name(name) {
            found.add("process.runtime.name", runtime);
        }
    }
    if let Some(id) = &facts.cgroup.container {
        found.add("container.id", id.clone());
    }
    found.extra(extra);
    found.0
}

#[cfg(test)]
mod tests {
    use super::{Identity, NameSource};
    use crate::process::fake::Fake;
    use crate::process::{Host, Rules};
    use crate::trace::Value;

    fn get<'a>(identity: &'a Identity, name: &str) -> Option<&'a Value> {
        let found = &identity.resource.attributes;
        assert!(found.iter().filter(|(known, _)| known == name).count() <= 1, "{name} twice");
        found.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    #[test]
    fn attributes_of_a_live_process() {
        let pid = std::process::id();
        let us = Identity::read(&Host::live(), &Rules::default(), &[], pid).unwrap();
        let exe = std::env::current_exe().unwrap();
        assert_eq!(get(&us, "process.pid"), Some(&Value::Int(i64::from(pid))));
        assert_eq!(
            get(&us, "process.executable.path"),
            Some(&exe.to_str().unwrap().to_owned().into())
        );
        assert!(get(&us, "host.name").is_some());
    }

    #[test]
    fn own_attributes_go_first_and_extra_ones_last() {
        let fake = Fake::new();
        let own = "service.name=shop,host.name=mine,process.pid=1,env=own";
        fake.process(7)
            .exe("/usr/bin/python3.11")
            .command(&["python", "shop.py", "--token=hunter2"])
            .environment(&[("OTEL_RESOURCE_ATTRIBUTES", own), ("PASSWORD", "hunter2")])
            .write();
        let extra = [("env", "extra"), ("zone", "b")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let it = Identity::read(&fake.host(), &Rules::default(), &extra, 7).unwrap();
        assert_eq!(&**it.service(), "shop");
        assert_eq!(get(&it, "service.name"), None);
        assert_eq!(get(&it, "host.name"), Some(&"mine".into()));
        assert_eq!(get(&it, "process.pid"), Some(&Value::Int(7)));
        assert_eq!(get(&it, "env"), Some(&"own".to_owned().into()));
        assert_eq!(get(&it, "zone"), Some(&"b".to_owned().into()));
        assert_eq!(get(&it, "process.executable.name"), Some(&"python3.11".into()));
        assert_eq!(get(&it, "process.runtime.name"), Some(&"cpython".into()));
        assert!(!format!("{it:?}").contains("hunter2"));
    }

    #[test]
    fn one_that_is_gone_has_its_thread_s_name() {
        let fake = Fake::new();
        let (host, rules) = (fake.host(), Rules::default());
        let gone = |comm| Identity::gone(&host, &rules, &[], 7, comm);
        assert_eq!(gone(Some("curl")).source, NameSource::Thread);
        assert_eq!(&**gone(Some("curl")).service(), "curl");
        assert_eq!(&**gone(None).service(), "unknown_service");
        assert_eq!(get(&gone(None), "process.pid"), Some(&Value::Int(7)));
        assert_eq!(get(&gone(None), "host.name"), Some(&"box".to_owned().into()));
    }
}
