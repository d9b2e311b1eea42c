//! Parts of a mesh that a texture paints.

use std::collections::HashMap;

use crate::array::DType;
use crate::character::{Mesh, MeshParts, Reals, Selection};
use crate::error::{Error, Result};

/// An RGB image, its rows one after the other; `v` of a texture coordinate counts rows.
#[derive(Debug, Clone)]
pub struct Texture {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Texture {
    /// From `(height, width)` pixels.
    ///
    /// # Errors
    /// [`Error::Value`] for an image without pixels.
    pub fn new(height: usize, width: usize, pixels: Vec<[u8; 3]>) -> Result<Self> {
        if pixels.is_empty() || pixels.len() != height * width {
            let problem = format!("{} pixels for {height} x {width}", pixels.len());
            return Err(Error::value("texture", problem));
        }
        Ok(Self {
            width,
            height,
            pixels,
        })
    }

    /// The pixel nearest to a texture coordinate: (0, 0) is the middle of the first, (1, 1) of the last.
    /// Coordinates beyond are those of the border; what is not a number is on no pixel.
    fn at(&self, [u, v]: [f64; 2]) -> Option<[u8; 3]> {
        let nearest = |x: f64, count: usize| {
            let last = (count - 1) as f64;
            (!x.is_nan()).then(|| (x * last).round().clamp(0.0, last) as usize)
        };
        let (column, row) = (nearest(u, self.width)?, nearest(v, self.height)?);
        Some(self.pixels[row * self.width + column])
    }
}

/// Texture coordinates of a mesh that has them, by triangle.
struct Coordinates<'a> {
    texcoords: &'a [[f64; 2]],
    faces: &'a [[u32; 3]],
}

impl<'a> Coordinates<'a> {
    fn of(mesh: &'a Mesh) -> Result<Self> {
        if mesh.texcoords.is_empty() || mesh.texcoord_faces.is_empty() && !mesh.faces.is_empty() {
            return Err(Error::character(
                "mesh",
                "it has no texture coordinates (texcoords and texcoord_faces)",
            ));
        }
        Ok(Self {
            texcoords: mesh.texcoords.as_f64().as_chunks().0,
            faces: &mesh.texcoord_faces,
        })
    }

    fn triangle(&self, face: usize) -> [[f64; 2]; 3] {
        self.faces[face].map(|texcoord| self.texcoords[texcoord as usize])
    }
}

/// Where a triangle is looked at, in barycentric coordinates.
fn samples(count: usize) -> Result<Vec<[f64; 3]>> {
    let middle = [1.0 / 3.0; 3];
    let corners = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let edges = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]];
    let inside = [
        [0.75, 0.125, 0.125],
        [0.125, 0.75, 0.125],
        [0.125, 0.125, 0.75],
    ];
    let parts: &[&[[f64; 3]]] = match count {
        1 => &[&[middle]],
        3 => &[&corners],
        4 => &[&[middle], &corners],
        6 => &[&corners, &edges],
        7 => &[&[middle], &corners, &edges],
        10 => &[&[middle], &corners, &edges, &inside],
        _ => {
            let problem = format!("expected 1, 3, 4, 6, 7 or 10, got {count}");
            return Err(Error::value("num_samples", problem));
        }
    };
    Ok(parts.concat())
}

/// The triangles of each region, in ascending order: those of whose samples at least a part of
/// `threshold`, and at least one, has the region's colour. Of several regions of one colour the last has
/// them all.
///
/// # Errors
/// [`Error::Character`] where the mesh has no texture coordinates; [`Error::Value`] for a threshold that is
/// no part, or a number of samples that there is no pattern for.
pub fn classify_triangles(
    mesh: &Mesh,
    texture: &Texture,
    colors: &[[u8; 3]],
    threshold: f64,
    num_samples: usize,
) -> Result<Vec<Vec<u32>>> {
    let coordinates = Coordinates::of(mesh)?;
    if !(0.0..=1.0).contains(&threshold) {
        let problem = format!("expected a number from 0 to 1, got {threshold}");
        return Err(Error::value("threshold", problem));
    }
    let samples = samples(num_samples)?;
    // Computed in single precision, as thresholds like 1/3 are meant: two of six samples are enough.
    let least = ((threshold as f32 * samples.len() as f32).ceil() as usize).max(1);
    let region_of: HashMap<[u8; 3], usize> = colors.iter().copied().zip(0..).collect();
    let mut regions = vec![Vec::new(); colors.len()];
    let mut counts = vec![0_usize; colors.len()];
    for face in 0..mesh.faces.len() {
        let corners = coordinates.triangle(face);
        let mut met = Vec::with_capacity(samples.len());
        for sample in &samples {
            let at = |axis: usize| (0..3).map(|c| sample[c] * corners[c][axis]).sum();
            let color = texture.at([at(0), at(1)]);
            if let Some(&region) = color.and_then(|color| region_of.get(&color)) {
                counts[region] += 1;
                met.push(region);
            }
        }
        for region in met {
            // The first time takes the count.
            if std::mem::take(&mut counts[region]) >= least {
                regions[region].push(face as u32);
            }
        }
    }
    Ok(regions)
}

/// The part of a mesh that a texture paints in one of `colors`. Triangles across the border are cut
/// along it, at the place of each edge that halving it `steps` times finds.
///
/// A corner is inside where its texture coordinate is. The mesh that comes back has no lines and no
/// polygons: cutting does not keep them whole.
///
/// # Errors
/// [`Error::Character`] where the mesh has no texture coordinates.
pub fn split_region(
    mesh: &Mesh,
    texture: &Texture,
    colors: &[[u8; 3]],
    steps: u32,
) -> Result<Mesh> {
    let coordinates = Coordinates::of(mesh)?;
    let is_inside = |at: [f64; 2]| texture.at(at).is_some_and(|color| colors.contains(&color));
    let inside: Vec<bool> = coordinates
        .texcoords
        .iter()
        .map(|&at| is_inside(at))
        .collect();
    // How much of the way from a place inside to one outside is inside.
    let border = |from: [f64; 2], to: [f64; 2]| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..steps {
            let middle = 0.5 * (low + high);
            let at = std::array::from_fn(|c| (1.0 - middle) * from[c] + middle * to[c]);
            *(if is_inside(at) { &mut low } else { &mut high }) = middle;
        }
        0.5 * (low + high)
    };
    let mut cuts = Cuts::new(mesh);
    let (mut faces, mut texcoord_faces) = (Vec::new(), Vec::new());
    // The triangle that each was cut from.
    let mut sources = Vec::new();
    for (face, (&corners, &texcoords)) in mesh.faces.iter().zip(coordinates.faces).enumerate() {
        let within = texcoords.map(|texcoord| inside[texcoord as usize]);
        let count = within.iter().filter(|&&within| within).count();
        if count == 3 {
            faces.push(corners);
            texcoord_faces.push(texcoords);
            sources.push(face);
        }
        if count == 0 || count == 3 {
            continue;
        }
        // The corner that is alone on its side, and the cuts of the two edges that meet there.
        let alone = within
            .iter()
            .position(|&within| within == (count == 1))
            .unwrap_or(0);
        let places = coordinates.triangle(face);
        let [first, second] = [1, 2].map(|step| {
            let other = (alone + step) % 3;
            let (a, b) = if count == 1 {
                (alone, other)
            } else {
                (other, alone)
            };
            cuts.cut(
                [corners[a], corners[b]],
                [texcoords[a], texcoords[b]],
                || border(places[a], places[b]),
            )
        });
        let [left, right] = [(alone + 1) % 3, (alone + 2) % 3];
        if count == 1 {
            faces.push([corners[alone], first.0, second.0]);
            texcoord_faces.push([texcoords[alone], first.1, second.1]);
        } else {
            faces.push([corners[left], corners[right], first.0]);
            texcoord_faces.push([texcoords[left], texcoords[right], first.1]);
            faces.push([corners[right], second.0, first.0]);
            texcoord_faces.push([texcoords[right], second.1, first.1]);
        }
        sources.resize(faces.len(), face);
    }
    let all = cuts.mesh(faces, texcoord_faces, &sources)?;
    let stays = vec![true; all.faces.len()];
    all.select(&Selection::of_faces(&all, &stays)?)
}

/// A mesh that grows by vertices on its edges.
struct Cuts<'a> {
    mesh: &'a Mesh,
    /// The new vertex of an edge (its vertices in ascending order), and its share of the second one.
    vertices: HashMap<[u32; 2], (u32, f64)>,
    texcoords: HashMap<[u32; 2], u32>,
    /// Edges and shares, in the order of the new vertices.
    on_edges: Vec<([u32; 2], f64)>,
    on_texcoord_edges: Vec<([u32; 2], f64)>,
}

impl<'a> Cuts<'a> {
    fn new(mesh: &'a Mesh) -> Self {
        Self {
            mesh,
            vertices: HashMap::new(),
            texcoords: HashMap::new(),
            on_edges: Vec::new(),
            on_texcoord_edges: Vec::new(),
        }
    }

    /// The vertex and the texture coordinate where an edge is cut, at a share of the way from its first
    /// end. Both sides of an edge are cut in one place: where the first one was.
    fn cut(
        &mut self,
        edge: [u32; 2],
        texcoords: [u32; 2],
        share: impl FnOnce() -> f64,
    ) -> (u32, u32) {
        let ascending = |edge: [u32; 2]| [edge[0].min(edge[1]), edge[0].max(edge[1])];
        let along = |edge: [u32; 2], share: f64| {
            if edge[0] < edge[1] {
                share
            } else {
                1.0 - share
            }
        };
        let n_vertices = self.mesh.n_vertices();
        let on_edges = &mut self.on_edges;
        let &mut (vertex, place) = self.vertices.entry(ascending(edge)).or_insert_with(|| {
            let place = along(edge, share());
            on_edges.push((ascending(edge), place));
            ((n_vertices + on_edges.len() - 1) as u32, place)
        });
        let share = along(edge, place);
        let n_texcoords = self.mesh.texcoords.len() / 2;
        let on_edges = &mut self.on_texcoord_edges;
        let texcoord = *self
            .texcoords
            .entry(ascending(texcoords))
            .or_insert_with(|| {
                on_edges.push((ascending(texcoords), along(texcoords, share)));
                (n_texcoords + on_edges.len() - 1) as u32
            });
        (vertex, texcoord)
    }

    /// The mesh with its new vertices and other triangles, each cut from one of `sources`.
    fn mesh(
        &self,
        faces: Vec<[u32; 3]>,
        texcoord_faces: Vec<[u32; 3]>,
        sources: &[usize],
    ) -> Result<Mesh> {
        let old = self.mesh;
        let vertices = grown(&old.vertices, 3, &self.on_edges);
        let count = old.normals.len();
        let mut normals: Vec<f64> = grown(&old.normals, 3, &self.on_edges).iter().collect();
        for normal in normals[count..].as_chunks_mut::<3>().0 {
            let unit = nalgebra::Vector3::from(*normal).try_normalize(0.0);
            *normal = unit.unwrap_or_default().into();
        }
        let mut colors = old.colors.clone();
        if !colors.is_empty() {
            for &([a, b], share) in &self.on_edges {
                let (a, b) = (old.colors[a as usize], old.colors[b as usize]);
                let mix = |c: usize| f64::from(a[c]) * (1.0 - share) + f64::from(b[c]) * share;
                colors.push(std::array::from_fn(|c| mix(c) as u8));
            }
        }
        Mesh::new(MeshParts {
            vertices,
            faces,
            normals: in_precision(normals, old.normals.dtype()),
            colors,
            confidence: grown(&old.confidence, 1, &self.on_edges),
            texcoords: grown(&old.texcoords, 2, &self.on_texcoord_edges),
            texcoord_faces,
            materials: old.materials.clone(),
            face_materials: match old.face_materials.is_empty() {
                true => Vec::new(),
                false => sources
                    .iter()
                    .map(|&face| old.face_materials[face])
                    .collect(),
            },
            ..MeshParts::default()
        })
    }
}

/// A table with more rows, each between two of its rows.
fn grown(table: &Reals, width: usize, between: &[([u32; 2], f64)]) -> Reals {
    if table.is_empty() {
        return table.clone();
    }
    let mut numbers: Vec<f64> = table.iter().collect();
    for &([a, b], share) in between {
        for column in 0..width {
            let [a, b] = [a, b].map(|row| numbers[row as usize * width + column]);
            numbers.push((1.0 - share) * a + share * b);
        }
    }
    in_precision(numbers, table.dtype())
}

fn in_precision(numbers: Vec<f64>, dtype: DType) -> Reals {
    match dtype {
        DType::Float64 => numbers.into(),
        _ => numbers.iter().map(|&x| x as f32).collect::<Vec<_>>().into(),
    }
}
