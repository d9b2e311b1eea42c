//! One thing after another into a file.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::axes::Axes;
use super::record::Record;
use super::scene::{Clock, Id, ROOT, Scene};
use super::skeleton::{self, model, named};
use super::{markers, mesh, motion, shapes, skin};
use crate::character::{
    Character, Joint, MarkerSequence, Mesh, PARAMETERS_PER_JOINT, ParameterTransform, Reals,
    Skeleton, Unit,
};
use crate::error::{Error, Result};
use crate::io::{Extras, Motion, SaveOptions, Saved};

/// The name of the one animation of a file.
const TAKE: &str = "Take 001";

/// Makes one file of several characters, bodies, motions and markers.
#[derive(Default)]
pub struct FbxBuilder {
    scene: Scene,
    /// What the file's settings say about axes.
    pub axes: Axes,
    layer: Option<(Id, Record)>,
    fps: Option<f64>,
    seconds: f64,
    added: Vec<Added>,
    names: HashSet<String>,
}

/// The unit of files: the one that FBX has where nothing is said, since many readers do not listen.
const UNIT: Unit = Unit::Centimeter;

/// A character in the file.
struct Added {
    name: String,
    /// As it was given, in its own unit.
    skeleton: Arc<Skeleton>,
    joints: Vec<Id>,
    /// Channels of its blend shapes, then of its face expressions.
    channels: Vec<Id>,
}

/// How a solid body is called, and which of its joints carries its mesh.
#[derive(Debug, Clone, Copy, Default)]
pub struct BodyPlace<'a> {
    /// Its name; the character's where empty.
    pub name: &'a str,
    /// The joint.
    pub joint: usize,
}

impl FbxBuilder {
    /// An empty file with these axes.
    #[must_use]
    pub fn new(axes: Axes) -> Self {
        Self {
            axes,
            ..Self::default()
        }
    }

    /// Adds a skeleton, with mesh, skin, shapes and locators as far as the options ask for them.
    ///
    /// # Errors
    /// [`Error::Character`] for a bind pose without an inverse.
    pub fn add_character(&mut self, character: &Character, options: &SaveOptions) -> Result<()> {
        let given = character.skeleton.clone();
        let character = &character.in_unit(UNIT);
        let joints = self.add_joints(character, &character.name, options)?;
        let mut channels = Vec::new();
        if let (true, Some(own)) = (options.mesh, &character.mesh) {
            let node = self.mesh_node(&character.name, ROOT, options);
            let geometry = self.geometry(character, own, &character.name, node)?;
            if let Some(weights) = &character.skin_weights {
                skin::skin(&mut self.scene, character, weights, &joints, geometry)?;
                let bind = character.bind_pose()?;
                let identity = std::array::from_fn(|at| f64::from(u8::from(at % 5 == 0)));
                let mut places: Vec<_> = joints.iter().copied().zip(bind).collect();
                places.push((node, identity));
                skeleton::bind_pose(&mut self.scene, &places);
            }
            if options.blend_shapes {
                let own = character.blend_shape.iter().map(|shape| &**shape.offsets());
                let face = character.face_expression.iter().map(|shape| &**shape);
                for shapes in own.chain(face) {
                    channels.extend(shapes::channels(&mut self.scene, shapes, geometry));
                }
            }
        }
        self.remember(given, &character.name, joints, channels);
        Ok(())
    }

    /// Adds a skeleton whose mesh moves with one joint as a whole.
    ///
    /// # Errors
    /// As [`Self::add_character`], and for a joint that does not exist.
    pub fn add_rigid_body(
        &mut self,
        character: &Character,
        place: BodyPlace<'_>,
        options: &SaveOptions,
    ) -> Result<()> {
        let given = character.skeleton.clone();
        let character = &character.in_unit(UNIT);
        let name = match place.name {
            "" => &character.name,
            own => own,
        };
        let joints = self.add_joints(character, name, options)?;
        let Some(&joint) = joints.get(place.joint) else {
            let problem = format!("joint {} of {}", place.joint, joints.len());
            return Err(Error::value("parent_joint", problem));
        };
        if let (true, Some(own)) = (options.mesh, &character.mesh) {
            let node = self.mesh_node(name, joint, options);
            // Its vertices are in the world of the bind pose; the node is at the joint.
            let to_joint = &character.inverse_bind_pose[place.joint];
            let moved = mesh::moved(own, to_joint)?;
            mesh::geometry(&mut self.scene, &moved, &moved.vertices, name, node)?;
        }
        self.remember(given, name, joints, Vec::new());
        Ok(())
    }

    /// Adds a mesh that moves as a whole by the seven parameters of a joint in each frame, `(n_frames, 7)`.
    /// Its vertices are in the frame of `joint`, whose name and parent do not count, and in `unit`.
    ///
    /// # Errors
    /// [`Error::Value`] for another number of parameters.
    pub fn add_animated_mesh(
        &mut self,
        (own, unit): (&Mesh, Unit),
        joint: &Joint,
        name: &str,
        fps: f64,
        parameters: &[f64],
    ) -> Result<()> {
        let factor = factor(unit);
        let frames = rows(parameters, PARAMETERS_PER_JOINT, "joint_params")?;
        let parameters = &*scaled(parameters, factor);
        check_finite(parameters, PARAMETERS_PER_JOINT)?;
        let mut joint = joint.clone();
        joint.translation_offset = joint.translation_offset.map(|x| x * factor);
        let vertices: Reals = match factor {
            1.0 => own.vertices.clone(),
            _ => own
                .vertices
                .iter()
                .map(|x| x * factor)
                .collect::<Vec<f64>>()
                .into(),
        };
        let unique = self.fresh(if name.is_empty() { "mesh" } else { name });
        let place = skeleton::placed(&joint);
        let node = model(&mut self.scene, &unique, "Mesh", ROOT, place);
        mesh::geometry(&mut self.scene, own, &vertices, &unique, node)?;
        if frames > 0 {
            let layer = self.layer(fps, frames)?;
            let offset = joint.translation_offset;
            motion::transform(&mut self.scene, layer, node, fps, offset, || {
                parameters.chunks_exact(PARAMETERS_PER_JOINT)
            });
        }
        Ok(())
    }

    /// Adds the mesh of a character, without its skeleton, that moves as a whole by the parameters of the
    /// character's first joint, `(n_frames, 7)`.
    ///
    /// # Errors
    /// As [`Self::add_animated_mesh`], and where there is no mesh or no joint.
    pub fn add_animated_character(
        &mut self,
        character: &Character,
        name: &str,
        fps: f64,
        parameters: &[f64],
    ) -> Result<()> {
        let (Some(own), Some(joint)) = (&character.mesh, character.skeleton.joints().first())
        else {
            return Err(Error::value("character", "it has no mesh or no joint"));
        };
        let own = mesh::moved(own, &character.inverse_bind_pose[0])?;
        self.add_animated_mesh((&own, character.unit), joint, name, fps, parameters)
    }

    /// Adds `(n_frames, n_parameters)` model parameters of a character that was added, and with them the
    /// coefficients of its shapes. `identity` are joint parameters that are added in every frame, or none.
    ///
    /// # Errors
    /// [`Error::Value`] where the character was not added, or the numbers are not as many as they have to be.
    pub fn add_motion(
        &mut self,
        character: &Character,
        fps: f64,
        motion: &[f64],
        identity: &[f64],
    ) -> Result<()> {
        let transform = &character.parameter_transform;
        let frames = rows(motion, transform.len(), "motion")?;
        let width = character.skeleton.len() * PARAMETERS_PER_JOINT;
        if !identity.is_empty() && identity.len() != width {
            let problem = format!("expected {width} numbers, got {}", identity.len());
            return Err(Error::value("offsets", problem));
        }
        let mut joints = Vec::with_capacity(frames * width);
        for pose in motion.chunks_exact(transform.len().max(1)) {
            for row in 0..width {
                let own = transform.row(row).map(|(at, factor)| factor * pose[at]);
                let constant = identity.get(row).copied().unwrap_or(0.0);
                joints.push(constant + own.sum::<f64>());
            }
        }
        self.add_motion_with_joint_params(character, fps, &joints)?;
        self.add_shape_motion(character, fps, motion, transform)
    }

    fn add_shape_motion(
        &mut self,
        character: &Character,
        fps: f64,
        motion: &[f64],
        transform: &ParameterTransform,
    ) -> Result<()> {
        let channels = self.find(character)?.channels.clone();
        let counts = [
            character
                .blend_shape
                .as_ref()
                .map_or(0, |shape| shape.names().len()),
            character
                .face_expression
                .as_ref()
                .map_or(0, |shape| shape.n_shapes()),
        ];
        let columns = [
            transform.blend_shape_columns(),
            transform.face_expression_columns(),
        ];
        let columns: Vec<Option<usize>> = columns
            .iter()
            .zip(counts)
            .flat_map(|(own, count)| (0..count).map(|at| own.get(at).copied().flatten()))
            .collect();
        if channels.is_empty() || columns.iter().all(Option::is_none) {
            return Ok(());
        }
        let mut coefficients = Vec::new();
        for pose in motion.chunks_exact(transform.len().max(1)) {
            let own = columns
                .iter()
                .map(|column| column.map_or(0.0, |column| pose[column]));
            coefficients.extend(own);
        }
        let layer = self.layer(fps, coefficients.len() / columns.len().max(1))?;
        motion::shapes(&mut self.scene, layer, &channels, fps, &coefficients);
        Ok(())
    }

    /// Adds `(n_frames, 7 · n_joints)` joint parameters of a character that was added.
    ///
    /// # Errors
    /// [`Error::Value`] where the character was not added, or the numbers are not as many as they have to be.
    pub fn add_motion_with_joint_params(
        &mut self,
        character: &Character,
        fps: f64,
        joint_params: &[f64],
    ) -> Result<()> {
        let width = character.skeleton.len() * PARAMETERS_PER_JOINT;
        let frames = rows(joint_params, width, "joint_params")?;
        let nodes = self.find(character)?.joints.clone();
        let factor = factor(character.unit);
        let joint_params = &*scaled(joint_params, factor);
        check_finite(joint_params, width)?;
        if frames > 0 {
            let layer = self.layer(fps, frames)?;
            let skeleton = &character.skeleton.scaled(factor);
            motion::joints(&mut self.scene, layer, skeleton, &nodes, fps, joint_params);
        }
        Ok(())
    }

    /// Adds recorded points as optical markers; `unit` is that of their positions.
    ///
    /// # Errors
    /// [`Error::Value`] for a frame rate that is not positive.
    pub fn add_marker_sequence(&mut self, sequence: &MarkerSequence, unit: Unit) -> Result<()> {
        if sequence.n_frames() > 0 {
            let layer = self.layer(sequence.fps(), sequence.n_frames())?;
            markers::markers(&mut self.scene, layer, sequence, factor(unit));
        }
        Ok(())
    }

    /// The file.
    ///
    /// # Errors
    /// [`Error::Value`] where it would be too large.
    pub fn save(mut self) -> Result<Saved> {
        let fps = self.fps.unwrap_or(30.0);
        let n_frames = (self.seconds * fps).round() as usize + 1;
        if let Some((layer, record)) = self.layer.take() {
            motion::stack(&mut self.scene, TAKE, layer, record, (n_frames, fps));
        }
        let warnings = std::mem::take(&mut self.scene.warnings);
        let clock = Clock {
            fps,
            n_frames,
            take: if self.fps.is_some() { TAKE } else { "" },
        };
        let bytes = self.scene.finish(self.axes, clock)?;
        Ok(Saved::new(bytes, warnings))
    }

    fn add_joints(
        &mut self,
        character: &Character,
        name: &str,
        options: &SaveOptions,
    ) -> Result<Vec<Id>> {
        let space = options.namespace.as_str();
        let mut twice = false;
        for joint in character.skeleton.joints() {
            twice |= !self.names.insert(named(space, &joint.name));
        }
        if twice {
            self.scene.warn(format!(
                "'{name}' has joints of the same names as what was added before; give it a namespace"
            ));
        }
        let joints = skeleton::joints(&mut self.scene, &character.skeleton, space);
        if options.locators {
            skeleton::locators(&mut self.scene, character, &joints, space);
            if !character.skinned_locators.is_empty() {
                self.scene.warn("locators on the skin are left out");
            }
        }
        if options.collisions && !character.collision_geometry.is_empty() {
            self.scene.warn("collision solids are left out");
        }
        if character.pose_shape.is_some() {
            self.scene.warn("the pose shape is left out");
        }
        let transform = &character.parameter_transform;
        let own = transform
            .names()
            .iter()
            .zip(ParameterTransform::identity(&character.skeleton).names())
            .all(|(a, b)| a == b);
        if !own || !character.parameter_limits.is_empty() {
            self.scene
                .warn("the parameter transform and its limits are left out: FBX has joints only");
        }
        Ok(joints)
    }

    fn mesh_node(&mut self, name: &str, parent: Id, options: &SaveOptions) -> Id {
        let wanted = named(
            &options.namespace,
            if name.is_empty() { "mesh" } else { name },
        );
        let unique = self.fresh(&wanted);
        model(&mut self.scene, &unique, "Mesh", parent, [])
    }

    fn geometry(&mut self, character: &Character, own: &Mesh, name: &str, node: Id) -> Result<Id> {
        let base = character.blend_shape.as_ref().map(|shape| shape.base());
        let vertices = base.unwrap_or(&own.vertices);
        let differs = vertices
            .iter()
            .zip(own.vertices.iter())
            .any(|(a, b)| (a - b).abs() > 1e-6 * (1.0 + b.abs()));
        if differs {
            self.scene.warn("the mesh is written as the base of its blend shapes, without the coefficients at rest");
        }
        mesh::geometry(&mut self.scene, own, vertices, name, node)
    }

    fn remember(
        &mut self,
        skeleton: Arc<Skeleton>,
        name: &str,
        joints: Vec<Id>,
        channels: Vec<Id>,
    ) {
        self.added.push(Added {
            name: name.to_owned(),
            skeleton,
            joints,
            channels,
        });
    }

    /// The character as it was added last: by its name, or else by its skeleton.
    fn find(&self, character: &Character) -> Result<&Added> {
        let same = |added: &&Added| added.skeleton == character.skeleton;
        let found = self.added.iter().rev().filter(same);
        let named = found.clone().find(|added| added.name == character.name);
        named.or_else(|| found.clone().next()).ok_or_else(|| {
            Error::value(
                "character",
                format!("'{}' was not added before", character.name),
            )
        })
    }

    fn fresh(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 0;
        while !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        name
    }

    /// The layer of the animation, which lasts for so many frames at least.
    fn layer(&mut self, fps: f64, n_frames: usize) -> Result<Id> {
        if !(fps > 0.0 && fps.is_finite()) {
            return Err(Error::value(
                "fps",
                format!("expected more than 0, got {fps}"),
            ));
        }
        self.fps.get_or_insert(fps);
        self.seconds = self.seconds.max(n_frames.saturating_sub(1) as f64 / fps);
        let scene = &mut self.scene;
        let (id, _) = self.layer.get_or_insert_with(|| motion::layer(scene));
        Ok(*id)
    }
}

/// From lengths in `unit` to those of the file.
fn factor(unit: Unit) -> f64 {
    UNIT.per_meter() / unit.per_meter()
}

/// Joint parameters whose translations are lengths of the file.
fn scaled(parameters: &[f64], factor: f64) -> Cow<'_, [f64]> {
    if factor == 1.0 {
        return parameters.into();
    }
    let numbers = parameters.iter().enumerate();
    let numbers = numbers.map(|(at, x)| match at % PARAMETERS_PER_JOINT < 3 {
        true => x * factor,
        false => *x,
    });
    numbers.collect()
}

/// Refuses what single precision cannot hold.
fn check_finite(numbers: &[f64], width: usize) -> Result<()> {
    match numbers.iter().position(|x| !(*x as f32).is_finite()) {
        None => Ok(()),
        Some(at) => {
            let problem = format!("frame {} has a value that is not finite", at / width.max(1));
            Err(Error::value("joint_params", problem))
        }
    }
}

/// How many rows of so many numbers there are.
fn rows(numbers: &[f64], width: usize, what: &str) -> Result<usize> {
    match (numbers.len(), width) {
        (0, _) | (_, 0) => Ok(0),
        (count, width) if count % width == 0 => Ok(count / width),
        (count, width) => {
            let problem = format!("expected frames of {width} numbers, got {count} numbers");
            Err(Error::value(what, problem))
        }
    }
}

/// A character as a file.
///
/// # Errors
/// As [`FbxBuilder::add_character`].
pub fn save_character(
    character: &Character,
    options: &SaveOptions,
    axes: Axes,
    extras: &Extras<'_>,
) -> Result<Saved> {
    let mut builder = FbxBuilder::new(axes);
    builder.add_character(character, options)?;
    builder.add_extras(extras)?;
    builder.save()
}

/// A character and its motion as a file.
///
/// # Errors
/// As [`FbxBuilder::add_character`] and [`FbxBuilder::add_motion`].
pub fn save_motion(
    motion: &Motion,
    options: &SaveOptions,
    axes: Axes,
    extras: &Extras<'_>,
) -> Result<Saved> {
    let mut builder = FbxBuilder::new(axes);
    builder.add_character(&motion.character, options)?;
    extras.progress.at(1, 3)?;
    let character = &motion.character;
    builder.add_motion(
        character,
        motion.fps,
        &motion.model_parameters,
        &motion.identity,
    )?;
    builder.add_extras(extras)?;
    extras.progress.at(2, 3)?;
    builder.save()
}

impl FbxBuilder {
    fn add_extras(&mut self, extras: &Extras<'_>) -> Result<()> {
        let Some(markers) = extras.markers else {
            return Ok(());
        };
        for sequence in &markers.sequences {
            self.add_marker_sequence(sequence, markers.unit)?;
        }
        Ok(())
    }
}
