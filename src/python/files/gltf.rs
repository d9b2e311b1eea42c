//! What PyMomentum names by glTF: `Character.load_gltf` and its kin.

use pyo3::prelude::*;

use super::any;
use super::work;
use crate::character::Unit;
use crate::error::Error;
use crate::io::gltf::{StoredMotion, load_scene, load_stored_motion};
use crate::io::{Format, LoadOptions, Loaded, MotionChoice, Up};
use crate::kinematics::PreparedInverse;
use crate::python::nouns::PyCharacter;
use crate::python::values;

#[pymethods]
impl PyCharacter {
    /// Loads a character from a glTF or GLB file; see :func:`kinarray.load_character`.
    #[staticmethod]
    #[pyo3(signature = (path, unit = "m"))]
    fn load_gltf(path: &Bound<'_, PyAny>, unit: &str) -> PyResult<Self> {
        load(path, unit)
    }

    /// Loads a character from the bytes of a GLB, or of a glTF that refers to no other file.
    #[staticmethod]
    #[pyo3(signature = (gltf_bytes, unit = "m"))]
    fn load_gltf_from_bytes(gltf_bytes: &Bound<'_, PyAny>, unit: &str) -> PyResult<Self> {
        load(gltf_bytes, unit)
    }

    /// Loads a character and one animation as model parameters.
    ///
    /// Parameters
    /// ----------
    /// gltf_filename : str, os.PathLike, bytes-like, or binary file object
    /// unit : {"m", "cm", "mm"}
    /// clip : int or str, optional
    ///     Index or name of the animation; the first one where not given. A motion stored by PyMomentum
    ///     (``FB_momentum``) comes first.
    ///
    /// Returns
    /// -------
    /// character : Character
    /// motion : NumPy array (n_frames, n_parameters), float32
    /// identity : NumPy array (7 * n_joints,), float32
    ///     Joint parameters of the body that the motion is for; 0 where the file has none.
    /// fps : float
    ///
    /// Raises
    /// ------
    /// FormatError
    ///     Also where the file has no animation, or the character has a parameter transform of its own
    ///     and the animation is not in its parameters.
    #[staticmethod]
    #[pyo3(signature = (gltf_filename, unit = "m", *, clip = None))]
    fn load_gltf_with_motion<'py>(
        py: Python<'py>,
        gltf_filename: &Bound<'py, PyAny>,
        unit: &str,
        clip: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Self, Bound<'py, PyAny>, Bound<'py, PyAny>, f64)> {
        with_motion(py, gltf_filename, unit, clip)
    }

    /// The same as :meth:`load_gltf_with_motion`, from bytes.
    #[staticmethod]
    #[pyo3(signature = (gltf_bytes, unit = "m", *, clip = None))]
    fn load_gltf_with_motion_from_bytes<'py>(
        py: Python<'py>,
        gltf_bytes: &Bound<'py, PyAny>,
        unit: &str,
        clip: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Self, Bound<'py, PyAny>, Bound<'py, PyAny>, f64)> {
        with_motion(py, gltf_bytes, unit, clip)
    }

    /// Loads a character and one animation as world states of the joints; works for any glTF.
    ///
    /// Parameters
    /// ----------
    /// gltf_filename : str, os.PathLike, bytes-like, or binary file object
    /// unit : {"m", "cm", "mm"}
    /// clip : int or str, optional
    ///     Index or name of the animation; the first one where not given.
    /// fps : float, optional
    ///     Frames per second; the file's own rate where its keys have one, else 30.
    ///
    /// Returns
    /// -------
    /// character : Character
    /// skel_states : NumPy array (n_frames, n_joints, 8), float32
    ///     World from joint, ``tx ty tz qx qy qz qw s``.
    /// timestamps : NumPy array (n_frames,), float64
    ///     Seconds.
    #[staticmethod]
    #[pyo3(signature = (gltf_filename, unit = "m", *, clip = None, fps = None))]
    fn load_gltf_with_skel_states<'py>(
        py: Python<'py>,
        gltf_filename: &Bound<'py, PyAny>,
        unit: &str,
        clip: Option<&Bound<'py, PyAny>>,
        fps: Option<f64>,
    ) -> PyResult<(Self, Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        with_skel_states(py, gltf_filename, unit, clip, fps)
    }

    /// The same as :meth:`load_gltf_with_skel_states`, from bytes.
    #[staticmethod]
    #[pyo3(signature = (gltf_bytes, unit = "m", *, clip = None, fps = None))]
    fn load_gltf_with_skel_states_from_bytes<'py>(
        py: Python<'py>,
        gltf_bytes: &Bound<'py, PyAny>,
        unit: &str,
        clip: Option<&Bound<'py, PyAny>>,
        fps: Option<f64>,
    ) -> PyResult<(Self, Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        with_skel_states(py, gltf_bytes, unit, clip, fps)
    }

    /// Loads a character and a motion whose body is in its scaling parameters.
    ///
    /// Parameters
    /// ----------
    /// gltf_filename : str, os.PathLike, bytes-like, or binary file object
    /// unit : {"m", "cm", "mm"}
    ///
    /// Returns
    /// -------
    /// character : Character
    /// motion : NumPy array (n_frames, n_parameters), float32
    ///     The body's measures are added to the scaling parameters, unless the motion has them already.
    /// model_identity : NumPy array (n_parameters,), float32
    ///     The scaling parameters that come closest to the joint parameters of the body; 0 elsewhere.
    /// fps : float
    #[staticmethod]
    #[pyo3(signature = (gltf_filename, unit = "m"))]
    fn load_gltf_with_motion_model_parameter_scales<'py>(
        py: Python<'py>,
        gltf_filename: &Bound<'py, PyAny>,
        unit: &str,
    ) -> PyResult<(Self, Bound<'py, PyAny>, Bound<'py, PyAny>, f64)> {
        with_scales(py, gltf_filename, unit)
    }

    /// The same as :meth:`load_gltf_with_motion_model_parameter_scales`, from bytes.
    #[staticmethod]
    #[pyo3(signature = (gltf_bytes, unit = "m"))]
    fn load_gltf_with_motion_model_parameter_scales_from_bytes<'py>(
        py: Python<'py>,
        gltf_bytes: &Bound<'py, PyAny>,
        unit: &str,
    ) -> PyResult<(Self, Bound<'py, PyAny>, Bound<'py, PyAny>, f64)> {
        with_scales(py, gltf_bytes, unit)
    }

    /// The time of each frame of a motion that PyMomentum or kinarray stored, usually in microseconds.
    ///
    /// Parameters
    /// ----------
    /// gltf_filename : str, os.PathLike, bytes-like, or binary file object
    ///
    /// Returns
    /// -------
    /// list of int
    ///     Empty where the file does not say.
    #[staticmethod]
    fn load_motion_timestamps(gltf_filename: &Bound<'_, PyAny>) -> PyResult<Vec<i64>> {
        let motion = stored(gltf_filename, "m")?;
        Ok(motion.map_or_else(Vec::new, |motion| motion.timestamps))
    }
}

/// The motion in a file as model parameters, where it has any.
fn stored(source: &Bound<'_, PyAny>, unit: &str) -> PyResult<Option<StoredMotion>> {
    let options = any::options(unit, None)?;
    work::read(source, None, |source| load_stored_motion(source, &options))
}

/// Loads only the motion of a glTF file that PyMomentum or kinarray wrote.
///
/// Parameters
/// ----------
/// gltf_filename : str, os.PathLike, bytes-like, or binary file object
/// unit : {"m", "cm", "mm"}
///     The unit of parameters that are lengths.
///
/// Returns
/// -------
/// motion : NumPy array (n_frames, n_parameters), float32
/// parameter_names : list of str
/// identity : NumPy array (7 * n_joints,), float32
/// joint_names : list of str
///     Both empty where the file has no body of its own.
///
/// Raises
/// ------
/// FormatError
///     Also where the file has no motion as model parameters; then see
///     :meth:`Character.load_gltf_with_skel_states`.
///
/// Examples
/// --------
/// >>> import io
/// >>> import numpy as np
/// >>> from kinarray.geometry import Character, load_motion
/// >>> from kinarray.testing import create_humanoid
/// >>> file, character = io.BytesIO(), create_humanoid(n_vertices=1000)
/// >>> names = character.parameter_transform.names
/// >>> Character.save_gltf(file, character, motion=(names, np.zeros((5, len(names)))))
/// >>> motion, parameter_names, identity, joint_names = load_motion(file.getvalue())
/// >>> motion.shape == (5, len(names)), parameter_names == names, joint_names
/// (True, True, [])
#[pyfunction]
#[pyo3(signature = (gltf_filename, unit = "m"))]
fn load_motion<'py>(
    py: Python<'py>,
    gltf_filename: &Bound<'py, PyAny>,
    unit: &str,
) -> PyResult<(Array<'py>, Vec<String>, Array<'py>, Vec<String>)> {
    let motion = stored(gltf_filename, unit)?.ok_or_else(|| {
        Error::format(
            "extensions.FB_momentum.motion",
            "motion as model parameters",
            "none; load its skeleton states",
        )
    })?;
    let single = |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<_>>();
    let shape = [motion.n_frames(), motion.parameter_names.len()];
    Ok((
        values::fresh(py, single(&motion.poses), &shape)?,
        motion.parameter_names,
        values::fresh(py, single(&motion.offsets), &[motion.offsets.len()])?,
        motion.joint_names,
    ))
}

/// Adds the functions to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(load_motion, module)?)
}

fn with_scales<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    unit: &str,
) -> PyResult<(PyCharacter, Array<'py>, Array<'py>, f64)> {
    let options = any::options(unit, None)?;
    let choice = MotionChoice::default();
    let mut motion = any::motion(source, Some(Format::Gltf), options, choice, None)?;
    let transform = motion.character.parameter_transform.clone();
    let rows = 7 * motion.character.skeleton.len();
    let mut scales = vec![0.0; transform.len()];
    let is_scale = transform.scaling_parameters();
    if !motion.identity.is_empty() {
        // (n_parameters, 7 * n_joints)
        let inverse = PreparedInverse::new(&transform).to_dense();
        for (at, row) in inverse.chunks_exact(rows.max(1)).enumerate() {
            if is_scale[at] {
                let parts = row.iter().zip(&motion.identity);
                scales[at] = parts.map(|(factor, x)| factor * x).sum();
            }
        }
    }
    let count = transform.len().max(1);
    let poses = motion.model_parameters.chunks_exact(count);
    let has_scales = poses
        .flat_map(|pose| pose.iter().zip(&is_scale))
        .any(|(x, is_scale)| *is_scale && *x != 0.0);
    if !has_scales {
        for pose in motion.model_parameters.chunks_exact_mut(count) {
            pose.iter_mut()
                .zip(&scales)
                .for_each(|(x, scale)| *x += scale);
        }
    }
    let single = |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<_>>();
    let shape = [motion.n_frames(), transform.len()];
    Ok((
        PyCharacter::from_core(motion.character.clone()),
        values::fresh(py, single(&motion.model_parameters), &shape)?,
        values::fresh(py, single(&scales), &[scales.len()])?,
        motion.fps,
    ))
}

type Array<'py> = Bound<'py, PyAny>;

fn load(source: &Bound<'_, PyAny>, unit: &str) -> PyResult<PyCharacter> {
    any::character(source, Some(Format::Gltf), any::options(unit, None)?)
}

fn with_motion<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    unit: &str,
    clip: Option<&Bound<'py, PyAny>>,
) -> PyResult<(PyCharacter, Array<'py>, Array<'py>, f64)> {
    let choice = any::choice(clip, None)?;
    let motion = any::motion(
        source,
        Some(Format::Gltf),
        any::options(unit, None)?,
        choice,
        None,
    )?;
    let joints = 7 * motion.character.skeleton.len();
    let mut identity = motion.identity.clone();
    identity.resize(joints, 0.0);
    let single = |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<_>>();
    let parameters = motion.character.parameter_transform.len();
    let shape = [motion.n_frames(), parameters];
    Ok((
        PyCharacter::from_core(motion.character.clone()),
        values::fresh(py, single(&motion.model_parameters), &shape)?,
        values::fresh(py, single(&identity), &[joints])?,
        motion.fps,
    ))
}

fn with_skel_states<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    unit: &str,
    clip: Option<&Bound<'py, PyAny>>,
    fps: Option<f64>,
) -> PyResult<(PyCharacter, Array<'py>, Array<'py>)> {
    let options = LoadOptions {
        unit: Unit::parse(unit)?,
        ..LoadOptions::default()
    };
    let choice: MotionChoice = any::choice(clip, fps)?;
    let (character, states, times) = work::read(source, None, |source| {
        let scene = load_scene(source, &options)?;
        let names: Vec<String> = scene
            .clips
            .iter()
            .map(|clip| clip.name().to_owned())
            .collect();
        let clip = &scene.clips[choice.find(&names)?];
        let times = clip.frame_times(choice.fps.unwrap_or_else(|| clip.fps()))?;
        let states = clip.skeleton_states_single(&times);
        Ok(Loaded {
            value: (scene.character, states, times),
            up: Up::Y,
            warnings: scene.warnings,
        })
    })?;
    let shape = [times.len(), character.skeleton.len(), 8];
    let states = values::fresh(py, states, &shape)?;
    let count = times.len();
    let times = values::fresh(py, times, &[count])?;
    Ok((PyCharacter::from_core(character), states, times))
}
