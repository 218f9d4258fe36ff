//! Which processes and connections are traced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::process::Identity;

/// Trace it or leave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Trace it.
    Trace,
    /// Leave it out.
    Skip,
}

/// One side of a filter, as it is written: what to trace, or what not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Process ids.
    #[serde(rename = "pid")]
    pub pids: Vec<u32>,
    /// Ports.
    #[serde(rename = "port")]
    pub ports: Vec<u16>,
    /// Globs for executables.
    #[serde(rename = "exe")]
    pub exes: Vec<String>,
    /// Globs for service names.
    #[serde(rename = "service")]
    pub services: Vec<String>,
}

/// Says what is traced. A process is when one of the included ids, executables and services fits
/// (or none is given), and none of the excluded ones does. Of its connections, those are with an
/// included port (or none is given) and no excluded one at either end.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    include: Compiled,
    exclude: Compiled,
}

#[derive(Clone, Debug, Default)]
struct Compiled {
    pids: BTreeSet<u32>,
    ports: BTreeSet<u16>,
    exes: GlobSet,
    services: GlobSet,
}

impl Filter {
    /// Compiles it.
    ///
    /// # Errors
    /// The glob that is not one, and what is wrong with it.
    pub fn new(include: &Selection, exclude: &Selection) -> Result<Self, String> {
        Ok(Self { include: Compiled::new(include)?, exclude: Compiled::new(exclude)? })
    }

    /// Is this process traced, as far as its connections' ports allow?
    #[must_use]
    pub fn process(&self, process: &Identity) -> Verdict {
        let wanted = !self.restricts_processes() || self.include.fits(process);
        if wanted && !self.exclude.fits(process) { Verdict::Trace } else { Verdict::Skip }
    }

    /// Is a service of this name traced, where nothing else is known of its processes?
    #[must_use]
    pub fn service(&self, name: &str) -> Verdict {
        let wanted = self.include.services.is_empty() || self.include.services.is_match(name);
        if wanted && !self.exclude.services.is_match(name) { Verdict::Trace } else { Verdict::Skip }
    }

    /// Does [`service`](Self::service) ever say anything but [`Verdict::Trace`]?
    #[must_use]
    pub fn judges_services(&self) -> bool {
        !self.include.services.is_empty() || !self.exclude.services.is_empty()
    }

    /// Must a process be included by name, so that one nobody has looked at yet is not traced?
    #[must_use]
    pub fn restricts_processes(&self) -> bool {
        self.include.chooses()
    }

    /// Does [`process`](Self::process) ever say anything but [`Verdict::Trace`]? If not, nobody
    /// has to be looked at.
    #[must_use]
    pub fn judges_processes(&self) -> bool {
        self.include.chooses() || self.exclude.chooses()
    }

    /// Ports that are named, with what that means for a connection with it at either end; a
    /// connection with both kinds is left out.
    #[must_use]
    pub fn ports(&self) -> BTreeMap<u16, Verdict> {
        let named = |set: &BTreeSet<u16>, verdict| {
            set.iter().map(move |port| (*port, verdict)).collect::<Vec<_>>()
        };
        let mut ports = BTreeMap::from_iter(named(&self.include.ports, Verdict::Trace));
        ports.extend(named(&self.exclude.ports, Verdict::Skip));
        ports
    }

    /// Must a connection have one of [`ports`](Self::ports) that says [`Verdict::Trace`]?
    #[must_use]
    pub fn restricts_ports(&self) -> bool {
        !self.include.ports.is_empty()
    }

    /// Is everything traced?
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.judges_processes() && self.ports().is_empty()
    }
}

impl Compiled {
    fn new(selection: &Selection) -> Result<Self, String> {
        Ok(Self {
            pids: selection.pids.iter().copied().collect(),
            ports: selection.ports.iter().copied().collect(),
            exes: globs(&selection.exes)?,
            services: globs(&selection.services)?,
        })
    }

    fn chooses(&self) -> bool {
        !self.pids.is_empty() || !self.exes.is_empty() || !self.services.is_empty()
    }

    fn fits(&self, process: &Identity) -> bool {
        let pid = std::iter::once(&process.pid).chain(&process.forked_from);
        pid.into_iter().any(|pid| self.pids.contains(pid))
            || process.exe.as_deref().is_some_and(|exe| self.fits_exe(exe))
            || self.services.is_match(&**process.service())
    }

    fn fits_exe(&self, exe: &Path) -> bool {
        self.exes.is_match(exe) || exe.file_name().is_some_and(|name| self.exes.is_match(name))
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(
            Glob::new(pattern)
                .map_err(|error| format!("`{pattern}` is no glob: {}", error.kind()))?,
        );
    }
    set.build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Filter, Selection, Verdict};
    use crate::process::{Host, Identity, Rules};

    fn select(pids: &[u32], exes: &[&str], services: &[&str], ports: &[u16]) -> Selection {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        Selection {
            pids: pids.into(),
            ports: ports.into(),
            exes: owned(exes),
            services: owned(services),
        }
    }

    fn us() -> Identity {
        let pid = std::process::id();
        let mut us = Identity::read(&Host::live(), &Rules::default(), &[], pid).unwrap();
        us.exe = Some("/usr/sbin/nginx".into());
        us
    }

    fn verdict(include: &Selection, exclude: &Selection) -> Verdict {
        Filter::new(include, exclude).unwrap().process(&us())
    }

    #[test]
    fn any_included_kind_is_enough_and_any_excluded_one_too() {
        let (none, name) = (Selection::default(), us().service().to_string());
        let fitting = [
            select(&[us().pid], &["/no"], &[], &[]),
            select(&[1], &["nginx"], &[], &[]),
            select(&[1], &["/usr/*/ng*"], &[], &[]),
            select(&[1], &["*nginx"], &["x"], &[]),
            select(&[1], &[], &[&format!("{}*", &name[..3])], &[]),
        ];
        for some in &fitting {
            assert_eq!(verdict(some, &none), Verdict::Trace, "{some:?}");
            assert_eq!(verdict(&none, some), Verdict::Skip, "{some:?}");
            assert_eq!(verdict(some, some), Verdict::Skip, "{some:?}");
        }
        let other = select(&[1], &["sbin/nginx", "ngin"], &["x"], &[]);
        assert_eq!(verdict(&other, &none), Verdict::Skip);
        assert_eq!(verdict(&none, &other), Verdict::Trace);
        assert_eq!(verdict(&none, &none), Verdict::Trace);
    }

    #[test]
    fn a_worker_fits_by_the_program_that_forked_it() {
        let mut worker = us();
        worker.forked_from = vec![4242];
        let filter = Filter::new(&select(&[4242], &[], &[], &[]), &Selection::default()).unwrap();
        assert_eq!(filter.process(&worker), Verdict::Trace);
        assert_eq!(filter.process(&us()), Verdict::Skip);
    }

    #[test]
    fn ports_restrict_connections_not_processes() {
        let (include, exclude) = (select(&[], &[], &[], &[80, 90]), select(&[], &[], &[], &[90]));
        let filter = Filter::new(&include, &exclude).unwrap();
        let ports: Vec<_> = filter.ports().into_iter().collect();
        assert_eq!(ports, [(80, Verdict::Trace), (90, Verdict::Skip)]);
        assert!(filter.restricts_ports() && !filter.judges_processes() && !filter.is_open());
        assert_eq!(filter.process(&us()), Verdict::Trace);
        assert!(Filter::default().is_open());
        let excluding = Filter::new(&Selection::default(), &exclude).unwrap();
        assert!(!excluding.restricts_ports() && !excluding.is_open());
    }

    #[test]
    fn what_is_no_glob_is_named() {
        let bad = Filter::new(&select(&[], &["a[b"], &[], &[]), &Selection::default());
        assert!(bad.unwrap_err().contains("`a[b`"));
    }
}
