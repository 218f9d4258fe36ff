//! The web page in a real browser, and what else its port serves.

mod browser;
mod hostile;
mod open;
mod shop;
mod telemetry;
mod terminal;
mod zipkin;
