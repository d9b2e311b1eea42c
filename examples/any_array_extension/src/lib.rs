//! An extension module of somebody else's: any arrays in, one like the first of them out, nothing copied.

use kinarray::array::{DType, Shape, broadcast_shapes};
use kinarray::interop::{AnyArray, Output, Precision, promote};
use pyo3::prelude::*;

/// `2 a + 1`, element by element.
#[pyfunction]
#[pyo3(signature = (a, *, out = None))]
fn scale_shift<'py>(
    py: Python<'py>,
    a: AnyArray<'_, 'py>,
    out: Option<AnyArray<'_, 'py>>,
) -> PyResult<Bound<'py, PyAny>> {
    fn compute<'py, T: Precision>(
        py: Python<'py>,
        a: AnyArray<'_, 'py>,
        out: Option<AnyArray<'_, 'py>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arrays = [a];
        let shape = Shape::from_slice(arrays[0].shape());
        let mut output = Output::<T>::new("scale_shift", &arrays, shape.clone(), out.as_ref())?;
        let reals = arrays[0].reals::<T>()?;
        let a = reals.batch(0, &shape);
        for (i, place) in output.as_mut_slice().iter_mut().enumerate() {
            *place = (T::ONE + T::ONE) * a.number(i) + T::ONE;
        }
        output.finish(py)
    }
    match a.precision()? {
        DType::Float64 => compute::<f64>(py, a, out),
        _ => compute::<f32>(py, a, out),
    }
}

/// `a * b + c`, element by element, broadcast by NumPy's rule.
#[pyfunction]
#[pyo3(signature = (a, b, c, *, out = None))]
fn multiply_add<'py>(
    py: Python<'py>,
    a: AnyArray<'_, 'py>,
    b: AnyArray<'_, 'py>,
    c: AnyArray<'_, 'py>,
    out: Option<AnyArray<'_, 'py>>,
) -> PyResult<Bound<'py, PyAny>> {
    fn compute<'py, T: Precision>(
        py: Python<'py>,
        arrays: [AnyArray<'_, 'py>; 3],
        out: Option<AnyArray<'_, 'py>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let shape = broadcast_shapes("multiply_add", &arrays.each_ref().map(AnyArray::shape))?;
        let mut output = Output::<T>::new("multiply_add", &arrays, shape.clone(), out.as_ref())?;
        let [a, b, c] = &arrays;
        let (a, b, c) = (a.reals::<T>()?, b.reals::<T>()?, c.reals::<T>()?);
        let (a, b, c) = (a.batch(0, &shape), b.batch(0, &shape), c.batch(0, &shape));
        for (i, place) in output.as_mut_slice().iter_mut().enumerate() {
            *place = a.number(i) * b.number(i) + c.number(i);
        }
        output.finish(py)
    }
    let arrays = [a, b, c];
    match promote(&arrays)? {
        DType::Float64 => compute::<f64>(py, arrays, out),
        _ => compute::<f32>(py, arrays, out),
    }
}

#[pymodule(gil_used = false)]
fn any_array_extension(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(scale_shift, module)?)?;
    module.add_function(wrap_pyfunction!(multiply_add, module)?)
}
