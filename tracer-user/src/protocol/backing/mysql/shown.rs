//! Where packets end, and whether they may come.

use super::super::Split;
use super::super::call::MAX_TEXT;
use super::packet::{self, HEADER, Header};
use super::{MySql, Phase, SOME, command, login, middle};
use crate::protocol::http1::Direction;

/// How much of a packet is needed.
#[derive(Clone, Copy, Debug)]
enum Shown {
    Most(usize),
    /// It cannot be told yet.
    Later,
    /// It may not come.
    Never,
}

impl MySql {
    /// Where a packet ends.
    pub(super) fn split_packet(&self, of: Direction, bytes: &[u8]) -> Split {
        // A record of TLS could pass for a packet.
        let tls = self.phase == Phase::Tls && matches!(bytes, [0x14..=0x17, 3, ..]);
        if tls {
            return Split::Invalid;
        }
        let Some(header) = packet::header(bytes) else { return Split::More };
        let shown = match of {
            _ if self.deaf => Shown::Most(HEADER),
            Direction::Request => {
                self.request_shown(header, bytes.get(HEADER..).unwrap_or_default())
            }
            Direction::Response => self.response_shown(header, bytes),
        };
        let length = u64::from(header.length) + HEADER as u64;
        match shown {
            Shown::Most(most) => {
                let want = usize::try_from(length).map_or(most, |length| length.min(most));
                Split::Message { length, want }
            }
            Shown::Later => Split::More,
            Shown::Never => Split::Invalid,
        }
    }

    /// Whether the client may send what is no command.
    fn is_free(&self) -> bool {
        let login = matches!(self.phase, Phase::Greeted | Phase::Tls | Phase::Login);
        let change = || self.pending.back().is_some_and(|last| last.answer.is_login());
        self.continues[0] || self.file || login || change()
    }

    /// Whether the client says who it is, although no greeting was seen.
    pub(super) fn is_login(&self, bytes: &[u8]) -> bool {
        let Some(header) = packet::header(bytes) else { return false };
        matches!(self.phase, Phase::Fresh | Phase::Greeted | Phase::Tls)
            && login::begins(header, bytes.get(HEADER..).unwrap_or_default()) == Some(true)
    }

    /// Whether the server's next packet may have this number.
    pub(super) fn is_expected(&self, bytes: &[u8]) -> bool {
        let Some(header) = packet::header(bytes) else { return false };
        self.expected.is_none_or(|expected| expected == header.sequence)
    }

    /// How much of a client's packet is to be shown; nothing if it may not come.
    fn request_shown(&self, header: Header, content: &[u8]) -> Shown {
        if header.sequence != 0 || self.continues[0] || self.file {
            if self.phase == Phase::Fresh && !self.continues[0] && !self.file {
                return match login::begins(header, content) {
                    Some(true) => Shown::Most(MAX_TEXT),
                    Some(false) => Shown::Never,
                    None => Shown::Later,
                };
            }
            let login = matches!(self.phase, Phase::Greeted | Phase::Tls);
            return match self.is_free() {
                true => Shown::Most(if login { MAX_TEXT } else { HEADER }),
                false => Shown::Never,
            };
        }
        let Some(&command) = content.first() else {
            return if header.length > 0 { Shown::Later } else { Shown::Never };
        };
        let (fewest, most) = command::lengths(command);
        match command {
            _ if command::name(command).is_none() => Shown::Never,
            _ if !(fewest..=most).contains(&header.length) => Shown::Never,
            command::QUERY | command::PREPARE => Shown::Most(MAX_TEXT + SOME),
            command::INIT_DB | command::CHANGE_USER => Shown::Most(MAX_TEXT),
            _ => Shown::Most(SOME),
        }
    }

    /// The same of a server's.
    fn response_shown(&self, header: Header, bytes: &[u8]) -> Shown {
        if self.phase == Phase::Fresh && self.pending.is_empty() {
            // Nothing else shows that it is this protocol.
            let content = bytes.get(HEADER..).unwrap_or_default();
            if content.len() < 3 && header.length >= 3 {
                return Shown::Later;
            }
            let refuses = matches!(content, [0xff, ..]) && header.sequence == 0;
            let greets = packet::is_greeting(header, content);
            return match refuses && header.length < 600
                || greets
                || middle::begins(Direction::Response, bytes)
            {
                true => Shown::Most(SOME),
                false => Shown::Never,
            };
        }
        match self.is_expected(bytes) {
            true => Shown::Most(SOME),
            false => Shown::Never,
        }
    }
}
