//! The field offsets that the probes need, out of a kernel's BTF.

use tracer_common::offsets::Offsets;

use super::btf::{Btf, Error};

/// Looks all of them up.
///
/// # Errors
/// The first field that this kernel lacks.
pub fn offsets(btf: &Btf<'_>) -> Result<Offsets, Error> {
    let common = |field: &str| btf.offset("sock_common", field);
    let tcp = |field: &str| btf.offset("tcp_sock", field);
    Ok(Offsets {
        family: common("skc_family")?,
        local_port: common("skc_num")?,
        remote_port: common("skc_dport")?,
        local_v4: common("skc_rcv_saddr")?,
        remote_v4: common("skc_daddr")?,
        local_v6: common("skc_v6_rcv_saddr")?,
        remote_v6: common("skc_v6_daddr")?,
        net: common("skc_net")?,
        net_inum: btf.offset("net", "ns.inum")?,
        protocol: btf.offset("sock", "sk_protocol")?,
        socket: btf.offset("sock", "sk_socket")?,
        file: btf.offset("socket", "file")?,
        write_seq: tcp("write_seq")?,
        copied_seq: tcp("copied_seq")?,
        snd_una: tcp("snd_una")?,
        bytes_acked: tcp("bytes_acked")?,
        rcv_nxt: tcp("rcv_nxt")?,
        bytes_received: tcp("bytes_received")?,
        task_tid: btf.offset("task_struct", "pid")?,
        task_pid: btf.offset("task_struct", "tgid")?,
    })
}
