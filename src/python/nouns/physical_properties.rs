//! `kinarray.geometry.JointPhysicalProperties`.

use pyo3::prelude::*;

use super::pickle;
use crate::character::JointPhysicalProperties;
use crate::error::Error;
use crate::python::values;

/// The mass of the body that a joint carries, and how it is spread.
///
/// Parameters
/// ----------
/// mass : float
///     Kilograms.
/// center_of_mass_offset : array (3,), optional
///     Centre of mass in the joint's frame, in the character's unit; default 0.
/// inertia : array (3, 3), optional
///     Moments of inertia in the inertia frame, kilograms times the unit squared; default 0.
/// inertia_rotation : array (4,), optional
///     Inertia frame to joint frame, a quaternion ``x y z w``.
/// joint_name : str
/// joint_index : int
///     The joint, by name or by index or by both; -1 where the name says it. A character fills in the
///     other one.
///
/// Raises
/// ------
/// ShapeError, InvalidValueError
///
/// Examples
/// --------
/// >>> from kinarray.geometry import JointPhysicalProperties
/// >>> JointPhysicalProperties(mass=2.5, joint_name="l_wrist")
/// JointPhysicalProperties(joint_name='l_wrist', joint_index=-1, mass=2.5)
#[pyclass(
    name = "JointPhysicalProperties",
    module = "kinarray.geometry",
    frozen,
    eq
)]
#[derive(PartialEq)]
pub struct PyJointPhysicalProperties(pub JointPhysicalProperties);

#[pymethods]
impl PyJointPhysicalProperties {
    #[new]
    #[pyo3(signature = (mass = 0.0, center_of_mass_offset = None, inertia = None, inertia_rotation = None,
                        joint_name = String::new(), joint_index = -1))]
    fn new(
        mass: f64,
        center_of_mass_offset: Option<&Bound<'_, PyAny>>,
        inertia: Option<&Bound<'_, PyAny>>,
        inertia_rotation: Option<&Bound<'_, PyAny>>,
        joint_name: String,
        joint_index: i64,
    ) -> PyResult<Self> {
        let mut body = JointPhysicalProperties {
            mass,
            joint_name,
            ..JointPhysicalProperties::default()
        };
        if joint_index < -1 {
            return Err(PyErr::from(Error::value(
                "joint_index",
                format!("expected an index, or -1 for none, got {joint_index}"),
            )));
        }
        body.joint_index = usize::try_from(joint_index).ok();
        if let Some(offset) = center_of_mass_offset {
            body.center_of_mass_offset = values::fixed(offset, "center_of_mass_offset")?;
        }
        if let Some(inertia) = inertia {
            let (numbers, shape) = values::reals(inertia, "inertia")?;
            values::require("inertia", &shape, &[Some(3), Some(3)], "(3, 3)")?;
            for (place, number) in body.inertia.iter_mut().zip(numbers.iter()) {
                *place = number;
            }
        }
        if let Some(rotation) = inertia_rotation {
            body.inertia_rotation = values::fixed(rotation, "inertia_rotation")?;
        }
        Ok(Self(body))
    }

    /// Mass, kilograms.
    #[getter]
    fn mass(&self) -> f64 {
        self.0.mass
    }

    /// Centre of mass in the joint's frame, ``(3,)``, in the character's unit; a read-only view.
    #[getter]
    fn center_of_mass_offset<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.center_of_mass_offset, &[3])
    }

    /// Moments of inertia in the inertia frame, ``(3, 3)``, kilograms times the unit squared; a read-only
    /// view.
    #[getter]
    fn inertia<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.inertia, &[3, 3])
    }

    /// Inertia frame to joint frame, a quaternion ``x y z w``, ``(4,)``; a read-only view.
    #[getter]
    fn inertia_rotation<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.inertia_rotation, &[4])
    }

    /// The joint's name; empty where only the index says which.
    #[getter]
    fn joint_name(&self) -> &str {
        &self.0.joint_name
    }

    /// The joint's index; -1 where only the name says which.
    #[getter]
    fn joint_index(&self) -> i64 {
        self.0.joint_index.map_or(-1, |index| index as i64)
    }

    fn __repr__(&self) -> String {
        format!(
            "JointPhysicalProperties(joint_name='{}', joint_index={}, mass={})",
            self.0.joint_name,
            self.joint_index(),
            self.0.mass
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "JointPhysicalProperties", &self.0)
    }
}
