//! A file's nodes, meshes and skins as one character.

use nalgebra::Matrix4;
use std::sync::Arc;

use super::geometry::{self, matrix};
use super::joints::{self, Follower, index};
use super::material;
use super::scene::Stored;
use crate::character::{Character, CharacterParts, Material, ParameterTransform};
use crate::error::Result;
use crate::io::nodes::{Assembly, Frame, Paints, Skin};
use crate::io::{LoadOptions, Source};

/// A character and how it follows the file.
pub(super) struct Built {
    pub character: Character,
    /// The node of each joint; joints that were added for a second binding come last and have none.
    pub nodes: Vec<usize>,
    pub followers: Vec<Follower>,
    pub frames: Vec<Frame>,
    /// Blend channels, by their places in the scene, and the first shape of each.
    pub channels: Vec<(usize, usize)>,
}

pub(super) fn build(
    stored: &mut Stored,
    source: &Source<'_>,
    options: &LoadOptions,
) -> Result<Built> {
    let meshes = carried(stored);
    let n_nodes = stored.scene.nodes.len();
    let mut needed = vec![false; n_nodes];
    for carried in &meshes {
        let skin = &carried.skin;
        for &node in skin.iter().flat_map(|bound| &bound.skin.joints) {
            needed[node] = true;
        }
    }
    let order = joints::kept(stored, &needed)?;
    let (mut assembly, followers) = joints::assemble(stored, &order, options)?;
    let mut channels = Vec::new();
    // Skins first: what they bind stays as stored, and rigid meshes are baked to fit.
    for skinned in [true, false] {
        for carried in meshes.iter().filter(|one| one.skin.is_some() == skinned) {
            add(stored, &mut assembly, carried, options, &mut channels)?;
        }
    }
    assembly.bind_rest(&skins(&meshes));
    let skeleton = assembly.skeleton()?;
    let transform = ParameterTransform::identity(&skeleton);
    let name = stored.name.clone();
    let mut parts = CharacterParts::new(name, skeleton, transform);
    parts.unit = stored.unit;
    parts.inverse_bind_pose = Arc::new(assembly.inverse_bind_pose());
    parts.locators = Arc::new(joints::locators(stored, &assembly, options));
    let frames = assembly.frames.clone();
    let paints = Paints {
        materials: material::read(stored, source, &assembly.used_materials()),
        default: Material::default(),
    };
    let mut warnings = Vec::new();
    let charge = |place: &str, numbers| stored.charge(place, numbers);
    let paints = Some(paints);
    let built = assembly.into_mesh(&charge, options.normalize_weights, paints, &mut warnings)?;
    if let Some((mesh, weights, shapes)) = built {
        parts.mesh = Some(Arc::new(mesh));
        parts.skin_weights = Some(Arc::new(weights));
        parts.blend_shape = shapes.map(Arc::new);
    }
    stored.warnings.append(&mut warnings);
    Ok(Built {
        character: Character::new(parts)?,
        nodes: order,
        followers,
        frames,
        channels,
    })
}

/// A mesh on a node.
struct Carried {
    node: usize,
    mesh: usize,
    skin: Option<Bound>,
}

/// A skin, and where its mesh was when bound.
struct Bound {
    skin: Skin,
    place: Matrix4<f64>,
    /// The joint of the skin for each of the file's clusters.
    clusters: Vec<Option<usize>>,
    /// The joint of the skin that stands for the mesh's own node, where vertices have no weights.
    own: Option<usize>,
}

fn skins(meshes: &[Carried]) -> Vec<Skin> {
    let bound = meshes.iter().filter_map(|carried| carried.skin.as_ref());
    let copies = bound.map(|bound| Skin {
        joints: bound.skin.joints.clone(),
        inverse_bind: bound.skin.inverse_bind.clone(),
    });
    copies.collect()
}

/// The meshes of all nodes; a skinned one once, however many nodes show it.
fn carried(stored: &mut Stored) -> Vec<Carried> {
    let mut all = Vec::new();
    let mut seen = vec![false; stored.scene.meshes.len()];
    let mut warnings = Vec::new();
    for (at, node) in stored.scene.nodes.into_iter().enumerate() {
        let Some(mesh) = &node.mesh else { continue };
        let place = mesh.element.typed_id as usize;
        let again = seen
            .get_mut(place)
            .is_some_and(|seen| std::mem::replace(seen, true));
        let skin = joints::is_skinned(mesh).then(|| bound(stored, node, mesh, &mut warnings));
        if again && skin.is_some() {
            warnings.push(format!(
                "Geometry '{}': it is skinned and shown by several nodes; only once here",
                mesh.element.name
            ));
            continue;
        }
        all.push(Carried {
            node: at,
            mesh: place,
            skin,
        });
    }
    let others = [
        (stored.scene.line_curves.count, "lines"),
        (stored.scene.nurbs_curves.count, "NURBS curves"),
        (stored.scene.nurbs_surfaces.count, "NURBS surfaces"),
        (stored.scene.constraints.count, "constraints"),
    ];
    for (count, what) in others.iter().filter(|(count, _)| *count > 0) {
        warnings.push(format!("{count} {what} are left out"));
    }
    stored.warnings.append(&mut warnings);
    all
}

fn bound(
    stored: &Stored,
    node: &ufbx::Node,
    mesh: &ufbx::Mesh,
    warnings: &mut Vec<String>,
) -> Bound {
    let name = &mesh.element.name;
    if mesh.skin_deformers.count > 1 {
        warnings.push(format!(
            "Geometry '{name}': only the first of its skins is read"
        ));
    }
    let skin = mesh
        .skin_deformers
        .into_iter()
        .find(|skin| !skin.clusters.is_empty());
    let mut result = Bound {
        skin: Skin {
            joints: Vec::new(),
            inverse_bind: Vec::new(),
        },
        place: Matrix4::identity(),
        clusters: Vec::new(),
        own: None,
    };
    let Some(skin) = skin else { return result };
    use ufbx::SkinningMethod as Method;
    if matches!(
        skin.skinning_method,
        Method::DualQuaternion | Method::BlendedDqLinear
    ) {
        warnings.push(format!(
            "Geometry '{name}': its skin blends dual quaternions; the weights are kept for linear blending"
        ));
    }
    // Where the mesh was when bound is the same for all clusters, up to rounding.
    let length = stored.length;
    let mut unplace = Matrix4::identity();
    for cluster in &skin.clusters {
        let place =
            matrix(&cluster.bind_to_world, length) * matrix(&cluster.geometry_to_bone, length);
        if let Some(inverse) = place
            .try_inverse()
            .filter(|m| m.iter().all(|x| x.is_finite()))
        {
            (result.place, unplace) = (place, inverse);
            break;
        }
    }
    for cluster in &skin.clusters {
        let joint = cluster.bone_node.as_ref().map(|bone| {
            result.skin.joints.push(index(bone));
            let bind = matrix(&cluster.geometry_to_bone, length) * unplace;
            result.skin.inverse_bind.push(bind);
            result.skin.joints.len() - 1
        });
        if joint.is_none() {
            warnings.push(format!(
                "Deformer '{}': its bone is missing",
                cluster.element.name
            ));
        }
        result.clusters.push(joint);
    }
    let is_carried = |vertex: &ufbx::SkinVertex| {
        let weights = weights(skin, vertex);
        weights
            .iter()
            .any(|one| one.weight != 0.0 && result.joint(one).is_some())
    };
    let n_carried = skin
        .vertices
        .iter()
        .filter(|&vertex| is_carried(vertex))
        .count();
    if n_carried < mesh.num_vertices {
        warnings.push(format!(
            "Geometry '{name}': {} vertices have no weights; they move with node '{}'",
            mesh.num_vertices - n_carried,
            node.element.name
        ));
        result.own = Some(result.skin.joints.len());
        result.skin.joints.push(index(node));
        result
            .skin
            .inverse_bind
            .push(matrix(&node.geometry_to_node, length) * unplace);
    }
    result
}

fn weights<'s>(skin: &'s ufbx::SkinDeformer, vertex: &ufbx::SkinVertex) -> &'s [ufbx::SkinWeight] {
    let start = vertex.weight_begin as usize;
    let end = start.saturating_add(vertex.num_weights as usize);
    skin.weights.get(start..end).unwrap_or_default()
}

impl Bound {
    fn joint(&self, weight: &ufbx::SkinWeight) -> Option<usize> {
        *self.clusters.get(weight.cluster_index as usize)?
    }

    /// Joints and weights in sets of four columns.
    fn influences(&self, stored: &Stored, mesh: &ufbx::Mesh) -> Result<Vec<(Vec<u32>, Vec<f32>)>> {
        let skin = mesh
            .skin_deformers
            .into_iter()
            .find(|skin| !skin.clusters.is_empty());
        let Some(skin) = skin else {
            return Ok(Vec::new());
        };
        let n_sets = skin.max_weights_per_vertex.div_ceil(4).max(1);
        let numbers = mesh.num_vertices.saturating_mul(4 * n_sets);
        stored.charge("Deformer.Weights", numbers.saturating_mul(2))?;
        let mut sets = vec![
            (
                vec![0_u32; 4 * mesh.num_vertices],
                vec![0.0_f32; 4 * mesh.num_vertices]
            );
            n_sets
        ];
        for vertex in 0..mesh.num_vertices {
            let stored = skin
                .vertices
                .get(vertex)
                .map(|vertex| weights(skin, vertex));
            let carried = stored.unwrap_or_default().iter().filter_map(|one| {
                let joint = self.joint(one)?;
                (one.weight != 0.0).then_some((joint as u32, one.weight as f32))
            });
            let mut count = 0;
            for (joint, weight) in carried.take(4 * n_sets) {
                let (joints, weights) = &mut sets[count / 4];
                joints[4 * vertex + count % 4] = joint;
                weights[4 * vertex + count % 4] = weight;
                count += 1;
            }
            if let (0, Some(own)) = (count, self.own) {
                let (joints, weights) = &mut sets[0];
                (joints[4 * vertex], weights[4 * vertex]) = (own as u32, 1.0);
            }
        }
        Ok(sets)
    }
}

fn add(
    stored: &mut Stored,
    assembly: &mut Assembly,
    carried: &Carried,
    options: &LoadOptions,
    channels: &mut Vec<(usize, usize)>,
) -> Result<()> {
    let node = &stored.scene.nodes.as_ref()[carried.node];
    let place = match &carried.skin {
        Some(bound) => bound.place,
        None => matrix(&node.geometry_to_node, stored.length),
    };
    let name = joints::name(node, options).to_owned();
    let mut geometry = geometry::read(stored, carried.mesh, &place)?;
    let mesh = &stored.scene.meshes.as_ref()[carried.mesh];
    if geometry.primitive.positions.is_empty() {
        return Ok(());
    }
    if let Some(bound) = &carried.skin {
        geometry.primitive.influences = bound.influences(stored, mesh)?;
    }
    let (names, weights) = (&geometry.shape_names, &geometry.shape_weights);
    assembly.add_shapes(&name, carried.node, names, weights);
    if let Some(&(first, _)) = assembly.node_shapes.get(&carried.node) {
        let mut shape = first;
        for channel in geometry::channels(mesh) {
            channels.push((channel.element.typed_id as usize, shape));
            shape += channel.keyframes.len();
        }
    }
    let path = format!("Geometry '{}'", mesh.element.name);
    let skin = carried.skin.as_ref().map(|bound| &bound.skin);
    assembly.add_primitive(&path, carried.node, &mut geometry.primitive, skin, weights)
}
