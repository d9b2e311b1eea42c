//! `kinarray.geometry.Character`.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use std::sync::Arc;

use super::{
    blend_shape::PyBlendShape, collision, html, locator::PyLocator, mesh::PyMesh,
    parameter_limit::PyParameterLimit, parameter_transform::PyParameterTransform, pickle,
    skeleton::PySkeleton, skin_weights::PySkinWeights,
};
use super::{
    distance_field::PySdfCollider, physical_properties::PyJointPhysicalProperties,
    skinned_locator::PySkinnedLocator,
};
use crate::character::{Character, CharacterParts, Unit};
use crate::kinematics::Prepared;
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

    /// Named points that move with the skin.
    #[getter]
    fn skinned_locators(&self) -> Vec<PySkinnedLocator> {
        let locators = self.core().skinned_locators.iter();
        locators.cloned().map(PySkinnedLocator).collect()
    }

    /// What its joints weigh.
    #[getter]
    fn physical_properties(&self) -> Vec<PyJointPhysicalProperties> {
        let bodies = self.core().physical_properties.iter();
        bodies.cloned().map(PyJointPhysicalProperties).collect()
    }

    /// Distance fields that joints carry.
    #[getter]
    fn sdf_colliders(&self) -> Vec<PySdfCollider> {
        let colliders = self.core().sdf_colliders.iter();
        colliders.cloned().map(PySdfCollider).collect()
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

    /// The same character with more skinned locators, or with others where ``replace``.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> tip = ka.geometry.SkinnedLocator("tip", [1, 2], [0.5, 0.5], [0.0, 1.0, 0.0])
    /// >>> [locator.name for locator in character.with_skinned_locators([tip]).skinned_locators]
    /// ['tip']
    #[pyo3(signature = (skinned_locators, replace = false))]
    fn with_skinned_locators(
        &self,
        skinned_locators: Vec<Bound<'_, PySkinnedLocator>>,
        replace: bool,
    ) -> PyResult<Self> {
        self.with(|parts| {
            let list = Arc::make_mut(&mut parts.skinned_locators);
            if replace {
                list.clear();
            }
            list.extend(
                skinned_locators
                    .iter()
                    .map(|locator| locator.get().0.clone()),
            );
        })
    }

    /// The same character whose joints weigh something else.
    ///
    /// Each body says by name or by index which joint it belongs to; the character fills in the other.
    fn with_physical_properties(
        &self,
        physical_properties: Vec<Bound<'_, PyJointPhysicalProperties>>,
    ) -> PyResult<Self> {
        let bodies = physical_properties.iter();
        let bodies = bodies.map(|body| body.get().0.clone()).collect();
        self.with(|parts| parts.physical_properties = Arc::new(bodies))
    }

    /// The same character with other distance fields.
    fn with_sdf_colliders(&self, sdf_colliders: Vec<Bound<'_, PySdfCollider>>) -> PyResult<Self> {
        let colliders = sdf_colliders.iter();
        let colliders = colliders.map(|collider| collider.get().0.clone()).collect();
        self.with(|parts| parts.sdf_colliders = Arc::new(colliders))
    }

    /// The same character, its mesh bound to the skeleton's rest pose: the inverse bind pose becomes the
    /// inverse of the zero pose.
    fn rebind_skin(&self) -> PyResult<Self> {
        Ok(Self::from_core(self.core().rebind_skin()?))
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

    /// Moves points with the character's joints by dual quaternions, so that joints that twist do not
    /// pinch the skin.
    ///
    /// Rotations and translations of ``M_k · B_k`` are blended as dual quaternions, each on the side of
    /// the joint with the largest weight; scales are blended linearly and act first. Weights count
    /// relative to their sum. Bind poses must be rotations, translations and one scale.
    ///
    /// Parameters
    /// ----------
    /// skel_state : array (..., n_joints, 8)
    ///     World from joint, ``tx ty tz qx qy qz qw s``. Quaternions may have any length but 0, and either
    ///     sign.
    /// rest_vertices : array (..., n_vertices, 3), optional
    ///     The mesh's own vertices where not given. Batch axes broadcast.
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
    /// >>> points = character.skin_points_dual_quaternion(state)
    /// >>> bool(np.abs(points - character.mesh.vertices).max() < 1e-5)
    /// True
    #[pyo3(signature = (skel_state, rest_vertices = None, *, out = None))]
    fn skin_points_dual_quaternion<'py>(
        &self,
        py: Python<'py>,
        skel_state: &Bound<'py, PyAny>,
        rest_vertices: Option<&Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        posing::skin_points_dual_quaternion(py, &self.prepared, skel_state, rest_vertices, out)
    }

    /// Moves the skinned locators with the character's joints by linear blend skinning. Their weights
    /// count relative to their sum.
    ///
    /// Parameters
    /// ----------
    /// skel_state : array (..., n_joints, 8) or (..., n_joints, 4, 4)
    ///     Skeleton states, or world-from-joint matrices.
    /// rest_positions : array (..., n_locators, 3), optional
    ///     The locators' own positions where not given. Batch axes broadcast.
    /// out : array (..., n_locators, 3), optional
    ///
    /// Returns
    /// -------
    /// array (..., n_locators, 3)
    ///     World positions, of the kind, device and dtype of ``skel_state``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> tip = ka.geometry.SkinnedLocator("tip", [1, 2], [0.5, 0.5], [0.0, 1.0, 0.0])
    /// >>> character = character.with_skinned_locators([tip])
    /// >>> character.skin_skinned_locators(character.bind_pose).round(6).tolist()
    /// [[0.0, 1.0, 0.0]]
    #[pyo3(signature = (skel_state, rest_positions = None, *, out = None))]
    fn skin_skinned_locators<'py>(
        &self,
        py: Python<'py>,
        skel_state: &Bound<'py, PyAny>,
        rest_positions: Option<&Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        posing::skin_skinned_locators(py, &self.prepared, skel_state, rest_positions, out)
    }

    /// World positions of the locators.
    ///
    /// Parameters
    /// ----------
    /// skel_state : array (..., n_joints, 8) or (..., n_joints, 4, 4)
    ///     Skeleton states, or world-from-joint matrices.
    /// offsets : array (..., n_locators, 3), optional
    ///     Positions in the joints' frames; the locators' own where not given. Batch axes broadcast.
    /// out : array (..., n_locators, 3), optional
    ///
    /// Returns
    /// -------
    /// array (..., n_locators, 3)
    ///     World positions, of the kind, device and dtype of ``skel_state``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> character.locator_positions(character.bind_pose).shape == (len(character.locators), 3)
    /// True
    #[pyo3(signature = (skel_state, offsets = None, *, out = None))]
    fn locator_positions<'py>(
        &self,
        py: Python<'py>,
        skel_state: &Bound<'py, PyAny>,
        offsets: Option<&Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        posing::locator_positions(py, &self.prepared, skel_state, offsets, out)
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
