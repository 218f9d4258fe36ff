//! What scripts of connections can't bring about, or only in hours.

use super::{Assembly, Clock, ConnectionKey, ExchangeId, LeaveOut, Moment, Patience, Signal};
use crate::causality::{Decision, Provenance};
use crate::connection::Cookie;
use crate::exchange::{Exchange, PairKey, Reasons, Side};

fn exchange(id: u64, side: Side, key: u64) -> Exchange {
    Exchange {
        id: ExchangeId(id),
        side,
        pid: 1,
        cookie: Cookie(1),
        connection: ConnectionKey(1),
        key: PairKey(key),
        stream: None,
        local: None,
        remote: None,
        comm: String::new(),
        started: Moment::default(),
        replied: None,
        ended: Moment::default(),
        request: None,
        response: None,
        request_body: 0,
        response_body: 0,
        tls: false,
        datagrams: false,
        netns: 0,
        reset: None,
        rpc: None,
        call: None,
        outcome: None,
        sealed: None,
        websocket: None,
        incomplete: Reasons::default(),
    }
}

fn start(assembly: &mut Assembly, id: u64, side: Side, key: u64) {
    let Exchange { id, side, started: at, key, connection, cookie, .. } = exchange(id, side, key);
    assembly.signal(Signal::Started {
        id,
        side,
        at,
        key,
        connection,
        cookie,
        stream: None,
        sealed: false,
        port: 0,
    });
}

fn assembly() -> Assembly {
    Assembly::new(Patience { settle: 1, max_hold: 10 }, LeaveOut::default(), Clock::new(0, 0))
}

#[test]
fn exchanges_that_share_a_key_do_not_share_an_id() {
    let mut assembly = assembly();
    for id in 0..3 {
        start(&mut assembly, id, Side::Server, 7);
        assembly.signal(Signal::Ended(Box::new(exchange(id, Side::Server, 7))));
    }
    assert_eq!(assembly.overdue(100), None);
    let mut ids: Vec<_> =
        assembly.take_ready(|_| false).iter().map(|placed| placed.span_id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

/// Far below a call that nobody has decided, one waits no longer than it may.
#[test]
fn an_undecided_call_is_found_at_any_depth() {
    const DEPTH: u64 = 2_000;
    let mut assembly = assembly();
    start(&mut assembly, 0, Side::Client, 0);
    for id in 1..DEPTH {
        start(&mut assembly, id, Side::Client, id);
        let parent = Some((ExchangeId(id - 1), "thread", 1.0));
        let context = Provenance::Unknown;
        assembly.decided(Decision { call: ExchangeId(id), parent, context, hearing: None });
    }
    let last = ExchangeId(DEPTH - 1);
    assembly.signal(Signal::Ended(Box::new(exchange(DEPTH - 1, Side::Client, DEPTH - 1))));
    assert_eq!(assembly.overdue(9), None);
    assert_eq!(assembly.overdue(10), Some(ExchangeId(0)));
    assembly.root(ExchangeId(0));
    assert_eq!(assembly.overdue(10), None);
    let placed = assembly.take_ready(|_| false);
    assert!(placed.iter().map(|placed| placed.exchange.id).eq([last]));
}
