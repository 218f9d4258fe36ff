//! Which Go built a program: the section `.go.buildinfo`, whose format is described in Go's
//! debug/buildinfo.

use std::collections::HashMap;

use super::super::elf::Elf;

/// Name of the section.
const SECTION: &str = ".go.buildinfo";
/// What it begins with.
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Of a header: magic, pointer size, flags, padding.
const HEADER: usize = 32;
/// Flag: strings follow the header, each after its length; so since Go 1.18.
const INLINE: u8 = 2;

/// How a program was built.
#[derive(Debug)]
pub(super) struct Build {
    /// The minor number of its Go 1, as in 1.26.
    pub(super) version: u16,
    /// The versions of its modules, `v1.2.3`.
    pub(super) modules: HashMap<String, String>,
}

/// `None` if no Go built it, or one older than 1.18, or one that does not say its number.
pub(super) fn read(elf: &Elf<'_>) -> Option<Build> {
    let (version, rest) = version_text(elf.section(SECTION)?.data()?)?;
    let (modules, _) = text(rest).unwrap_or_default();
    Some(Build { version: minor(version)?, modules: versions(modules) })
}

fn version_text(data: &[u8]) -> Option<(&str, &[u8])> {
    if !data.starts_with(MAGIC) || data.get(MAGIC.len() + 1)? & INLINE == 0 {
        return None;
    }
    let (version, rest) = text(data.get(HEADER..)?)?;
    Some((std::str::from_utf8(version).ok()?, rest))
}

/// Bytes behind their number, and what follows them.
fn text(data: &[u8]) -> Option<(&[u8], &[u8])> {
    // A uvarint of up to three bytes: what is longer is not looked at.
    let last = data.iter().take(3).position(|byte| byte & 0x80 == 0)?;
    let (len, rest) = data.split_at(last + 1);
    let len = len.iter().rev().fold(0, |len, byte| len << 7 | usize::from(byte & 0x7f));
    rest.split_at_checked(len)
}

/// Lines `dep PATH VERSION HASH`, with tabs between; one that begins with `=>` replaces the one before.
fn versions(modules: &[u8]) -> HashMap<String, String> {
    let mut versions = HashMap::new();
    let mut last = None;
    for line in String::from_utf8_lossy(modules).lines() {
        let mut words = line.split('\t');
        match (words.next(), words.next(), words.next()) {
            (Some("dep"), Some(path), Some(version)) => {
                versions.insert(path.to_owned(), version.to_owned());
                last = Some(path.to_owned());
            }
            (Some("=>"), path, version) => {
                let Some(before) = last.take() else { continue };
                match version.filter(|_| path == Some(before.as_str())) {
                    Some(version) => versions.insert(before, version.to_owned()),
                    // Somebody's own is of no known version.
                    None => versions.insert(before, String::new()),
                };
            }
            _ => {}
        }
    }
    versions
}

/// Of `go1.26.8`, `go1.27rc1`, `devel go1.27-a1b2c3`, `go1.24.1 X:boringcrypto`.
fn minor(version: &str) -> Option<u16> {
    let (_, rest) = version.split_once("go1.")?;
    let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{HEADER, INLINE, MAGIC, minor, text, version_text, versions};

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
        assert_eq!(version_text(&data), Some(("go1.26.8", &b"rest"[..])));
        for cut in 0..HEADER + 9 {
            assert_eq!(version_text(&data[..cut]), None, "{cut}");
        }
        data[MAGIC.len() + 1] = 0;
        assert_eq!(version_text(&data), None);
    }

    #[test]
    fn versions_of_modules_and_of_what_replaces_them() {
        let lines = "path\tmain\nmod\tmain\t(devel)\t\ndep\ta.org/a\tv1.2.3\th1:x=\n\
                     dep\tb.org/b\tv1.0.0\n=>\tb.org/b\tv1.1.0\th1:y=\n\
                     dep\tc.org/c\tv1.0.0\n=>\t../c\t(devel)\t\n=>\tnothing\n";
        let found = versions(lines.as_bytes());
        let version = |path: &str| found.get(path).map(String::as_str);
        assert_eq!(version("a.org/a"), Some("v1.2.3"));
        assert_eq!(version("b.org/b"), Some("v1.1.0"));
        assert_eq!(version("c.org/c"), Some(""));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn a_long_text_is_read_as_a_whole() {
        let long = [&[0xac, 0x02][..], &[b'x'; 300], b"y"].concat();
        assert_eq!(text(&long), Some((&[b'x'; 300][..], &b"y"[..])));
        assert_eq!(text(&long[..301]), None);
        assert_eq!(text(&[0x80; 9]), None);
    }
}
