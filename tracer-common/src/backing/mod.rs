//! Does an operation on a socket belong to a protocol of a backing service (a database, a cache, a
//! broker)? Asked in the kernel for a socket that has not shown yet what it carries, and again in user
//! space, so that both come to the same answer.
//!
//! The first 16 bytes and the operation's length say more than ports do: most of these protocols
//! begin with how long the message is, which the length bears out. Ports only help where the bytes
//! say too little. What is taken for one of them and is none costs some copies; user space's parsers
//! pass it over, and count it.

mod amqp;
mod dns;
mod kafka;
mod memcached;
mod mongodb;
mod mysql;
mod postgresql;
mod redis;

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

    /// Two bytes from this one on, in the order of the network.
    #[inline(always)]
    fn word(self, at: u32) -> u16 {
        u16::from_be_bytes([self.byte(at), self.byte(at + 1)])
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
    use super::{AMQP, ANSWERS, Beginning, KAFKA, MEMCACHED, MONGODB, MYSQL, POSTGRESQL, REDIS};

    pub(super) fn of(bytes: &[u8]) -> u32 {
        between(bytes, 50_000, 60_000)
    }

    pub(super) fn between(bytes: &[u8], sender: u16, receiver: u16) -> u32 {
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
    fn ports_help() {
        assert_eq!(between(b"PING\r\n", 50_000, 6379), REDIS);
        assert_eq!(between(b"PING\r\n", 6379, 50_000), 0);
        assert_eq!(between(b"\x4a\0\0\0", 3306, 50_000), MYSQL | ANSWERS);
        assert_eq!(between(b"E\0\0\0\x09\0\0\0\0\0", 50_000, 5432), POSTGRESQL);
        assert_eq!(between(&[0x80, 0, 0, 0, 0, 0], 50_000, 11_211), MEMCACHED);
    }
}
