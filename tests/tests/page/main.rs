//! The web page in a real browser, and what else its port serves.

mod browser;
mod fixture;
mod hostile;
mod jaeger;
mod open;
mod sampled;
mod shop;
mod taken;
mod telemetry;
mod terminal;
mod zipkin;
