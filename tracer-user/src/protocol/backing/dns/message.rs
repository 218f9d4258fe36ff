//! A message's parts (RFC 1035 section 4.1).

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of a header.
pub(super) const HEADER: usize = 12;
/// Longest name on the wire, and longest label (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 255;
const MAX_LABEL: u8 = 63;
/// Answers that are told of one lookup.
const MAX_ANSWERS: usize = 16;
/// Records that are passed over to find them.
const MAX_RECORDS: u16 = 64;

/// The first twelve bytes, but for two counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// The query's number, which its answer repeats.
    pub(super) number: u16,
    flags: u16,
    questions: u16,
    answers: u16,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        bytes.get(..HEADER)?;
        Some(Self {
            number: word(bytes, 0)?,
            flags: word(bytes, 2)?,
            questions: word(bytes, 4)?,
            answers: word(bytes, 6)?,
        })
    }

    /// An answer, not a query.
    pub(super) fn is_answer(self) -> bool {
        self.flags & 1 << 15 != 0
    }

    /// A lookup of one name (opcode QUERY), without the bit that is always zero.
    pub(super) fn is_usual(self) -> bool {
        self.flags & 0x7840 == 0 && self.questions == 1
    }

    /// RCODE.
    pub(super) fn code(self) -> u16 {
        self.flags & 15
    }
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// Labels, each behind its length, up to the last one's end. Servers answer in the letters in which
    /// they were asked, some of which are chosen as a secret; so they are as they came.
    name: Box<[u8]>,
    kind: u16,
}

impl Question {
    /// The one behind a message's header.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let rest = message.get(HEADER..)?;
        let mut end = 0;
        loop {
            match *rest.get(end)? {
                0 => break,
                // Nothing stands before it that it could repeat.
                length if length > MAX_LABEL => return None,
                length => end += 1 + usize::from(length),
            }
            if end >= MAX_NAME {
                return None;
            }
        }
        let kind = word(rest, end + 1)?;
        word(rest, end + 3)?;
        Some(Self { name: rest.get(..end)?.into(), kind })
    }

    /// Bytes on the wire.
    fn len(&self) -> usize {
        self.name.len() + 5
    }

    /// As names are written (RFC 4343 section 2.1), without the last dot; `.` of the root.
    pub(super) fn name(&self) -> String {
        let (mut text, mut rest) = (String::new(), &*self.name);
        while let Some((&length, labels)) = rest.split_first() {
            let (label, after) = labels.split_at(usize::from(length).min(labels.len()));
            if !text.is_empty() {
                text.push('.');
            }
            label.iter().for_each(|&byte| push(&mut text, byte));
            rest = after;
        }
        if text.is_empty() { ".".to_owned() } else { text }
    }

    /// The type of what is looked up: its mnemonic
    /// (<https://www.iana.org/assignments/dns-parameters/dns-parameters.xhtml>), or TYPE and its number
    /// (RFC 3597 section 5).
    pub(super) fn kind(&self) -> Cow<'static, str> {
        let known = match self.kind {
            1 => "A",
            2 => "NS",
            5 => "CNAME",
            6 => "SOA",
            12 => "PTR",
            13 => "HINFO",
            15 => "MX",
            16 => "TXT",
            28 => "AAAA",
            33 => "SRV",
            35 => "NAPTR",
            39 => "DNAME",
            43 => "DS",
            46 => "RRSIG",
            47 => "NSEC",
            48 => "DNSKEY",
            52 => "TLSA",
            64 => "SVCB",
            65 => "HTTPS",
            252 => "AXFR",
            255 => "ANY",
            257 => "CAA",
            other => return format!("TYPE{other}").into(),
        };
        known.into()
    }
}

fn push(text: &mut String, byte: u8) {
    match byte {
        b'.' | b'\\' => text.extend(['\\', byte.into()]),
        b'!'..=b'~' => text.push(byte.into()),
        _ => {
            text.push('\\');
            text.extend(
                [byte / 100, byte / 10 % 10, byte % 10].map(|digit| char::from(b'0' + digit)),
            );
        }
    }
}

/// What went wrong, by its name (the registry's); `None` if nothing did.
pub(super) fn code(code: u16) -> Option<Cow<'static, str>> {
    let known = match code {
        0 => return None,
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        other => return Some(format!("RCODE{other}").into()),
    };
    Some(known.into())
}

/// The addresses in a message's answers, as far as it is shown.
pub(super) fn answers(message: &[u8], header: Header, question: &Question) -> Vec<String> {
    let mut found = vec![];
    let mut rest = message.get(HEADER + question.len()..).unwrap_or_default();
    for _ in 0..header.answers.min(MAX_RECORDS) {
        let Some(record) = Record::read(&mut rest) else { break };
        found.extend(record.address());
        if found.len() == MAX_ANSWERS {
            break;
        }
    }
    found
}

/// One answer.
struct Record<'a> {
    kind: u16,
    data: &'a [u8],
}

impl<'a> Record<'a> {
    /// The first of these bytes, which are those behind it then.
    fn read(bytes: &mut &'a [u8]) -> Option<Self> {
        const FIXED: usize = 10;
        let fixed = bytes.get(name_len(bytes)?..)?;
        let (kind, length) = (word(fixed, 0)?, usize::from(word(fixed, 8)?));
        let data = fixed.get(FIXED..FIXED + length)?;
        *bytes = fixed.get(FIXED + length..)?;
        Some(Self { kind, data })
    }

    fn address(&self) -> Option<String> {
        match self.kind {
            1 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(self.data).ok()?).to_string()),
            28 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(self.data).ok()?).to_string()),
            _ => None,
        }
    }
}

/// Bytes of a name, which may end with a pointer to one before it (RFC 1035 section 4.1.4).
fn name_len(bytes: &[u8]) -> Option<usize> {
    const POINTER: u8 = 0xc0;
    let mut end = 0;
    while end < MAX_NAME {
        match *bytes.get(end)? {
            0 => return Some(end + 1),
            length if length & POINTER == POINTER => return Some(end + 2),
            length if length > MAX_LABEL => return None,
            length => end += 1 + usize::from(length),
        }
    }
    None
}

/// Two bytes from this one on.
fn word(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}
