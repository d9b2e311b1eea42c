//! From a layer to a character and its motion.

mod animation;
mod attribute;
mod binding;
mod clip;
mod draft;
mod influences;
mod mesh;
mod notes;
mod shapes;
mod skeleton;
mod stage;

use nalgebra::Matrix4;
use std::collections::HashMap;
use std::sync::Arc;

use super::layer::Layer;
use crate::character::{Character, CharacterParts, Joint, ParameterTransform, Skeleton};
use crate::error::Result;
use crate::io::nodes::Names;
use crate::io::{LoadOptions, Progress, Up};
use animation::Animation;
use binding::{Binding, bindings};
pub use clip::Clip;
use clip::{Moving, Weighted};
use draft::{Draft, Hold, Shape};
use influences::Influences;
use skeleton::Rig;
use stage::Stage;

/// What a file holds.
pub struct Scene {
    /// All skeletons, one after the other, with all meshes; zero parameters are the rest pose.
    pub character: Character,
    /// The axis that points up.
    pub up: Up,
    /// How it moves.
    pub clip: Clip,
    /// The path of each mesh, and its vertices among those of the character.
    pub mesh_parts: Vec<(String, std::ops::Range<usize>)>,
    /// What was left out or changed, one sentence each.
    pub warnings: Vec<String>,
}

/// Builds the scene.
pub(super) fn scene(
    layer: &Layer,
    file_size: usize,
    options: &LoadOptions,
    progress: &Progress<'_>,
) -> Result<Scene> {
    let mut stage = Stage::new(layer, file_size, options)?;
    let bindings = bindings(layer, &stage.scene);
    let mut rigs = rigs(&mut stage, &bindings)?;
    let mut names = Names::new([]);
    let mut joints = joints(&rigs, &mut names);
    let mut binds: Vec<Matrix4<f64>> = rigs
        .iter()
        .flat_map(|moving| moving.rig.inverse_bind.clone())
        .collect();
    let mut draft = Draft::default();
    let mut mesh_parts = Vec::new();
    let mut shape_names = Names::new([]);
    let mut standing = None;
    let scene = std::mem::take(&mut stage.scene);
    for (done, &prim) in scene.iter().enumerate() {
        progress.at(done, scene.len())?;
        if &*layer.prims[prim].type_name != "Mesh" {
            continue;
        }
        let Some(stored) = mesh::Stored::read(&mut stage, prim)? else {
            continue;
        };
        let binding = bindings[prim];
        let own = binding
            .skeleton
            .and_then(|skeleton| rigs.iter().position(|moving| moving.rig.prim == skeleton));
        let influences = match own {
            Some(at) => Influences::read(&mut stage, &rigs[at].rig, &binding, stored.n_points())?,
            None => None,
        };
        let path = layer.path(prim);
        let first = draft.n_vertices();
        let linear = match (&influences, own) {
            (Some(influences), Some(at)) if !rigs[at].rig.joints.is_empty() => {
                let place = rigs[at].rig.world * influences.geometry;
                draft.add(&mut stage, &path, &stored, &place, &Hold::Skin(influences))?
            }
            _ => {
                let joint = *standing.get_or_insert_with(|| {
                    joints.push(Joint::new(names.fresh("stage"), None, [0.0; 3]));
                    binds.push(Matrix4::identity());
                    joints.len() - 1
                });
                if stage.moves[prim] {
                    let text = "what is not skinned but moves stays where it begins";
                    stage.notes.add(text, &path);
                }
                let place = stage.world(prim);
                draft.add(&mut stage, &path, &stored, &place, &Hold::Joint(joint))?
            }
        };
        let owner = shapes::Owner {
            prim,
            first,
            n_points: stored.n_points(),
            linear,
            rig: own,
        };
        shapes::add(&mut stage, &mut draft, &mut shape_names, &owner)?;
        mesh_parts.push((path, first..draft.n_vertices()));
    }
    if joints.is_empty() {
        return Err(notes::no_character(layer));
    }
    if standing.is_some() {
        let text = "meshes that are not skinned hang on a joint of their own";
        stage.notes.say(text.into());
    }
    let shapes = weighted(&draft.shapes, &rigs);
    for text in notes::of(layer, &scene, &rigs, &shapes) {
        stage.notes.say(text);
    }
    let found = draft.finish(&mut stage, options.normalize_weights)?;
    let skeleton = Skeleton::new(joints)?;
    let transform = ParameterTransform::identity(&skeleton);
    let mut parts = CharacterParts::new(character_name(layer), skeleton, transform);
    parts.unit = stage.unit;
    let row_major = |m: &Matrix4<f64>| std::array::from_fn(|at| m[(at / 4, at % 4)]);
    parts.inverse_bind_pose = Arc::new(binds.iter().map(row_major).collect());
    if let Some((mesh, weights, blend_shape)) = found {
        parts.mesh = Some(Arc::new(mesh));
        parts.skin_weights = Some(Arc::new(weights));
        if let Some(blend_shape) = blend_shape {
            parts.blend_shape = Some(Arc::new(blend_shape));
            parts.set_blend_shape_parameters(shapes.len())?;
        }
    }
    let transform = &parts.parameter_transform;
    let columns = transform
        .blend_shape_columns()
        .iter()
        .copied()
        .flatten()
        .collect();
    for moving in &mut rigs {
        if stage.moves[moving.rig.prim] {
            moving.chain = stage.chain(moving.rig.prim)?;
        }
    }
    let clip = Clip {
        n_parameters: transform.len(),
        columns,
        rigs,
        shapes,
        range: stage.range,
        codes_per_second: stage.codes_per_second,
        fps: stage.fps,
    };
    Ok(Scene {
        character: Character::new(parts)?,
        up: stage.up,
        clip,
        mesh_parts,
        warnings: stage.notes.sentences(),
    })
}

/// All skeletons of the scene.
fn rigs(stage: &mut Stage<'_>, bindings: &[Binding]) -> Result<Vec<Moving>> {
    let layer = stage.layer;
    let mut rigs: Vec<Moving> = Vec::new();
    let mut first = 0;
    for prim in stage.scene.clone() {
        if &*layer.prims[prim].type_name != "Skeleton" {
            continue;
        }
        let animation = bindings[prim].animation;
        let animation = animation.filter(|&at| &*layer.prims[at].type_name == "SkelAnimation");
        let animation_prim = animation;
        let animation = animation
            .map(|prim| Animation::read(layer, prim))
            .transpose()?;
        let scales = |joint: &str| animation.as_ref().is_some_and(|own| own.scales(joint));
        let rig = Rig::read(stage, prim, first, scales)?;
        first += rig.joints.len();
        rigs.push(Moving {
            rig,
            chain: Vec::new(),
            animation,
            animation_prim,
        });
    }
    Ok(rigs)
}

/// The joints of all skeletons, called by the last part of their names, or by all of it where another
/// joint is called so.
fn joints(rigs: &[Moving], names: &mut Names) -> Vec<Joint> {
    let short = |name: &str| {
        name.rsplit('/')
            .find(|part| !part.is_empty())
            .unwrap_or(name)
            .to_owned()
    };
    let mut uses: HashMap<String, usize> = HashMap::new();
    for name in rigs.iter().flat_map(|moving| moving.rig.joints.iter()) {
        *uses.entry(short(name)).or_insert(0) += 1;
    }
    let mut joints = Vec::new();
    for moving in rigs {
        for (joint, name) in moving.rig.joints.iter().enumerate() {
            let own = short(name);
            let own = if uses.get(&own) == Some(&1) {
                own
            } else {
                name.to_string()
            };
            let rest = moving.rig.rest(joint);
            let quaternion = rest.rotation.coords;
            joints.push(Joint {
                name: names.fresh(&own),
                parent: moving.rig.parents[joint].map(|parent| moving.rig.first + parent),
                pre_rotation: [quaternion.x, quaternion.y, quaternion.z, quaternion.w],
                translation_offset: rest.translation.into(),
            });
        }
    }
    joints
}

/// Which weight of which animation moves each shape.
fn weighted(shapes: &[Shape], rigs: &[Moving]) -> Vec<Weighted> {
    let weighted = shapes.iter().map(|shape| {
        let rig = shape
            .rig
            .and_then(|rig| Some((rig, rigs.get(rig)?.animation.as_ref()?)));
        Weighted {
            source: rig.and_then(|(rig, own)| Some((rig, *own.shapes.get(&shape.token)?))),
            at: shape.at,
            knots: shape.knots.clone(),
        }
    });
    weighted.collect()
}

/// The prim that the file calls its own, or the first one.
fn character_name(layer: &Layer) -> String {
    let said = layer
        .metadata
        .get("defaultPrim")
        .and_then(|value| value.as_text());
    let first = || {
        layer.prims[0]
            .children
            .first()
            .map(|&at| layer.prims[at].name.to_string())
    };
    said.map(str::to_owned).or_else(first).unwrap_or_default()
}
