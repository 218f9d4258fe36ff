//! The connections of `java.net.http`.

use tracer_common::runtime::Jvm;

use super::{
    chain::{CLASS, object},
    scratch::Scratch,
};
use crate::kernel::peek_user;

impl Scratch {
    /// Takes for the connection what has its descriptor, and goes on to the future of its response.
    #[inline(always)]
    pub(super) fn connection(&mut self, jvm: &Jvm, connection: u64) -> Option<()> {
        let channel = object(jvm, connection, jvm.channel)?;
        let descriptor: u32 = peek_user(channel.wrapping_add(u64::from(jvm.descriptor)))?;
        if u64::from(descriptor) != self.descriptor {
            return None;
        }
        self.known = 1;
        let publisher = object(jvm, connection, jvm.way[0])?;
        let subscription = object(jvm, publisher, jvm.way[1])?;
        let subscriber = object(jvm, subscription, jvm.way[2])?;
        // Of HTTP/2 there are others.
        if peek_user(subscriber.wrapping_add(CLASS)) != Some(jvm.subscriber) {
            return None;
        }
        let receiver = object(jvm, subscriber, jvm.way[3])?;
        let exchange = object(jvm, receiver, jvm.way[4])?;
        let response = object(jvm, exchange, jvm.way[5])?;
        let reader = object(jvm, response, jvm.way[6])?;
        self.response = object(jvm, reader, jvm.way[7])?;
        Some(())
    }
}
