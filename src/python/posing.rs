//! What a character does with its own constant data: skinning and posing the mesh.

use pyo3::prelude::*;

use crate::array::DType;
use crate::backend::operations::{self as op, SkinPoints};
use crate::character::Mesh;
use crate::kinematics::Prepared;
use crate::python::apply::apply;
use crate::python::array_in::ArrayIn;
use crate::python::error::to_py;
use crate::python::interrupt;

/// `Character.skin_points`.
pub fn skin_points<'py>(
    py: Python<'py>,
    prepared: &Prepared,
    skel_state: &Bound<'py, PyAny>,
    rest_vertices: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let operation = SkinPoints::new(prepared, rest_vertices.is_some()).map_err(to_py)?;
    match rest_vertices {
        Some(rest) => apply(py, &operation, &[skel_state, rest], out),
        None => apply(py, &operation, &[skel_state], out),
    }
}

/// `Character.pose_mesh`.
pub fn pose_mesh(
    py: Python<'_>,
    prepared: &Prepared,
    joint_params: &Bound<'_, PyAny>,
) -> PyResult<Mesh> {
    let what = "joint_params";
    let array = ArrayIn::extract(joint_params, what)?;
    let memory = array.foreign();
    let shape = memory.shape();
    let double = memory.dtype() == DType::Float64;
    let mesh = if double {
        let values = memory.to_reals::<f64>(what).map_err(to_py)?;
        interrupt::detached(py, |control| op::pose_mesh(prepared, &values, shape, control))
    } else {
        let values = memory.to_reals::<f32>(what).map_err(to_py)?;
        interrupt::detached(py, |control| op::pose_mesh(prepared, &values, shape, control))
    };
    mesh
}
