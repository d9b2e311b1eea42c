//! The functions of `kinarray.geometry`: each names its operation and passes its arguments through the
//! doors.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::backend::operations as op;
use crate::interop::AnyArray;
use crate::kinematics::{NormalsPlan, Prepared};
use crate::python::apply::apply_to;
use crate::python::characters::{BY_JOINTS, BY_MODEL_PARAMETERS, Characters};
use crate::python::record::{record, shapes_to_record};
use crate::python::values;

type Array<'py> = Bound<'py, PyAny>;

/// Maps model parameters to joint parameters: the parameter transform.
///
/// Parameters
/// ----------
/// character : Character, or list of Character
/// model_parameters : array (..., n_parameters)
/// flatten : bool
///     The result's trailing axes: ``(7 * n_joints,)``, or ``(n_joints, 7)`` where false.
/// out : array, optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 7 * n_joints) or (..., n_joints, 7)
///     ``tx ty tz rx ry rz sc`` of each joint: the character's unit, radians, log2 of the scale. Kind,
///     device and dtype are those of ``model_parameters``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> poses = np.zeros((4, character.parameter_transform.size))
/// >>> ka.geometry.apply_parameter_transform(character, poses, flatten=False).shape[-1]
/// 7
#[pyfunction]
#[pyo3(signature = (character, model_parameters, flatten = true, *, out = None))]
pub fn apply_parameter_transform<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
    model_parameters: &Array<'py>,
    flatten: bool,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    character.apply(
        py,
        BY_MODEL_PARAMETERS,
        |prepared| {
            let transform = prepared.transform().clone();
            Ok(op::ApplyParameterTransform { transform, flatten })
        },
        &[model_parameters],
        out,
    )
}

/// A function of a character and one array.
macro_rules! from_one_array {
    ($(#[$doc:meta])* $name:ident, $argument:ident, $sizes:ident, $operation:ident) => {
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(signature = (character, $argument, *, out = None))]
        pub fn $name<'py>(
            py: Python<'py>,
            character: Characters<'_, 'py>,
            $argument: &Array<'py>,
            out: Option<&Array<'py>>,
        ) -> PyResult<Py<PyAny>> {
            let operation = |prepared: &Arc<Prepared>| {
                let prepared = prepared.clone();
                Ok(op::$operation { prepared })
            };
            character.apply(py, $sizes, operation, &[$argument], out)
        }
    };
}

from_one_array! {
    /// Poses the skeleton: model parameters to world states of the joints.
    ///
    /// Parameters
    /// ----------
    /// character : Character, or list of Character
    /// model_parameters : array (..., n_parameters)
    ///     Any kind of array; float32 and float64 are computed in their own precision, half precision in
    ///     float32. NaN passes through to the joints it drives.
    /// out : array (..., n_joints, 8), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., n_joints, 8)
    ///     World from joint, ``tx ty tz qx qy qz qw s``, in the character's unit; kind, device and dtype of
    ///     ``model_parameters``. Nothing is copied on the way in or out.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> poses = np.zeros((10, character.parameter_transform.size), np.float32)
    /// >>> state = ka.geometry.model_parameters_to_skeleton_state(character, poses)
    /// >>> state.shape == (10, len(character.skeleton), 8), state.dtype
    /// (True, dtype('float32'))
    model_parameters_to_skeleton_state, model_parameters, BY_MODEL_PARAMETERS, ModelParametersToSkeletonState
}

from_one_array! {
    /// Poses each joint relative to its parent: model parameters to local states.
    ///
    /// Parameters
    /// ----------
    /// character : Character, or list of Character
    /// model_parameters : array (..., n_parameters)
    /// out : array (..., n_joints, 8), optional
    ///
    /// Returns
    /// -------
    /// array (..., n_joints, 8)
    ///     Parent from joint, ``tx ty tz qx qy qz qw s``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> local = ka.geometry.model_parameters_to_local_skeleton_state(
    /// ...     character, np.zeros(character.parameter_transform.size))
    /// >>> bool(np.allclose(local[:, :3], character.skeleton.offsets))
    /// True
    model_parameters_to_local_skeleton_state, model_parameters, BY_MODEL_PARAMETERS, ModelParametersToLocalSkeletonState
}

from_one_array! {
    /// Poses the skeleton: joint parameters to world states of the joints.
    ///
    /// Parameters
    /// ----------
    /// character : Character, or list of Character
    /// joint_parameters : array (..., 7 * n_joints) or (..., n_joints, 7)
    ///     ``tx ty tz rx ry rz sc`` of each joint; where both readings fit, ``(n_joints, 7)`` is taken.
    /// out : array (..., n_joints, 8), optional
    ///
    /// Returns
    /// -------
    /// array (..., n_joints, 8)
    ///     World from joint, ``tx ty tz qx qy qz qw s``, in the character's unit.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> joints = np.zeros((3, len(character.skeleton), 7))
    /// >>> ka.geometry.joint_parameters_to_skeleton_state(character, joints).shape[0]
    /// 3
    joint_parameters_to_skeleton_state, joint_parameters, BY_JOINTS, JointParametersToSkeletonState
}

from_one_array! {
    /// Poses each joint relative to its parent: joint parameters to local states.
    ///
    /// Parameters
    /// ----------
    /// character : Character, or list of Character
    /// joint_parameters : array (..., 7 * n_joints) or (..., n_joints, 7)
    /// out : array (..., n_joints, 8), optional
    ///
    /// Returns
    /// -------
    /// array (..., n_joints, 8)
    ///     Parent from joint, ``tx ty tz qx qy qz qw s``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> joints = np.zeros(7 * len(character.skeleton))
    /// >>> ka.geometry.joint_parameters_to_local_skeleton_state(character, joints).shape[-1]
    /// 8
    joint_parameters_to_local_skeleton_state, joint_parameters, BY_JOINTS, JointParametersToLocalSkeletonState
}

from_one_array! {
    /// Finds the joint parameters of world states; the inverse of forward kinematics.
    ///
    /// Angles are Euler ``xyz`` with ``|ry| <= pi/2``. At gimbal lock (``|ry| = pi/2``) ``rx`` is 0 and
    /// ``rz`` takes the whole turn, so the state comes back exactly. Scales that are not positive give NaN.
    ///
    /// Parameters
    /// ----------
    /// character : Character, or list of Character
    /// skel_state : array (..., n_joints, 8)
    ///     World from joint; quaternions of any length but 0.
    /// out : array (..., n_joints, 7), optional
    ///
    /// Returns
    /// -------
    /// array (..., n_joints, 7)
    ///     ``tx ty tz rx ry rz sc`` of each joint.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> joints = np.full((len(character.skeleton), 7), 0.1)
    /// >>> state = ka.geometry.joint_parameters_to_skeleton_state(character, joints)
    /// >>> bool(np.allclose(ka.geometry.skeleton_state_to_joint_parameters(character, state), joints))
    /// True
    skeleton_state_to_joint_parameters, skel_state, BY_JOINTS, SkeletonStateToJointParameters
}

from_one_array! {
    /// Finds the joint parameters of local states (parent from joint).
    ///
    /// Parameters
    /// ----------
    /// character : Character, or list of Character
    /// local_skel_state : array (..., n_joints, 8)
    /// out : array (..., n_joints, 7), optional
    ///
    /// Returns
    /// -------
    /// array (..., n_joints, 7)
    ///     ``tx ty tz rx ry rz sc`` of each joint; see ``skeleton_state_to_joint_parameters``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> joints = np.full((len(character.skeleton), 7), 0.1)
    /// >>> local = ka.geometry.joint_parameters_to_local_skeleton_state(character, joints)
    /// >>> bool(np.allclose(ka.geometry.local_skeleton_state_to_joint_parameters(character, local), joints))
    /// True
    local_skeleton_state_to_joint_parameters, local_skel_state, BY_JOINTS, LocalSkeletonStateToJointParameters
}

/// Maps model parameters to joint parameters ``(..., 7 * n_joints)``.
///
/// The same as :func:`apply_parameter_transform` with its default layout, under the name that goes with
/// the other ``model_parameters_to_...`` functions.
///
/// Parameters
/// ----------
/// character : Character, or list of Character
/// model_parameters : array (..., n_parameters)
/// out : array (..., 7 * n_joints), optional
///
/// Returns
/// -------
/// array (..., 7 * n_joints)
///     ``tx ty tz rx ry rz sc`` of each joint.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> poses = np.zeros((2, character.parameter_transform.size))
/// >>> ka.geometry.model_parameters_to_joint_parameters(character, poses).shape[0]
/// 2
#[pyfunction]
#[pyo3(signature = (character, model_parameters, *, out = None))]
pub fn model_parameters_to_joint_parameters<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
    model_parameters: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    apply_parameter_transform(py, character, model_parameters, true, out)
}

/// A function of a character, parameters, and points on its joints.
macro_rules! positions {
    ($(#[$doc:meta])* $name:ident, $argument:ident, $sizes:ident, $operation:ident) => {
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(signature = (character, $argument, parents, offsets, *, out = None))]
        pub fn $name<'py>(
            py: Python<'py>,
            character: Characters<'_, 'py>,
            $argument: &Array<'py>,
            parents: &Array<'py>,
            offsets: &Array<'py>,
            out: Option<&Array<'py>>,
        ) -> PyResult<Py<PyAny>> {
            let (parents, shape) = values::indices(parents, "parents")?;
            values::require("parents", &shape, &[None], "(n_points,)")?;
            let parents: Arc<[u32]> = parents.into();
            let operation = |prepared: &Arc<Prepared>| {
                let (prepared, parents) = (prepared.clone(), parents.clone());
                Ok(op::$operation { prepared, parents })
            };
            character.apply(py, $sizes, operation, &[$argument, offsets], out)
        }
    };
}

positions! {
    /// World positions of points fixed to joints, from model parameters.
    ///
    /// Parameters
    /// ----------
    /// character : Character, or list of Character
    /// model_parameters : array (..., n_parameters)
    /// parents : integer array (n_points,)
    ///     The joint that carries each point.
    /// offsets : array (..., n_points, 3)
    ///     Positions in the joints' frames, in the character's unit. Batch axes broadcast.
    /// out : array (..., n_points, 3), optional
    ///
    /// Returns
    /// -------
    /// array (..., n_points, 3)
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError, ValueError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> parents, offsets = character.find_locators([character.locators[0].name])
    /// >>> poses = np.zeros((5, character.parameter_transform.size))
    /// >>> ka.geometry.model_parameters_to_positions(character, poses, parents, offsets).shape
    /// (5, 1, 3)
    model_parameters_to_positions, model_parameters, BY_MODEL_PARAMETERS, ModelParametersToPositions
}

positions! {
    /// World positions of points fixed to joints, from joint parameters.
    ///
    /// Parameters
    /// ----------
    /// character : Character, or list of Character
    /// joint_parameters : array (..., 7 * n_joints) or (..., n_joints, 7)
    /// parents : integer array (n_points,)
    ///     The joint that carries each point.
    /// offsets : array (..., n_points, 3)
    ///     Positions in the joints' frames, in the character's unit. Batch axes broadcast.
    /// out : array (..., n_points, 3), optional
    ///
    /// Returns
    /// -------
    /// array (..., n_points, 3)
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError, ValueError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> joints = np.zeros(7 * len(character.skeleton))
    /// >>> ka.geometry.joint_parameters_to_positions(character, joints, [0], [[0.0, 0.0, 0.0]]).shape
    /// (1, 3)
    joint_parameters_to_positions, joint_parameters, BY_JOINTS, JointParametersToPositions
}

/// Smooth normals of a triangle mesh: the sum of its triangles' normals by area, of unit length.
///
/// Parameters
/// ----------
/// vertex_positions : array (..., n_vertices, 3)
/// triangles : integer array (n_faces, 3)
///     Counter-clockwise seen from outside.
/// out : array (..., n_vertices, 3), optional
///
/// Returns
/// -------
/// array (..., n_vertices, 3)
///     Zero where a vertex meets no triangle of non-zero area.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
/// ValueError
///     A triangle that uses a vertex there is not.
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
/// >>> ka.geometry.compute_vertex_normals(corners, [[0, 1, 2]])[0]
/// array([0., 0., 1.])
#[pyfunction]
#[pyo3(signature = (vertex_positions, triangles, *, out = None))]
pub fn compute_vertex_normals<'py>(
    py: Python<'py>,
    vertex_positions: &Array<'py>,
    triangles: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let triangles = values::triangles(triangles, "triangles")?;
    let of = |shape: &[usize]| {
        // A shape without a vertex axis is refused by the operation, in its words.
        let n_vertices = shape.iter().rev().nth(1).copied().unwrap_or(usize::MAX);
        let plan = Arc::new(NormalsPlan::new(triangles, n_vertices)?);
        crate::error::Result::Ok(op::ComputeVertexNormals { plan })
    };
    if let Some([shape]) = shapes_to_record(py, [vertex_positions])? {
        return record(py, &of(&shape)?, &[vertex_positions], out);
    }
    let vertices = AnyArray::read(
        "compute_vertex_normals",
        "vertex_positions",
        vertex_positions,
    )?;
    let operation = of(vertices.memory().shape())?;
    apply_to::<1>(py, &operation, &[vertices], out)
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(apply_parameter_transform, module)?)?;
    module.add_function(wrap_pyfunction!(
        model_parameters_to_joint_parameters,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(
        model_parameters_to_local_skeleton_state,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(
        model_parameters_to_skeleton_state,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(model_parameters_to_positions, module)?)?;
    module.add_function(wrap_pyfunction!(
        joint_parameters_to_local_skeleton_state,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(
        joint_parameters_to_skeleton_state,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(joint_parameters_to_positions, module)?)?;
    module.add_function(wrap_pyfunction!(
        skeleton_state_to_joint_parameters,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(
        local_skeleton_state_to_joint_parameters,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(compute_vertex_normals, module)?)
}
