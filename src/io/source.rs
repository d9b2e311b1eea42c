//! A file as a reader sees it: its bytes, the files that it may refer to, and who wants to know how far
//! reading is.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use super::progress::Progress;
use crate::error::{Error, Result};

/// What stands for the name of a file that came as bytes.
const NAMELESS: &str = "<bytes>";

/// The bytes of one file and where it lies.
pub struct Source<'a> {
    bytes: Cow<'a, [u8]>,
    path: Option<PathBuf>,
    /// The folder whose files it may refer to; `None` where it came as bytes.
    root: Option<PathBuf>,
    /// Whether that folder was named, so that a reference may lead upwards inside it.
    is_rooted: bool,
    /// Told how far reading is.
    pub progress: Progress<'a>,
}

impl<'a> Source<'a> {
    /// Bytes that lie nowhere; they cannot refer to other files.
    #[must_use]
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self {
            bytes: Cow::Borrowed(bytes),
            path: None,
            root: None,
            is_rooted: false,
            progress: Progress::default(),
        }
    }

    /// A file on disk; it may refer to files in its folder and below.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|problem| io_error(path, &problem))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(Self {
            bytes: Cow::Owned(bytes),
            root: Some(folder.to_owned()),
            path: Some(path.to_owned()),
            is_rooted: false,
            progress: Progress::default(),
        })
    }

    /// The same, and it may refer to files in another folder and below.
    #[must_use]
    pub fn with_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self.is_rooted = true;
        self
    }

    /// The same, telling how far reading is.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress<'a>) -> Self {
        self.progress = progress;
        self
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file's bytes as text; a byte order mark is passed over, and what is not UTF-8 is read as
    /// Latin-1, which the writers of old formats used.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        let bytes = self
            .bytes
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&self.bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()),
        }
    }

    /// The file's path, or `<bytes>`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None => NAMELESS.into(),
        }
    }

    /// The name of the file without its suffix; empty for bytes.
    #[must_use]
    pub fn stem(&self) -> String {
        let stem = self.path.as_deref().and_then(Path::file_stem);
        stem.map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// The suffix in lower case and without its point; empty for bytes.
    #[must_use]
    pub fn suffix(&self) -> String {
        let suffix = self.path.as_deref().and_then(Path::extension);
        suffix
            .map(|suffix| suffix.to_string_lossy().to_lowercase())
            .unwrap_or_default()
    }

    /// The path, where it came from one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The names of the files beside this one that have a suffix, lower case; none for bytes.
    #[must_use]
    pub fn beside(&self, suffix: &str) -> Vec<String> {
        let folder = match self.path.as_deref().and_then(Path::parent) {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) => Path::new("."),
            None => return Vec::new(),
        };
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names
            .filter(|name| {
                let own = Path::new(name).extension();
                own.is_some_and(|own| own.eq_ignore_ascii_case(suffix))
            })
            .collect();
        names.sort();
        names
    }

    /// The bytes of a file that this one refers to, at most `limit` of them; `location` says where the
    /// reference stands. The reference is a relative path with `/`, without percent signs left in it.
    ///
    /// # Errors
    /// [`Error::Format`] for a path that leaves the folder, a file that is not there, and any reference
    /// from bytes.
    pub fn neighbour(
        &self,
        location: impl std::fmt::Display,
        reference: &str,
        limit: usize,
    ) -> Result<Vec<u8>> {
        use std::io::Read;
        const INSIDE: &str = "a relative path to a file in the same folder or below it";
        let shown = || format!("{:?}", shortened(reference));
        let relative = relative_path(reference, self.is_rooted)
            .ok_or_else(|| Error::format(&location, INSIDE, shown()))?;
        let Some(root) = &self.root else {
            return Err(Error::format(
                &location,
                "everything inside the file, since it was given as bytes and not as a path on disk",
                shown(),
            ));
        };
        let missing = |problem: std::io::Error| {
            Error::format(
                &location,
                "a file that can be read",
                format!("{}: {problem}", shown()),
            )
        };
        let root = if root.as_os_str().is_empty() {
            Path::new(".")
        } else {
            root
        };
        let base = match self.path.as_deref().and_then(Path::parent) {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let root = root.canonicalize().map_err(missing)?;
        // Links could lead outside as well.
        let beside = base.join(&relative).canonicalize();
        let path = match beside {
            Ok(path) => path,
            Err(problem) => root
                .join(&relative)
                .canonicalize()
                .map_err(|_| missing(problem))?,
        };
        if !path.starts_with(&root) || !path.is_file() {
            return Err(Error::format(&location, INSIDE, shown()));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(limit as u64).read_to_end(&mut bytes))
            .map_err(missing)?;
        Ok(bytes)
    }
}

/// What the operating system said about a path.
pub(crate) fn io_error(path: &Path, problem: &std::io::Error) -> Error {
    Error::Io {
        file: path.display().to_string(),
        problem: problem.to_string(),
        not_found: problem.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Text short enough for a message.
pub(super) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// A path that cannot leave its folder, or, where it `may_climb`, whoever resolves it has to see whether it
/// does.
fn relative_path(text: &str, may_climb: bool) -> Option<PathBuf> {
    // A scheme: a letter, then letters, digits, '+', '-', '.', then ':'.
    let scheme = text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if scheme || text.is_empty() || text.contains(['\0', '\\']) {
        return None;
    }
    let mut path = PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir if may_climb => path.push(".."),
            Component::ParentDir if path.pop() => {}
            _ => return None,
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_their_folder() {
        for inside in ["a.bin", "sub/a.bin", "./a.bin", "sub/../a.bin", "a b.bin"] {
            assert!(relative_path(inside, false).is_some(), "{inside}");
        }
        for outside in [
            "",
            "../a.bin",
            "/etc/passwd",
            "a/../../b",
            "file:///etc/passwd",
            "http://x/y",
            "C:\\a",
            "a\\b",
            "a\0b",
        ] {
            assert!(relative_path(outside, false).is_none(), "{outside}");
        }
    }

    #[test]
    fn bytes_refer_to_nothing() {
        let error = Source::from_bytes(b"")
            .neighbour("uri", "a.bin", 10)
            .unwrap_err();
        assert!(error.to_string().contains("given as bytes"), "{error}");
    }

    #[test]
    fn old_text_is_latin_1() {
        assert_eq!(Source::from_bytes(b"\xef\xbb\xbfa").text(), "a");
        assert_eq!(Source::from_bytes(b"\xfcber").text(), "\u{fc}ber");
    }
}
