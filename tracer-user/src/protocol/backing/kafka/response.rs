//! How an answer says it came out: <https://kafka.apache.org/protocol#protocol_error_codes>.

use super::api::{Api, FETCH, PRODUCE};
use super::cursor::Cursor;
use crate::protocol::backing::Failure;

/// What the request was that this, without its size, answers.
pub(super) fn correlation(bytes: &[u8]) -> Option<i32> {
    Cursor::new(bytes).int32()
}

/// The first thing that went wrong: with all of it, or with the first partition.
pub(super) fn failure(api: Api, bytes: &[u8]) -> Option<Failure> {
    if !api.is_readable() {
        return None;
    }
    let mut body = Cursor::new(bytes);
    body.int32()?;
    body.flexible = api.is_flexible();
    body.tags()?;
    match api.key {
        PRODUCE => {}
        FETCH => {
            if api.version >= 1 {
                body.int32()?;
            }
            if api.version >= 7 {
                let error = body.int16()?;
                body.int32()?;
                if error != 0 {
                    return Some(Failure { code: error.to_string() });
                }
            }
        }
        _ => return None,
    }
    if body.array()? == 0 {
        return None;
    }
    match api.has_topic_ids() {
        true => body.take(16).map(drop)?,
        false => body.string().map(drop)?,
    }
    if body.array()? == 0 {
        return None;
    }
    body.int32()?;
    let error = body.int16()?;
    (error != 0).then(|| Failure { code: error.to_string() })
}
