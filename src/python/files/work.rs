//! Reading and writing with the interpreter released: interruptible, and telling how far it is where it
//! takes long.

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use std::cell::{Cell, RefCell};
use std::ffi::CString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::source::{Given, Plain};
use super::target;
use crate::error::{Error, Result};
use crate::io::{Loaded, Progress, Saved, Source};
use crate::python::interrupt;

/// How often the interpreter is asked.
const PERIOD: Duration = Duration::from_millis(50);

/// Calls `work` with a progress that lets Ctrl-C through and shows a bar after a second.
fn with_progress<T: Send>(
    py: Python<'_>,
    title: &str,
    work: impl FnOnce(Progress<'_>) -> Result<T> + Send,
) -> PyResult<T> {
    interrupt::guarded(py, || {
        let started = Instant::now();
        let asked = Cell::new(started);
        let raised: RefCell<Option<PyErr>> = RefCell::new(None);
        let bar: RefCell<Option<Py<PyAny>>> = RefCell::new(None);
        let tell = |fraction: f64| {
            let now = Instant::now();
            if now - asked.get() < PERIOD {
                return true;
            }
            asked.set(now);
            // Without an interpreter nobody waits for the result of a daemon thread.
            Python::try_attach(|py| {
                let told = py
                    .check_signals()
                    .and_then(|()| show(py, &bar, title, fraction, now - started));
                told.map_err(|error| *raised.borrow_mut() = Some(error))
                    .is_ok()
            })
            .unwrap_or(false)
        };
        let result = work(Progress::new(&tell));
        if let Some(bar) = bar.into_inner() {
            Python::try_attach(|py| bar.call_method0(py, "close").map(drop));
        }
        (result, raised.into_inner())
    })
}

fn show(
    py: Python<'_>,
    bar: &RefCell<Option<Py<PyAny>>>,
    title: &str,
    fraction: f64,
    elapsed: Duration,
) -> PyResult<()> {
    if elapsed < Duration::from_secs(1) {
        return Ok(());
    }
    if bar.borrow().is_none() {
        let made = py
            .import("kinarray._progress")?
            .getattr("Bar")?
            .call1((title,))?;
        *bar.borrow_mut() = Some(made.unbind());
    }
    if let Some(bar) = bar.borrow().as_ref() {
        bar.call_method1(py, "update", (fraction,))?;
    }
    Ok(())
}

/// What is left out becomes warnings, each once.
pub(super) fn warn(py: Python<'_>, name: &str, warnings: &[String]) -> PyResult<()> {
    let mut seen = std::collections::HashSet::new();
    for warning in warnings.iter().filter(|warning| seen.insert(*warning)) {
        let text = CString::new(format!("{name}: {warning}").replace('\0', " "))?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)?;
    }
    Ok(())
}

/// Reads a file with the interpreter released; what was left out becomes warnings.
pub(super) fn read<T: Send>(
    object: &Bound<'_, PyAny>,
    root: Option<PathBuf>,
    work: impl FnOnce(&Source<'_>) -> Result<Loaded<T>> + Send,
) -> PyResult<T> {
    let py = object.py();
    let given = Given::new(object)?;
    let plain = given.plain();
    let name = match &plain {
        Plain::Path(path) => path.display().to_string(),
        Plain::Bytes(_) => "<bytes>".into(),
    };
    let loaded = with_progress(py, &format!("reading {name}"), |progress| {
        Given::with(&plain, root.as_ref(), |source| {
            work(&source.with_progress(progress)).map_err(|error: Error| error.in_file(&name))
        })
    })?;
    warn(py, &name, &loaded.warnings)?;
    Ok(loaded.value)
}

/// Makes a file with the interpreter released and writes it; what was left out becomes warnings.
pub(super) fn save(
    object: &Bound<'_, PyAny>,
    work: impl FnOnce(Progress<'_>) -> Result<Saved> + Send,
) -> PyResult<()> {
    let py = object.py();
    let name = match target::path_of(object)? {
        Some(path) => path.display().to_string(),
        None => "<file>".into(),
    };
    let saved = with_progress(py, &format!("writing {name}"), work)?;
    target::write(object, &saved.parts)?;
    warn(py, &name, &saved.warnings)
}
