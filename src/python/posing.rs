//! What a character does with its own constant data: skinning and posing the mesh.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::array::DType;
use crate::backend::Operation;
use crate::backend::cpu::Compute;
use crate::backend::operations::{self as op, RestVertices, SkinPoints, SkinShapedPoints};
use crate::character::{Mesh, Reals};
use crate::error::Error;
use crate::interop::{AnyArray, promote};
use crate::kinematics::Prepared;
use crate::python::apply::apply;
use crate::python::interrupt;

/// `Character.skin_points`.
pub fn skin_points<'py>(
    py: Python<'py>,
    prepared: &Arc<Prepared>,
    skel_state: &Bound<'py, PyAny>,
    rest_vertices: Option<&Bound<'py, PyAny>>,
    model_parameters: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    if let Some(parameters) = model_parameters {
        if rest_vertices.is_some() {
            let problem = "they say what the rest vertices are; give one of both";
            return Err(Error::value("model_parameters and rest_vertices", problem).into());
        }
        let operation = SkinShapedPoints::new(prepared)?;
        return apply(py, &operation, &[skel_state, parameters], out);
    }
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

/// `Character.rest_vertices`.
pub fn rest_vertices<'py>(
    py: Python<'py>,
    prepared: &Arc<Prepared>,
    model_parameters: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    apply(py, &RestVertices::new(prepared)?, &[model_parameters], out)
}

/// `Character.skin_points_dual_quaternion`.
pub fn skin_points_dual_quaternion<'py>(
    py: Python<'py>,
    prepared: &Arc<Prepared>,
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
    prepared: &Arc<Prepared>,
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
    prepared: &Arc<Prepared>,
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
    prepared: &Arc<Prepared>,
    joint_params: &Bound<'_, PyAny>,
    model_parameters: Option<&Bound<'_, PyAny>>,
) -> PyResult<Mesh> {
    let function = "Character.pose_mesh";
    let mut arrays = vec![AnyArray::read(function, "joint_params", joint_params)?];
    if let Some(parameters) = model_parameters {
        arrays.push(AnyArray::read(function, "model_parameters", parameters)?);
    }
    match promote(&arrays)? {
        DType::Float64 => pose::<f64>(py, prepared, &arrays),
        _ => pose::<f32>(py, prepared, &arrays),
    }
}

fn pose<T: Compute>(
    py: Python<'_>,
    prepared: &Arc<Prepared>,
    arrays: &[AnyArray<'_, '_>],
) -> PyResult<Mesh>
where
    Reals: From<Vec<T>>,
{
    let read = |index: usize, what| match arrays.get(index) {
        Some(array) => {
            let memory = array.memory();
            let numbers = memory.to_reals::<T>(what)?;
            PyResult::Ok(Some((numbers, memory.shape())))
        }
        None => Ok(None),
    };
    let (pose, parameters) = (read(0, "joint_params")?, read(1, "model_parameters")?);
    let (values, shape) = pose.unwrap_or_default();
    let parameters = parameters
        .as_ref()
        .map(|(values, shape)| (&values[..], *shape));
    let mesh = &prepared.character().mesh;
    let numbers = mesh.as_ref().map_or(0, |mesh| 16 * mesh.n_vertices());
    interrupt::run(py, numbers, |control| {
        op::pose_mesh(prepared, &values, shape, parameters, control)
    })
}
