//! Which Go built a program: the section `.go.buildinfo`, whose format is described in Go's
//! debug/buildinfo.

use super::super::elf::Elf;

/// Name of the section.
const SECTION: &str = ".go.buildinfo";
/// What it begins with.
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Of a header: magic, pointer size, flags, padding.
const HEADER: usize = 32;
/// Flag: strings follow the header, each after its length; so since Go 1.18.
const INLINE: u8 = 2;

/// The minor number of the Go 1 that built the program, as in 1.26; `None` if none did, or one older
/// than 1.18, or one that does not say its number.
pub(super) fn version(elf: &Elf<'_>) -> Option<u16> {
    minor(version_text(elf.section(SECTION)?.data()?)?)
}

fn version_text(data: &[u8]) -> Option<&str> {
    if !data.starts_with(MAGIC) || data.get(MAGIC.len() + 1)? & INLINE == 0 {
        return None;
    }
    let rest = data.get(HEADER..)?;
    // A uvarint of one or two bytes: no version is longer.
    let (len, rest) = match *rest {
        [low, ref rest @ ..] if low < 0x80 => (usize::from(low), rest),
        [low, high, ref rest @ ..] if high < 0x80 => {
            (usize::from(low & 0x7f) | usize::from(high) << 7, rest)
        }
        _ => return None,
    };
    std::str::from_utf8(rest.get(..len)?).ok()
}

/// Of `go1.26.8`, `go1.27rc1`, `devel go1.27-a1b2c3`, `go1.24.1 X:boringcrypto`.
fn minor(version: &str) -> Option<u16> {
    let (_, rest) = version.split_once("go1.")?;
    let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{HEADER, INLINE, MAGIC, minor, version_text};

    #[test]
    fn versions_of_all_kinds() {
        let kinds = [
            ("go1.18", Some(18)),
            ("go1.26.8", Some(26)),
            ("go1.27rc1", Some(27)),
            ("devel go1.27-a1b2c3 Mon", Some(27)),
            ("go1.24.1 X:boringcrypto", Some(24)),
            ("devel +a1b2c3", None),
            ("go1.", None),
            ("go1.99999999", None),
        ];
        for (text, want) in kinds {
            assert_eq!(minor(text), want, "{text}");
        }
    }

    #[test]
    fn only_a_whole_inline_version_is_read() {
        let mut data = MAGIC.to_vec();
        data.extend([8, INLINE]);
        data.resize(HEADER, 0);
        data.extend(b"\x08go1.26.8rest");
        assert_eq!(version_text(&data), Some("go1.26.8"));
        for cut in 0..HEADER + 9 {
            assert_eq!(version_text(&data[..cut]), None, "{cut}");
        }
        data[MAGIC.len() + 1] = 0;
        assert_eq!(version_text(&data), None);
    }
}
