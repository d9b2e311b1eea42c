//! Where a file's bytes go: a path or a file object.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A path, whose suffix may tell the format.
pub(super) fn path_of(object: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
    if object.is_instance_of::<PyString>() || object.hasattr("__fspath__")? {
        return Ok(Some(object.extract()?));
    }
    Ok(None)
}

/// Writes the pieces of a file to a path or a binary file object. A file that is there stays as it was until the new one
/// is complete.
pub(super) fn write(object: &Bound<'_, PyAny>, parts: &[Vec<u8>]) -> PyResult<()> {
    let py = object.py();
    if let Some(path) = path_of(object)? {
        return Ok(py.detach(|| replace(&path, parts))?);
    }
    if object.hasattr("write")? {
        for part in parts {
            object.call_method1("write", (PyBytes::new(py, part),))?;
        }
        return Ok(());
    }
    let kind = object.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "expected a path or a binary file object, got {kind}"
    )))
}

/// Puts a new file in the place of an old one, or none.
fn replace(path: &Path, parts: &[Vec<u8>]) -> Result<()> {
    let failed = |problem: std::io::Error| Error::Io {
        file: path.display().to_string(),
        problem: problem.to_string(),
        not_found: problem.kind() == std::io::ErrorKind::NotFound,
    };
    // Something else than a plain file (a pipe, a device) is written to as it is, a link where it leads.
    let path = match path.canonicalize() {
        Ok(real) if real.is_file() => real,
        Ok(_) => {
            let file = std::fs::File::create(path);
            return file
                .and_then(|mut file| write_all(&mut file, parts))
                .map_err(failed);
        }
        Err(_) => path.to_owned(),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unique = std::process::id();
    let beside = path.with_file_name(format!(".{name}.{unique}.part"));
    let written = std::fs::File::create_new(&beside)
        .and_then(|mut file| write_all(&mut file, parts))
        .and_then(|()| match std::fs::metadata(&path) {
            Ok(old) => std::fs::set_permissions(&beside, old.permissions()),
            Err(_) => Ok(()),
        })
        .and_then(|()| std::fs::rename(&beside, &path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written.map_err(failed)
}

fn write_all(file: &mut std::fs::File, parts: &[Vec<u8>]) -> std::io::Result<()> {
    parts.iter().try_for_each(|part| file.write_all(part))
}
