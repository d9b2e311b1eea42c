//! `kinarray.geometry.PoseShape`.

use pyo3::prelude::*;
use std::sync::Arc;

use super::pickle;
use crate::backend::operations::ComputePoseShape;
use crate::character::PoseShape;
use crate::error::Error;
use crate::kinematics::PreparedPoseShape;
use crate::python::apply::apply;
use crate::python::values;

/// A mesh that follows the rotations of joints: vertices linear in the quaternions of some joints, each
/// relative to a base joint.
///
/// ``vertices = base_shape + sum_j sum_c q_jc · d_jc`` with ``q_j = base_rotation · R_base⁻¹ · R_j``, a unit
/// quaternion ``x y z w`` from world rotations. Its sign is that of the states: ``q`` and ``-q`` are the same
/// rotation, but displace in opposite directions.
///
/// Parameters
/// ----------
/// base_shape : array (n_vertices, 3)
/// shape_vectors : array (4 * len(joints), n_vertices, 3)
///     Displacements by ``x y z w`` of the first joint, then of the second, …
/// base_joint : int
///     The joint that rotations are measured from.
/// joints : integer array (n_joints,)
///     The joints whose rotations count.
/// base_rotation : array (4,)
///     A unit quaternion ``x y z w``.
///
/// Raises
/// ------
/// ShapeError
/// CharacterError
///     A displacement that is not finite, or a base rotation that is not of unit length.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> from kinarray.geometry import PoseShape
/// >>> bulge = PoseShape(np.zeros((1, 3)), np.eye(4, 3)[:, None], base_joint=0, joints=[1])
/// >>> state = np.tile(np.array([0, 0, 0, 0, 0, 0, 1, 1.0]), (2, 1))
/// >>> state[1, 3:7] = 0.6, 0, 0, 0.8
/// >>> bulge.compute_shape(state)
/// array([[0.6, 0. , 0. ]])
#[pyclass(name = "PoseShape", module = "kinarray.geometry", frozen, eq)]
pub struct PyPoseShape(pub Arc<PreparedPoseShape>);

impl PartialEq for PyPoseShape {
    fn eq(&self, other: &Self) -> bool {
        self.core() == other.core()
    }
}

impl PyPoseShape {
    pub fn from_core(core: PoseShape) -> Self {
        Self(Arc::new(PreparedPoseShape::new(Arc::new(core))))
    }

    pub fn core(&self) -> &Arc<PoseShape> {
        self.0.shape()
    }
}

#[pymethods]
impl PyPoseShape {
    #[new]
    #[pyo3(signature = (base_shape, shape_vectors, base_joint, joints, base_rotation = None))]
    fn new(
        base_shape: &Bound<'_, PyAny>,
        shape_vectors: &Bound<'_, PyAny>,
        base_joint: i64,
        joints: &Bound<'_, PyAny>,
        base_rotation: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (base, shape) = values::reals(base_shape, "base_shape")?;
        values::require("base_shape", &shape, &[None, Some(3)], "(n_vertices, 3)")?;
        let base_joint = usize::try_from(base_joint)
            .map_err(|_| Error::value("base_joint", format!("{base_joint} is not an index")))?;
        let (joints, joints_shape) = values::indices(joints, "joints")?;
        values::require("joints", &joints_shape, &[None], "(n_joints,)")?;
        let joints: Vec<usize> = joints.into_iter().map(|joint| joint as usize).collect();
        let (vectors, vectors_shape) = values::reals(shape_vectors, "shape_vectors")?;
        let want = [4 * joints.len(), shape[0], 3];
        let words = format!(
            "({}, {}, 3) = (4 * n_joints, n_vertices, 3)",
            want[0], want[1]
        );
        values::require("shape_vectors", &vectors_shape, &want.map(Some), &words)?;
        let rotation = match base_rotation {
            Some(rotation) => values::fixed::<4>(rotation, "base_rotation")?,
            None => [0.0, 0.0, 0.0, 1.0],
        };
        let core = PoseShape::new(base, vectors, base_joint, rotation, joints)?;
        Ok(Self::from_core(core))
    }

    /// Positions without displacement, ``(n_vertices, 3)``; a read-only view.
    #[getter]
    fn base_shape<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let core = slf.get().core();
        values::view_reals(slf.as_any(), core.shape().base(), &[core.n_vertices(), 3])
    }

    /// Displacements, ``(4 * n_joints, n_vertices, 3)``; a read-only view.
    #[getter]
    fn shape_vectors<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let core = slf.get().core();
        let sizes = [4 * core.joints().len(), core.n_vertices(), 3];
        values::view_reals(slf.as_any(), core.shape().displacements(), &sizes)
    }

    /// The joint that rotations are measured from.
    #[getter]
    fn base_joint(&self) -> usize {
        self.core().base_joint()
    }

    /// The joints whose rotations count.
    #[getter]
    fn joints(&self) -> Vec<usize> {
        self.core().joints().to_vec()
    }

    /// What relative rotations are turned by, ``x y z w``, ``(4,)`` float64; a read-only view.
    #[getter]
    fn base_rotation<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), slf.get().core().base_rotation(), &[4])
    }

    /// The number of vertices.
    #[getter]
    fn n_vertices(&self) -> usize {
        self.core().n_vertices()
    }

    /// The vertices for skeleton states.
    ///
    /// Parameters
    /// ----------
    /// skel_state : array (..., n_joints, 8)
    ///     World states of all joints, ``tx ty tz qx qy qz qw s``; only rotations count. Quaternions need
    ///     not be of unit length.
    /// out : array (..., n_vertices, 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., n_vertices, 3)
    ///     Rest positions, for ``Character.skin_points(skel_state, ...)``; kind, device and dtype of
    ///     ``skel_state``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    #[pyo3(signature = (skel_state, *, out = None))]
    fn compute_shape(
        &self,
        py: Python<'_>,
        skel_state: &Bound<'_, PyAny>,
        out: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let prepared = self.0.clone();
        apply(py, &ComputePoseShape { prepared }, &[skel_state], out)
    }

    fn __repr__(&self) -> String {
        let (joints, vertices) = (self.core().joints().len(), self.n_vertices());
        format!("PoseShape({joints} joints, {vertices} vertices)")
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "PoseShape", &**self.core())
    }
}
