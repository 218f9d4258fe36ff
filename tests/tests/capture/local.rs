//! A server in the test's own process whose answers the test lets go, and plain requests to servers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Listens until the process ends. Requests of paths that begin with `/held` are answered when they
/// are let go, all others at once.
pub(crate) struct Local {
    pub(crate) port: u16,
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

#[derive(Default)]
struct Gate {
    waiting: usize,
    open: bool,
}

impl Local {
    pub(crate) fn start() -> Result<Local> {
        let listener = TcpListener::bind(("127.0.0.1", tests::ports::free()?))?;
        let (port, gate) = (listener.local_addr()?.port(), Arc::default());
        let ours = Arc::clone(&gate);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let gate: Arc<(Mutex<Gate>, Condvar)> = Arc::clone(&ours);
                // A client that goes away is no fault of the server's.
                std::thread::spawn(move || serve(&stream, &gate).ok());
            }
        });
        Ok(Local { port, gate })
    }

    /// How many requests are held.
    pub(crate) fn held(&self) -> usize {
        self.gate.0.lock().map_or(0, |gate| gate.waiting)
    }

    /// Lets all of them go.
    pub(crate) fn release(&self) {
        if let Ok(mut gate) = self.gate.0.lock() {
            gate.open = true;
        }
        self.gate.1.notify_all();
    }
}

fn serve(mut stream: &TcpStream, gate: &(Mutex<Gate>, Condvar)) -> Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        if first.starts_with("GET /held")
            && let Ok(mut state) = gate.0.lock()
        {
            state.waiting += 1;
            drop(gate.1.wait_while(state, |state| !state.open));
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?;
    }
}

/// A request on a connection of its own; the status of the answer.
pub(crate) fn ask(port: u16, path: &str, fields: &str) -> Result<u16> {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: local.test\r\nConnection: close\r\n{fields}\r\n");
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(request.as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.with_context(|| format!("{path}: {line:?}"))?;
    let (mut length, mut field) = (0, String::new());
    while reader.read_line(&mut field)? > 2 {
        let named = field.to_ascii_lowercase();
        length =
            named.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap_or(0));
        field.clear();
    }
    reader.take(length).read_to_end(&mut Vec::new())?;
    Ok(status)
}
