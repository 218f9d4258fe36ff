//! What the tests of tasks ask: `/MODE/NAME` calls `/leaf/NAME.0` and `/leaf/NAME.1` at CALLS, in the
//! way that the mode says, and answers when both have been answered.

use std::env::var;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Router, body::Body, http::Request, routing::get};
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

#[derive(Clone)]
struct Calls {
    client: Client<HttpConnector, Body>,
    to: String,
}

impl Calls {
    async fn make(self, name: String, number: u64) {
        tokio::time::sleep(Duration::from_millis(1 + number)).await;
        let url = format!("http://{}/leaf/{name}.{number}", self.to);
        let asked = Request::get(url).body(Body::empty()).expect("a request");
        let answer = self.client.request(asked).await.expect("an answer");
        answer.into_body().collect().await.expect("a body");
    }
}

async fn handle(Path((mode, name)): Path<(String, String)>, State(calls): State<Calls>) {
    let mut both = (0..2).map(|number| calls.clone().make(name.clone(), number));
    match mode.as_str() {
        "sequential" => {
            for call in both {
                call.await;
            }
        }
        "parallel" => drop(join_all(both).await),
        "nested" => {
            let inner = |call| async { drop(tokio::spawn(call).await) };
            drop(join_all(both.map(|call| tokio::spawn(inner(call)))).await);
        }
        "set" => {
            let mut set = JoinSet::new();
            both.by_ref().for_each(|call| drop(set.spawn(call)));
            while set.join_next().await.is_some() {}
        }
        "unordered" => {
            let calls: Vec<BoxFuture<'static, ()>> = both.map(|call| Box::pin(call) as _).collect();
            let mut set: FuturesUnordered<_> = calls.into_iter().collect();
            while set.next().await.is_some() {}
        }
        _ => panic!("no such mode: {mode}"),
    }
}

async fn leaf() {
    tokio::time::sleep(Duration::from_millis(3)).await;
}

async fn serve() {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let calls = Calls { client, to: var("CALLS").expect("CALLS") };
    let app = Router::new()
        .route("/leaf/{name}", get(leaf))
        .route("/{mode}/{name}", get(handle))
        .with_state(calls);
    let port = var("PORT").expect("PORT");
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await;
    axum::serve(listener.expect("a free port"), app).await.expect("no end");
}

fn main() {
    let mut runtime = match var("FLAVOUR").as_deref() {
        Ok("current_thread") => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    runtime.enable_all().build().expect("a runtime").block_on(serve());
}
