//! Traces: exchanges put into trees, ids, and the spans that exporters take.

mod api;
mod assembly;
mod backing;
mod clock;
mod gather;
mod http;
mod ids;
mod joining;
mod marking;
mod namer;
mod node;
mod placing;
mod records;
mod rpc;
mod span;
mod spells;
mod tls;
mod tree;
mod websocket;

pub use assembly::{Assembly, Patience};
pub use clock::Clock;
pub use gather::{Gather, Wait};
pub use http::{by_address, span};
pub use ids::{span_id, trace_id};
pub use namer::Namer;
pub use placing::{LeaveOut, LeftOut, Placed};
pub use span::{
    COVERS, Endpoint, Event, Kind, Link, Resource, SAMPLED, Span, SpanId, Status, TraceId, Value,
};
