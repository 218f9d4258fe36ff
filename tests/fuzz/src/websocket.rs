//! WebSocket under operations of any kind: in two divisions they are told the same, and masked ones are
//! told as they were.
//!
//! An input is a row of [`crate::operations`], behind a handshake.

use tracer_user::connection::{Chunk, Moment};
use tracer_user::protocol::http1::{Direction, Masking};
use tracer_user::protocol::redact::Pseudonym;
use tracer_user::protocol::websocket::Conversation;

use crate::http1::LIMITS;
use crate::input::Input;
use crate::operations::Operations;

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

/// Plays the input.
pub fn websocket(data: &[u8]) {
    let mut masking = Masking::new(LIMITS, &Pseudonym::default());
    for (direction, head) in [(Direction::Request, REQUEST), (Direction::Response, RESPONSE)] {
        let len = head.len() as u64;
        let chunk = Chunk { at: Moment::default(), position: 0, len, head, tail: &[] };
        masking.operation(direction, &chunk);
    }
    let new = Conversation::new(REQUEST.len() as u64, RESPONSE.len() as u64);
    let [mut whole, mut parts, mut masked] = [new.clone(), new.clone(), new];
    let mut operations = Operations::new(Input(data));
    operations.positions = [REQUEST.len() as u64, RESPONSE.len() as u64];
    while let Some(operation) = operations.next() {
        let (direction, chunk) = (operation.direction, operation.chunk);
        whole.operation(direction, &chunk);
        let (head, tail) = masking.operation(direction, &chunk);
        masked.operation(direction, &Chunk { head: &head, tail: &tail, ..chunk });
        let (first, rest) = chunk.head.split_at(chunk.head.len() / 2);
        let cut = first.len() as u64;
        parts.operation(direction, &Chunk { len: cut, head: first, tail: &[], ..chunk });
        let (position, len) = (chunk.position + cut, chunk.len - cut);
        parts.operation(direction, &Chunk { position, len, head: rest, ..chunk });
        if operation.closes() {
            for talk in [&mut whole, &mut parts, &mut masked] {
                talk.close(direction);
            }
            masking.close(direction, chunk.at);
        }
        assert_eq!(whole.tallies(), parts.tallies(), "in two divisions");
        assert_eq!(whole.tallies(), masked.tallies(), "masked");
        assert_eq!(whole.payload_left(direction), masking.body_left(direction));
    }
}
