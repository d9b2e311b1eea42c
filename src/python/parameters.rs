//! Functions of model and joint parameters: maps between characters, coefficients, limits, noise.

use pyo3::exceptions::{PyTypeError, PyUserWarning};
use pyo3::prelude::*;
use std::ffi::CString;
use std::sync::Arc;

use crate::backend::operations as op;
use crate::kinematics::{Prepared, PreparedLimits};
use crate::python::apply::apply;
use crate::python::characters::{BY_MODEL_PARAMETERS, Characters};
use crate::python::nouns::{PyCharacter, PyInverseParameterTransform};
use crate::python::values;

type Array<'py> = Bound<'py, PyAny>;

/// Moves model parameters from one character to another, by name.
///
/// Parameters
/// ----------
/// motion_data : array (..., n_source_parameters)
/// source_character : Character or sequence of str
///     Whose parameters they are, or the parameters' names (also as ``source_parameter_names=``).
/// target_character : Character
/// verbose : bool, optional
///     Warn of source parameters that the target does not have; their values are lost. True for a
///     character and false for names, where not given.
/// out : array (..., n_parameters), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., n_parameters)
///     0 for parameters of the target that the source does not have. Lengths are copied as they are:
///     bring both characters to one unit first.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
/// ValueError
///     Source names of which two are the same, or characters in different units.
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> name = character.parameter_transform.names[3]
/// >>> pose = ka.geometry.map_model_parameters(np.array([0.5]), [name], character)
/// >>> pose.nonzero()[0], pose[3]
/// (array([3]), np.float64(0.5))
#[pyfunction]
#[pyo3(signature = (motion_data, source_character = None, target_character = None, verbose = None, *,
                    source_parameter_names = None, out = None))]
pub fn map_model_parameters<'py>(
    py: Python<'py>,
    motion_data: &Array<'py>,
    source_character: Option<&Array<'py>>,
    target_character: Option<&Bound<'py, PyCharacter>>,
    verbose: Option<bool>,
    source_parameter_names: Option<&Array<'py>>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let (source, target) = match (
        source_character.or(source_parameter_names),
        target_character,
    ) {
        (Some(source), Some(target)) => (source, target.get().core()),
        _ => {
            return Err(PyTypeError::new_err(
                "map_model_parameters needs a source_character (or source_parameter_names) and a \
                 target_character",
            ));
        }
    };
    let character = source.cast::<PyCharacter>().ok();
    let names: Vec<String> = match character {
        Some(character) => {
            let source = character.get().core();
            source.unit.require("target_character", target.unit)?;
            source.parameter_transform.names().to_vec()
        }
        None => source.extract()?,
    };
    let transform = &target.parameter_transform;
    let operation = op::SelectParameters::map_model_parameters(&names, transform)?;
    // The defaults are PyMomentum's: verbose for characters, silent for names.
    if verbose.unwrap_or(character.is_some()) {
        let lost = names
            .iter()
            .filter(|name| !transform.names().contains(name));
        warn_of_lost(py, lost)?;
    }
    apply(py, &operation, &[motion_data], out)
}

/// Moves joint parameters from one character to another, by the joints' names.
///
/// Parameters
/// ----------
/// motion_data : array (..., 7 * n_source_joints) or (..., n_source_joints, 7)
/// source_character : Character
/// target_character : Character
/// out : array, optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 7 * n_joints) or (..., n_joints, 7)
///     In the layout of ``motion_data``; 0 for joints that the source does not have.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
/// ValueError
///     Characters in different units.
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> joints = np.full((2, len(character.skeleton), 7), 0.1)
/// >>> same = ka.geometry.map_joint_parameters(joints, character, character)
/// >>> bool((same == joints).all())
/// True
#[pyfunction]
#[pyo3(signature = (motion_data, source_character, target_character, *, out = None))]
pub fn map_joint_parameters<'py>(
    py: Python<'py>,
    motion_data: &Array<'py>,
    source_character: &Bound<'py, PyCharacter>,
    target_character: &Bound<'py, PyCharacter>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let (source, target) = (source_character.get().core(), target_character.get().core());
    source.unit.require("target_character", target.unit)?;
    let operation = op::SelectParameters::map_joint_parameters(source, target);
    apply(py, &operation, &[motion_data], out)
}

/// The model parameters that are blend shape coefficients, in the shapes' order.
///
/// Parameters
/// ----------
/// character : Character, or list of Character
/// model_parameters : array (..., n_parameters)
/// out : array (..., n_shapes), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., n_shapes)
///     0 for a shape whose parameter has been dropped.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> poses = np.zeros((5, character.parameter_transform.size))
/// >>> ka.geometry.model_parameters_to_blend_shape_coefficients(character, poses).shape[0]
/// 5
#[pyfunction]
#[pyo3(signature = (character, model_parameters, *, out = None))]
pub fn model_parameters_to_blend_shape_coefficients<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
    model_parameters: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let operation = |prepared: &Arc<Prepared>| {
        let transform = &prepared.character().parameter_transform;
        Ok(op::SelectParameters::blend_shape_coefficients(transform))
    };
    character.apply(py, BY_MODEL_PARAMETERS, operation, &[model_parameters], out)
}

/// The model parameters that are face expression coefficients, in the expressions' order.
///
/// Parameters
/// ----------
/// character : Character, or list of Character
/// model_parameters : array (..., n_parameters)
/// out : array (..., n_expressions), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., n_expressions)
///     0 for an expression whose parameter has been dropped.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> poses = np.zeros((5, character.parameter_transform.size))
/// >>> ka.geometry.model_parameters_to_face_expression_coefficients(character, poses).shape[0]
/// 5
#[pyfunction]
#[pyo3(signature = (character, model_parameters, *, out = None))]
pub fn model_parameters_to_face_expression_coefficients<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
    model_parameters: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let operation = |prepared: &Arc<Prepared>| {
        let transform = &prepared.character().parameter_transform;
        Ok(op::SelectParameters::face_expression_coefficients(
            transform,
        ))
    };
    character.apply(py, BY_MODEL_PARAMETERS, operation, &[model_parameters], out)
}

/// Stretches uniform noise to poses of moderate size.
///
/// Parameters
/// ----------
/// character : Character, or list of Character
/// unif_noise : array (..., n_parameters)
///     Numbers between 0 and 1.
/// out : array (..., n_parameters), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., n_parameters)
///     Scaling parameters (``scale_`` in the name) in -0.5 .. 0.5, translations (``_tx``, ``_ty`` or
///     ``_tz`` in the name) in -2.5 .. 2.5 centimetres, in the character's unit; all others in
///     -pi/8 .. pi/8.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> noise = np.random.default_rng(0).random((100, character.parameter_transform.size))
/// >>> poses = ka.geometry.uniform_random_to_model_parameters(character, noise)
/// >>> bool(np.abs(poses).max() <= 0.5)
/// True
#[pyfunction]
#[pyo3(signature = (character, unif_noise, *, out = None))]
pub fn uniform_random_to_model_parameters<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
    unif_noise: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let operation = |prepared: &Arc<Prepared>| {
        Ok(op::UniformRandomToModelParameters::new(
            prepared.character(),
        ))
    };
    character.apply(py, BY_MODEL_PARAMETERS, operation, &[unif_noise], out)
}

/// Clamps model parameters to their limits; see ``Character.apply_model_param_limits``.
///
/// Parameters
/// ----------
/// character : Character, or list of Character
/// model_params : array (..., n_parameters)
/// out : array (..., n_parameters), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., n_parameters)
///     NaN stays NaN.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
/// CharacterError
///     Where limits contradict each other.
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> low, high = character.model_parameter_limits
/// >>> poses = np.full((2, character.parameter_transform.size), 9.0)
/// >>> bool((ka.geometry.apply_model_param_limits(character, poses) <= high).all())
/// True
#[pyfunction]
#[pyo3(signature = (character, model_params, *, out = None))]
pub fn apply_model_param_limits<'py>(
    py: Python<'py>,
    character: Characters<'_, 'py>,
    model_params: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let operation = |prepared: &Arc<Prepared>| op::ApplyModelParamLimits::new(prepared.character());
    character.apply(py, BY_MODEL_PARAMETERS, operation, &[model_params], out)
}

/// Finds the model parameters whose joint parameters come closest: the inverse parameter transform.
///
/// Parameters
/// ----------
/// inverse_parameter_transform : InverseParameterTransform
/// joint_parameters : array (..., n_joints, 7) or (..., 7 * n_joints)
/// out : array (..., n_parameters), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., n_parameters)
///     0 for parameters that drive nothing, as blend shapes.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> inverse = character.parameter_transform.inverse()
/// >>> poses = np.full((3, character.parameter_transform.size), 0.1)
/// >>> joints = ka.geometry.apply_parameter_transform(character, poses)
/// >>> bool(np.allclose(ka.geometry.apply_inverse_parameter_transform(inverse, joints), poses))
/// True
#[pyfunction]
#[pyo3(signature = (inverse_parameter_transform, joint_parameters, *, out = None))]
pub fn apply_inverse_parameter_transform<'py>(
    py: Python<'py>,
    inverse_parameter_transform: &Bound<'py, PyInverseParameterTransform>,
    joint_parameters: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let inverse = inverse_parameter_transform.get();
    inverse.apply(py, joint_parameters, out)
}

/// A character with fewer model parameters.
///
/// Parameters
/// ----------
/// character : Character
/// active_parameters : bool array (n_parameters,)
///     The parameters to keep.
///
/// Returns
/// -------
/// Character
///     With the chosen parameters in their order. Parameter sets and the limits follow; limits that speak
///     of a dropped parameter go with it. What dropped parameters drove stays at rest.
///
/// Raises
/// ------
/// ShapeError, DTypeError
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> pose = character.parameter_transform.pose_parameters
/// >>> posable = ka.geometry.reduce_to_selected_model_parameters(character, pose)
/// >>> posable.parameter_transform.size == pose.sum()
/// np.True_
#[pyfunction]
pub fn reduce_to_selected_model_parameters(
    character: &Bound<'_, PyCharacter>,
    active_parameters: &Bound<'_, PyAny>,
) -> PyResult<PyCharacter> {
    let character = character.get();
    let count = character.core().parameter_transform.len();
    let mask = values::mask(active_parameters, "active_parameters", count)?;
    character.reduced_to(&mask)
}

/// A function of poses and the limits on them.
macro_rules! of_limits {
    ($(#[$doc:meta])* $name:ident, $operation:ident) => {
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(signature = (character, model_parameters, enabled_parameters = None, *, out = None))]
        pub fn $name<'py>(
            py: Python<'py>,
            character: &Bound<'py, PyCharacter>,
            model_parameters: &Array<'py>,
            enabled_parameters: Option<&Array<'py>>,
            out: Option<&Array<'py>>,
        ) -> PyResult<Py<PyAny>> {
            let prepared = character.get().prepared.clone();
            let limits = match enabled_parameters {
                None => prepared.limits()?.clone(),
                Some(mask) => {
                    let count = prepared.transform().transform().len();
                    let mask = values::mask(mask, "enabled_parameters", count)?;
                    Arc::new(PreparedLimits::new(prepared.character(), Some(&mask))?)
                }
            };
            apply(py, &op::$operation { prepared, limits }, &[model_parameters], out)
        }
    };
}

of_limits! {
    /// How far poses are beyond the limits on their parameters: one number a limit, three an ellipsoid.
    ///
    /// In the order MinMax, MinMaxJoint, Linear, LinearJoint, HalfPlane, Ellipsoid; limits of one type as
    /// the character has them. ``Character.parameter_limit_indices`` says which limit each number is of,
    /// ``Character.parameter_limit_weights`` how much its square counts. Derivatives are exact, those of
    /// ellipsoids too.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    /// model_parameters : array (..., n_parameters)
    /// enabled_parameters : bool array (n_parameters,), optional
    ///     Limits that none of these parameters can change give 0. All where not given.
    /// out : array (..., n_residuals), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., n_residuals)
    ///     In the character's unit where a limit is about lengths; not weighted.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError, CharacterError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> limit = ka.geometry.ParameterLimit.create_minmax(0, -0.5, 0.5)
    /// >>> character = character.with_parameter_limits([limit])
    /// >>> pose = np.zeros(character.parameter_transform.size)
    /// >>> pose[0] = 0.75
    /// >>> ka.geometry.parameter_limit_residuals(character, pose)
    /// array([0.25])
    parameter_limit_residuals, ParameterLimitResiduals
}

of_limits! {
    /// How strongly poses break the limits on their parameters: ``10 * sum(weight * residual**2)``.
    ///
    /// What PyMomentum's ``LimitErrorFunction`` gives, the factor 10 included. Lengths count in
    /// centimetres, whatever the character's unit.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    /// model_parameters : array (..., n_parameters)
    /// enabled_parameters : bool array (n_parameters,), optional
    ///     Limits that none of these parameters can change do not count. All where not given.
    /// out : array (...), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (...)
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError, CharacterError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> rest = np.zeros((3, character.parameter_transform.size))
    /// >>> ka.geometry.parameter_limit_energy(character, rest)
    /// array([0., 0., 0.])
    parameter_limit_energy, ParameterLimitEnergy
}

/// Warns, as a `UserWarning`, of parameters that the target of a map does not have.
fn warn_of_lost<'a>(py: Python<'_>, lost: impl Iterator<Item = &'a String>) -> PyResult<()> {
    let names: Vec<String> = lost.map(|name| format!("'{name}'")).collect();
    if names.is_empty() {
        return Ok(());
    }
    let text = format!(
        "map_model_parameters: the target has no parameters {}",
        names.join(", ")
    );
    let text = CString::new(text.replace('\0', " "))?;
    PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(map_model_parameters, module)?)?;
    module.add_function(wrap_pyfunction!(map_joint_parameters, module)?)?;
    module.add_function(wrap_pyfunction!(
        model_parameters_to_blend_shape_coefficients,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(
        model_parameters_to_face_expression_coefficients,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(
        uniform_random_to_model_parameters,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(apply_model_param_limits, module)?)?;
    module.add_function(wrap_pyfunction!(apply_inverse_parameter_transform, module)?)?;
    module.add_function(wrap_pyfunction!(
        reduce_to_selected_model_parameters,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(parameter_limit_residuals, module)?)?;
    module.add_function(wrap_pyfunction!(parameter_limit_energy, module)?)
}
