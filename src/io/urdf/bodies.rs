//! What links carry: masses, solids, and what is seen of them.

use nalgebra::Isometry3;
use std::borrow::Cow;

use super::raw::{MeshFile, Robot, Shape};
use crate::character::{CollisionGeometry, JointPhysicalProperties, Mesh, SkinWeights};
use crate::error::Result;
use crate::io::rigid::{self, MAX_MESH_BYTES, Placed};
use crate::io::{Source, mesh_files};

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

fn placed<'s, 'a, 'i>(shape: &'s Shape<'a, 'i>, joint: usize) -> Placed<'s, MeshFile<'a, 'i>> {
    Placed {
        joint: Some(joint),
        place: shape.origin,
        form: &shape.form,
        color: shape.color,
    }
}

/// The solids of collision shapes; meshes are left out.
pub(super) fn solids(
    robot: &Robot<'_, '_>,
    joints: &[usize],
    warnings: &mut Vec<String>,
) -> Vec<CollisionGeometry> {
    let links = robot.links.iter().zip(joints);
    let shapes = links.flat_map(|(link, &joint)| {
        let shapes = link.collisions.iter();
        shapes.map(move |shape| placed(shape, joint))
    });
    rigid::solids(shapes, warnings)
}

/// All visual shapes in one mesh over the rest pose, each vertex bound to its link.
pub(super) fn mesh(
    robot: &Robot<'_, '_>,
    joints: &[usize],
    worlds: &[Isometry3<f64>],
    source: &Source<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<(Mesh, SkinWeights)>> {
    let links = robot.links.iter().zip(joints);
    let shapes = links.flat_map(|(link, &joint)| {
        let shapes = link.visuals.iter();
        shapes.map(move |shape| placed(shape, joint))
    });
    let shapes: Vec<_> = shapes.collect();
    let load = |mesh: &MeshFile<'_, '_>| {
        let file = &mesh.file;
        let suffix = file.rsplit('.').next().unwrap_or_default().to_lowercase();
        let bytes = find(&mesh.element.place(), file, source)
            .map_err(|error| error.in_file(&source.name()).to_string())?;
        let triangles =
            mesh_files::load(&bytes, &suffix).map_err(|error| error.in_file(file).to_string())?;
        Ok((Cow::Owned(triangles), mesh.scale))
    };
    rigid::mesh(shapes.into_iter(), worlds, load, source.progress, warnings)
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
