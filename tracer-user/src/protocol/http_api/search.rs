//! What is asked of Elasticsearch and OpenSearch.

use super::decoded;
use super::endpoints::{self, ENDPOINTS};

/// The port on which both listen.
pub const PORT: u16 = 9200;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The endpoint's id in Elasticsearch's specification: `search`, `indices.create`.
    pub operation: &'static str,
    /// The index, where it is one: no list, no pattern.
    pub index: Option<String>,
    /// Its path is one that no other API has by chance: an operation has its name in it.
    pub own: bool,
}

/// The endpoint of this method and path; `None` if it is none that is known.
#[must_use]
pub fn endpoint(method: &str, path: &str) -> Option<Endpoint> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let matching = |row: &&endpoints::Row| {
        row.methods.split(' ').any(|known| known == method) && matches(row.path, path)
    };
    let row = ENDPOINTS.iter().find(matching)?;
    Some(Endpoint {
        operation: row.id,
        index: index(row.path, path),
        own: row.path.starts_with('_') || row.path.contains("/_"),
    })
}

fn matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let all = pattern.split('/').all(|wanted| {
        let Some(segment) = segments.next() else { return false };
        match wanted {
            "{index}" => !segment.is_empty() && (!segment.starts_with('_') || segment == "_all"),
            wanted if wanted.starts_with('{') => !segment.is_empty(),
            wanted => wanted == segment,
        }
    });
    all && segments.next().is_none()
}

fn index(pattern: &str, path: &str) -> Option<String> {
    let at = pattern.split('/').position(|part| part == "{index}")?;
    let index = decoded(path.split('/').nth(at)?);
    // Lists, patterns, exclusions and names by date (`<logs-{now/d}>`).
    let single =
        index != "_all" && !index.contains([',', '*', '<', '?']) && !index.starts_with('-');
    single.then_some(index)
}
