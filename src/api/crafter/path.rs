//! Paths as this face's clients write them (contract 0), brought to the one form that is routed.
//! Never touches a path outside `/api/1/`.

/// Where this face begins, after the prefix.
pub const ROOT: &str = "/api/1/";

/// The path to route, of one below [`ROOT`] or below the prefix and [`ROOT`]: without the prefix,
/// one `.json` at the end, and one trailing slash. Nothing for any other path.
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
