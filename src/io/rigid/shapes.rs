//! Solids, and what is seen, each on one joint.

use nalgebra::{Isometry3, Matrix4, Point3, UnitQuaternion, Vector3};
use std::borrow::Cow;

use crate::character::{CollisionGeometry, CollisionShape, Mesh, MeshParts, SkinWeights};
use crate::error::{Error, Result};
use crate::io::Progress;
use crate::io::mesh_files::{self, Triangles};

/// A few letters of text can be a ball, and many can be the same large mesh.
const MAX_VERTICES: usize = 1 << 22;

/// What is seen of a shape without a color.
const GRAY: [f64; 3] = [0.8; 3];

/// A form around the origin; round ones have their axis along z. `M` says which mesh.
pub(in crate::io) enum Form<M> {
    /// Edges.
    Box([f64; 3]),
    Cylinder {
        radius: f64,
        length: f64,
    },
    /// The length is that of the part between the round ends.
    Capsule {
        radius: f64,
        length: f64,
    },
    /// Half axes; a sphere has three of one length.
    Ellipsoid([f64; 3]),
    Mesh(M),
}

/// A form, and where it sits on its joint.
pub(in crate::io) struct Placed<'a, M> {
    /// `None` is the world.
    pub joint: Option<usize>,
    pub place: Isometry3<f64>,
    pub form: &'a Form<M>,
    /// Red, green, blue; 0 to 1.
    pub color: Option<[f64; 3]>,
}

fn rows(place: &Isometry3<f64>) -> [f64; 16] {
    let matrix: Matrix4<f64> = place.to_homogeneous();
    std::array::from_fn(|at| matrix[(at / 4, at % 4)])
}

/// The solids of collision shapes; meshes are left out.
pub(in crate::io) fn solids<'a, M: 'a>(
    shapes: impl Iterator<Item = Placed<'a, M>>,
    warnings: &mut Vec<String>,
) -> Vec<CollisionGeometry> {
    let (mut meshes, mut cylinders) = (0, 0);
    let mut solids = Vec::new();
    for shape in shapes {
        let mut place = shape.place;
        let form = match *shape.form {
            Form::Box(edges) => CollisionShape::Box {
                half_extents: edges.map(|edge| 0.5 * edge),
            },
            Form::Ellipsoid(radii) => CollisionShape::Ellipsoid { radii },
            Form::Cylinder { radius, length } | Form::Capsule { radius, length } => {
                cylinders += usize::from(matches!(shape.form, Form::Cylinder { .. }));
                // From the lower end along x, which is turned into z.
                let quarter = -std::f64::consts::FRAC_PI_2;
                let turn = UnitQuaternion::from_axis_angle(&Vector3::y_axis(), quarter);
                let end = Vector3::new(0.0, 0.0, -0.5 * length);
                place *= Isometry3::from_parts(end.into(), turn);
                CollisionShape::TaperedCapsule {
                    radius: [radius; 2],
                    length,
                }
            }
            Form::Mesh(_) => {
                meshes += 1;
                continue;
            }
        };
        solids.push(CollisionGeometry {
            parent: shape.joint,
            transformation: rows(&place),
            shape: form,
        });
    }
    if meshes > 0 {
        warnings.push(format!("{meshes} collision meshes are left out"));
    }
    if cylinders > 0 {
        warnings.push(format!(
            "{cylinders} collision cylinders have become capsules, whose ends are round"
        ));
    }
    solids
}

/// Triangles, and factors for their coordinates.
pub(in crate::io) type Scaled<'a> = (Cow<'a, Triangles>, [f64; 3]);

/// All shapes on joints in one mesh over the rest pose, each vertex bound to its joint. `load` brings the
/// triangles of a mesh, or says why there are none.
pub(in crate::io) fn mesh<'a, 'm, M: 'a>(
    shapes: impl ExactSizeIterator<Item = Placed<'a, M>>,
    worlds: &[Isometry3<f64>],
    mut load: impl FnMut(&'a M) -> std::result::Result<Scaled<'m>, String>,
    progress: Progress<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<(Mesh, SkinWeights)>> {
    let (mut vertices, mut faces) = (Vec::new(), Vec::new());
    let (mut colors, mut index) = (Vec::new(), Vec::new());
    let mut missing = 0;
    let mut first_reason = None;
    let count = shapes.len();
    for (at, shape) in shapes.enumerate() {
        progress.at(at, count)?;
        let Some((joint, world)) = shape.joint.and_then(|at| Some((at, worlds.get(at)?))) else {
            continue;
        };
        let (triangles, scale) = match *shape.form {
            Form::Mesh(ref mesh) => match load(mesh) {
                Ok(found) => found,
                Err(reason) => {
                    missing += 1;
                    first_reason.get_or_insert(reason);
                    continue;
                }
            },
            Form::Box(edges) => (Cow::Owned(mesh_files::block(edges)), [1.0; 3]),
            Form::Cylinder { radius, length } => {
                (Cow::Owned(mesh_files::cylinder(radius, length)), [1.0; 3])
            }
            Form::Capsule { radius, length } => {
                (Cow::Owned(mesh_files::ball(radius, length)), [1.0; 3])
            }
            Form::Ellipsoid(radii) => (Cow::Owned(mesh_files::ball(1.0, 0.0)), radii),
        };
        let scale = Vector3::from(scale);
        let start = index.len();
        if triangles.vertices.len() > MAX_VERTICES - start {
            return Err(Error::format(
                "what is seen",
                format!("at most {MAX_VERTICES} vertices in all"),
                "more",
            ));
        }
        let start = start as u32;
        let place = world * shape.place;
        for vertex in &triangles.vertices {
            let point = Point3::from(Vector3::from(*vertex).component_mul(&scale));
            vertices.extend((place * point).iter().map(|&x| x as f32));
        }
        // A mirrored mesh is inside out.
        let mirrored = scale.product() < 0.0;
        faces.extend(triangles.faces.iter().map(|face| {
            let [a, b, c] = face.map(|vertex| start + vertex);
            if mirrored { [a, c, b] } else { [a, b, c] }
        }));
        let n_new = triangles.vertices.len();
        index.resize(index.len() + n_new, joint as u32);
        let color = shape.color.unwrap_or(GRAY);
        let color = color.map(|x| (255.0 * x).round() as u8);
        colors.resize(colors.len() + n_new, color);
    }
    if let Some(reason) = first_reason {
        warnings.push(format!(
            "{missing} visual meshes are left out; the first: {reason}"
        ));
    }
    if index.is_empty() {
        return Ok(None);
    }
    let weights = SkinWeights::new(1, index.clone(), vec![1.0_f32; index.len()].into())?;
    let mesh = Mesh::new(MeshParts {
        vertices: vertices.into(),
        faces,
        colors,
        ..MeshParts::default()
    })?;
    Ok(Some((mesh, weights)))
}
