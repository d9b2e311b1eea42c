//! A character: a skeleton, what drives it, and what it carries.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::{
    BlendShape, BlendShapeBase, CollisionGeometry, JointPhysicalProperties, LimitKind, Locator,
    Mesh, PARAMETERS_PER_JOINT, ParameterLimit, ParameterTransform, PoseShape, SdfCollider,
    Skeleton, SkinWeights, SkinnedLocator, Unit,
};
use crate::error::{Error, Result};

/// What a character is built from. Parts are shared, so "the same but with another mesh" is cheap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CharacterParts {
    /// The character's name.
    pub name: String,
    /// The unit of every length in it.
    pub unit: Unit,
    /// The joints.
    pub skeleton: Arc<Skeleton>,
    /// Model parameters to joint parameters.
    pub parameter_transform: Arc<ParameterTransform>,
    /// Limits on parameters.
    pub parameter_limits: Arc<Vec<ParameterLimit>>,
    /// The rest mesh.
    pub mesh: Option<Arc<Mesh>>,
    /// Which joints carry the mesh; given exactly when `mesh` is.
    pub skin_weights: Option<Arc<SkinWeights>>,
    /// Per joint, world to joint in the bind pose; row-major 4x4. Empty asks for the inverse of the
    /// zero pose.
    pub inverse_bind_pose: Arc<Vec<[f64; 16]>>,
    /// Named points.
    pub locators: Arc<Vec<Locator>>,
    /// Simple solids.
    pub collision_geometry: Arc<Vec<CollisionGeometry>>,
    /// Displacements of the mesh.
    pub blend_shape: Option<Arc<BlendShape>>,
    /// Displacements of the mesh by facial expressions.
    pub face_expression: Option<Arc<BlendShapeBase>>,
    /// Displacements of the mesh by the rotations of joints.
    pub pose_shape: Option<Arc<PoseShape>>,
    /// Free text that travels with the character, JSON by custom.
    pub metadata: String,
    /// Named points that move with the skin.
    pub skinned_locators: Arc<Vec<SkinnedLocator>>,
    /// What its joints weigh.
    pub physical_properties: Arc<Vec<JointPhysicalProperties>>,
    /// Distance fields that joints carry.
    pub sdf_colliders: Arc<Vec<SdfCollider>>,
}

impl CharacterParts {
    /// Nothing but a name; in metres.
    #[must_use]
    pub fn empty(name: impl Into<String>) -> Self {
        let skeleton = Skeleton::default();
        let transform = ParameterTransform::identity(&skeleton);
        Self::new(name, skeleton, transform)
    }

    /// A skeleton and what drives it, nothing else; in metres.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        skeleton: Skeleton,
        parameter_transform: ParameterTransform,
    ) -> Self {
        Self {
            name: name.into(),
            unit: Unit::default(),
            skeleton: Arc::new(skeleton),
            parameter_transform: Arc::new(parameter_transform),
            parameter_limits: Arc::default(),
            mesh: None,
            skin_weights: None,
            inverse_bind_pose: Arc::default(),
            locators: Arc::default(),
            collision_geometry: Arc::default(),
            blend_shape: None,
            face_expression: None,
            pose_shape: None,
            metadata: String::new(),
            skinned_locators: Arc::default(),
            physical_properties: Arc::default(),
            sdf_colliders: Arc::default(),
        }
    }
}

/// A checked character.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CharacterParts", into = "CharacterParts")]
pub struct Character(CharacterParts);

impl TryFrom<CharacterParts> for Character {
    type Error = Error;
    fn try_from(parts: CharacterParts) -> Result<Self> {
        Self::new(parts)
    }
}

impl From<Character> for CharacterParts {
    fn from(character: Character) -> Self {
        character.0
    }
}

impl std::ops::Deref for Character {
    type Target = CharacterParts;
    fn deref(&self) -> &CharacterParts {
        &self.0
    }
}

impl Character {
    /// Checks that the parts belong together and fills in the inverse bind pose where it is missing.
    ///
    /// # Errors
    /// [`Error::Character`] naming the part that does not fit.
    pub fn new(mut parts: CharacterParts) -> Result<Self> {
        let n_joints = parts.skeleton.len();
        let n_parameters = parts.parameter_transform.len();
        if parts.parameter_transform.n_joints() != n_joints {
            return Err(Error::character(
                "parameter transform",
                format!(
                    "made for {} joints, but the skeleton has {n_joints}",
                    parts.parameter_transform.n_joints()
                ),
            ));
        }
        let joint_exists = |part: String, joint: usize| {
            if joint < n_joints {
                return Ok(());
            }
            Err(Error::character(
                part,
                format!("joint index {joint}, but the skeleton has {n_joints} joints"),
            ))
        };
        match (&parts.mesh, &parts.skin_weights) {
            (Some(mesh), Some(weights)) => {
                if mesh.n_vertices() != weights.n_vertices() {
                    return Err(Error::character(
                        "skin weights",
                        format!(
                            "{} rows, but the mesh has {} vertices",
                            weights.n_vertices(),
                            mesh.n_vertices()
                        ),
                    ));
                }
                weights.check_joints(n_joints)?;
            }
            (None, Some(_)) => {
                return Err(Error::character("skin weights", "given without a mesh"));
            }
            _ => {}
        }
        if let Some(mesh) = &parts.mesh {
            let shapes = [
                (
                    "blend shape",
                    parts.blend_shape.as_ref().map(|s| s.offsets().n_vertices()),
                ),
                (
                    "face expression blend shape",
                    parts.face_expression.as_ref().map(|s| s.n_vertices()),
                ),
                (
                    "pose shape",
                    parts.pose_shape.as_ref().map(|s| s.n_vertices()),
                ),
            ];
            for (part, count) in shapes {
                if let Some(count) = count.filter(|&count| count != mesh.n_vertices()) {
                    return Err(Error::character(
                        part,
                        format!("{count} vertices, but the mesh has {}", mesh.n_vertices()),
                    ));
                }
            }
        }
        if let Some(shape) = &parts.pose_shape {
            joint_exists("pose shape".into(), shape.last_joint())?;
        }
        for locator in parts.locators.iter() {
            joint_exists(format!("locator '{}'", locator.name), locator.parent)?;
        }
        for (index, solid) in parts.collision_geometry.iter().enumerate() {
            if let Some(parent) = solid.parent {
                joint_exists(format!("collision geometry {index}"), parent)?;
            }
        }
        for locator in parts.skinned_locators.iter() {
            locator.check_joints(n_joints)?;
        }
        for (index, collider) in parts.sdf_colliders.iter().enumerate() {
            if let Some(parent) = collider.parent {
                joint_exists(format!("SDF collider {index}"), parent)?;
            }
        }
        let bodies = parts.physical_properties.iter();
        let bodies = bodies.map(|body| body.resolved(&parts.skeleton));
        parts.physical_properties = Arc::new(bodies.collect::<Result<_>>()?);
        for (index, limit) in parts.parameter_limits.iter().enumerate() {
            check_limit(index, &limit.kind, n_joints, n_parameters)?;
        }
        if parts.inverse_bind_pose.is_empty() && n_joints > 0 {
            parts.inverse_bind_pose = Arc::new(rest_inverse_bind_pose(&parts.skeleton));
        }
        if parts.inverse_bind_pose.len() != n_joints {
            return Err(Error::character(
                "inverse bind pose",
                format!(
                    "{} matrices for {n_joints} joints",
                    parts.inverse_bind_pose.len()
                ),
            ));
        }
        Ok(Self(parts))
    }

    /// The parts, to build a character that differs in some of them.
    #[must_use]
    pub fn parts(&self) -> CharacterParts {
        self.0.clone()
    }

    /// Lower and upper limits of each model parameter; infinite where it is free.
    #[must_use]
    pub fn model_parameter_limits(&self) -> (Vec<f64>, Vec<f64>) {
        let count = self.parameter_transform.len();
        let (mut low, mut high) = (vec![f64::NEG_INFINITY; count], vec![f64::INFINITY; count]);
        for limit in self.parameter_limits.iter() {
            if let LimitKind::MinMax { parameter, range } = limit.kind {
                low[parameter] = low[parameter].max(range[0]);
                high[parameter] = high[parameter].min(range[1]);
            }
        }
        (low, high)
    }

    /// Lower and upper limits of each joint parameter, seven a joint; infinite where it is free. Passive
    /// limits count.
    #[must_use]
    pub fn joint_parameter_limits(&self) -> (Vec<f64>, Vec<f64>) {
        let count = PARAMETERS_PER_JOINT * self.skeleton.len();
        let (mut low, mut high) = (vec![f64::NEG_INFINITY; count], vec![f64::INFINITY; count]);
        for limit in self.parameter_limits.iter() {
            if let LimitKind::MinMaxJoint {
                joint,
                joint_parameter,
                range,
            }
            | LimitKind::MinMaxJointPassive {
                joint,
                joint_parameter,
                range,
            } = limit.kind
            {
                let at = joint * PARAMETERS_PER_JOINT + joint_parameter;
                low[at] = low[at].max(range[0]);
                high[at] = high[at].min(range[1]);
            }
        }
        (low, high)
    }

    /// The joint and the place in its frame that a name stands for: a locator, or a joint's origin.
    #[must_use]
    pub fn find_point(&self, name: &str) -> Option<(usize, [f64; 3])> {
        let locator = self.locators.iter().find(|locator| locator.name == name);
        locator
            .map(|locator| (locator.parent, locator.offset))
            .or_else(|| {
                self.skeleton
                    .joint_index(name)
                    .map(|joint| (joint, [0.0; 3]))
            })
    }

    /// The same character bound to its skeleton's rest pose: the inverse bind pose is the inverse of
    /// the zero pose.
    ///
    /// # Errors
    /// As [`Character::new`].
    pub fn rebind_skin(&self) -> Result<Self> {
        let mut parts = self.parts();
        parts.inverse_bind_pose = Arc::default();
        Self::new(parts)
    }

    /// World from joint in the bind pose, row-major 4x4 for each joint.
    ///
    /// # Errors
    /// [`Error::Character`] where an inverse bind pose has no inverse.
    pub fn bind_pose(&self) -> Result<Vec<[f64; 16]>> {
        let inverses = self.inverse_bind_pose.iter().zip(self.skeleton.joints());
        inverses
            .map(|(matrix, joint)| {
                let inverse = nalgebra::Matrix4::from_row_slice(matrix).try_inverse();
                let inverse = inverse.ok_or_else(|| {
                    Error::character(
                        format!("joint '{}'", joint.name),
                        "its inverse bind pose has no inverse",
                    )
                })?;
                Ok(std::array::from_fn(|at| inverse[(at / 4, at % 4)]))
            })
            .collect()
    }

    /// The same character with every length expressed in `unit`.
    #[must_use]
    pub fn in_unit(&self, unit: Unit) -> Self {
        if unit == self.unit {
            return self.clone();
        }
        let factor = unit.per_meter() / self.unit.per_meter();
        let mut parts = self.scaled_parts(factor);
        parts.unit = unit;
        Self(parts)
    }

    /// The parts with every length multiplied by `factor`.
    pub(super) fn scaled_parts(&self, factor: f64) -> CharacterParts {
        let old = &self.0;
        let length = |xyz: [f64; 3]| xyz.map(|x| x * factor);
        // The translation column of a rigid 4x4; scale and rotation have no unit.
        let matrix = |mut m: [f64; 16]| {
            for at in [3, 7, 11] {
                m[at] *= factor;
            }
            m
        };
        let mut parts = old.clone();
        parts.skeleton = Arc::new(old.skeleton.scaled(factor));
        parts.parameter_transform = Arc::new(old.parameter_transform.scaled(factor));
        parts.mesh = old.mesh.as_ref().map(|mesh| Arc::new(mesh.scaled(factor)));
        parts.blend_shape = old
            .blend_shape
            .as_ref()
            .map(|shape| Arc::new(shape.scaled(factor)));
        parts.face_expression = old
            .face_expression
            .as_ref()
            .map(|shape| Arc::new(shape.scaled(factor)));
        parts.pose_shape = old
            .pose_shape
            .as_ref()
            .map(|shape| Arc::new(shape.scaled(factor)));
        parts.inverse_bind_pose =
            Arc::new(old.inverse_bind_pose.iter().map(|&m| matrix(m)).collect());
        for locator in Arc::make_mut(&mut parts.locators) {
            locator.offset = length(locator.offset);
            locator.limit_origin = length(locator.limit_origin);
            locator.skin_offset *= factor;
        }
        let locators = old.skinned_locators.iter();
        parts.skinned_locators = Arc::new(locators.map(|locator| locator.scaled(factor)).collect());
        let bodies = old.physical_properties.iter();
        parts.physical_properties = Arc::new(bodies.map(|body| body.scaled(factor)).collect());
        let colliders = old.sdf_colliders.iter();
        parts.sdf_colliders = Arc::new(colliders.map(|collider| collider.scaled(factor)).collect());
        for solid in Arc::make_mut(&mut parts.collision_geometry) {
            use super::CollisionShape as Form;
            solid.transformation = matrix(solid.transformation);
            solid.shape = match solid.shape {
                Form::TaperedCapsule { radius, length } => Form::TaperedCapsule {
                    radius: radius.map(|r| r * factor),
                    length: length * factor,
                },
                Form::Ellipsoid { radii } => Form::Ellipsoid {
                    radii: length(radii),
                },
                Form::Box { half_extents } => Form::Box {
                    half_extents: length(half_extents),
                },
            };
        }
        let lengths = old.parameter_transform.length_parameters();
        for limit in Arc::make_mut(&mut parts.parameter_limits) {
            scale_limit(&mut limit.kind, factor, &lengths);
        }
        parts
    }
}

/// Scales what is a length in a limit; `lengths` says which model parameters are.
fn scale_limit(kind: &mut LimitKind, factor: f64, lengths: &[bool]) {
    let of_parameter = |which: usize| if lengths[which] { factor } else { 1.0 };
    let of_joint_parameter = |which: usize| if which < 3 { factor } else { 1.0 };
    match kind {
        LimitKind::MinMax { parameter, range } => {
            *range = range.map(|x| x * of_parameter(*parameter));
        }
        LimitKind::MinMaxJoint {
            joint_parameter,
            range,
            ..
        }
        | LimitKind::MinMaxJointPassive {
            joint_parameter,
            range,
            ..
        } => *range = range.map(|x| x * of_joint_parameter(*joint_parameter)),
        LimitKind::Linear {
            reference,
            target,
            scale,
            offset,
            range,
        } => {
            *scale *= of_parameter(*reference) / of_parameter(*target);
            *offset *= of_parameter(*reference);
            *range = range.map(|x| x * of_parameter(*target));
        }
        LimitKind::HalfPlane {
            parameters,
            normal,
            offset,
        } => {
            // The line in the new values: divide the normal by each factor, then renormalise.
            let scaled = [
                normal[0] / of_parameter(parameters[0]),
                normal[1] / of_parameter(parameters[1]),
            ];
            let norm = scaled[0].hypot(scaled[1]);
            *normal = scaled.map(|x| x / norm);
            *offset /= norm;
        }
        LimitKind::LinearJoint {
            reference,
            target,
            scale,
            offset,
            range,
        } => {
            *scale *= of_joint_parameter(reference[1]) / of_joint_parameter(target[1]);
            *offset *= of_joint_parameter(reference[1]);
            *range = range.map(|x| x * of_joint_parameter(target[1]));
        }
        LimitKind::Ellipsoid {
            offset, ellipsoid, ..
        } => {
            *offset = offset.map(|x| x * factor);
            // Its columns map the unit sphere to lengths, so all three rows scale.
            ellipsoid[..12].iter_mut().for_each(|x| *x *= factor);
        }
    }
}

fn check_limit(index: usize, kind: &LimitKind, n_joints: usize, n_parameters: usize) -> Result<()> {
    let part = || format!("parameter limit {index}");
    let parameter = |which: usize| {
        if which < n_parameters {
            return Ok(());
        }
        Err(Error::character(
            part(),
            format!("parameter index {which}, but there are {n_parameters} parameters"),
        ))
    };
    let joint = |which: usize| {
        if which < n_joints {
            return Ok(());
        }
        Err(Error::character(
            part(),
            format!("joint index {which}, but the skeleton has {n_joints} joints"),
        ))
    };
    match *kind {
        LimitKind::MinMax { parameter: p, .. } => parameter(p),
        LimitKind::MinMaxJoint { joint: j, .. }
        | LimitKind::MinMaxJointPassive { joint: j, .. } => joint(j),
        LimitKind::Linear {
            reference, target, ..
        } => parameter(reference).and_then(|()| parameter(target)),
        LimitKind::LinearJoint {
            reference, target, ..
        } => joint(reference[0]).and_then(|()| joint(target[0])),
        LimitKind::HalfPlane { parameters, .. } => {
            parameter(parameters[0]).and_then(|()| parameter(parameters[1]))
        }
        LimitKind::Ellipsoid {
            ellipsoid_parent,
            parent,
            ..
        } => joint(ellipsoid_parent).and_then(|()| joint(parent)),
    }
}

/// World to joint in the zero pose, for each joint.
fn rest_inverse_bind_pose(skeleton: &Skeleton) -> Vec<[f64; 16]> {
    let worlds = skeleton.rest_places();
    let inverses = worlds.iter().map(|world| {
        let m = world.inverse().to_homogeneous();
        std::array::from_fn(|at| m[(at / 4, at % 4)])
    });
    inverses.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::character::{Joint, MeshParts};

    fn arm() -> CharacterParts {
        let skeleton = Skeleton::new(vec![
            Joint::new("root", None, [0.0, 1.0, 0.0]),
            Joint::new("hand", Some(0), [1.0, 0.0, 0.0]),
        ])
        .unwrap();
        let transform = ParameterTransform::identity(&skeleton);
        CharacterParts::new("arm", skeleton, transform)
    }

    #[test]
    fn weights_for_a_missing_joint_are_named() {
        let mut parts = arm();
        let mesh = Mesh::new(MeshParts {
            vertices: vec![0.0_f32; 3].into(),
            ..MeshParts::default()
        });
        parts.mesh = Some(Arc::new(mesh.unwrap()));
        parts.skin_weights = Some(Arc::new(
            SkinWeights::new(2, vec![0, 7], vec![0.5_f32, 0.5].into()).unwrap(),
        ));
        assert_eq!(
            Character::new(parts).unwrap_err().to_string(),
            "skin weights: vertex 0: joint index 7, but the skeleton has 2 joints"
        );
    }

    #[test]
    fn a_character_survives_serialisation_and_a_change_of_unit() {
        let character = Character::new(arm()).unwrap();
        let bytes = postcard::to_stdvec(&character).unwrap();
        assert_eq!(
            postcard::from_bytes::<Character>(&bytes).unwrap(),
            character
        );
        let in_cm = character.in_unit(Unit::Centimeter);
        assert_eq!(
            in_cm.skeleton.joints()[1].translation_offset,
            [100.0, 0.0, 0.0]
        );
        assert_eq!(in_cm.inverse_bind_pose[0][7], -100.0);
        assert_eq!(in_cm.in_unit(Unit::Meter), character);
    }
}
