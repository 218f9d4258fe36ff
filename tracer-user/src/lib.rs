//! Tracer's user side. Data flows one way through the stages
//! [`kernel`] -> [`connection`] -> [`protocol`] -> [`exchange`] -> [`causality`] -> [`trace`] ->
//! [`export`]; a stage imports only from stages before it, and only [`pipeline`] knows them all.
//! From [`connection`] to [`trace`] no stage touches a socket, a file or a clock: events and time
//! go in, spans come out, so recorded input runs through the same code as live input.
//!
//! Finished spans also go to [`store`], which keeps the last ones, and [`metrics`], which counts them;
//! [`serve`] shows both, on the web page and by APIs, and [`terminal`] asks it. [`sampling`] chooses
//! what is stored or exported where that is less than all.

pub mod causality;
pub mod config;
pub mod connection;
pub mod durations;
pub mod exchange;
pub mod explain;
pub mod export;
pub mod feed;
pub mod kernel;
pub mod live;
pub mod metrics;
pub mod pcap;
pub mod pipeline;
pub mod process;
pub mod protocol;
pub mod recording;
pub mod replay;
pub mod runtime;
pub mod sampling;
pub mod serve;
pub mod stats;
pub mod store;
pub mod terminal;
pub mod trace;
mod waterfall;
