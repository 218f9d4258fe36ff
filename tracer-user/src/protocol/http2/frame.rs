//! Frame headers in bytes.

pub(super) use tracer_common::frame::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADER, HEADERS, PADDED, PREFACE,
    PUSH_PROMISE, RST_STREAM, SETTINGS, WITH_PRIORITY,
};

/// The frame header that these bytes begin with; `None` if they are too few.
pub(super) fn parse(bytes: &[u8]) -> Option<Frame> {
    let &[first @ .., last] = bytes.first_chunk::<HEADER>()?;
    Some(Frame::new(u64::from_le_bytes(first), last))
}

/// Bytes of the frame's payload before its part of a header block, behind the length of the padding.
pub(super) fn before_block(frame: Frame) -> usize {
    match frame.kind {
        HEADERS if frame.has(WITH_PRIORITY) => 5,
        PUSH_PROMISE => 4,
        _ => 0,
    }
}

/// Whether bytes, the first ones of an operation, are frames one after the other, as far as they go.
pub(super) fn are_frames(mut bytes: &[u8]) -> bool {
    let mut any = false;
    while let Some(frame) = parse(bytes) {
        if !frame.is_plausible() {
            return false;
        }
        any = true;
        bytes = bytes.get(HEADER + frame.length as usize..).unwrap_or_default();
    }
    any
}

#[cfg(test)]
mod tests {
    use super::{PREFACE, are_frames};

    #[test]
    fn frames_are_told_from_the_rest() {
        let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100];
        let acknowledged = [0, 0, 0, 4, 1, 0, 0, 0, 0];
        let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0];
        assert!(are_frames(&settings) && are_frames(&acknowledged) && are_frames(&ping));
        assert!(are_frames(&[settings.to_vec(), acknowledged.to_vec()].concat()));
        assert!(!are_frames(&[settings.to_vec(), b"something".to_vec()].concat()));
        for other in [PREFACE, b"GET / HTTP/1.1\r\n", &[0; 64], &[0xff; 64], &settings[..8]] {
            assert!(!are_frames(other), "{other:?}");
        }
    }
}
