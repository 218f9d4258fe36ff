//! How the connections of Java's own client (`java.net.http`, JDK 11 and newer) lead to what waits for
//! their responses.

use tracer_common::runtime::Jvm;

use super::classes::Classes;
use super::compressed;

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

/// `None` if it is not loaded, or not as it is expected.
pub(super) fn find(classes: &Classes<'_>, jvm: &mut Jvm) -> Option<()> {
    let names = WAY.map(|(class, _)| format!("jdk/internal/net/http/{class}"));
    let [a, b, c, d, e, f, g, h] = names.each_ref().map(String::as_str);
    let found = classes.find([a, b, c, d, e, f, g, h, "sun/nio/ch/SocketChannelImpl"]);
    let [connection, _, _, subscriber, .., channel] = found;
    for ((to, class), (_, field)) in jvm.way.iter_mut().zip(found).zip(WAY) {
        *to = classes.field(class?, field)?;
    }
    jvm.channel = classes.field(connection?, "channel")?;
    jvm.descriptor = classes.field(channel?, "fdVal")?;
    jvm.subscriber = compressed(subscriber?, jvm)?;
    jvm.connection = compressed(connection?, jvm)?;
    Some(())
}
