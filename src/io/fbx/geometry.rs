//! The mesh of a node, moved to where it is bound.

use nalgebra::{Matrix3, Matrix4, Point3, Vector3};

use super::joints::vector;
use super::scene::Stored;
use super::shapes;
use crate::error::{Error, Result};
use crate::io::nodes::{Names, Polygons, Primitive};

/// Numbers kept for each vertex and each corner besides what ufbx holds, roughly.
const KEPT: (usize, usize) = (24, 8);

/// What a mesh is made of, and its shapes.
pub(super) struct Geometry {
    pub primitive: Primitive,
    pub shape_names: Vec<String>,
    /// Coefficients at rest.
    pub shape_weights: Vec<f64>,
}

/// A matrix with its translation in the character's unit.
pub(super) fn matrix(m: &ufbx::Matrix, length: f64) -> Matrix4<f64> {
    let (x, y, z) = (m.m03 * length, m.m13 * length, m.m23 * length);
    Matrix4::new(
        m.m00, m.m01, m.m02, x, m.m10, m.m11, m.m12, y, m.m20, m.m21, m.m22, z, 0.0, 0.0, 0.0, 1.0,
    )
}

/// Reads a mesh; `place` takes it to the space where it is bound.
pub(super) fn read(stored: &mut Stored, at: usize, place: &Matrix4<f64>) -> Result<Geometry> {
    let length = stored.length;
    let mut warnings = Vec::new();
    let mesh = &stored.scene.meshes.as_ref()[at];
    let name = format!("Geometry '{}'", mesh.element.name);
    let n_shapes: usize = channels(mesh).map(|channel| channel.keyframes.len()).sum();
    let needed = KEPT.0.saturating_mul(mesh.num_vertices);
    let corners = KEPT.1.saturating_mul(mesh.num_indices);
    let shapes = n_shapes.saturating_mul(3 * mesh.num_vertices);
    stored.charge(&name, needed.saturating_add(corners).saturating_add(shapes))?;

    let linear: Matrix3<f64> = place.fixed_view::<3, 3>(0, 0).into_owned();
    let mut positions = Vec::with_capacity(3 * mesh.num_vertices);
    for (vertex, position) in mesh.vertices.iter().enumerate() {
        let moved = place.transform_point(&Point3::from(vector(position) * length));
        let single = moved.coords.map(|x| x as f32);
        if !single.iter().all(|x| x.is_finite()) {
            return Err(Error::format(
                format!("{name}.Vertices[{vertex}]"),
                "finite positions",
                format!("{:?}", vector(position).as_slice()),
            ));
        }
        positions.extend(single.iter());
    }
    let mirrors = linear.determinant() < 0.0;
    let (cut, lines) = faces(mesh, mirrors, &name, &mut warnings);
    let corner_vertex = |corner: u32| mesh.vertex_indices.get(corner as usize).copied();
    let vertices = |corners: &[u32]| -> Vec<u32> {
        let found = corners.iter().map(|&corner| corner_vertex(corner));
        found.map(Option::unwrap_or_default).collect()
    };
    let normals = normals(mesh, &linear, &mut warnings);
    let uv = &mesh.vertex_uv;
    let uv_index = |corners: &[u32]| -> Vec<u32> {
        let found = corners.iter().map(|&at| uv.indices.get(at as usize));
        found.map(|at| at.copied().unwrap_or_default()).collect()
    };
    let has_uv = uv.exists && !uv.values.is_empty();
    let triples = |flat: Vec<u32>| -> Vec<[u32; 3]> {
        let (triples, _) = flat.as_chunks::<3>();
        triples.to_vec()
    };
    let mut primitive = Primitive {
        positions,
        normals,
        // Files count rows of a picture from below, this library from above.
        texcoords: has_uv.then(|| {
            let pairs = uv.values.iter().flat_map(|uv| [uv.x, 1.0 - uv.y]);
            let finite = pairs.map(|x| if x.is_finite() { x as f32 } else { 0.0 });
            finite.collect()
        }),
        texcoord_faces: has_uv.then(|| triples(uv_index(&cut.triangles))),
        colors: colors(mesh),
        faces: triples(vertices(&cut.triangles)),
        polygons: Polygons {
            vertices: vertices(&cut.corners),
            texcoords: if has_uv {
                uv_index(&cut.corners)
            } else {
                Vec::new()
            },
            sizes: cut.sizes,
        },
        lines: lines.iter().map(|line| vertices(line)).collect(),
        materials: cut.materials,
        influences: Vec::new(),
        targets: Vec::new(),
    };
    let mut names = Names::new([]);
    let mut shape_names = Vec::new();
    let mut shape_weights = Vec::new();
    for channel in channels(mesh) {
        shape_names.extend(shapes::names(channel, &mut names));
        shape_weights.extend(shapes::coefficients(channel, channel.weight));
        for key in &channel.keyframes {
            let deltas = deltas(&key.shape, mesh.num_vertices, &(linear * length));
            if !deltas.iter().all(|x| x.is_finite()) {
                let place = format!("Geometry '{}'", key.shape.element.name);
                return Err(Error::format(place, "finite offsets", "others"));
            }
            primitive.targets.push(Some(deltas));
        }
    }
    if mesh.cache_deformers.count > 0 {
        warnings.push(format!("{name}: its geometry cache is left out"));
    }
    stored.warnings.append(&mut warnings);
    Ok(Geometry {
        primitive,
        shape_names,
        shape_weights,
    })
}

/// The blend channels of a mesh.
pub(super) fn channels(mesh: &ufbx::Mesh) -> impl Iterator<Item = &ufbx::BlendChannel> {
    let deformers = mesh.blend_deformers.into_iter();
    deformers.flat_map(|deformer| &deformer.channels)
}

/// Corners of polygons and of the triangles they are cut into.
struct Cut {
    sizes: Vec<u32>,
    corners: Vec<u32>,
    triangles: Vec<u32>,
    /// The material in the scene and the number of triangles that have it, run after run.
    materials: Vec<(Option<usize>, usize)>,
}

fn faces(
    mesh: &ufbx::Mesh,
    mirrors: bool,
    name: &str,
    warnings: &mut Vec<String>,
) -> (Cut, Vec<Vec<u32>>) {
    let mut cut = Cut {
        sizes: Vec::with_capacity(mesh.num_faces),
        corners: Vec::with_capacity(mesh.num_indices),
        triangles: Vec::with_capacity(3 * mesh.num_triangles),
        materials: Vec::new(),
    };
    let mut lines = Vec::new();
    let mut points = 0_usize;
    let mut buffer = vec![0_u32; 3 * mesh.max_face_triangles];
    for (at, &face) in mesh.faces.into_iter().enumerate() {
        let corners = face.index_begin..face.index_begin.saturating_add(face.num_indices);
        match face.num_indices {
            0 | 1 => points += 1,
            2 => lines.push(corners.collect()),
            size => {
                let count = mesh.triangulate_face(&mut buffer, face) as usize;
                let found = buffer.get(..3 * count).unwrap_or_default();
                for triangle in found.chunks_exact(3) {
                    let [a, b, c] = [triangle[0], triangle[1], triangle[2]];
                    cut.triangles
                        .extend(if mirrors { [a, c, b] } else { [a, b, c] });
                }
                let material = mesh.face_material.get(at).copied().unwrap_or_default();
                let material = mesh.materials.get(material as usize);
                let material = material.map(|material| material.element.typed_id as usize);
                match cut.materials.last_mut() {
                    Some((last, run)) if *last == material => *run += found.len() / 3,
                    _ => cut.materials.push((material, found.len() / 3)),
                }
                cut.sizes.push(size);
                if mirrors {
                    cut.corners.extend(corners.rev());
                } else {
                    cut.corners.extend(corners);
                }
            }
        }
    }
    if points > 0 {
        warnings.push(format!(
            "{name}: {points} polygons of one corner are left out"
        ));
    }
    (cut, lines)
}

/// The mean normal of the corners at each vertex.
fn normals(
    mesh: &ufbx::Mesh,
    linear: &Matrix3<f64>,
    warnings: &mut Vec<String>,
) -> Option<Vec<f32>> {
    let stored = &mesh.vertex_normal;
    if !stored.exists {
        return None;
    }
    let mut sums = vec![Vector3::<f64>::zeros(); mesh.num_vertices];
    for (&vertex, &at) in mesh.vertex_indices.iter().zip(&stored.indices) {
        if let (Some(sum), Some(normal)) = (
            sums.get_mut(vertex as usize),
            stored.values.get(at as usize),
        ) {
            *sum += vector(normal);
        }
    }
    if !stored.unique_per_vertex {
        warnings.push(
            "normals of corners are averaged over each vertex: sharp edges look smooth".into(),
        );
    }
    // Normals go with the inverse transpose, which the cofactors are up to a factor.
    let (a, b, c) = (linear.column(0), linear.column(1), linear.column(2));
    let sign = if linear.determinant() < 0.0 {
        -1.0
    } else {
        1.0
    };
    let cofactors = Matrix3::from_columns(&[b.cross(&c), c.cross(&a), a.cross(&b)]) * sign;
    let unit = |sum: &Vector3<f64>| {
        let unit = (cofactors * sum).try_normalize(0.0).unwrap_or_default();
        unit.map(|x| if x.is_finite() { x as f32 } else { 0.0 })
    };
    Some(
        sums.iter()
            .flat_map(|sum| <[f32; 3]>::from(unit(sum)))
            .collect(),
    )
}

/// The mean colour of the corners at each vertex.
fn colors(mesh: &ufbx::Mesh) -> Option<Vec<[u8; 3]>> {
    let stored = &mesh.vertex_color;
    if !stored.exists {
        return None;
    }
    let mut sums = vec![(Vector3::<f64>::zeros(), 0.0); mesh.num_vertices];
    for (&vertex, &at) in mesh.vertex_indices.iter().zip(&stored.indices) {
        if let (Some((sum, count)), Some(color)) = (
            sums.get_mut(vertex as usize),
            stored.values.get(at as usize),
        ) {
            *sum += Vector3::new(color.x, color.y, color.z);
            *count += 1.0;
        }
    }
    let byte = |x: f64| (x * 255.0).round().clamp(0.0, 255.0) as u8;
    let mean = |(sum, count): &(Vector3<f64>, f64)| match count {
        0.0 => [255; 3],
        count => (sum / *count).map(byte).into(),
    };
    Some(sums.iter().map(mean).collect())
}

fn deltas(shape: &ufbx::BlendShape, n_vertices: usize, linear: &Matrix3<f64>) -> Vec<f32> {
    let mut deltas = vec![0.0; 3 * n_vertices];
    let offsets = shape.offset_vertices.iter().zip(&shape.position_offsets);
    for (at, (&vertex, offset)) in offsets.enumerate() {
        let own = shape.offset_weights.get(at).copied().unwrap_or(1.0);
        let start = 3 * vertex as usize;
        if let Some(delta) = deltas.get_mut(start..start + 3) {
            let moved = linear * vector(offset) * own;
            for (x, add) in delta.iter_mut().zip(moved.iter()) {
                *x += *add as f32;
            }
        }
    }
    deltas
}
