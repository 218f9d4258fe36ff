//! Where a file has a TLS library's functions.

use std::fs::File;

use tracer_common::tls::Call;

use crate::kernel::{TLS_LEFT, TLS_READ, TLS_WROTE};
use crate::runtime::elf::Contents;

/// Names of a library's functions. Without the first two there is nothing to see.
type Names = [(&'static str, Call)];

const OPENSSL: [(&str, Call); 8] = [
    ("SSL_read", Call::Read),
    ("SSL_write", Call::Write),
    ("SSL_read_ex", Call::ReadEx),
    ("SSL_write_ex", Call::WriteEx),
    ("SSL_sendfile", Call::Sendfile),
    ("SSL_do_handshake", Call::Handshake),
    ("SSL_new", Call::New),
    ("SSL_free", Call::Free),
];

/// What the others of its record functions do, these do for them.
const GNUTLS: [(&str, Call); 6] = [
    ("gnutls_record_recv", Call::Read),
    ("gnutls_record_send", Call::Write),
    ("gnutls_record_recv_seq", Call::Read),
    ("gnutls_record_send2", Call::Write),
    ("gnutls_handshake", Call::Begin),
    ("gnutls_deinit", Call::Free),
];

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Function {
    /// What it does.
    pub(super) call: Call,
    /// Of its first instruction, in bytes from the file's beginning.
    pub(super) offset: u64,
}

impl Function {
    /// What it is called with matters.
    pub(super) fn is_told_at_entry(&self) -> bool {
        self.call != Call::New
    }

    /// The probe for what it returns, if that matters.
    pub(super) fn program_at_return(&self) -> Option<&'static str> {
        match self.call {
            Call::Read | Call::ReadEx => Some(TLS_READ),
            Call::Write | Call::WriteEx | Call::Sendfile => Some(TLS_WROTE),
            Call::Handshake | Call::Begin | Call::New => Some(TLS_LEFT),
            Call::Free => None,
        }
    }
}

/// Those that a file has; none if it does not have the most important ones.
pub(super) fn functions(file: &File) -> Vec<Function> {
    let libraries: [&Names; 2] = [&OPENSSL, &GNUTLS];
    libraries.into_iter().find_map(|names| found(file, names)).unwrap_or_default()
}

fn found(file: &File, known: &Names) -> Option<Vec<Function>> {
    let contents = Contents::new(file).ok()?;
    let elf = contents.elf().ok()?;
    if !elf.is_x86_64() {
        return None;
    }
    let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
    let addresses = elf.functions(&names);
    let [Some(_), Some(_), ..] = addresses[..] else { return None };
    let functions: Vec<_> = known
        .iter()
        .zip(addresses)
        .filter_map(|((_, call), address)| {
            Some(Function { call: *call, offset: elf.offset(address?)? })
        })
        .collect();
    Some(functions).filter(|all| all.len() > 2)
}
