//! A mesh with polygons, normals, texture coordinates and colours.

use nalgebra::{Matrix4, Point3};

use super::material;
use super::record::Record;
use super::scene::{Id, Scene, properties};
use crate::character::{Mesh, MeshParts, Reals};
use crate::error::{Error, Result};

/// The geometry of a mesh with its vertices at `vertices`, as an object of the node `model`.
pub(super) fn geometry(
    scene: &mut Scene,
    mesh: &Mesh,
    vertices: &Reals,
    name: &str,
    model: Id,
) -> Result<Id> {
    if mesh.n_vertices() > i32::MAX as usize {
        return Err(Error::value(
            "the mesh",
            "more vertices than FBX can number",
        ));
    }
    if !mesh.lines.is_empty() {
        scene.warn("lines of the mesh are left out");
    }
    let (id, record) = scene.object("Geometry", name, "Geometry", "Mesh");
    let polygons = corners(mesh);
    let mut layer = Record::new("Layer").with(0).field("Version", 100);
    let element = |kind: &str| {
        Record::new("LayerElement")
            .field("Type", kind)
            .field("TypedIndex", 0)
    };
    let mut record = record
        .inside(properties([]))
        .field("GeometryVersion", 124)
        .field("Vertices", vertices.iter().collect::<Vec<f64>>())
        .field("PolygonVertexIndex", polygons.vertices);
    if !mesh.normals.is_empty() {
        record = record.inside(
            layered("LayerElementNormal", "ByVertice", "Direct", "")
                .field("Normals", mesh.normals.iter().collect::<Vec<f64>>()),
        );
        layer = layer.inside(element("LayerElementNormal"));
    }
    if !polygons.texcoords.is_empty() {
        // This library counts rows of a picture from above, files from below.
        let rows = mesh.texcoords.iter().enumerate();
        let uv = rows.map(|(at, x)| if at % 2 == 1 { 1.0 - x } else { x });
        record = record.inside(
            layered(
                "LayerElementUV",
                "ByPolygonVertex",
                "IndexToDirect",
                "UVMap",
            )
            .field("UV", uv.collect::<Vec<f64>>())
            .field("UVIndex", polygons.texcoords),
        );
        layer = layer.inside(element("LayerElementUV"));
    }
    if !mesh.colors.is_empty() {
        let colors = mesh.colors.iter().flat_map(|&[r, g, b]| {
            let part = |x: u8| f64::from(x) / 255.0;
            [part(r), part(g), part(b), 1.0]
        });
        record = record.inside(
            layered(
                "LayerElementColor",
                "ByPolygonVertex",
                "IndexToDirect",
                "Color",
            )
            .field("Colors", colors.collect::<Vec<f64>>())
            .field("ColorIndex", polygons.corners),
        );
        layer = layer.inside(element("LayerElementColor"));
    }
    if let Some(materials) = material::layer(mesh) {
        record = record.inside(materials);
        layer = layer.inside(element("LayerElementMaterial"));
    }
    scene.add(record.inside(layer));
    scene.connect(id, model);
    material::add(scene, mesh, model);
    Ok(id)
}

/// The mesh with its vertices and normals through a matrix, row-major 4x4.
pub(super) fn moved(mesh: &Mesh, matrix: &[f64; 16]) -> Result<Mesh> {
    let matrix = Matrix4::from_row_slice(matrix);
    let numbers: Vec<f64> = mesh.vertices.iter().collect();
    let vertices = numbers.chunks_exact(3).flat_map(|p| {
        <[f64; 3]>::from(
            matrix
                .transform_point(&Point3::new(p[0], p[1], p[2]))
                .coords,
        )
    });
    Mesh::new(MeshParts {
        vertices: vertices.collect::<Vec<f64>>().into(),
        normals: Reals::default(),
        ..MeshParts::from(mesh.clone())
    })
}

fn layered(record: &'static str, mapping: &str, reference: &str, name: &str) -> Record {
    Record::new(record)
        .with(0)
        .field("Version", 101)
        .field("Name", name)
        .field("MappingInformationType", mapping)
        .field("ReferenceInformationType", reference)
}

/// The corners of all polygons.
#[derive(Default)]
struct Corners {
    corners: Vec<i32>,
    /// The same, the last one of each polygon as its complement.
    vertices: Vec<i32>,
    texcoords: Vec<i32>,
}

fn corners(mesh: &Mesh) -> Corners {
    let mut all = Corners::default();
    if mesh.poly_face_sizes.is_empty() {
        let texcoords = mesh.texcoord_faces.iter().map(|face| &face[..]);
        let texcoords = texcoords.chain(std::iter::repeat(&[][..]));
        for (face, texcoords) in mesh.faces.iter().zip(texcoords) {
            all.add(face, texcoords);
        }
    } else {
        for (polygon, texcoords) in mesh.polygons() {
            all.add(polygon, texcoords);
        }
    }
    all
}

impl Corners {
    fn add(&mut self, polygon: &[u32], texcoords: &[u32]) {
        let indices = polygon.iter().map(|&at| at as i32);
        self.corners.extend(indices.clone());
        self.vertices.extend(indices);
        if let Some(last) = self.vertices.last_mut() {
            *last = !*last;
        }
        self.texcoords.extend(texcoords.iter().map(|&at| at as i32));
    }
}
