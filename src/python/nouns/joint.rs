//! `kinarray.geometry.Joint`.

use pyo3::prelude::*;

use crate::character::Joint;
use crate::error::Error;
use crate::python::values;

use super::{hash, pickle};

/// A joint: a name, a parent, and the constant part of its transform from the parent.
///
/// With joint parameters ``tx ty tz rx ry rz sc`` the transform from joint to parent is
/// ``T(translation_offset + t) · R(pre_rotation) · Rz(rz) · Ry(ry) · Rx(rx) · 2**sc``.
///
/// Parameters
/// ----------
/// name : str
///     Unique in its skeleton.
/// parent : int
///     Index of the parent joint, which comes before this one; -1 for a root.
/// pre_rotation : array (4,)
///     Unit quaternion ``x y z w``.
/// translation_offset : array (3,)
///     Position in the parent's frame, in the character's unit of length.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import Joint
/// >>> Joint("hips", -1, [0, 0, 0, 1], [0, 1, 0])
/// Joint(name='hips', parent=-1, pre_rotation=[0, 0, 0, 1], translation_offset=[0, 1, 0])
#[pyclass(name = "Joint", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyJoint(pub Joint);

#[pymethods]
impl PyJoint {
    #[new]
    fn new(
        name: String,
        parent: i64,
        pre_rotation: &Bound<'_, PyAny>,
        translation_offset: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let parent = match parent {
            -1 => None,
            index => Some(usize::try_from(index).map_err(|_| {
                PyErr::from(Error::character(
                    format!("joint '{name}'"),
                    format!("parent index {index}; expected an index, or -1 for a root"),
                ))
            })?),
        };
        Ok(Self(Joint {
            name,
            parent,
            pre_rotation: values::fixed(pre_rotation, "pre_rotation")?,
            translation_offset: values::fixed(translation_offset, "translation_offset")?,
        }))
    }

    /// The joint's name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Index of the parent joint; -1 for a root.
    #[getter]
    fn parent(&self) -> i64 {
        self.0.parent.map_or(-1, |parent| parent as i64)
    }

    /// Unit quaternion ``x y z w``, ``(4,)``; a read-only view.
    #[getter]
    fn pre_rotation<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.pre_rotation, &[4])
    }

    /// The pre-rotation as a matrix, ``(3, 3)`` float64.
    #[getter]
    fn pre_rotation_matrix<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let rows = crate::math::quaternion::to_matrix(self.0.pre_rotation);
        values::fresh(py, rows.as_flattened().to_vec(), &[3, 3])
    }

    /// Position in the parent's frame, ``(3,)``; a read-only view.
    #[getter]
    fn translation_offset<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.translation_offset, &[3])
    }

    fn __repr__(&self) -> String {
        let list = |numbers: &[f64]| {
            let shown: Vec<String> = numbers.iter().map(f64::to_string).collect();
            format!("[{}]", shown.join(", "))
        };
        format!(
            "Joint(name='{}', parent={}, pre_rotation={}, translation_offset={})",
            self.0.name,
            self.parent(),
            list(&self.0.pre_rotation),
            list(&self.0.translation_offset)
        )
    }

    fn __hash__(&self) -> u64 {
        hash::of(&self.0)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "Joint", &self.0)
    }
}
