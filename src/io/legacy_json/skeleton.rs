//! Joints, and what they carry.

use nalgebra::{Matrix4, Quaternion, Translation3, UnitQuaternion};

use crate::character::{CollisionGeometry, CollisionShape, Joint, Locator, Skeleton};
use crate::error::{Error, Result};
use crate::io::json::Item;

/// The joints.
pub(super) fn skeleton(item: &Item<'_>) -> Result<Skeleton> {
    let bones = item.need("Bones")?.items()?;
    let joints = bones.iter().enumerate().map(|(at, bone)| {
        let mut joint = Joint::new(bone.need("Name")?.str()?, None, [0.0; 3]);
        let parent = bone.need("Parent")?;
        joint.parent = carrier(&parent, at, "the joints above it")?;
        if let Some(turn) = bone.get("PreRotation") {
            let numbers = turn.numbers::<4>()?;
            joint.pre_rotation = unit(numbers).ok_or_else(|| wrong_turn(&turn, numbers))?;
        }
        if let Some(offset) = bone.optional_numbers("TranslationOffset")? {
            joint.translation_offset = offset;
        }
        Ok(joint)
    });
    Skeleton::new(joints.collect::<Result<_>>()?)
}

/// The joint that carries something, one of `count`; `None` where it is -1, or what that becomes as a
/// number without sign.
fn carrier(item: &Item<'_>, count: usize, what: &str) -> Result<Option<usize>> {
    let value = item.value;
    let is_none = value.as_i64() == Some(-1)
        || value.as_u64() == Some(u64::MAX)
        || value
            .as_f64()
            .is_some_and(|x| x == -1.0 || x == u64::MAX as f64);
    match is_none {
        true => Ok(None),
        false => item.index(what, count).map(Some),
    }
}

/// A quaternion of unit length, but for rounding.
fn unit([x, y, z, w]: [f64; 4]) -> Option<[f64; 4]> {
    const TOLERANCE: f64 = 1e-3;
    let norm = (x * x + y * y + z * z + w * w).sqrt();
    let is_unit = (norm - 1.0).abs() <= TOLERANCE;
    is_unit.then(|| match (norm - 1.0).abs() > f64::EPSILON {
        true => [x, y, z, w].map(|number| number / norm),
        false => [x, y, z, w],
    })
}

fn wrong_turn(item: &Item<'_>, numbers: [f64; 4]) -> Error {
    let expected = "a quaternion x, y, z, w of unit length";
    Error::format(&item.path, expected, format!("{numbers:?}"))
}

/// The points; those without a joint are left out.
pub(super) fn locators(
    list: &Item<'_>,
    n_joints: usize,
    warnings: &mut Vec<String>,
) -> Result<Vec<Locator>> {
    let mut locators = Vec::new();
    for item in list.items()? {
        let name = item.need("name")?.str()?;
        let parent = item.get("parent");
        let parent = parent.map_or(Ok(None), |parent| carrier(&parent, n_joints, "joints"))?;
        let Some(parent) = parent else {
            warnings.push(format!("locator '{name}' is left out: no joint carries it"));
            continue;
        };
        let number = |key: &str| item.get(key).map_or(Ok(0.0), |item| item.number());
        let offset = match item.optional_numbers("offset")? {
            Some(offset) => offset,
            None => [number("offsetX")?, number("offsetY")?, number("offsetZ")?],
        };
        locators.push(Locator::new(name, parent, offset));
    }
    Ok(locators)
}

/// The solids; what does not say its form is a capsule, the only form there was.
pub(super) fn solids(list: &Item<'_>, n_joints: usize) -> Result<Vec<CollisionGeometry>> {
    let solid = |item: &Item<'_>| {
        let item = item.clone().object()?;
        let lengths = |key: &str| -> Result<[f64; 3]> { item.need(key)?.numbers() };
        let shape = match item.get("type").map(|form| form.str()).transpose()? {
            None | Some("tapered_capsule") => CollisionShape::TaperedCapsule {
                radius: item.need("radius")?.numbers()?,
                length: item.need("length")?.number()?,
            },
            Some("ellipsoid") => CollisionShape::Ellipsoid {
                radii: lengths("radii")?,
            },
            Some("box") => CollisionShape::Box {
                half_extents: lengths("halfExtents")?,
            },
            Some(_) => {
                let form = item.need("type")?;
                return Err(form.wrong("'tapered_capsule', 'ellipsoid' or 'box'"));
            }
        };
        let parent = item.get("parent");
        let place = item.get("transformation");
        Ok(CollisionGeometry {
            parent: parent.map_or(Ok(None), |parent| carrier(&parent, n_joints, "joints"))?,
            transformation: place
                .map_or_else(|| Ok(row_major(&Matrix4::identity())), |at| matrix(&at))?,
            shape,
        })
    };
    list.items()?.iter().map(solid).collect()
}

/// A shift, a turn and a scale.
fn matrix(item: &Item<'_>) -> Result<[f64; 16]> {
    let shift = item
        .optional_numbers::<3>("Translation")?
        .unwrap_or_default();
    let [x, y, z, w] = match item.get("Rotation") {
        Some(turn) => {
            let numbers = turn.numbers()?;
            unit(numbers).ok_or_else(|| wrong_turn(&turn, numbers))?
        }
        None => [0.0, 0.0, 0.0, 1.0],
    };
    let scale = item.get("Scale").map_or(Ok(1.0), |scale| scale.number())?;
    let turn = UnitQuaternion::new_unchecked(Quaternion::new(w, x, y, z));
    let matrix = Translation3::from(shift).to_homogeneous()
        * turn.to_homogeneous()
        * Matrix4::new_scaling(scale);
    Ok(row_major(&matrix))
}

fn row_major(matrix: &Matrix4<f64>) -> [f64; 16] {
    std::array::from_fn(|at| matrix[(at / 4, at % 4)])
}
