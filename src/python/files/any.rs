//! Any format by one call: `load_character`, `load_motion`, `load_markers`, and their writing twins.

use pyo3::prelude::*;
use std::path::PathBuf;

use super::{target, work};
use crate::character::{MarkerSequence, Unit};
use crate::error::{Error, Result};
use crate::io::{
    self, ClipChoice, Extras, Format, LoadOptions, Markers, Motion, MotionChoice, PositionChannels,
    SaveOptions, Source, Up,
};
use crate::python::nouns::{PyCharacter, PyMarkerSequence};
use crate::python::values;

/// The options that every loader has.
pub(super) fn options(unit: &str, up: Option<&str>) -> Result<LoadOptions> {
    Ok(LoadOptions {
        unit: Unit::parse(unit)?,
        up: up.map(Up::parse).transpose()?,
        ..LoadOptions::default()
    })
}

fn position_channels(word: &str) -> Result<PositionChannels> {
    match word {
        "add" => Ok(PositionChannels::AddToOffset),
        "replace" => Ok(PositionChannels::ReplaceOffset),
        other => Err(Error::value(
            "position_channels",
            format!("expected 'add' or 'replace', got {other:?}"),
        )),
    }
}

/// An animation by its place or name, at some rate.
pub(super) fn choice(clip: Option<&Bound<'_, PyAny>>, fps: Option<f64>) -> PyResult<MotionChoice> {
    let clip = clip.map(|clip| match clip.extract::<usize>() {
        Ok(at) => Ok(ClipChoice::Index(at)),
        Err(_) => clip.extract::<String>().map(ClipChoice::Name),
    });
    Ok(MotionChoice {
        clip: clip.transpose()?,
        fps,
    })
}

fn format_of(source: &Source<'_>, given: Option<Format>) -> Result<Format> {
    given.map_or_else(|| Format::of(source), Ok)
}

/// Reads a character.
pub(super) fn character(
    source: &Bound<'_, PyAny>,
    format: Option<Format>,
    options: LoadOptions,
) -> PyResult<PyCharacter> {
    let loaded = work::read(source, options.root.clone(), |source| {
        io::load_character(source, format_of(source, format)?, &options)
    })?;
    Ok(PyCharacter::from_core(loaded))
}

/// Reads a motion.
pub(super) fn motion(
    source: &Bound<'_, PyAny>,
    format: Option<Format>,
    options: LoadOptions,
    choice: MotionChoice,
    character: Option<&PyCharacter>,
) -> PyResult<Motion> {
    work::read(source, options.root.clone(), |source| {
        let character = character.map(PyCharacter::core);
        io::load_motion(
            source,
            format_of(source, format)?,
            &options,
            &choice,
            character,
        )
    })
}

/// Loads a character from a file of any format.
///
/// Parameters
/// ----------
/// source : str, os.PathLike, bytes-like, or binary file object
///     The format is told by what the file begins with, else by its suffix: glTF (``.glb``, ``.gltf``,
///     ``.vrm``), FBX, BVH, URDF, ASF, DeepMimic. Only a path lets a file refer to
///     others, which must lie beside it or below ``root``.
/// unit : {"m", "cm", "mm"}
///     The unit of the character's lengths.
/// up : {"x", "y", "z"}, optional
///     The axis that points up in the result; the file's own where not given.
/// format : str, optional
///     The name of the format or a suffix, where the file does not tell.
/// file_unit : {"m", "cm", "mm"}, optional
///     The unit of a file that does not say (BVH: centimetres where not given).
/// normalize_weights : bool
///     Whether skin weights are divided by their sum, as three.js and Blender do and the glTF specification
///     asks; otherwise they are kept as stored.
/// position_channels : {"add", "replace"}
///     What position channels of a BVH joint mean beside its OFFSET: added to it, as in three.js and
///     PyMomentum, or in its place, as in Blender.
/// root : str or os.PathLike, optional
///     The folder whose files the file may refer to; its own where not given.
///
/// Returns
/// -------
/// Character
///     Zero parameters are the file's rest pose. Its parameter transform is the file's own (degrees of
///     freedom of robots, PyMomentum's ``FB_momentum``) or has one model parameter for each of the 7
///     parameters of each joint.
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
#[pyo3(signature = (source, unit = "m", up = None, *, format = None, file_unit = None,
    normalize_weights = true, position_channels = "add", root = None))]
#[allow(clippy::too_many_arguments)]
pub fn load_character(
    source: &Bound<'_, PyAny>,
    unit: &str,
    up: Option<&str>,
    format: Option<&str>,
    file_unit: Option<&str>,
    normalize_weights: bool,
    position_channels: &str,
    root: Option<PathBuf>,
) -> PyResult<PyCharacter> {
    let options = LoadOptions {
        file_unit: file_unit.map(Unit::parse).transpose()?,
        normalize_weights,
        position_channels: self::position_channels(position_channels)?,
        root,
        ..options(unit, up)?
    };
    character(source, format.map(Format::parse).transpose()?, options)
}

/// The motion in a file as `(character, fields)`; `kinarray.motion` makes an object of it.
#[pyfunction]
#[pyo3(signature = (source, unit, up, character, clip, fps, format, file_unit, normalize_weights,
    position_channels, root))]
#[allow(clippy::too_many_arguments)]
fn _load_motion<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    unit: &str,
    up: Option<&str>,
    character: Option<PyRef<'py, PyCharacter>>,
    clip: Option<&Bound<'py, PyAny>>,
    fps: Option<f64>,
    format: Option<&str>,
    file_unit: Option<&str>,
    normalize_weights: bool,
    position_channels: &str,
    root: Option<PathBuf>,
) -> PyResult<(PyCharacter, Bound<'py, pyo3::types::PyDict>)> {
    let options = LoadOptions {
        file_unit: file_unit.map(Unit::parse).transpose()?,
        normalize_weights,
        position_channels: self::position_channels(position_channels)?,
        root,
        ..options(unit, up)?
    };
    let format = format.map(Format::parse).transpose()?;
    let Motion {
        name,
        character,
        fps,
        times,
        model_parameters,
        identity,
        is_single,
        timestamps,
        clips,
    } = motion(
        source,
        format,
        options,
        choice(clip, fps)?,
        character.as_deref(),
    )?;
    let reals = |values: Vec<f64>, shape: &[usize]| match is_single {
        true => values::fresh(py, values.into_iter().map(|x| x as f32).collect(), shape),
        false => values::fresh(py, values, shape),
    };
    let fields = pyo3::types::PyDict::new(py);
    let shape = [times.len(), character.parameter_transform.len()];
    fields.set_item("name", name)?;
    fields.set_item("fps", fps)?;
    fields.set_item("clips", clips)?;
    fields.set_item("model_parameters", reals(model_parameters, &shape)?)?;
    if !identity.is_empty() {
        let count = identity.len();
        fields.set_item("identity", reals(identity, &[count])?)?;
    }
    if !timestamps.is_empty() {
        let count = timestamps.len();
        fields.set_item("timestamps", values::fresh(py, timestamps, &[count])?)?;
    }
    let count = times.len();
    fields.set_item("times", values::fresh(py, times, &[count])?)?;
    Ok((PyCharacter::from_core(character), fields))
}

/// Loads the markers of a recording: C3D, TRC, an FBX, or a GLB that PyMomentum or kinarray wrote.
///
/// A colon parts the subject from the label. A point that is hidden keeps the place that the file gives it,
/// or has zeros where the file gives none. A C3D says by its parameters which way is up, a TRC is y-up.
///
/// Parameters
/// ----------
/// source : str, os.PathLike, bytes-like, or binary file object
/// unit : {"m", "cm", "mm"}
///     The unit of the positions.
/// up : {"x", "y", "z"}, optional
///     The axis that points up in the result; the file's own where not given.
/// main_subject_only : bool
///     Whether only the subject with the most markers is returned.
/// format : str, optional
///     The name of the format or a suffix, where the file does not tell.
/// file_unit : {"m", "cm", "mm"}, optional
///     The unit of a file that does not say.
///
/// Returns
/// -------
/// list of MarkerSequence
///     One a subject.
///
/// Raises
/// ------
/// FormatError
///     Naming the file, the place inside it, what was expected and what was found.
///
/// Warns
/// -----
/// UserWarning
///     For what was left out, such as analog channels.
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> ka.load_markers(b"no markers", format="c3d")  # doctest: +IGNORE_EXCEPTION_DETAIL
/// Traceback (most recent call last):
/// kinarray.FormatError: <bytes>: ...
#[pyfunction]
#[pyo3(signature = (source, unit = "m", up = None, *, main_subject_only = true, format = None,
    file_unit = None))]
fn load_markers(
    source: &Bound<'_, PyAny>,
    unit: &str,
    up: Option<&str>,
    main_subject_only: bool,
    format: Option<&str>,
    file_unit: Option<&str>,
) -> PyResult<Vec<PyMarkerSequence>> {
    let options = LoadOptions {
        file_unit: file_unit.map(Unit::parse).transpose()?,
        ..options(unit, up)?
    };
    let format = format.map(Format::parse).transpose()?;
    let mut markers = work::read(source, None, |source| {
        io::load_markers(source, format_of(source, format)?, &options)
    })?;
    if main_subject_only {
        markers.keep_main_subject();
    }
    Ok(markers
        .sequences
        .into_iter()
        .map(PyMarkerSequence)
        .collect())
}

/// The format of a file that is to be written.
fn written_format(target: &Bound<'_, PyAny>, format: Option<&str>) -> PyResult<Format> {
    if let Some(format) = format {
        return Ok(Format::parse(format)?);
    }
    let path = target::path_of(target)?;
    let suffix = path.as_deref().and_then(|path| path.extension());
    let Some(suffix) = suffix else {
        return Err(PyErr::from(Error::value(
            "format",
            "neither given nor told by a suffix",
        )));
    };
    Ok(Format::parse(&suffix.to_string_lossy())?)
}

/// Saves a character.
///
/// Parameters
/// ----------
/// path : str, os.PathLike, or binary file object
///     The suffix tells the format: ``.glb``, ``.gltf``, ``.fbx``, ``.urdf``, ``.json`` (PyMomentum's legacy).
///     URDF is z-up, the others are y-up; a character is written along its own axes, so give loaders ``up=``
///     where those differ.
/// character : Character
/// format : str, optional
///     The name of the format or a suffix, where the path does not tell.
/// mesh, locators, collisions, blend_shapes : bool
///     What goes into the file beside the skeleton.
/// extensions : bool
///     Whether glTF gets PyMomentum's ``FB_momentum`` and what kinarray keeps beside it.
///
/// Raises
/// ------
/// InvalidValueError
///     The format holds no characters, or is read only.
/// OSError
///     The file cannot be written; one that was there stays as it was.
///
/// Warns
/// -----
/// UserWarning
///     For each part that the format cannot hold.
///
/// Examples
/// --------
/// >>> import io
/// >>> import kinarray as ka
/// >>> file = io.BytesIO()
/// >>> ka.save_character(file, ka.testing.create_humanoid(n_vertices=1000), format="glb")
/// >>> len(ka.load_character(file.getvalue()).skeleton)
/// 62
#[pyfunction]
#[pyo3(signature = (path, character, *, format = None, mesh = true, locators = true, collisions = true,
    blend_shapes = true, extensions = true))]
#[allow(clippy::too_many_arguments)]
fn save_character(
    path: &Bound<'_, PyAny>,
    character: &PyCharacter,
    format: Option<&str>,
    mesh: bool,
    locators: bool,
    collisions: bool,
    blend_shapes: bool,
    extensions: bool,
) -> PyResult<()> {
    let options = SaveOptions {
        mesh,
        locators,
        collisions,
        blend_shapes,
        extensions,
        ..SaveOptions::default()
    };
    let format = written_format(path, format)?;
    work::save(path, |progress| {
        let extras = Extras {
            progress,
            ..Extras::default()
        };
        io::save_character(character.core(), format, &options, &extras)
    })
}

/// `kinarray.save_motion`, from the fields of a motion.
#[pyfunction]
#[pyo3(signature = (path, character, model_parameters, fps, name, identity, timestamps, format))]
#[allow(clippy::too_many_arguments)]
fn _save_motion(
    path: &Bound<'_, PyAny>,
    character: &PyCharacter,
    model_parameters: &Bound<'_, PyAny>,
    fps: f64,
    name: String,
    identity: Option<&Bound<'_, PyAny>>,
    timestamps: Option<Vec<i64>>,
    format: Option<&str>,
) -> PyResult<()> {
    let (parameters, shape) = values::reals(model_parameters, "model_parameters")?;
    let count = character.core().parameter_transform.len();
    values::require(
        "model_parameters",
        &shape,
        &[None, Some(count)],
        &format!("(n_frames, {count}) = (n_frames, n_parameters)"),
    )?;
    let identity = match identity {
        Some(identity) => {
            let rows = 7 * character.core().skeleton.len();
            let (identity, shape) = values::reals(identity, "identity")?;
            let words = format!("({rows},) = (7 * n_joints,)");
            values::require("identity", &shape, &[Some(rows)], &words)?;
            identity.iter().collect()
        }
        None => Vec::new(),
    };
    let motion = Motion::new(
        name,
        character.core().clone(),
        fps,
        parameters.iter().collect(),
        identity,
        timestamps.unwrap_or_default(),
    )?;
    let format = written_format(path, format)?;
    work::save(path, |progress| {
        let extras = Extras {
            progress,
            ..Extras::default()
        };
        io::save_motion(&motion, format, &SaveOptions::default(), &extras)
    })
}

/// Saves markers.
///
/// Parameters
/// ----------
/// path : str, os.PathLike, or binary file object
///     The suffix tells the format: ``.glb``, ``.gltf`` or ``.trc``. All of them are y-up; markers are
///     written along their own axes, so load those of a z-up recording with ``up="y"`` first.
/// sequences : sequence of MarkerSequence
/// unit : {"m", "cm", "mm"}
///     The unit of the positions.
/// format : str, optional
///     The name of the format or a suffix, where the path does not tell.
///
/// Raises
/// ------
/// InvalidValueError
///     The format holds no markers, or is read only.
///
/// Examples
/// --------
/// >>> import io
/// >>> import kinarray as ka
/// >>> from kinarray.geometry import Marker, MarkerSequence
/// >>> file = io.BytesIO()
/// >>> jump = MarkerSequence("jump", [[Marker("head", [0, 1.8, 0])], [Marker("head", [0, 2, 0])]], fps=100)
/// >>> ka.save_markers(file, [jump], format="glb")
/// >>> ka.load_markers(file.getvalue())[0].fps
/// 100.0
#[pyfunction]
#[pyo3(signature = (path, sequences, unit = "m", *, format = None))]
fn save_markers(
    path: &Bound<'_, PyAny>,
    sequences: Vec<PyRef<'_, PyMarkerSequence>>,
    unit: &str,
    format: Option<&str>,
) -> PyResult<()> {
    let sequences: Vec<MarkerSequence> = sequences.iter().map(|one| one.0.clone()).collect();
    let markers = Markers {
        sequences,
        unit: Unit::parse(unit)?,
    };
    let format = written_format(path, format)?;
    work::save(path, |progress| {
        let extras = Extras {
            progress,
            ..Extras::default()
        };
        io::save_markers(&markers, format, &extras)
    })
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(load_character, module)?)?;
    module.add_function(wrap_pyfunction!(_load_motion, module)?)?;
    module.add_function(wrap_pyfunction!(load_markers, module)?)?;
    module.add_function(wrap_pyfunction!(save_character, module)?)?;
    module.add_function(wrap_pyfunction!(_save_motion, module)?)?;
    module.add_function(wrap_pyfunction!(save_markers, module)?)
}
