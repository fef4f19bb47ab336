//! Whether a caller may ask a filter, decided by its structure, so that other spellings do not
//! help.

use super::{Filter, Invalid, Path};

/// Fields that are stored, or stand for stored ones, and cannot be queried.
const HIDDEN: [&str; 4] = ["tenant", "password", "failedLoginAttempts", "lastFailedLogin"];

/// Whether a caller may query or sort by this path of a profile.
///
/// # Errors
/// [`Invalid::Hidden`].
pub fn check_path(
    path: &Path,
    readable: &dyn Fn(&str) -> bool,
    any_unreadable: bool,
) -> Result<(), Invalid> {
    let segments = path.segments();
    let hidden = match segments[0].as_str() {
        "attributes" => match segments.get(1) {
            Some(name) => !readable(name),
            None => any_unreadable,
        },
        name => HIDDEN.contains(&name),
    };
    if hidden { Err(Invalid::Hidden(segments.join("."))) } else { Ok(()) }
}

/// See [`Filter::check`]. The path outside `$elemMatch` is checked, which covers what is inside.
pub fn check(
    filter: &Filter,
    readable: &dyn Fn(&str) -> bool,
    any_unreadable: bool,
) -> Result<(), Invalid> {
    match filter {
        Filter::And(parts) | Filter::Or(parts) | Filter::Nor(parts) => {
            parts.iter().try_for_each(|part| check(part, readable, any_unreadable))
        }
        Filter::Field(path, _) => check_path(path, readable, any_unreadable),
    }
}
