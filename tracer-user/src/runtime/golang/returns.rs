//! Where a function returns: uretprobes change return addresses, which Go's runtime looks at.

use iced_x86::{Code, Decoder, DecoderOptions};

use super::super::elf::Elf;
use super::symbols::Function;

/// Bytes of the longest function that is looked through.
const MAX_CODE: u64 = 64 << 10;
/// Returns of one function, at most.
const MAX_RETURNS: usize = 48;

/// Addresses of its return instructions; `None` if there are none or too many, or its code is not
/// understood.
pub(super) fn returns(elf: &Elf<'_>, function: Function) -> Option<Vec<u64>> {
    let len = Some(function.len).filter(|&len| len <= MAX_CODE)?;
    let found = within(elf.bytes(function.address, len)?)?;
    Some(found.into_iter().map(|at| function.address + at).collect())
}

/// From the code's beginning on.
fn within(code: &[u8]) -> Option<Vec<u64>> {
    let mut found = vec![];
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    while decoder.can_decode() {
        let instruction = decoder.decode();
        match instruction.code() {
            Code::INVALID => return None,
            Code::Retnq => found.push(instruction.ip()),
            _ => {}
        }
    }
    let usable = !found.is_empty() && found.len() <= MAX_RETURNS;
    usable.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn returns_are_instructions_not_bytes() {
        // mov eax, 0xc3; pop rbp; ret; int3; ret
        let code = [0xb8, 0xc3, 0, 0, 0, 0x5d, 0xc3, 0xcc, 0xc3];
        assert_eq!(within(&code), Some(vec![6, 8]));
        assert_eq!(within(&code[..5]), None, "none");
        assert_eq!(within(&[0xc3, 0x06]), None, "no instruction of 64 bits");
        assert_eq!(within(&[0xc3; 49]), None, "too many");
    }
}
