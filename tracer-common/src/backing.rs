//! Does an operation on a socket belong to a protocol of a backing service (a database, a cache, a
//! broker)? Asked in the kernel for a socket that has not shown yet what it carries, and again in user
//! space, so that both come to the same answer.
//!
//! The first 16 bytes and the operation's length say more than ports do: most of these protocols
//! begin with how long the message is, which the length bears out. Ports only help where the bytes
//! say too little. What is taken for one of them and is none costs some copies; user space's parsers
//! pass it over, and count it.

/// PostgreSQL, as a bit of a set of protocols.
pub const POSTGRESQL: u32 = 1;
/// MySQL and MariaDB.
pub const MYSQL: u32 = 1 << 1;
/// Redis and Valkey.
pub const REDIS: u32 = 1 << 2;
/// MongoDB.
pub const MONGODB: u32 = 1 << 3;
/// Memcached.
pub const MEMCACHED: u32 = 1 << 4;
/// Kafka.
pub const KAFKA: u32 = 1 << 5;
/// AMQP 0-9-1, of RabbitMQ.
pub const AMQP: u32 = 1 << 6;
/// DNS, over TCP or UDP.
pub const DNS: u32 = 1 << 7;

/// Beside a protocol: the service has sent the operation, not its client.
pub const ANSWERS: u32 = 1 << 31;

/// An operation, by which a protocol can be told.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Beginning {
    /// Its first eight bytes as a little-endian number; zeros where there are fewer.
    pub low: u64,
    /// The eight behind them.
    pub high: u64,
    /// How long it is, bytes.
    pub len: u32,
    /// Port of whoever sent it, in the upper half, and of whoever received it; 0 if unknown.
    pub ports: u32,
}

impl Beginning {
    /// Of an operation with these first bytes (16 are enough), `len` bytes long, between these ports.
    #[must_use]
    pub fn of(first: &[u8], len: u64, sender: u16, receiver: u16) -> Self {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(first).for_each(|(to, from)| *to = *from);
        let both = u128::from_le_bytes(bytes);
        Self {
            low: both as u64,
            high: (both >> 64) as u64,
            len: u32::try_from(len).unwrap_or(u32::MAX),
            ports: u32::from(sender) << 16 | u32::from(receiver),
        }
    }

    /// Its protocol, with [`ANSWERS`] if the service has sent it; 0 if it is none that is known.
    #[inline(always)]
    #[must_use]
    pub fn recognise(self) -> u32 {
        if self.len < 4 {
            return 0;
        }
        // Those with the strongest marks first.
        self.mongodb()
            .or(|| self.redis())
            .or(|| self.mysql())
            .or(|| self.postgresql())
            .or(|| self.amqp())
            .or(|| self.kafka())
            .or(|| self.dns_stream())
            .or(|| self.memcached())
            .0
    }

    /// The same of a datagram: 0 or [`DNS`], with [`ANSWERS`] if it answers.
    #[inline(always)]
    #[must_use]
    pub fn recognise_datagram(self) -> u32 {
        // Others that send each other what looks the same: mDNS, LLMNR, NetBIOS.
        let other = |port: u32| self.goes_to(port) || self.comes_from(port);
        if other(5353) || other(5355) || other(137) { 0 } else { self.dns(0, self.len) }
    }

    #[inline(always)]
    fn byte(self, at: u32) -> u8 {
        if at < 8 { (self.low >> (8 * at)) as u8 } else { (self.high >> (8 * (at & 7))) as u8 }
    }

    /// Four bytes from this one on (at most the fourth of eight), in the order of the wire.
    #[inline(always)]
    fn big(self, at: u32) -> u32 {
        ((self.low >> (8 * at)) as u32).swap_bytes()
    }

    /// No command begins with a letter twice. What recordings blank does.
    #[inline(always)]
    fn is_text(self) -> bool {
        self.byte(0) != self.byte(1)
    }

    #[inline(always)]
    fn goes_to(self, port: u32) -> bool {
        self.ports & 0xffff == port
    }

    #[inline(always)]
    fn comes_from(self, port: u32) -> bool {
        self.ports >> 16 == port
    }

    /// The wire protocol's header: length, request, what it answers, opcode
    /// (<https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>).
    #[inline(always)]
    fn mongodb(self) -> Protocol {
        const REPLY: u32 = 1;
        const QUERY: u32 = 2004;
        const COMPRESSED: u32 = 2012;
        const MESSAGE: u32 = 2013;
        const MAX_LENGTH: u32 = 48_000_000;
        let (length, opcode) = (self.low as u32, (self.high >> 32) as u32);
        let answers = self.high as u32 != 0;
        let known = opcode == MESSAGE
            || opcode == QUERY
            || opcode == COMPRESSED
            || (opcode == REPLY && answers && length == self.len);
        if self.len < 16 || !known || !(16..=MAX_LENGTH).contains(&length) {
            return Protocol(0);
        }
        Protocol(MONGODB | if answers { ANSWERS } else { 0 })
    }

    /// A command is an array of bulk strings: `*1\r\n$`
    /// (<https://redis.io/docs/latest/develop/reference/protocol-spec/>); on its port, one line as
    /// well.
    #[inline(always)]
    fn redis(self) -> Protocol {
        const PORT: u32 = 6379;
        const BEHIND: u32 = u32::from_le_bytes(*b"\r\n$\0");
        let behind = |digits: u32| (self.low >> (8 + 8 * digits)) as u32 & 0xff_ffff;
        let digits = behind(1) == BEHIND || behind(2) == BEHIND || behind(3) == BEHIND;
        let array = self.byte(0) == b'*' && self.byte(1).is_ascii_digit() && digits;
        let line = self.goes_to(PORT) && self.byte(0).is_ascii_alphabetic() && self.is_text();
        Protocol(if array || line { REDIS } else { 0 })
    }

    /// A packet: three bytes of length, its number, and in a client's first one a command; or the
    /// server's greeting, or the client's answer to that
    /// (<https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>).
    #[inline(always)]
    fn mysql(self) -> Protocol {
        const PORT: u32 = 3306;
        let length = self.low as u32 & 0xff_ffff;
        let (number, command, next) = (self.byte(3), self.byte(4), self.byte(5));
        let whole = length.wrapping_add(4) == self.len;
        let only_length = self.len == 4;
        if self.comes_from(PORT) && number == 0 && only_length && length < 1024 {
            // Some clients read the four bytes apart.
            return Protocol(MYSQL | ANSWERS);
        }
        if self.mysql_compressed(length) {
            return Protocol(MYSQL);
        }
        if !whole || length == 0 {
            return Protocol(0);
        }
        const VERSION: u8 = 10;
        if number == 0 && command == VERSION && next.is_ascii_digit() && length > 40 {
            return Protocol(MYSQL | ANSWERS);
        }
        const PROTOCOL_41: u8 = 2;
        let zeros = self.high >> 40 == 0 && length >= 32;
        if (number == 1 || number == 2) && next & PROTOCOL_41 != 0 && zeros {
            return Protocol(MYSQL);
        }
        let text = next >= b' ' || next == b'\n' || next == b'\t' || next == b'\r' || next == 0;
        let is_command = match command {
            // QUERY, INIT_DB, STMT_PREPARE
            0x03 | 0x02 | 0x16 => text && length > 1,
            // QUIT, STATISTICS, PING, RESET_CONNECTION
            0x01 | 0x09 | 0x0e | 0x1f => length == 1,
            // STMT_EXECUTE
            0x17 => length >= 10,
            // STMT_CLOSE, STMT_RESET
            0x19 | 0x1a => length == 5,
            _ => command <= 0x1f && self.goes_to(PORT),
        };
        Protocol(if number == 0 && is_command { MYSQL } else { 0 })
    }

    /// A client's command in the compressed protocol, short enough not to be compressed: seven bytes of
    /// header, of which the last three are 0, before the packet.
    #[inline(always)]
    fn mysql_compressed(self, length: u32) -> bool {
        let plain = (self.low >> 24) as u32 == 0;
        let packet = (self.low >> 56) as u32 | (self.high as u32 & 0xffff) << 8;
        let (number, command) = (self.byte(10), self.byte(11));
        let fits = length.wrapping_add(7) == self.len && packet.wrapping_add(4) == length;
        plain && fits && packet > 0 && number == 0 && command <= 0x1f
    }

    /// A startup packet (its length, and the protocol's version or a request code), or a message: its
    /// type, and its length without that
    /// (<https://www.postgresql.org/docs/current/protocol-message-formats.html>).
    #[inline(always)]
    fn postgresql(self) -> Protocol {
        const PORT: u32 = 5432;
        const MAX_STARTUP: u32 = 10_000;
        let (length, code) = (self.big(0), self.big(4));
        // Versions 3.0 and 3.2; requests to cancel, for TLS, for GSSAPI.
        let version = code == 0x0003_0000 || code == 0x0003_0002;
        let request = (80_877_102..=80_877_104).contains(&code) && length <= 16;
        // The first parameter's name.
        let starts = request || (version && self.byte(8).is_ascii_alphabetic());
        if starts && length == self.len && (8..=MAX_STARTUP).contains(&length) {
            return Protocol(POSTGRESQL);
        }
        let (kind, length) = (self.byte(0), self.big(1));
        let is_whole = length.wrapping_add(1) == self.len;
        let is_first = length.wrapping_add(1) < self.len && length >= 4;
        let name =
            self.byte(5) == 0 || self.byte(5) == b'_' || self.byte(5).is_ascii_alphanumeric();
        let known = match kind {
            // Query
            b'Q' => is_whole && length > 5,
            // Parse, Bind: others follow.
            b'P' | b'B' => is_first && length < 0x1_0000 && name,
            _ => false,
        };
        let here = self.goes_to(PORT) && (4..0x0100_0000).contains(&length);
        let usual = kind == b'Q' || kind == b'P' || kind == b'B' || kind == b'E' || kind == b'S';
        Protocol(if known || (here && usual) { POSTGRESQL } else { 0 })
    }

    /// A request: its length without these four bytes, which request, its version, a number for the
    /// answer, and the length of the client's name, in the order of the network. Others count like this, too
    /// (ZooKeeper); on other ports than its own the client must have a name.
    /// (<https://kafka.apache.org/protocol.html>).
    #[inline(always)]
    fn kafka(self) -> Protocol {
        const PORT: u32 = 9092;
        const MAX_KEY: u32 = 92;
        const MAX_VERSION: u32 = 20;
        let length = self.big(0);
        let whole = length.wrapping_add(4) == self.len;
        let begins = self.goes_to(PORT) && length.wrapping_add(4) > self.len && length < 1 << 27;
        let (key, version) = (self.big(4) >> 16, self.big(4) & 0xffff);
        let number = (self.high as u32).swap_bytes();
        let name = ((self.high >> 32) as u16).swap_bytes();
        let fits = name > 0 && name < 256 && u32::from(name) + 14 <= self.len;
        let printable = self.byte(14) > b' ' && self.byte(14) < 0x7f;
        let named = (fits && printable) || (self.goes_to(PORT) && (name == 0 || name == u16::MAX));
        let known = key <= MAX_KEY && version <= MAX_VERSION && number < 1 << 31 && named;
        Protocol(if self.len > 14 && (whole || begins) && known { KAFKA } else { 0 })
    }

    /// Over TCP, each message's length goes before it (RFC 1035 section 4.2.2).
    #[inline(always)]
    fn dns_stream(self) -> Protocol {
        const PORT: u32 = 53;
        let length = u32::from(self.word(0));
        let whole = length + 2 == self.len;
        let begins = length + 2 < self.len && (self.goes_to(PORT) || self.comes_from(PORT));
        Protocol(if whole || begins { self.dns(2, length) } else { 0 })
    }

    /// A message of `length` bytes whose header begins at this byte (RFC 1035 section 4.1.1): one question
    /// of the usual kind (QUERY), and its first label's length.
    #[inline(always)]
    fn dns(self, at: u32, length: u32) -> u32 {
        const RESPONSE: u16 = 1 << 15;
        // Recursion desired; RFC 4035 sections 3.1.6 and 3.2.2: authentic data, checking disabled.
        const OF_QUERIES: u16 = 0x0130;
        const OPCODE: u16 = 0x7800;
        const RESERVED: u16 = 0x0040;
        // Header, the root's name, type and class.
        const SHORTEST: u32 = 17;
        const LONGEST_LABEL: u8 = 63;
        let (flags, questions, answers) = (self.word(at + 2), self.word(at + 4), self.word(at + 6));
        let (authorities, more) = (self.word(at + 8), self.word(at + 10));
        if length < SHORTEST || questions != 1 || self.byte(at + 12) > LONGEST_LABEL {
            return 0;
        }
        if flags & RESPONSE == 0 {
            let asks = flags & !OF_QUERIES == 0 && answers == 0 && authorities == 0 && more <= 2;
            return if asks { DNS } else { 0 };
        }
        let few = answers < 1024 && authorities < 1024 && more < 1024;
        if flags & (OPCODE | RESERVED) == 0 && few { DNS | ANSWERS } else { 0 }
    }

    /// Two bytes from this one on, in the order of the network.
    #[inline(always)]
    fn word(self, at: u32) -> u16 {
        u16::from_be_bytes([self.byte(at), self.byte(at + 1)])
    }

    /// The client's first words; or a method's frame: type, channel, size, class, method, arguments, and
    /// an octet that ends it (<https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf>, section 2.3.5).
    /// On any port those that begin or carry a message: publish, get, deliver. All others only on
    /// RabbitMQ's own.
    #[inline(always)]
    fn amqp(self) -> Protocol {
        const PORT: u32 = 5672;
        const PREFACE: u64 = u64::from_le_bytes(*b"AMQP\0\0\x09\x01");
        const METHOD: u8 = 1;
        const MAX_SIZE: u32 = 1 << 16;
        const PUBLISH: u32 = 60 << 16 | 40;
        const DELIVER: u32 = 60 << 16 | 60;
        const GET: u32 = 60 << 16 | 70;
        if self.low == PREFACE {
            return Protocol(AMQP);
        }
        let size = self.big(3);
        if self.byte(0) != METHOD || self.byte(1) >= 8 || !(4..MAX_SIZE).contains(&size) {
            return Protocol(0);
        }
        let answers = self.comes_from(PORT);
        let answer = Protocol(AMQP | ANSWERS);
        if self.len == 7 {
            // Some clients read the seven bytes apart.
            return if answers { answer } else { Protocol(0) };
        }
        if size + 8 > self.len {
            return Protocol(0);
        }
        let (class, method) = (u32::from(self.byte(8)), u32::from(self.byte(10)));
        let number = |at| u32::from(self.byte(at)) << 8 | u32::from(self.byte(at + 1));
        // Of a reserved number, and strings of at most 255 bytes.
        let (zero, name) = (number(11) == 0, u32::from(self.byte(13)));
        match number(7) << 16 | number(9) {
            PUBLISH if zero && size < 520 && 9 + name <= size => Protocol(AMQP),
            GET if zero && 8 + name == size => Protocol(AMQP),
            DELIVER if size < 782 && 16 + u32::from(self.byte(11)) <= size => answer,
            _ => {
                let known = class % 10 == 0 || class == 85;
                let usual = (10..=90).contains(&class) && known && (10..=120).contains(&method);
                let high = self.byte(7) | self.byte(9);
                match high == 0 && usual && (answers || self.goes_to(PORT)) {
                    true => Protocol(AMQP | if answers { ANSWERS } else { 0 }),
                    false => Protocol(0),
                }
            }
        }
    }

    /// The text protocol's commands
    /// (<https://github.com/memcached/memcached/blob/master/doc/protocol.txt>); on its port, the binary
    /// one as well.
    #[inline(always)]
    fn memcached(self) -> Protocol {
        const PORT: u32 = 11_211;
        // What no other protocol of lines has.
        const COMMANDS: [(u64, u64); 5] =
            [word(b"get "), word(b"gets "), word(b"set "), word(b"mg "), word(b"ms ")];
        let mut known = false;
        for (want, mask) in COMMANDS {
            known |= self.low & mask == want;
        }
        let here = self.goes_to(PORT)
            && (self.byte(0) == 0x80 || (self.byte(0).is_ascii_lowercase() && self.is_text()));
        Protocol(if known || here { MEMCACHED } else { 0 })
    }
}

/// A word's bytes as a little-endian number, and which of the eight they are.
const fn word(text: &[u8]) -> (u64, u64) {
    let (mut want, mut mask, mut at) = (0, 0, 0);
    while at < text.len() {
        want |= (text[at] as u64) << (8 * at);
        mask |= 0xff << (8 * at);
        at += 1;
    }
    (want, mask)
}

/// 0 if it is none.
#[derive(Clone, Copy)]
struct Protocol(u32);

impl Protocol {
    #[inline(always)]
    fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self.0 != 0 { self } else { other() }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        AMQP, ANSWERS, Beginning, DNS, KAFKA, MEMCACHED, MONGODB, MYSQL, POSTGRESQL, REDIS,
    };

    fn of(bytes: &[u8]) -> u32 {
        between(bytes, 50_000, 60_000)
    }

    fn between(bytes: &[u8], sender: u16, receiver: u16) -> u32 {
        Beginning::of(bytes, bytes.len() as u64, sender, receiver).recognise()
    }

    #[test]
    fn first_messages_tell_by_themselves() {
        let startup = b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0";
        assert_eq!(of(startup), POSTGRESQL);
        assert_eq!(of(b"\0\0\0\x08\x04\xd2\x16\x2f"), POSTGRESQL, "SSLRequest");
        assert_eq!(of(b"Q\0\0\0\x0dSELECT 1\0"), POSTGRESQL);
        assert_eq!(of(b"P\0\0\0\x10\0SELECT 1\0\0\0S\0\0\0\x04"), POSTGRESQL);
        let greeting = [b"\x4a\0\0\0\x0a8.0.36\0", &[7; 66][..]].concat();
        assert_eq!(of(&greeting), MYSQL | ANSWERS);
        assert_eq!(of(b"\x09\0\0\0\x03SELECT 1"), MYSQL);
        assert_eq!(of(b"\x01\0\0\0\x0e"), MYSQL, "ping");
        assert_eq!(of(b"\x0d\0\0\0\0\0\0\x09\0\0\0\x03SELECT 1"), MYSQL, "compressed");
        assert_eq!(of(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"), REDIS);
        assert_eq!(of(b"*12\r\n$4\r\nMGET\r\n"), REDIS);
        let hello = b"\x15\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0";
        assert_eq!(of(hello), MONGODB);
        let answer = b"\x15\0\0\0\x07\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0";
        assert_eq!(of(answer), MONGODB | ANSWERS);
        let versions = b"\0\0\0\x0f\0\x12\0\x03\0\0\0\x01\0\x04test\0";
        assert_eq!(of(&versions[..19]), KAFKA);
        assert_eq!(of(b"get user:1\r\n"), MEMCACHED);
        assert_eq!(of(b"AMQP\0\0\x09\x01"), AMQP);
    }

    /// A method's frame on channel 1.
    fn frame(class: u8, method: u8, arguments: &[u8]) -> Vec<u8> {
        let size = arguments.len() as u8 + 4;
        let before = [1, 0, 1, 0, 0, 0, size, 0, class, 0, method];
        [&before[..], arguments, &[0xce]].concat()
    }

    #[test]
    fn messages_tell_where_brokers_are_met_later() {
        let publish = frame(60, 40, b"\0\0\x04shop\x03new\0");
        let deliver = frame(60, 60, b"\x01c\0\0\0\0\0\0\0\x01\0\x04shop\x03new");
        let ack = frame(60, 80, &[0, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(of(&publish), AMQP);
        assert_eq!(of(&[&publish[..], b"\x02\0\x01 and content"].concat()), AMQP);
        assert_eq!(of(&frame(60, 70, b"\0\0\x06orders\x01")), AMQP);
        assert_eq!(of(&deliver), AMQP | ANSWERS);
        // Both sides acknowledge.
        assert_eq!(of(&ack), 0);
        assert_eq!(between(&ack, 50_000, 5672), AMQP);
        assert_eq!(between(&ack, 5672, 50_000), AMQP | ANSWERS);
        assert_eq!(between(&deliver[..7], 5672, 50_000), AMQP | ANSWERS);
        let others = [
            frame(60, 40, b"\0\x01\x04shop\x03new\0"),
            frame(60, 40, b"\0\0\xffshop\x03new\0"),
            frame(60, 70, b"\0\0\x05orders\x01"),
            frame(50, 10, &[0; 12]),
            publish[..15].to_vec(),
            deliver[..7].to_vec(),
        ];
        for other in others {
            assert_eq!(of(&other), 0, "{other:?}");
        }
    }

    #[test]
    fn others_do_not() {
        let others: [&[u8]; 13] = [
            // ZooKeeper, PipeWire, beanstalkd, Kafka's Metadata that is PostgreSQL's version.
            b"\0\0\0\x2c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x75\x30\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"\x20\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0",
            b"delete 123\r\n",
            b"\0\0\0\x0c\0\x03\0\0\0\0\0\x01\xff\xff\0\0",
            b"",
            b"SSH-2.0-OpenSSH_9.2p1\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"220 mail ESMTP\r\n",
            b"EHLO host\r\n",
            b"AMQP\0\x01\0\0",
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
            b"\x09\0\0\0\x08\x01\x12\x05hello",
            &[0; 64],
        ];
        for other in others {
            assert_eq!(of(other), 0, "{other:?}");
        }
    }

    #[test]
    fn lookups_of_names() {
        let query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x01\0\x01";
        let datagram = |bytes: &[u8], sender, receiver| {
            Beginning::of(bytes, bytes.len() as u64, sender, receiver).recognise_datagram()
        };
        assert_eq!(datagram(query, 50_000, 53), DNS);
        assert_eq!(datagram(query, 5353, 5353), 0, "mDNS");
        assert_eq!(of(query), 0, "no length goes before it");
        let mut answer = query.to_vec();
        (answer[2], answer[3], answer[7]) = (0x81, 0x80, 1);
        assert_eq!(datagram(&answer, 53, 50_000), DNS | ANSWERS);
        answer[3] |= 0x40;
        assert_eq!(datagram(&answer, 53, 50_000), 0, "a bit that is always zero");
        let stream = [&[0, query.len() as u8][..], query].concat();
        assert_eq!(of(&stream), DNS);
        let two = [&stream[..], &stream].concat();
        assert_eq!((of(&two), between(&two, 50_000, 53)), (0, DNS));
        let others: [&[u8]; 4] = [
            &query[..12],
            &[0; 32],
            b"\x12\x34\x29\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01",
            b"\xc3\0\0\0\x01\x08quic-hello",
        ];
        for other in others {
            assert_eq!(datagram(other, 50_000, 53), 0, "{other:?}");
        }
    }

    #[test]
    fn ports_help() {
        assert_eq!(between(b"PING\r\n", 50_000, 6379), REDIS);
        assert_eq!(between(b"PING\r\n", 6379, 50_000), 0);
        assert_eq!(between(b"\x4a\0\0\0", 3306, 50_000), MYSQL | ANSWERS);
        assert_eq!(between(b"E\0\0\0\x09\0\0\0\0\0", 50_000, 5432), POSTGRESQL);
        assert_eq!(between(&[0x80, 0, 0, 0, 0, 0], 50_000, 11_211), MEMCACHED);
    }
}
