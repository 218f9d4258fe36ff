//! Who may come in, and the headers that every answer has.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, REFERRER_POLICY, SET_COOKIE,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::hosts;
use super::token::Token;

/// The cookie that keeps the token after the first look.
const NAME: &str = "tracer_token";
/// Answers nothing but whether the tracer runs, so asked without a token.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];
/// Nothing but what this server itself has, in no one's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Whom it lets in.
pub(super) struct Guard {
    /// Whoever shows it; `None` for everybody.
    pub(super) token: Option<Token>,
    /// `uname -n`: a name that a request may use for this host.
    pub(super) own_name: String,
    /// What to tell somebody without a token.
    pub(super) hint: String,
}

/// How a token came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Query,
    Cookie,
    Bearer,
}

impl Guard {
    fn shown(&self, headers: &HeaderMap, uri: &Uri) -> Option<Shown> {
        let token = self.token.as_ref()?;
        let is = |text: Option<&str>| text.is_some_and(|text| token.is(text));
        if is(bearer(headers)) {
            Some(Shown::Bearer)
        } else if is(query(uri)) {
            Some(Shown::Query)
        } else {
            cookies(headers).any(|text| token.is(text)).then_some(Shown::Cookie)
        }
    }

    /// What the request is answered with instead of what it asks for.
    fn refusal(&self, headers: &HeaderMap, uri: &Uri) -> Option<Response> {
        let shown = self.shown(headers, uri);
        // No page can make a browser send this, so whose name is used for us does not matter.
        let by_script = shown == Some(Shown::Bearer);
        if !by_script && !hosts::names_us(headers, &self.own_name) {
            let text = "This server does not go by that name; use its address, localhost, or the \
                name of the host.\n";
            return Some((StatusCode::MISDIRECTED_REQUEST, text).into_response());
        }
        if !by_script && hosts::is_foreign(headers) {
            let text = "Pages of other sites have no access.\n";
            return Some((StatusCode::FORBIDDEN, text).into_response());
        }
        if self.token.is_some() && shown.is_none() {
            let challenge = [(WWW_AUTHENTICATE, "Bearer")];
            return Some((StatusCode::UNAUTHORIZED, challenge, self.hint.clone()).into_response());
        }
        None
    }

    /// Has the browser keep what its URL has shown once.
    fn cookie(&self, headers: &HeaderMap, uri: &Uri) -> Option<HeaderValue> {
        let token = self.token.as_ref()?;
        let first = self.shown(headers, uri) == Some(Shown::Query);
        let cookie = format!("{NAME}={token}; Path=/; HttpOnly; SameSite=Strict");
        first.then_some(cookie)?.parse().ok()
    }
}

/// The guard as a layer around all routes.
pub(super) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let open = OPEN.contains(&request.uri().path());
    let refusal = if open { None } else { guard.refusal(request.headers(), request.uri()) };
    let cookie = guard.cookie(request.headers(), request.uri());
    let mut response = match refusal {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        headers.insert(SET_COOKIE, cookie);
    }
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn query(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="))
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == NAME).map(|(_, value)| value)
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
