//! `kinarray.geometry.GltfBuilder`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::gltf_save::{self, Frames, Given, Named, as_values, states};
use super::save_options::{format_name, is_text, save_options};
use super::work;
use crate::character::Unit;
use crate::io::Saved;
use crate::io::gltf::write::{Builder, Container, MarkerMesh};
use crate::python::nouns::{PyCharacter, PyMesh};
use crate::python::values;

/// Makes a glTF file piece by piece: characters, their motion, other meshes, recorded markers.
///
/// ``FB_momentum`` has room for one character and one motion, the first of each; the others are animations
/// like in any glTF.
///
/// Parameters
/// ----------
/// fps : float
///
/// Examples
/// --------
/// >>> from kinarray.geometry import GltfBuilder
/// >>> from kinarray.testing import create_humanoid
/// >>> builder = GltfBuilder(fps=30)
/// >>> builder.add_character(create_humanoid(n_vertices=1000), position_offset=[1, 0, 0])
/// >>> builder.to_bytes()[:4]
/// b'glTF'
#[pyclass(name = "GltfBuilder", module = "kinarray.geometry", frozen)]
pub struct PyGltfBuilder(Mutex<Builder>);

impl PyGltfBuilder {
    fn builder(&self) -> MutexGuard<'_, Builder> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the file with the interpreter released.
    fn change(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&mut Builder) -> crate::Result<()> + Send,
    ) -> PyResult<()> {
        Ok(py.detach(|| change(&mut self.builder()))?)
    }

    fn saved(&self, text: bool) -> crate::Result<Saved> {
        let builder = self.builder();
        let container = if text {
            Container::Text
        } else {
            Container::Binary
        };
        let warnings = builder.warnings().to_vec();
        Ok(Saved::new(builder.to_bytes(container)?, warnings))
    }
}

#[pymethods]
impl PyGltfBuilder {
    #[new]
    #[pyo3(signature = (fps = 120.0))]
    fn new(fps: f64) -> PyResult<Self> {
        Ok(Self(Mutex::new(Builder::new(fps)?)))
    }

    /// Frames per second of what comes next.
    #[getter]
    fn fps(&self) -> f64 {
        self.builder().fps()
    }

    #[setter]
    fn set_fps(&self, fps: f64) -> PyResult<()> {
        Ok(self.builder().set_fps(fps)?)
    }

    /// Adds a character below a node of its own.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    /// position_offset : array (3,), optional
    ///     Where that node is, in the character's unit.
    /// rotation_offset : array (4,), optional
    ///     How it is turned, ``x y z w``.
    /// options : FileSaveOptions, optional
    #[pyo3(signature = (character, position_offset = None, rotation_offset = None, options = None))]
    fn add_character(
        &self,
        py: Python<'_>,
        character: &PyCharacter,
        position_offset: Option<&Bound<'_, PyAny>>,
        rotation_offset: Option<&Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let place = position_offset.map(|place| values::fixed(place, "position_offset"));
        let turn = rotation_offset.map(|turn| values::fixed(turn, "rotation_offset"));
        let place = place.transpose()?.unwrap_or_default();
        let turn = turn.transpose()?.unwrap_or([0.0, 0.0, 0.0, 1.0]);
        let options = save_options(options, py.None().bind(py))?;
        let core = character.core();
        self.change(py, |builder| {
            builder.add_character(core, place, turn, &options)
        })
    }

    /// Adds a mesh that nothing moves.
    ///
    /// Parameters
    /// ----------
    /// mesh : Mesh
    /// name : str
    /// add_color : bool
    ///     Whether the colours of its vertices go with it.
    /// unit : {"m", "cm", "mm"}
    ///     The unit of its positions.
    #[pyo3(signature = (mesh, name, add_color = false, *, unit = "m"))]
    fn add_mesh(
        &self,
        py: Python<'_>,
        mesh: &PyMesh,
        name: &str,
        add_color: bool,
        unit: &str,
    ) -> PyResult<()> {
        let unit = Unit::parse(unit)?;
        let core = &mesh.0;
        self.change(py, |builder| builder.add_mesh(core, name, add_color, unit))
    }

    /// Adds motion of a character, which is added itself where it is not there yet.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    /// fps : float
    /// motion : (names, array (n_frames, n_names)), optional
    /// offsets : (joint names, array (7 * n_joint_names,)), optional
    /// add_extensions : bool
    ///     Whether the parameters are kept beside the animation.
    /// custom_name : str
    ///     The name of the animation.
    #[pyo3(signature = (character, fps = 120.0, motion = None, offsets = None, add_extensions = true,
        custom_name = "default"))]
    #[allow(clippy::too_many_arguments)]
    fn add_motion(
        &self,
        py: Python<'_>,
        character: &PyCharacter,
        fps: f64,
        motion: Option<Named<'_>>,
        offsets: Option<Named<'_>>,
        add_extensions: bool,
        custom_name: &str,
    ) -> PyResult<()> {
        let given = Given::new(motion, offsets, None)?;
        let core = character.core();
        self.change(py, |builder| {
            builder.add_motion(core, fps, &given.to_write(), add_extensions, custom_name)
        })
    }

    /// Adds an animation of a character from the states of its joints.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    /// fps : float
    /// skeleton_states : array (n_frames, n_joints, 8)
    ///     World from joint, ``tx ty tz qx qy qz qw s``.
    /// custom_name : str
    ///     The name of the animation.
    #[pyo3(signature = (character, fps, skeleton_states, custom_name = "default"))]
    fn add_skeleton_states(
        &self,
        py: Python<'_>,
        character: &PyCharacter,
        fps: f64,
        skeleton_states: &Bound<'_, PyAny>,
        custom_name: &str,
    ) -> PyResult<()> {
        let core = character.core();
        let states = states(core, skeleton_states, "skeleton_states")?;
        self.change(py, |builder| {
            builder.add_skeleton_states(core, fps, as_values(&states), custom_name)
        })
    }

    /// Adds recorded markers to the animation of that name.
    ///
    /// Parameters
    /// ----------
    /// fps : float
    /// marker_sequence : sequence of sequence of Marker
    ///     The markers of each frame.
    /// marker_mesh : MarkerMesh, optional
    ///     What stands for a marker; nothing where not given.
    /// anim_name : str
    /// unit : {"m", "cm", "mm"}
    ///     The unit of the positions.
    #[pyo3(signature = (fps, marker_sequence, marker_mesh = None, anim_name = "default", *, unit = "m"))]
    #[allow(clippy::too_many_arguments)]
    fn add_marker_sequence(
        &self,
        py: Python<'_>,
        fps: f64,
        marker_sequence: Frames<'_>,
        marker_mesh: Option<&Bound<'_, PyAny>>,
        anim_name: &str,
        unit: &str,
    ) -> PyResult<()> {
        let mesh = marker_mesh.map(|member| {
            let name = member.getattr("name").and_then(|name| name.extract());
            let name: String = name.unwrap_or_default();
            match name.as_str() {
                "NoMesh" => Ok(MarkerMesh::NoMesh),
                "UnitCube" => Ok(MarkerMesh::UnitCube),
                _ => Err(PyTypeError::new_err(format!(
                    "marker_mesh: expected a MarkerMesh, got {}",
                    member.repr()?
                ))),
            }
        });
        let (mesh, unit) = (mesh.transpose()?.unwrap_or_default(), Unit::parse(unit)?);
        let sequence = gltf_save::marker_sequence(&marker_sequence, fps, anim_name)?;
        self.change(py, |builder| {
            builder.add_marker_sequence(&sequence, unit, mesh, anim_name)
        })
    }

    /// Writes the file.
    ///
    /// Parameters
    /// ----------
    /// filename : str, os.PathLike, or binary file object
    /// file_format : GltfFileFormat, optional
    ///     As the suffix says where not given.
    #[pyo3(signature = (filename, file_format = None))]
    fn save(
        &self,
        filename: &Bound<'_, PyAny>,
        file_format: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let format = file_format.map_or_else(|| Ok("Auto".into()), format_name)?;
        let text = is_text(&format, filename)?;
        work::save(filename, |_| self.saved(text))
    }

    /// The file.
    ///
    /// Parameters
    /// ----------
    /// file_format : GltfFileFormat, optional
    ///     Binary where not given.
    ///
    /// Returns
    /// -------
    /// bytes
    #[pyo3(signature = (file_format = None))]
    fn to_bytes<'py>(
        &self,
        py: Python<'py>,
        file_format: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let format = file_format.map_or_else(|| Ok("Auto".into()), format_name)?;
        let saved = py.detach(|| self.saved(format == "Ascii"))?;
        work::warn(py, "<bytes>", &saved.warnings)?;
        Ok(PyBytes::new(py, &saved.into_bytes()))
    }
}
