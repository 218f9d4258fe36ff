//! What unmodified services ask real databases and caches: the right statement, redacted, below the
//! right request. Servers are started once.

mod asked;
mod drivers;
mod jaeger;
mod java;
mod lookups;
#[path = "../recorded/mod.rs"]
mod recorded;
mod scene;
mod sealed;
#[path = "../served/mod.rs"]
mod served;

use tests::databases::Databases;

const TESTS: &[served::Test<Databases>] = &[
    ("python_on_threads", drivers::flask),
    ("python_on_an_event_loop", drivers::aiohttp),
    ("go", drivers::go),
    ("node", drivers::node),
    ("java_on_threads", java::jdbc),
    ("over_a_unix_socket", drivers::unix),
    ("behind_tls", sealed::flask),
    ("in_jaeger", jaeger::calls),
    ("only_what_is_asked_for", drivers::chosen),
    ("recordings_hold_none_of_it", drivers::recorded),
    ("connections_from_before", drivers::older),
    ("names_that_requests_wait_for", lookups::of_requests),
    ("names_that_nobody_waits_for", lookups::of_nobody),
    ("one_service_asks_another_and_both_their_database", scene::shipments),
];

fn main() -> anyhow::Result<()> {
    served::run(TESTS, Databases::start)
}
