//! How the connections of Java's own client (`java.net.http`, JDK 11 and newer) lead to what waits for
//! their responses.

use tracer_common::runtime::Jvm;

use super::classes::Classes;

/// On the way from a connection to the future of its response: each has a field that names the next.
/// The connection knows its subscriber, which belongs to the receiver of the exchange under way.
const WAY: [(&str, &str); 8] = [
    ("SocketTube", "readPublisher"),
    ("SocketTube$InternalReadPublisher", "subscription"),
    ("SocketTube$InternalReadPublisher$ReadSubscription", "subscriber"),
    ("Http1AsyncReceiver$Http1TubeSubscriber", "this$0"),
    ("Http1AsyncReceiver", "owner"),
    ("Http1Exchange", "response"),
    ("Http1Response", "headersReader"),
    ("Http1Response$HeadersReader", "cf"),
];

/// Its part of what the probes need; `None` if it is not loaded, or not as it is expected. `base` and
/// `shift`: of compressed pointers to classes.
pub(super) fn find(classes: &Classes<'_>, base: u64, shift: u32) -> Option<Jvm> {
    let names = WAY.map(|(class, _)| format!("jdk/internal/net/http/{class}"));
    let [a, b, c, d, e, f, g, h] = names.each_ref().map(String::as_str);
    let found = classes.find([a, b, c, d, e, f, g, h, "sun/nio/ch/SocketChannelImpl"])?;
    let [connection, _, _, subscriber, .., channel] = found;
    let mut way = [0; WAY.len()];
    for ((to, class), (_, field)) in way.iter_mut().zip(found).zip(WAY) {
        *to = classes.field(class?, field)?;
    }
    let compressed = |class: u64| u32::try_from(class.checked_sub(base)? >> shift).ok();
    Some(Jvm {
        connection: compressed(connection?)?,
        channel: classes.field(connection?, "channel")?,
        descriptor: classes.field(channel?, "fdVal")?,
        subscriber: compressed(subscriber?)?,
        way,
        ..Jvm::default()
    })
}
