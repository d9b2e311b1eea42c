//! From nodes, skins and meshes to one skeleton and one mesh.

use nalgebra::{Matrix3, Matrix4, Point3, Vector3};
use std::collections::HashMap;

use super::MeshPart;
use super::accessor::Data;
use super::frames::Frame;
use super::mesh::{self, MeshItem, Primitive};
use super::nodes::{Names, Node};
use super::skin::Skin;
use crate::character::{BlendShape, Joint, Mesh, MeshParts, Skeleton, SkinWeights};
use crate::error::{Error, Result};

/// As many as a vertex can name.
const MAX_JOINTS: usize = 1 << 16;

/// How far, relative to the size of a mesh, two ways to bind it may differ and count as one.
const SAME_BINDING: f64 = 1e-6;

/// What a file holds, as far as meshes go.
pub(super) struct Source<'s, 'a> {
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

    /// Settles the bindings of joints that no mesh has used, from the skins that list them.
    pub fn bind_rest(&mut self, skins: &[Skin]) {
        for skin in skins {
            for (&node, inverse_bind) in skin.joints.iter().zip(&skin.inverse_bind) {
                let Some(joint) = self.node_joints[node] else {
                    continue;
                };
                let bound = self.frames[joint].residual.to_homogeneous() * inverse_bind;
                self.binding[joint].get_or_insert(bound);
            }
        }
    }

    /// Adds the mesh of a node: its skinned primitives or the others.
    pub fn add_mesh(
        &mut self,
        source: &Source<'_, '_>,
        node: usize,
        skinned: bool,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let carrier = &source.nodes[node];
        let Some(mesh) = carrier.mesh else {
            return Ok(());
        };
        let item = &source.meshes[mesh];
        let skin = carrier.skin.map(|skin| &source.skins[skin]);
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
            let Some(primitive) = mesh::read(source.data, place, source.is_quantized, warnings)?
            else {
                continue;
            };
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

    /// Vertices of a skinned primitive; gives the linear map that was baked into them.
    fn add_skinned(
        &mut self,
        path: &str,
        primitive: &Primitive,
        skin: &Skin,
    ) -> Result<Matrix3<f64>> {
        let mut used = vec![false; skin.joints.len()];
        for (joints, weights) in &primitive.influences {
            for (at, (&joint, &weight)) in joints.iter().zip(weights).enumerate() {
                if weight == 0.0 {
                    continue;
                }
                match used.get_mut(joint as usize) {
                    Some(used) => *used = true,
                    None => {
                        return Err(Error::format(
                            format!("{path}.attributes.JOINTS, vertex {}", at / 4),
                            format!("an index into the skin's {} joints", skin.joints.len()),
                            joint,
                        ));
                    }
                }
            }
        }
        let used: Vec<usize> = (0..used.len()).filter(|&at| used[at]).collect();
        let (joints, baked) = self.bind(primitive, skin, &used)?;
        let exact = baked == Matrix4::identity();
        for position in primitive.positions.chunks_exact(3) {
            if exact {
                self.vertices.extend_from_slice(position);
            } else {
                self.vertices.extend(moved(&baked, position));
            }
        }
        for vertex in 0..primitive.n_vertices() {
            let sets = primitive.influences.iter().flat_map(|(joints, weights)| {
                let at = vertex * 4..vertex * 4 + 4;
                joints[at.clone()].iter().zip(&weights[at])
            });
            let before = self.influences.len();
            self.influences.extend(
                sets.filter(|&(_, &weight)| weight != 0.0)
                    .map(|(&joint, &weight)| (joints[joint as usize] as u32, weight)),
            );
            if self.influences.len() == before {
                // As three.js does: all on the first joint that the vertex names.
                self.zero_weights += 1;
                let first = primitive.influences[0].0[vertex * 4] as usize;
                let node = skin.joints.get(first).unwrap_or(&skin.joints[0]);
                let joint = self.node_joints[*node].unwrap_or_default();
                self.influences.push((joint as u32, 1.0));
            }
            self.influence_ends.push(self.influences.len());
        }
        Ok(baked.fixed_view::<3, 3>(0, 0).into_owned())
    }

    /// The joint for each of the skin's joints, and what to bake into the vertices, so that
    /// `world(joint) · binding(joint) · baked = world(node) · inverse_bind` for all that are used.
    fn bind(
        &mut self,
        primitive: &Primitive,
        skin: &Skin,
        used: &[usize],
    ) -> Result<(Vec<usize>, Matrix4<f64>)> {
        let mut joints = vec![0; skin.joints.len()];
        let mut wanted = Vec::with_capacity(used.len());
        for &at in used {
            // Every joint of a skin is in the skeleton, see `in_scene`.
            joints[at] = self.node_joints[skin.joints[at]].unwrap_or_default();
            wanted.push(self.frames[joints[at]].residual.to_homogeneous() * skin.inverse_bind[at]);
        }
        let corners = corners(&primitive.positions);
        let same = |left: &Matrix4<f64>, right: &Matrix4<f64>| {
            let place = |m: &Matrix4<f64>| corners.map(|corner| m.transform_point(&corner));
            let (left, right) = (place(left), place(right));
            let size = (left[0] - left[7]).norm().max((left[1] - left[6]).norm());
            (0..8).all(|at| (left[at] - right[at]).norm() <= SAME_BINDING * size)
        };
        let mut baked = Matrix4::identity();
        let bound = used
            .iter()
            .zip(&wanted)
            .find_map(|(&at, wanted)| Some((self.binding[joints[at]]?, wanted)));
        if let Some((binding, wanted)) = bound
            && !same(&binding, wanted)
            && let Some(inverse) = binding.try_inverse()
        {
            baked = inverse * wanted;
        }
        let bake_fits = |assembly: &Self, baked: &Matrix4<f64>| {
            used.iter().zip(&wanted).all(|(&at, wanted)| {
                assembly.binding[joints[at]].is_none_or(|binding| same(&(binding * baked), wanted))
            })
        };
        let mut unbaked = baked.try_inverse();
        if !bake_fits(self, &baked) || unbaked.is_none() {
            (baked, unbaked) = (Matrix4::identity(), Some(Matrix4::identity()));
        }
        let unbaked = unbaked.unwrap_or_else(Matrix4::identity);
        for (&at, wanted) in used.iter().zip(&wanted) {
            let joint = joints[at];
            let binding = *self.binding[joint].get_or_insert(wanted * unbaked);
            if !same(&(binding * baked), wanted) {
                joints[at] = self.twin(joint, wanted, &same)?;
            }
        }
        Ok((joints, baked))
    }

    /// A joint that moves with `joint` but is bound as `wanted`.
    fn twin(
        &mut self,
        joint: usize,
        wanted: &Matrix4<f64>,
        same: &dyn Fn(&Matrix4<f64>, &Matrix4<f64>) -> bool,
    ) -> Result<usize> {
        let twins = self.twins.get(&joint).map_or(&[][..], Vec::as_slice);
        let found = twins
            .iter()
            .find(|&&twin| self.binding[twin].is_some_and(|binding| same(&binding, wanted)));
        if let Some(&twin) = found {
            return Ok(twin);
        }
        let name = self.taken.fresh(&format!("{}_bind", self.names[joint]));
        let frame = Frame::fixed(self.frames[joint].residual);
        let twin = self.add_joint(name, Some(joint), frame, None)?;
        self.binding[twin] = Some(*wanted);
        self.twins.entry(joint).or_default().push(twin);
        Ok(twin)
    }

    /// Vertices of a primitive that moves with its node; gives the linear map baked into them.
    fn add_rigid(&mut self, node: usize, primitive: &Primitive) -> Result<Matrix3<f64>> {
        let Some(mut joint) = self.node_joints[node] else {
            return Err(Error::format(format!("nodes[{node}]"), "a joint", "none"));
        };
        let residual = self.frames[joint].residual.to_homogeneous();
        let rest = self.worlds[joint];
        let rest_inverse = rest.try_inverse().unwrap_or_else(Matrix4::identity);
        let binding = *self.binding[joint].get_or_insert(rest_inverse);
        let baked = match binding.try_inverse() {
            Some(inverse) => inverse * residual,
            None => {
                // Nothing can be baked into a binding that flattens.
                let name = self.taken.fresh(&format!("{}_bind", self.names[joint]));
                let frame = Frame::fixed(self.frames[joint].residual);
                joint = self.add_joint(name, Some(joint), frame, None)?;
                self.binding[joint] = Some(rest_inverse);
                rest * residual
            }
        };
        for position in primitive.positions.chunks_exact(3) {
            self.vertices.extend(moved(&baked, position));
            self.influences.push((joint as u32, 1.0));
            self.influence_ends.push(self.influences.len());
        }
        Ok(baked.fixed_view::<3, 3>(0, 0).into_owned())
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
        let columns = rows().map(|(start, end)| end - start).max().unwrap_or(1);
        data.charge("the vertices' weights", 2 * columns * count)?;
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

fn moved(matrix: &Matrix4<f64>, position: &[f32]) -> [f32; 3] {
    let position = Point3::new(position[0], position[1], position[2]).cast::<f64>();
    matrix
        .transform_point(&position)
        .coords
        .map(|x| x as f32)
        .into()
}

/// The eight corners of the box around some positions.
fn corners(positions: &[f32]) -> [Point3<f64>; 8] {
    let mut low = [f64::INFINITY; 3];
    let mut high = [f64::NEG_INFINITY; 3];
    for position in positions.chunks_exact(3) {
        for axis in 0..3 {
            low[axis] = low[axis].min(f64::from(position[axis]));
            high[axis] = high[axis].max(f64::from(position[axis]));
        }
    }
    std::array::from_fn(|corner| {
        let axis = |axis: usize| {
            if corner >> axis & 1 == 0 {
                low[axis]
            } else {
                high[axis]
            }
        };
        Point3::new(axis(0), axis(1), axis(2))
    })
}

/// The matrix of cofactors: the inverse transpose times the determinant.
fn cofactors(m: &Matrix3<f64>) -> Matrix3<f64> {
    let (a, b, c) = (m.column(0), m.column(1), m.column(2));
    let sign = if m.determinant() < 0.0 { -1.0 } else { 1.0 };
    Matrix3::from_columns(&[b.cross(&c), c.cross(&a), a.cross(&b)]) * sign
}

/// Area-weighted normals of the vertices from `start` on.
fn smooth_normals(vertices: &[f32], faces: &[[u32; 3]], start: usize) -> Vec<f32> {
    let at = |vertex: u32| {
        let place = vertex as usize * 3;
        Vector3::new(vertices[place], vertices[place + 1], vertices[place + 2]).cast::<f64>()
    };
    let mut sums = vec![Vector3::<f64>::zeros(); vertices.len() / 3 - start];
    for &[a, b, c] in faces {
        let area = (at(b) - at(a)).cross(&(at(c) - at(a)));
        for vertex in [a, b, c] {
            sums[vertex as usize - start] += area;
        }
    }
    sums.iter()
        .flat_map(|sum| {
            let unit = sum.try_normalize(0.0).unwrap_or_default();
            [unit.x as f32, unit.y as f32, unit.z as f32]
        })
        .collect()
}
