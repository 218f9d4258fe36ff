//! From ring records to traces, on paper: scripts say what processes do, records go in, spans come
//! out, and each test holds one promise.

mod alone;
mod apis;
mod contexts;
mod correlation;
mod databases;
mod encrypted;
mod explained;
mod formats;
mod forward;
mod handoff;
mod headers;
mod hostile;
mod http;
mod identity;
mod instrumented;
mod journeys;
mod left_out;
mod lifetime;
mod lookups;
mod losses;
mod messages;
mod outcome;
mod processes;
mod queue;
mod recording;
mod runtimes;
mod script;
mod spawn;
mod streams;
mod tasks;
mod unix;
mod unseen;
mod workers;
