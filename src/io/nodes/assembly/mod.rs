//! From nodes, skins and meshes to one skeleton and one mesh.

mod binding;
mod geometry;

use nalgebra::{Matrix3, Matrix4, Vector3};
use std::collections::{BTreeSet, HashMap};

use super::{Frame, Names, Polygons, Primitive, Skin};
use crate::character::{BlendShape, Joint, Material, Mesh, MeshParts, Skeleton, SkinWeights};
use crate::error::{Error, Result};
use geometry::{cofactors, moved, smooth_normals};

/// As many as a vertex can name.
const MAX_JOINTS: usize = 1 << 16;

/// Joints and vertices while they are gathered.
pub(in crate::io) struct Assembly {
    pub frames: Vec<Frame>,
    pub parents: Vec<Option<usize>>,
    pub names: Vec<String>,
    /// World transforms in the rest pose.
    worlds: Vec<Matrix4<f64>>,
    /// The node of each joint; joints made for a second binding have none of their own.
    pub joint_nodes: Vec<Option<usize>>,
    /// The joint of each node.
    pub node_joints: Vec<Option<usize>>,
    /// Mesh space to joint, where something has settled it.
    binding: Vec<Option<Matrix4<f64>>>,
    /// Further bindings of the same joint, as joints of their own.
    twins: HashMap<usize, Vec<usize>>,
    taken: Names,
    vertices: Vec<f32>,
    /// Positions without any morph target.
    base: Vec<f32>,
    normals: Vec<f32>,
    texcoords: Vec<f32>,
    texcoord_faces: Vec<[u32; 3]>,
    colors: Vec<[u8; 3]>,
    has: Optional,
    faces: Vec<[u32; 3]>,
    polygons: Polygons,
    lines: Vec<Vec<u32>>,
    /// Joints and weights of all vertices, and where those of each vertex end.
    influences: Vec<(u32, f32)>,
    influence_ends: Vec<usize>,
    pub shapes: Vec<Shape>,
    shape_names: Names,
    /// First shape and number of shapes of each node with morph targets.
    pub node_shapes: HashMap<usize, (usize, usize)>,
    /// The file's material and the number of triangles that have it, run after run.
    face_materials: Vec<(Option<usize>, usize)>,
    zero_weights: usize,
    /// Columns of the skin weights, where the file says how many there are.
    pub columns: Option<usize>,
    /// Joints and weights of all vertices in so many columns, where that is said.
    fixed: (Vec<u32>, Vec<f32>),
}

#[derive(Default)]
struct Optional {
    texcoords: bool,
    colors: bool,
}

/// A morph target of one node's mesh.
pub(in crate::io) struct Shape {
    pub name: String,
    /// Its weight in the rest pose.
    pub weight: f64,
    /// First coordinate and displacements, of each primitive.
    deltas: Vec<(usize, Vec<f32>)>,
}

/// What triangles look like.
pub(in crate::io) struct Paints {
    /// The materials of [`Assembly::used_materials`].
    pub materials: Vec<Material>,
    /// That of triangles without one.
    pub default: Material,
}

impl Assembly {
    /// Nothing yet, of a file with so many nodes; `taken` are the names of its joints.
    pub fn new(n_nodes: usize, taken: Names) -> Self {
        Self {
            frames: Vec::new(),
            parents: Vec::new(),
            names: Vec::new(),
            worlds: Vec::new(),
            joint_nodes: Vec::new(),
            node_joints: vec![None; n_nodes],
            binding: Vec::new(),
            twins: HashMap::new(),
            taken,
            vertices: Vec::new(),
            base: Vec::new(),
            normals: Vec::new(),
            texcoords: Vec::new(),
            texcoord_faces: Vec::new(),
            colors: Vec::new(),
            has: Optional::default(),
            faces: Vec::new(),
            polygons: Polygons::default(),
            lines: Vec::new(),
            influences: Vec::new(),
            influence_ends: Vec::new(),
            shapes: Vec::new(),
            shape_names: Names::new([]),
            node_shapes: HashMap::new(),
            face_materials: Vec::new(),
            zero_weights: 0,
            columns: None,
            fixed: (Vec::new(), Vec::new()),
        }
    }

    /// The joint that stands for a node.
    pub fn add_node(
        &mut self,
        node: usize,
        name: String,
        parent: Option<usize>,
        frame: Frame,
    ) -> Result<usize> {
        let finite = frame.residual.iter().chain(frame.rest.translation.iter());
        if !finite.copied().all(f64::is_finite) {
            return Err(Error::format(
                format!("nodes[{node}]"),
                "a transform of finite size",
                "one that overflows together with its parents'",
            ));
        }
        let joint = self.add_joint(name, parent, frame, Some(node))?;
        self.node_joints[node] = Some(joint);
        Ok(joint)
    }

    fn add_joint(
        &mut self,
        name: String,
        parent: Option<usize>,
        frame: Frame,
        node: Option<usize>,
    ) -> Result<usize> {
        let joint = self.frames.len();
        if joint == MAX_JOINTS {
            return Err(Error::format(
                "nodes",
                format!("at most {MAX_JOINTS} joints"),
                "more",
            ));
        }
        let local = Matrix4::new_translation(&frame.rest.translation)
            * frame.rest.rotation.to_homogeneous();
        self.worlds
            .push(parent.map_or(local, |parent| self.worlds[parent] * local));
        self.names.push(name);
        self.parents.push(parent);
        self.frames.push(frame);
        self.joint_nodes.push(node);
        self.binding.push(None);
        Ok(joint)
    }

    /// The numbers of vertices and triangles so far.
    pub fn counts(&self) -> (usize, usize) {
        (self.vertices.len() / 3, self.faces.len())
    }

    /// Adds a piece of the mesh of a node, and takes what it can take out of it: bound by a skin, or moving with the node. `weights` are those
    /// of its shapes in the rest pose; see [`Self::add_shapes`].
    pub fn add_primitive(
        &mut self,
        path: &str,
        node: usize,
        primitive: &mut Primitive,
        skin: Option<&Skin>,
        weights: &[f64],
    ) -> Result<()> {
        let (vertices, _) = self.counts();
        if vertices + primitive.n_vertices() > u32::MAX as usize {
            return Err(Error::format(path, "at most 2^32 vertices", "more"));
        }
        let linear = match skin {
            Some(skin) => self.add_skinned(path, primitive, skin)?,
            None if self.node_joints[node].is_none() => self.add_unbound(primitive),
            None => self.add_rigid(node, primitive)?,
        };
        self.add_attributes(primitive, &linear, vertices);
        self.add_deltas(node, primitive, &linear, weights, vertices);
        Ok(())
    }

    fn add_attributes(&mut self, primitive: &mut Primitive, linear: &Matrix3<f64>, start: usize) {
        let count = self.vertices.len() / 3 - start;
        let mirrors = linear.determinant() < 0.0;
        let first = start as u32;
        let faces = self.faces.len();
        // What the first piece brings is taken as it is.
        if faces == 0 && first == 0 && !mirrors && primitive.texcoords.is_none() {
            self.faces = std::mem::take(&mut primitive.faces);
        } else {
            self.faces.extend(primitive.faces.iter().map(|&[a, b, c]| {
                let [b, c] = if mirrors { [c, b] } else { [b, c] };
                [first + a, first + b, first + c]
            }));
        }
        let n_faces = self.faces.len() - faces;
        match primitive.materials.is_empty() {
            true => self.face_materials.push((None, n_faces)),
            false => self.face_materials.append(&mut primitive.materials),
        }
        for line in &primitive.lines {
            self.lines.push(line.iter().map(|at| first + at).collect());
        }
        match &mut primitive.normals {
            Some(normals) if *linear == Matrix3::identity() && self.normals.is_empty() => {
                self.normals = std::mem::take(normals);
            }
            Some(normals) if *linear == Matrix3::identity() => {
                self.normals.extend_from_slice(normals)
            }
            Some(normals) => {
                // Normals go with the inverse transpose, which the cofactors are up to a factor.
                let cofactors = cofactors(linear);
                for normal in normals.chunks_exact(3) {
                    let normal = Vector3::new(normal[0], normal[1], normal[2]).cast::<f64>();
                    let unit = (cofactors * normal).try_normalize(0.0).unwrap_or_default();
                    self.normals.extend(unit.iter().map(|&x| x as f32));
                }
            }
            None => {
                let computed = smooth_normals(&self.vertices, &self.faces[faces..], start);
                self.normals.extend(computed);
            }
        }
        if primitive.texcoords.is_some() && !self.has.texcoords {
            // Pieces before this one had none: all of their corners get the same.
            self.has.texcoords = true;
            if faces > 0 || !self.polygons.vertices.is_empty() {
                self.texcoords.extend([0.0; 2]);
                self.texcoord_faces.resize(faces, [0; 3]);
            }
        }
        let first_texcoord = (self.texcoords.len() / 2) as u32;
        self.add_polygons(primitive, mirrors, [first, first_texcoord]);
        match (&primitive.texcoords, &primitive.texcoord_faces) {
            (Some(texcoords), triangles) => {
                self.texcoords.extend_from_slice(texcoords);
                let triangles = triangles.as_ref().unwrap_or(&primitive.faces);
                self.texcoord_faces
                    .extend(triangles.iter().map(|&[a, b, c]| {
                        let [b, c] = if mirrors { [c, b] } else { [b, c] };
                        [a, b, c].map(|at| first_texcoord + at)
                    }));
            }
            (None, _) if self.has.texcoords => {
                self.texcoords.extend([0.0; 2]);
                let none = std::iter::repeat_n([first_texcoord; 3], n_faces);
                self.texcoord_faces.extend(none);
            }
            (None, _) => {}
        }
        if primitive.colors.is_some() && !self.has.colors {
            self.has.colors = true;
            self.colors.resize(start, [255; 3]);
        }
        match &primitive.colors {
            Some(colors) => self.colors.extend_from_slice(colors),
            None if self.has.colors => self.colors.resize(start + count, [255; 3]),
            None => {}
        }
    }

    fn add_polygons(&mut self, primitive: &Primitive, mirrors: bool, first: [u32; 2]) {
        let polygons = &primitive.polygons;
        let start = self.polygons.vertices.len();
        self.polygons.sizes.extend(&polygons.sizes);
        let vertices = polygons.vertices.iter().map(|at| first[0] + at);
        self.polygons.vertices.extend(vertices);
        if polygons.texcoords.is_empty() {
            let none = std::iter::repeat_n(first[1], polygons.vertices.len());
            self.polygons.texcoords.extend(none);
        } else {
            let texcoords = polygons.texcoords.iter().map(|at| first[1] + at);
            self.polygons.texcoords.extend(texcoords);
        }
        if mirrors {
            let mut rest = &mut self.polygons.vertices[start..];
            let mut rest_texcoords = &mut self.polygons.texcoords[start..];
            for &size in &polygons.sizes {
                let (corners, others) = rest.split_at_mut(size as usize);
                corners.reverse();
                rest = others;
                let (corners, others) = rest_texcoords.split_at_mut(size as usize);
                corners.reverse();
                rest_texcoords = others;
            }
        }
    }

    /// Settles the shapes of a node's mesh, once for all of its pieces.
    pub fn add_shapes(&mut self, name: &str, node: usize, targets: &[String], weights: &[f64]) {
        if targets.is_empty() || self.node_shapes.contains_key(&node) {
            return;
        }
        let first = self.shapes.len();
        for (target, &weight) in targets.iter().zip(weights) {
            let unique = self.shape_names.fresh(target);
            let unique = if unique == *target {
                unique
            } else {
                self.shape_names.fresh(&format!("{name}_{target}"))
            };
            self.shapes.push(Shape {
                name: unique,
                weight,
                deltas: Vec::new(),
            });
        }
        self.node_shapes.insert(node, (first, targets.len()));
    }

    /// Displacements of a primitive; its vertices so far are those without any.
    fn add_deltas(
        &mut self,
        node: usize,
        primitive: &Primitive,
        linear: &Matrix3<f64>,
        weights: &[f64],
        start: usize,
    ) {
        if self.shapes.is_empty() {
            return;
        }
        // Pieces before the first one with shapes are their own base.
        self.base
            .extend_from_slice(&self.vertices[self.base.len()..]);
        let first = self.node_shapes.get(&node).map_or(0, |&(first, _)| first);
        for (target, deltas) in primitive.targets.iter().enumerate() {
            let Some(deltas) = deltas else {
                continue;
            };
            let linear = linear.to_homogeneous();
            let deltas: Vec<f32> = deltas
                .chunks_exact(3)
                .flat_map(|delta| moved(&linear, delta))
                .collect();
            if weights[target] != 0.0 {
                for (x, delta) in self.vertices[start * 3..].iter_mut().zip(&deltas) {
                    *x = (f64::from(*x) + weights[target] * f64::from(*delta)) as f32;
                }
            }
            self.shapes[first + target].deltas.push((start * 3, deltas));
        }
    }

    /// The skeleton of all joints.
    pub fn skeleton(&self) -> Result<Skeleton> {
        let joints = self.frames.iter().enumerate().map(|(index, frame)| Joint {
            name: self.names[index].clone(),
            parent: self.parents[index],
            pre_rotation: frame.rest.rotation.coords.into(),
            translation_offset: frame.rest.translation.into(),
        });
        Skeleton::new(joints.collect())
    }

    /// The places in the file of the materials that triangles have, in order.
    pub fn used_materials(&self) -> Vec<usize> {
        let runs = self.face_materials.iter().filter(|(_, size)| *size > 0);
        let used: BTreeSet<usize> = runs.filter_map(|(material, _)| *material).collect();
        used.into_iter().collect()
    }

    /// The materials of a mesh and that of each triangle.
    fn painted(&self, paints: Paints) -> (Vec<Material>, Vec<u32>) {
        let Paints {
            mut materials,
            default,
        } = paints;
        let used = self.used_materials();
        if used.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let runs = || self.face_materials.iter().filter(|(_, size)| *size > 0);
        if runs().any(|(material, _)| material.is_none()) {
            materials.push(default);
        }
        if materials.len() == 1 {
            return (materials, Vec::new());
        }
        let mut each = Vec::with_capacity(self.faces.len());
        for (material, size) in runs() {
            let place = material.and_then(|material| used.binary_search(&material).ok());
            let place = place.unwrap_or(materials.len() - 1) as u32;
            each.extend(std::iter::repeat_n(place, *size));
        }
        (materials, each)
    }

    /// For each joint, from mesh space to the joint when bound; row-major.
    pub fn inverse_bind_pose(&self) -> Vec<[f64; 16]> {
        let row_major = |m: Matrix4<f64>| std::array::from_fn(|at| m[(at / 4, at % 4)]);
        self.binding
            .iter()
            .zip(&self.worlds)
            .map(|(binding, world)| {
                let rest = || world.try_inverse().unwrap_or_else(Matrix4::identity);
                row_major(binding.unwrap_or_else(rest))
            })
            .collect()
    }

    /// Joints and weights of all vertices in as many columns as one of them needs.
    fn gathered(
        &self,
        charge: &dyn Fn(&str, usize) -> Result<()>,
    ) -> Result<(usize, Vec<u32>, Vec<f32>)> {
        let count = self.vertices.len() / 3;
        let starts = || std::iter::once(0).chain(self.influence_ends.iter().copied());
        let rows = || starts().zip(&self.influence_ends);
        let most = rows().map(|(start, end)| end - start).max();
        let columns = self.columns.max(most).unwrap_or(1).max(1);
        let room = columns.saturating_mul(2).saturating_mul(count);
        charge("the vertices' weights", room)?;
        let mut index = vec![0_u32; count * columns];
        let mut weight = vec![0.0_f32; count * columns];
        for (vertex, (start, &end)) in rows().enumerate() {
            for (column, &(joint, value)) in self.influences[start..end].iter().enumerate() {
                index[vertex * columns + column] = joint;
                weight[vertex * columns + column] = value;
            }
        }
        Ok((columns, index, weight))
    }

    /// The mesh, its weights and its shapes; `None` without vertices. `charge` is told how many more
    /// numbers are needed for what, and may refuse.
    pub fn into_mesh(
        mut self,
        charge: &dyn Fn(&str, usize) -> Result<()>,
        normalize: bool,
        paints: Option<Paints>,
        warnings: &mut Vec<String>,
    ) -> Result<Option<(Mesh, SkinWeights, Option<BlendShape>)>> {
        if self.vertices.is_empty() {
            return Ok(None);
        }
        if self.zero_weights > 0 {
            warnings.push(format!(
                "{} vertices of skinned meshes have no weights; they follow the first joint they name",
                self.zero_weights
            ));
        }
        let count = self.vertices.len() / 3;
        let (columns, index, weight) = match self.columns {
            Some(columns) if self.fixed.1.len() == count * columns && columns > 0 => {
                let (index, weight) = std::mem::take(&mut self.fixed);
                (columns, index, weight)
            }
            _ => self.gathered(charge)?,
        };
        let mut weights = SkinWeights::new(columns, index, weight.into())?;
        if normalize {
            weights = weights.normalized();
        }
        let painted = paints.map(|paints| self.painted(paints));
        let (materials, face_materials) = painted.unwrap_or_default();
        let blend_shape = if self.shapes.is_empty() {
            None
        } else {
            let size = self.vertices.len();
            let total = size.saturating_mul(self.shapes.len());
            charge("the morph targets of all meshes", total)?;
            let mut displacements = vec![0.0_f32; total];
            for (shape, row) in self.shapes.iter().zip(displacements.chunks_exact_mut(size)) {
                for (start, deltas) in &shape.deltas {
                    row[*start..start + deltas.len()].copy_from_slice(deltas);
                }
            }
            self.base
                .extend_from_slice(&self.vertices[self.base.len()..]);
            let names = self.shapes.iter().map(|shape| shape.name.clone()).collect();
            Some(BlendShape::new(
                names,
                self.base.into(),
                displacements.into(),
            )?)
        };
        if !self.has.texcoords {
            self.texcoords.clear();
            self.texcoord_faces.clear();
            self.polygons.texcoords.clear();
        }
        if !self.has.colors {
            self.colors.clear();
        }
        let mesh = Mesh::new(MeshParts {
            vertices: self.vertices.into(),
            faces: self.faces,
            normals: self.normals.into(),
            lines: self.lines,
            colors: self.colors,
            texcoords: self.texcoords.into(),
            texcoord_faces: self.texcoord_faces,
            poly_faces: self.polygons.vertices,
            poly_face_sizes: self.polygons.sizes,
            poly_texcoord_faces: self.polygons.texcoords,
            materials,
            face_materials,
            ..MeshParts::default()
        })?;
        Ok(Some((mesh, weights, blend_shape)))
    }
}
