//! `kinarray.geometry.Character`.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use std::sync::Arc;

use super::numbered::number_of;
use super::{
    blend_shape::{self, PyBlendShape, PyBlendShapeBase},
    collision, hash, html,
    locator::PyLocator,
    mesh::PyMesh,
    parameter_limit::PyParameterLimit,
    parameter_transform::PyParameterTransform,
    pickle,
    pose_shape::PyPoseShape,
    skeleton::PySkeleton,
    skin_weights::PySkinWeights,
};
use super::{
    distance_field::PySdfCollider, physical_properties::PyJointPhysicalProperties,
    skinned_locator::PySkinnedLocator,
};
use crate::backend::operations::ApplyModelParamLimits;
use crate::character::{Character, CharacterParts, Joint, Unit};
use crate::kinematics::Prepared;
use crate::python::apply::apply;
use crate::python::surgery;
use crate::python::{posing, values};

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
    pub prepared: Arc<Prepared>,
}

impl PartialEq for PyCharacter {
    fn eq(&self, other: &Self) -> bool {
        self.core() == other.core()
    }
}

impl PyCharacter {
    pub fn from_core(core: Character) -> Self {
        Self {
            prepared: Arc::new(Prepared::new(Arc::new(core))),
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

    /// With only some of the model parameters.
    pub fn reduced_to(&self, mask: &[bool]) -> PyResult<Self> {
        let mut parts = self.core().parts();
        parts.keep_parameters(mask)?;
        Ok(Self::from_core(Character::new(parts)?))
    }
}

#[pymethods]
impl PyCharacter {
    /// What stands for it in graphs that torch compiles.
    #[getter]
    fn _number(slf: &Bound<'_, Self>) -> usize {
        number_of(slf.as_any())
    }

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

    /// Lower and upper limits of the joint parameters, two ``(n_joints, 7)`` float64 arrays; infinite
    /// where a parameter is free. Passive limits are among them.
    #[getter]
    fn joint_parameter_limits<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let (low, high) = self.core().joint_parameter_limits();
        let shape = [low.len() / 7, 7];
        Ok((
            values::fresh(py, low, &shape)?,
            values::fresh(py, high, &shape)?,
        ))
    }

    /// How much the square of each of :func:`parameter_limit_residuals` counts, ``(n_residuals,)``
    /// float64: ``energy = 10 * (weights * residuals**2).sum(-1)``.
    ///
    /// The limits' weights; those of ellipsoids are 1e-4 of them, as in PyMomentum, and lengths count in
    /// centimetres whatever the character's unit.
    #[getter]
    fn parameter_limit_weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let weights = self.prepared.limits()?.weights();
        values::fresh(py, weights.to_vec(), &[weights.len()])
    }

    /// Which of ``parameter_limits`` each of :func:`parameter_limit_residuals` is of, ``(n_residuals,)``
    /// int32.
    #[getter]
    fn parameter_limit_indices<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let limits = self.prepared.limits()?.limits().iter();
        let limits: Vec<i32> = limits.map(|&limit| limit as i32).collect();
        let count = limits.len();
        values::fresh(py, limits, &[count])
    }

    /// Clamps model parameters to their limits (MinMax).
    ///
    /// Parameters
    /// ----------
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
    /// >>> bool((character.apply_model_param_limits(poses) <= high).all())
    /// True
    #[pyo3(signature = (model_params, *, out = None))]
    fn apply_model_param_limits<'py>(
        &self,
        py: Python<'py>,
        model_params: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let operation = ApplyModelParamLimits::new(self.core())?;
        apply(py, &operation, &[model_params], out)
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

    /// Displacements of the mesh (body shapes, morph targets), or ``None``.
    #[getter]
    fn blend_shape(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let shapes = self.prepared.blend_shape();
        shapes
            .map(|shapes| blend_shape::wrap(py, shapes))
            .transpose()
    }

    /// Displacements of the mesh by facial expressions, or ``None``.
    #[getter]
    fn face_expression_blend_shape(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let shapes = self.prepared.face_expression();
        shapes
            .map(|shapes| blend_shape::wrap(py, shapes))
            .transpose()
    }

    /// Displacements of the mesh by the rotations of joints, or ``None``.
    #[getter]
    fn pose_shape(&self) -> Option<PyPoseShape> {
        self.prepared.pose_shape().cloned().map(PyPoseShape)
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

    /// The same character with another mesh and the weights that bind it to the skeleton. Shapes stay: take
    /// them away first where the new mesh has other vertices (``with_blend_shape(None)``, …).
    #[pyo3(signature = (mesh, skin_weights = None))]
    fn with_mesh_and_skin_weights(
        &self,
        mesh: &Bound<'_, PyMesh>,
        skin_weights: Option<&Bound<'_, PySkinWeights>>,
    ) -> PyResult<Self> {
        self.with(|parts| {
            parts.mesh = Some(mesh.get().0.clone());
            parts.skin_weights = skin_weights.map(|weights| weights.get().0.clone());
        })
    }

    /// The same character with a blend shape (``None``: without), and model parameters ``blend_0``, … that
    /// are its coefficients, behind the others and in place of those it had.
    ///
    /// Parameters
    /// ----------
    /// blend_shape : BlendShape or None
    /// n_shapes : int
    ///     At most this many parameters; the shapes beyond stay at zero. -1 is one for each shape.
    ///
    /// Raises
    /// ------
    /// CharacterError
    ///     No mesh, or one of another number of vertices.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> base = character.mesh.vertices
    /// >>> taller = ka.geometry.BlendShape.from_tensors(base, [base * 0.1], ["taller"])
    /// >>> character.with_blend_shape(taller).parameter_transform.names[-1]
    /// 'blend_0'
    #[pyo3(signature = (blend_shape, n_shapes = -1))]
    fn with_blend_shape(
        &self,
        blend_shape: Option<&Bound<'_, PyBlendShape>>,
        n_shapes: i64,
    ) -> PyResult<Self> {
        let shape = blend_shape.and_then(|shape| shape.as_super().get().as_whole());
        let count = usize::try_from(n_shapes).ok();
        Ok(Self::from_core(self.core().with_blend_shape(shape, count)?))
    }

    /// The same character with displacements by facial expressions (``None``: without), and model
    /// parameters ``face_expre_0``, … that are their coefficients, behind the others and in place of those
    /// it had.
    ///
    /// Parameters
    /// ----------
    /// blend_shape : BlendShapeBase or None
    ///     Of a ``BlendShape`` the base plays no part.
    /// n_shapes : int
    ///     At most this many parameters; the shapes beyond stay at zero. -1 is one for each shape.
    ///
    /// Raises
    /// ------
    /// CharacterError
    ///     No mesh, or one of another number of vertices.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> smile = ka.geometry.BlendShapeBase.from_tensors(np.ones((1, character.mesh.n_vertices, 3)))
    /// >>> character.with_face_expression_blend_shape(smile).parameter_transform.names[-1]
    /// 'face_expre_0'
    #[pyo3(signature = (blend_shape, n_shapes = -1))]
    fn with_face_expression_blend_shape(
        &self,
        blend_shape: Option<&Bound<'_, PyBlendShapeBase>>,
        n_shapes: i64,
    ) -> PyResult<Self> {
        let shape = blend_shape.map(|shape| shape.get().as_offsets());
        let count = usize::try_from(n_shapes).ok();
        Ok(Self::from_core(
            self.core().with_face_expression(shape, count)?,
        ))
    }

    /// The same character with a pose shape (``None``: without). It is used where it is asked for:
    /// ``character.skin_points(state, character.pose_shape.compute_shape(state))``.
    ///
    /// Raises ``CharacterError`` without a mesh, for one of another number of vertices, and for a joint
    /// that does not exist.
    fn with_pose_shape(&self, pose_shape: Option<&Bound<'_, PyPoseShape>>) -> PyResult<Self> {
        let shape = pose_shape.map(|shape| shape.get().core().clone());
        Ok(Self::from_core(self.core().with_pose_shape(shape)?))
    }

    /// The same character with the blend shape of these coefficients as its mesh, and without the blend
    /// shape and its parameters. Face expressions stay.
    ///
    /// Parameters
    /// ----------
    /// blend_weights : array (n,)
    ///     Coefficients; those not given are zero.
    ///
    /// Raises
    /// ------
    /// ShapeError
    /// CharacterError
    ///     More coefficients than shapes.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> base = character.mesh.vertices
    /// >>> taller = ka.geometry.BlendShape.from_tensors(base, [base * 0.1], ["taller"])
    /// >>> baked = character.with_blend_shape(taller).bake_blend_shape([2.0])
    /// >>> bool(np.allclose(baked.mesh.vertices, base * 1.2))
    /// True
    fn bake_blend_shape(&self, blend_weights: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (weights, shape) = values::reals(blend_weights, "blend_weights")?;
        values::require("blend_weights", &shape, &[None], "(n_shapes,)")?;
        let weights: Vec<f64> = weights.iter().collect();
        Ok(Self::from_core(self.core().bake_blend_shape(&weights)?))
    }

    /// The rest mesh that model parameters ask for: the blend shape by its parameters (the mesh, where there
    /// are none), and the displacements of facial expressions by theirs.
    ///
    /// Parameters
    /// ----------
    /// model_parameters : array (..., n_parameters)
    ///     Only the coefficients of shapes count.
    /// out : array (..., n_vertices, 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., n_vertices, 3)
    ///     In the character's unit; kind, device and dtype of ``model_parameters``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    /// CharacterError
    ///     No mesh, or parameters for shapes that the character has not.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> base = character.mesh.vertices
    /// >>> taller = ka.geometry.BlendShape.from_tensors(base, [base * 0.1], ["taller"])
    /// >>> character = character.with_blend_shape(taller)
    /// >>> parameters = np.zeros(character.parameter_transform.size, np.float32)
    /// >>> parameters[-1] = 2
    /// >>> bool(np.allclose(character.rest_vertices(parameters), base * 1.2))
    /// True
    #[pyo3(signature = (model_parameters, *, out = None))]
    fn rest_vertices<'py>(
        &self,
        py: Python<'py>,
        model_parameters: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        posing::rest_vertices(py, &self.prepared, model_parameters, out)
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
    ///     The mesh's own vertices where not given, as they are: shapes play no part then.
    /// model_parameters : array (..., n_parameters), optional
    ///     Skins ``rest_vertices(model_parameters)``, so that blend shapes and facial expressions count. Not
    ///     together with ``rest_vertices``. Batch axes of all arguments broadcast.
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
    /// ValueError
    ///     Both ``rest_vertices`` and ``model_parameters``.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> poses = np.zeros((5, character.parameter_transform.size), np.float32)
    /// >>> state = ka.geometry.model_parameters_to_skeleton_state(character, poses)
    /// >>> character.skin_points(state).dtype
    /// dtype('float32')
    #[pyo3(signature = (skel_state, rest_vertices = None, *, model_parameters = None, out = None))]
    fn skin_points<'py>(
        &self,
        py: Python<'py>,
        skel_state: &Bound<'py, PyAny>,
        rest_vertices: Option<&Bound<'py, PyAny>>,
        model_parameters: Option<&Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let prepared = &self.prepared;
        posing::skin_points(
            py,
            prepared,
            skel_state,
            rest_vertices,
            model_parameters,
            out,
        )
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
    /// model_parameters : array (n_parameters,), optional
    ///     Poses ``rest_vertices(model_parameters)``, so that blend shapes and facial expressions count;
    ///     without, shapes play no part: the rest mesh is the character's as it is.
    ///
    /// Returns
    /// -------
    /// Mesh
    ///     In the precision of the arguments.
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> character = ka.testing.create_humanoid(n_vertices=1000)
    /// >>> posed = character.pose_mesh(np.zeros(7 * len(character.skeleton)))
    /// >>> bool(np.abs(posed.vertices - character.mesh.vertices).max() < 1e-6)
    /// True
    #[pyo3(signature = (joint_params, *, model_parameters = None))]
    fn pose_mesh(
        &self,
        py: Python<'_>,
        joint_params: &Bound<'_, PyAny>,
        model_parameters: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyMesh> {
        let mesh = posing::pose_mesh(py, &self.prepared, joint_params, model_parameters)?;
        Ok(PyMesh(Arc::new(mesh)))
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
            prepared: Arc::new(Prepared::new(self.prepared.character().clone())),
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
    /// mass_scale : CharacterMassScale, optional
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
    #[pyo3(signature = (scale, mass_scale = None))]
    fn scaled(&self, scale: f64, mass_scale: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let mass_scale = surgery::mass_scale(mass_scale)?;
        Ok(Self::from_core(self.core().scaled(scale, mass_scale)?))
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
