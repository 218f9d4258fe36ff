//! How MySQL's and MariaDB's packets begin.

use super::{ANSWERS, Beginning, MYSQL, Protocol};

impl Beginning {
    /// A packet: three bytes of length, its number, and in a client's first one a command; or the
    /// server's greeting, or the client's answer to that
    /// (<https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>).
    #[inline(always)]
    pub(super) fn mysql(self) -> Protocol {
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
}
