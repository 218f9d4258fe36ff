//! What each fuzz target does with an input, as plain functions: libFuzzer calls them with inputs of
//! its own (`cargo xtask fuzz`), and the tests here with those of `corpus`, where every input that
//! ever broke something stays.

mod backing;
mod btf;
mod headers;
mod http1;
mod http2;
mod input;
mod operations;
mod records;
mod sources;
mod split;
mod tls;
mod websocket;

pub use backing::{amqp, dns, kafka, memcached, mongodb, mysql, postgresql, redis};
pub use btf::btf;
pub use headers::headers;
pub use http1::http1;
pub use http2::{hpack, http2};
pub use records::records;
pub use sources::{pcap, recording};
pub use split::http1_split;
pub use tls::tls;
pub use websocket::websocket;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    fn replay(name: &str, target: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut files: Vec<_> =
            fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty());
        for file in files {
            println!("{}", file.display());
            target(&fs::read(file).unwrap());
        }
    }

    #[test]
    fn http1() {
        replay("http1", super::http1);
    }

    #[test]
    fn http1_split() {
        replay("http1_split", super::http1_split);
    }

    #[test]
    fn http2() {
        replay("http2", super::http2);
    }

    #[test]
    fn hpack() {
        replay("hpack", super::hpack);
    }

    #[test]
    fn websocket() {
        replay("websocket", super::websocket);
    }

    #[test]
    fn redis() {
        replay("redis", super::redis);
    }

    #[test]
    fn postgresql() {
        replay("postgresql", super::postgresql);
    }

    #[test]
    fn mysql() {
        replay("mysql", super::mysql);
    }

    #[test]
    fn mongodb() {
        replay("mongodb", super::mongodb);
    }

    #[test]
    fn memcached() {
        replay("memcached", super::memcached);
    }

    #[test]
    fn kafka() {
        replay("kafka", super::kafka);
    }

    #[test]
    fn dns() {
        replay("dns", super::dns);
    }

    #[test]
    fn amqp() {
        replay("amqp", super::amqp);
    }

    #[test]
    fn headers() {
        replay("headers", super::headers);
    }

    #[test]
    fn tls() {
        replay("tls", super::tls);
    }

    #[test]
    fn btf() {
        replay("btf", super::btf);
    }

    #[test]
    fn pcap() {
        replay("pcap", super::pcap);
    }

    #[test]
    fn recording() {
        replay("recording", super::recording);
    }

    #[test]
    fn records() {
        replay("records", super::records);
    }
}
