//! An HTTP backend that answers as a test wants it to.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::serve::Listener;
use flate2::read::GzDecoder;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A request as it came, its body unpacked.
#[derive(Clone, Debug)]
pub(in crate::export) struct Received {
    pub(in crate::export) path: String,
    pub(in crate::export) headers: HeaderMap,
    pub(in crate::export) body: Vec<u8>,
    pub(in crate::export) at: std::time::Instant,
}

/// The answer to it.
pub(in crate::export) struct Reply(pub(in crate::export) Response);

impl Reply {
    pub(in crate::export) fn new(status: u16, body: impl Into<Body>) -> Self {
        Reply(Response::builder().status(status).body(body.into()).unwrap())
    }

    pub(in crate::export) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.0.headers_mut().insert(name, value.parse().unwrap());
        self
    }
}

/// A running backend; it stops, and its port is free, when it is dropped.
pub(in crate::export) struct Backend {
    pub(in crate::export) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    server: JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Backend {
    /// Answers each request, of which so many came before, by `answer`.
    pub(in crate::export) async fn start(
        answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Backend::start_at(([127, 0, 0, 1], 0).into(), answer).await
    }

    pub(in crate::export) async fn start_at(
        address: SocketAddr,
        answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        Backend::serve(listener, address, answer)
    }

    pub(in crate::export) async fn start_tls(
        config: Arc<rustls::ServerConfig>,
        answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        Backend::serve(Secure(listener, config.into()), address, answer)
    }

    fn serve<L: Listener<Addr = SocketAddr>>(
        listener: L,
        address: SocketAddr,
        answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&received), Arc::new(answer));
        let handle = move |request: Request| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            async move {
                let received = receive(request).await;
                let mut log = log.lock().unwrap();
                let reply = answer(log.len(), &received);
                log.push(received);
                reply.0
            }
        };
        let server = tokio::spawn(async move {
            axum::serve(listener, Router::new().fallback(handle)).await.unwrap();
        });
        Backend { address, received, server }
    }

    pub(in crate::export) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The number of spans in each Zipkin request.
    pub(in crate::export) fn batches(&self) -> Vec<usize> {
        self.received().iter().map(Received::zipkin_spans).collect()
    }
}

impl Received {
    pub(in crate::export) fn zipkin_spans(&self) -> usize {
        serde_json::from_slice::<Vec<serde_json::Value>>(&self.body).unwrap().len()
    }
}

async fn receive(request: Request) -> Received {
    let (parts, body) = request.into_parts();
    let packed = to_bytes(body, usize::MAX).await.unwrap();
    let mut body = Vec::new();
    match parts.headers.get("content-encoding").map(|value| value.as_bytes()) {
        Some(b"gzip") => _ = GzDecoder::new(&packed[..]).read_to_end(&mut body).unwrap(),
        None => body = packed.to_vec(),
        other => panic!("{other:?}"),
    }
    let path = parts.uri.to_string();
    Received { path, headers: parts.headers, body, at: std::time::Instant::now() }
}

/// Connections that fail their handshake are passed over.
struct Secure(TcpListener, TlsAcceptor);

impl Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
