//! Saving as PyMomentum names it: `Character.save_gltf` and its kin.

use pyo3::prelude::*;

use super::save_options::save_options;
use super::work;
use crate::array::DType;
use crate::character::{Character, Marker, MarkerSequence, Reals};
use crate::error::{Error, Result};
use crate::io::gltf::write::{Builder, Container, MarkerMesh, MotionToWrite, Values};
use crate::io::gltf::{save_character, save_skeleton_states};
use crate::io::{self, Extras, Format, Markers, Motion, SaveOptions, Saved};
use crate::python::nouns::{PyCharacter, PyMarker};
use crate::python::values;

/// `(names, numbers)`, as motion and offsets are given.
pub(super) type Named<'py> = (Vec<String>, Bound<'py, PyAny>);

/// Frames of markers.
pub(super) type Frames<'py> = Vec<Vec<PyRef<'py, PyMarker>>>;

/// The numbers in the precision that they have.
pub(super) fn as_values(reals: &Reals) -> Values<'_> {
    match reals.dtype() {
        DType::Float64 => Values::Double(reals.as_f64()),
        _ => Values::Single(reals.as_f32()),
    }
}

/// Motion and offsets that a caller gave.
pub(super) struct Given {
    names: Vec<String>,
    poses: Reals,
    joint_names: Vec<String>,
    offsets: Reals,
    timestamps: Vec<i64>,
}

impl Given {
    pub fn new(
        motion: Option<Named<'_>>,
        offsets: Option<Named<'_>>,
        timestamps: Option<Vec<i64>>,
    ) -> PyResult<Self> {
        let mut given = Self {
            names: Vec::new(),
            poses: Reals::default(),
            joint_names: Vec::new(),
            offsets: Reals::default(),
            timestamps: timestamps.unwrap_or_default(),
        };
        if let Some((names, numbers)) = motion {
            let (poses, shape) = values::reals(&numbers, "motion")?;
            let count = names.len();
            let words = format!("(n_frames, {count}) = (n_frames, n_parameters)");
            values::require("motion", &shape, &[None, Some(count)], &words)?;
            (given.names, given.poses) = (names, poses);
        }
        if let Some((names, numbers)) = offsets {
            let (offsets, _) = values::reals(&numbers, "offsets")?;
            (given.joint_names, given.offsets) = (names, offsets);
        }
        Ok(given)
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.joint_names.is_empty() && self.timestamps.is_empty()
    }

    pub fn to_write(&self) -> MotionToWrite<'_> {
        MotionToWrite {
            names: &self.names,
            values: as_values(&self.poses),
            joint_names: &self.joint_names,
            offsets: as_values(&self.offsets),
            timestamps: &self.timestamps,
            ..MotionToWrite::default()
        }
    }
}

/// Markers beside a character, in its unit.
fn markers(
    frames: Option<Frames<'_>>,
    character: &Character,
    fps: f64,
    name: &str,
) -> Result<Option<Markers>> {
    let markers = frames.map(|frames| {
        Ok(Markers {
            sequences: vec![marker_sequence(&frames, fps, name)?],
            unit: character.unit,
        })
    });
    markers.transpose()
}

pub(super) fn marker_sequence(frames: &Frames<'_>, fps: f64, name: &str) -> Result<MarkerSequence> {
    let frames: Vec<Vec<&Marker>> = frames
        .iter()
        .map(|frame| frame.iter().map(|marker| &marker.0).collect())
        .collect();
    MarkerSequence::from_frames(name.to_owned(), fps, &frames)
}

/// `(n_frames, n_joints, 8)`.
pub(super) fn states(
    character: &Character,
    states: &Bound<'_, PyAny>,
    what: &'static str,
) -> PyResult<Reals> {
    let (states, shape) = values::reals(states, what)?;
    let joints = character.skeleton.len();
    let words = format!("(n_frames, {joints}, 8) = (n_frames, n_joints, 8)");
    values::require(what, &shape, &[None, Some(joints), Some(8)], &words)?;
    Ok(states)
}

fn suffix_format(path: &Bound<'_, PyAny>) -> PyResult<Format> {
    let path = super::target::path_of(path)?;
    let suffix = path.as_deref().and_then(std::path::Path::extension);
    let suffix = suffix.ok_or_else(|| Error::value("path", "its suffix does not tell the format"));
    Ok(Format::parse(&suffix?.to_string_lossy())?)
}

fn written(
    character: &Character,
    fps: f64,
    given: &Given,
    markers: Option<&Markers>,
    options: &SaveOptions,
) -> Result<Saved> {
    let mut builder = Builder::new(fps)?;
    builder.add_character(character, [0.0; 3], [0.0, 0.0, 0.0, 1.0], options)?;
    if !given.is_empty() {
        let motion = given.to_write();
        builder.add_motion(character, fps, &motion, options.extensions, "default")?;
    }
    for sequence in markers.into_iter().flat_map(|markers| &markers.sequences) {
        let mesh = MarkerMesh::NoMesh;
        builder.add_marker_sequence(sequence, character.unit, mesh, "default")?;
    }
    let container = if options.text {
        Container::Text
    } else {
        Container::Binary
    };
    builder.into_saved(container)
}

#[pymethods]
impl PyCharacter {
    /// Saves a character with motion and markers; the suffix tells the format.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     ``.glb``, ``.gltf`` or ``.fbx``.
    /// character : Character
    /// fps : float
    /// motion : array (n_frames, n_parameters), optional
    /// markers : sequence of sequence of Marker, optional
    ///     The markers of each frame, in the character's unit.
    /// options : FileSaveOptions, optional
    ///
    /// Raises
    /// ------
    /// ShapeError, InvalidValueError
    ///     The motion does not fit the character, or the format is not written.
    ///
    /// Examples
    /// --------
    /// >>> import pathlib, tempfile
    /// >>> import kinarray as ka
    /// >>> path = pathlib.Path(tempfile.mkdtemp()) / "humanoid.glb"
    /// >>> ka.geometry.Character.save(path, ka.testing.create_humanoid(n_vertices=1000))
    /// >>> len(ka.load_character(path).skeleton)
    /// 62
    #[staticmethod]
    #[pyo3(signature = (path, character, fps = 120.0, motion = None, markers = None, options = None))]
    fn save(
        path: &Bound<'_, PyAny>,
        character: &Self,
        fps: f64,
        motion: Option<&Bound<'_, PyAny>>,
        markers: Option<Frames<'_>>,
        options: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let format = suffix_format(path)?;
        let options = save_options(options, path)?;
        let core = character.core();
        let markers = self::markers(markers, core, fps, "")?;
        let motion = motion.map(|motion| {
            let (poses, shape) = values::reals(motion, "motion")?;
            let count = core.parameter_transform.len();
            let words = format!("(n_frames, {count}) = (n_frames, n_parameters)");
            values::require("motion", &shape, &[None, Some(count)], &words)?;
            let (name, all) = ("default", poses.iter().collect());
            let mut motion = Motion::new(name, core.clone(), fps, all, Vec::new(), Vec::new())?;
            motion.is_single = poses.dtype() != DType::Float64;
            Ok::<_, PyErr>(motion)
        });
        let motion = motion.transpose()?;
        work::save(path, |progress| {
            let extras = Extras {
                markers: markers.as_ref(),
                progress,
            };
            match &motion {
                Some(motion) => io::save_motion(motion, format, &options, &extras),
                None => io::save_character(core, format, &options, &extras),
            }
        })
    }

    /// Saves a character as glTF: as any viewer shows it, and as PyMomentum and kinarray read it back.
    ///
    /// Parameters
    /// ----------
    /// path : str, os.PathLike, or binary file object
    ///     ``.gltf`` is text, everything else binary (GLB).
    /// character : Character
    /// fps : float
    /// motion : (names, array (n_frames, n_names)), optional
    ///     Model parameters, in single or double precision, which are kept.
    /// offsets : (joint names, array (7 * n_joint_names,)), optional
    ///     Joint parameters that are added in every frame.
    /// markers : sequence of sequence of Marker, optional
    ///     The markers of each frame, in the character's unit.
    /// options : FileSaveOptions, optional
    /// timestamps : sequence of int, optional
    ///     Microseconds of each frame.
    ///
    /// Raises
    /// ------
    /// ShapeError, InvalidValueError, CharacterError
    ///     Numbers that do not fit, or that glTF cannot hold.
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> import numpy as np
    /// >>> from kinarray.geometry import Character
    /// >>> from kinarray.testing import create_humanoid
    /// >>> file, character = io.BytesIO(), create_humanoid(n_vertices=1000)
    /// >>> names = character.parameter_transform.names
    /// >>> poses = np.zeros((10, len(names)), np.float32)
    /// >>> Character.save_gltf(file, character, 30.0, (names, poses))
    /// >>> _, motion, _, fps = Character.load_gltf_with_motion_from_bytes(file.getvalue())
    /// >>> motion.shape == poses.shape, fps
    /// (True, 30.0)
    #[staticmethod]
    #[pyo3(signature = (path, character, fps = 120.0, motion = None, offsets = None, markers = None,
        options = None, timestamps = None))]
    #[allow(clippy::too_many_arguments)]
    fn save_gltf(
        path: &Bound<'_, PyAny>,
        character: &Self,
        fps: f64,
        motion: Option<Named<'_>>,
        offsets: Option<Named<'_>>,
        markers: Option<Frames<'_>>,
        options: Option<&Bound<'_, PyAny>>,
        timestamps: Option<Vec<i64>>,
    ) -> PyResult<()> {
        let given = Given::new(motion, offsets, timestamps)?;
        let options = save_options(options, path)?;
        let core = character.core();
        let markers = self::markers(markers, core, fps, "default")?;
        work::save(path, |_| {
            written(core, fps, &given, markers.as_ref(), &options)
        })
    }

    /// Saves a character as glTF with an animation from the states of its joints.
    ///
    /// Parameters
    /// ----------
    /// path : str, os.PathLike, or binary file object
    /// character : Character
    /// fps : float
    /// skel_states : array (n_frames, n_joints, 8)
    ///     World from joint, ``tx ty tz qx qy qz qw s``.
    /// markers : sequence of sequence of Marker, optional
    /// options : FileSaveOptions, optional
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> import kinarray as ka
    /// >>> file, character = io.BytesIO(), ka.testing.create_humanoid(n_vertices=1000)
    /// >>> poses = [[0.0] * len(character.parameter_transform.names)] * 3
    /// >>> states = ka.geometry.model_parameters_to_skeleton_state(character, poses)
    /// >>> ka.geometry.Character.save_gltf_from_skel_states(file, character, 30.0, states)
    /// >>> len(file.getvalue()) > 0
    /// True
    #[staticmethod]
    #[pyo3(signature = (path, character, fps, skel_states, markers = None, options = None))]
    fn save_gltf_from_skel_states(
        path: &Bound<'_, PyAny>,
        character: &Self,
        fps: f64,
        skel_states: &Bound<'_, PyAny>,
        markers: Option<Frames<'_>>,
        options: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let core = character.core();
        let states = states(core, skel_states, "skel_states")?;
        let options = save_options(options, path)?;
        let markers = self::markers(markers, core, fps, "")?;
        work::save(path, |progress| {
            let extras = Extras {
                markers: markers.as_ref(),
                progress,
            };
            save_skeleton_states(core, fps, as_values(&states), &options, &extras)
        })
    }

    /// Saves a character with an animation from the states of its joints; the suffix, ``.glb`` or ``.gltf``,
    /// tells the format.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    /// character : Character
    /// fps : float
    /// skel_states : array (n_frames, n_joints, 8)
    /// markers : sequence of sequence of Marker, optional
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     Another format.
    #[staticmethod]
    #[pyo3(signature = (path, character, fps, skel_states, markers = None))]
    fn save_with_skel_states(
        path: &Bound<'_, PyAny>,
        character: &Self,
        fps: f64,
        skel_states: &Bound<'_, PyAny>,
        markers: Option<Frames<'_>>,
    ) -> PyResult<()> {
        match suffix_format(path)? {
            Format::Gltf => {
                Self::save_gltf_from_skel_states(path, character, fps, skel_states, markers, None)
            }
            other => Err(PyErr::from(Error::value(
                "path",
                format!("states are not written as '{}'", other.name()),
            ))),
        }
    }

    /// The character as the text of a glTF file.
    ///
    /// Returns
    /// -------
    /// str
    ///     JSON; the numbers are inside in base64.
    ///
    /// Examples
    /// --------
    /// >>> import json
    /// >>> from kinarray.testing import create_humanoid
    /// >>> json.loads(create_humanoid(n_vertices=1000).to_gltf())["asset"]["version"]
    /// '2.0'
    fn to_gltf(&self, py: Python<'_>) -> PyResult<String> {
        let options = SaveOptions {
            text: true,
            ..SaveOptions::default()
        };
        let core = self.core();
        let saved = py.detach(|| save_character(core, &options, &Extras::default()))?;
        Ok(String::from_utf8(saved.into_bytes())?)
    }
}
