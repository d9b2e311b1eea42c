//! The one door out: memory that we filled becomes an array of the kind that came in.

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

use crate::array::{DType, show_shape};
use crate::error::Error;
use crate::interop::arrow;
use crate::interop::buffer::Buffer;
use crate::interop::foreign::Foreign;
use crate::interop::memory::Block;
use crate::interop::{dlpack, jax, numpy, torch};
use crate::python::array_in::{ArrayIn, Kind};

/// Memory for a result of `kind` with `rank` axes.
#[inline]
pub(crate) fn allocate(
    function: &str,
    kind: Kind,
    bytes: usize,
    rank: usize,
) -> crate::Result<Block> {
    let header = if kind == Kind::Torch {
        dlpack::header_size(rank)
    } else {
        0
    };
    Block::try_new(bytes, header).ok_or_else(|| Error::Memory {
        what: function.to_owned(),
        bytes,
    })
}

/// Hands over a row-major array as one of the kind of `like`.
#[inline]
pub(crate) fn hand_over<'py>(
    py: Python<'py>,
    kind: Kind,
    like: Option<&Bound<'py, PyAny>>,
    block: Block,
    dtype: DType,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    match (kind, like) {
        (Kind::Numpy, _) => numpy::export(py, block, dtype, shape, like),
        (Kind::Torch, _) => torch::export(py, block, dtype, shape),
        (Kind::Jax, Some(like)) => jax::export(py, block, dtype, shape, like),
        (Kind::Arrow(library, form), Some(like)) => {
            arrow::export(py, block, dtype, shape, library, form, like)
        }
        (Kind::Memory, _) => {
            let buffer = Bound::new(py, Buffer::new(block, dtype, shape))?;
            // SAFETY: a live object that speaks the buffer protocol.
            unsafe {
                Bound::from_owned_ptr_or_err(py, ffi::PyMemoryView_FromObject(buffer.as_ptr()))
            }
        }
        (Kind::Dlpack, Some(like)) => to_namespace(py, Buffer::new(block, dtype, shape), like),
        (Kind::Numbers | Kind::Jax | Kind::Arrow(..), _) => {
            numpy::export(py, block, dtype, shape, None).map_err(|error| {
                if error.is_instance_of::<PyImportError>(py) {
                    PyImportError::new_err(
                        "numbers and lists give NumPy arrays back, but NumPy is not installed",
                    )
                } else {
                    error
                }
            })
        }
        (Kind::Own | Kind::Dlpack, _) => {
            Ok(Bound::new(py, Buffer::new(block, dtype, shape))?.into_any())
        }
    }
}

/// Through `from_dlpack` of the package that `like` comes from, where it has one; else our own buffer.
fn to_namespace<'py>(
    py: Python<'py>,
    buffer: Buffer,
    like: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let buffer = Bound::new(py, buffer)?.into_any();
    let modules = py.import("sys")?.getattr("modules")?;
    let package = like.get_type().module()?.to_string();
    let root = package.split('.').next().unwrap_or_default();
    for name in [
        root.to_owned(),
        format!("{root}.dlpack"),
        format!("{root}.utils.dlpack"),
    ] {
        if let Ok(module) = modules.get_item(name)
            && let Ok(from_dlpack) = module.getattr(intern!(py, "from_dlpack"))
        {
            return from_dlpack.call1((buffer,));
        }
    }
    Ok(buffer)
}

/// Reads and checks the argument `out`: writable, of exactly this shape and element type.
pub(crate) fn read_out<'a, 'py>(
    function: &str,
    object: &'a Bound<'py, PyAny>,
    dtype: DType,
    shape: &[usize],
) -> PyResult<ArrayIn<'a, 'py>> {
    let refused = |problem: &str| -> PyErr { Error::value("out", problem).into() };
    let out = ArrayIn::read(function, "out", object)?;
    match out.kind {
        Kind::Jax => {
            return Err(refused(
                "JAX arrays cannot be written into; leave out= away",
            ));
        }
        Kind::Numbers => return Err(refused("expected a writable array, got Python numbers")),
        Kind::Arrow(..) => return Err(refused("Arrow arrays cannot be written into")),
        Kind::Torch => {
            if let Some(what) = torch::refuses_writing(object)? {
                return Err(refused(&format!("expected a writable array, got {what}")));
            }
        }
        _ => {}
    }
    if out.memory.shape() != shape {
        return Err(Error::shape("out", show_shape(shape), show_shape(out.memory.shape())).into());
    }
    if out.memory.dtype() != dtype {
        return Err(Error::dtype("out", dtype, out.memory.dtype()).into());
    }
    if out.memory.read_only {
        return Err(refused("the array is read-only"));
    }
    let repeats = |(&size, &stride): (&usize, &isize)| size > 1 && stride == 0;
    let mut axes = out.memory.shape().iter().zip(out.memory.strides());
    if !out.memory.is_empty() && axes.any(repeats) {
        return Err(refused(
            "several elements share one place in memory (a stride of zero)",
        ));
    }
    Ok(out)
}

/// The memory of `out` as a slice to compute into; `None` where it does not lie in row-major order, or
/// an input lies there too.
///
/// # Safety
/// `out` was checked by [`read_out`], and nobody else reads or writes it meanwhile.
pub(crate) unsafe fn as_target<T: crate::array::Element>(
    out: &mut Foreign,
    inputs: impl Iterator<Item = (usize, usize)>,
) -> Option<&mut [T]> {
    if out.dtype() != T::DTYPE
        || out.swapped
        || !out.is_contiguous()
        || !(out.pointer() as usize).is_multiple_of(align_of::<T>())
    {
        return None;
    }
    let (start, end) = out.span();
    for (other_start, other_end) in inputs {
        if start < other_end && other_start < end {
            return None;
        }
    }
    if out.is_empty() {
        return Some(&mut []);
    }
    // SAFETY: contiguous, aligned, writable, shared with no input; the caller's promise for the rest.
    unsafe {
        Some(std::slice::from_raw_parts_mut(
            out.pointer().cast_mut().cast(),
            out.len(),
        ))
    }
}
