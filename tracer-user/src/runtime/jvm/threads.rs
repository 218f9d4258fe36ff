//! How a JVM's threads are told apart: by the numbers that the kernel gave them, virtual ones by those
//! that Java gave them.

use tracer_common::runtime::Jvm;

use super::classes::Classes;
use super::compressed;

pub(super) fn find(classes: &Classes<'_>, jvm: &mut Jvm) -> Option<()> {
    let [thread, carried] = classes.find(["java/lang/Thread", "java/lang/VirtualThread"]);
    let place = |owner: &str, field: &str| {
        classes.tables.offset(owner, field).and_then(|offset| u32::try_from(offset).ok())
    };
    jvm.eetop = classes.field(thread?, "eetop")?;
    // Before JDK 21 it was in the subclass.
    let system = place("Thread", "_osthread").or_else(|| place("JavaThread", "_osthread"));
    jvm.osthread = system?;
    let anchor = place("JavaThread", "_anchor")?;
    jvm.stack_end = anchor.checked_add(place("JavaFrameAnchor", "_last_Java_sp")?)?;
    jvm.thread_id = place("OSThread", "_thread_id")?;
    jvm.thread_number = classes.field(thread?, "tid")?;
    // Since JDK 21.
    if let Some(carried) = carried {
        jvm.carrier = classes.field(carried, "carrierThread")?;
        jvm.virtual_thread = compressed(carried, jvm)?;
    }
    Some(())
}
