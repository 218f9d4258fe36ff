//! Names of bounded number for what is asked for: paths with their identifiers folded.

mod segment;
mod table;
mod template;

pub use table::Routes;
pub use template::template;

use crate::protocol::http1::Method;

/// A span's name by OpenTelemetry's HTTP conventions: `METHOD /route`, the method alone where there
/// is no route (CONNECT), and `HTTP` for a method that the conventions do not know.
#[must_use]
pub fn span_name(method: &Method, route: &str) -> String {
    let method = if method.is_known() { method.as_str() } else { "HTTP" };
    if route.is_empty() { method.to_owned() } else { format!("{method} {route}") }
}

#[cfg(test)]
mod tests {
    use super::span_name;
    use crate::protocol::http1::Method;

    #[test]
    fn names() {
        assert_eq!(span_name(&Method::new("GET"), "/users/{id}"), "GET /users/{id}");
        assert_eq!(span_name(&Method::new("FOO"), "/"), "HTTP /");
        assert_eq!(span_name(&Method::new("CONNECT"), ""), "CONNECT");
    }
}
