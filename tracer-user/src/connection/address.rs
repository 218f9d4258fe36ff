//! Where one end of a connection is.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// One end of a connection, as one side sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// IP address and TCP port.
    Inet(IpAddr, u16),
    /// Name of a unix socket: a path, an abstract name with an `@` in front, or empty.
    Unix(Arc<str>),
}

impl Address {
    /// A unix socket's name as `sockaddr_un.sun_path` holds it (unix(7)).
    #[must_use]
    pub fn unix(name: &[u8]) -> Self {
        let shown = match name.split_first() {
            Some((0, rest)) => format!("@{}", String::from_utf8_lossy(rest)),
            _ => {
                let path = name.split(|&byte| byte == 0).next().unwrap_or_default();
                String::from_utf8_lossy(path).into_owned()
            }
        };
        Self::Unix(shown.into())
    }

    /// IP address.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Inet(ip, _) => Some(*ip),
            Self::Unix(_) => None,
        }
    }

    /// TCP port.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Inet(_, port) => Some(*port),
            Self::Unix(_) => None,
        }
    }
}

/// The address without the port; of a unix socket its name.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(ip, _) => ip.fmt(f),
            Self::Unix(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn names_of_unix_sockets_are_readable() {
        for (name, shown) in
            [(&b"/run/a.sock\0"[..], "/run/a.sock"), (b"\0abstract", "@abstract"), (b"", "")]
        {
            assert_eq!(Address::unix(name).to_string(), shown);
        }
    }
}
