//! Brings the paths that clients write (contract 0) into the one form that is routed. Paths outside
//! `/api/1/` are left alone.

/// Where this API begins, after the prefix.
pub const ROOT: &str = "/api/1/";

/// The path to route, for a path below [`ROOT`] or below the prefix and [`ROOT`]: without the
/// prefix, one `.json` at the end, and one trailing slash. None for any other path.
///
/// The prefix is empty, or begins with a slash and does not end with one.
pub fn routed<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let path = match path.strip_prefix(prefix) {
        Some(rest) if rest.starts_with(ROOT) => rest,
        _ if path.starts_with(ROOT) => path,
        _ => return None,
    };
    let path = path.strip_suffix(".json").unwrap_or(path);
    Some(path.strip_suffix('/').unwrap_or(path))
}
