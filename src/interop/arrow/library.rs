//! Whose column it is, and results as a column of the same library.

use pyo3::exceptions::PyImportError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyTuple, PyType};

use super::Form;
use crate::array::{Shape, show_shape};
use crate::error::Error;
use crate::interop::buffer::Buffer;

/// Whose column it is, and so whose the result shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// pyarrow.
    PyArrow,
    /// polars.
    Polars,
    /// pandas.
    Pandas,
    /// arro3.
    Arro3,
    /// nanoarrow.
    NanoArrow,
    /// DuckDB: a relation of one column.
    DuckDb,
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
            Self::Arro3 => "arro3",
            Self::NanoArrow => "nanoarrow",
            Self::DuckDb => "duckdb",
            Self::Other => "arrow",
        }
    }

    pub(super) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        // The bases too: a user may derive from a library's class.
        for class in object.get_type().mro() {
            let module = class.cast::<PyType>()?.module()?.to_string();
            return Ok(match module.split('.').next().unwrap_or_default() {
                "pyarrow" => Self::PyArrow,
                "polars" => Self::Polars,
                "pandas" => Self::Pandas,
                "arro3" => Self::Arro3,
                "nanoarrow" => Self::NanoArrow,
                "duckdb" | "_duckdb" => Self::DuckDb,
                _ => continue,
            });
        }
        Ok(Self::Other)
    }

    /// The module that makes the library's arrays; `None` where nothing that could is installed.
    fn module(self, py: Python<'_>) -> PyResult<Option<Bound<'_, PyModule>>> {
        let found = match self {
            Self::PyArrow | Self::DuckDb => py.import("pyarrow"),
            Self::Polars => py.import("polars"),
            Self::Pandas => py.import("pandas"),
            Self::Arro3 => py.import("arro3.core"),
            Self::NanoArrow => py.import("nanoarrow"),
            Self::Other => return Ok(None),
        };
        match found {
            // DuckDB has no arrays of its own, and there are classes that say they are arro3's.
            Err(error)
                if matches!(self, Self::Arro3 | Self::DuckDb)
                    && error.is_instance_of::<PyImportError>(py) =>
            {
                Ok(None)
            }
            found => found.map(Some),
        }
    }
}

/// What carries our capsules to a library's constructor.
#[pyclass(frozen, module = "kinarray.interop", name = "_Column")]
struct Carrier {
    buffer: Buffer,
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
        self.buffer.as_column(py, self.form)
    }
}

/// Hands a row-major array over as a column of the library that `like` comes from.
///
/// # Errors
/// What the library raises.
pub fn export<'py>(
    py: Python<'py>,
    buffer: Buffer,
    library: Library,
    form: Form,
    like: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let Some(module) = library.module(py)? else {
        // Our buffer speaks the protocol, and others besides.
        return Ok(Bound::new(py, buffer)?.into_any());
    };
    let shape = Shape::from_slice(buffer.foreign().shape());
    if library == Library::Polars && shape.len() > 1 && shape[0] > 0 && shape[1..].contains(&0) {
        let expected = "rows with elements, which is all that polars can hold";
        return Err(Error::shape("result", expected, show_shape(&shape)).into());
    }
    // One level of lists needs no extension type, and polars once had none to offer.
    let has_tensors = library != Library::Polars || module.hasattr("Extension")?;
    let form = match form {
        Form::Tensor if shape.len() <= 2 || !has_tensors => Form::Nested,
        form => form,
    };
    let column = Bound::new(py, Carrier { buffer, form })?;
    match library {
        // Anything else was answered above.
        Library::PyArrow | Library::DuckDb | Library::Other => {
            module.call_method1("array", (column,))
        }
        Library::Arro3 => module
            .getattr("Array")?
            .call_method1("from_arrow", (column,)),
        Library::NanoArrow => module.call_method1("Array", (column,)),
        Library::Polars => {
            let name = like.getattr(intern!(py, "name"))?;
            let series = module.call_method1("Series", (&name, column))?;
            // The column's own field name wins over the argument.
            series.call_method1(intern!(py, "alias"), (name,))
        }
        Library::Pandas => {
            let array = py.import("pyarrow")?.call_method1("array", (column,))?;
            let extension = module
                .getattr("arrays")?
                .call_method1("ArrowExtensionArray", (array,))?;
            let keywords = PyDict::new(py);
            // One pose as a column gives a column of another length, of which the index says nothing.
            let index = like.getattr("index")?;
            if index.len()? == shape.first().copied().unwrap_or(1) {
                keywords.set_item("index", index)?;
            }
            keywords.set_item("name", like.getattr("name")?)?;
            keywords.set_item("copy", false)?;
            module.call_method("Series", (extension,), Some(&keywords))
        }
    }
}
