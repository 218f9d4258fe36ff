//! The BTF reader on recorded BTF (fixtures/README.md), and on broken BTF.

use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, proptest};
use tracer_common::offsets::{DescriptorOffsets, EpollOffsets, Offsets, UringOffsets};

use super::btf::{Btf, Error};
use super::{offsets, tracepoints};

const LINUX_6_1: &[u8] = include_bytes!("fixtures/linux-6.1.btf");
const LINUX_6_12: &[u8] = include_bytes!("fixtures/linux-6.12.btf");
const LINUX_6_18: &[u8] = include_bytes!("fixtures/linux-6.18.btf");
const ALL: [&[u8]; 3] = [LINUX_6_1, LINUX_6_12, LINUX_6_18];

fn read(blob: &[u8]) -> Offsets {
    offsets(&Btf::parse(blob).unwrap()).unwrap()
}

/// What has stayed in its place from 6.1 to 6.18.
fn common(net_inum: u32, protocol: u32, socket: u32, tcp: [u32; 6], task: u32) -> Offsets {
    let [write_seq, copied_seq, snd_una, bytes_acked, rcv_nxt, bytes_received] = tcp;
    Offsets {
        family: 16,
        local_port: 14,
        remote_port: 12,
        local_v4: 4,
        remote_v4: 0,
        local_v6: 72,
        remote_v6: 56,
        net: 48,
        net_inum,
        protocol,
        socket,
        file: 16,
        write_seq,
        copied_seq,
        snd_una,
        bytes_acked,
        rcv_nxt,
        bytes_received,
        task_tid: task,
        task_pid: task + 4,
        socket_type: 0,
        shutdown: 0,
        unix_peer: 0,
        unix_address: 0,
        address_len: 4,
        address_name: 8,
        task_sleeps: 0,
        task_thread_pointer: 0,
        descriptors: DescriptorOffsets {
            task_files: 0,
            files_table: 32,
            table_length: 0,
            table_files: 8,
            file_private: 0,
            socket_sock: 24,
            cookie: 88,
        },
        uring: UringOffsets::default(),
        epoll: EpollOffsets { known: 1, file_items: 0, item_link: 80, item_data: 108 },
    }
}

/// The same for io_uring, from 6.12 to 6.18.
fn uring(worker: [u32; 2], task: [u32; 2], message_iter: u32, file_iter: u32) -> UringOffsets {
    UringOffsets {
        known: 1,
        task_flags: 44,
        task_worker: worker[0],
        worker_work: worker[1],
        request_work: 216,
        request_file: 0,
        request_opcode: 64,
        request_async: 184,
        request_task: task[0],
        context_task: task[1],
        message_buffer: 8,
        message_done: 20,
        file_buffer: 48,
        message_iter,
        file_iter,
        iter_type: 0,
        iter_offset: 8,
        iter_pointer: 16,
        iter_flat: 0,
        iter_vectors: 1,
    }
}

// The numbers are those that bpftool (`bpftool btf dump`, libbpf 1.1) gives for the whole blobs.

#[test]
fn offsets_of_linux_6_1() {
    let want = common(144, 516, 624, [1852, 1468, 1508, 1496, 1464, 1448], 2416);
    let want = Offsets {
        socket_type: 514,
        shutdown: 610,
        unix_peer: 864,
        unix_address: 776,
        task_sleeps: 2760,
        task_thread_pointer: 5352,
        descriptors: DescriptorOffsets { task_files: 3048, file_private: 200, ..want.descriptors },
        epoll: EpollOffsets { file_items: 208, ..want.epoll },
        ..want
    };
    assert_eq!(
        read(LINUX_6_1),
        want,
        "without io_uring, whose requests have their buffers elsewhere"
    );
}

#[test]
fn offsets_of_linux_6_12() {
    let want = common(136, 574, 288, [1636, 1520, 1720, 1840, 1712, 1784], 2432);
    let uring = uring([2648, 64], [104, u32::MAX], 72, 8);
    let want = Offsets {
        socket_type: 572,
        shutdown: 571,
        unix_peer: 864,
        unix_address: 776,
        task_sleeps: 2760,
        task_thread_pointer: 5416,
        descriptors: DescriptorOffsets { task_files: 3048, file_private: 32, ..want.descriptors },
        uring,
        epoll: EpollOffsets { file_items: 144, ..want.epoll },
        ..want
    };
    assert_eq!(read(LINUX_6_12), want);
}

#[test]
fn offsets_of_linux_6_18() {
    let want = common(176, 532, 288, [1576, 1464, 1672, 1824, 1664, 1752], 1264);
    let uring = uring([1480, 72], [104, 16], 80, 24);
    let want = Offsets {
        socket_type: 534,
        shutdown: 575,
        unix_peer: 872,
        unix_address: 784,
        task_sleeps: 1536,
        task_thread_pointer: 3128,
        descriptors: DescriptorOffsets { task_files: 1824, file_private: 24, ..want.descriptors },
        uring,
        epoll: EpollOffsets { file_items: 136, ..want.epoll },
        ..want
    };
    assert_eq!(read(LINUX_6_18), want);
}

#[test]
fn a_kernel_without_the_tracepoints_is_called_too_old() {
    let old = Btf::parse(LINUX_6_1).unwrap();
    assert!(!old.has_tracepoint("sock_send_length") && !old.has_tracepoint("sock_recv_length"));
    assert!(old.has_tracepoint("inet_sock_set_state"));
    let error = tracepoints(&old).unwrap_err();
    assert_eq!(error, Error::NoTracepoint("sock_send_length"));
    let text = error.to_string();
    assert!(text.contains("too old") && text.contains("6.3 or newer with BTF"), "{text}");
    for blob in [LINUX_6_12, LINUX_6_18] {
        assert_eq!(tracepoints(&Btf::parse(blob).unwrap()), Ok(()));
    }
}

#[test]
fn enumerators_are_found() {
    let btf = Btf::parse(LINUX_6_18).unwrap();
    assert_eq!(btf.enumerator("iter_type", "ITER_BVEC"), Ok(2));
    assert!(btf.enumerator("iter_type", "ITER_NONE").is_err());
    assert!(btf.enumerator("no_such_enum", "ITER_BVEC").is_err());
    // In 6.1 the numbers were others.
    assert_eq!(Btf::parse(LINUX_6_1).unwrap().enumerator("iter_type", "ITER_IOVEC"), Ok(0));
}

#[test]
fn functions_are_told_apart_by_kernel() {
    for blob in ALL {
        let btf = Btf::parse(blob).unwrap();
        assert!(btf.has_function("sock_recvmsg") && btf.has_function("tcp_sendmsg"));
        // A structure, a member and a beginning of a name are no functions.
        for name in ["tcp_sock", "write_seq", "tcp_send", ""] {
            assert!(!btf.has_function(name), "{name}");
        }
    }
    // A static function where it exists: inlined in some builds.
    assert!(Btf::parse(LINUX_6_1).unwrap().has_function("__sock_sendmsg"));
    assert!(!Btf::parse(LINUX_6_12).unwrap().has_function("__sock_sendmsg"));
}

#[test]
fn what_is_missing_is_named() {
    let btf = Btf::parse(LINUX_6_18).unwrap();
    for (of, field) in [
        ("tcp_sock", "no_such_field"),
        ("no_such_struct", "write_seq"),
        ("net", "ns.inum.more"),
        // A bit-field: it has no byte of its own.
        ("tcp_sock", "nonagle"),
    ] {
        let error = btf.offset(of, field).unwrap_err();
        assert_eq!(error, Error::NoField { of: of.into(), field: field.into() });
    }
    let text = btf.offset("tcp_sock", "gone").unwrap_err().to_string();
    assert_eq!(text, "this kernel has no field gone in struct tcp_sock");
}

/// A blob with one structure `s` whose members, `[name, type, bit offset]`, repeat `member`.
fn one_struct(count: u32, member: [u32; 3]) -> Vec<u8> {
    let strings = *b"\0s\0f\0\0\0\0";
    let types = [1, 4 << 24 | count, 8].into_iter();
    let types: Vec<u32> = types.chain((0..count).flat_map(|_| member)).collect();
    let len = 4 * types.len() as u32;
    let header = [0x0001_eb9f, 24, 0, len, len, strings.len() as u32];
    let words = header.into_iter().chain(types).flat_map(u32::to_le_bytes);
    words.chain(strings).collect()
}

#[test]
fn a_structure_that_contains_itself_is_given_up() {
    let blob = one_struct(0xffff, [0, 1, 0]);
    let btf = Btf::parse(&blob).unwrap();
    assert!(btf.offset("s", "f").is_err());
}

#[test]
fn offsets_beyond_all_bounds_are_no_offsets() {
    let blob = one_struct(1, [3, 1, u32::MAX - 7]);
    let btf = Btf::parse(&blob).unwrap();
    assert_eq!(btf.offset("s", "f"), Ok((u32::MAX - 7) / 8));
    assert!(btf.offset("s", "f.f").is_err());
}

#[test]
fn what_is_cut_short_is_refused() {
    for blob in ALL {
        // The sections fill the blob, so every shorter one lacks something.
        for len in (0..64).chain((64..blob.len()).step_by(997)) {
            let error = Btf::parse(&blob[..len]).err();
            assert!(matches!(error, Some(Error::Malformed(_))), "{len}: {error:?}");
        }
    }
    assert_eq!(Btf::parse(b"\x7fELF").err(), Some(Error::Malformed("no BTF magic")));
}

/// Asks for everything; any answer is right as long as there is one.
fn ask(blob: &[u8]) -> bool {
    let Ok(btf) = Btf::parse(blob) else { return false };
    let _ = (offsets(&btf), tracepoints(&btf), btf.has_function("tcp_sendmsg"));
    true
}

proptest! {
    #[test]
    fn flipped_bits_do_not_panic(which in 0..3usize, flips in vec((any::<usize>(), 0..8u32), 1..64)) {
        let mut blob = ALL[which].to_vec();
        for (at, bit) in flips {
            let at = at % blob.len();
            blob[at] ^= 1 << bit;
        }
        ask(&blob);
    }

    #[test]
    fn flipped_ids_do_not_panic(which in 0..3usize, step in 1..200usize, value in any::<u32>()) {
        let mut blob = ALL[which].to_vec();
        let kept = 24..blob.len() / 2;
        for word in blob[kept].chunks_exact_mut(4).skip(step).step_by(step) {
            // Small numbers lead to other types, large ones outside.
            word.copy_from_slice(&(value >> (step % 32)).to_le_bytes());
        }
        ask(&blob);
    }

    #[test]
    fn noise_does_not_panic(noise in vec(any::<u8>(), 0..4096)) {
        let types = (noise.len() / 8 * 4) as u32;
        let header = [0x0001_eb9f, 24, 0, types, types, noise.len() as u32 - types];
        let blob: Vec<u8> = header.into_iter().flat_map(u32::to_le_bytes).chain(noise).collect();
        ask(&blob);
        prop_assert!(!ask(&blob[..20]));
    }
}
