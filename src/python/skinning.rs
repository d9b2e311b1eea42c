//! Skinning as functions, so that each item may have its own character.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::backend::operations::{
    PosedPoints, SkinPoints, SkinPointsWithWeights, SkinShapedPoints,
};
use crate::error::Error;
use crate::kinematics::Prepared;
use crate::python::characters::{BOTH, BY_JOINTS, BY_MODEL_PARAMETERS, BY_VERTICES, Characters};

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
/// model_parameters : array (..., n_parameters), optional
///     The mesh in the shape that these ask for, instead of ``rest_vertices``.
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
#[pyo3(signature = (
    character, skel_state, rest_vertices = None, *, model_parameters = None, out = None,
))]
pub fn skin_points<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
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
        return character.apply(
            py,
            BOTH,
            SkinShapedPoints::new,
            &[skel_state, parameters],
            out,
        );
    }
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

/// Moves points with the character's joints by weights that are an argument: for those who fit weights.
///
/// Parameters
/// ----------
/// character : Character, or list of Character
///     A list has one character for each item along the last batch axis; all of equal sizes.
/// skel_state : array (..., n_joints, 8) or (..., n_joints, 4, 4)
///     Skeleton states, or world-from-joint matrices.
/// weights : array (..., n_vertices, n_influences)
///     One weight for each of ``character.skin_weights.index``, used as they are. Batch axes broadcast.
/// rest_vertices : array (..., n_vertices, 3), optional
///     The mesh's own vertices where not given.
/// out : array (..., n_vertices, 3), optional
///
/// Returns
/// -------
/// array (..., n_vertices, 3)
///     World positions, of the kind, device and dtype of ``skel_state``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError, CharacterError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> weights = character.skin_weights.weight
/// >>> ka.geometry.skin_points_with_weights(character, character.bind_pose, weights).shape == (
/// ...     character.mesh.n_vertices, 3)
/// True
#[pyfunction]
#[pyo3(signature = (character, skel_state, weights, rest_vertices = None, *, out = None))]
pub fn skin_points_with_weights<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
    skel_state: &Bound<'py, PyAny>,
    weights: &Bound<'py, PyAny>,
    rest_vertices: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    match rest_vertices {
        Some(rest) => {
            let operation = |prepared: &_| SkinPointsWithWeights::new(prepared, true);
            let arrays = [skel_state, weights, rest];
            character.apply(py, BY_VERTICES, operation, &arrays, out)
        }
        None => {
            let operation = |prepared: &_| SkinPointsWithWeights::new(prepared, false);
            character.apply(py, BY_VERTICES, operation, &[skel_state, weights], out)
        }
    }
}

/// Poses the mesh in one step: skeleton states of the parameters, then skinning.
///
/// A character with blend shapes is in the shape that the parameters ask for, as with
/// ``skin_points(..., model_parameters=...)``. Under :mod:`kinarray.autograd` there is one backward pass,
/// and of what lies between nothing is kept.
///
/// Parameters
/// ----------
/// character : Character, or list of Character
///     A list has one character for each item along the last batch axis; all of equal sizes.
/// model_parameters : array (..., n_parameters)
///     Radians, and lengths in the character's unit.
/// rest_vertices : array (..., n_vertices, 3), optional
///     Rest vertices instead of the mesh's own and of shapes. Batch axes broadcast.
/// out : array (..., n_vertices, 3), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., n_vertices, 3)
///     World positions, in the character's unit, of the kind, device and dtype of ``model_parameters``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError, CharacterError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> poses = np.zeros((2, character.parameter_transform.size))
/// >>> ka.geometry.model_parameters_to_skinned_points(character, poses).shape == (
/// ...     2, character.mesh.n_vertices, 3)
/// True
#[pyfunction]
#[pyo3(signature = (character, model_parameters, rest_vertices = None, *, out = None))]
pub fn model_parameters_to_skinned_points<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
    model_parameters: &Bound<'py, PyAny>,
    rest_vertices: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    if let Some(rest) = rest_vertices {
        let operation = |prepared: &_| PosedPoints::of_mesh(prepared, true);
        return character.apply(py, BOTH, operation, &[model_parameters, rest], out);
    }
    if character.have_shapes() {
        return character.apply(py, BOTH, PosedPoints::of_shapes, &[model_parameters], out);
    }
    let operation = |prepared: &_| PosedPoints::of_mesh(prepared, false);
    character.apply(py, BOTH, operation, &[model_parameters], out)
}

/// The world positions of the locators in one step: skeleton states of the parameters, then the locators
/// on their joints.
///
/// Parameters
/// ----------
/// character : Character, or list of Character
///     A list has one character for each item along the last batch axis; all with as many locators.
/// model_parameters : array (..., n_parameters)
/// offsets : array (..., n_locators, 3), optional
///     Positions in the joints' frames instead of the locators' own. Batch axes broadcast.
/// out : array (..., n_locators, 3), optional
///
/// Returns
/// -------
/// array (..., n_locators, 3)
///     World positions, in the character's unit, of the kind, device and dtype of ``model_parameters``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError, CharacterError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> hand = ka.geometry.Locator("hand", 0, [0.0, 1.0, 0.0])
/// >>> character = character.with_locators([hand], replace=True)
/// >>> pose = np.zeros(character.parameter_transform.size)
/// >>> ka.geometry.model_parameters_to_locator_positions(character, pose).shape
/// (1, 3)
#[pyfunction]
#[pyo3(signature = (character, model_parameters, offsets = None, *, out = None))]
pub fn model_parameters_to_locator_positions<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
    model_parameters: &Bound<'py, PyAny>,
    offsets: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    match offsets {
        Some(offsets) => {
            let operation = |prepared: &_| Ok(PosedPoints::of_locators(prepared, true));
            let arrays = [model_parameters, offsets];
            character.apply(py, BY_MODEL_PARAMETERS, operation, &arrays, out)
        }
        None => {
            let operation = |prepared: &_| Ok(PosedPoints::of_locators(prepared, false));
            character.apply(py, BY_MODEL_PARAMETERS, operation, &[model_parameters], out)
        }
    }
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(skin_points, module)?)?;
    module.add_function(wrap_pyfunction!(skin_points_with_weights, module)?)?;
    module.add_function(wrap_pyfunction!(
        model_parameters_to_skinned_points,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(
        model_parameters_to_locator_positions,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(skin_skinned_locators, module)?)
}
