//! The skeleton's file beside that of a motion, where a format keeps the two apart.

use super::Source;
use crate::error::{Error, Result};

/// What such a file may have, at most.
const LONGEST: usize = 1 << 24;

/// Reads, by its bytes and its name without the suffix, the file with `suffix` (three letters) beside a
/// motion with the longest name that the motion's name begins with.
///
/// # Errors
/// [`Error::Format`] where there is none, and what `read` says, naming the file.
pub(super) fn skeleton_beside<T>(
    source: &Source<'_>,
    suffix: &str,
    read: impl FnOnce(&Source<'_>, String) -> Result<T>,
) -> Result<T> {
    let motion = source.stem().to_lowercase();
    let itself = source.path().and_then(|path| path.file_name());
    let files = source.beside(suffix);
    let stem = |name: &str| name[..name.len().saturating_sub(suffix.len() + 1)].to_lowercase();
    let fitting = files.iter().filter(|name| {
        motion.starts_with(&stem(name)) && itself.is_none_or(|itself| itself != name.as_str())
    });
    let Some(name) = fitting.max_by_key(|name| name.len()) else {
        let expected = format!(
            "a skeleton: pass character=, loaded from the skeleton's .{suffix} file, or put that file \
             beside the motion under a name that the motion's name begins with"
        );
        return Err(Error::format("the skeleton", expected, "none"));
    };
    let bytes = source.neighbour("the skeleton", name, LONGEST)?;
    read(&Source::from_bytes(&bytes), stem(name)).map_err(|error| match error.as_format() {
        Error::Format {
            location,
            expected,
            got,
            ..
        } => Error::format(format!("{name}, {location}"), expected, got),
        other => other,
    })
}
