//! The streams whose responses are not over.

use std::collections::BTreeMap;

use super::event::{Fault, Outcome};
use super::grpc::{Messages, Rpc};
use crate::connection::Moment;

/// Streams of one connection that are followed at once.
pub(super) const MAX_STREAMS: usize = 10_000;

/// One of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    /// Nothing more of the request comes.
    pub(super) request_over: bool,
    /// A final response has begun.
    pub(super) replied: bool,
    pub(super) outcome: Outcome,
}

impl Stream {
    /// Content of one direction.
    pub(super) fn data(&mut self, of_request: bool, bytes: Result<&[u8], u64>, at: Moment) {
        let outcome = &mut self.outcome;
        let (body, messages) = if of_request {
            (&mut outcome.request_body, outcome.rpc.as_mut().map(|rpc| &mut rpc.requests))
        } else {
            (&mut outcome.response_body, outcome.rpc.as_mut().map(|rpc| &mut rpc.responses))
        };
        *body += bytes.map_or_else(|unseen| unseen, |bytes| bytes.len() as u64);
        match (messages, bytes) {
            (Some(messages), Ok(bytes)) => Messages::bytes(messages, bytes, at),
            (Some(messages), Err(unseen)) => messages.unseen(unseen),
            (None, _) => {}
        }
    }

    /// Frames of the request may be missing.
    pub(super) fn miss_request(&mut self) {
        if let Some(rpc) = &mut self.outcome.rpc {
            rpc.requests.unseen(u64::MAX);
        }
    }

    /// What a response's head or its trailers say of the call.
    pub(super) fn answered(&mut self, rpc: Option<Rpc>, status: Option<u32>) {
        if self.outcome.rpc.is_none() {
            self.outcome.rpc = rpc.or(status.map(|_| Rpc::default()));
            // The request's content has come without being looked at.
            if let Some(rpc) = &mut self.outcome.rpc {
                rpc.requests.inexact = true;
            }
        }
        if let (Some(rpc), Some(status)) = (&mut self.outcome.rpc, status) {
            rpc.status = Some(status);
        }
    }

    /// What went wrong first counts.
    pub(super) fn hit(&mut self, fault: Fault) {
        self.outcome.fault.get_or_insert(fault);
    }
}

/// By their numbers.
pub(super) type Streams = BTreeMap<u32, Stream>;
