//! Traffic that no good client sends: to a port of this machine, whatever listens there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// How long the server may think about a message.
const PATIENCE: Duration = Duration::from_millis(300);
/// Connections that send a byte now and then, their bytes, and the time between two of one.
const SLOW: usize = 150;
const SLOW_BYTES: usize = 40;
const SLOWLY: Duration = Duration::from_millis(40);
/// Bytes of a body that is large.
pub(crate) const LARGE: usize = 100_000_000;

/// Heads beyond every limit, messages that contradict themselves or are none, cut ones, and such as
/// have been used to smuggle requests past proxies.
pub(crate) fn messages() -> Vec<Vec<u8>> {
    let get = |fields: &str| format!("GET /bad HTTP/1.1\r\nHost: bad\r\n{fields}\r\n");
    let post = |fields: &str, body: &str| {
        format!("POST /bad HTTP/1.1\r\nHost: bad\r\n{fields}\r\n\r\n{body}")
    };
    let smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: bad\r\n\r\n";
    let texts = [
        get(&format!("X: {}\r\n", "x".repeat(20_000))),
        get(&format!("X: {}\r\n", "x".repeat(300_000))),
        get(&"X: y\r\n".repeat(5000)),
        get(&"X: y\r\n".repeat(200)),
        format!("GET /{} HTTP/1.1\r\nHost: bad\r\n\r\n", "x".repeat(30_000)),
        post("Content-Length: 6\r\nTransfer-Encoding: chunked", smuggled),
        post("Transfer-Encoding: chunked\r\nContent-Length: 5", smuggled),
        post("Content-Length: 5\r\nContent-Length: 6", "abcdef"),
        post("Content-Length: 5, 6", "abcdef"),
        post("Content-Length: -1", ""),
        post("Content-Length: 99999999999999999999", "a"),
        post("Content-Length : 5", "abcde"),
        post("Transfer-Encoding: xchunked", smuggled),
        post("Transfer-Encoding : chunked", smuggled),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", smuggled),
        post("Transfer-Encoding:\x0bchunked", smuggled),
        post("Transfer-Encoding: chunked", "5\r\nabc"),
        post("Transfer-Encoding: chunked", "ffffffffffffffff\r\nabc"),
        post("Transfer-Encoding: chunked", "-1\r\nabc\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked", &format!("1;{}", "x".repeat(1_000_000))),
        post("Transfer-Encoding: chunked", &format!("0\r\n{}", "T: u\r\n".repeat(20_000))),
        post("Content-Length: 1000", "cut"),
        get("A: b\r\n c\r\n\td\r\n"),
        get("").replace("\r\n", "\n"),
        get("").replace("\r\n", "\r"),
        get("").trim_end().to_owned(),
        get("NoColon\r\n: empty\r\n"),
        "GET /bad\r\n\r\n".to_owned(),
        "GET  /bad  HTTP/1.1\r\n\r\n".to_owned(),
        "GET /bad HTTP/9.9\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /bad HTTP/1.1\r\n\r\n".to_owned(),
        format!("{}{}", get(""), get("")).repeat(50),
        "\r\n".repeat(5000),
        "GET".to_owned(),
    ];
    let binary = (0..20_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8);
    let nothing =
        [&b"GET /\0\xff\xfe HTTP/1.1\r\nA: \0\x01\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01"];
    let mut all: Vec<Vec<u8>> = texts.map(String::into_bytes).to_vec();
    all.extend(nothing.map(<[u8]>::to_vec));
    all.push([b"GET /bad HTTP/1.1\r\n".to_vec(), binary.clone().collect()].concat());
    all.push(binary.collect());
    all
}

/// Sends a message and reads what comes until nothing more does.
pub(crate) fn throw(port: u16, message: &[u8]) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // The server may have hung up by now.
    let _ = stream.write_all(message);
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
    Ok(())
}

/// Many connections that each send a request that never gets ready.
pub(crate) fn crawl(port: u16) -> Result<()> {
    let connect = |_| TcpStream::connect(("127.0.0.1", port)).context("a slow connection");
    let mut streams: Vec<TcpStream> = (0..SLOW).map(connect).collect::<Result<_>>()?;
    let request = b"GET /slow HTTP/1.1\r\nHost: slow\r\nX-Slow: and slower still";
    for byte in request.iter().take(SLOW_BYTES) {
        for stream in &mut streams {
            let _ = stream.write_all(&[*byte]);
        }
        thread::sleep(SLOWLY);
    }
    Ok(())
}

/// A large body to the server, and one back.
pub(crate) fn bulk(port: u16) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let head = format!("POST /large/{LARGE} HTTP/1.1\r\nHost: bulk\r\nContent-Length: {LARGE}\r\n");
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    let piece = vec![b'x'; 1 << 20];
    let mut left = LARGE;
    while left > 0 {
        let count = left.min(piece.len());
        stream.write_all(piece.get(..count).unwrap_or_default())?;
        left -= count;
    }
    let (mut read, mut buffer) = (0, vec![0; 1 << 20]);
    loop {
        match stream.read(&mut buffer)? {
            0 => break,
            count => read += count,
        }
    }
    ensure!(read > LARGE, "{read} bytes came back");
    Ok(())
}
