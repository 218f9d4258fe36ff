//! One connection's exchanges: which protocol it speaks, which side this is, and which message
//! belongs to which.

mod backing;
mod driver;
mod http1;
mod http2;
mod open;
mod websocket;

use tracer_common::backing::{ANSWERS, Beginning};
use tracer_common::head::{Start, look_at};

use crate::connection::{Address, Chunk, Info, Moment};
use crate::protocol::Protocols;
use crate::protocol::backing::{Engine, System};
use crate::protocol::http1::{Fault, begins_request};
use crate::protocol::http2::{Sight, sight};

use self::backing::Backing;
use self::driver::direction;
use self::http1::Http1;
use self::http2::Http2;
pub(super) use self::open::{Place, Sink};
use self::websocket::WebSocket;
use super::{Incomplete, Side, Signal};

/// Of one connection.
#[derive(Debug, Default)]
pub(super) struct Lane {
    speech: Speech,
}

/// What it speaks.
#[derive(Debug, Default)]
enum Speech {
    /// It has not shown.
    #[default]
    Unknown,
    /// The same, but it is a backing service's: the kernel side has seen more of it.
    Announced,
    Http1(Box<Http1>),
    Http2(Box<Http2>),
    WebSocket(Box<WebSocket>),
    Backing(Box<Backing>),
    /// Nothing that is followed, any more.
    Left,
}

impl Lane {
    /// Takes one operation. `sent`: this side sent it.
    pub(super) fn operation(
        &mut self,
        place: &Place<'_>,
        sent: bool,
        chunk: &Chunk<'_>,
        protocols: &Protocols,
        sink: &mut Sink<'_>,
    ) {
        // The engines know a connection's first byte by its position.
        let position = chunk.position.saturating_sub(if sent { place.syn() } else { 0 });
        let chunk = &Chunk { position, ..*chunk };
        match self.speech {
            Speech::Unknown => self.speech = listen(place, sent, chunk, protocols),
            Speech::Announced => match backing(place, sent, chunk, protocols) {
                Speech::Unknown => {}
                speech => self.speech = speech,
            },
            _ => {}
        }
        match &mut self.speech {
            Speech::Unknown if chunk.head.is_empty() => {
                sink.faults.push(Fault::MessageStartUnseen.into());
            }
            Speech::Unknown | Speech::Announced | Speech::Left => {}
            Speech::Http1(http1) => {
                if let Some(next) = http1.operation(place, sent, chunk, &protocols.http1, sink) {
                    self.speech = next;
                } else if http1.left {
                    self.speech = Speech::Left;
                }
            }
            Speech::Http2(http2) => http2.operation(place, sent, chunk, sink),
            Speech::WebSocket(websocket) => websocket.operation(sent, chunk, sink),
            Speech::Backing(backing) => {
                let datagrams = place.info.is_some_and(|info| info.datagrams);
                if datagrams && sent && chunk.position == 0 && *sink.room > 0 {
                    sink.signals.push(Signal::Dials { at: chunk.at, cookie: place.cookie });
                }
                if !backing.operation(place, sent, chunk, sink) {
                    backing.finish(chunk.at, Incomplete::Malformed, sink);
                    self.speech = Speech::Left;
                }
            }
        }
    }

    /// The kernel side says that a backing service's protocol is spoken.
    pub(super) fn announce(&mut self) {
        if let Speech::Unknown = self.speech {
            self.speech = Speech::Announced;
        }
    }

    /// What this side has received up to stream position `until`, it has by the time of `at`, in
    /// operations that were not seen. Returns up to where that has been taken.
    pub(super) fn pass(
        &mut self,
        place: &Place<'_>,
        until: u64,
        at: Moment,
        sink: &mut Sink<'_>,
    ) -> Option<u64> {
        match &mut self.speech {
            Speech::Http1(http1) => {
                let passed = http1.driver.pass(until, at);
                http1.apply(place, Incomplete::Lost, sink);
                passed
            }
            // Nobody takes frames past the program that reads them; another thread has received
            // this, and its operation is told of after the one that says so.
            Speech::Http2(_) | Speech::Backing(_) => None,
            Speech::WebSocket(websocket) => websocket.pass(until),
            Speech::Unknown | Speech::Announced | Speech::Left => None,
        }
    }

    /// How many bytes the body (or the frame) under way in the received direction is known to go on.
    pub(super) fn body_left(&self) -> u64 {
        match &self.speech {
            Speech::Http1(http1) => http1.driver.body_left(),
            Speech::Http2(http2) => http2.driver.body_left(),
            Speech::WebSocket(it) => it.conversation.payload_left(direction(it.side, false)),
            Speech::Backing(backing) => backing.left(),
            Speech::Unknown | Speech::Announced | Speech::Left => 0,
        }
    }

    /// Nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        match &self.speech {
            Speech::Http1(http1) => http1.open.is_empty(),
            Speech::Http2(http2) => http2.open.is_empty(),
            Speech::WebSocket(websocket) => websocket.open.is_none(),
            Speech::Backing(backing) => backing.open.is_empty(),
            Speech::Unknown | Speech::Announced | Speech::Left => true,
        }
    }

    /// What is under way goes on with bytes that this side receives.
    pub(super) fn awaits_bytes(&self) -> bool {
        match &self.speech {
            Speech::Http1(http1) => http1.awaits_bytes(),
            Speech::Http2(http2) => http2.awaits_bytes(),
            Speech::WebSocket(websocket) => websocket.awaits_bytes(),
            Speech::Backing(backing) => backing.awaits_bytes(),
            Speech::Unknown | Speech::Announced | Speech::Left => false,
        }
    }

    /// No more bytes will come in one direction. `sent`: this side's own.
    pub(super) fn close(&mut self, place: &Place<'_>, sent: bool, at: Moment, sink: &mut Sink<'_>) {
        match &mut self.speech {
            Speech::Http1(http1) => {
                http1.driver.close(sent, at);
                http1.apply(place, Incomplete::Closed, sink);
            }
            Speech::Http2(http2) => {
                http2.driver.close(sent, at);
                http2.apply(place, sink);
            }
            Speech::WebSocket(websocket) => websocket.close(sent, at, sink),
            Speech::Backing(backing) => backing.close(sent, at, sink),
            Speech::Unknown | Speech::Announced | Speech::Left => {}
        }
    }

    /// Ends whatever is open.
    pub(super) fn finish(&mut self, at: Moment, why: Incomplete, sink: &mut Sink<'_>) {
        match &mut self.speech {
            Speech::Http1(http1) => http1.finish(at, why, sink),
            Speech::Http2(http2) => http2.finish(at, why, sink),
            Speech::WebSocket(websocket) => websocket.end(at, Some(why), sink),
            Speech::Backing(backing) => backing.finish(at, why, sink),
            Speech::Unknown | Speech::Announced | Speech::Left => {}
        }
    }

    /// Ends whatever is open, and forgets how far it was: the connection may go on.
    pub(super) fn abandon(&mut self, at: Moment, sink: &mut Sink<'_>) {
        self.finish(at, Incomplete::Closed, sink);
        self.speech = Speech::Unknown;
    }
}

/// What a connection speaks by its first operation, or if it was met in the middle, by this one.
fn listen(place: &Place<'_>, sent: bool, chunk: &Chunk<'_>, protocols: &Protocols) -> Speech {
    let limits = &protocols.http1;
    if place.info.is_some_and(|info| info.datagrams) {
        return backing(place, sent, chunk, protocols);
    }
    // Many bytes could be a frame.
    if sight(chunk.head) == Some(Sight::Frames)
        && let speech @ (Speech::Backing(_) | Speech::Left) = backing(place, sent, chunk, protocols)
    {
        return speech;
    }
    match hear(sent, chunk, place.opener()) {
        Heard::Nothing => backing(place, sent, chunk, protocols),
        Heard::Http1(side) => Speech::Http1(Box::new(Http1::new(side, limits))),
        Heard::Http2 { side, fresh } => Speech::Http2(Box::new(Http2::new(side, fresh, limits))),
    }
}

/// The same of backing services.
fn backing(place: &Place<'_>, sent: bool, chunk: &Chunk<'_>, protocols: &Protocols) -> Speech {
    // As the kernel side does, which knows no ports of what is in TLS.
    let info = place.info.filter(|_| !place.bases.tls);
    let found = recognise(info, sent, chunk);
    let settings = &protocols.backing;
    let Some(system) = System::of(found).filter(|_| found & settings.protocols != 0) else {
        return Speech::Unknown;
    };
    let asks = found & ANSWERS == 0;
    let side = if asks == sent { Side::Client } else { Side::Server };
    // A server of Redis sends what looks like commands, to replicas and subscribers.
    if place.opener().is_some_and(|opener| opener != (side == Side::Client)) {
        return Speech::Unknown;
    }
    if side == Side::Server && !settings.servers {
        return Speech::Left;
    }
    let fresh = chunk.position == 0 && place.info.is_none_or(|info| !info.midstream);
    // What was done later is another operation, and the first one was not seen.
    let silent = place.info.and_then(|info| info.silent).filter(|&told| chunk.at.time <= told);
    let silent = silent.map(|_| place.since);
    let engine = match place.info.is_some_and(|info| info.datagrams) {
        true => Engine::datagrams(fresh),
        false => Engine::new(system, settings.text, fresh, settings.join).silent_since(silent),
    };
    Speech::Backing(Box::new(Backing::new(side, system, engine)))
}

/// The backing service's protocol that an operation shows, as [`Beginning::recognise`] tells it.
pub(crate) fn recognise(info: Option<&Info>, sent: bool, chunk: &Chunk<'_>) -> u32 {
    let port = |end: fn(&Info) -> &Address| info.map(end).and_then(Address::port).unwrap_or(0);
    let (local, remote) = (port(|info| &info.local), port(|info| &info.remote));
    let (sender, receiver) = if sent { (local, remote) } else { (remote, local) };
    let beginning = Beginning::of(chunk.head, chunk.len, sender, receiver);
    match info.is_some_and(|info| info.datagrams) {
        true => beginning.recognise_datagram(),
        false => beginning.recognise(),
    }
}

/// What an operation shows of a connection of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Nothing,
    /// This is that side of HTTP/1.
    Http1(Side),
    /// The same of HTTP/2. `fresh`: the connection is seen from its preface on.
    Http2 {
        side: Side,
        fresh: bool,
    },
}

/// `sent`: this side sent it; `opener`: whether it called connect(2), if that is known.
pub(crate) fn hear(sent: bool, chunk: &Chunk<'_>, opener: Option<bool>) -> Heard {
    let sender = |side: Side| if sent { side } else { side.other() };
    let http2 = |side, fresh| Heard::Http2 { side, fresh };
    let seen = sight(chunk.head);
    if seen == Some(Sight::Preface) {
        return http2(sender(Side::Client), true);
    }
    if let Some(side) = side(sent, chunk.head, opener) {
        return Heard::Http1(side);
    }
    match seen {
        Some(Sight::Request) => http2(sender(Side::Client), false),
        Some(Sight::Response) => http2(sender(Side::Server), false),
        // A server need not wait for the client's preface.
        Some(Sight::Settings) if chunk.position == 0 => http2(sender(Side::Server), true),
        Some(Sight::Settings | Sight::Frames | Sight::Preface) => match opener {
            Some(true) => http2(Side::Client, false),
            Some(false) => http2(Side::Server, false),
            None => Heard::Nothing,
        },
        None => Heard::Nothing,
    }
}

/// Which side of HTTP/1 this is, by what it sends or receives first; a method that is not known takes
/// a whole request line. The single letter H may begin HEAD as well as HTTP; then whoever called
/// connect(2) is the client.
fn side(sent: bool, head: &[u8], opener: Option<bool>) -> Option<Side> {
    let sends_requests = match look_at(head) {
        Start::Request | Start::ConnectRequest | Start::ProxyPrefix => sent,
        Start::Response => !sent,
        Start::Partial if head.starts_with(b"H") => opener?,
        Start::Partial => sent,
        Start::Other if begins_request(head) => sent,
        Start::Other | Start::Preface => return None,
    };
    Some(if sends_requests { Side::Client } else { Side::Server })
}
