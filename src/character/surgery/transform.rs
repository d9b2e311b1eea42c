//! A character in another space.

use nalgebra::{Isometry3, Matrix3, Vector3};
use std::sync::Arc;

use super::remap::carried_collider;
use super::{CharacterMassScale, frames};
use crate::array::DType;
use crate::character::{
    BlendShape, BlendShapeBase, Character, CharacterParts, Joint, Mesh, MeshParts, PoseShape,
    Reals, Skeleton,
};
use crate::error::{Error, Result};

/// How far a matrix may be from a rotation; float32 matrices are off by rounding.
const TOLERANCE: f64 = 1e-4;

impl Character {
    /// The same character moved by a row-major 4x4 matrix: a rotation, a translation, and one scale. Roots,
    /// mesh and bind pose move; what joints carry moves with them.
    ///
    /// Root translations are given along the axes of the world, before and after: a pose whose root
    /// translation is turned (and scaled) too gives the posed body, moved.
    ///
    /// # Errors
    /// [`Error::Value`] for a matrix that mirrors, shears, scales unevenly or projects.
    pub fn transformed(&self, matrix: &[f64; 16]) -> Result<Self> {
        let (scale, motion) = rigid(matrix)?;
        let body = if (scale - 1.0).abs() > TOLERANCE {
            self.scaled(scale, CharacterMassScale::PreserveMass)?
        } else {
            self.clone()
        };
        moved(body.parts(), &motion)
    }
}

/// The scale and the rigid motion that a matrix is made of.
fn rigid(rows: &[f64; 16]) -> Result<(f64, Isometry3<f64>)> {
    let wrong = |problem: String| Err(Error::value("xform", problem));
    if rows.iter().any(|x| !x.is_finite()) {
        return wrong("it has an entry that is not finite".into());
    }
    if rows[12..] != [0.0, 0.0, 0.0, 1.0] {
        return wrong(format!(
            "expected the last row 0 0 0 1, got {:?}",
            &rows[12..]
        ));
    }
    let matrix = frames::to_matrix(rows);
    let block: Matrix3<f64> = matrix.fixed_view::<3, 3>(0, 0).into();
    let volume = block.determinant();
    let scale = volume.abs().cbrt();
    let turn = block / scale;
    let error = (turn * turn.transpose() - Matrix3::identity()).abs().max();
    if scale == 0.0 || error.is_nan() || error > TOLERANCE {
        return wrong(
            "expected a rotation, a translation and one positive scale, got a matrix that shears or \
             scales unevenly"
                .into(),
        );
    }
    if volume < 0.0 {
        return wrong("it mirrors; joints cannot be mirrored by a matrix".into());
    }
    let shift = Vector3::new(rows[3], rows[7], rows[11]);
    // Rounding in the matrix must not reach unit quaternions and normals.
    let rotation = frames::closest_rotation(&turn);
    Ok((scale, Isometry3::from_parts(shift.into(), rotation)))
}

fn moved(parts: CharacterParts, motion: &Isometry3<f64>) -> Result<Character> {
    // Named one by one: a new part does not compile until it is said here how it moves.
    let CharacterParts {
        name,
        unit,
        skeleton,
        parameter_transform,
        parameter_limits,
        mesh,
        skin_weights,
        mut inverse_bind_pose,
        locators,
        mut collision_geometry,
        blend_shape,
        face_expression,
        pose_shape,
        metadata,
        mut skinned_locators,
        physical_properties,
        mut sdf_colliders,
    } = parts;
    let joints = skeleton.joints().iter().map(|joint| match joint.parent {
        None => frames::placed(joint, None, &(motion * frames::local(joint))),
        Some(_) => joint.clone(),
    });
    let back = motion.inverse().to_homogeneous();
    for inverse in Arc::make_mut(&mut inverse_bind_pose) {
        *inverse = frames::to_rows(&(frames::to_matrix(inverse) * back));
    }
    // What a joint carries moves with it; what the world carries moves by itself.
    for solid in Arc::make_mut(&mut collision_geometry) {
        if solid.parent.is_none() {
            solid.transformation = frames::carried(motion, &solid.transformation);
        }
    }
    for locator in Arc::make_mut(&mut skinned_locators) {
        locator.position = frames::point(motion, locator.position);
    }
    for collider in Arc::make_mut(&mut sdf_colliders) {
        if collider.parent.is_none() {
            *collider = carried_collider(collider, motion);
        }
    }
    Character::new(CharacterParts {
        name,
        unit,
        skeleton: Arc::new(Skeleton::new(joints.collect::<Vec<Joint>>())?),
        parameter_transform,
        parameter_limits,
        mesh: mesh.map(|each| moved_mesh(&each, motion)).transpose()?,
        skin_weights,
        inverse_bind_pose,
        locators,
        collision_geometry,
        blend_shape: blend_shape
            .map(|each| moved_shape(&each, motion))
            .transpose()?,
        face_expression: face_expression
            .map(|each| turned_offsets(&each, motion))
            .transpose()?,
        pose_shape: pose_shape
            .map(|each| moved_pose_shape(&each, motion))
            .transpose()?,
        metadata,
        skinned_locators,
        physical_properties,
        sdf_colliders,
    })
}

fn moved_mesh(mesh: &Mesh, motion: &Isometry3<f64>) -> Result<Arc<Mesh>> {
    Ok(Arc::new(Mesh::new(MeshParts {
        vertices: each_point(&mesh.vertices, |at| motion * nalgebra::Point3::from(at)),
        normals: each_point(&mesh.normals, |at| (motion.rotation * at).into()),
        ..MeshParts::from(mesh.clone())
    })?))
}

fn moved_shape(shape: &BlendShape, motion: &Isometry3<f64>) -> Result<Arc<BlendShape>> {
    let base = each_point(shape.base(), |at| motion * nalgebra::Point3::from(at));
    let displacements = turned(shape.displacements(), motion);
    let names = shape.names().to_vec();
    Ok(Arc::new(BlendShape::new(names, base, displacements)?))
}

fn turned(displacements: &Reals, motion: &Isometry3<f64>) -> Reals {
    each_point(displacements, |at| (motion.rotation * at).into())
}

fn turned_offsets(shape: &BlendShapeBase, motion: &Isometry3<f64>) -> Result<Arc<BlendShapeBase>> {
    let displacements = turned(shape.displacements(), motion);
    let names = shape.names().to_vec();
    BlendShapeBase::new(names, shape.n_vertices(), displacements).map(Arc::new)
}

/// Rotations of joints relative to each other do not change.
fn moved_pose_shape(shape: &PoseShape, motion: &Isometry3<f64>) -> Result<Arc<PoseShape>> {
    let whole = moved_shape(shape.shape(), motion)?;
    let moved = PoseShape::new(
        whole.base().clone(),
        whole.displacements().clone(),
        shape.base_joint(),
        *shape.base_rotation(),
        shape.joints().to_vec(),
    )?;
    Ok(Arc::new(moved))
}

/// Every three numbers mapped, in the precision they came in.
fn each_point(reals: &Reals, map: impl Fn(Vector3<f64>) -> nalgebra::Point3<f64>) -> Reals {
    let numbers: Vec<f64> = reals.iter().collect();
    let mapped = numbers
        .as_chunks::<3>()
        .0
        .iter()
        .flat_map(|&[x, y, z]| <[f64; 3]>::from(map(Vector3::new(x, y, z)).coords));
    match reals.dtype() {
        DType::Float64 => mapped.collect::<Vec<f64>>().into(),
        _ => mapped.map(|x| x as f32).collect::<Vec<f32>>().into(),
    }
}
