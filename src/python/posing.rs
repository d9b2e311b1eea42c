//! What a character does with its own constant data: skinning and posing the mesh.

use pyo3::prelude::*;

use crate::array::DType;
use crate::backend::Operation;
use crate::backend::operations::{self as op, SkinPoints};
use crate::character::Mesh;
use crate::interop::AnyArray;
use crate::kinematics::Prepared;
use crate::python::apply::apply;
use crate::python::interrupt;

/// `Character.skin_points`.
pub fn skin_points<'py>(
    py: Python<'py>,
    prepared: &Prepared,
    skel_state: &Bound<'py, PyAny>,
    rest_vertices: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let operation = SkinPoints::new(prepared, rest_vertices.is_some())?;
    skin(py, &operation, skel_state, rest_vertices, out)
}

/// Applies an operation that may be given other rest points than the character's own.
fn skin<'py>(
    py: Python<'py>,
    operation: &impl Operation,
    skel_state: &Bound<'py, PyAny>,
    rest: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    match rest {
        Some(rest) => apply(py, operation, &[skel_state, rest], out),
        None => apply(py, operation, &[skel_state], out),
    }
}

/// `Character.skin_points_dual_quaternion`.
pub fn skin_points_dual_quaternion<'py>(
    py: Python<'py>,
    prepared: &Prepared,
    skel_state: &Bound<'py, PyAny>,
    rest_vertices: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let operation = op::SkinPointsDualQuaternion::new(prepared, rest_vertices.is_some())?;
    skin(py, &operation, skel_state, rest_vertices, out)
}

/// `Character.skin_skinned_locators`.
pub fn skin_skinned_locators<'py>(
    py: Python<'py>,
    prepared: &Prepared,
    skel_state: &Bound<'py, PyAny>,
    rest_positions: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let operation = SkinPoints::of_skinned_locators(prepared, rest_positions.is_some());
    skin(py, &operation, skel_state, rest_positions, out)
}

/// `Character.locator_positions`.
pub fn locator_positions<'py>(
    py: Python<'py>,
    prepared: &Prepared,
    skel_state: &Bound<'py, PyAny>,
    offsets: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let operation = SkinPoints::of_locators(prepared, offsets.is_some());
    skin(py, &operation, skel_state, offsets, out)
}

/// `Character.pose_mesh`.
pub fn pose_mesh(
    py: Python<'_>,
    prepared: &Prepared,
    joint_params: &Bound<'_, PyAny>,
) -> PyResult<Mesh> {
    let what = "joint_params";
    let array = AnyArray::read("Character.pose_mesh", what, joint_params)?;
    let shape = array.memory().shape();
    let numbers = prepared
        .character()
        .mesh
        .as_ref()
        .map_or(0, |mesh| 16 * mesh.n_vertices());
    match array.precision()? {
        DType::Float64 => {
            let values = array.memory().to_reals::<f64>(what)?;
            interrupt::run(py, numbers, |control| {
                op::pose_mesh(prepared, &values, shape, control)
            })
        }
        _ => {
            let values = array.memory().to_reals::<f32>(what)?;
            interrupt::run(py, numbers, |control| {
                op::pose_mesh(prepared, &values, shape, control)
            })
        }
    }
}
