//! Requests by the ids in their paths.

use std::collections::BTreeMap;

/// Who calls whom, in order: service to callees.
pub type Calls = BTreeMap<String, Vec<String>>;

/// The request's id in a path or URL: `t17.0` of `/b/t17.0`. Those of requests that only open
/// pools begin with another letter and are nobody's business.
pub fn hop(path: &str) -> Option<&str> {
    let path = path.split(['?', '#']).next()?;
    let id = path.rsplit_once('/')?.1;
    let numbers = id.strip_prefix('t')?;
    let number = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
    numbers.split('.').all(number).then_some(id)
}

/// The user request that an id belongs to: `t17` of `t17.0.1`.
pub(super) fn root(id: &str) -> &str {
    id.split_once('.').map_or(id, |(root, _)| root)
}

/// Who makes a request: `t17.0` of `t17.0.1`; `None` for a user's.
pub(super) fn caller(id: &str) -> Option<&str> {
    id.rsplit_once('.').map(|(caller, _)| caller)
}

/// Every request that comes of the user request `root`, itself included, each with its service.
/// The first service is the one that nobody calls.
pub fn requests<'a>(calls: &'a Calls, root: &str) -> Vec<(String, &'a str)> {
    let called = |name: &String| calls.values().any(|callees| callees.contains(name));
    let mut found = vec![];
    let first = calls.keys().find(|name| !called(name));
    let mut open: Vec<_> = first.map(|name| (root.to_owned(), &**name)).into_iter().collect();
    while let Some((id, service)) = open.pop() {
        let callees = calls.get(service).into_iter().flatten().enumerate();
        open.extend(callees.map(|(index, callee)| (format!("{id}.{index}"), &**callee)));
        found.push((id, service));
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_at_the_end_of_paths() {
        assert_eq!(hop("/b/t17.0"), Some("t17.0"));
        assert_eq!(hop("http://127.0.0.1:80/a/t1?x=/t2"), Some("t1"));
        for path in ["/a/w17", "/a/t", "/a/t1.", "/a/t1/x", "t1", ""] {
            assert_eq!(hop(path), None, "{path}");
        }
        assert_eq!((root("t1.2.3"), caller("t1.2.3"), caller("t1")), ("t1", Some("t1.2"), None));
    }

    #[test]
    fn a_user_request_becomes_a_tree() {
        let callees = |them: &[&str]| them.iter().map(|name| (*name).to_owned()).collect();
        let calls = Calls::from([
            ("z".to_owned(), callees(&["b", "c"])),
            ("b".to_owned(), callees(&["c"])),
            ("c".to_owned(), vec![]),
        ]);
        let ids: Vec<_> = requests(&calls, "t1");
        let ids: Vec<_> = ids.iter().map(|(id, service)| (&**id, *service)).collect();
        assert_eq!(ids, [("t1", "z"), ("t1.0", "b"), ("t1.0.0", "c"), ("t1.1", "c")]);
        let circle = Calls::from([("a".to_owned(), callees(&["a"]))]);
        assert!(requests(&circle, "t1").is_empty());
    }
}
