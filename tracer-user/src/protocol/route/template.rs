//! A path with its identifiers folded.

use super::segment::fold;

/// Segments that are told apart; what is deeper becomes `*`.
const MAX_SEGMENTS: usize = 12;
/// Bytes of a segment that is kept as it is; a longer one is data.
pub(super) const MAX_SEGMENT: usize = 64;

/// The route of a path: `/users/123` is `/users/{id}`. Query and fragment are left out, empty
/// segments too; an asterisk form (`OPTIONS *`) stays, and an authority (CONNECT) has no route.
#[must_use]
pub fn template(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if path == "*" {
        return path.to_owned();
    }
    if !path.starts_with('/') {
        return String::new();
    }
    let mut route = String::with_capacity(path.len().min(256));
    for (number, segment) in path.split('/').filter(|segment| !segment.is_empty()).enumerate() {
        route.push('/');
        if number >= MAX_SEGMENTS {
            route.push('*');
            return route;
        }
        route.push_str(&fold(segment));
    }
    if route.is_empty() || path.ends_with('/') {
        route.push('/');
    }
    route
}

#[cfg(test)]
mod tests {
    use super::template;

    #[test]
    fn paths() {
        for (path, want) in [
            ("/", "/"),
            ("//", "/"),
            ("/users/123", "/users/{id}"),
            ("/users/123/", "/users/{id}/"),
            ("/users/123/orders/9?x=1#y", "/users/{id}/orders/{id}"),
            ("/a//b", "/a/b"),
            ("*", "*"),
            ("host:443", ""),
            ("", ""),
            (
                "/1/2/3/4/5/6/7/8/9/a/b/c/d/e",
                "/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/a/b/c/*",
            ),
        ] {
            assert_eq!(template(path), want, "{path}");
        }
    }
}
