//! What links carry: masses, solids, and what is seen of them.

use nalgebra::{Isometry3, Matrix4, Point3, UnitQuaternion, Vector3};

use super::raw::{Geometry, Robot, Shape};
use crate::character::{
    CollisionGeometry, CollisionShape, JointPhysicalProperties, Mesh, MeshParts, SkinWeights,
};
use crate::error::Result;
use crate::io::Source;
use crate::io::mesh_files::{self, Triangles};

/// As large as the file of one mesh may be.
const MAX_MESH_BYTES: usize = 256 << 20;

/// The mass of each link that has one.
pub(super) fn masses(robot: &Robot<'_, '_>, joints: &[usize]) -> Vec<JointPhysicalProperties> {
    let links = robot.links.iter().zip(joints);
    links
        .filter_map(|(link, &joint)| {
            let inertial = link.inertial.as_ref()?;
            let turn = inertial.origin.rotation.coords;
            Some(JointPhysicalProperties {
                mass: inertial.mass,
                center_of_mass_offset: inertial.origin.translation.vector.into(),
                inertia: std::array::from_fn(|at| inertial.inertia[(at / 3, at % 3)]),
                inertia_rotation: [turn.x, turn.y, turn.z, turn.w],
                joint_name: link.name.clone(),
                joint_index: Some(joint),
            })
        })
        .collect()
}

fn rows(place: &Isometry3<f64>) -> [f64; 16] {
    let matrix: Matrix4<f64> = place.to_homogeneous();
    std::array::from_fn(|at| matrix[(at / 4, at % 4)])
}

/// The solids of collision shapes; meshes are left out.
pub(super) fn solids(
    robot: &Robot<'_, '_>,
    joints: &[usize],
    warnings: &mut Vec<String>,
) -> Vec<CollisionGeometry> {
    let (mut meshes, mut cylinders) = (0, 0);
    let mut solids = Vec::new();
    for (link, &joint) in robot.links.iter().zip(joints) {
        for shape in &link.collisions {
            let mut place = shape.origin;
            let form = match shape.geometry {
                Geometry::Box(edges) => CollisionShape::Box {
                    half_extents: edges.map(|edge| 0.5 * edge),
                },
                Geometry::Sphere { radius } => CollisionShape::Ellipsoid { radii: [radius; 3] },
                Geometry::Cylinder { radius, length } | Geometry::Capsule { radius, length } => {
                    cylinders += usize::from(matches!(shape.geometry, Geometry::Cylinder { .. }));
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
                Geometry::Mesh { .. } => {
                    meshes += 1;
                    continue;
                }
            };
            solids.push(CollisionGeometry {
                parent: Some(joint),
                transformation: rows(&place),
                shape: form,
            });
        }
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

/// All visual shapes in one mesh over the rest pose, each vertex bound to its link.
pub(super) fn mesh(
    robot: &Robot<'_, '_>,
    joints: &[usize],
    worlds: &[Isometry3<f64>],
    source: &Source<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<(Mesh, SkinWeights)>> {
    let (mut vertices, mut faces) = (Vec::new(), Vec::new());
    let (mut colors, mut index) = (Vec::new(), Vec::new());
    let mut missing = 0;
    let mut reasons: Vec<String> = Vec::new();
    let count = robot.links.len();
    for (at, (link, &joint)) in robot.links.iter().zip(joints).enumerate() {
        source.progress.at(at, count)?;
        for shape in &link.visuals {
            let (triangles, scale) = match triangles(shape, source) {
                Ok(found) => found,
                Err(reason) => {
                    missing += 1;
                    if reasons.is_empty() {
                        reasons.push(reason);
                    }
                    continue;
                }
            };
            let start = vertices.len() as u32 / 3;
            let place = worlds[joint] * shape.origin;
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
            let color = shape.color.unwrap_or([0.8; 3]);
            let color = color.map(|x| (255.0 * x).round() as u8);
            colors.resize(colors.len() + n_new, color);
        }
    }
    if let Some(reason) = reasons.first() {
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

/// The triangles of a shape and the scale of its mesh, or why there are none.
fn triangles(
    shape: &Shape<'_, '_>,
    source: &Source<'_>,
) -> std::result::Result<(Triangles, Vector3<f64>), String> {
    let one = Vector3::repeat(1.0);
    Ok(match &shape.geometry {
        Geometry::Box(edges) => (mesh_files::block(*edges), one),
        Geometry::Cylinder { radius, length } => (mesh_files::cylinder(*radius, *length), one),
        Geometry::Capsule { radius, length } => (mesh_files::ball(*radius, *length), one),
        Geometry::Sphere { radius } => (mesh_files::ball(*radius, 0.0), one),
        Geometry::Mesh { file, scale } => {
            let suffix = file.rsplit('.').next().unwrap_or_default().to_lowercase();
            let bytes =
                find(&shape.element.place(), file, source).map_err(|error| error.to_string())?;
            let triangles = mesh_files::load(&bytes, &suffix)
                .map_err(|error| error.in_file(file).to_string())?;
            (triangles, Vector3::from(*scale))
        }
    })
}

/// The file of a mesh. In `package://name/path` the folder of the package may be the one that the file
/// lies in, or one below it.
fn find(place: &str, file: &str, source: &Source<'_>) -> Result<Vec<u8>> {
    let path = file.strip_prefix("file://").unwrap_or(file);
    let Some(inside) = path.strip_prefix("package://") else {
        return source.neighbour(place, path, MAX_MESH_BYTES);
    };
    let whole = source.neighbour(place, inside, MAX_MESH_BYTES);
    match inside.split_once('/') {
        Some((_, rest)) => whole.or_else(|_| source.neighbour(place, rest, MAX_MESH_BYTES)),
        None => whole,
    }
}

/// Where the joints are with all parameters zero.
pub(super) fn rest_places(skeleton: &crate::character::Skeleton) -> Vec<Isometry3<f64>> {
    let mut worlds: Vec<Isometry3<f64>> = Vec::with_capacity(skeleton.len());
    for joint in skeleton.joints() {
        let [x, y, z, w] = joint.pre_rotation;
        let turn = UnitQuaternion::from_quaternion(nalgebra::Quaternion::new(w, x, y, z));
        let local = Isometry3::from_parts(Vector3::from(joint.translation_offset).into(), turn);
        worlds.push(match joint.parent {
            Some(parent) => worlds[parent] * local,
            None => local,
        });
    }
    worlds
}
