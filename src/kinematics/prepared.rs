//! A character made ready for computing: plans in both precisions, each built when first asked for.

use std::sync::{Arc, OnceLock};

use super::blend_shape::{PreparedShapes, Shapes, in_panels};
use super::{
    CollisionPlan, DualQuaternionPlan, ForwardPlan, InPrecision, InversePlan, PreparedLimits,
    PreparedPoseShape, SkinPlan, TransformPlan,
};
use crate::character::{Character, ParameterTransform, Reals};
use crate::error::Result;
use crate::math::{Moving, Real};

/// A parameter transform made ready for computing.
#[derive(Debug)]
pub struct PreparedTransform {
    transform: Arc<ParameterTransform>,
    single: OnceLock<TransformPlan<f32>>,
    double: OnceLock<TransformPlan<f64>>,
    moving: OnceLock<TransformPlan<Moving>>,
}

impl PreparedTransform {
    /// Cheap: the plans are built on first use.
    #[must_use]
    pub fn new(transform: Arc<ParameterTransform>) -> Self {
        Self {
            transform,
            single: OnceLock::new(),
            double: OnceLock::new(),
            moving: OnceLock::new(),
        }
    }

    /// The map itself.
    #[must_use]
    pub fn transform(&self) -> &Arc<ParameterTransform> {
        &self.transform
    }

    /// The sparse rows in precision `T`.
    #[must_use]
    pub fn plan<T: Precision>(&self) -> &TransformPlan<T> {
        T::transform_slot(self).get_or_init(|| TransformPlan::new(&self.transform))
    }
}

/// The plans of one precision. A new plan is one more slot here and one more method of [`Prepared`].
#[derive(Debug)]
pub struct Plans<T> {
    forward: OnceLock<ForwardPlan<T>>,
    local: OnceLock<ForwardPlan<T>>,
    inverse: OnceLock<InversePlan<T>>,
    local_inverse: OnceLock<InversePlan<T>>,
    skin: OnceLock<SkinPlan<T>>,
    skinned_locators: OnceLock<SkinPlan<T>>,
    influences: OnceLock<SkinPlan<T>>,
    locators: OnceLock<SkinPlan<T>>,
    dual_quaternions: OnceLock<Result<DualQuaternionPlan<T>>>,
    collision: OnceLock<CollisionPlan<T>>,
}

impl<T> Default for Plans<T> {
    fn default() -> Self {
        Self {
            forward: OnceLock::new(),
            local: OnceLock::new(),
            inverse: OnceLock::new(),
            local_inverse: OnceLock::new(),
            skin: OnceLock::new(),
            skinned_locators: OnceLock::new(),
            influences: OnceLock::new(),
            locators: OnceLock::new(),
            dual_quaternions: OnceLock::new(),
            collision: OnceLock::new(),
        }
    }
}

/// A character made ready for computing.
#[derive(Debug)]
pub struct Prepared {
    character: Arc<Character>,
    transform: Arc<PreparedTransform>,
    single: Plans<f32>,
    double: Plans<f64>,
    moving: Plans<Moving>,
    limits: OnceLock<Result<Arc<PreparedLimits>>>,
    blend_shape: Option<Arc<PreparedShapes>>,
    face_expression: Option<Arc<PreparedShapes>>,
    pose_shape: Option<Arc<PreparedPoseShape>>,
    mesh_in_panels: InPrecision,
}

impl Prepared {
    /// Cheap: the plans are built on first use.
    #[must_use]
    pub fn new(character: Arc<Character>) -> Self {
        Self {
            transform: Arc::new(PreparedTransform::new(
                character.parameter_transform.clone(),
            )),
            blend_shape: character.blend_shape.as_ref().map(|shape| {
                let shapes = Shapes::Whole(shape.clone());
                Arc::new(PreparedShapes::new(shapes))
            }),
            face_expression: character.face_expression.as_ref().map(|shape| {
                let shapes = Shapes::Offsets(shape.clone());
                Arc::new(PreparedShapes::new(shapes))
            }),
            pose_shape: character
                .pose_shape
                .as_ref()
                .map(|shape| Arc::new(PreparedPoseShape::new(shape.clone()))),
            mesh_in_panels: InPrecision::default(),
            character,
            single: Plans::default(),
            double: Plans::default(),
            moving: Plans::default(),
            limits: OnceLock::new(),
        }
    }

    /// The character.
    #[must_use]
    pub fn character(&self) -> &Arc<Character> {
        &self.character
    }

    /// The character's parameter transform.
    #[must_use]
    pub fn transform(&self) -> &Arc<PreparedTransform> {
        &self.transform
    }

    /// Joint parameters to world states.
    #[must_use]
    pub fn forward_plan<T: Precision>(&self) -> &ForwardPlan<T> {
        T::plans(self)
            .forward
            .get_or_init(|| ForwardPlan::world(&self.character.skeleton))
    }

    /// Joint parameters to states relative to the parent.
    #[must_use]
    pub fn local_plan<T: Precision>(&self) -> &ForwardPlan<T> {
        T::plans(self)
            .local
            .get_or_init(|| ForwardPlan::local(&self.character.skeleton))
    }

    /// World states to joint parameters.
    #[must_use]
    pub fn inverse_plan<T: Precision>(&self) -> &InversePlan<T> {
        T::plans(self)
            .inverse
            .get_or_init(|| InversePlan::world(&self.character.skeleton))
    }

    /// States relative to the parent to joint parameters.
    #[must_use]
    pub fn local_inverse_plan<T: Precision>(&self) -> &InversePlan<T> {
        T::plans(self)
            .local_inverse
            .get_or_init(|| InversePlan::local(&self.character.skeleton))
    }

    /// The limits on the parameters, all of which may change.
    ///
    /// # Errors
    /// [`crate::Error::Character`] for an ellipsoid that is flat.
    pub fn limits(&self) -> Result<&Arc<PreparedLimits>> {
        let limits = self
            .limits
            .get_or_init(|| PreparedLimits::new(&self.character, None).map(Arc::new));
        limits.as_ref().map_err(Clone::clone)
    }

    /// The mesh's vertices and which joints carry them; empty where the character has no skin.
    #[must_use]
    pub fn skin_plan<T: Precision>(&self) -> &SkinPlan<T> {
        T::plans(self)
            .skin
            .get_or_init(|| SkinPlan::new(&self.character))
    }

    /// The blend shape.
    #[must_use]
    pub fn blend_shape(&self) -> Option<&Arc<PreparedShapes>> {
        self.blend_shape.as_ref()
    }

    /// The displacements by facial expressions.
    #[must_use]
    pub fn face_expression(&self) -> Option<&Arc<PreparedShapes>> {
        self.face_expression.as_ref()
    }

    /// The displacements by the rotations of joints.
    #[must_use]
    pub fn pose_shape(&self) -> Option<&Arc<PreparedPoseShape>> {
        self.pose_shape.as_ref()
    }

    /// The mesh's vertices as [`super::blend_shape`] has a base; empty where there is no mesh.
    #[must_use]
    pub fn mesh_in_panels<T: Precision>(&self) -> &[T] {
        let mesh = &self.character.mesh;
        let make = || {
            mesh.as_ref()
                .map_or(Vec::new(), |mesh| in_panels(&mesh.vertices))
        };
        self.mesh_in_panels.get::<T, Vec<T>>(make)
    }

    /// The skinned locators and which joints carry them.
    #[must_use]
    pub fn skinned_locator_plan<T: Precision>(&self) -> &SkinPlan<T> {
        T::plans(self)
            .skinned_locators
            .get_or_init(|| SkinPlan::of_skinned_locators(&self.character))
    }

    /// One point for each influence of each vertex.
    #[must_use]
    pub fn influence_plan<T: Precision>(&self) -> &SkinPlan<T> {
        T::plans(self)
            .influences
            .get_or_init(|| SkinPlan::of_influences(&self.character))
    }

    /// The locators and which joint carries each.
    #[must_use]
    pub fn locator_plan<T: Precision>(&self) -> &SkinPlan<T> {
        T::plans(self)
            .locators
            .get_or_init(|| SkinPlan::of_locators(&self.character))
    }

    /// The mesh's vertices for skinning by dual quaternions.
    ///
    /// # Errors
    /// As [`DualQuaternionPlan::new`].
    pub fn dual_quaternion_plan<T: Precision>(&self) -> Result<&DualQuaternionPlan<T>> {
        let plan = T::plans(self)
            .dual_quaternions
            .get_or_init(|| DualQuaternionPlan::new(&self.character));
        plan.as_ref().map_err(Clone::clone)
    }

    /// The solids and which pairs of them may collide.
    #[must_use]
    pub fn collision_plan<T: Precision>(&self) -> &CollisionPlan<T> {
        T::plans(self)
            .collision
            .get_or_init(|| CollisionPlan::new(&self.character))
    }
}

/// A real type that plans are kept in.
pub trait Precision: Real + sealed::Sealed {
    /// The type that constants are kept in.
    type Constant: Copy + Into<Self> + Send + Sync;
    /// Constant numbers in this precision.
    fn of(reals: &Reals) -> &[Self::Constant];
    #[doc(hidden)]
    fn plans(prepared: &Prepared) -> &Plans<Self>;
    #[doc(hidden)]
    fn transform_slot(prepared: &PreparedTransform) -> &OnceLock<TransformPlan<Self>>;
}

impl Precision for f32 {
    type Constant = Self;
    fn of(reals: &Reals) -> &[Self] {
        reals.as_f32()
    }
    fn plans(prepared: &Prepared) -> &Plans<Self> {
        &prepared.single
    }
    fn transform_slot(prepared: &PreparedTransform) -> &OnceLock<TransformPlan<Self>> {
        &prepared.single
    }
}

impl Precision for f64 {
    type Constant = Self;
    fn of(reals: &Reals) -> &[Self] {
        reals.as_f64()
    }
    fn plans(prepared: &Prepared) -> &Plans<Self> {
        &prepared.double
    }
    fn transform_slot(prepared: &PreparedTransform) -> &OnceLock<TransformPlan<Self>> {
        &prepared.double
    }
}

impl Precision for Moving {
    type Constant = f64;
    fn of(reals: &Reals) -> &[f64] {
        reals.as_f64()
    }
    fn plans(prepared: &Prepared) -> &Plans<Self> {
        &prepared.moving
    }
    fn transform_slot(prepared: &PreparedTransform) -> &OnceLock<TransformPlan<Self>> {
        &prepared.moving
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::math::Moving {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}
