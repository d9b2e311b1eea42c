//! From bytes to a scene.

use nalgebra::Matrix3;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;

use super::accessor::Data;
use super::animation::{self, Animation, Property};
use super::carried::{self, Stored};
use super::clip::{Clip, Rig, Target};
use super::nodes::{self, Node};
use super::own::{self, Own};
use super::{LoadedScene, container, material, mesh, momentum, skin};
use crate::character::{Character, CharacterParts, ParameterTransform, Unit};
use crate::error::{Error, Result};
use crate::io::json::Item;
use crate::io::nodes::{Assembly, Frame, Names, Paints};
use crate::io::{LoadOptions, Source};

/// Reads a GLB or `.gltf` file with everything that is in it.
///
/// # Errors
/// [`Error::Format`] naming the file, the place, what the format asks for and what is there.
pub fn load_scene(source: &Source<'_>, options: &LoadOptions) -> Result<LoadedScene> {
    load_with(source, options, Curves::All)
}

/// Which curves of animations are read; without them clips have nothing but a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curves {
    All,
    /// None where the file has its motion as model parameters too.
    UnlessStored,
    None,
}

/// As [`load_scene`], with the curves that are needed.
pub(super) fn load_with(
    source: &Source<'_>,
    options: &LoadOptions,
    curves: Curves,
) -> Result<LoadedScene> {
    read(source, options, curves).map_err(|error| error.in_file(&source.name()))
}

fn read(source: &Source<'_>, options: &LoadOptions, curves: Curves) -> Result<LoadedScene> {
    let container = container::split(source.bytes())?;
    let root = Item::new(&container.root, "").object()?;
    let mut warnings = Vec::new();
    if container.trailing > 0 {
        warnings.push(format!(
            "{} bytes after the end of the file that its header gives",
            container.trailing
        ));
    }
    check_asset(&root)?;
    check_extensions(&root, &mut warnings)?;
    let buffers = container::buffers(&root, container.binary, source)?;
    let data = Data::new(&root, buffers)?;
    build(&root, &data, source, (options, curves), warnings).map_err(Error::as_format)
}

fn check_asset(root: &Item<'_>) -> Result<()> {
    let asset = root.need("asset")?.object()?;
    let version = asset.need("version")?;
    let text = version.str()?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    match text.split_once('.') {
        Some(("2", minor)) if is_number(minor) => Ok(()),
        _ => Err(version.wrong("glTF version 2.x, such as \"2.0\"")),
    }
}

/// Extensions that a file may require, since they change nothing that is read here or only allow more.
const UNDERSTOOD: [&str; 11] = [
    "FB_momentum",
    "KA_character",
    "KHR_mesh_quantization",
    "KHR_lights_punctual",
    "KHR_texture_transform",
    "KHR_texture_basisu",
    "EXT_texture_webp",
    "EXT_texture_avif",
    "MSFT_texture_dds",
    "VRM",
    "KHR_xmp_json_ld",
];

fn check_extensions(root: &Item<'_>, warnings: &mut Vec<String>) -> Result<()> {
    for required in root.list("extensionsRequired")? {
        let name = required.str()?;
        let harmless = UNDERSTOOD.contains(&name)
            || name.starts_with("KHR_materials_")
            || name.starts_with("VRMC_");
        if !harmless {
            return Err(required.wrong("an extension that this reader knows"));
        }
    }
    for used in root.list("extensionsUsed")? {
        if used.str()? == "EXT_mesh_gpu_instancing" {
            warnings.push("EXT_mesh_gpu_instancing: only one instance of each mesh is read".into());
        }
    }
    Ok(())
}

fn uses(root: &Item<'_>, extension: &str) -> bool {
    let names = root.list("extensionsUsed").unwrap_or_default();
    names
        .iter()
        .any(|name| name.value == &Value::from(extension))
}

fn build(
    root: &Item<'_>,
    data: &Data<'_>,
    source: &Source<'_>,
    (options, curves): (&LoadOptions, Curves),
    mut warnings: Vec<String>,
) -> Result<LoadedScene> {
    let meshes = mesh::read_all(root)?;
    let n_skins = root.list("skins")?.len();
    let mut nodes = nodes::read(root, meshes.len(), n_skins)?;
    let skins = skin::read_all(root, nodes.len(), data, &mut warnings)?;
    let n_targets = |node: usize| nodes[node].mesh.map_or(0, |mesh| meshes[mesh].n_targets);
    let with_curves = match curves {
        Curves::All => true,
        Curves::UnlessStored => !momentum::has_motion(root),
        Curves::None => false,
    };
    let animations =
        animation::read_all(root, data, &nodes, n_targets, with_curves, &mut warnings)?;

    let skin_joints = || skins.iter().flat_map(|skin| skin.joints.iter().copied());
    let in_scene = nodes::in_scene(root, &nodes, skin_joints())?;
    let joints: HashSet<usize> = skin_joints().collect();
    let mut rigid: Vec<bool> = nodes
        .iter()
        .map(|node| match (node.mesh, node.skin) {
            (Some(mesh), Some(_)) => mesh::has_rigid_part(&meshes[mesh]),
            (mesh, _) => mesh.is_some(),
        })
        .collect();
    let (own, n_own) = own::find(&nodes, &in_scene)?;
    if n_own > 1 {
        warnings.push(format!(
            "the file has {n_own} characters; the first one is read"
        ));
    }
    let is_momentum = own.is_some() || momentum::has_joints(root, &nodes);
    let mut kept = vec![false; nodes.len()];
    for &node in in_scene.iter().rev() {
        if let Some(own) = &own {
            kept[node] = own.joints.contains(&node);
            rigid[node] = false;
            continue;
        }
        if is_momentum {
            let kind = momentum::kind(&nodes[node]).map(|(kind, _)| kind);
            kept[node] = kind == Some("skeleton_joint") || joints.contains(&node);
            // Meshes of locators are there to be seen by other programs.
            rigid[node] &= kept[node];
            continue;
        }
        let only_holds = nodes[node].is_view || nodes[node].skin.is_some();
        kept[node] |= !only_holds || rigid[node] || joints.contains(&node);
        if let (true, Some(parent)) = (kept[node], nodes[node].parent) {
            kept[parent] = true;
        }
    }
    // The closest node above that is a joint, or the node itself.
    let mut closest: Vec<Option<usize>> = vec![None; nodes.len()];
    for &node in &in_scene {
        let above = nodes[node].parent.and_then(|parent| closest[parent]);
        closest[node] = if kept[node] { Some(node) } else { above };
    }
    let order: Vec<usize> = match &own {
        Some(own) => {
            let mut seen = vec![false; nodes.len()];
            for &node in &own.joints {
                seen[node] = true;
                let above = nodes[node].parent.and_then(|parent| closest[parent]);
                if above.is_some_and(|above| !seen[above]) {
                    return Err(Error::format(
                        format!("nodes[{}].extensions.{}.joints", own.root, own::NAME),
                        "every joint after the one above it",
                        format!("nodes[{node}] before it"),
                    ));
                }
            }
            own.joints.clone()
        }
        None => {
            let nodes = in_scene.iter().copied();
            nodes.filter(|&node| kept[node]).collect()
        }
    };
    if order.is_empty() && own.is_none() {
        return Err(Error::format(
            "nodes",
            "at least one node that can be a joint",
            "none",
        ));
    }
    let taken = nodes::name(&mut nodes, &order, &mut warnings);
    let scaled: HashSet<usize> = animations
        .iter()
        .flat_map(|animation| &animation.channels)
        .filter(|channel| channel.property == Property::Scale)
        .map(|channel| channel.node)
        .collect();
    let mut assembly = Assembly::new(nodes.len(), taken);
    for &node in &order {
        let above = nodes[node].parent.and_then(|parent| closest[parent]);
        let parent = above.and_then(|above| assembly.node_joints[above]);
        let residual =
            parent.map_or_else(Matrix3::identity, |parent| assembly.frames[parent].residual);
        let frame = Frame::new(nodes[node].local, residual, scaled.contains(&node));
        assembly.add_node(node, nodes[node].name.clone(), parent, frame)?;
    }
    for &node in order.iter().filter(|node| scaled.contains(node)) {
        if nodes[node]
            .local
            .stretch
            .diagonal()
            .iter()
            .any(|&x| x == 0.0)
        {
            warnings.push(format!(
                "nodes[{node}].scale: zero at rest and animated; zero parameters show it with scale 1"
            ));
        }
    }
    let stored = Stored {
        data,
        nodes: &nodes,
        meshes: &meshes,
        skins: &skins,
        n_materials: root.list("materials")?.len(),
        is_sorted: own.as_ref().is_some_and(Own::is_sorted),
        is_quantized: uses(root, "KHR_mesh_quantization"),
    };
    assembly.columns = own.as_ref().and_then(|own| own.influences);
    let mut mesh_parts = Vec::new();
    let belongs = |node: usize| own.as_ref().is_none_or(|own| own.mesh == Some(node));
    // Skins first: what they bind stays as stored, and rigid meshes are baked to fit.
    let skinned = |&&node: &&usize| nodes[node].skin.is_some() && belongs(node);
    let n_carriers = nodes.iter().filter(|node| node.mesh.is_some()).count();
    // Meshes are most of a file; what comes after them counts as one more.
    let mut n_read = 0;
    let mut next = || {
        n_read += 1;
        source.progress.at(n_read - 1, n_carriers.max(n_read) + 1)
    };
    for &node in in_scene.iter().filter(skinned) {
        next()?;
        carried::add_mesh(
            &mut assembly,
            &stored,
            node,
            true,
            &mut mesh_parts,
            &mut warnings,
        )?;
    }
    assembly.bind_rest(&skins);
    for &node in in_scene.iter().filter(|&&node| rigid[node]) {
        next()?;
        carried::add_mesh(
            &mut assembly,
            &stored,
            node,
            false,
            &mut mesh_parts,
            &mut warnings,
        )?;
    }
    if let Some(node) = own.as_ref().and_then(|own| own.mesh)
        && nodes[node].skin.is_none()
    {
        carried::add_mesh(
            &mut assembly,
            &stored,
            node,
            false,
            &mut mesh_parts,
            &mut warnings,
        )?;
    }
    next()?;
    if in_scene.len() < nodes.len() {
        warnings.push(format!(
            "{} nodes outside the scene are left out",
            nodes.len() - in_scene.len()
        ));
    }

    let skeleton = assembly.skeleton()?;
    let transform = ParameterTransform::identity(&skeleton);
    let morph_weights: Vec<f64> = assembly.shapes.iter().map(|shape| shape.weight).collect();
    let rig = Arc::new(Rig {
        frames: assembly.frames.clone(),
        parents: assembly.parents.clone(),
        length_factor: options.unit.per_meter(),
        weights: morph_weights.clone(),
    });
    let clips = clips(animations, &nodes, &assembly, &rig, &mut warnings);
    let node_linear = assembly
        .frames
        .iter()
        .map(|frame| std::array::from_fn(|at| frame.residual[(at / 3, at % 3)]))
        .collect();

    let additions = if is_momentum {
        let joint_of = |node: usize| closest[node].and_then(|node| assembly.node_joints[node]);
        let nodes_of_it = match &own {
            Some(own) => nodes::preorder(&nodes, &[own.root]),
            None => in_scene.clone(),
        };
        let place = momentum::Place {
            nodes: &nodes,
            in_scene: &nodes_of_it,
            joint_of: &joint_of,
            own: own.as_ref(),
        };
        Some(momentum::read(
            root,
            data,
            &place,
            &skeleton,
            &mut warnings,
        )?)
    } else {
        None
    };
    let name = match (&own, nodes.first()) {
        (Some(own), _) => nodes[own.root].name.clone(),
        (None, Some(node)) if is_momentum => node.name.clone(),
        _ => source.stem(),
    };
    let mut parts = CharacterParts::new(name, skeleton, transform);
    let file_unit = own.as_ref().map_or(options.unit, |own| own.unit);
    let mut motion = additions.and_then(|additions| additions.apply(&mut parts, file_unit));
    parts.inverse_bind_pose = Arc::new(assembly.inverse_bind_pose());
    let joint_nodes = assembly.joint_nodes.clone();
    let used = match &own {
        Some(own) => own.materials(stored.n_materials)?,
        None => assembly.used_materials(),
    };
    let materials = material::read(root, data, source, &used, &mut warnings)?;
    let paints = own.is_none().then(|| Paints {
        materials: materials.clone(),
        default: material::default_material(),
    });
    let charge = |place: &str, numbers| data.charge(place, numbers);
    if let Some((mesh, weights, shapes)) =
        // Momentum and we take weights as they are.
        assembly.into_mesh(
            &charge,
            options.normalize_weights && !is_momentum,
            paints,
            &mut warnings,
        )?
    {
        if let (Some(shapes), false) = (&shapes, is_momentum) {
            let transform = &parts.parameter_transform;
            let with = transform.with_blend_shape_parameters(shapes.names().len());
            match with {
                Ok(with) => parts.parameter_transform = with.into(),
                Err(error) => warnings.push(format!("morph targets have no parameters: {error}")),
            }
        }
        parts.mesh = Some(Arc::new(mesh));
        parts.skin_weights = Some(Arc::new(weights));
        parts.blend_shape = shapes.map(Arc::new);
    }
    let character = match &own {
        None => Character::new(parts)?,
        Some(own) => {
            // A mesh that nothing moves has no weights to check.
            if own.influences.is_none() {
                parts.skin_weights = None;
            }
            let mut parts = match own.unit {
                Unit::Meter => parts,
                unit => Character::new(parts)?.in_unit(unit).parts(),
            };
            own.complete(data, materials, &mut parts, &mut warnings)?;
            let character = Character::new(parts)?;
            if let (Some(motion), Some(item)) = (&mut motion, own.motion()) {
                motion.refine(&item, data)?;
            }
            motion = motion.map(|motion| motion.in_unit(&character, options.unit));
            character
        }
    };
    Ok(LoadedScene {
        character: character.in_unit(options.unit),
        clips,
        motion,
        joint_nodes,
        node_linear,
        morph_weights,
        mesh_parts,
        warnings,
    })
}

/// The animations as motion of the joints; says where a joint cannot follow its node exactly.
fn clips(
    animations: Vec<Animation>,
    nodes: &[Node<'_>],
    assembly: &Assembly,
    rig: &Arc<Rig>,
    warnings: &mut Vec<String>,
) -> Vec<Clip> {
    let mut names = Names::new([]);
    let mut inexact = HashSet::new();
    let mut clips = Vec::with_capacity(animations.len());
    for (at, animation) in animations.into_iter().enumerate() {
        let mut left_out = 0;
        let mut curves = Vec::new();
        for channel in animation.channels {
            let node = channel.node;
            let Some(curve) = channel.curve else {
                continue;
            };
            let target = if channel.property == Property::Weights {
                let shapes = assembly.node_shapes.get(&node);
                shapes.map(|&(first, count)| Target::Shapes(first, count))
            } else {
                assembly.node_joints[node].map(|joint| Target::Joint(joint, channel.property))
            };
            let Some(target) = target else {
                // What an extension knows is read as that; markers move by themselves.
                left_out += usize::from(momentum::kind(&nodes[node]).is_none());
                continue;
            };
            if let Target::Joint(joint, property) = target {
                let frame = &assembly.frames[joint];
                let bad_scale = || {
                    let mut last = None;
                    (0..curve.times().len()).any(|key| {
                        let key = curve.key(key);
                        let scale = [key[0], key[1], key[2]];
                        // Most scales stay what they are.
                        last.replace(scale) != Some(scale)
                            && !frame.relative_scale(&scale.map(f64::from).into()).1
                    })
                };
                let is_inexact = match property {
                    Property::Rotation => !frame.can_turn() && curve.moves(),
                    Property::Scale => bad_scale(),
                    _ => false,
                };
                if is_inexact && inexact.insert((node, property)) {
                    let name = &nodes[node].name;
                    warnings.push(match property {
                        Property::Scale => format!(
                            "animations[{at}]: node '{name}' is scaled differently along its axes, \
                             which a joint cannot be; the mean factor is used"
                        ),
                        _ => format!(
                            "animations[{at}]: node '{name}' turns below a non-uniform scale, which \
                             shears it; the closest rotation is used"
                        ),
                    });
                }
            }
            curves.push((target, curve));
        }
        if left_out > 0 {
            warnings.push(format!(
                "animations[{at}]: {left_out} channels move nodes that are not joints"
            ));
        }
        let name = match animation.name.as_str() {
            "" => String::new(),
            own => names.fresh(own),
        };
        clips.push(Clip {
            name,
            rig: rig.clone(),
            curves,
        });
    }
    clips
}
