//! nginx and what descends from it: one thread serves many connections, and says of each to the upstream
//! servers for which client's it is used. The probes know how ([`FLOW_CONNECTION`]), and verify what
//! they read; here it is only told by its name, which its forks keep.

use std::path::Path;

use tracer_common::record::FLOW_CONNECTION;
use tracer_common::runtime::Runtime;

use super::{Again, Candidate, Detector, Insight};

/// Names of its program: of its packages, of their builds for debugging, and of Angie's; OpenResty's,
/// Tengine's and freenginx's are called like nginx's.
const PROGRAMS: [&str; 4] = ["nginx", "nginx-debug", "angie", "angie-debug"];
/// What the kernel says behind the name of a file that is gone, as when it was replaced by an upgrade.
const GONE: &str = " (deleted)";

/// Recognises it.
#[derive(Debug)]
pub(super) struct Nginx;

impl Detector for Nginx {
    fn look(&mut self, process: &Candidate) -> Option<Insight> {
        let program = std::fs::read_link(process.exe_path()).ok()?;
        let runtime = Runtime { kind: FLOW_CONNECTION, ..Runtime::default() };
        is_nginx(&program).then(|| Insight {
            runtime: Some(runtime),
            uprobes: vec![],
            again: Again::Never,
        })
    }
}

fn is_nginx(program: &Path) -> bool {
    let name = program.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| PROGRAMS.contains(&name.strip_suffix(GONE).unwrap_or(&name)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_nginx;

    #[test]
    fn told_by_its_name() {
        for program in ["/usr/sbin/nginx", "/usr/sbin/nginx (deleted)", "/opt/angie-debug"] {
            assert!(is_nginx(Path::new(program)), "{program}");
        }
        for program in ["/usr/sbin/nginxd", "/usr/bin/my-nginx", "/nginx/sbin/other", "/"] {
            assert!(!is_nginx(Path::new(program)), "{program}");
        }
    }
}
