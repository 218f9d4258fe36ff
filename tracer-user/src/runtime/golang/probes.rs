//! Which functions of a Go program are probed, where in them, and what each probe is told.

use std::collections::HashSet;

use tracer_common::golang::Layout;

use super::super::elf::Elf;
use super::program::Structures;
use super::returns::returns;
use super::symbols::{self, ENTRY, Function};
use crate::kernel::{
    GO_ROUND_TRIP, GO_RPC_CALLED, GO_RPC_SERVES, GO_RUNS, GO_SERVES, GO_TLS_BEGINS, GO_TLS_READ,
    GO_TLS_READ_DONE, GO_TLS_WRITE, GO_WRITES,
};

/// A place in the program's file, and what the probe there needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Name of the program in the eBPF object.
    pub program: &'static str,
    /// Of the instruction, in bytes from the file's beginning.
    pub offset: u64,
    /// How the structures are laid out.
    pub layout: Layout,
}

/// Where in a function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At its entry, perhaps twice in a call.
    Entry,
    /// At its entry, once in each call.
    Once,
    /// At its returns.
    Returns,
}

/// Functions that are probed alike. Which of them there are differs from version to version.
type Wanted = (&'static [&'static str], &'static str, Place);

/// What hands a request of HTTP/1 over to the goroutine that writes it; so in every Go since 1.7.
const ROUND_TRIP: Wanted = (&["net/http.(*persistConn).roundTrip"], GO_ROUND_TRIP, Place::Entry);

/// Who is between a request and what asks for a name for it: net/http dials in a goroutine of its own, and
/// Go's own resolver looks up in another, which starts one for each kind of address.
const BETWEEN: Wanted = (
    &["net.(*Resolver).goLookupIPCNAMEOrder", "net/http.(*Transport).dialConnFor"],
    GO_RUNS,
    Place::Entry,
);

/// HTTP/2 of Go up to 1.26, of later ones, and of the module.
const STREAMS: [Wanted; 2] = [
    (
        &[
            "net/http.(*http2serverConn).runHandler",
            "net/http/internal/http2.(*serverConn).runHandler",
            "golang.org/x/net/http2.(*serverConn).runHandler",
        ],
        GO_SERVES,
        Place::Entry,
    ),
    (
        &[
            "net/http.(*http2clientStream).doRequest",
            "net/http/internal/http2.(*clientStream).doRequest",
            "golang.org/x/net/http2.(*clientStream).doRequest",
        ],
        GO_WRITES,
        Place::Entry,
    ),
];

/// grpc-go.
const RPC: [Wanted; 2] = [
    (&["google.golang.org/grpc.(*Server).handleStream"], GO_RPC_SERVES, Place::Entry),
    (
        &["google.golang.org/grpc/internal/transport.(*http2Client).NewStream"],
        GO_RPC_CALLED,
        Place::Returns,
    ),
];

/// crypto/tls: all of them, or there is nothing to see.
const TLS: [Wanted; 4] = [
    (
        &["crypto/tls.(*Conn).clientHandshake", "crypto/tls.(*Conn).serverHandshake"],
        GO_TLS_BEGINS,
        Place::Entry,
    ),
    (&["crypto/tls.(*Conn).Write"], GO_TLS_WRITE, Place::Once),
    // The return comes first: what is not read yet when both are there is heard of as a whole.
    (&["crypto/tls.(*Conn).Read"], GO_TLS_READ_DONE, Place::Returns),
    (&["crypto/tls.(*Conn).Read"], GO_TLS_READ, Place::Entry),
];

/// The probes on a program.
pub(super) fn probes(elf: &Elf<'_>, structures: &Structures) -> Vec<Probe> {
    let Some(socket) = structures.socket else { return vec![] };
    let all = [ROUND_TRIP, BETWEEN].into_iter().chain(STREAMS).chain(RPC).chain(TLS);
    let names: HashSet<_> = all.flat_map(|(names, ..)| names).copied().chain([ENTRY]).collect();
    let functions = symbols::functions(elf, &names);
    let one = |wanted: &Wanted, layout: Layout| {
        let (names, program, place) = *wanted;
        let functions = names.iter().filter_map(|name| functions.get(name));
        let places = functions.filter_map(|function| places(elf, *function, place));
        let probes = places.flatten().map(|offset| Probe { program, offset, layout });
        probes.collect::<Vec<_>>()
    };
    let mut probes = one(&BETWEEN, socket);
    if let Some(conn) = structures.persist {
        probes.extend(one(&ROUND_TRIP, Layout { conn, ..socket }));
    }
    probes.extend(STREAMS.iter().flat_map(|wanted| one(wanted, socket)));
    if let Some(rpc) = structures.rpc {
        let Layout { conn, stream, behind, .. } = rpc;
        let layout = Layout { conn, stream, behind, ..socket };
        probes.extend(RPC.iter().flat_map(|wanted| one(wanted, layout)));
    }
    let tls = TLS.map(|wanted| one(&wanted, socket));
    if tls.iter().all(|probes| !probes.is_empty()) {
        probes.extend(tls.concat());
    }
    probes
}

/// In bytes from the file's beginning.
fn places(elf: &Elf<'_>, function: Function, place: Place) -> Option<Vec<u64>> {
    let addresses = match place {
        Place::Entry => vec![symbols::cheapest(elf, function.address)],
        Place::Once => vec![symbols::behind(elf, function.address)?],
        Place::Returns => returns(elf, function)?,
    };
    addresses.into_iter().map(|address| elf.offset(address)).collect()
}
