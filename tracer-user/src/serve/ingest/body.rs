//! The body of a POST, unpacked, and no larger than it may be.

use std::io::Read as _;

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use flate2::read::MultiGzDecoder;
use tokio::sync::SemaphorePermit;

use super::PLACES;

/// Bytes as they come.
const MAX: usize = 8 << 20;
/// Bytes when unpacked.
pub(super) const MAX_UNPACKED: usize = 16 << 20;

/// What the body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Protocol Buffers.
    Protobuf,
    /// JSON.
    Json,
}

/// A body that has been read whole; while it is there, it takes a place.
pub(super) struct Body {
    pub(super) form: Form,
    bytes: Bytes,
    packed: bool,
    _place: SemaphorePermit<'static>,
}

/// Why a body is not taken.
#[derive(Debug)]
pub(super) struct Refusal(StatusCode, String);

impl Refusal {
    pub(super) fn bad(why: impl std::fmt::Display) -> Self {
        Self(StatusCode::BAD_REQUEST, why.to_string())
    }

    fn large() -> Self {
        let most = format!("at most {MAX} bytes, and {MAX_UNPACKED} when unpacked, are taken");
        Self(StatusCode::PAYLOAD_TOO_LARGE, most)
    }

    pub(super) fn response(self) -> Response {
        (self.0, format!("{}\n", self.1)).into_response()
    }
}

impl Body {
    /// Reads it when there is a place.
    pub(super) async fn read(request: Request) -> Result<Self, Refusal> {
        let headers = request.headers();
        let form = form(headers)?;
        let packed = match text(headers, CONTENT_ENCODING) {
            "" | "identity" => false,
            "gzip" => true,
            other => {
                let why = format!("content-encoding {other} is not taken; gzip is");
                return Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
            }
        };
        let closed = |_| Refusal(StatusCode::SERVICE_UNAVAILABLE, "the tracer stops".into());
        let place = PLACES.acquire().await.map_err(closed)?;
        let bytes = to_bytes(request.into_body(), MAX).await.map_err(|_| Refusal::large())?;
        Ok(Self { form, bytes, packed, _place: place })
    }

    /// Its content; takes a while if it is packed.
    pub(super) fn unpack(&self) -> Result<Bytes, Refusal> {
        if !self.packed {
            return Ok(self.bytes.clone());
        }
        let mut unpacked = vec![];
        let mut reader = MultiGzDecoder::new(&self.bytes[..]).take(MAX_UNPACKED as u64 + 1);
        reader.read_to_end(&mut unpacked).map_err(Refusal::bad)?;
        if unpacked.len() > MAX_UNPACKED {
            return Err(Refusal::large());
        }
        Ok(unpacked.into())
    }
}

fn form(headers: &HeaderMap) -> Result<Form, Refusal> {
    let media = text(headers, CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    match media {
        "application/x-protobuf" => Ok(Form::Protobuf),
        "application/json" => Ok(Form::Json),
        other => {
            let why = format!(
                "content-type {other} is not taken; application/json and application/x-protobuf are"
            );
            Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, why))
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
