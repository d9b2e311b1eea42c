//! The one way from Python to a query: as `apply`, for functions that give several arrays back.

use pyo3::prelude::*;
use pyo3::types::{PySequence, PyTuple};

use crate::array::{Batch, DType, Shape, broadcast_batches};
use crate::backend::cpu::Compute;
use crate::backend::{Column, Holds, Query};
use crate::error::Error;
use crate::interop::{AnyArray, Output, Precision, RealsIn, check_unmoved, promote};
use crate::python::interrupt;

/// Asks a query about arrays from Python. The results are a tuple of arrays of the kind of the first;
/// `out`, where given, is a sequence of as many arrays to fill.
pub(crate) fn ask<'py>(
    py: Python<'py>,
    query: &impl Query,
    arguments: &[&Bound<'py, PyAny>],
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyTuple>> {
    let (function, names) = (query.name(), query.inputs());
    let mut arrays: Vec<AnyArray<'_, 'py>> = Vec::with_capacity(arguments.len());
    for (object, name) in arguments.iter().zip(names) {
        arrays.push(AnyArray::read(function, name, object)?);
    }
    let given: Vec<Bound<'py, PyAny>> = match out {
        None => Vec::new(),
        Some(out) => {
            let out = out
                .cast::<PySequence>()
                .map_err(|_| wrong_out("a tuple of arrays", out))?;
            out.try_iter()?.collect::<PyResult<_>>()?
        }
    };
    let outs: Vec<AnyArray<'_, 'py>> = given
        .iter()
        .map(|object| AnyArray::read(function, "out", object))
        .collect::<PyResult<_>>()?;
    let all = arrays.len() + outs.len();
    if all > 1 {
        for one in &outs {
            check_unmoved(function, &arrays, Some(one))?;
        }
        check_unmoved(function, &arrays, None)?;
    }
    let outs = out.is_some().then_some(&outs[..]);
    match promote(&arrays)? {
        DType::Float64 => answer::<f64>(py, query, &arrays, outs),
        _ => answer::<f32>(py, query, &arrays, outs),
    }
    .map(Bound::unbind)
}

/// Memory for one result.
enum Place<'a, 'py, T> {
    Reals(Output<'a, 'py, T>),
    Indices(Output<'a, 'py, i32>),
    Flags(Output<'a, 'py, u8>),
}

impl<'a, 'py, T: Precision> Place<'a, 'py, T> {
    fn new(
        function: &str,
        inputs: &'a [AnyArray<'a, 'py>],
        holds: Holds,
        shape: Shape,
        out: Option<&'a AnyArray<'a, 'py>>,
    ) -> PyResult<Self> {
        Ok(match holds {
            Holds::Reals => Self::Reals(Output::new(function, inputs, shape, out)?),
            Holds::Indices => {
                Self::Indices(Output::exact(function, inputs, shape, DType::Int32, out)?)
            }
            Holds::Flags => Self::Flags(Output::exact(function, inputs, shape, DType::Bool, out)?),
        })
    }

    fn column(&mut self) -> Column<'_, T> {
        match self {
            Self::Reals(output) => Column::Reals(output.as_mut_slice()),
            Self::Indices(output) => Column::Indices(output.as_mut_slice()),
            Self::Flags(output) => Column::Flags(output.as_mut_slice()),
        }
    }

    fn finish(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Reals(output) => output.finish(py),
            Self::Indices(output) => output.finish(py),
            Self::Flags(output) => output.finish(py),
        }
    }
}

fn answer<'a, 'py, T: Precision + Compute>(
    py: Python<'py>,
    query: &impl Query,
    arrays: &'a [AnyArray<'a, 'py>],
    outs: Option<&'a [AnyArray<'a, 'py>]>,
) -> PyResult<Bound<'py, PyTuple>> {
    let function = query.name();
    let mut shapes = Vec::with_capacity(arrays.len());
    let mut cores: Vec<&[usize]> = Vec::with_capacity(arrays.len());
    for (index, array) in arrays.iter().enumerate() {
        let shape = array.shape();
        let core = query.core_rank(index, shape)?;
        shapes.push((shape, core));
        cores.push(&shape[shape.len() - core..]);
    }
    let batch = broadcast_batches(function, &shapes)?;
    let results = query.results(&cores)?;
    if let Some(outs) = outs {
        check_outs(outs, results.len())?;
    }
    let mut places = Vec::with_capacity(results.len());
    for (index, (holds, core)) in results.into_iter().enumerate() {
        let mut shape = batch.clone();
        shape.extend_from_slice(&core);
        let out = outs.map(|outs| &outs[index]);
        places.push(Place::<T>::new(function, arrays, holds, shape, out)?);
    }
    let reals: Vec<RealsIn<'_, T>> = arrays
        .iter()
        .map(|array| array.reals())
        .collect::<crate::Result<_>>()?;
    let inputs: Vec<Batch<'_, T>> = reals
        .iter()
        .zip(&shapes)
        .map(|(real, (_, core))| real.batch(*core, &batch))
        .collect();
    let mut columns: Vec<Column<'_, T>> = places.iter_mut().map(Place::column).collect();
    // Searching takes longer than copying: it releases the interpreter from fewer numbers on.
    const LOOKS_A_NUMBER: usize = 16;
    let numbers = inputs.iter().map(|input| input.view().len()).sum::<usize>();
    interrupt::run(py, numbers * LOOKS_A_NUMBER, |control| {
        query.answer(&inputs, &mut columns, control)
    })?;
    let results: Vec<Bound<'py, PyAny>> = places
        .into_iter()
        .map(|place| place.finish(py))
        .collect::<PyResult<_>>()?;
    PyTuple::new(py, results)
}

/// As many arrays as there are results, in memory of their own.
fn check_outs(outs: &[AnyArray<'_, '_>], count: usize) -> PyResult<()> {
    if outs.len() != count {
        let got = format!("{} arrays", outs.len());
        return Err(Error::value("out", format!("expected {count} arrays, got {got}")).into());
    }
    for (index, one) in outs.iter().enumerate() {
        let (start, end) = one.memory().span();
        for other in &outs[..index] {
            let (from, to) = other.memory().span();
            if start < to && from < end {
                let problem = "two of the arrays share memory";
                return Err(Error::value("out", problem).into());
            }
        }
    }
    Ok(())
}

fn wrong_out(expected: &str, got: &Bound<'_, PyAny>) -> PyErr {
    let class = got.get_type().name().map(|name| name.to_string());
    let class = class.unwrap_or_else(|_| "?".into());
    Error::dtype("out", expected, class).into()
}
