//! Where a file's bytes come from: a path, bytes or a file object.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::io::Source;

/// What a caller gave.
pub(super) enum Given<'py> {
    Path(PathBuf),
    Bytes(Bound<'py, PyBytes>),
}

impl<'py> Given<'py> {
    /// A path, bytes (anything with the buffer protocol), or a binary file object, which is read to its
    /// end.
    pub fn new(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.clone()));
        }
        let py = object.py();
        if object.is_instance_of::<PyString>() || object.hasattr("__fspath__")? {
            return Ok(Self::Path(object.extract()?));
        }
        if object.hasattr("read")? {
            let read = object.call_method0("read")?;
            let bytes = read.cast_into::<PyBytes>().map_err(|_| {
                PyTypeError::new_err("the file object gives text; open it in binary mode ('rb')")
            })?;
            return Ok(Self::Bytes(bytes));
        }
        let view = py.import("builtins")?.getattr("memoryview")?;
        let view = view.call1((object,)).map_err(|_| {
            let kind = object.get_type().name();
            let kind = kind.map_or_else(|_| "?".into(), |name| name.to_string());
            PyTypeError::new_err(format!(
                "expected a path, bytes or a binary file object, got {kind}"
            ))
        })?;
        let bytes = py.get_type::<PyBytes>().call1((view,))?;
        Ok(Self::Bytes(bytes.cast_into()?))
    }

    /// Gives the file to `work`; to be called without the interpreter.
    pub fn with<T>(
        given: &Plain<'_>,
        root: Option<&PathBuf>,
        work: impl FnOnce(Source<'_>) -> Result<T>,
    ) -> Result<T> {
        let source = match given {
            Plain::Path(path) => Source::open(path)?,
            Plain::Bytes(bytes) => Source::from_bytes(bytes),
        };
        work(match root {
            Some(root) => source.with_root(root),
            None => source,
        })
    }

    /// The same without the interpreter's types.
    pub fn plain(&self) -> Plain<'_> {
        match self {
            Self::Path(path) => Plain::Path(path.clone()),
            Self::Bytes(bytes) => Plain::Bytes(bytes.as_bytes()),
        }
    }
}

/// What a caller gave, fit for work without the interpreter.
pub(super) enum Plain<'a> {
    Path(PathBuf),
    Bytes(&'a [u8]),
}

/// Reads a whole file, or bytes, with the interpreter released.
pub fn read_bytes<T: Send>(
    object: &Bound<'_, PyAny>,
    parse: impl FnOnce(&[u8]) -> Result<T> + Send,
) -> PyResult<T> {
    let given = Given::new(object)?;
    let plain = given.plain();
    let result = object.py().detach(|| {
        Given::with(&plain, None, |source| {
            parse(source.bytes()).map_err(|error: Error| error.in_file(&source.name()))
        })
    });
    Ok(result?)
}
