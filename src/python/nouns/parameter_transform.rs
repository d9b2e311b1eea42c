//! `kinarray.geometry.ParameterTransform` and its inverse.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList};
use std::sync::{Arc, OnceLock};

use super::numbered::number_of;
use super::{hash, html_tables, pickle, skeleton::PySkeleton};
use crate::backend::operations::{
    ApplyInverseParameterTransform, ApplyInverseWithKnownScales, ApplyParameterTransform,
};
use crate::character::{PARAMETERS_PER_JOINT, ParameterTransform};
use crate::kinematics::{InverseWithKnownScales, PreparedInverse, PreparedTransform};
use crate::python::apply::apply;
use crate::python::values;

/// The sparse linear map from model parameters to joint parameters.
///
/// Parameters
/// ----------
/// names : sequence of str
///     The model parameters' names. A name that contains ``scale_`` is a scaling parameter, one that
///     contains ``root_`` or ``hips`` a rigid one.
/// skeleton : Skeleton
/// transform : array (7 * n_joints, n_parameters), or a SciPy sparse matrix
///     Rows are ``tx ty tz rx ry rz sc`` of each joint.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> from kinarray.geometry import Joint, ParameterTransform, Skeleton
/// >>> skeleton = Skeleton([Joint("root", -1, [0, 0, 0, 1], [0, 0, 0])])
/// >>> transform = ParameterTransform(["root_tx", "root_rz"], skeleton, np.eye(7)[:, [0, 5]])
/// >>> transform.apply(np.array([1.0, 0.5]))
/// array([1. , 0. , 0. , 0. , 0. , 0.5, 0. ])
#[pyclass(name = "ParameterTransform", module = "kinarray.geometry", frozen, eq)]
pub struct PyParameterTransform {
    pub core: Arc<ParameterTransform>,
    prepared: Arc<PreparedTransform>,
}

impl PartialEq for PyParameterTransform {
    fn eq(&self, other: &Self) -> bool {
        self.core == other.core
    }
}

impl PyParameterTransform {
    pub fn new(core: Arc<ParameterTransform>) -> Self {
        Self::from_prepared(Arc::new(PreparedTransform::new(core)))
    }

    /// The transform of a character, with the plans that the character has already made.
    pub fn from_prepared(prepared: Arc<PreparedTransform>) -> Self {
        Self {
            core: prepared.transform().clone(),
            prepared,
        }
    }

    fn mask<'py>(&self, py: Python<'py>, mask: Vec<bool>) -> PyResult<Bound<'py, PyAny>> {
        values::fresh_mask(py, mask)
    }
}

/// The `(row, column, value)` entries of a dense or SciPy sparse matrix.
fn entries(
    transform: &Bound<'_, PyAny>,
    rows: usize,
    columns: usize,
) -> PyResult<Vec<(usize, usize, f64)>> {
    let words = format!("({rows}, {columns}) = (7 * n_joints, n_parameters)");
    let want = [Some(rows), Some(columns)];
    if transform.hasattr("tocoo")? {
        let coo = transform.call_method0("tocoo")?;
        let shape: (usize, usize) = coo.getattr("shape")?.extract()?;
        values::require("transform", &[shape.0, shape.1], &want, &words)?;
        let (rows, _) = values::indices(&coo.getattr("row")?, "transform")?;
        let (columns, _) = values::indices(&coo.getattr("col")?, "transform")?;
        let (data, _) = values::reals(&coo.getattr("data")?, "transform")?;
        let places = rows.into_iter().zip(columns);
        return Ok(places
            .zip(data.iter())
            .map(|((row, column), value)| (row as usize, column as usize, value))
            .collect());
    }
    let (dense, shape) = values::reals(transform, "transform")?;
    values::require("transform", &shape, &want, &words)?;
    Ok(dense
        .iter()
        .enumerate()
        .filter(|&(_, value)| value != 0.0)
        .map(|(at, value)| (at / columns, at % columns, value))
        .collect())
}

#[pymethods]
impl PyParameterTransform {
    /// What stands for it in graphs that torch compiles.
    #[getter]
    fn _number(slf: &Bound<'_, Self>) -> usize {
        number_of(slf.as_any())
    }

    #[new]
    fn py_new(
        names: Vec<String>,
        skeleton: &Bound<'_, PySkeleton>,
        transform: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let joints = skeleton.get().0.len();
        let entries = entries(transform, PARAMETERS_PER_JOINT * joints, names.len())?;
        let core = ParameterTransform::new(names, joints, entries)?;
        Ok(Self::new(Arc::new(core)))
    }

    /// One model parameter for every joint parameter, named ``<joint>_tx`` and so on.
    #[staticmethod]
    fn identity(skeleton: &Bound<'_, PySkeleton>) -> Self {
        Self::new(Arc::new(ParameterTransform::identity(&skeleton.get().0)))
    }

    /// Maps model parameters ``(..., n_parameters)`` to joint parameters ``(..., 7 * n_joints)``, or
    /// ``(..., n_joints, 7)`` where not ``flatten``.
    #[pyo3(signature = (model_parameters, flatten = true, *, out = None))]
    fn apply<'py>(
        &self,
        py: Python<'py>,
        model_parameters: &Bound<'py, PyAny>,
        flatten: bool,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let transform = self.prepared.clone();
        let operation = ApplyParameterTransform { transform, flatten };
        apply(py, &operation, &[model_parameters], out)
    }

    /// The least-squares inverse: joint parameters to model parameters.
    fn inverse(&self) -> PyInverseParameterTransform {
        PyInverseParameterTransform::of(&self.core)
    }

    /// The model parameters' names.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.core.names().to_vec()
    }

    /// The number of model parameters; the same as ``len(transform)``.
    #[getter]
    fn size(&self) -> usize {
        self.core.len()
    }

    /// The dense ``(7 * n_joints, n_parameters)`` matrix, float64.
    #[getter]
    fn transform<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let rows = PARAMETERS_PER_JOINT * self.core.n_joints();
        values::fresh(py, self.core.to_dense(), &[rows, self.core.len()])
    }

    /// Mask ``(n_parameters,)`` of the parameters that change body proportions (``scale_`` in the name).
    #[getter]
    fn scaling_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.mask(py, self.core.scaling_parameters())
    }

    /// Mask of the parameters that move the whole character (``root_`` or ``hips`` in the name).
    #[getter]
    fn rigid_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.mask(py, self.core.rigid_parameters())
    }

    /// Mask of the parameters that pose the character: all that are neither scaling nor coefficients of
    /// blend shapes, face expressions or skinned locators.
    #[getter]
    fn pose_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.mask(py, self.core.pose_parameters())
    }

    /// Mask of the parameters that are coefficients of blend shapes.
    #[getter]
    fn blend_shape_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.mask(py, self.core.blend_shape_parameters())
    }

    /// Mask of the parameters that are coefficients of face expressions.
    #[getter]
    fn face_expression_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.mask(py, self.core.face_expression_parameters())
    }

    /// Mask of the parameters that move skinned locators.
    #[getter]
    fn skinned_locator_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.mask(py, self.core.skinned_locator_parameters())
    }

    /// Mask of all parameters.
    #[getter]
    fn all_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.mask(py, vec![true; self.core.len()])
    }

    /// Mask of no parameters.
    #[getter]
    fn no_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.mask(py, vec![false; self.core.len()])
    }

    /// The named masks, ``{name: (n_parameters,) bool}``.
    #[getter]
    fn parameter_sets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let sets = PyDict::new(py);
        for (name, mask) in self.core.parameter_sets() {
            sets.set_item(name, self.mask(py, mask.clone())?)?;
        }
        Ok(sets)
    }

    /// The same transform with one more named mask (or another one of that name).
    fn with_parameter_set(&self, name: String, mask: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mask = values::mask(mask, "mask", self.core.len())?;
        let core = (*self.core).clone().with_parameter_set(name, mask)?;
        Ok(Self::new(Arc::new(core)))
    }

    /// The same as :meth:`with_parameter_set`, under PyMomentum's name. Transforms are immutable: use what
    /// is returned.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka
    /// >>> transform = ka.testing.create_humanoid(n_vertices=1000).parameter_transform
    /// >>> transform = transform.add_parameter_set("body", transform.pose_parameters)
    /// >>> "body" in transform.parameter_sets
    /// True
    fn add_parameter_set(
        &self,
        parameter_set_name: String,
        parameter_set: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        self.with_parameter_set(parameter_set_name, parameter_set)
    }

    /// The same transform with only the parameters that a bool array ``(n_parameters,)`` chooses, in their
    /// order; parameter sets follow.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka
    /// >>> transform = ka.testing.create_humanoid(n_vertices=1000).parameter_transform
    /// >>> transform.subset(transform.rigid_parameters).size
    /// 6
    fn subset(&self, active_parameters: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mask = values::mask(active_parameters, "active_parameters", self.core.len())?;
        Ok(Self::new(Arc::new(self.core.subset(&mask)?)))
    }

    /// Mask of the parameters called ``names``.
    ///
    /// Raises ``KeyError`` for a name there is no parameter of, unless ``allow_missing``.
    #[pyo3(signature = (names, allow_missing = false))]
    fn find_parameters<'py>(
        &self,
        py: Python<'py>,
        names: Vec<String>,
        allow_missing: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut mask = vec![false; self.core.len()];
        for name in &names {
            match self.core.names().iter().position(|known| known == name) {
                Some(index) => mask[index] = true,
                None if allow_missing => {}
                None => {
                    let known = self.core.names().iter().map(String::as_str);
                    let hint = values::did_you_mean(name, known, py);
                    return Err(PyKeyError::new_err(format!("no parameter '{name}'{hint}")));
                }
            }
        }
        self.mask(py, mask)
    }

    /// Mask of the parameters that act on any of the joints.
    fn parameters_for_joints<'py>(
        &self,
        py: Python<'py>,
        joint_indices: Vec<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.mask(py, self.core.parameters_for_joints(&joint_indices))
    }

    /// The index of the parameter called ``name``; -1 for a missing one where ``allow_missing``.
    ///
    /// Raises ``KeyError``, with the closest name there is.
    #[pyo3(signature = (name, allow_missing = false))]
    fn parameter_index(&self, py: Python<'_>, name: &str, allow_missing: bool) -> PyResult<i64> {
        match self.core.names().iter().position(|known| known == name) {
            Some(index) => Ok(index as i64),
            None if allow_missing => Ok(-1),
            None => {
                let known = self.core.names().iter().map(String::as_str);
                let hint = values::did_you_mean(name, known, py);
                Err(PyKeyError::new_err(format!("no parameter '{name}'{hint}")))
            }
        }
    }

    fn __len__(&self) -> usize {
        self.core.len()
    }

    /// The names, in order.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, self.core.names())?.try_iter()
    }

    /// Whether there is a parameter of this name.
    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        let name = name.extract::<String>();
        name.is_ok_and(|name| self.core.names().contains(&name))
    }

    fn __repr__(&self) -> String {
        format!(
            "ParameterTransform({} model parameters -> 7 x {} joint parameters)",
            self.core.len(),
            self.core.n_joints()
        )
    }

    fn __hash__(&self) -> u64 {
        hash::of(&*self.core)
    }

    fn _repr_html_(&self) -> String {
        html_tables::parameter_transform(&self.core)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "ParameterTransform", &*self.core)
    }
}

/// The least-squares inverse of a :class:`ParameterTransform`; made by its ``inverse()``.
#[pyclass(
    name = "InverseParameterTransform",
    module = "kinarray.geometry",
    frozen,
    eq
)]
pub struct PyInverseParameterTransform {
    transform: Arc<ParameterTransform>,
    prepared: Arc<PreparedInverse>,
    with_known_scales: OnceLock<Arc<InverseWithKnownScales>>,
}

impl PartialEq for PyInverseParameterTransform {
    fn eq(&self, other: &Self) -> bool {
        self.transform == other.transform
    }
}

impl PyInverseParameterTransform {
    pub fn of(transform: &Arc<ParameterTransform>) -> Self {
        Self {
            transform: transform.clone(),
            prepared: Arc::new(PreparedInverse::new(transform)),
            with_known_scales: OnceLock::new(),
        }
    }
}

#[pymethods]
impl PyInverseParameterTransform {
    /// What stands for it in graphs that torch compiles.
    #[getter]
    fn _number(slf: &Bound<'_, Self>) -> usize {
        number_of(slf.as_any())
    }

    #[new]
    fn new(parameter_transform: &Bound<'_, PyParameterTransform>) -> Self {
        Self::of(&parameter_transform.get().core)
    }

    /// The model parameters ``(..., n_parameters)`` whose joint parameters come closest to the given
    /// ``(..., 7 * n_joints)`` or ``(..., n_joints, 7)``; 0 for parameters that drive nothing.
    #[pyo3(signature = (joint_parameters, *, out = None))]
    pub fn apply<'py>(
        &self,
        py: Python<'py>,
        joint_parameters: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let inverse = self.prepared.clone();
        let operation = ApplyInverseParameterTransform { inverse };
        apply(py, &operation, &[joint_parameters], out)
    }

    /// The model parameters that come closest, where the scaling parameters are known.
    ///
    /// Parameters
    /// ----------
    /// joint_parameters : array (..., n_joints, 7) or (..., 7 * n_joints)
    /// scale_parameters : array (..., n_scales)
    ///     The scaling parameters, in the transform's order. Batch axes broadcast.
    /// out : array (..., n_parameters), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., n_parameters)
    ///     The scales as given, the pose parameters that come closest to what they leave, 0 for others.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> transform = ka.testing.create_humanoid(n_vertices=1000).parameter_transform
    /// >>> poses = np.full((3, len(transform)), 0.1)
    /// >>> scales = poses[:, transform.scaling_parameters]
    /// >>> again = transform.inverse().joint_parameters_to_model_parameters_with_known_scales(
    /// ...     transform.apply(poses), scales)
    /// >>> bool(np.allclose(again, poses))
    /// True
    #[pyo3(signature = (joint_parameters, scale_parameters, *, out = None))]
    fn joint_parameters_to_model_parameters_with_known_scales<'py>(
        &self,
        py: Python<'py>,
        joint_parameters: &Bound<'py, PyAny>,
        scale_parameters: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let inverse = self
            .with_known_scales
            .get_or_init(|| Arc::new(InverseWithKnownScales::new(&self.transform)))
            .clone();
        let operation = ApplyInverseWithKnownScales { inverse };
        apply(py, &operation, &[joint_parameters, scale_parameters], out)
    }

    fn __repr__(&self) -> String {
        format!(
            "InverseParameterTransform(7 x {} joint parameters -> {} model parameters)",
            self.transform.n_joints(),
            self.transform.len()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "InverseParameterTransform", &*self.transform)
    }
}
