//! On programs that the Go at hand builds. Where there is none, nothing is tested here: the end-to-end
//! tests cannot do without it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::{ProptestConfig, any};
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

use super::super::elf::Contents;
use super::{Probe, Program};
use super::{build, debug_info, layouts};
use crate::kernel::{
    GO_ROUND_TRIP, GO_RUNS, GO_SERVES, GO_TLS_BEGINS, GO_TLS_READ, GO_TLS_READ_DONE, GO_TLS_WRITE,
    GO_WRITES,
};

const CLIENT: &str = r#"package main
import "net/http"
func main() { http.Get("http://127.0.0.1/"); http.ListenAndServe("127.0.0.1:0", nil) }
"#;

/// The same with thread-local variables of C beside Go's own, so that the system's linker is used.
const WITH_C: &str = r#"package main
// static __thread int before[5];
// static int bump(void) { return ++before[3]; }
import "C"
import "net/http"
func main() { C.bump(); http.Get("http://127.0.0.1/"); http.ListenAndServe("127.0.0.1:0", nil) }
"#;

struct Go(TempDir);

impl Go {
    fn at_hand() -> Option<Self> {
        let found = Command::new("go").arg("version").output().is_ok_and(|it| it.status.success());
        found.then(|| Self(tempfile::tempdir().unwrap()))
    }

    fn build(&self, source: &str, name: &str, flags: &[&str]) -> Option<PathBuf> {
        let (main, program) = (self.0.path().join(format!("{name}.go")), self.0.path().join(name));
        fs::write(&main, source).unwrap();
        let cgo = if source == WITH_C { "1" } else { "0" };
        let mut go = Command::new("go");
        go.args(["build", "-o"]).arg(&program).args(flags).arg(&main);
        let built = go.env("GO111MODULE", "off").env("CGO_ENABLED", cgo).output().unwrap();
        // Without a C compiler there is no cgo.
        let text = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success() || cgo == "1", "{text}");
        built.status.success().then_some(program)
    }
}

fn probes<'a>(of: &'a Program, program: &'static str) -> impl Iterator<Item = &'a Probe> {
    of.probes.iter().filter(move |probe| probe.program == program)
}

fn read(program: &Path) -> Option<Program> {
    Program::read(&File::open(program).unwrap())
}

#[test]
fn the_table_says_what_debug_information_says() {
    let Some(go) = Go::at_hand() else { return };
    let program = go.build(CLIENT, "plain", &[]).unwrap();
    let contents = Contents::new(&File::open(program).unwrap()).unwrap();
    let elf = contents.elf().unwrap();
    let version = build::read(&elf).unwrap().version;
    let said = debug_info::structures(&elf);
    assert!(said.is_some_and(|said| said.socket.is_some() && said.persist.is_some()));
    assert_eq!(layouts::structures(version), said, "Go 1.{version}");
}

#[test]
fn programs_are_read_alike_however_they_were_built() {
    let Some(go) = Go::at_hand() else { return };
    let plain = read(&go.build(CLIENT, "plain", &[]).unwrap()).unwrap();
    assert_eq!(plain.current, -8);
    let code = fs::read(go.0.path().join("plain")).unwrap();
    for program in [GO_ROUND_TRIP, GO_SERVES, GO_WRITES, GO_RUNS, GO_TLS_BEGINS, GO_TLS_READ] {
        assert!(probes(&plain, program).next().is_some(), "{program}");
        for push in probes(&plain, program).map(|probe| code[probe.offset as usize]) {
            let cheap = plain.version < 21 || push == 0x55;
            assert!(cheap, "{program}: {push:x} costs more than it must");
        }
    }
    assert!(probes(&plain, GO_RUNS).count() == 2);
    assert!(probes(&plain, GO_TLS_WRITE).count() == 1);
    assert!(probes(&plain, GO_TLS_READ_DONE).all(|probe| code[probe.offset as usize] == 0xc3));
    let ways: [(&str, &[&str]); 3] = [
        ("stripped", &["-ldflags=-s -w"]),
        ("pie", &["-buildmode=pie"]),
        ("pie-stripped", &["-buildmode=pie", "-ldflags=-s -w"]),
    ];
    for (name, flags) in ways {
        let other = read(&go.build(CLIENT, name, flags).unwrap()).unwrap();
        let told = |program: &Program| -> Vec<_> {
            program.probes.iter().map(|probe| (probe.program, probe.layout)).collect()
        };
        assert_eq!(told(&other), told(&plain), "{name}");
        assert_eq!(Program { probes: plain.probes.clone(), ..other }, plain, "{name}");
    }
    for (name, flags) in [("c", &[][..]), ("c-pie", &["-buildmode=pie"])] {
        let Some(program) = go.build(WITH_C, name, flags) else { continue };
        let other = read(&program).unwrap();
        assert_eq!(other.current, -32, "{name}: five numbers of C's, and Go's own");
        assert_eq!(other.probes.len(), plain.probes.len(), "{name}");
        assert_eq!((other.goid, other.parent), (plain.goid, plain.parent), "{name}");
    }
}

#[test]
fn a_program_without_the_client_has_nothing_to_probe() {
    let Some(go) = Go::at_hand() else { return };
    let program = go.build("package main\nfunc main() { println(1) }\n", "none", &[]).unwrap();
    assert_eq!(read(&program).unwrap().probes, []);
    assert_eq!(read(&std::env::current_exe().unwrap()), None, "no Go program");
}

/// Whatever stands where sizes, offsets and names stand.
#[test]
fn programs_that_were_tampered_with_do_no_harm() {
    let Some(go) = Go::at_hand() else { return };
    let program = go.build(CLIENT, "hostile", &["-ldflags=-w"]).unwrap();
    let (places, whole) = {
        let contents = Contents::new(&File::open(&program).unwrap()).unwrap();
        let elf = contents.elf().unwrap();
        let section = |name: &str| elf.offset(elf.section(name).unwrap().address()).unwrap();
        let sections = u64::from_le_bytes(fs::read(&program).unwrap()[40..48].try_into().unwrap());
        let places = [0, sections, section(".gopclntab"), section(".go.buildinfo")];
        (places, fs::read(&program).unwrap())
    };
    let file = File::options().write(true).open(&program).unwrap();
    let write = |at: u64, bytes: &[u8]| file.write_all_at(bytes, at).unwrap();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(128));
    let change = (0..places.len(), 0_u64..512, any::<u64>());
    let changes = proptest::collection::vec(change, 1..8);
    runner
        .run(&changes, |changes| {
            for &(place, at, value) in &changes {
                write(places[place] + at, &value.to_le_bytes());
            }
            // Any answer will do.
            let _ = read(&program);
            for &(place, at, _) in &changes {
                let at = places[place] + at;
                write(at, &whole[at as usize..at as usize + 8]);
            }
            Ok(())
        })
        .unwrap();
    assert!(read(&program).is_some_and(|program| !program.probes.is_empty()), "put right again");
}
