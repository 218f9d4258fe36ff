//! Loads and attaches the probes, and talks to their maps.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use aya::maps::{Array, HashMap, MapData, PerCpuArray, Queue, RingBuf};
use aya::programs::BtfTracePoint;
use aya::{Ebpf, EbpfLoader, include_bytes_aligned};
use aya_log::EbpfLogger;
use tracer_common::counter::Counter;
use tracer_common::head;
use tracer_common::offsets::Choices;
use zerocopy::IntoBytes as _;

use super::btf::Btf;
use super::names;
use super::offsets::offsets;
use super::requirements::tracepoints;
use super::uprobes::Uprobes;

/// Where the running kernel publishes its BTF.
pub const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

static OBJECT: &[u8] = include_bytes_aligned!(env!("TRACER_EBPF_OBJECT"));

/// Probes on user space that can be preempted at the same instant and still have a scratch buffer,
/// beside one on each processor.
const SPARE: u32 = 8;

/// What is to be traced, as far as the kernel side can decide it.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Verdicts are given on new processes, too, so that these must be heard of at once.
    pub choose_processes: bool,
    /// Leave out every connection none of whose ports is named.
    pub only_named_ports: bool,
    /// Process -> `filter::{TRACE, SKIP, SELF}`.
    pub processes: BTreeMap<u32, u32>,
    /// Port -> `filter::{PORT_TRACE, PORT_SKIP}`.
    pub ports: BTreeMap<u16, u32>,
    /// Ring buffer size in bytes; rounded up to a power of two of pages.
    pub ring_size: u32,
    /// Protocols of backing services that are followed: a set of `backing`'s bits.
    pub backing: u32,
    /// On the services' own connections, too.
    pub backing_servers: bool,
    /// Have the probes log what they stop at.
    pub log: bool,
}

/// The attached probes. Dropping it detaches them.
pub struct Probes {
    ebpf: Arc<Mutex<Ebpf>>,
    ring: RingBuf<MapData>,
    counts: PerCpuArray<MapData, u64>,
    processes: HashMap<MapData, u32, u32>,
    unreadable: HashMap<MapData, u32, u64>,
    generation: Array<MapData, u32>,
    version: u32,
    log: Option<EbpfLogger<&'static dyn log::Log>>,
}

impl Probes {
    /// Loads the embedded object for this kernel and attaches every probe.
    ///
    /// # Errors
    /// A sentence that says what is missing: rights, BTF, a field, a tracepoint, or the verifier's
    /// log.
    pub fn attach(selection: &Selection) -> Result<Self> {
        let blob = std::fs::read(KERNEL_BTF).with_context(|| {
            format!(
                "this kernel publishes no BTF at {KERNEL_BTF}; Linux 6.3 or newer, built with \
                 CONFIG_DEBUG_INFO_BTF, is needed"
            )
        })?;
        let btf = Btf::parse(&blob).with_context(|| KERNEL_BTF)?;
        tracepoints(&btf)?;
        let offsets = offsets(&btf)?;
        let ring_size = selection.ring_size.next_power_of_two().max(64 * 1024);
        let choices = Choices {
            seed: seed()?,
            wake_on_exec: selection.choose_processes.into(),
            only_named_ports: selection.only_named_ports.into(),
            ports_matter: (!selection.ports.is_empty()).into(),
            wake_at: ring_size / 8,
            backing: selection.backing,
            backing_servers: selection.backing_servers.into(),
        };
        let level = if selection.log { aya_log::Level::Debug as u8 } else { 0 };
        let processors =
            aya::util::nr_cpus().map_err(|(path, error)| anyhow!("{path}: {error}"))?;
        let spare = processors as u32 + SPARE;
        let mut ebpf = EbpfLoader::new()
            .override_global(names::OFFSETS, offsets.as_bytes(), true)
            .override_global(names::CHOICES, choices.as_bytes(), true)
            .override_global(aya_log::LEVEL, &level, true)
            .map_max_entries(names::EVENTS, ring_size)
            .map_max_entries(names::SCRATCH, 2 * processors as u32 + spare)
            .map_max_entries(names::FREE, spare)
            .load(OBJECT)
            .context("the kernel refused the maps")?;
        let log = if selection.log { Some(EbpfLogger::init(&mut ebpf)?) } else { None };
        fill(&mut ebpf, processors as u32, spare)?;
        let mut take = |name| ebpf.take_map(name).ok_or_else(|| anyhow!("no map {name}"));
        let mut ports: HashMap<_, u32, u32> = HashMap::try_from(take(names::PORTS)?)?;
        let mut probes = Probes {
            ring: RingBuf::try_from(take(names::EVENTS)?)?,
            counts: PerCpuArray::try_from(take(names::COUNTS)?)?,
            processes: HashMap::try_from(take(names::PROCESSES)?)?,
            unreadable: HashMap::try_from(take(names::UNREADABLE)?)?,
            generation: Array::try_from(take(names::GENERATION)?)?,
            version: 0,
            log,
            ebpf: Arc::new(Mutex::new(ebpf)),
        };
        for (&port, verdict) in &selection.ports {
            ports.insert(u32::from(port), verdict, 0)?;
        }
        for (&process, &verdict) in &selection.processes {
            probes.judge(process, verdict)?;
        }
        let uring = if offsets.uring.known != 0 { &names::URING_PROGRAMS[..] } else { &[] };
        let wanted: Vec<_> = names::PROGRAMS.iter().chain(uring).copied().collect();
        probes.start(&wanted)?;
        Ok(probes)
    }

    fn start(&self, wanted: &[&str]) -> Result<()> {
        fn program<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut BtfTracePoint> {
            let program = ebpf.program_mut(name).ok_or_else(|| anyhow!("no program {name}"))?;
            Ok(program.try_into()?)
        }
        let btf = aya::Btf::from_sys_fs()?;
        let mut ebpf = self.ebpf();
        for name in wanted {
            let loaded = program(&mut ebpf, name)?.load(name, &btf);
            loaded.with_context(|| format!("loading probe {name}"))?;
        }
        for name in wanted {
            let attached = program(&mut ebpf, name)?.attach();
            attached.with_context(|| format!("attaching probe {name}"))?;
        }
        Ok(())
    }

    fn ebpf(&self) -> MutexGuard<'_, Ebpf> {
        self.ebpf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What concerns processes' runtimes; to be asked for once.
    ///
    /// # Errors
    /// It was asked for before.
    pub fn uprobes(&self) -> Result<Uprobes> {
        let runtimes = self.ebpf().take_map(names::RUNTIMES).context("no map of runtimes")?;
        let unfollowed =
            self.ebpf().take_map(names::UNFOLLOWED).context("no map of what is not followed")?;
        Uprobes::new(self.ebpf.clone(), runtimes, unfollowed)
    }

    /// The next record, if one waits.
    pub fn next_record(&mut self) -> Option<impl std::ops::Deref<Target = [u8]> + '_> {
        self.ring.next()
    }

    /// Tells the probes what to do with a process: `filter::{TRACE, SKIP, SELF}`.
    ///
    /// # Errors
    /// The map is full.
    pub fn judge(&mut self, process: u32, verdict: u32) -> Result<()> {
        self.processes.insert(process, verdict, 0).context("too many processes in the filter")?;
        self.raise()
    }

    /// Forgets a process that has ended, or runs another program.
    pub fn forget(&mut self, process: u32) {
        // Most processes are not in the maps.
        let _ = self.processes.remove(&process);
    }

    fn raise(&mut self) -> Result<()> {
        self.version = self.version.wrapping_add(1);
        self.generation.set(0, self.version, 0).context("raising the filter's generation")
    }

    /// Every kernel-side counter, summed over processors.
    ///
    /// # Errors
    /// The map could not be read.
    pub fn counts(&self) -> Result<Vec<(Counter, u64)>> {
        let count = |counter| self.count(counter).map(|count| (counter, count));
        Counter::ALL.into_iter().map(count).collect()
    }

    /// One kernel-side counter, summed over processors.
    ///
    /// # Errors
    /// The map could not be read.
    pub fn count(&self, counter: Counter) -> Result<u64> {
        Ok(self.counts.get(&(counter as u32), 0)?.iter().sum())
    }

    /// Processes with the operations on sockets that may be or are HTTP whose bytes were sought and
    /// not found, by process number.
    #[must_use]
    pub fn unreadable(&self) -> BTreeMap<u32, u64> {
        self.unreadable.iter().flatten().collect()
    }

    /// Hands the probes' log lines to the `log` crate's logger.
    pub fn flush_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush();
        }
    }

    /// Descriptors of the programs that are loaded, by name.
    ///
    /// # Errors
    /// There can be no more descriptors.
    pub fn descriptors(&self) -> Result<Vec<(String, OwnedFd)>> {
        let mut all = vec![];
        for (name, program) in self.ebpf().programs() {
            // Those that this kernel has no place for are not loaded.
            let Ok(fd) = program.fd() else { continue };
            all.push((name.to_owned(), fd.as_fd().try_clone_to_owned()?));
        }
        Ok(all)
    }

    /// Verified instructions of each probe, for `tracer doctor` and the VM table.
    #[must_use]
    pub fn programs(&self) -> Vec<(String, Option<u32>)> {
        self.ebpf()
            .programs()
            .map(|(name, program)| {
                (
                    name.to_owned(),
                    program.info().ok().and_then(|info| info.verified_instruction_count()),
                )
            })
            .collect()
    }
}

/// Fills maps that programs need which are loaded later: they stay with the object.
fn fill(ebpf: &mut Ebpf, processors: u32, spare: u32) -> Result<()> {
    fn map<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut aya::maps::Map> {
        ebpf.map_mut(name).ok_or_else(|| anyhow!("no map {name}"))
    }
    let mut known: HashMap<_, u64, u32> = HashMap::try_from(map(ebpf, names::STARTS)?)?;
    for (key, start) in head::starts() {
        known.insert(key, start as u32, 0)?;
    }
    let mut free: Queue<_, u32> = Queue::try_from(map(ebpf, names::FREE)?)?;
    for index in 0..spare {
        free.push(2 * processors + index, 0)?;
    }
    Ok(())
}

/// 64 bits of the boot's identifier, which differs from boot to boot and host to host (random(4)).
fn seed() -> Result<u64> {
    const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
    let text = std::fs::read_to_string(BOOT_ID).with_context(|| format!("reading {BOOT_ID}"))?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    u64::from_str_radix(&digits, 16).with_context(|| format!("reading {BOOT_ID}"))
}

impl AsFd for Probes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        use std::os::fd::AsRawFd as _;
        // SAFETY: the ring buffer lives as long as `self`.
        unsafe { BorrowedFd::borrow_raw(self.ring.as_raw_fd()) }
    }
}
