//! A file put together piece by piece: characters, their motion, other meshes, recorded markers.

use serde_json::json;
use std::sync::Arc;

use super::super::momentum::NAME as MOMENTUM;
use super::super::own::NAME as OWN;
use super::curves::{self, Curves};
use super::document::{Container, Document};
use super::markers::{self, MarkerMesh};
use super::motion::{self, Animation, MotionToWrite, Values};
use super::skeleton::{self, Nodes};
use super::{mesh, momentum, own};
use crate::character::{Character, MarkerSequence, Mesh, Unit};
use crate::error::{Error, Result};
use crate::io::{Progress, SaveOptions};

/// Makes a glTF file. `FB_momentum` has room for one character and one motion: the first of each.
#[derive(Debug, Clone)]
pub struct Builder {
    fps: f64,
    document: Document,
    characters: Vec<Added>,
    warnings: Vec<String>,
}

#[derive(Debug, Clone)]
struct Added {
    /// As it was given, to know it again.
    given: Character,
    nodes: Nodes,
    extensions: bool,
}

/// The parts of a character that are asked for.
fn chosen(character: &Character, options: &SaveOptions) -> Result<Character> {
    let mut parts = character.parts();
    if !options.mesh {
        (parts.mesh, parts.skin_weights) = (None, None);
    }
    if !options.mesh || !options.blend_shapes {
        (parts.blend_shape, parts.face_expression, parts.pose_shape) = (None, None, None);
    }
    if !options.locators {
        (parts.locators, parts.skinned_locators) = (Arc::default(), Arc::default());
    }
    if !options.collisions {
        (parts.collision_geometry, parts.sdf_colliders) = (Arc::default(), Arc::default());
    }
    Character::new(parts)
}

impl Builder {
    /// An empty file at a rate of frames.
    ///
    /// # Errors
    /// [`Error::Value`] for a rate that is not positive.
    pub fn new(fps: f64) -> Result<Self> {
        motion::check_fps(fps)?;
        Ok(Self {
            fps,
            document: Document::default(),
            characters: Vec::new(),
            warnings: Vec::new(),
        })
    }

    /// Frames a second.
    #[must_use]
    pub fn fps(&self) -> f64 {
        self.fps
    }

    /// Another rate for what comes next.
    ///
    /// # Errors
    /// [`Error::Value`] for a rate that is not positive.
    pub fn set_fps(&mut self, fps: f64) -> Result<()> {
        motion::check_fps(fps)?;
        self.fps = fps;
        Ok(())
    }

    /// What was left out, one sentence each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Adds a character below a node of its own, which stands at `position_offset` (in the character's unit)
    /// turned by `rotation_offset` (`x y z w`). Readers of characters, ours and Momentum's, do not look at
    /// that node's transform.
    ///
    /// # Errors
    /// [`Error::Character`] or [`Error::Value`] for what glTF cannot hold, such as infinite positions.
    pub fn add_character(
        &mut self,
        character: &Character,
        position_offset: [f64; 3],
        rotation_offset: [f64; 4],
        options: &SaveOptions,
    ) -> Result<()> {
        let norm = rotation_offset.iter().map(|x| x * x).sum::<f64>().sqrt();
        if (norm - 1.0).abs() > 1e-3 || norm.is_nan() {
            return Err(Error::value(
                "rotation_offset",
                format!("expected a unit quaternion (x, y, z, w), got length {norm}"),
            ));
        }
        if position_offset.iter().any(|x| !x.is_finite()) {
            return Err(Error::value("position_offset", "not finite"));
        }
        let kept = chosen(character, options)?;
        let per_meter = kept.unit.per_meter();
        // Only small parts are converted as a whole; what is as long as the mesh is converted on its way.
        let mut small = kept.parts();
        (small.mesh, small.skin_weights) = (None, None);
        (small.blend_shape, small.face_expression, small.pose_shape) = (None, None, None);
        small.sdf_colliders = Arc::default();
        let small = Character::new(small)?;
        let (metric, centimetric) = (small.in_unit(Unit::Meter), small.in_unit(Unit::Centimeter));
        let document = &mut self.document;
        let mut nodes = skeleton::add(document, &metric, &centimetric, options.extensions)?;
        let root = &mut document.nodes[nodes.root];
        let place = position_offset.map(|x| x / per_meter);
        skeleton::place(root, place, rotation_offset.map(|x| x / norm));
        if let Some(noun) = &kept.mesh {
            let weights = kept.skin_weights.as_deref();
            let shapes = kept.blend_shape.as_deref();
            let added = mesh::add(
                document,
                noun,
                per_meter,
                true,
                weights,
                shapes,
                options.extensions,
            )?;
            if let Some(index) = added {
                let node = document.node("mesh");
                document.hang(node, nodes.root);
                document.nodes[node].insert("mesh".into(), index.into());
                if let (Some(skin), Some(_)) = (nodes.skin, weights) {
                    document.nodes[node].insert("skin".into(), skin.into());
                }
                nodes.mesh = Some(node);
            }
        }
        if options.extensions {
            self.extend(&kept, &centimetric, &nodes);
        }
        self.characters.push(Added {
            given: character.clone(),
            nodes,
            extensions: options.extensions,
        });
        Ok(())
    }

    fn extend(&mut self, kept: &Character, centimetric: &Character, nodes: &Nodes) {
        let document = &mut self.document;
        let block = own::block(document, kept, nodes);
        document.extend_node(nodes.root, OWN, block);
        document.extensions_used.insert(MOMENTUM);
        let value = document.extensions.entry(MOMENTUM);
        if let Some(fields) = value.or_insert_with(|| json!({})).as_object_mut() {
            if fields.contains_key("transform") {
                self.warnings.push(format!(
                    "FB_momentum holds one character; what it would hold of '{}' is left out",
                    kept.name
                ));
            } else {
                momentum::document(centimetric, fields);
                fields.insert("fps".into(), json!(self.fps));
            }
        }
    }

    /// Where a character is; it is added with everything that it has where it is not there yet.
    fn place_of(&mut self, character: &Character) -> Result<usize> {
        let known = self
            .characters
            .iter()
            .position(|added| &added.given == character);
        match known {
            Some(at) => Ok(at),
            None => {
                let turn = [0.0, 0.0, 0.0, 1.0];
                self.add_character(character, [0.0; 3], turn, &SaveOptions::default())?;
                Ok(self.characters.len() - 1)
            }
        }
    }

    /// Adds a mesh that nothing moves, in `unit`.
    ///
    /// # Errors
    /// [`Error::Character`] where a position is not finite.
    pub fn add_mesh(&mut self, mesh: &Mesh, name: &str, add_color: bool, unit: Unit) -> Result<()> {
        let document = &mut self.document;
        let added = mesh::add(
            document,
            mesh,
            unit.per_meter(),
            add_color,
            None,
            None,
            true,
        )?;
        let node = document.node(name);
        document.roots.push(node);
        if let Some(index) = added {
            document.nodes[node].insert("mesh".into(), index.into());
        }
        Ok(())
    }

    /// Adds motion of a character, which is added itself where it is not there yet: the parameters, where
    /// `add_extensions`, and an animation that shows the same.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Value`] for numbers that do not fit or that glTF cannot hold.
    pub fn add_motion(
        &mut self,
        character: &Character,
        fps: f64,
        motion: &MotionToWrite<'_>,
        add_extensions: bool,
        custom_name: &str,
    ) -> Result<()> {
        motion.check(fps)?;
        let at = self.place_of(character)?;
        let Added {
            nodes, extensions, ..
        } = self.characters[at].clone();
        let document = &mut self.document;
        if add_extensions && extensions {
            let value = document
                .extensions
                .entry(MOMENTUM)
                .or_insert_with(|| json!({}));
            if at > 0 || value.get("motion").is_some() {
                self.warnings.push(format!(
                    "FB_momentum holds one motion; '{custom_name}' is written as animation only"
                ));
            } else {
                value["fps"] = json!(fps);
                motion::store(document, character, &nodes, fps, motion);
            }
        }
        let n_frames = motion.n_frames();
        if n_frames == 0 {
            return Ok(());
        }
        let curves = curves::bake(character, motion);
        let input = motion::times(document, fps, motion.times, n_frames)?;
        let mut animation = Animation::new(custom_name, input);
        if let (Some(mesh), Some(shapes)) = (nodes.mesh, &character.blend_shape) {
            let has_shapes = document.nodes[mesh]
                .get("mesh")
                .and_then(serde_json::Value::as_u64)
                .is_some_and(|at| !document.meshes[at as usize]["extras"].is_null());
            if has_shapes {
                let weights = motion::morph_weights(character, motion, shapes.names().len());
                animation.channel(document, mesh, "weights", &[weights], None);
            }
        }
        animation.joints(document, &nodes.joints, &curves);
        animation.finish(document, false, None);
        Ok(())
    }

    /// Adds an animation of a character, which is added itself where it is not there yet, from the states of
    /// its joints: `(n_frames, n_joints, 8)`, world from joint, rows `tx ty tz qx qy qz qw s`.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Value`] for numbers that do not fit or that glTF cannot hold.
    pub fn add_skeleton_states(
        &mut self,
        character: &Character,
        fps: f64,
        states: Values<'_>,
        custom_name: &str,
    ) -> Result<()> {
        motion::check_fps(fps)?;
        let row = 8 * character.skeleton.len();
        if row == 0 || !states.len().is_multiple_of(row) {
            return Err(Error::shape(
                "skeleton_states",
                format!("(n_frames, {}, 8)", character.skeleton.len()),
                format!("{} numbers", states.len()),
            ));
        }
        let n_frames = states.len() / row;
        let curves = curves::bake_states(character, states, n_frames);
        let all = |curves: &Curves| {
            let pieces = curves.translation.iter().chain(&curves.rotation);
            // Without a branch for each number.
            let fine = |piece: &Vec<f32>| piece.iter().fold(true, |fine, x| fine & x.is_finite());
            pieces.chain(&curves.scale).all(fine)
        };
        if !curves.iter().all(all) {
            return Err(Error::value(
                "skeleton_states",
                "a number that is not finite, a rotation of length 0, or a scale of 0 above other joints",
            ));
        }
        let at = self.place_of(character)?;
        if n_frames == 0 {
            return Ok(());
        }
        let nodes = self.characters[at].nodes.clone();
        let input = motion::times(&mut self.document, fps, &[], n_frames)?;
        let mut animation = Animation::new(custom_name, input);
        animation.joints(&mut self.document, &nodes.joints, &curves);
        animation.finish(&mut self.document, false, None);
        Ok(())
    }

    /// Adds recorded markers, whose positions are in `unit`, to the animation of that name; Momentum looks for
    /// markers in the first animation only.
    ///
    /// # Errors
    /// [`Error::Value`] for a marker that is seen where no point is.
    pub fn add_marker_sequence(
        &mut self,
        sequence: &MarkerSequence,
        unit: Unit,
        marker_mesh: MarkerMesh,
        animation: &str,
    ) -> Result<()> {
        let fps = sequence.fps();
        motion::check_fps(fps)?;
        let document = &mut self.document;
        document.extensions_used.insert(MOMENTUM);
        let value = document
            .extensions
            .entry(MOMENTUM)
            .or_insert_with(|| json!({}));
        if value.get("motion").is_none() {
            value["fps"] = json!(fps);
        }
        markers::add(document, animation, sequence, unit, marker_mesh)
    }

    /// The file, whole. Tells nobody how far it is: by now only bytes are put behind each other.
    ///
    /// # Errors
    /// [`Error::Value`] where it would be larger than what a GLB can hold.
    pub fn to_bytes(&self, container: Container) -> Result<Vec<u8>> {
        self.document.to_bytes(container)
    }

    /// The same as [`Self::to_bytes`], in pieces.
    ///
    /// # Errors
    /// As [`Self::to_bytes`].
    pub fn into_saved(self, container: Container) -> Result<crate::io::Saved> {
        Ok(crate::io::Saved {
            parts: self.document.into_parts(container)?,
            warnings: self.warnings,
        })
    }

    /// The same as [`Self::into_saved`]; stops before where the caller wants so.
    pub(super) fn finish(self, text: bool, progress: Progress<'_>) -> Result<crate::io::Saved> {
        progress.at(1, 2)?;
        let container = if text {
            Container::Text
        } else {
            Container::Binary
        };
        self.into_saved(container)
    }
}
