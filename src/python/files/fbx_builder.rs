//! `kinarray.geometry.FbxBuilder`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};

use super::fbx::{frames, identity, options_and_axes};
use super::gltf_save::{self, Frames};
use super::work;
use crate::character::{Joint, PARAMETERS_PER_JOINT, Unit};
use crate::error::{Error, Result};
use crate::io::fbx::{BodyPlace, FbxBuilder};
use crate::python::nouns::{PyCharacter, PyMesh};
use crate::python::values;

/// Makes a binary FBX file piece by piece: characters, bodies, meshes, their motion, recorded markers.
///
/// Lengths in it are centimetres; all is converted.
///
/// Examples
/// --------
/// >>> import io
/// >>> import numpy as np
/// >>> from kinarray.geometry import Character, FbxBuilder, Joint, ParameterTransform, Skeleton
/// >>> upper = Joint("upper", -1, [0, 0, 0, 1], [0, 0, 0])
/// >>> skeleton = Skeleton([upper, Joint("lower", 0, [0, 0, 0, 1], [0, 1, 0])])
/// >>> arm = Character("arm", skeleton, ParameterTransform.identity(skeleton))
/// >>> builder = FbxBuilder()
/// >>> builder.add_character(arm)
/// >>> builder.add_motion_with_joint_params(arm, 30.0, np.zeros((10, 7 * 2)))
/// >>> file = io.BytesIO()
/// >>> builder.save(file)
/// >>> file.getvalue()[:18]
/// b'Kaydara FBX Binary'
#[pyclass(name = "FbxBuilder", module = "kinarray.geometry", frozen)]
pub struct PyFbxBuilder(Mutex<Option<FbxBuilder>>);

impl PyFbxBuilder {
    /// Changes the file with the interpreter released.
    fn change(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&mut FbxBuilder) -> Result<()> + Send,
    ) -> PyResult<()> {
        Ok(py.detach(|| {
            let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            change(held.as_mut().ok_or_else(consumed)?)
        })?)
    }
}

fn consumed() -> Error {
    Error::value("FbxBuilder", "its file has been saved; make another one")
}

#[pymethods]
impl PyFbxBuilder {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(Some(FbxBuilder::default())))
    }

    /// Adds a skeleton with mesh, skin, blend shapes and locators.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    /// options : FileSaveOptions, optional
    ///     Its axes are those of the file.
    #[pyo3(signature = (character, options = None))]
    fn add_character(
        &self,
        py: Python<'_>,
        character: &PyCharacter,
        options: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let given = options.is_some();
        let (options, axes) = options_and_axes(options, py.None().bind(py))?;
        let core = character.core();
        self.change(py, |builder| {
            if given {
                builder.axes = axes;
            }
            builder.add_character(core, &options)
        })
    }

    /// Adds a skeleton whose mesh moves with one joint as a whole.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    /// name : str
    ///     Its name in the file; the character's where empty.
    /// parent_joint : int
    ///     The joint that carries the mesh.
    /// options : FileSaveOptions, optional
    #[pyo3(signature = (character, name = "", parent_joint = 0, options = None))]
    fn add_rigid_body(
        &self,
        py: Python<'_>,
        character: &PyCharacter,
        name: &str,
        parent_joint: usize,
        options: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let (options, _) = options_and_axes(options, py.None().bind(py))?;
        let place = BodyPlace {
            name,
            joint: parent_joint,
        };
        let core = character.core();
        self.change(py, |builder| builder.add_rigid_body(core, place, &options))
    }

    /// Adds a mesh without a skeleton, moved as a whole.
    ///
    /// Parameters
    /// ----------
    /// character : Character or Mesh
    ///     A character's mesh moves as its first joint does.
    /// name : str
    /// fps : float
    /// joint_params : array (n_frames, 7 or more), optional
    ///     The first seven of each frame count.
    /// translation_offset : array (3,), optional
    ///     Where a ``Mesh`` is without motion.
    /// mesh : Mesh, optional
    ///     In place of ``character``.
    /// unit : {"m", "cm", "mm"}
    ///     The unit of a ``Mesh``.
    #[pyo3(signature = (character = None, name = "", fps = 120.0, joint_params = None,
        translation_offset = None, *, mesh = None, unit = "m"))]
    #[allow(clippy::too_many_arguments)]
    fn add_animated_mesh(
        &self,
        py: Python<'_>,
        character: Option<&Bound<'_, PyAny>>,
        name: &str,
        fps: f64,
        joint_params: Option<&Bound<'_, PyAny>>,
        translation_offset: Option<&Bound<'_, PyAny>>,
        mesh: Option<&Bound<'_, PyAny>>,
        unit: &str,
    ) -> PyResult<()> {
        let ((Some(given), None) | (None, Some(given))) = (character, mesh) else {
            let problem = "add_animated_mesh() takes a character or a mesh, and not both";
            return Err(PyTypeError::new_err(problem));
        };
        let parameters = joint_params
            .map(first_joint)
            .transpose()?
            .unwrap_or_default();
        if let Ok(character) = given.cast::<PyCharacter>() {
            let character = character.get();
            let core = character.core();
            return self.change(py, |builder| {
                builder.add_animated_character(core, name, fps, &parameters)
            });
        }
        let Ok(mesh) = given.cast::<PyMesh>() else {
            let kind = given.get_type().name()?;
            let problem = format!("add_animated_mesh() takes a character or a mesh, got {kind}");
            return Err(PyTypeError::new_err(problem));
        };
        let offset = translation_offset.map(|at| values::fixed(at, "translation_offset"));
        let joint = Joint::new("", None, offset.transpose()?.unwrap_or_default());
        let own = (&*mesh.get().0, Unit::parse(unit)?);
        self.change(py, |builder| {
            builder.add_animated_mesh(own, &joint, name, fps, &parameters)
        })
    }

    /// Adds motion in model parameters of a character that was added.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    /// fps : float
    /// motion : array (n_frames, n_parameters), optional
    ///     Coefficients of blend shapes among them move the shapes.
    /// offsets : array (7 * n_joints,), optional
    ///     Joint parameters that are added in every frame.
    #[pyo3(signature = (character, fps = 120.0, motion = None, offsets = None))]
    fn add_motion(
        &self,
        py: Python<'_>,
        character: &PyCharacter,
        fps: f64,
        motion: Option<&Bound<'_, PyAny>>,
        offsets: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let core = character.core();
        let width = core.parameter_transform.len();
        let motion = motion
            .map(|motion| frames(motion, "motion", width))
            .transpose()?;
        let identity = offsets.map(|offsets| identity(offsets, core)).transpose()?;
        let (motion, identity) = (motion.unwrap_or_default(), identity.unwrap_or_default());
        self.change(py, |builder| {
            builder.add_motion(core, fps, &motion, &identity)
        })
    }

    /// Adds motion in joint parameters of a character that was added.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    /// fps : float
    /// joint_params : array (n_frames, 7 * n_joints), optional
    #[pyo3(signature = (character, fps = 120.0, joint_params = None))]
    fn add_motion_with_joint_params(
        &self,
        py: Python<'_>,
        character: &PyCharacter,
        fps: f64,
        joint_params: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let core = character.core();
        let width = PARAMETERS_PER_JOINT * core.skeleton.len();
        let motion = joint_params.map(|motion| frames(motion, "joint_params", width));
        let motion = motion.transpose()?.unwrap_or_default();
        self.change(py, |builder| {
            builder.add_motion_with_joint_params(core, fps, &motion)
        })
    }

    /// Adds recorded points as optical markers.
    ///
    /// Parameters
    /// ----------
    /// fps : float
    /// marker_sequence : sequence of sequence of Marker
    ///     The markers of each frame.
    /// unit : {"m", "cm", "mm"}
    ///     The unit of their positions.
    #[pyo3(signature = (fps, marker_sequence, *, unit = "m"))]
    fn add_marker_sequence(
        &self,
        py: Python<'_>,
        fps: f64,
        marker_sequence: Frames<'_>,
        unit: &str,
    ) -> PyResult<()> {
        let unit = Unit::parse(unit)?;
        let sequence = gltf_save::marker_sequence(&marker_sequence, fps, "")?;
        self.change(py, |builder| builder.add_marker_sequence(&sequence, unit))
    }

    /// Writes the file; the builder is used up.
    ///
    /// Parameters
    /// ----------
    /// filename : str, os.PathLike, or binary file object
    fn save(&self, filename: &Bound<'_, PyAny>) -> PyResult<()> {
        work::save(filename, |_| {
            let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.take().ok_or_else(consumed)?.save()
        })
    }
}

/// The first seven numbers of each frame.
fn first_joint(joint_params: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    let (numbers, shape) = values::reals(joint_params, "joint_params")?;
    match shape[..] {
        [_, width] if width >= PARAMETERS_PER_JOINT => {
            let all: Vec<f64> = numbers.iter().collect();
            let frames = all.chunks_exact(width);
            Ok(frames
                .flat_map(|frame| &frame[..PARAMETERS_PER_JOINT])
                .copied()
                .collect())
        }
        _ => Err(PyErr::from(Error::shape(
            "joint_params",
            "(n_frames, 7 or more)",
            format!("shape {}", crate::array::show_shape(&shape)),
        ))),
    }
}
