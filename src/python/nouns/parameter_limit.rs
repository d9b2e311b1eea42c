//! `kinarray.geometry.ParameterLimit`.

use pyo3::prelude::*;

use super::limit_data::{PyLimitData, PyLimitType};
use super::{hash, pickle};
use crate::character::{LimitKind, ParameterLimit};
use crate::error::Error;
use crate::python::values;

/// A limit on model or joint parameters, and how much it counts. Made by the ``create_*`` functions.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import ParameterLimit
/// >>> ParameterLimit.create_minmax(3, -0.5, 1.5).type
/// LimitType.MinMax
#[pyclass(name = "ParameterLimit", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyParameterLimit(pub ParameterLimit);

impl PyParameterLimit {
    fn checked(kind: LimitKind, weight: f64) -> PyResult<Self> {
        Ok(Self(ParameterLimit::new(kind, weight)?))
    }
}

fn joint_parameter(which: usize) -> PyResult<usize> {
    if which < 7 {
        return Ok(which);
    }
    Err(PyErr::from(Error::value(
        "joint_parameter",
        format!("expected 0 to 6 (tx ty tz rx ry rz sc), got {which}"),
    )))
}

#[pymethods]
impl PyParameterLimit {
    /// A model parameter between two values.
    #[staticmethod]
    #[pyo3(signature = (model_parameter_index, min, max, weight = 1.0))]
    fn create_minmax(
        model_parameter_index: usize,
        min: f64,
        max: f64,
        weight: f64,
    ) -> PyResult<Self> {
        let kind = LimitKind::MinMax {
            parameter: model_parameter_index,
            range: [min, max],
        };
        Self::checked(kind, weight)
    }

    /// A joint parameter (0 to 6: ``tx ty tz rx ry rz sc``) between two values.
    #[staticmethod]
    #[pyo3(signature = (joint_index, joint_parameter, min, max, weight = 1.0))]
    fn create_minmax_joint(
        joint_index: usize,
        joint_parameter: usize,
        min: f64,
        max: f64,
        weight: f64,
    ) -> PyResult<Self> {
        let kind = LimitKind::MinMaxJoint {
            joint: joint_index,
            joint_parameter: self::joint_parameter(joint_parameter)?,
            range: [min, max],
        };
        Self::checked(kind, weight)
    }

    /// A joint parameter that is clamped when a state is built and never penalised.
    #[staticmethod]
    #[pyo3(signature = (joint_index, joint_parameter, min, max, weight = 1.0))]
    fn create_minmax_joint_passive(
        joint_index: usize,
        joint_parameter: usize,
        min: f64,
        max: f64,
        weight: f64,
    ) -> PyResult<Self> {
        let kind = LimitKind::MinMaxJointPassive {
            joint: joint_index,
            joint_parameter: self::joint_parameter(joint_parameter)?,
            range: [min, max],
        };
        Self::checked(kind, weight)
    }

    /// ``reference = scale * target - offset`` while ``range_min <= target < range_max``.
    #[staticmethod]
    #[pyo3(signature = (reference_model_parameter_index, target_model_parameter_index, scale, offset,
                        weight = 1.0, range_min = None, range_max = None))]
    fn create_linear(
        reference_model_parameter_index: usize,
        target_model_parameter_index: usize,
        scale: f64,
        offset: f64,
        weight: f64,
        range_min: Option<f64>,
        range_max: Option<f64>,
    ) -> PyResult<Self> {
        let kind = LimitKind::Linear {
            reference: reference_model_parameter_index,
            target: target_model_parameter_index,
            scale,
            offset,
            range: range(range_min, range_max),
        };
        Self::checked(kind, weight)
    }

    /// The same between joint parameters.
    #[staticmethod]
    #[pyo3(signature = (reference_joint_index, reference_joint_parameter, target_joint_index,
                        target_joint_parameter, scale, offset, weight = 1.0, range_min = None,
                        range_max = None))]
    #[allow(clippy::too_many_arguments)] // the peer's arguments
    fn create_linear_joint(
        reference_joint_index: usize,
        reference_joint_parameter: usize,
        target_joint_index: usize,
        target_joint_parameter: usize,
        scale: f64,
        offset: f64,
        weight: f64,
        range_min: Option<f64>,
        range_max: Option<f64>,
    ) -> PyResult<Self> {
        let kind = LimitKind::LinearJoint {
            reference: [
                reference_joint_index,
                joint_parameter(reference_joint_parameter)?,
            ],
            target: [target_joint_index, joint_parameter(target_joint_parameter)?],
            scale,
            offset,
            range: range(range_min, range_max),
        };
        Self::checked(kind, weight)
    }

    /// Two model parameters on one side of a line: ``(p1, p2) . normal - offset >= 0``.
    #[staticmethod]
    #[pyo3(signature = (param1_index, param2_index, normal, offset = 0.0, weight = 1.0))]
    fn create_halfplane(
        param1_index: usize,
        param2_index: usize,
        normal: &Bound<'_, PyAny>,
        offset: f64,
        weight: f64,
    ) -> PyResult<Self> {
        let normal: [f64; 2] = values::fixed(normal, "normal")?;
        let length = normal[0].hypot(normal[1]);
        if length.is_nan() || length <= 0.0 {
            return Err(PyErr::from(Error::value("normal", "it has no direction")));
        }
        let kind = LimitKind::HalfPlane {
            parameters: [param1_index, param2_index],
            normal: normal.map(|x| x / length),
            offset: offset / length,
        };
        Self::checked(kind, weight)
    }

    /// A point of one joint on an ellipsoid carried by another; ``ellipsoid`` is ``(4, 4)``.
    #[staticmethod]
    #[pyo3(signature = (ellipsoid_parent, parent, offset, ellipsoid, weight = 1.0))]
    fn create_ellipsoid(
        ellipsoid_parent: usize,
        parent: usize,
        offset: &Bound<'_, PyAny>,
        ellipsoid: &Bound<'_, PyAny>,
        weight: f64,
    ) -> PyResult<Self> {
        let kind = LimitKind::Ellipsoid {
            ellipsoid_parent,
            parent,
            offset: values::fixed(offset, "offset")?,
            ellipsoid: values::matrix4(ellipsoid, "ellipsoid")?,
        };
        Self::checked(kind, weight)
    }

    /// Its type.
    #[getter]
    fn r#type(&self) -> PyLimitType {
        PyLimitType::of(&self.0.kind)
    }

    /// What it asks for, under a property named after its type.
    #[getter]
    fn data(&self) -> PyLimitData {
        PyLimitData(self.0.kind.clone())
    }

    /// How much it counts.
    #[getter]
    fn weight(&self) -> f64 {
        self.0.weight
    }

    fn __repr__(&self) -> String {
        format!(
            "ParameterLimit({:?}, weight={})",
            self.0.kind, self.0.weight
        )
    }

    fn __hash__(&self) -> u64 {
        hash::of(&self.0)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "ParameterLimit", &self.0)
    }
}

/// A range with one end missing reaches to infinity; with both missing it is `[0, 0]`, everywhere.
fn range(min: Option<f64>, max: Option<f64>) -> [f64; 2] {
    match (min, max) {
        (None, None) => [0.0, 0.0],
        (min, max) => [
            min.unwrap_or(f64::NEG_INFINITY),
            max.unwrap_or(f64::INFINITY),
        ],
    }
}
