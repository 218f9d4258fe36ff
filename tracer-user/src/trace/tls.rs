//! Encrypted connections whose plaintext is not had, by OpenTelemetry's attributes for TLS (registry,
//! experimental). One span stands for all of a connection, from its first byte until it is closed.

use crate::connection::Address;
use crate::exchange::Sealed;

use super::http::size;
use super::{COVERS, Value};

/// The name of such spans.
pub(super) const NAME: &str = "TLS";
/// The port where TLS is spoken unless something else is said.
const PORT: u16 = 443;

/// What it shows of itself.
pub(super) fn facts(sealed: &Sealed, put: &mut impl FnMut(&'static str, Value)) {
    put(COVERS, "connection".into());
    if let Some(name) = &sealed.server_name {
        put("tls.client.server_name", name.clone().into());
    }
    if let Some(version) = sealed.version {
        put("tls.protocol.name", version.protocol().into());
        put("tls.protocol.version", version.to_string().into());
    }
    if let Some(protocol) = &sealed.protocol {
        put("tls.next_protocol", protocol.clone().into());
    }
    if !sealed.offered.is_empty() {
        put("tracer.tls.offered_protocols", Value::Texts(sealed.offered.clone()));
    }
    if let Some((sent, received)) = sealed.traffic {
        put("tracer.connection.sent", size(sent));
        put("tracer.connection.received", size(received));
    }
}

/// Host and port of the end that answers, by the name that the client has for it.
pub(super) fn authority(sealed: &Sealed, end: Option<&Address>) -> (String, u16) {
    let address = || end.map(Address::to_string).unwrap_or_default();
    let host = sealed.server_name.clone().unwrap_or_else(address);
    (host, end.and_then(Address::port).unwrap_or(PORT))
}
