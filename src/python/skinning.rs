//! Skinning as functions, so that each item may have its own character.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::backend::operations::SkinPoints;
use crate::kinematics::Prepared;
use crate::python::characters::{BY_JOINTS, BY_VERTICES, Characters};

/// Moves points with the character's joints by linear blend skinning; see ``Character.skin_points``.
///
/// Parameters
/// ----------
/// character : Character, or list of Character
///     A list has one character for each item along the last batch axis; all of equal sizes.
/// skel_state : array (..., n_joints, 8) or (..., n_joints, 4, 4)
///     Skeleton states ``tx ty tz qx qy qz qw s``, or world-from-joint matrices.
/// rest_vertices : array (..., n_vertices, 3), optional
///     The mesh's own vertices where not given. Batch axes broadcast.
/// out : array (..., n_vertices, 3), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., n_vertices, 3)
///     World positions, in the character's unit, of the kind, device and dtype of ``skel_state``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError, CharacterError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> small = ka.testing.create_humanoid(n_vertices=1000)
/// >>> people = [small, small.scaled(1.2)]
/// >>> pose = np.zeros(small.parameter_transform.size, np.float32)
/// >>> states = ka.geometry.model_parameters_to_skeleton_state(people, pose)
/// >>> ka.geometry.skin_points(people, states).shape == (2, small.mesh.n_vertices, 3)
/// True
#[pyfunction]
#[pyo3(signature = (character, skel_state, rest_vertices = None, *, out = None))]
pub fn skin_points<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
    skel_state: &Bound<'py, PyAny>,
    rest_vertices: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    match rest_vertices {
        Some(rest) => {
            let operation = |prepared: &Arc<Prepared>| SkinPoints::new(prepared, true);
            character.apply(py, BY_VERTICES, operation, &[skel_state, rest], out)
        }
        None => {
            let operation = |prepared: &Arc<Prepared>| SkinPoints::new(prepared, false);
            character.apply(py, BY_VERTICES, operation, &[skel_state], out)
        }
    }
}

/// Moves the skinned locators with the character's joints; see ``Character.skin_skinned_locators``.
///
/// Parameters
/// ----------
/// character : Character, or list of Character
///     A list has one character for each item along the last batch axis; all with as many locators.
/// skel_state : array (..., n_joints, 8) or (..., n_joints, 4, 4)
///     Skeleton states, or world-from-joint matrices.
/// rest_positions : array (..., n_locators, 3), optional
///     The locators' own positions where not given. Batch axes broadcast.
/// out : array (..., n_locators, 3), optional
///
/// Returns
/// -------
/// array (..., n_locators, 3)
///     World positions, of the kind, device and dtype of ``skel_state``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError, CharacterError
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> tip = ka.geometry.SkinnedLocator("tip", [1, 2], [0.5, 0.5], [0.0, 1.0, 0.0])
/// >>> character = character.with_skinned_locators([tip])
/// >>> ka.geometry.skin_skinned_locators(character, character.bind_pose).round(6).tolist()
/// [[0.0, 1.0, 0.0]]
#[pyfunction]
#[pyo3(signature = (character, skel_state, rest_positions = None, *, out = None))]
pub fn skin_skinned_locators<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
    skel_state: &Bound<'py, PyAny>,
    rest_positions: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    match rest_positions {
        Some(rest) => {
            let operation =
                |prepared: &Arc<Prepared>| Ok(SkinPoints::of_skinned_locators(prepared, true));
            character.apply(py, BY_JOINTS, operation, &[skel_state, rest], out)
        }
        None => {
            let operation =
                |prepared: &Arc<Prepared>| Ok(SkinPoints::of_skinned_locators(prepared, false));
            character.apply(py, BY_JOINTS, operation, &[skel_state], out)
        }
    }
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(skin_points, module)?)?;
    module.add_function(wrap_pyfunction!(skin_skinned_locators, module)?)
}
