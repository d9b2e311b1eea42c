//! From nodes, skins and meshes to one skeleton and one mesh.

mod binding;
mod geometry;

use nalgebra::{Matrix3, Matrix4, Vector3};
use std::collections::HashMap;

use super::MeshPart;
use super::accessor::Data;
use super::frames::Frame;
use super::mesh::{self, MeshItem, Primitive};
use super::nodes::{Names, Node};
use super::skin::Skin;
use crate::character::{BlendShape, Joint, Mesh, MeshParts, Skeleton, SkinWeights};
use crate::error::{Error, Result};
use geometry::{cofactors, moved, smooth_normals};

/// As many as a vertex can name.
const MAX_JOINTS: usize = 1 << 16;

/// Numbers, roughly: positions twice, normals, texture coordinates, colours, weights.
const KEPT_PER_VERTEX: usize = 16;

/// What a file holds, as far as meshes go.
pub(super) struct Stored<'s, 'a> {
    pub data: &'s Data<'a>,
    pub nodes: &'s [Node<'a>],
    pub meshes: &'s [MeshItem<'a>],
    pub skins: &'s [Skin],
    /// Whether attributes may be integers.
    pub is_quantized: bool,
}

/// Joints and vertices while they are gathered.
pub(super) struct Assembly {
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
    lines: Vec<Vec<u32>>,
    /// Joints and weights of all vertices, and where those of each vertex end.
    influences: Vec<(u32, f32)>,
    influence_ends: Vec<usize>,
    pub shapes: Vec<Shape>,
    shape_names: Names,
    /// First shape and number of shapes of each node with morph targets.
    pub node_shapes: HashMap<usize, (usize, usize)>,
    pub parts: Vec<MeshPart>,
    zero_weights: usize,
    /// Columns of the skin weights, where the file says how many there are.
    pub columns: Option<usize>,
}

#[derive(Default)]
struct Optional {
    texcoords: bool,
    colors: bool,
}

/// A morph target of one node's mesh.
pub(super) struct Shape {
    pub name: String,
    /// Its weight in the rest pose.
    pub weight: f64,
    /// First coordinate and displacements, of each primitive.
    deltas: Vec<(usize, Vec<f32>)>,
}

impl Assembly {
    /// A joint for each of `nodes_in_order`, parents first; `parent` gives the node that a node hangs
    /// on.
    pub fn new(
        nodes: &[Node<'_>],
        nodes_in_order: &[usize],
        parent: impl Fn(usize) -> Option<usize>,
        scale_is_animated: impl Fn(usize) -> bool,
        taken: Names,
    ) -> Result<Self> {
        let mut assembly = Self {
            frames: Vec::new(),
            parents: Vec::new(),
            names: Vec::new(),
            worlds: Vec::new(),
            joint_nodes: Vec::new(),
            node_joints: vec![None; nodes.len()],
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
            lines: Vec::new(),
            influences: Vec::new(),
            influence_ends: Vec::new(),
            shapes: Vec::new(),
            shape_names: Names::new([]),
            node_shapes: HashMap::new(),
            parts: Vec::new(),
            zero_weights: 0,
            columns: None,
        };
        for &node in nodes_in_order {
            let parent = parent(node).and_then(|parent| assembly.node_joints[parent]);
            let residual =
                parent.map_or_else(Matrix3::identity, |parent| assembly.frames[parent].residual);
            let frame = Frame::new(nodes[node].local, residual, scale_is_animated(node));
            let finite = frame.residual.iter().chain(frame.rest.translation.iter());
            if !finite.copied().all(f64::is_finite) {
                return Err(Error::format(
                    format!("nodes[{node}]"),
                    "a transform of finite size",
                    "one that overflows together with its parents'",
                ));
            }
            let joint = assembly.add_joint(nodes[node].name.clone(), parent, frame, Some(node))?;
            assembly.node_joints[node] = Some(joint);
        }
        Ok(assembly)
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

    /// Adds the mesh of a node: its skinned primitives or the others.
    pub fn add_mesh(
        &mut self,
        stored: &Stored<'_, '_>,
        node: usize,
        skinned: bool,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let carrier = &stored.nodes[node];
        let Some(mesh) = carrier.mesh else {
            return Ok(());
        };
        let item = &stored.meshes[mesh];
        let skin = carrier.skin.map(|skin| &stored.skins[skin]);
        let weights = match &carrier.weights {
            Some(weights) => {
                let path = format!("nodes[{node}].weights");
                mesh::checked_weights(&path, weights.clone(), item.n_targets)?
            }
            None => item.weights.clone(),
        };
        for (at, place) in item.primitives.iter().enumerate() {
            let has_joints = place
                .get("attributes")
                .is_some_and(|attributes| attributes.get("JOINTS_0").is_some());
            if (has_joints && skin.is_some()) != skinned {
                continue;
            }
            let Some(primitive) = mesh::read(stored.data, place, stored.is_quantized, warnings)?
            else {
                continue;
            };
            // What is kept for each vertex besides what has been read.
            let kept = KEPT_PER_VERTEX * primitive.n_vertices();
            stored.data.charge(&place.path, kept)?;
            if item.n_targets > 0 && !self.node_shapes.contains_key(&node) {
                self.add_shapes(&carrier.name, node, item, &weights);
            }
            let vertices = self.vertices.len() / 3;
            let faces = self.faces.len();
            if vertices + primitive.n_vertices() > u32::MAX as usize {
                return Err(Error::format(&place.path, "at most 2^32 vertices", "more"));
            }
            let linear = match skin.filter(|_| skinned) {
                Some(skin) => self.add_skinned(place.path.as_str(), &primitive, skin)?,
                None if self.node_joints[node].is_none() => self.add_unbound(&primitive),
                None => self.add_rigid(node, &primitive)?,
            };
            self.add_attributes(&primitive, &linear, vertices);
            self.add_deltas(node, &primitive, &linear, &weights, vertices);
            self.parts.push(MeshPart {
                node,
                mesh,
                primitive: at,
                vertices: vertices..self.vertices.len() / 3,
                faces: faces..self.faces.len(),
                is_skinned: skinned,
            });
        }
        Ok(())
    }

    fn add_attributes(&mut self, primitive: &Primitive, linear: &Matrix3<f64>, start: usize) {
        let count = primitive.n_vertices();
        let mirrors = linear.determinant() < 0.0;
        let first = start as u32;
        let faces = self.faces.len();
        self.faces.extend(primitive.faces.iter().map(|&[a, b, c]| {
            let [b, c] = if mirrors { [c, b] } else { [b, c] };
            [first + a, first + b, first + c]
        }));
        for line in &primitive.lines {
            self.lines.push(line.iter().map(|at| first + at).collect());
        }
        match &primitive.normals {
            Some(normals) if *linear == Matrix3::identity() => self.normals.extend(normals),
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
        self.has.texcoords |= primitive.texcoords.is_some();
        let first_texcoord = (self.texcoords.len() / 2) as u32;
        match (&primitive.texcoords, &primitive.texcoord_faces) {
            (Some(texcoords), triangles) => {
                self.texcoords.extend(texcoords);
                let triangles = triangles.as_ref().unwrap_or(&primitive.faces);
                self.texcoord_faces
                    .extend(triangles.iter().map(|&[a, b, c]| {
                        let [b, c] = if mirrors { [c, b] } else { [b, c] };
                        [a, b, c].map(|at| first_texcoord + at)
                    }));
            }
            (None, _) => {
                self.texcoords.extend([0.0; 2]);
                let none = std::iter::repeat_n([first_texcoord; 3], primitive.faces.len());
                self.texcoord_faces.extend(none);
            }
        }
        self.has.colors |= primitive.colors.is_some();
        match &primitive.colors {
            Some(colors) => self.colors.extend(colors),
            None => self.colors.extend(std::iter::repeat_n([255; 3], count)),
        }
    }

    fn add_shapes(&mut self, name: &str, node: usize, item: &MeshItem<'_>, weights: &[f64]) {
        let first = self.shapes.len();
        for (target, &weight) in item.target_names.iter().zip(weights) {
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
        self.node_shapes.insert(node, (first, item.n_targets));
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
        self.base.extend_from_slice(&self.vertices[start * 3..]);
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

    /// The mesh, its weights and its shapes; `None` without vertices.
    pub fn into_mesh(
        mut self,
        data: &Data<'_>,
        normalize: bool,
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
        let starts = || std::iter::once(0).chain(self.influence_ends.iter().copied());
        let rows = || starts().zip(&self.influence_ends);
        let most = rows().map(|(start, end)| end - start).max();
        let columns = self.columns.max(most).unwrap_or(1).max(1);
        let room = columns.saturating_mul(2).saturating_mul(count);
        data.charge("the vertices' weights", room)?;
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
        let blend_shape = if self.shapes.is_empty() {
            None
        } else {
            let size = self.vertices.len();
            let total = size.saturating_mul(self.shapes.len());
            data.charge("the morph targets of all meshes", total)?;
            let mut displacements = vec![0.0_f32; total];
            for (shape, row) in self.shapes.iter().zip(displacements.chunks_exact_mut(size)) {
                for (start, deltas) in &shape.deltas {
                    row[*start..start + deltas.len()].copy_from_slice(deltas);
                }
            }
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
            ..MeshParts::default()
        })?;
        Ok(Some((mesh, weights, blend_shape)))
    }
}
