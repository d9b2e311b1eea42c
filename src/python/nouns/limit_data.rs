//! What a limit is made of, as Python objects: `LimitType`, `LimitData` and one class for each kind.

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::{Deserialize, Serialize};

use super::pickle;
use crate::character::{LimitKind, inverse_ellipsoid};
use crate::python::values;

/// The type of a limit.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import LimitType, ParameterLimit
/// >>> ParameterLimit.create_minmax(3, -0.5, 1.5).type == LimitType.MinMax
/// True
#[pyclass(name = "LimitType", module = "kinarray.geometry", frozen, eq, hash)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum PyLimitType {
    MinMax,
    MinMaxJoint,
    MinMaxJointPassive,
    Linear,
    LinearJoint,
    Ellipsoid,
    HalfPlane,
}

const TYPES: [PyLimitType; 7] = [
    PyLimitType::MinMax,
    PyLimitType::MinMaxJoint,
    PyLimitType::MinMaxJointPassive,
    PyLimitType::Linear,
    PyLimitType::LinearJoint,
    PyLimitType::Ellipsoid,
    PyLimitType::HalfPlane,
];

impl PyLimitType {
    pub fn of(kind: &LimitKind) -> Self {
        match kind {
            LimitKind::MinMax { .. } => Self::MinMax,
            LimitKind::MinMaxJoint { .. } => Self::MinMaxJoint,
            LimitKind::MinMaxJointPassive { .. } => Self::MinMaxJointPassive,
            LimitKind::Linear { .. } => Self::Linear,
            LimitKind::LinearJoint { .. } => Self::LinearJoint,
            LimitKind::Ellipsoid { .. } => Self::Ellipsoid,
            LimitKind::HalfPlane { .. } => Self::HalfPlane,
        }
    }
}

#[pymethods]
impl PyLimitType {
    /// All types by name.
    #[classattr]
    fn __members__(py: Python<'_>) -> PyResult<Py<PyDict>> {
        let members = PyDict::new(py);
        for member in TYPES {
            members.set_item(member.name(), member)?;
        }
        Ok(members.unbind())
    }

    /// The type's name.
    #[getter]
    fn name(&self) -> &'static str {
        match self {
            Self::MinMax => "MinMax",
            Self::MinMaxJoint => "MinMaxJoint",
            Self::MinMaxJointPassive => "MinMaxJointPassive",
            Self::Linear => "Linear",
            Self::LinearJoint => "LinearJoint",
            Self::Ellipsoid => "Ellipsoid",
            Self::HalfPlane => "HalfPlane",
        }
    }

    /// The type's number, PyMomentum's.
    #[getter]
    fn value(&self) -> u8 {
        *self as u8
    }

    fn __int__(&self) -> u8 {
        self.value()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        let getattr = slf.py().import("builtins")?.getattr("getattr")?;
        Ok((
            getattr,
            (slf.as_any().get_type().into_any(), slf.get().name()),
        ))
    }
}

/// What a limit asks for. Only the property of the limit's own type can be read.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import ParameterLimit
/// >>> ParameterLimit.create_minmax(3, -0.5, 1.5).data.minmax.max
/// 1.5
#[pyclass(name = "LimitData", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyLimitData(pub LimitKind);

impl PyLimitData {
    fn no<T>(&self, property: &str) -> PyResult<T> {
        Err(PyAttributeError::new_err(format!(
            "a limit of type {} has no data.{property}",
            PyLimitType::of(&self.0).name()
        )))
    }
}

#[pymethods]
impl PyLimitData {
    /// Of a MinMax limit.
    #[getter]
    fn minmax(&self) -> PyResult<PyLimitMinMax> {
        match self.0 {
            LimitKind::MinMax { parameter, range } => Ok(PyLimitMinMax {
                model_parameter_index: parameter,
                min: range[0],
                max: range[1],
            }),
            _ => self.no("minmax"),
        }
    }

    /// Of a MinMaxJoint limit, also a passive one.
    #[getter]
    fn minmax_joint(&self) -> PyResult<PyLimitMinMaxJoint> {
        match self.0 {
            LimitKind::MinMaxJoint {
                joint,
                joint_parameter,
                range,
            }
            | LimitKind::MinMaxJointPassive {
                joint,
                joint_parameter,
                range,
            } => Ok(PyLimitMinMaxJoint {
                joint_index: joint,
                joint_parameter_index: joint_parameter,
                min: range[0],
                max: range[1],
            }),
            _ => self.no("minmax_joint"),
        }
    }

    /// Of a Linear limit.
    #[getter]
    fn linear(&self) -> PyResult<PyLimitLinear> {
        match self.0 {
            LimitKind::Linear {
                reference,
                target,
                scale,
                offset,
                range,
            } => Ok(PyLimitLinear {
                reference_model_parameter_index: reference,
                target_model_parameter_index: target,
                scale,
                offset,
                range_min: end(range, 0),
                range_max: end(range, 1),
            }),
            _ => self.no("linear"),
        }
    }

    /// Of a LinearJoint limit.
    #[getter]
    fn linear_joint(&self) -> PyResult<PyLimitLinearJoint> {
        match self.0 {
            LimitKind::LinearJoint {
                reference,
                target,
                scale,
                offset,
                range,
            } => Ok(PyLimitLinearJoint {
                reference_joint_index: reference[0],
                reference_joint_parameter: reference[1],
                target_joint_index: target[0],
                target_joint_parameter: target[1],
                scale,
                offset,
                range_min: end(range, 0),
                range_max: end(range, 1),
            }),
            _ => self.no("linear_joint"),
        }
    }

    /// Of a HalfPlane limit.
    #[getter]
    fn halfplane(&self) -> PyResult<PyLimitHalfPlane> {
        match self.0 {
            LimitKind::HalfPlane {
                parameters,
                normal,
                offset,
            } => Ok(PyLimitHalfPlane {
                parameters,
                normal,
                offset,
            }),
            _ => self.no("halfplane"),
        }
    }

    /// Of an Ellipsoid limit.
    #[getter]
    fn ellipsoid(&self) -> PyResult<PyLimitEllipsoid> {
        match self.0 {
            LimitKind::Ellipsoid {
                ellipsoid_parent,
                parent,
                offset,
                ellipsoid,
            } => Ok(PyLimitEllipsoid {
                ellipsoid_parent,
                parent,
                offset,
                ellipsoid,
            }),
            _ => self.no("ellipsoid"),
        }
    }

    fn __repr__(&self) -> String {
        format!("LimitData({:?})", self.0)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "LimitData", &self.0)
    }
}

/// One end of a range, `None` where it is open; a range of `[0, 0]` is open at both.
fn end(range: [f64; 2], which: usize) -> Option<f64> {
    (range != [0.0, 0.0] && range[which].is_finite()).then(|| range[which])
}

/// A class of numbers.
macro_rules! value_class {
    ($(#[$doc:meta])* $class:ident, $name:literal, {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[pyclass(name = $name, module = "kinarray.geometry", frozen, eq, get_all)]
        #[derive(PartialEq, Serialize, Deserialize)]
        pub struct $class {
            $($(#[$field_doc])* $field: $type,)*
        }

        #[pymethods]
        impl $class {
            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                let fields = [$(format!(
                    concat!(stringify!($field), "={}"),
                    self.$field.into_pyobject(py)?.into_any().repr()?
                )),*];
                Ok(format!(concat!($name, "({})"), fields.join(", ")))
            }

            fn __reduce__<'py>(
                &self,
                py: Python<'py>,
            ) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
                pickle::reduce(py, $name, self)
            }
        }
    };
}

value_class! {
    /// A model parameter between two values.
    PyLimitMinMax, "LimitMinMax", {
        /// Index of the model parameter.
        model_parameter_index: usize,
        /// The least value.
        min: f64,
        /// The greatest value.
        max: f64,
    }
}

value_class! {
    /// A joint parameter between two values.
    PyLimitMinMaxJoint, "LimitMinMaxJoint", {
        /// Index of the joint.
        joint_index: usize,
        /// Which of its parameters: 0 to 6 for ``tx ty tz rx ry rz sc``.
        joint_parameter_index: usize,
        /// The least value.
        min: f64,
        /// The greatest value.
        max: f64,
    }
}

value_class! {
    /// ``reference = scale * target - offset`` between model parameters.
    PyLimitLinear, "LimitLinear", {
        /// Index of the reference parameter.
        reference_model_parameter_index: usize,
        /// Index of the target parameter.
        target_model_parameter_index: usize,
        /// Factor of the target.
        scale: f64,
        /// What is taken away.
        offset: f64,
        /// The limit applies from this value of the target on; ``None`` where it has no such end.
        range_min: Option<f64>,
        /// The limit applies below this value of the target; ``None`` where it has no such end.
        range_max: Option<f64>,
    }
}

value_class! {
    /// ``reference = scale * target - offset`` between joint parameters.
    PyLimitLinearJoint, "LimitLinearJoint", {
        /// Index of the reference joint.
        reference_joint_index: usize,
        /// Which of its parameters: 0 to 6 for ``tx ty tz rx ry rz sc``.
        reference_joint_parameter: usize,
        /// Index of the target joint.
        target_joint_index: usize,
        /// Which of its parameters: 0 to 6 for ``tx ty tz rx ry rz sc``.
        target_joint_parameter: usize,
        /// Factor of the target.
        scale: f64,
        /// What is taken away.
        offset: f64,
        /// The limit applies from this value of the target on; ``None`` where it has no such end.
        range_min: Option<f64>,
        /// The limit applies below this value of the target; ``None`` where it has no such end.
        range_max: Option<f64>,
    }
}

/// Two model parameters on one side of a line: ``(p1, p2) . normal - offset >= 0``.
#[pyclass(name = "LimitHalfPlane", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq, Serialize, Deserialize)]
pub struct PyLimitHalfPlane {
    parameters: [usize; 2],
    normal: [f64; 2],
    offset: f64,
}

#[pymethods]
impl PyLimitHalfPlane {
    /// Index of the first parameter.
    #[getter]
    fn param1_index(&self) -> usize {
        self.parameters[0]
    }

    /// Index of the second parameter.
    #[getter]
    fn param2_index(&self) -> usize {
        self.parameters[1]
    }

    /// The line's normal, of unit length, ``(2,)``; a read-only view.
    #[getter]
    fn normal<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().normal, &[2])
    }

    /// Distance of the line from the origin along the normal.
    #[getter]
    fn offset(&self) -> f64 {
        self.offset
    }

    fn __repr__(&self) -> String {
        format!(
            "LimitHalfPlane(param1_index={}, param2_index={}, normal={:?}, offset={:?})",
            self.parameters[0], self.parameters[1], self.normal, self.offset
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "LimitHalfPlane", self)
    }
}

/// A point of one joint on an ellipsoid that another one carries.
#[pyclass(name = "LimitEllipsoid", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq, Serialize, Deserialize)]
pub struct PyLimitEllipsoid {
    ellipsoid_parent: usize,
    parent: usize,
    offset: [f64; 3],
    ellipsoid: [f64; 16],
}

#[pymethods]
impl PyLimitEllipsoid {
    /// Index of the joint that carries the ellipsoid.
    #[getter]
    fn ellipsoid_parent(&self) -> usize {
        self.ellipsoid_parent
    }

    /// Index of the joint that carries the point.
    #[getter]
    fn parent(&self) -> usize {
        self.parent
    }

    /// The point in its joint's frame, ``(3,)``, in the character's unit; a read-only view.
    #[getter]
    fn offset<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().offset, &[3])
    }

    /// Unit sphere to ellipsoid in its joint's frame, ``(4, 4)``; a read-only view.
    #[getter]
    fn ellipsoid<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().ellipsoid, &[4, 4])
    }

    /// Ellipsoid to unit sphere, ``(4, 4)``.
    ///
    /// Raises ``CharacterError`` where the ellipsoid is flat.
    #[getter]
    fn ellipsoid_inv<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let inverse = inverse_ellipsoid(&self.ellipsoid)?;
        values::fresh(py, inverse.to_vec(), &[4, 4])
    }

    fn __repr__(&self) -> String {
        format!(
            "LimitEllipsoid(ellipsoid_parent={}, parent={}, offset={:?}, ellipsoid={:?})",
            self.ellipsoid_parent,
            self.parent,
            self.offset,
            self.ellipsoid.as_chunks::<4>().0
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "LimitEllipsoid", self)
    }
}
