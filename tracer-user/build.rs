//! Finds the eBPF object that `cargo xtask build-ebpf` has built, for embedding.
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=TRACER_EBPF_OBJECT");
    let object = std::env::var_os("TRACER_EBPF_OBJECT").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/ebpf/tracer-ebpf.o")),
        PathBuf::from,
    );
    println!("cargo::rerun-if-changed={}", object.display());
    match object.canonicalize() {
        Ok(path) => println!("cargo::rustc-env=TRACER_EBPF_OBJECT={}", path.display()),
        Err(_) => println!(
            "cargo::error={}: not built yet; run `cargo xtask build-ebpf` first",
            object.display()
        ),
    }
}
