//! Loading files from Python: a path, bytes or a file object.

use numpy::PyUntypedArray;
use pyo3::exceptions::{PyTypeError, PyUserWarning};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ffi::CString;
use std::path::PathBuf;

use crate::character::Unit;
use crate::error::{Error, Result};
use crate::io::gltf::{self, Clip, LoadOptions, LoadedScene};
use crate::python::error::to_py;
use crate::python::nouns::PyCharacter;
use crate::python::values;

/// Where a file's bytes come from.
enum Source<'py> {
    Path(PathBuf),
    Bytes(Bound<'py, PyBytes>),
}

fn source<'py>(object: &Bound<'py, PyAny>) -> PyResult<Source<'py>> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Source::Bytes(bytes.clone()));
    }
    let py = object.py();
    if object.hasattr("read")? {
        let read = object.call_method0("read")?;
        let bytes = read.cast_into::<PyBytes>().map_err(|_| {
            PyTypeError::new_err("the file object gives text; open it in binary mode ('rb')")
        })?;
        return Ok(Source::Bytes(bytes));
    }
    if object.is_instance_of::<pyo3::types::PyString>() || object.hasattr("__fspath__")? {
        return Ok(Source::Path(object.extract()?));
    }
    let bytes = py.get_type::<PyBytes>().call1((py.import("builtins")?.getattr("memoryview")?.call1((object,)).map_err(
        |_| {
            let kind = object.get_type().name().map_or_else(|_| "?".into(), |name| name.to_string());
            PyTypeError::new_err(format!(
                "expected a path, bytes or a binary file object, got {kind}"
            ))
        },
    )?,))?;
    Ok(Source::Bytes(bytes.cast_into()?))
}

/// Reads a scene with the interpreter released; what was left out becomes warnings.
fn load(object: &Bound<'_, PyAny>, unit: &str) -> PyResult<LoadedScene> {
    let py = object.py();
    let options = LoadOptions {
        unit: Unit::parse(unit).map_err(to_py)?,
        ..LoadOptions::default()
    };
    let scene: Result<LoadedScene> = match source(object)? {
        Source::Path(path) => py.detach(|| gltf::load_file(&path, &options)),
        Source::Bytes(bytes) => {
            let bytes = bytes.as_bytes();
            py.detach(|| gltf::load(bytes, &options))
        }
    };
    let scene = scene.map_err(to_py)?;
    for warning in &scene.warnings {
        let text = CString::new(warning.replace('\0', " "))?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)?;
    }
    Ok(scene)
}

/// The animation that a caller means: an index, a name, or the first one.
fn pick<'a>(scene: &'a LoadedScene, clip: Option<&Bound<'_, PyAny>>) -> PyResult<&'a Clip> {
    let names = || {
        let names: Vec<String> = scene.clips.iter().map(|clip| format!("'{}'", clip.name())).collect();
        format!("the file has {} animations: {}", names.len(), names.join(", "))
    };
    let found = match clip {
        None => scene.clips.first(),
        Some(clip) => match clip.extract::<usize>() {
            Ok(index) => scene.clips.get(index),
            Err(_) => {
                let name: String = clip.extract()?;
                scene.clips.iter().find(|clip| clip.name() == name)
            }
        },
    };
    found.ok_or_else(|| {
        let wanted = clip.map_or_else(|| "animations".into(), |clip| format!("animations[{clip}]"));
        to_py(Error::format(wanted, "an animation", names()))
    })
}

/// Loads a character from a file.
///
/// Parameters
/// ----------
/// source : str, os.PathLike, bytes-like, or binary file object
///     glTF 2.0, as ``.gltf`` or ``.glb`` (``.vrm`` and ``.vrma`` are glTF too). Only a path lets a
///     ``.gltf`` refer to other files, which must lie beside it.
/// unit : {"m", "cm", "mm"}
///     The unit of the character's lengths.
///
/// Returns
/// -------
/// Character
///     Zero parameters are the file's rest pose. Its parameter transform is the file's own (PyMomentum's
///     ``FB_momentum`` extension) or has one model parameter for each of the 7 parameters of each joint.
///
/// Raises
/// ------
/// FormatError
///     Naming the file, the place inside it, what was expected and what was found.
/// OSError
///     The file cannot be read.
///
/// Warns
/// -----
/// UserWarning
///     For each feature that was left out.
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> ka.load_character(b"not a model")  # doctest: +IGNORE_EXCEPTION_DETAIL
/// Traceback (most recent call last):
/// kinarray.FormatError: <bytes>: ...
#[pyfunction]
#[pyo3(signature = (source, unit = "m"))]
pub fn load_character(source: &Bound<'_, PyAny>, unit: &str) -> PyResult<PyCharacter> {
    Ok(PyCharacter::from_core(load(source, unit)?.character))
}

type Array<'py> = Bound<'py, PyUntypedArray>;

#[pymethods]
impl PyCharacter {
    /// Loads a character from a glTF or GLB file; see :func:`kinarray.load_character`.
    #[staticmethod]
    #[pyo3(signature = (path, unit = "m"))]
    fn load_gltf(path: &Bound<'_, PyAny>, unit: &str) -> PyResult<Self> {
        load_character(path, unit)
    }

    /// Loads a character from the bytes of a GLB, or of a glTF that refers to no other file.
    #[staticmethod]
    #[pyo3(signature = (gltf_bytes, unit = "m"))]
    fn load_gltf_from_bytes(gltf_bytes: &Bound<'_, PyAny>, unit: &str) -> PyResult<Self> {
        load_character(gltf_bytes, unit)
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
    ) -> PyResult<(Self, Array<'py>, Array<'py>, f64)> {
        let mut scene = load(gltf_filename, unit)?;
        let joints = 7 * scene.character.skeleton.len();
        let parameters = scene.character.parameter_transform.len();
        let stored = if clip.is_none() { scene.motion.take() } else { None };
        let (motion, identity, fps) = match stored {
            Some(motion) => (motion.model_parameters, motion.identity, motion.fps),
            None => {
                let clip = pick(&scene, clip)?;
                if parameters != joints {
                    return Err(to_py(Error::format(
                        "animations",
                        format!("motion in the character's own {parameters} model parameters"),
                        "node animation only; use load_gltf_with_skel_states",
                    )));
                }
                let fps = clip.fps();
                let times = clip.frame_times(fps).map_err(to_py)?;
                (clip.joint_parameters(&times), vec![0.0; joints], fps)
            }
        };
        let single = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect::<Vec<_>>();
        let frames = motion.len() / parameters.max(1);
        let motion = values::fresh(py, single(motion), &[frames, parameters])?;
        let identity = values::fresh(py, single(identity), &[joints])?;
        Ok((Self::from_core(scene.character), motion, identity, fps))
    }

    /// The same as :meth:`load_gltf_with_motion`, from bytes.
    #[staticmethod]
    #[pyo3(signature = (gltf_bytes, unit = "m", *, clip = None))]
    fn load_gltf_with_motion_from_bytes<'py>(
        py: Python<'py>,
        gltf_bytes: &Bound<'py, PyAny>,
        unit: &str,
        clip: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Self, Array<'py>, Array<'py>, f64)> {
        Self::load_gltf_with_motion(py, gltf_bytes, unit, clip)
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
    ) -> PyResult<(Self, Array<'py>, Array<'py>)> {
        let scene = load(gltf_filename, unit)?;
        let clip = pick(&scene, clip)?;
        let times = clip.frame_times(fps.unwrap_or_else(|| clip.fps())).map_err(to_py)?;
        let states = clip.skeleton_states(&times).into_iter().map(|x| x as f32).collect();
        let shape = [times.len(), scene.character.skeleton.len(), 8];
        let states = values::fresh(py, states, &shape)?;
        let count = times.len();
        let times = values::fresh(py, times, &[count])?;
        Ok((Self::from_core(scene.character), states, times))
    }
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(load_character, module)?)
}
