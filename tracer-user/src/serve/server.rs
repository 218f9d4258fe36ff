//! The listening socket and what bounds its connections.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::guard::{self, Guard};
use super::token::Token;
use super::{Page, Sources};

/// Connections at once; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 128;
/// Bytes of a request's head.
const MAX_HEAD: usize = 32 << 10;
/// Bytes of a request's body, unless a route says otherwise.
const MAX_BODY: usize = 64 << 10;
/// For the head of a request, and between two of them.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// For a request's body and its answer's beginning.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// How long a connection may last, lest one that takes its answer byte by byte stays for ever.
const CONNECTION_TIME: Duration = Duration::from_secs(600);
/// After an accept that failed: of too many open files, for instance, there are so many still.
const PAUSE: Duration = Duration::from_millis(100);

/// The address is not to be had.
#[derive(Debug, thiserror::Error)]
#[error("--ui: cannot listen on {address}: {source}")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// Why not.
    pub source: io::Error,
}

/// The socket, before anything is served. Connections wait meanwhile.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    token: Option<Token>,
    hint: String,
}

/// The running server.
pub struct Server {
    url: String,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Takes the page's address. `token` and the directory where it is kept, unless the page is
    /// open to everybody.
    ///
    /// # Errors
    /// The address is taken, or is none of this host's.
    pub fn bind(page: &Page, token: Option<Token>, directory: &Path) -> Result<Self, BindError> {
        let bound = || {
            let socket = TcpListener::bind(page.address)?;
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            Ok((socket, address))
        };
        let (socket, address) =
            bound().map_err(|source| BindError { address: page.address, source })?;
        let hint = format!(
            "The traces of this host are shown to those who have the token. Open the URL that the \
             tracer printed when it started (tracing: ...), or this one with ?token=TOKEN after \
             it; scripts send the header `Authorization: Bearer TOKEN`. The token is in {}, which \
             root can read.\n",
            Token::file(directory).display()
        );
        Ok(Self { socket, address, token, hint })
    }

    /// Serves from now on, on the tokio runtime that this is called in.
    ///
    /// # Errors
    /// The socket can't be watched.
    pub fn serve(self, sources: &Sources) -> io::Result<Server> {
        let url = match &self.token {
            Some(token) => format!("http://{}/?token={token}", self.address),
            None => format!("http://{}/", self.address),
        };
        let own_name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let guard = Arc::new(Guard { token: self.token, own_name, hint: self.hint });
        let router = bounded(super::router(sources)).layer(from_fn_with_state(guard, guard::check));
        let listener = tokio::net::TcpListener::from_std(self.socket)?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, router, stopped));
        Ok(Server { url, address: self.address, stop, task })
    }
}

impl Server {
    /// What to open in a browser, with the token if one is asked for.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, and lets those that are there finish their requests, for at most
    /// `limit`.
    pub async fn shutdown(self, limit: Duration) {
        self.stop.send_replace(true);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(limit, self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// No request takes more memory or time than this.
fn bounded(router: Router) -> Router {
    let in_time = |request: Request, next: Next| async move {
        match tokio::time::timeout(ANSWER_TIME, next.run(request)).await {
            Ok(response) => response,
            Err(_) => (StatusCode::REQUEST_TIMEOUT, "That took too long.\n").into_response(),
        }
    };
    router.layer(DefaultBodyLimit::max(MAX_BODY)).layer(from_fn(in_time))
}

async fn accept(
    listener: tokio::net::TcpListener,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(MAX_HEAD);
    loop {
        let permit = connections.clone().acquire_owned();
        let accepted = async { (permit.await, listener.accept().await) };
        let (permit, accepted) = tokio::select! {
            accepted = accepted => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // How a client breaks off is its own affair.
            let _ = tokio::time::timeout(CONNECTION_TIME, connection).await;
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
