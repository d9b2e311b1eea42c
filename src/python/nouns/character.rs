//! `kinarray.geometry.Character`.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use std::sync::Arc;

use super::{
    blend_shape::PyBlendShape, collision, hash, html, locator::PyLocator, mesh::PyMesh,
    parameter_limit::PyParameterLimit, parameter_transform::PyParameterTransform, pickle,
    skeleton::PySkeleton, skin_weights::PySkinWeights,
};
use crate::character::{Character, CharacterParts, Joint, Unit};
use crate::kinematics::Prepared;
use crate::python::surgery::PyCharacterMassScale;
use crate::python::{io, posing, values};

/// A character: a skeleton, what drives it, and what it carries. Immutable; ``with_...`` makes a new one
/// that shares what did not change.
///
/// Parameters
/// ----------
/// name : str
/// skeleton : Skeleton
/// parameter_transform : ParameterTransform
/// locators : sequence of Locator
/// unit : {"m", "cm", "mm"}
///     The unit of every length in it.
///
/// Raises
/// ------
/// CharacterError
///     Parts that do not belong together, naming the part.
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> character = ka.testing.create_humanoid()
/// >>> points = character.skin_points(character.bind_pose)
/// >>> points.shape == (character.mesh.n_vertices, 3)
/// True
#[pyclass(name = "Character", module = "kinarray.geometry", frozen, eq)]
pub struct PyCharacter {
    pub prepared: Prepared,
}

impl PartialEq for PyCharacter {
    fn eq(&self, other: &Self) -> bool {
        self.core() == other.core()
    }
}

impl PyCharacter {
    pub fn from_core(core: Character) -> Self {
        Self {
            prepared: Prepared::new(Arc::new(core)),
        }
    }

    pub fn core(&self) -> &Character {
        self.prepared.character()
    }

    fn parameter_mask(&self, mask: &Bound<'_, PyAny>, what: &'static str) -> PyResult<Vec<bool>> {
        values::mask(mask, what, self.core().parameter_transform.len())
    }

    fn with(&self, change: impl FnOnce(&mut CharacterParts)) -> PyResult<Self> {
        let mut parts = self.core().parts();
        change(&mut parts);
        Ok(Self::from_core(Character::new(parts)?))
    }
}

#[pymethods]
impl PyCharacter {
    #[new]
    #[pyo3(signature = (name, skeleton, parameter_transform, *, locators = Vec::new(), unit = "m"))]
    fn new(
        name: String,
        skeleton: &Bound<'_, PySkeleton>,
        parameter_transform: &Bound<'_, PyParameterTransform>,
        locators: Vec<Bound<'_, PyLocator>>,
        unit: &str,
    ) -> PyResult<Self> {
        let parts = CharacterParts {
            skeleton: skeleton.get().0.clone(),
            parameter_transform: parameter_transform.get().core.clone(),
            unit: Unit::parse(unit)?,
            locators: Arc::new(
                locators
                    .iter()
                    .map(|locator| locator.get().0.clone())
                    .collect(),
            ),
            ..CharacterParts::empty(name)
        };
        Ok(Self::from_core(Character::new(parts)?))
    }

    /// The character's name.
    #[getter]
    fn name(&self) -> &str {
        &self.core().name
    }

    /// The unit of every length in it: ``"m"``, ``"cm"`` or ``"mm"``.
    #[getter]
    fn unit(&self) -> &'static str {
        self.core().unit.symbol()
    }

    /// The joints.
    #[getter]
    fn skeleton(&self) -> PySkeleton {
        PySkeleton(self.core().skeleton.clone())
    }

    /// Model parameters to joint parameters.
    #[getter]
    fn parameter_transform(&self) -> PyParameterTransform {
        PyParameterTransform::from_prepared(self.prepared.transform().clone())
    }

    /// Limits on parameters.
    #[getter]
    fn parameter_limits(&self) -> Vec<PyParameterLimit> {
        self.core()
            .parameter_limits
            .iter()
            .cloned()
            .map(PyParameterLimit)
            .collect()
    }

    /// Lower and upper limits of the model parameters, two ``(n_parameters,)`` float64 arrays; infinite
    /// where a parameter is free.
    #[getter]
    fn model_parameter_limits<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let (low, high) = self.core().model_parameter_limits();
        let length = low.len();
        Ok((
            values::fresh(py, low, &[length])?,
            values::fresh(py, high, &[length])?,
        ))
    }

    /// Whether it has a mesh.
    #[getter]
    fn has_mesh(&self) -> bool {
        self.core().mesh.is_some()
    }

    /// The rest mesh, or ``None``.
    #[getter]
    fn mesh(&self) -> Option<PyMesh> {
        self.core().mesh.clone().map(PyMesh)
    }

    /// Which joints carry the mesh, or ``None``.
    #[getter]
    fn skin_weights(&self) -> Option<PySkinWeights> {
        self.core().skin_weights.clone().map(PySkinWeights)
    }

    /// Displacements of the mesh (morph targets), or ``None``.
    #[getter]
    fn blend_shape(&self) -> Option<PyBlendShape> {
        self.core().blend_shape.clone().map(PyBlendShape)
    }

    /// Named points that move with a joint.
    #[getter]
    fn locators(&self) -> Vec<PyLocator> {
        self.core()
            .locators
            .iter()
            .cloned()
            .map(PyLocator)
            .collect()
    }

    /// Simple solids: ``TaperedCapsule``, ``Ellipsoid`` and ``Box`` objects.
    #[getter]
    fn collision_geometry(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let solids = self.core().collision_geometry.iter();
        solids
            .map(|solid| collision::wrap(py, solid.clone()))
            .collect()
    }

    /// Free text that travels with the character.
    #[getter]
    fn metadata(&self) -> &str {
        &self.core().metadata
    }

    /// World from joint in the bind pose, ``(n_joints, 4, 4)`` float64.
    #[getter]
    fn bind_pose<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let bind = self.core().bind_pose()?;
        values::fresh(py, bind.as_flattened().to_vec(), &[bind.len(), 4, 4])
    }

    /// Joint from world in the bind pose, ``(n_joints, 4, 4)`` float64; a read-only view.
    #[getter]
    fn inverse_bind_pose<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let inverse = &slf.get().core().inverse_bind_pose;
        values::view(slf.as_any(), inverse.as_flattened(), &[inverse.len(), 4, 4])
    }

    /// The same character with another mesh and the weights that bind it to the skeleton.
    #[pyo3(signature = (mesh, skin_weights = None))]
    fn with_mesh_and_skin_weights(
        &self,
        mesh: &Bound<'_, PyMesh>,
        skin_weights: Option<&Bound<'_, PySkinWeights>>,
    ) -> PyResult<Self> {
        self.with(|parts| {
            parts.mesh = Some(mesh.get().0.clone());
            parts.skin_weights = skin_weights.map(|weights| weights.get().0.clone());
            parts.blend_shape = None;
        })
    }

    /// The same character with more locators, or with others where ``replace``.
    #[pyo3(signature = (locators, replace = false))]
    fn with_locators(&self, locators: Vec<Bound<'_, PyLocator>>, replace: bool) -> PyResult<Self> {
        self.with(|parts| {
            let list = Arc::make_mut(&mut parts.locators);
            if replace {
                list.clear();
            }
            list.extend(locators.iter().map(|locator| locator.get().0.clone()));
        })
    }

    /// The same character with other limits.
    fn with_parameter_limits(
        &self,
        parameter_limits: Vec<Bound<'_, PyParameterLimit>>,
    ) -> PyResult<Self> {
        let limits = parameter_limits
            .iter()
            .map(|limit| limit.get().0.clone())
            .collect();
        self.with(|parts| parts.parameter_limits = Arc::new(limits))
    }

    /// The same character with other solids.
    fn with_collision_geometry(&self, geometry: Vec<Bound<'_, PyAny>>) -> PyResult<Self> {
        let solids = geometry
            .iter()
            .map(collision::unwrap)
            .collect::<PyResult<_>>()?;
        self.with(|parts| parts.collision_geometry = Arc::new(solids))
    }

    /// The same character with other free text.
    fn with_metadata(&self, metadata: String) -> PyResult<Self> {
        self.with(|parts| parts.metadata = metadata)
    }

    /// The same character with every length expressed in another unit (``"m"``, ``"cm"``, ``"mm"``).
    fn in_unit(&self, unit: &str) -> PyResult<Self> {
        Ok(Self::from_core(self.core().in_unit(Unit::parse(unit)?)))
    }

    /// Parents ``(n,)`` int32 and offsets ``(n, 3)`` float64 of locators, or of joints (offset 0), by name.
    ///
    /// Raises ``KeyError``, with the closest name there is.
    fn find_locators<'py>(
        &self,
        py: Python<'py>,
        names: Vec<String>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let (mut parents, mut offsets) = (Vec::new(), Vec::new());
        for name in &names {
            let Some((parent, offset)) = self.core().find_point(name) else {
                let locators = self
                    .core()
                    .locators
                    .iter()
                    .map(|locator| locator.name.as_str());
                let joints = self
                    .core()
                    .skeleton
                    .joints()
                    .iter()
                    .map(|joint| joint.name.as_str());
                let hint = values::did_you_mean(name, locators.chain(joints), py);
                return Err(PyKeyError::new_err(format!(
                    "no locator or joint '{name}'{hint}"
                )));
            };
            parents.push(parent as i32);
            offsets.extend(offset);
        }
        Ok((
            values::fresh(py, parents, &[names.len()])?,
            values::fresh(py, offsets, &[names.len(), 3])?,
        ))
    }

    /// Moves points with the character's joints by linear blend skinning.
    ///
    /// ``p = sum_k w_k · M_k · B_k · r``, with ``M`` world from joint (scale included), ``B`` the inverse
    /// bind pose, ``w`` the skin weights as given, ``r`` a rest point.
    ///
    /// Parameters
    /// ----------
    /// skel_state : array (..., n_joints, 8) or (..., n_joints, 4, 4)
    ///     Skeleton states ``tx ty tz qx qy qz qw s``, or world-from-joint matrices (their last row is not
    ///     read). Quaternions need not be of unit length.
    /// rest_vertices : array (..., n_vertices, 3), optional
    ///     The mesh's own vertices where not given. Batch axes broadcast. Blend shapes play no part here.
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
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> poses = np.zeros((5, character.parameter_transform.size), np.float32)
    /// >>> state = ka.geometry.model_parameters_to_skeleton_state(character, poses)
    /// >>> character.skin_points(state).dtype
    /// dtype('float32')
    #[pyo3(signature = (skel_state, rest_vertices = None, *, out = None))]
    fn skin_points<'py>(
        &self,
        py: Python<'py>,
        skel_state: &Bound<'py, PyAny>,
        rest_vertices: Option<&Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        posing::skin_points(py, &self.prepared, skel_state, rest_vertices, out)
    }

    /// The mesh in one pose, with its normals: forward kinematics, skinning, and new normals.
    ///
    /// Parameters
    /// ----------
    /// joint_params : array (7 * n_joints,) or (n_joints, 7)
    ///     One pose. For many, ``skin_points(joint_parameters_to_skeleton_state(character, joint_params))``.
    ///
    /// Returns
    /// -------
    /// Mesh
    ///     In the precision of ``joint_params``. Blend shapes play no part here.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> posed = character.pose_mesh(np.zeros(7 * len(character.skeleton)))
    /// >>> bool(np.abs(posed.vertices - character.mesh.vertices).max() < 1e-6)
    /// True
    fn pose_mesh(&self, py: Python<'_>, joint_params: &Bound<'_, PyAny>) -> PyResult<PyMesh> {
        let mesh = posing::pose_mesh(py, &self.prepared, joint_params)?;
        Ok(PyMesh(Arc::new(mesh)))
    }

    /// Loads a character from a glTF or GLB file; see :func:`kinarray.load_character`.
    #[staticmethod]
    #[pyo3(signature = (path, unit = "m"))]
    fn load_gltf(path: &Bound<'_, PyAny>, unit: &str) -> PyResult<Self> {
        io::load_character(path, unit)
    }

    /// Loads a character from the bytes of a GLB, or of a glTF that refers to no other file.
    #[staticmethod]
    #[pyo3(signature = (gltf_bytes, unit = "m"))]
    fn load_gltf_from_bytes(gltf_bytes: &Bound<'_, PyAny>, unit: &str) -> PyResult<Self> {
        io::load_character(gltf_bytes, unit)
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
        io::load_gltf_with_motion(py, gltf_filename, unit, clip)
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
        io::load_gltf_with_motion(py, gltf_bytes, unit, clip)
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
        io::load_gltf_with_skel_states(py, gltf_filename, unit, clip, fps)
    }

    /// The joints that any of the chosen parameters drive.
    ///
    /// Parameters
    /// ----------
    /// active_parameters : bool array (n_parameters,)
    ///
    /// Returns
    /// -------
    /// list of int
    ///     Indices of joints, in order.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> character.joints_for_parameters(character.parameter_transform.no_parameters)
    /// []
    fn joints_for_parameters(&self, active_parameters: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
        let mask = self.parameter_mask(active_parameters, "active_parameters")?;
        Ok(self.core().joints_for_parameters(&mask)?)
    }

    /// The parameters that drive any of the joints.
    ///
    /// Parameters
    /// ----------
    /// joint_indices : sequence of int, or integer array (n,)
    ///
    /// Returns
    /// -------
    /// NumPy array (n_parameters,), bool
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     A joint there is not.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> bool(character.parameters_for_joints([0]).any())
    /// True
    fn parameters_for_joints<'py>(
        &self,
        py: Python<'py>,
        joint_indices: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let joints = values::joints(joint_indices, "joint_indices")?;
        values::fresh_mask(py, self.core().parameters_for_joints(&joints)?)
    }

    /// The same character with only the joints that the chosen parameters drive, and the roots.
    ///
    /// What the other joints carried goes to the nearest joint above them that stays; the rest pose does not
    /// change. The parameters stay, so poses keep their shape; those that drive nothing any more have no
    /// effect. :meth:`simplify_parameter_transform` takes them away.
    ///
    /// Parameters
    /// ----------
    /// enabled_parameters : bool array (n_parameters,), optional
    ///     All parameters where not given: only joints that nothing drives go.
    ///
    /// Returns
    /// -------
    /// Character
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> rigid = character.simplify(character.parameter_transform.rigid_parameters)
    /// >>> len(rigid.skeleton) < len(character.skeleton)
    /// True
    #[pyo3(signature = (enabled_parameters = None))]
    fn simplify(&self, enabled_parameters: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let mask = match enabled_parameters {
            Some(mask) => self.parameter_mask(mask, "enabled_parameters")?,
            None => vec![true; self.core().parameter_transform.len()],
        };
        Ok(Self::from_core(self.core().simplify(&mask)?))
    }

    /// The same character with only some of its joints.
    ///
    /// What the others carried (mesh, locators, solids, ends of ellipsoid limits) goes to the nearest joint
    /// above them that stays, where it was at rest. Limits of joint parameters that go, go too.
    ///
    /// Parameters
    /// ----------
    /// enabled_joint_indices : sequence of int, or integer array (n,)
    ///     Every joint that goes needs one above it that stays, so the roots are among them.
    ///
    /// Returns
    /// -------
    /// Character
    ///
    /// Raises
    /// ------
    /// CharacterError
    ///     No joints, or a root that is not among them.
    /// InvalidValueError
    ///     A joint there is not.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> character.simplify_skeleton([0, 1]).skeleton.joint_names == character.skeleton.joint_names[:2]
    /// True
    fn simplify_skeleton(&self, enabled_joint_indices: &Bound<'_, PyAny>) -> PyResult<Self> {
        let joints = values::joints(enabled_joint_indices, "enabled_joint_indices")?;
        Ok(Self::from_core(self.core().simplify_skeleton(&joints)?))
    }

    /// The same character with only the chosen parameters, and the limits that speak of no other.
    ///
    /// Parameters
    /// ----------
    /// enabled_parameters : bool array (n_parameters,)
    ///
    /// Returns
    /// -------
    /// Character
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> rigid = character.parameter_transform.rigid_parameters
    /// >>> character.simplify_parameter_transform(rigid).parameter_transform.size == int(rigid.sum())
    /// True
    fn simplify_parameter_transform(
        &self,
        enabled_parameters: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let mask = self.parameter_mask(enabled_parameters, "enabled_parameters")?;
        let core = self.core().simplify_parameter_transform(&mask)?;
        Ok(Self::from_core(core))
    }

    /// A character with one more root joint, moved by six parameters of its own: ``<name>_tx`` to
    /// ``<name>_rz``. For a camera, say, or a prop.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    /// name : str
    /// translation_offset : array (3,), optional
    ///     In the character's unit.
    /// pre_rotation : array (4,), optional
    ///     Unit quaternion ``x y z w``.
    ///
    /// Returns
    /// -------
    /// character : Character
    /// bone_index : int
    ///     Of the new joint, the last one.
    /// parameter_start_index : int
    ///     Of the first of the new parameters, the last six.
    ///
    /// Raises
    /// ------
    /// CharacterError
    ///     A joint or a parameter has the name already.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> more, joint, parameter = ka.geometry.Character.add_rigid_transform_node(character, "camera")
    /// >>> more.skeleton[joint].name, more.parameter_transform.names[parameter]
    /// ('camera', 'camera_tx')
    #[staticmethod]
    #[pyo3(signature = (character, name, translation_offset = None, pre_rotation = None))]
    fn add_rigid_transform_node(
        character: &Bound<'_, Self>,
        name: String,
        translation_offset: Option<&Bound<'_, PyAny>>,
        pre_rotation: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(Self, usize, usize)> {
        let mut node = Joint::new(name, None, [0.0; 3]);
        if let Some(offset) = translation_offset {
            node.translation_offset = values::fixed(offset, "translation_offset")?;
        }
        if let Some(rotation) = pre_rotation {
            node.pre_rotation = values::fixed(rotation, "pre_rotation")?;
        }
        let (core, joint, parameter) = character.get().core().add_rigid_transform_node(node)?;
        Ok((Self::from_core(core), joint, parameter))
    }

    /// An equal character. Characters cannot change, so there is no need for one; it is here because
    /// PyMomentum has it.
    fn clone(&self) -> Self {
        Self {
            prepared: Prepared::new(self.prepared.character().clone()),
        }
    }

    /// The same character with every length multiplied: skeleton, mesh, locators, solids, limits.
    ///
    /// The unit stays; :meth:`in_unit` changes it. Parameters that are lengths, such as root translations,
    /// must be multiplied too for the same pose.
    ///
    /// Parameters
    /// ----------
    /// scale : float
    /// mass_scale : CharacterMassScale
    ///     What becomes of masses: they stay, or grow with the volume.
    ///
    /// Returns
    /// -------
    /// Character
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     A scale that is not positive.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> small = character.scaled(0.5)
    /// >>> bool(np.allclose(small.mesh.vertices, character.mesh.vertices / 2))
    /// True
    #[pyo3(signature = (scale, mass_scale = PyCharacterMassScale::PreserveMass))]
    fn scaled(&self, scale: f64, mass_scale: PyCharacterMassScale) -> PyResult<Self> {
        Ok(Self::from_core(
            self.core().scaled(scale, mass_scale.into())?,
        ))
    }

    /// The same character in another space, as from y-up to z-up: roots, mesh and bind pose move, and what
    /// the joints carry moves with them.
    ///
    /// To move or turn a body within its space, use model parameters. Root translations are along the axes
    /// of the world before and after: turn them too to get the same pose, moved.
    ///
    /// Parameters
    /// ----------
    /// xform : array (4, 4)
    ///     A rotation, a translation, and one positive scale.
    ///
    /// Returns
    /// -------
    /// Character
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     A matrix that mirrors, shears, scales unevenly or projects.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> z_up = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])
    /// >>> turned = character.transformed(z_up)
    /// >>> bool(np.allclose(turned.mesh.vertices[:, 2], character.mesh.vertices[:, 1], atol=1e-6))
    /// True
    fn transformed(&self, xform: &Bound<'_, PyAny>) -> PyResult<Self> {
        let matrix = values::matrix4(xform, "xform")?;
        Ok(Self::from_core(self.core().transformed(&matrix)?))
    }

    fn __hash__(&self) -> u64 {
        hash::of(self.core())
    }

    fn __repr__(&self) -> String {
        let core = self.core();
        let mesh = core.mesh.as_ref().map_or_else(
            || "no mesh".to_owned(),
            |mesh| format!("{} vertices", mesh.n_vertices()),
        );
        format!(
            "Character('{}', {} joints, {} model parameters, {mesh}, unit '{}')",
            core.name,
            core.skeleton.len(),
            core.parameter_transform.len(),
            core.unit
        )
    }

    fn _repr_html_(&self) -> String {
        html::character(self.core())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "Character", self.core())
    }
}
