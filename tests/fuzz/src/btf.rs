//! BTF of any content, as a kernel (or a file that says so) may publish it.

use tracer_user::kernel::{Btf, offsets, tracepoints};

/// Reads the input as BTF and asks what the tracer asks.
pub fn btf(data: &[u8]) {
    let Ok(btf) = Btf::parse(data) else { return };
    // Whether it has what is needed makes no difference: it must only come to an end.
    let _ = (tracepoints(&btf), offsets(&btf));
    let _ = (btf.offset("a", "b"), btf.offset("sock", "sk.a.b"), btf.has_function("f"));
}
