//! "A character, or a list of them": the first argument of the functions of `kinarray.geometry`.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::backend::Operation;
use crate::backend::operations::PerCharacter;
use crate::character::{Character, SameSizes};
use crate::error::Result;
use crate::kinematics::Prepared;
use crate::python::apply::apply;
use crate::python::nouns::PyCharacter;

/// What characters of a list must have in common where the argument is model parameters.
pub const BY_MODEL_PARAMETERS: SameSizes = SameSizes {
    parameters: true,
    vertices: false,
};
/// The same where it has one item for each joint.
pub const BY_JOINTS: SameSizes = SameSizes {
    parameters: false,
    vertices: false,
};
/// The same where it has one item for each vertex.
pub const BY_VERTICES: SameSizes = SameSizes {
    parameters: false,
    vertices: true,
};

/// Where there are parameters and vertices.
pub const BOTH: SameSizes = SameSizes {
    parameters: true,
    vertices: true,
};

/// One character, or one for each item along the last batch axis.
pub enum Characters<'a, 'py> {
    /// For the whole batch.
    One(Borrowed<'a, 'py, PyCharacter>),
    /// Of equal sizes.
    Many(Vec<Bound<'py, PyCharacter>>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Characters<'a, 'py> {
    type Error = PyErr;

    #[inline]
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(one) = object.cast::<PyCharacter>() {
            return Ok(Self::One(one));
        }
        Self::list(&object)
    }
}

impl<'py> Characters<'_, 'py> {
    #[cold]
    fn list(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let wrong = |what: &str, got: &Bound<'_, PyAny>| {
            let class = got.get_type().name()?;
            Err(PyTypeError::new_err(format!("{what}, got {class}")))
        };
        if !object.is_instance_of::<PyList>() && !object.is_instance_of::<PyTuple>() {
            return wrong("expected a Character, or a list or tuple of them", object);
        }
        let mut many = Vec::new();
        for (index, item) in object.try_iter()?.enumerate() {
            let item = item?;
            match item.cast::<PyCharacter>() {
                Ok(character) => many.push(character.clone()),
                Err(_) => return wrong(&format!("expected a Character at place {index}"), &item),
            }
        }
        Ok(Self::Many(many))
    }

    /// Whether a mesh depends on parameters, by the first character.
    pub fn have_shapes(&self) -> bool {
        let character = match self {
            Self::One(one) => one.get().core(),
            Self::Many(many) => match many.first() {
                Some(first) => first.get().core(),
                None => return false,
            },
        };
        character.blend_shape.is_some() || character.face_expression.is_some()
    }

    /// Applies the operation that `make` makes of a character to arrays; where there are several
    /// characters, of each to its part of the batch.
    #[inline]
    pub fn apply<O: Operation, const N: usize>(
        &self,
        py: Python<'py>,
        sizes: SameSizes,
        make: impl Fn(&Arc<Prepared>) -> Result<O>,
        arguments: &[&Bound<'py, PyAny>; N],
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        match self {
            Self::One(one) => apply(py, &make(&one.get().prepared)?, arguments, out),
            Self::Many(many) => {
                sizes.check(many.iter().map(|each| -> &Character { each.get().core() }))?;
                let operations = many.iter().map(|each| make(&each.get().prepared));
                let operations = operations.collect::<Result<Vec<O>>>()?;
                apply(py, &PerCharacter::new(operations)?, arguments, out)
            }
        }
    }
}
