//! Hashes of nouns, so that they may be keys and members of sets. Equal nouns have equal hashes; a hash is
//! made of names and sizes and a few numbers, so that it costs little, and equality decides.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::character::{
    BlendShapeBase, Character, CollisionGeometry, Joint, LimitKind, Locator, Material, Mesh,
    ParameterLimit, ParameterTransform, Reals, Skeleton, SkinWeights,
};

/// How many numbers of an array count.
const FEW: usize = 12;

/// The hash of a noun.
pub fn of(noun: &impl Noun) -> u64 {
    let mut hasher = DefaultHasher::new();
    noun.put(&mut hasher);
    hasher.finish()
}

/// What can be hashed.
pub trait Noun {
    /// Puts what stands for it into a hasher.
    fn put(&self, hasher: &mut DefaultHasher);
}

/// Zero and minus zero are equal.
fn numbers(numbers: impl IntoIterator<Item = f64>, hasher: &mut DefaultHasher) {
    for x in numbers {
        (x + 0.0).to_bits().hash(hasher);
    }
}

fn few(reals: &Reals, hasher: &mut DefaultHasher) {
    reals.len().hash(hasher);
    numbers(reals.iter().take(FEW), hasher);
}

impl Noun for Material {
    fn put(&self, hasher: &mut DefaultHasher) {
        self.name.hash(hasher);
        numbers(self.base_color.map(f64::from), hasher);
    }
}

impl Noun for Joint {
    fn put(&self, hasher: &mut DefaultHasher) {
        (&self.name, self.parent).hash(hasher);
        numbers(self.pre_rotation, hasher);
        numbers(self.translation_offset, hasher);
    }
}

impl Noun for Skeleton {
    fn put(&self, hasher: &mut DefaultHasher) {
        self.joints().iter().for_each(|joint| joint.put(hasher));
    }
}

impl Noun for ParameterTransform {
    fn put(&self, hasher: &mut DefaultHasher) {
        (self.names(), self.n_joints()).hash(hasher);
    }
}

impl Noun for ParameterLimit {
    fn put(&self, hasher: &mut DefaultHasher) {
        std::mem::discriminant(&self.kind).hash(hasher);
        numbers([self.weight], hasher);
        let (places, range) = match self.kind {
            LimitKind::MinMax { parameter, range } => ([parameter, 0], range),
            LimitKind::MinMaxJoint {
                joint,
                joint_parameter,
                range,
            }
            | LimitKind::MinMaxJointPassive {
                joint,
                joint_parameter,
                range,
            } => ([joint, joint_parameter], range),
            LimitKind::Linear {
                reference,
                target,
                range,
                ..
            } => ([reference, target], range),
            LimitKind::LinearJoint {
                reference,
                target,
                range,
                ..
            } => ([reference[0], target[0]], range),
            LimitKind::HalfPlane {
                parameters, normal, ..
            } => (parameters, normal),
            LimitKind::Ellipsoid {
                ellipsoid_parent,
                parent,
                offset,
                ..
            } => ([ellipsoid_parent, parent], [offset[0], offset[1]]),
        };
        places.hash(hasher);
        numbers(range, hasher);
    }
}

impl Noun for Locator {
    fn put(&self, hasher: &mut DefaultHasher) {
        (&self.name, self.parent).hash(hasher);
        numbers(self.offset, hasher);
    }
}

impl Noun for CollisionGeometry {
    fn put(&self, hasher: &mut DefaultHasher) {
        self.parent.hash(hasher);
        std::mem::discriminant(&self.shape).hash(hasher);
        numbers(self.transformation, hasher);
    }
}

impl Noun for Mesh {
    fn put(&self, hasher: &mut DefaultHasher) {
        self.faces.len().hash(hasher);
        few(&self.vertices, hasher);
    }
}

impl Noun for SkinWeights {
    fn put(&self, hasher: &mut DefaultHasher) {
        self.n_influences().hash(hasher);
        self.index()[..self.index().len().min(FEW)].hash(hasher);
        few(self.weight(), hasher);
    }
}

impl Noun for BlendShapeBase {
    fn put(&self, hasher: &mut DefaultHasher) {
        self.names().hash(hasher);
        self.n_vertices().hash(hasher);
    }
}

impl Noun for Character {
    fn put(&self, hasher: &mut DefaultHasher) {
        (&self.name, self.unit).hash(hasher);
        self.skeleton.put(hasher);
        self.parameter_transform.put(hasher);
        (self.mesh.is_some(), self.locators.len()).hash(hasher);
    }
}
