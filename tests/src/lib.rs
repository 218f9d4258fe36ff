//! What the end-to-end tests and the demo are made of: real services, real backends, and the
//! built tracer, each a process of its own that is gone when its value is dropped.

pub mod accuracy;
pub mod brokers;
pub mod certificates;
pub mod configured;
pub mod databases;
pub mod exchanges;
pub mod expect;
pub mod export;
pub mod http;
pub mod jaeger;
pub mod paths;
pub mod poll;
pub mod ports;
pub mod prepare;
pub mod process;
pub mod services;
pub mod shop;
pub mod span;
pub mod traced;
pub mod tracer;
pub mod zipkin;
