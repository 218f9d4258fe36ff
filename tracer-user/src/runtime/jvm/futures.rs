//! How a JVM's futures lead to what waits for them.

use tracer_common::runtime::Jvm;

use super::classes::Classes;

/// `None` if they are not as expected; what is not loaded has not been used.
pub(super) fn find(classes: &Classes<'_>, jvm: &mut Jvm) -> Option<()> {
    let [task, node] = classes
        .find(["java/util/concurrent/FutureTask", "java/util/concurrent/FutureTask$WaitNode"]);
    if let (Some(task), Some(node)) = (task, node) {
        jvm.waiters = classes.field(task, "waiters")?;
        jvm.waiters_thread = classes.field(node, "thread")?;
        jvm.task = task;
    }
    let [future, link, single, pair, waiter] = classes.find([
        "java/util/concurrent/CompletableFuture",
        "java/util/concurrent/CompletableFuture$Completion",
        "java/util/concurrent/CompletableFuture$UniCompletion",
        "java/util/concurrent/CompletableFuture$CoCompletion",
        "java/util/concurrent/CompletableFuture$Signaller",
    ]);
    jvm.stack = classes.field(future?, "stack")?;
    jvm.next = classes.field(link?, "next")?;
    if let Some(single) = single {
        jvm.dependent = classes.field(single, "dep")?;
        jvm.single = single;
    }
    if let Some(pair) = pair {
        jvm.base = classes.field(pair, "base")?;
        jvm.pair = pair;
    }
    if let Some(waiter) = waiter {
        jvm.thread = classes.field(waiter, "thread")?;
        jvm.waiter = waiter;
    }
    jvm.future = future?;
    Some(())
}
