//! The page's files: built from `ui/` beside `src/`, and embedded.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

/// Path, media type, content.
const FILES: [(&str, &str, &[u8]); 4] = [
    ("/", "text/html; charset=utf-8", include_bytes!("../../ui/dist/index.html")),
    ("/app.js", "text/javascript; charset=utf-8", include_bytes!("../../ui/dist/app.js")),
    ("/app.css", "text/css; charset=utf-8", include_bytes!("../../ui/dist/app.css")),
    ("/icon.svg", "image/svg+xml", include_bytes!("../../ui/dist/icon.svg")),
];

/// The page.
pub(super) fn router() -> Router {
    FILES.iter().fold(Router::new(), |router, &(path, kind, content)| {
        router.route(path, get(move || async move { file(kind, content) }))
    })
}

/// Asked for each time: the next tracer on this address may have another one.
fn file(kind: &'static str, content: &'static [u8]) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], content)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::FILES;

    #[test]
    fn it_loads_with_little() {
        let bytes: usize = FILES.iter().map(|(.., content)| content.len()).sum();
        assert!(bytes < 300 << 10, "{bytes}");
    }

    /// ui/build.mjs writes the checksum of what it has built from into the built file.
    #[test]
    fn it_is_built_from_the_sources_that_are_here() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
        let mut names: Vec<_> = fs::read_dir(directory.join("src"))
            .unwrap()
            .map(|entry| format!("src/{}", entry.unwrap().file_name().to_str().unwrap()))
            .collect();
        names.extend(["build.mjs", "package-lock.json"].map(str::to_owned));
        names.sort();
        let mut checksum = crc32fast::Hasher::new();
        for name in names {
            checksum.update(name.as_bytes());
            checksum.update(&fs::read(directory.join(&name)).unwrap());
        }
        let built = String::from_utf8_lossy(FILES[1].2);
        let expected = format!("/* sources {:08x} */", checksum.finalize());
        assert!(
            built.starts_with(&expected),
            "ui/dist is not built from ui/src: run `npm ci && npm run build` in tracer-user/ui"
        );
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for (path, _, content) in FILES {
            let text = String::from_utf8_lossy(content);
            for scheme in ["src=\"http", "href=\"http", "url(http", "@import", "eval("] {
                assert!(!text.contains(scheme), "{path}: {scheme}");
            }
        }
    }
}
