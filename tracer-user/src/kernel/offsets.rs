//! The field offsets that the probes need, out of a kernel's BTF.

use tracer_common::offsets::{DescriptorOffsets, EpollOffsets, Offsets, UringOffsets};

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
        socket_type: btf.offset("sock", "sk_type")?,
        shutdown: btf.offset("sock", "sk_shutdown")?,
        unix_peer: btf.offset("unix_sock", "peer")?,
        unix_address: btf.offset("unix_sock", "addr")?,
        address_len: btf.offset("unix_address", "len")?,
        address_name: btf.offset("unix_address", "name")?,
        task_sleeps: btf.offset("task_struct", "nvcsw")?,
        task_thread_pointer: btf.offset("task_struct", "thread.fsbase")?,
        descriptors: DescriptorOffsets {
            task_files: btf.offset("task_struct", "files")?,
            files_table: btf.offset("files_struct", "fdt")?,
            table_length: btf.offset("fdtable", "max_fds")?,
            table_files: btf.offset("fdtable", "fd")?,
            file_private: btf.offset("file", "private_data")?,
            socket_sock: btf.offset("socket", "sk")?,
            cookie: common("skc_cookie")?,
        },
        // A kernel without io_uring, or with an older one, lacks some of these.
        uring: uring(btf).unwrap_or_default(),
        // A kernel without epoll lacks these.
        epoll: epoll(btf).unwrap_or_default(),
    })
}

/// Since Linux 5.11 a file has only a pointer to the list.
fn epoll(btf: &Btf<'_>) -> Result<EpollOffsets, Error> {
    Ok(EpollOffsets {
        known: 1,
        file_items: btf.offset("file", "f_ep")?,
        item_link: btf.offset("epitem", "fllink")?,
        item_data: btf.offset("epitem", "event.data")?,
    })
}

/// Since Linux 6.10 every request keeps its iterator in its `async_data`; before, `free_iov_nr`
/// (later `vec`) was not there, and most requests had theirs on the kernel's stack.
fn uring(btf: &Btf<'_>) -> Result<UringOffsets, Error> {
    let message = |field: &str| btf.offset("io_async_msghdr", field);
    message("free_iov_nr").or_else(|_| message("vec"))?;
    let task = |field: &str| btf.offset("task_struct", field);
    let request = |field: &str| btf.offset("io_kiocb", field);
    let iter = |field: &str| btf.offset("iov_iter", field);
    let context = request("tctx");
    Ok(UringOffsets {
        known: 1,
        task_flags: task("flags")?,
        task_worker: task("worker_private")?,
        worker_work: btf.offset("io_worker", "cur_work")?,
        request_work: request("work")?,
        request_file: request("file")?,
        request_opcode: request("opcode")?,
        request_async: request("async_data")?,
        context_task: match context {
            Ok(_) => btf.offset("io_uring_task", "task")?,
            Err(_) => u32::MAX,
        },
        request_task: context.or_else(|_| request("task"))?,
        message_buffer: btf.offset("io_sr_msg", "buf")?,
        message_done: btf.offset("io_sr_msg", "done_io")?,
        file_buffer: btf.offset("io_rw", "addr")?,
        message_iter: message("msg.msg_iter")?,
        file_iter: btf.offset("io_async_rw", "iter")?,
        iter_type: iter("iter_type")?,
        iter_offset: iter("iov_offset")?,
        iter_pointer: iter("ubuf")?,
        iter_flat: btf.enumerator("iter_type", "ITER_UBUF")?,
        iter_vectors: btf.enumerator("iter_type", "ITER_IOVEC")?,
    })
}
