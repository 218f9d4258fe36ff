//! The guard before a router with one route.

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tower::ServiceExt as _;

use super::*;

fn guarded(token: Option<&Token>) -> Router {
    let (own_name, hint) = ("host-1".to_owned(), "look into the file\n".to_owned());
    let guard = Arc::new(Guard { token: token.cloned(), own_name, hint });
    let text = || async { "secret" };
    let router = Router::new().route("/", get(text)).route("/healthz", get(text));
    router.layer(from_fn_with_state(guard, check))
}

async fn ask(router: &Router, uri: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = axum::http::Request::get(uri);
    if headers.iter().all(|(name, _)| *name != "host") {
        request = request.header("host", "127.0.0.1:7411");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn status(router: &Router, uri: &str, headers: &[(&str, &str)]) -> u16 {
    ask(router, uri, headers).await.status().as_u16()
}

#[tokio::test]
async fn a_token_is_asked_for() {
    let token = Token::random().unwrap();
    let router = guarded(Some(&token));
    let right = token.to_string();
    let wrong = Token::random().unwrap().to_string();
    assert_eq!(status(&router, "/", &[]).await, 401);
    assert_eq!(status(&router, "/nowhere", &[]).await, 401, "nor is told what there is");
    assert_eq!(status(&router, "/healthz", &[("host", "pod.example")]).await, 200);
    for (given, expected) in [(&right, 200), (&wrong, 401), (&String::new(), 401)] {
        let bearer = format!("bearer {given}");
        assert_eq!(status(&router, "/", &[("authorization", &bearer)]).await, expected);
        let cookie = format!("a=b; tracer_token={given}");
        assert_eq!(status(&router, "/", &[("cookie", &cookie)]).await, expected);
        assert_eq!(status(&router, &format!("/?x=1&token={given}"), &[]).await, expected);
    }
    assert_eq!(status(&router, "/", &[("cookie", &format!("tracer_token2={right}"))]).await, 401);
}

#[tokio::test]
async fn the_url_s_token_becomes_a_cookie() {
    let token = Token::random().unwrap();
    let router = guarded(Some(&token));
    let answer = ask(&router, &format!("/?token={token}"), &[]).await;
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert_eq!(cookie, format!("tracer_token={token}; Path=/; HttpOnly; SameSite=Strict"));
    let wrong = ask(&router, "/?token=0123", &[]).await;
    assert!(!wrong.headers().contains_key(SET_COOKIE));
    let bearer = format!("Bearer {token}");
    let script = ask(&router, "/", &[("authorization", &bearer)]).await;
    assert!(!script.headers().contains_key(SET_COOKIE));
}

#[tokio::test]
async fn foreign_names_and_pages_are_refused_even_without_a_token() {
    let router = guarded(None);
    assert_eq!(status(&router, "/", &[]).await, 200);
    assert_eq!(status(&router, "/", &[("host", "evil.example")]).await, 421);
    assert_eq!(status(&router, "/", &[("origin", "http://evil.example")]).await, 403);
    assert_eq!(status(&router, "/", &[("origin", "http://127.0.0.1:7411")]).await, 200);
}

#[tokio::test]
async fn a_script_with_a_token_may_call_the_host_as_it_likes() {
    let token = Token::random().unwrap();
    let router = guarded(Some(&token));
    let (host, bearer) = (("host", "tracer.cluster.example"), format!("Bearer {token}"));
    assert_eq!(status(&router, "/", &[host, ("authorization", &bearer)]).await, 200);
    let cookie = format!("tracer_token={token}");
    assert_eq!(status(&router, "/", &[host, ("cookie", &cookie)]).await, 421);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_browsers_careful() {
    let router = guarded(Some(&Token::random().unwrap()));
    for uri in ["/healthz", "/"] {
        let answer = ask(&router, uri, &[]).await;
        for (name, value) in HEADERS {
            assert_eq!(answer.headers()[&name], value, "{uri} {name}");
        }
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        assert!(!POLICY.contains("unsafe") && POLICY.starts_with("default-src 'none'"));
    }
}
