//! What the standard parts of a file round, without rounding: files are metres, `FB_momentum` is
//! centimetres, accessors are in single precision. Beside them the writer puts the numbers themselves, and
//! the reader takes each that its rounded twin agrees with: where somebody has changed the file since, the
//! change counts.

use std::sync::Arc;

use crate::array::DType;
use crate::character::{
    CharacterParts, CollisionGeometry, CollisionShape, Joint, LimitKind, Locator,
    PARAMETERS_PER_JOINT, ParameterLimit, ParameterTransform, Reals, Skeleton,
};
use crate::error::Result;

/// How far rounding may have taken a number, relative to it or to one unit.
const ROUNDING: f64 = 1e-5;

/// The double-precision numbers of a character that standard parts of a file hold rounded.
pub(super) struct Numbers {
    joints: Vec<Joint>,
    entries: Vec<(usize, usize, f64)>,
    limits: Vec<ParameterLimit>,
    locators: Vec<Locator>,
    solids: Vec<CollisionGeometry>,
    inverse_bind: Vec<[f64; 16]>,
}

impl Numbers {
    /// Those of a character.
    pub fn of(parts: &CharacterParts) -> Self {
        let transform = &parts.parameter_transform;
        let rows = 0..PARAMETERS_PER_JOINT * transform.n_joints();
        let entries = rows.flat_map(|row| {
            let entries = transform.row(row);
            entries.map(move |(column, value)| (row, column, value))
        });
        Self {
            entries: entries.collect(),
            joints: parts.skeleton.joints().to_vec(),
            limits: parts.parameter_limits.to_vec(),
            locators: parts.locators.to_vec(),
            solids: parts.collision_geometry.to_vec(),
            inverse_bind: parts.inverse_bind_pose.to_vec(),
        }
    }

    /// Each number in turn, always in the same order.
    fn visit(&mut self, visit: &mut dyn FnMut(&mut f64)) {
        for joint in &mut self.joints {
            joint.translation_offset.iter_mut().for_each(&mut *visit);
            joint.pre_rotation.iter_mut().for_each(&mut *visit);
        }
        for (_, _, value) in &mut self.entries {
            visit(value);
        }
        for limit in &mut self.limits {
            visit(&mut limit.weight);
            visit_limit(&mut limit.kind, visit);
        }
        for locator in &mut self.locators {
            locator.offset.iter_mut().for_each(&mut *visit);
            locator.limit_origin.iter_mut().for_each(&mut *visit);
            locator.limit_weight.iter_mut().for_each(&mut *visit);
            visit(&mut locator.weight);
            visit(&mut locator.skin_offset);
        }
        for solid in &mut self.solids {
            solid.transformation.iter_mut().for_each(&mut *visit);
            visit_shape(&mut solid.shape, visit);
        }
        let matrices = self.inverse_bind.iter_mut().flatten();
        matrices.for_each(visit);
    }

    /// All numbers.
    pub fn list(mut self) -> Vec<f64> {
        let mut list = Vec::new();
        self.visit(&mut |number| list.push(*number));
        list
    }

    /// Puts exact numbers in the place of rounded ones; `false`, and nothing done, where there are more or
    /// fewer of them.
    pub fn refine(mut self, exact: &[f64], parts: &mut CharacterParts) -> Result<bool> {
        let mut count = 0;
        self.visit(&mut |_| count += 1);
        if count != exact.len() {
            return Ok(false);
        }
        let mut exact = exact.iter();
        self.visit(&mut |number| {
            if let Some(&exact) = exact.next()
                && (!exact.is_finite()
                    || (exact - *number).abs() <= ROUNDING * exact.abs().max(1.0))
            {
                *number = exact;
            }
        });
        let skeleton = Skeleton::new(self.joints)?;
        let old = &parts.parameter_transform;
        let rows = ParameterTransform::new(old.names().to_vec(), skeleton.len(), self.entries)?;
        parts.parameter_transform = Arc::new(rows.with_sets_and_columns_of(old)?);
        parts.skeleton = Arc::new(skeleton);
        parts.parameter_limits = Arc::new(self.limits);
        parts.locators = Arc::new(self.locators);
        parts.collision_geometry = Arc::new(self.solids);
        parts.inverse_bind_pose = Arc::new(self.inverse_bind);
        Ok(true)
    }
}

fn visit_limit(kind: &mut LimitKind, visit: &mut dyn FnMut(&mut f64)) {
    match kind {
        LimitKind::MinMax { range, .. }
        | LimitKind::MinMaxJoint { range, .. }
        | LimitKind::MinMaxJointPassive { range, .. } => range.iter_mut().for_each(visit),
        LimitKind::Linear {
            scale,
            offset,
            range,
            ..
        }
        | LimitKind::LinearJoint {
            scale,
            offset,
            range,
            ..
        } => {
            visit(scale);
            visit(offset);
            range.iter_mut().for_each(visit);
        }
        LimitKind::HalfPlane { normal, offset, .. } => {
            normal.iter_mut().for_each(&mut *visit);
            visit(offset);
        }
        LimitKind::Ellipsoid {
            offset, ellipsoid, ..
        } => {
            offset.iter_mut().for_each(&mut *visit);
            ellipsoid.iter_mut().for_each(visit);
        }
    }
}

fn visit_shape(shape: &mut CollisionShape, visit: &mut dyn FnMut(&mut f64)) {
    match shape {
        CollisionShape::TaperedCapsule { radius, length } => {
            radius.iter_mut().for_each(&mut *visit);
            visit(length);
        }
        CollisionShape::Ellipsoid { radii } => radii.iter_mut().for_each(visit),
        CollisionShape::Box { half_extents } => half_extents.iter_mut().for_each(visit),
    }
}

/// A single as an integer that grows by one from each number to the next.
fn place(x: f32) -> i32 {
    let bits = x.to_bits() as i32;
    if bits < 0 { bits ^ i32::MAX } else { bits }
}

fn at_place(place: i32) -> f32 {
    f32::from_bits((if place < 0 { place ^ i32::MAX } else { place }) as u32)
}

/// What it takes to get from rounded singles to exact numbers.
pub(super) enum Difference {
    /// They are the same.
    None,
    /// How many numbers further each one is.
    Steps(Vec<i8>),
    /// Too far away.
    Other,
}

/// Compares numbers with what a reader finds in their place.
pub(super) fn difference(exact: &Reals, found: impl Iterator<Item = f32> + Clone) -> Difference {
    if exact.dtype() == DType::Float64 {
        return Difference::Other;
    }
    let exact = exact.as_f32();
    let same = |(exact, found): (&f32, f32)| exact.to_bits() == found.to_bits();
    if exact.iter().zip(found.clone()).all(same) {
        return Difference::None;
    }
    let steps = exact.iter().zip(found).map(|(&exact, found)| {
        let steps = i64::from(place(exact)) - i64::from(place(found));
        i8::try_from(steps).ok()
    });
    match steps.collect() {
        Some(steps) => Difference::Steps(steps),
        None => Difference::Other,
    }
}

/// The exact numbers from rounded ones and steps.
pub(super) fn stepped(found: &[f32], steps: &[u8]) -> Vec<f32> {
    let both = found.iter().zip(steps);
    both.map(|(&found, &steps)| at_place(place(found).saturating_add(i32::from(steps as i8))))
        .collect()
}
