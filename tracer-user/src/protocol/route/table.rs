//! The routes of one service.

use super::template::template;
use std::collections::HashSet;
use std::sync::Arc;

/// Routes that one service is given at most if nothing else is said.
const DEFAULT_LIMIT: usize = 200;
/// What stands for all the others.
const OTHER: &str = "/*";

/// The distinct routes seen of one service, up to a limit.
#[derive(Clone, Debug)]
pub struct Routes {
    seen: HashSet<Arc<str>>,
    limit: usize,
    other: Arc<str>,
    folded: u64,
}

impl Default for Routes {
    fn default() -> Self {
        Routes::new(DEFAULT_LIMIT)
    }
}

impl Routes {
    /// At most `limit` distinct routes, beside `/*`.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Routes { seen: HashSet::new(), limit, other: OTHER.into(), folded: 0 }
    }

    /// The route of a path (without query; one is ignored). Past the limit, those not yet seen are
    /// `/*`.
    pub fn route(&mut self, path: &str) -> Arc<str> {
        let route = template(path);
        if let Some(seen) = self.seen.get(route.as_str()) {
            return Arc::clone(seen);
        }
        if self.seen.len() >= self.limit {
            self.folded += 1;
            return Arc::clone(&self.other);
        }
        let route: Arc<str> = route.into();
        self.seen.insert(Arc::clone(&route));
        route
    }

    /// How many requests were given `/*`.
    #[must_use]
    pub fn folded(&self) -> u64 {
        self.folded
    }
}

#[cfg(test)]
mod tests {
    use super::Routes;

    #[test]
    fn routes_are_bounded_and_the_rest_is_counted() {
        let mut routes = Routes::new(2);
        assert_eq!(&*routes.route("/a/1"), "/a/{id}");
        assert_eq!(&*routes.route("/b"), "/b");
        assert_eq!(&*routes.route("/c"), "/*");
        assert_eq!(&*routes.route("/a/2?x"), "/a/{id}");
        assert_eq!(routes.folded(), 1);
    }
}
