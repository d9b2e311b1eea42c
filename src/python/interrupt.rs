//! Real work without the interpreter: released, interruptible, and with panics turned into errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;

use crate::backend::Control;
use crate::error::{Error, Result};
use crate::interop::exceptions;

/// From how many numbers read and written on the interpreter is released: below, work takes less than
/// about 20 us, and releasing and taking it back would cost a part of that.
const WORTH_RELEASING: usize = 8192;

/// Runs `work`, which reads and writes `numbers` numbers. The interpreter is released where that is
/// worth it, and Ctrl-C is then noticed through [`Control`].
#[inline]
pub(crate) fn run<R: Send>(
    py: Python<'_>,
    numbers: usize,
    work: impl FnOnce(&Control<'_>) -> Result<R> + Send,
) -> PyResult<R> {
    if numbers < WORTH_RELEASING {
        let control = Control::default();
        return match catch_unwind(AssertUnwindSafe(|| work(&control))) {
            Ok(result) => Ok(result?),
            Err(panic) => Err(exceptions::internal(py, &text(&*panic))),
        };
    }
    released(py, work)
}

fn released<R: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Control<'_>) -> Result<R> + Send,
) -> PyResult<R> {
    guarded(py, || {
        let raised = std::cell::RefCell::new(None);
        let interrupted = || {
            let answer = Python::try_attach(|py| match py.check_signals() {
                Ok(()) => false,
                Err(error) => {
                    *raised.borrow_mut() = Some(error);
                    true
                }
            });
            // Without an interpreter nobody waits for the result of a daemon thread.
            answer.unwrap_or(true)
        };
        let result = work(&Control::interruptible(&interrupted));
        (result, raised.into_inner())
    })
}

/// Runs `work` with the interpreter released. It gives its result, and what Python raised where it stopped
/// for that.
pub(crate) fn guarded<R: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> (Result<R>, Option<PyErr>) + Send,
) -> PyResult<R> {
    match py.detach(|| catch_unwind(AssertUnwindSafe(work))) {
        Ok((Err(Error::Interrupted), Some(raised))) => Err(raised),
        Ok((result, _)) => Ok(result?),
        Err(panic) => Err(exceptions::internal(py, &text(&*panic))),
    }
}

#[cold]
fn text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}
