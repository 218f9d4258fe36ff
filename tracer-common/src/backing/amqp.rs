//! How AMQP's frames begin.

use super::{AMQP, ANSWERS, Beginning, Protocol};

impl Beginning {
    /// The client's first words; or a method's frame: type, channel, size, class, method, arguments, and
    /// an octet that ends it (<https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf>, section 2.3.5).
    /// On any port those that begin or carry a message: publish, get, deliver. All others only on
    /// RabbitMQ's own.
    #[inline(always)]
    pub(super) fn amqp(self) -> Protocol {
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
}

#[cfg(test)]
mod tests {
    use super::super::tests::{between, of};
    use super::{AMQP, ANSWERS};

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
}
