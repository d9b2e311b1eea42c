//! An array of one kind as one of another: over the same memory where the other kind can express that.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;

use crate::interop::any_array::{AnyArray, Kind};
use crate::interop::buffer::Buffer;
use crate::interop::foreign::Foreign;
use crate::interop::memory::ALIGNMENT;
use crate::interop::{copies, numpy, output};

/// `x` as an array of the kind of `like`. An array that is of this kind already is returned as it is.
///
/// `copy`: `None` copies where nothing else is possible, `Some(false)` raises `ValueError` then, and
/// `Some(true)` always copies. Copies are counted.
///
/// # Errors
/// As for [`AnyArray::read`], and what the library of `like` raises.
pub fn as_like<'py>(
    x: &Bound<'py, PyAny>,
    like: &Bound<'py, PyAny>,
    copy: Option<bool>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = x.py();
    let kind = Kind::of("like", like)?;
    let array = AnyArray::read("", "x", x)?;
    if is_like(&array, kind, like) && copy != Some(true) {
        return Ok(x.clone());
    }
    let obstacle = match copy {
        Some(true) => Some("a copy was asked for"),
        _ => obstacle(array.memory(), kind),
    };
    let Some(obstacle) = obstacle else {
        return output::present(py, kind, Some(like.as_borrowed()), Buffer::of_array(array)?);
    };
    if copy == Some(false) {
        return Err(PyValueError::new_err(format!(
            "x: this array cannot become one of {} without a copy: {obstacle}",
            kind.name()
        )));
    }
    let memory = array.memory();
    let (dtype, rank) = (memory.dtype(), memory.shape().len());
    let block = memory.to_block(output::header(kind, rank));
    if array.kind() != Kind::Numbers {
        copies::count(block.len());
    }
    output::hand_over(
        py,
        kind,
        Some(like.as_borrowed()),
        block,
        dtype,
        memory.shape(),
    )
}

/// Whether the array is what is asked for already.
fn is_like(array: &AnyArray<'_, '_>, kind: Kind, like: &Bound<'_, PyAny>) -> bool {
    match (array.kind(), kind) {
        (Kind::Numbers, _) => false,
        // Not everything that is read as one is one: NumPy's scalars, arrays of ctypes.
        (Kind::Numpy, Kind::Numpy | Kind::Numbers) => {
            numpy::is_array(&array.object()).unwrap_or(false)
        }
        (Kind::Memory, Kind::Memory) => array.object().is_instance_of::<PyMemoryView>(),
        (Kind::Arrow(one, _), Kind::Arrow(other, _)) => one == other,
        (Kind::Dlpack, Kind::Dlpack) => array.object().get_type().is(like.get_type()),
        (one, other) => one == other,
    }
}

/// Why arrays of a kind cannot lie over this memory.
fn obstacle(memory: &Foreign, kind: Kind) -> Option<&'static str> {
    if !memory.is_plain() {
        return Some("its elements are byte-swapped or misaligned");
    }
    if memory.is_empty() {
        return None;
    }
    let row_major = memory.is_contiguous();
    match kind {
        Kind::Torch | Kind::Dlpack if memory.read_only => {
            Some("it is read-only, and the result could be written into")
        }
        Kind::Torch if memory.strides().iter().any(|&stride| stride < 0) => {
            Some("torch has no negative strides")
        }
        Kind::Jax if !row_major => Some("it does not lie in row-major order"),
        Kind::Jax if !(memory.pointer() as usize).is_multiple_of(ALIGNMENT) => {
            Some("JAX takes over memory that is aligned to 64 bytes only")
        }
        Kind::Arrow(..) if !row_major => Some("it does not lie in row-major order"),
        _ => None,
    }
}
