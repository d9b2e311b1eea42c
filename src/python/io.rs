//! Loading files from Python: a path, bytes or a file object.

use pyo3::exceptions::{PyTypeError, PyUserWarning};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ffi::CString;
use std::path::PathBuf;

use crate::character::Unit;
use crate::error::{Error, Result};
use crate::io::gltf::{self, Clip, LoadedScene};
use crate::io::{LoadOptions, Source as File};
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
    let bytes = py.get_type::<PyBytes>().call1((py
        .import("builtins")?
        .getattr("memoryview")?
        .call1((object,))
        .map_err(|_| {
            let kind = object
                .get_type()
                .name()
                .map_or_else(|_| "?".into(), |name| name.to_string());
            PyTypeError::new_err(format!(
                "expected a path, bytes or a binary file object, got {kind}"
            ))
        })?,))?;
    Ok(Source::Bytes(bytes.cast_into()?))
}

/// Reads a whole file, or bytes, with the interpreter released.
pub fn read<T: Send>(
    object: &Bound<'_, PyAny>,
    parse: impl FnOnce(&[u8]) -> Result<T> + Send,
) -> PyResult<T> {
    let py = object.py();
    match source(object)? {
        Source::Path(path) => py.detach(|| {
            let bytes = std::fs::read(&path)?;
            let parsed = parse(&bytes);
            Ok(parsed.map_err(|error| error.in_file(&path.display().to_string()))?)
        }),
        Source::Bytes(bytes) => {
            let bytes = bytes.as_bytes();
            Ok(py.detach(|| parse(bytes))?)
        }
    }
}

/// Reads a scene with the interpreter released; what was left out becomes warnings.
fn load(object: &Bound<'_, PyAny>, unit: &str) -> PyResult<LoadedScene> {
    let py = object.py();
    let options = LoadOptions {
        unit: Unit::parse(unit)?,
        ..LoadOptions::default()
    };
    let scene: Result<LoadedScene> = match source(object)? {
        Source::Path(path) => py.detach(|| gltf::load_scene(&File::open(&path)?, &options)),
        Source::Bytes(bytes) => {
            let bytes = bytes.as_bytes();
            py.detach(|| gltf::load_scene(&File::from_bytes(bytes), &options))
        }
    };
    let scene = scene?;
    for warning in &scene.warnings {
        let text = CString::new(warning.replace('\0', " "))?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)?;
    }
    Ok(scene)
}

/// The animation that a caller means: an index, a name, or the first one.
fn pick<'a>(scene: &'a LoadedScene, clip: Option<&Bound<'_, PyAny>>) -> PyResult<&'a Clip> {
    let names = || {
        let names: Vec<String> = scene
            .clips
            .iter()
            .map(|clip| format!("'{}'", clip.name()))
            .collect();
        format!(
            "the file has {} animations: {}",
            names.len(),
            names.join(", ")
        )
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
        PyErr::from(Error::format(wanted, "an animation", names()))
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

type Array<'py> = Bound<'py, PyAny>;

/// `Character.load_gltf_with_motion`.
pub fn load_gltf_with_motion<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    unit: &str,
    clip: Option<&Bound<'py, PyAny>>,
) -> PyResult<(PyCharacter, Array<'py>, Array<'py>, f64)> {
    let mut scene = load(source, unit)?;
    let joints = 7 * scene.character.skeleton.len();
    let parameters = scene.character.parameter_transform.len();
    let stored = if clip.is_none() {
        scene.motion.take()
    } else {
        None
    };
    let (motion, identity, fps) = match stored {
        Some(motion) => (
            motion.model_parameters(scene.character.parameter_transform.names()),
            motion.identity(&scene.character.skeleton),
            motion.fps,
        ),
        None => {
            let clip = pick(&scene, clip)?;
            if parameters != joints {
                return Err(PyErr::from(Error::format(
                    "animations",
                    format!("motion in the character's own {parameters} model parameters"),
                    "node animation only; use load_gltf_with_skel_states",
                )));
            }
            let fps = clip.fps();
            let times = clip.frame_times(fps)?;
            (clip.joint_parameters(&times), vec![0.0; joints], fps)
        }
    };
    let single = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect::<Vec<_>>();
    let frames = motion.len() / parameters.max(1);
    let motion = values::fresh(py, single(motion), &[frames, parameters])?;
    let identity = values::fresh(py, single(identity), &[joints])?;
    Ok((
        PyCharacter::from_core(scene.character),
        motion,
        identity,
        fps,
    ))
}

/// `Character.load_gltf_with_skel_states`.
pub fn load_gltf_with_skel_states<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    unit: &str,
    clip: Option<&Bound<'py, PyAny>>,
    fps: Option<f64>,
) -> PyResult<(PyCharacter, Array<'py>, Array<'py>)> {
    let scene = load(source, unit)?;
    let clip = pick(&scene, clip)?;
    let times = clip.frame_times(fps.unwrap_or_else(|| clip.fps()))?;
    let states = clip
        .skeleton_states(&times)
        .into_iter()
        .map(|x| x as f32)
        .collect();
    let shape = [times.len(), scene.character.skeleton.len(), 8];
    let states = values::fresh(py, states, &shape)?;
    let count = times.len();
    let times = values::fresh(py, times, &[count])?;
    Ok((PyCharacter::from_core(scene.character), states, times))
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(load_character, module)?)
}
