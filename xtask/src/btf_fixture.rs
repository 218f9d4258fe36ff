//! `cargo xtask btf-fixture BLOB OUT`: a small part of a kernel's BTF, for tests of the BTF reader.
//!
//! A whole blob is some megabytes. Kept are the structures that tracer-user looks into, with the
//! types that they contain, and the functions and tracepoints it asks for. A pointer leads to void
//! unless it leads to a function's prototype; nothing else is changed, so that every offset is the
//! kernel's. Format: Documentation/bpf/btf.rst in the kernel's source.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

/// Structures to keep.
const STRUCTS: [&str; 20] = [
    "sock_common",
    "sock",
    "socket",
    "net",
    "tcp_sock",
    "task_struct",
    "files_struct",
    "fdtable",
    "file",
    "epitem",
    "unix_sock",
    "unix_address",
    "io_kiocb",
    "io_worker",
    "io_uring_task",
    "io_sr_msg",
    "io_async_msghdr",
    "io_async_rw",
    "io_rw",
    "iov_iter",
];
/// Enumerations to keep.
const ENUMS: [&str; 1] = ["iter_type"];
/// Functions to keep, where the kernel has them.
const FUNCTIONS: [&str; 4] = ["__sock_sendmsg", "sock_sendmsg", "sock_recvmsg", "tcp_sendmsg"];
/// Tracepoints to keep, where the kernel has them.
const TRACEPOINTS: [&str; 9] = [
    "sock_send_length",
    "sock_recv_length",
    "inet_sock_set_state",
    "sched_process_exec",
    "sched_process_fork",
    "sched_process_exit",
    "sched_waking",
    "io_uring_submit_req",
    "io_uring_poll_arm",
];

const MAGIC: u32 = 0x0001_eb9f;
const HEADER: usize = 24;

const PTR: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const TYPEDEF: u32 = 8;
const FUNC: u32 = 12;
const FUNC_PROTO: u32 = 13;
const ENUM64: u32 = 19;

#[derive(Args)]
pub(crate) struct Options {
    /// BTF of a kernel: /sys/kernel/btf/vmlinux, or the section .BTF of a vmlinux
    blob: PathBuf,
    /// Where to put the part
    out: PathBuf,
}

/// One type: its record's words, from the name on.
#[derive(Clone, Copy)]
struct Type<'a>(&'a [u8]);

impl Type<'_> {
    fn word(&self, at: usize) -> u32 {
        self.0
            .get(4 * at..4 * at + 4)
            .and_then(|word| word.try_into().ok())
            .map_or(0, u32::from_le_bytes)
    }

    fn kind(&self) -> u32 {
        self.word(1) >> 24 & 0x1f
    }

    fn words(&self) -> usize {
        self.0.len() / 4
    }

    /// Which words are ids of types, and which are offsets of names.
    fn references(&self) -> (Vec<usize>, Vec<usize>) {
        let every = |step: usize, first: usize| (first..self.words()).step_by(step).collect();
        let (ids, mut names): (Vec<_>, Vec<_>) = match self.kind() {
            ARRAY => (vec![3, 4], vec![]),
            STRUCT | UNION => (every(3, 4), every(3, 3)),
            ENUM => (vec![], every(2, 3)),
            ENUM64 => (vec![], every(3, 3)),
            FUNC_PROTO => ([vec![2], every(2, 4)].concat(), every(2, 3)),
            // Pointer, typedef, volatile, const, restrict, function, variable, tags.
            2 | 8..=12 | 14 | 17 | 18 => (vec![2], vec![]),
            _ => (vec![], vec![]),
        };
        names.push(0);
        (ids, names)
    }
}

/// A blob's types, by id less one, and its strings.
struct Blob<'a> {
    types: Vec<Type<'a>>,
    strings: &'a [u8],
}

impl<'a> Blob<'a> {
    fn parse(blob: &'a [u8]) -> Result<Self> {
        let header = Type(blob.get(..HEADER).context("shorter than a header")?);
        ensure!(header.word(0) == MAGIC, "no BTF of version 1, little-endian");
        let section = |offset: usize, len: usize| {
            let start = header.word(1) as usize + header.word(offset) as usize;
            blob.get(start..start + header.word(len) as usize).context("cut short")
        };
        let (mut rest, strings) = (section(2, 3)?, section(4, 5)?);
        let mut types = Vec::new();
        while !rest.is_empty() {
            let start = Type(rest);
            let count = (start.word(1) & 0xffff) as usize;
            let body = match start.kind() {
                ARRAY => 3,
                STRUCT | UNION | ENUM64 | 15 => 3 * count,
                ENUM | FUNC_PROTO => 2 * count,
                1 | 14 | 17 => 1,
                2 | 7..=12 | 16 | 18 => 0,
                kind => bail!("unknown kind of type {kind}"),
            };
            let (one, others) = rest.split_at_checked(12 + 4 * body).context("type cut short")?;
            types.push(Type(one));
            rest = others;
        }
        Ok(Self { types, strings })
    }

    fn get(&self, id: u32) -> Option<Type<'a>> {
        self.types.get((id as usize).checked_sub(1)?).copied()
    }

    fn name(&self, offset: u32) -> &'a [u8] {
        let rest = self.strings.get(offset as usize..).unwrap_or_default();
        rest.split(|&byte| byte == 0).next().unwrap_or_default()
    }

    /// Is this one of those that are asked for by name?
    fn wanted(&self, one: Type<'_>) -> bool {
        let Ok(name) = std::str::from_utf8(self.name(one.word(0))) else { return false };
        match one.kind() {
            STRUCT => STRUCTS.contains(&name),
            ENUM => ENUMS.contains(&name),
            FUNC => FUNCTIONS.contains(&name),
            TYPEDEF => {
                name.strip_prefix("btf_trace_").is_some_and(|name| TRACEPOINTS.contains(&name))
            }
            _ => false,
        }
    }

    /// Whether the part keeps what a type refers to.
    fn follows(&self, one: Type<'_>) -> bool {
        one.kind() != PTR || self.get(one.word(2)).is_some_and(|to| to.kind() == FUNC_PROTO)
    }

    /// The part, as a blob.
    fn slice(&self) -> Vec<u8> {
        let first = |(id, one): (u32, &Type<'_>)| self.wanted(*one).then_some(id);
        let mut order: Vec<u32> = (1..).zip(&self.types).filter_map(first).collect();
        let mut ids: HashMap<u32, u32> = order.iter().copied().zip(1..).collect();
        let mut at = 0;
        while let Some(&id) = order.get(at) {
            at += 1;
            let Some(one) = self.get(id).filter(|one| self.follows(*one)) else { continue };
            for word in one.references().0 {
                let to = one.word(word);
                if to != 0 && !ids.contains_key(&to) {
                    order.push(to);
                    ids.insert(to, order.len() as u32);
                }
            }
        }
        let (mut types, mut strings, mut known) = (Vec::new(), vec![0], HashMap::new());
        known.insert(&b""[..], 0);
        for one in order.iter().filter_map(|&id| self.get(id)) {
            let (references, names) = one.references();
            for word in 0..one.words() {
                let mut value = one.word(word);
                if names.contains(&word) {
                    let name = self.name(value);
                    value = *known.entry(name).or_insert_with(|| {
                        let offset = strings.len() as u32;
                        strings.extend([name, b"\0"].concat());
                        offset
                    });
                } else if references.contains(&word) {
                    value = if self.follows(one) { ids.get(&value).copied() } else { None }
                        .unwrap_or_default();
                }
                types.extend(value.to_le_bytes());
            }
        }
        let lengths = [types.len() as u32, strings.len() as u32];
        let header = [MAGIC, HEADER as u32, 0, lengths[0], lengths[0], lengths[1]];
        let header = header.into_iter().flat_map(u32::to_le_bytes);
        header.chain(types).chain(strings).collect()
    }
}

/// Reads the blob and writes the part.
pub(crate) fn btf_fixture(options: &Options) -> Result<()> {
    let from = || options.blob.display().to_string();
    let blob = fs::read(&options.blob).with_context(from)?;
    let part = Blob::parse(&blob).with_context(from)?.slice();
    fs::write(&options.out, &part).with_context(|| options.out.display().to_string())?;
    println!("{}: {} of {} bytes", options.out.display(), part.len(), blob.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Blob;

    const PART: &[u8] = include_bytes!("../../tracer-user/src/kernel/fixtures/linux-6.12.btf");

    #[test]
    fn a_part_of_a_part_is_the_same() {
        assert!(Blob::parse(PART).unwrap().slice() == PART);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        for len in [0, 10, 23, 24, 1000, PART.len() - 1] {
            assert!(Blob::parse(&PART[..len]).is_err(), "{len}");
        }
    }
}
