//! Connection records without what they do not say.

use tracer_common::record::{Connection, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX};

/// Clears the fields that a record of this family does not use: the probe builds records in memory
/// that it uses over and over, so bytes of other connections may stand there.
pub(super) fn scrub(record: &mut Connection) {
    let address = match record.family {
        FAMILY_INET => 4,
        FAMILY_INET6 => 16,
        _ => 0,
    };
    for bytes in [&mut record.local_address, &mut record.remote_address] {
        bytes.iter_mut().skip(address).for_each(|byte| *byte = 0);
    }
    if address == 0 {
        (record.local_port, record.remote_port) = (0, 0);
    }
    if record.family != FAMILY_UNIX {
        record.path_len = 0;
    }
    let path = usize::try_from(record.path_len).unwrap_or(usize::MAX);
    record.path.iter_mut().skip(path).for_each(|byte| *byte = 0);
    let name = record.comm.iter().position(|byte| *byte == 0).unwrap_or(record.comm.len());
    record.comm.iter_mut().skip(name).for_each(|byte| *byte = 0);
    (record.reserved, record.reserved2) = (0, 0);
}

#[cfg(test)]
mod tests {
    use tracer_common::record::{
        Connection, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX, KIND_CONNECTION, VERDICT_HTTP,
        VERDICT_OTHER,
    };
    use zerocopy::{FromBytes as _, IntoBytes as _};

    use super::super::masker::Masker;
    use crate::protocol::http1::Limits;
    use crate::replay::Input;

    /// A record whose memory held something else before, as it is written.
    fn written(family: u16, verdict: u32) -> Connection {
        let mut record = Connection::read_from_bytes(&[0xee; size_of::<Connection>()]).unwrap();
        record.header.kind = KIND_CONNECTION;
        (record.family, record.verdict, record.path_len) = (family, verdict, 7);
        record.comm[..3].copy_from_slice(b"sh\0");
        let bytes = [record.as_bytes(), b"behind it"].concat();
        let mut input = Input::Record(bytes);
        Masker::new(8, Limits::default()).input(&mut input);
        let Input::Record(bytes) = input else { panic!("{input:?}") };
        Connection::read_from_bytes(&bytes).unwrap()
    }

    #[test]
    fn what_the_family_does_not_use_is_cleared() {
        for verdict in [VERDICT_HTTP, VERDICT_OTHER] {
            for (family, length) in [(FAMILY_INET, 4), (FAMILY_INET6, 16)] {
                let record = written(family, verdict);
                for address in [record.local_address, record.remote_address] {
                    assert_eq!(address[..length], vec![0xee; length]);
                    assert_eq!(address[length..], vec![0; 16 - length]);
                }
                assert_eq!((record.local_port, record.remote_port), (0xeeee, 0xeeee));
                assert_eq!((record.path_len, record.path), (0, [0; 108]));
            }
            for (family, length) in [(FAMILY_UNIX, 7), (77, 0)] {
                let record = written(family, verdict);
                assert_eq!((record.local_address, record.remote_address), ([0; 16], [0; 16]));
                assert_eq!((record.local_port, record.remote_port), (0, 0));
                assert_eq!(record.path_len as usize, length);
                assert_eq!(record.path[..length], vec![0xee; length]);
                assert_eq!(record.path[length..], vec![0; 108 - length]);
                assert_eq!(record.comm[..2], *b"sh");
                assert_eq!((record.comm[2..].to_vec(), record.reserved), (vec![0; 14], 0));
            }
        }
    }
}
