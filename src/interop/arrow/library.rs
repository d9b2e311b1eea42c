//! Whose column it is, and results as a column of the same library.

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::{Form, export_capsules};
use crate::array::{DType, Shape};
use crate::interop::memory::Block;

/// Whose column it is, and so whose the result shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// pyarrow.
    PyArrow,
    /// polars.
    Polars,
    /// pandas.
    Pandas,
    /// Somebody else who speaks the protocol.
    Other,
}

impl Library {
    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PyArrow => "pyarrow",
            Self::Polars => "polars",
            Self::Pandas => "pandas",
            Self::Other => "arrow",
        }
    }

    pub(super) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let module = object.get_type().module()?.to_string();
        Ok(match module.split('.').next().unwrap_or_default() {
            "pyarrow" => Self::PyArrow,
            "polars" => Self::Polars,
            "pandas" => Self::Pandas,
            _ => Self::Other,
        })
    }
}

/// What carries our capsules to a library's constructor.
#[pyclass(frozen, module = "kinarray.interop", name = "_Column")]
struct Carrier {
    block: Arc<Block>,
    dtype: DType,
    shape: Shape,
    form: Form,
}

#[pymethods]
impl Carrier {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let _ = requested_schema;
        export_capsules(py, &self.block, self.dtype, &self.shape, self.form)
    }
}

/// Hands a block over as a column of the library that `like` comes from.
///
/// # Errors
/// What the library raises.
pub fn export<'py>(
    py: Python<'py>,
    block: Block,
    dtype: DType,
    shape: &[usize],
    library: Library,
    form: Form,
    like: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // One level of lists needs no extension type, and polars once had none to offer.
    let has_tensors = library != Library::Polars || py.import("polars")?.hasattr("Extension")?;
    let form = match form {
        Form::Tensor if shape.len() <= 2 || !has_tensors => Form::Nested,
        form => form,
    };
    let column = Bound::new(
        py,
        Carrier {
            block: Arc::new(block),
            dtype,
            shape: Shape::from_slice(shape),
            form,
        },
    )?;
    match library {
        Library::PyArrow => py.import("pyarrow")?.call_method1("array", (column,)),
        // Whoever it is can take our column by the protocol that it speaks itself.
        Library::Other => Ok(column.into_any()),
        Library::Polars => {
            let name = like.getattr(intern!(py, "name"))?;
            let series = py
                .import("polars")?
                .call_method1("Series", (&name, column))?;
            // The column's own field name wins over the argument.
            series.call_method1(intern!(py, "alias"), (name,))
        }
        Library::Pandas => {
            let array = py.import("pyarrow")?.call_method1("array", (column,))?;
            let pandas = py.import("pandas")?;
            let extension = pandas
                .getattr("arrays")?
                .call_method1("ArrowExtensionArray", (array,))?;
            let keywords = PyDict::new(py);
            // One row of the result for each of the argument's; else the labels mean nothing.
            if shape.first() == Some(&like.len()?) {
                keywords.set_item("index", like.getattr("index")?)?;
            }
            keywords.set_item("name", like.getattr("name")?)?;
            keywords.set_item("copy", false)?;
            pandas.call_method("Series", (extension,), Some(&keywords))
        }
    }
}
