//! All meshes of the scene as one.

use nalgebra::{Matrix3, Matrix4};
use std::collections::HashMap;
use std::sync::Arc;

use super::influences::Influences;
use super::mesh::{Of, Primvar, Stored};
use super::skeleton::moved;
use super::stage::Stage;
use crate::character::{BlendShape, Mesh, MeshParts, SkinWeights};
use crate::error::{Error, Result};

/// Vertices and polygons while they are gathered.
#[derive(Default)]
pub(super) struct Draft {
    parts: MeshParts,
    vertices: Vec<f32>,
    texcoords: Vec<f32>,
    has_texcoords: bool,
    has_colors: bool,
    /// Joints and weights of all vertices, and where those of each vertex end.
    influences: Vec<(u32, f32)>,
    ends: Vec<usize>,
    n_weightless: usize,
    n_degenerate: usize,
    pub shapes: Vec<Shape>,
    /// Where each shape is.
    pub known: HashMap<Key, usize>,
}

/// What meshes share a shape by: their skeleton, the animation's name for it, the bits of all weights at
/// which there is one, and those of its own.
pub(super) type Key = (Option<usize>, Arc<str>, Vec<u64>, u64);

/// A blend shape, or an in-between of one.
pub(super) struct Shape {
    pub name: String,
    /// Which skeleton's animation moves it.
    pub rig: Option<usize>,
    /// What the animation calls it.
    pub token: Arc<str>,
    /// The weight at which it is reached: 1, or less for an in-between.
    pub at: f64,
    /// The weights at which there is a shape: 0, its own, and those of its in-betweens, sorted.
    pub knots: Arc<Vec<f64>>,
    /// First coordinate and displacements, of each mesh.
    pub deltas: Vec<(usize, Vec<f32>)>,
}

/// How one mesh hangs on the joints.
pub(super) enum Hold<'h> {
    Skin(&'h Influences),
    Joint(usize),
}

impl Draft {
    pub fn n_vertices(&self) -> usize {
        self.vertices.len() / 3
    }

    /// Adds a mesh; `place` takes its points to the world at rest. Gives the linear part of that.
    pub fn add(
        &mut self,
        stage: &mut Stage<'_>,
        path: &str,
        stored: &Stored,
        place: &Matrix4<f64>,
        hold: &Hold<'_>,
    ) -> Result<Matrix3<f64>> {
        let first = self.n_vertices();
        let n_points = stored.n_points();
        let width = match hold {
            Hold::Skin(influences) => influences.width(),
            Hold::Joint(_) => 1,
        };
        stage
            .budget
            .charge(|| path.into(), n_points, 8 * width + 64)?;
        let too_many = || {
            let limit = u32::MAX;
            Error::format(
                path,
                format!("at most {limit} vertices in all"),
                first + n_points,
            )
        };
        u32::try_from(first + n_points).map_err(|_| too_many())?;
        let is_exact = *place == Matrix4::identity();
        for point in stored.points.values.chunks_exact(3) {
            if is_exact {
                self.vertices.extend(point.iter().map(|&x| x as f32));
            } else {
                self.vertices
                    .extend(moved(place, point).iter().map(|&x| x as f32));
            }
        }
        if !self.vertices.iter().skip(3 * first).all(|x| x.is_finite()) {
            return Err(Error::format(
                format!("{path}.points"),
                "points within single precision",
                "larger ones",
            ));
        }
        for vertex in 0..n_points {
            let before = self.influences.len();
            match hold {
                Hold::Joint(joint) => self.influences.push((*joint as u32, 1.0)),
                Hold::Skin(influences) => {
                    let own = influences.of(vertex);
                    self.influences
                        .extend(own.iter().filter(|(_, weight)| *weight != 0.0));
                    if self.influences.len() == before {
                        self.n_weightless += 1;
                        let joint = own.first().map_or(0, |(joint, _)| *joint);
                        self.influences.push((joint, 1.0));
                    }
                }
            }
            self.ends.push(self.influences.len());
        }
        let mirrors = place.fixed_view::<3, 3>(0, 0).determinant() < 0.0;
        self.add_polygons(path, stored, first as u32, mirrors)?;
        self.add_colors(stage, path, stored, n_points)?;
        Ok(place.fixed_view::<3, 3>(0, 0).into_owned())
    }

    fn add_polygons(
        &mut self,
        path: &str,
        stored: &Stored,
        first: u32,
        mirrors: bool,
    ) -> Result<()> {
        // Meshes without texture coordinates share one.
        let first_texcoord = (self.texcoords.len() / 2) as u32;
        match &stored.texcoords {
            None => self.texcoords.extend([0.0, 0.0]),
            Some(texcoords) => {
                self.has_texcoords = true;
                // USD counts from the bottom, as textures do not.
                let pairs = texcoords.values.values.chunks_exact(2);
                self.texcoords
                    .extend(pairs.flat_map(|uv| [uv[0] as f32, (1.0 - uv[1]) as f32]));
            }
        }
        for (face, polygon) in stored.polygons.iter().enumerate() {
            if polygon.len() < 3 {
                self.n_degenerate += 1;
                continue;
            }
            let mut corners = Vec::with_capacity(polygon.len());
            for &(vertex, corner) in polygon {
                let texcoord = match &stored.texcoords {
                    None => 0,
                    Some(texcoords) => texcoords.index(face, vertex, corner).ok_or_else(|| {
                        Error::format(
                            format!("{path}.primvars:st"),
                            "texture coordinates for every corner of every face",
                            format!("{} values, none for face {face}", texcoords.len()),
                        )
                    })?,
                };
                corners.push((first + vertex, first_texcoord + texcoord as u32));
            }
            if mirrors {
                corners.reverse();
            }
            self.parts.poly_face_sizes.push(corners.len() as u32);
            self.parts
                .poly_faces
                .extend(corners.iter().map(|corner| corner.0));
            self.parts
                .poly_texcoord_faces
                .extend(corners.iter().map(|corner| corner.1));
            for pair in corners[1..].windows(2) {
                let [a, b, c] = [corners[0], pair[0], pair[1]];
                self.parts.faces.push([a.0, b.0, c.0]);
                self.parts.texcoord_faces.push([a.1, b.1, c.1]);
            }
        }
        Ok(())
    }

    fn add_colors(
        &mut self,
        stage: &mut Stage<'_>,
        path: &str,
        stored: &Stored,
        n_points: usize,
    ) -> Result<()> {
        let byte = |x: &f64| (x.clamp(0.0, 1.0) * 255.0).round() as u8;
        let color = |colors: &Primvar, vertex: usize| -> Option<[u8; 3]> {
            let at = 3 * colors.index(0, vertex as u32, 0)?;
            let rgb = colors.values.values.get(at..at + 3)?;
            Some([byte(&rgb[0]), byte(&rgb[1]), byte(&rgb[2])])
        };
        match &stored.colors {
            Some(colors) if matches!(colors.of, Of::All | Of::Vertex) => {
                self.has_colors = true;
                for vertex in 0..n_points {
                    let own = color(colors, vertex).ok_or_else(|| {
                        Error::format(
                            format!("{path}.primvars:displayColor"),
                            "a colour for every point",
                            format!("{} values, none for point {vertex}", colors.len()),
                        )
                    })?;
                    self.parts.colors.push(own);
                }
            }
            other => {
                if other.is_some() {
                    stage.notes.add("colours of faces are left out", path);
                }
                self.parts
                    .colors
                    .extend(std::iter::repeat_n([255; 3], n_points));
            }
        }
        Ok(())
    }

    /// The mesh, its weights and its shapes; `None` without vertices.
    pub fn finish(
        mut self,
        stage: &mut Stage<'_>,
        normalize: bool,
    ) -> Result<Option<(Mesh, SkinWeights, Option<BlendShape>)>> {
        if self.vertices.is_empty() {
            return Ok(None);
        }
        if self.n_weightless > 0 {
            stage.notes.say(format!(
                "{} vertices have no weights; they follow the first joint that they name",
                self.n_weightless
            ));
        }
        if self.n_degenerate > 0 {
            stage.notes.say(format!(
                "{} polygons of fewer than three corners are left out",
                self.n_degenerate
            ));
        }
        let count = self.ends.len();
        let starts = || std::iter::once(0).chain(self.ends.iter().copied());
        let rows = || starts().zip(&self.ends);
        let columns = rows().map(|(start, end)| end - start).max().unwrap_or(1);
        stage.budget.charge(
            || "the vertices' weights".into(),
            count.saturating_mul(columns),
            8,
        )?;
        let mut index = vec![0_u32; count * columns];
        let mut weight = vec![0.0_f32; count * columns];
        for (vertex, (start, &end)) in rows().enumerate() {
            for (column, &(joint, value)) in self.influences[start..end].iter().enumerate() {
                index[vertex * columns + column] = joint;
                weight[vertex * columns + column] = value;
            }
        }
        let mut weights = SkinWeights::new(columns, index, weight.into())?;
        if normalize {
            weights = weights.normalized();
        }
        let size = self.vertices.len();
        let mut blend_shape = None;
        if !self.shapes.is_empty() {
            let total = size.saturating_mul(self.shapes.len());
            stage
                .budget
                .charge(|| "the blend shapes of all meshes".into(), total, 4)?;
            let mut all = vec![0.0_f32; total];
            for (shape, row) in self.shapes.iter().zip(all.chunks_exact_mut(size)) {
                for (start, deltas) in &shape.deltas {
                    row[*start..start + deltas.len()].copy_from_slice(deltas);
                }
            }
            let names = self.shapes.iter().map(|shape| shape.name.clone()).collect();
            blend_shape = Some(BlendShape::new(
                names,
                self.vertices.clone().into(),
                all.into(),
            )?);
        }
        self.parts.vertices = self.vertices.into();
        if self.has_texcoords {
            self.parts.texcoords = self.texcoords.into();
        } else {
            self.parts.texcoord_faces.clear();
            self.parts.poly_texcoord_faces.clear();
        }
        if !self.has_colors {
            self.parts.colors.clear();
        }
        Ok(Some((Mesh::new(self.parts)?, weights, blend_shape)))
    }
}
