//! Finds the eBPF object that is embedded in the `tracer` binary.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=TRACER_EBPF_OBJECT");
    let object = env::var_os("TRACER_EBPF_OBJECT").map_or_else(
        || {
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("..")
                .join("target")
                .join("ebpf")
                .join("tracer-ebpf.o")
        },
        PathBuf::from,
    );
    println!("cargo::rerun-if-changed={}", object.display());
    match object.canonicalize() {
        Ok(path) if path.is_file() => {
            println!("cargo::rustc-env=TRACER_EBPF_OBJECT={}", path.display());
        }
        _ => println!(
            "cargo::error=there is no eBPF object at {}: run `cargo xtask build-ebpf` first",
            object.display()
        ),
    }
}
