//! Motion to a file.
//!
//! Each joint gets `Zrotation Yrotation Xrotation`, which are our joint parameters; roots, and joints that
//! move along, get positions before them. Pre-rotations are folded into the rotations, scales into the
//! lengths of bones, constant parts of translations into `OFFSET`. Numbers are the shortest that read back
//! as the same.

use nalgebra::{Quaternion, UnitQuaternion, Vector3};
use rayon::prelude::*;
use std::io::Write;

use super::convert::DEGREE;
use super::scaled::unscaled;
use crate::character::{Character, PARAMETERS_PER_JOINT, Unit};
use crate::error::{Error, Result};
use crate::io::angles::{euler_near, matrix};
use crate::io::{Motion, PositionChannels, Progress, Saved};

/// Tabs before a line are at most so many, so that a chain of joints stays as long as it is.
const DEEPEST: usize = 64;

/// Frames that one task writes.
const BLOCK: usize = 64;

/// What a file does not say about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// The unit of its file.
    pub unit: Unit,
    /// What position channels mean beside an `OFFSET`; [`PositionChannels::ReplaceOffset`] for Blender.
    pub position_channels: PositionChannels,
}

impl Default for WriteOptions {
    /// What reading takes for granted.
    fn default() -> Self {
        Self {
            unit: Unit::Centimeter,
            position_channels: PositionChannels::default(),
        }
    }
}

/// What is written for one joint.
struct Column {
    offset: Vector3<f64>,
    /// Added to `offset`, one a frame; `None` where the joint stays in its place.
    moved: Option<Vec<Vector3<f64>>>,
    /// `rx ry rz`, one a frame.
    turned: Vec<[f64; 3]>,
    /// The scale that its bones have, in the first frame.
    scale: f64,
}

/// Writes the skeleton and all frames.
///
/// # Errors
/// [`Error::Value`] for a character without joints, numbers that are not finite, or a frame rate that is
/// not positive; [`Error::Interrupted`].
pub fn save_motion(
    motion: &Motion,
    options: &WriteOptions,
    progress: Progress<'_>,
) -> Result<Saved> {
    let character = &motion.character;
    if character.skeleton.is_empty() {
        return Err(Error::value(
            "motion",
            "a BVH file needs at least one joint",
        ));
    }
    if !(motion.fps > 0.0 && motion.fps.is_finite()) {
        let got = motion.fps;
        return Err(Error::value(
            "fps",
            format!("expected more than 0, got {got}"),
        ));
    }
    let parameters = motion.joint_parameters();
    if let Some(at) = parameters.iter().position(|x| !x.is_finite()) {
        let n_rows = character.skeleton.len() * PARAMETERS_PER_JOINT;
        let joint = &character.skeleton.joints()[at % n_rows / PARAMETERS_PER_JOINT].name;
        let problem = format!("frame {}, joint '{joint}': not finite", at / n_rows);
        return Err(Error::value("motion", problem));
    }
    let mut warnings = left_out(character);
    if parameters
        .chunks_exact(PARAMETERS_PER_JOINT)
        .any(|joint| joint[6] != 0.0)
    {
        warnings.push(
            "scales are left out, as BVH has none; the lengths of bones that they make are kept"
                .into(),
        );
    }
    let columns = columns(motion, &parameters);
    let ambiguous = columns
        .iter()
        .any(|column| column.moved.is_some() && column.offset != Vector3::zeros());
    if ambiguous {
        warnings.push(match options.position_channels {
            PositionChannels::AddToOffset => {
                "position channels are written to be added to OFFSET; a program that lets them replace \
                 it, as Blender does, reads other positions"
                    .into()
            }
            PositionChannels::ReplaceOffset => {
                "position channels are written to replace OFFSET; a program that adds them, as three.js \
                 does, reads other positions"
                    .into()
            }
        });
    }
    let order = depth_first(character);
    let mut file = File {
        to_character: character.unit.per_meter() / options.unit.per_meter(),
        replaces: options.position_channels == PositionChannels::ReplaceOffset,
        bytes: Vec::new(),
    };
    file.hierarchy(character, &columns, &order, &mut warnings);
    let n_frames = motion.n_frames();
    file.line(format_args!(
        "MOTION\nFrames: {n_frames}\nFrame Time: {}",
        1.0 / motion.fps
    ));
    let mut parts = vec![std::mem::take(&mut file.bytes)];
    let frames: Vec<usize> = (0..n_frames).collect();
    for part in frames.chunks(BLOCK * 64) {
        progress.at(part[0], n_frames)?;
        let blocks = part.par_chunks(BLOCK).map(|frames| {
            let mut bytes = Vec::new();
            for &frame in frames {
                file.row(&columns, &order, frame, &mut bytes);
            }
            bytes
        });
        let blocks: Vec<Vec<u8>> = blocks.collect();
        parts.extend(blocks);
    }
    Ok(Saved { parts, warnings })
}

fn left_out(character: &Character) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut say = |is_there: bool, what: &str| {
        if is_there {
            warnings.push(format!("{what} left out, as BVH has none"));
        }
    };
    say(character.mesh.is_some(), "the mesh is");
    say(
        !character.collision_geometry.is_empty(),
        "collision shapes are",
    );
    say(!character.parameter_limits.is_empty(), "limits are");
    let names = character.skeleton.joints();
    let is_other = character
        .locators
        .iter()
        .any(|locator| !is_end(&locator.name, &names[locator.parent].name));
    say(is_other, "locators other than ends of bones are");
    warnings
}

/// Whether a locator is called as reading calls end sites.
fn is_end(locator: &str, joint: &str) -> bool {
    let rest = locator
        .strip_prefix(joint)
        .and_then(|rest| rest.strip_prefix("_end"));
    rest.is_some_and(|rest| {
        let number = rest
            .strip_prefix('_')
            .map(|number| number.parse::<u32>().is_ok());
        rest.is_empty() || number == Some(true)
    })
}

/// Offsets, translations and angles of each joint.
fn columns(motion: &Motion, parameters: &[f64]) -> Vec<Column> {
    let joints = motion.character.skeleton.joints();
    let (n_rows, n_frames) = (joints.len() * PARAMETERS_PER_JOINT, motion.n_frames());
    // World scale of each joint in each frame; empty where it is 1 throughout.
    let mut scales: Vec<Vec<f64>> = Vec::with_capacity(joints.len());
    let mut columns = Vec::with_capacity(joints.len());
    for (at, joint) in joints.iter().enumerate() {
        let own = |frame: usize| &parameters[frame * n_rows + at * PARAMETERS_PER_JOINT..][..7];
        let above: &[f64] = joint.parent.map_or(&[], |parent| &scales[parent]);
        let constant = motion
            .identity
            .get(at * PARAMETERS_PER_JOINT..)
            .unwrap_or_default();
        let constant = Vector3::from_fn(|axis, _| constant.get(axis).copied().unwrap_or(0.0));
        let rest = Vector3::from(joint.translation_offset) + constant;
        let offset = rest * above.first().copied().unwrap_or(1.0);
        let moved: Vec<Vector3<f64>> = (0..n_frames)
            .map(|frame| {
                let p = own(frame);
                let moved = Vector3::new(p[0], p[1], p[2]) - constant;
                match above.get(frame) {
                    Some(&scale) => (rest + moved) * scale - offset,
                    None => moved,
                }
            })
            .collect();
        let is_moved = joint.parent.is_none() || moved.iter().any(|x| *x != Vector3::zeros());
        let [x, y, z, w] = joint.pre_rotation;
        let pre = UnitQuaternion::new_unchecked(Quaternion::new(w, x, y, z));
        let mut previous = [0.0; 3];
        let turned = (0..n_frames).map(|frame| {
            let p = own(frame);
            previous = if pre == UnitQuaternion::identity() {
                [p[3], p[4], p[5]]
            } else {
                let turn = UnitQuaternion::from_euler_angles(p[3], p[4], p[5]);
                euler_near(&matrix(&(pre * turn)), previous)
            };
            previous
        });
        let turned = turned.collect();
        let is_scaled = !above.is_empty() || (0..n_frames).any(|frame| own(frame)[6] != 0.0);
        let scale = |frame| above.get(frame).copied().unwrap_or(1.0) * own(frame)[6].exp2();
        scales.push(if is_scaled {
            (0..n_frames).map(scale).collect()
        } else {
            Vec::new()
        });
        columns.push(Column {
            offset,
            moved: is_moved.then_some(moved),
            turned,
            scale: scales
                .last()
                .and_then(|scales| scales.first())
                .copied()
                .unwrap_or(1.0),
        });
    }
    columns
}

/// A step through the tree.
#[derive(Clone, Copy)]
enum Step {
    Enter(usize),
    Leave,
}

fn depth_first(character: &Character) -> Vec<Step> {
    let joints = character.skeleton.joints();
    let mut children = vec![Vec::new(); joints.len()];
    let mut open = Vec::new();
    for (at, joint) in joints.iter().enumerate().rev() {
        match joint.parent {
            Some(parent) => children[parent].push(Step::Enter(at)),
            None => open.push(Step::Enter(at)),
        }
    }
    let mut steps = Vec::with_capacity(2 * joints.len());
    while let Some(step) = open.pop() {
        steps.push(step);
        if let Step::Enter(at) = step {
            open.push(Step::Leave);
            open.append(&mut children[at]);
        }
    }
    steps
}

/// The file under construction.
struct File {
    /// The file's unit to the character's, as reading multiplies.
    to_character: f64,
    replaces: bool,
    bytes: Vec<u8>,
}

impl File {
    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to memory does not fail.
        let _ = writeln!(self.bytes, "{text}");
    }

    fn vector(&self, v: &Vector3<f64>) -> String {
        let [x, y, z] = [v.x, v.y, v.z].map(|x| unscaled(x, self.to_character));
        format!("{x} {y} {z}")
    }

    fn hierarchy(
        &mut self,
        character: &Character,
        columns: &[Column],
        order: &[Step],
        warnings: &mut Vec<String>,
    ) {
        let joints = character.skeleton.joints();
        let mut ends = vec![Vec::new(); joints.len()];
        let mut has_child = vec![false; joints.len()];
        for joint in joints {
            if let Some(parent) = joint.parent {
                has_child[parent] = true;
            }
        }
        for locator in character.locators.iter() {
            if is_end(&locator.name, &joints[locator.parent].name) {
                ends[locator.parent].push(Vector3::from(locator.offset));
            }
        }
        let mut renamed = false;
        let mut depth = 0_usize;
        self.line(format_args!("HIERARCHY"));
        for step in order {
            let Step::Enter(at) = *step else {
                depth -= 1;
                let tabs = "\t".repeat(depth.min(DEEPEST));
                self.line(format_args!("{tabs}}}"));
                continue;
            };
            let (joint, column) = (&joints[at], &columns[at]);
            let name = on_a_line(&joint.name);
            renamed |= name != joint.name;
            let keyword = if joint.parent.is_some() {
                "JOINT"
            } else {
                "ROOT"
            };
            let tabs = "\t".repeat(depth.min(DEEPEST));
            let channels = match column.moved {
                Some(_) => "6 Xposition Yposition Zposition",
                None => "3",
            };
            let offset = self.vector(&column.offset);
            self.line(format_args!(
                "{tabs}{keyword} {name}\n{tabs}{{\n{tabs}\tOFFSET {offset}\n\
                 {tabs}\tCHANNELS {channels} Zrotation Yrotation Xrotation"
            ));
            if ends[at].is_empty() && !has_child[at] {
                // Readers ask for one; of no length, since none is known.
                ends[at].push(Vector3::zeros());
            }
            for end in &ends[at] {
                let offset = self.vector(&(end * column.scale));
                self.line(format_args!(
                    "{tabs}\tEnd Site\n{tabs}\t{{\n{tabs}\t\tOFFSET {offset}\n{tabs}\t}}"
                ));
            }
            depth += 1;
        }
        if renamed {
            warnings.push(
                "names of joints lose braces, ends of lines and white space around them, which BVH \
                 cannot keep apart"
                    .into(),
            );
        }
    }

    fn row(&self, columns: &[Column], order: &[Step], frame: usize, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        for step in order {
            let Step::Enter(at) = *step else { continue };
            let column = &columns[at];
            if let Some(moved) = &column.moved {
                let base = if self.replaces {
                    column.offset
                } else {
                    Vector3::zeros()
                };
                for x in (moved[frame] + base).iter() {
                    let number = unscaled(*x, self.to_character);
                    let _ = write!(bytes, "{number} ");
                }
            }
            let [x, y, z] = column.turned[frame];
            for angle in [z, y, x] {
                let number = unscaled(angle, DEGREE);
                let _ = write!(bytes, "{number} ");
            }
        }
        if bytes.len() > start {
            bytes.pop();
        }
        bytes.push(b'\n');
    }
}

/// A name that ends with its line.
fn on_a_line(name: &str) -> String {
    let kept = |c: char| {
        if c.is_control() || "{}".contains(c) {
            '_'
        } else {
            c
        }
    };
    let name: String = name.trim().chars().map(kept).collect();
    if name.is_empty() { "_".into() } else { name }
}
