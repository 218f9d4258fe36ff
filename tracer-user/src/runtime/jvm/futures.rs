//! How a JVM's futures lead to what waits for them.

use tracer_common::runtime::Jvm;

use super::classes::Classes;

/// `None` if none has been waited for.
pub(super) fn find(classes: &Classes<'_>, jvm: &mut Jvm) -> Option<()> {
    let found = classes.find([
        "java/util/concurrent/CompletableFuture",
        "java/util/concurrent/CompletableFuture$Completion",
        "java/util/concurrent/CompletableFuture$UniCompletion",
        "java/util/concurrent/CompletableFuture$CoCompletion",
        "java/util/concurrent/CompletableFuture$Signaller",
    ]);
    let [future, link, single, pair, waiter] = found;
    jvm.stack = classes.field(future?, "stack")?;
    jvm.next = classes.field(link?, "next")?;
    jvm.dependent = classes.field(single?, "dep")?;
    if let Some(pair) = pair {
        jvm.base = classes.field(pair, "base")?;
        jvm.pair = pair;
    }
    if let Some(waiter) = waiter {
        jvm.thread = classes.field(waiter, "thread")?;
        jvm.waiter = waiter;
    }
    (jvm.future, jvm.single) = (future?, single?);
    Some(())
}
