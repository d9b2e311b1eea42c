//! Animations, sampled to frames.

use nalgebra::Vector3;

use super::character::Built;
use super::joints::{Placed, placed};
use super::scene::Stored;
use super::shapes;
use crate::character::{Character, PARAMETERS_PER_JOINT};
use crate::error::{Error, Result};
use crate::io::angles::{euler_near, matrix};
use crate::io::nodes::Names;
use crate::io::{Motion, MotionChoice, Source};

/// How far behind the end a frame may be and still count, in frames.
const SNAP: f64 = 1e-3;

/// Samples the chosen animation.
pub(super) fn sample(
    stored: &mut Stored,
    built: Built,
    choice: &MotionChoice,
    source: &Source<'_>,
) -> Result<Motion> {
    let mut names = Names::new([]);
    let stacks = stored.scene.anim_stacks.into_iter();
    let clips: Vec<String> = stacks
        .map(|stack| match &*stack.element.name {
            "" => String::new(),
            own => names.fresh(own),
        })
        .collect();
    let chosen = choice.find(&clips)?;
    let fps = choice.fps.unwrap_or(stored.fps);
    let character = match built.character.blend_shape.clone() {
        Some(shapes) => built.character.with_blend_shape(Some(shapes), None)?,
        None => built.character.clone(),
    };
    let times = frame_times(stored, chosen, fps, character.parameter_transform.len())?;
    let model_parameters = parameters(stored, &built, &character, chosen, &times, source)?;
    Ok(Motion {
        name: clips[chosen].clone(),
        character,
        fps,
        times,
        model_parameters,
        identity: Vec::new(),
        is_single: false,
        timestamps: Vec::new(),
        clips,
    })
}

/// The times of the frames of an animation.
pub(super) fn frame_times(
    stored: &Stored,
    at: usize,
    fps: f64,
    n_parameters: usize,
) -> Result<Vec<f64>> {
    if !(fps > 0.0 && fps.is_finite()) {
        return Err(Error::value(
            "fps",
            format!("expected more than 0, got {fps}"),
        ));
    }
    let stack = &stored.scene.anim_stacks.as_ref()[at];
    let (mut start, mut end) = (stack.time_begin, stack.time_end);
    if end.partial_cmp(&start) != Some(std::cmp::Ordering::Greater) {
        // A file that does not say; its keys do.
        let keys = stack
            .layers
            .into_iter()
            .flat_map(|layer| &layer.anim_values);
        let curves = keys.flat_map(|value| &value.curves).flatten();
        let spans = curves.filter(|curve| !curve.keyframes.is_empty());
        let spans = spans.map(|curve| (curve.min_time, curve.max_time));
        let whole = spans.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        (start, end) = whole.unwrap_or((start, start));
    }
    let count = ((end - start) * fps + SNAP).floor() + 1.0;
    let place = format!("AnimationStack '{}'", stack.element.name);
    let numbers = count * n_parameters.max(1) as f64;
    if !(start.is_finite() && numbers.is_finite() && numbers < 1e15) {
        let got = format!("{start} s to {end} s at {fps} frames a second");
        return Err(Error::format(place, "a span of time", got));
    }
    stored.charge(&place, numbers as usize)?;
    let frames = 0..count.max(1.0) as u64;
    Ok(frames.map(|frame| start + frame as f64 / fps).collect())
}

/// The transforms of all nodes at a time of an animation; nodes that it does not move are as without it.
pub(super) fn at_time(stored: &Stored, chosen: usize, moves: &[bool], time: f64) -> Vec<Placed> {
    let anim = &stored.scene.anim_stacks.as_ref()[chosen].anim;
    placed(stored, |node| {
        let at = node.element.element_id as usize;
        match moves.get(at) {
            Some(true) => node.evaluate_transform(anim, time),
            _ => node.local_transform,
        }
    })
}

/// The elements that an animation moves, by their places in the file.
pub(super) fn moved(stored: &Stored, chosen: usize) -> Vec<bool> {
    let mut moves = vec![false; stored.scene.elements.len()];
    for layer in &stored.scene.anim_stacks.as_ref()[chosen].layers {
        for prop in &layer.anim_props {
            if let Some(moves) = moves.get_mut(prop.element.element_id as usize) {
                *moves = true;
            }
        }
    }
    moves
}

fn parameters(
    stored: &mut Stored,
    built: &Built,
    character: &Character,
    chosen: usize,
    times: &[f64],
    source: &Source<'_>,
) -> Result<Vec<f64>> {
    let width = character.parameter_transform.len();
    let mut parameters = vec![0.0; times.len() * width];
    let moves = moved(stored, chosen);
    let mut previous = vec![[0.0; 3]; built.nodes.len()];
    let mut inexact = vec![false; built.nodes.len()];
    let first_shape = character.skeleton.len() * PARAMETERS_PER_JOINT;
    for (frame, (pose, &time)) in parameters.chunks_exact_mut(width).zip(times).enumerate() {
        source.progress.at(times.len() + frame, 2 * times.len())?;
        let nodes = at_time(stored, chosen, &moves, time);
        for (joint, &node) in built.nodes.iter().enumerate() {
            let rest = &built.frames[joint].rest;
            let (local, exact) = built.followers[joint].follow(&built.frames[joint], &nodes[node]);
            inexact[joint] |= !exact;
            let shift: Vector3<f64> = local.translation - rest.translation;
            let turn = rest.rotation.inverse() * local.rotation;
            previous[joint] = euler_near(&matrix(&turn), previous[joint]);
            let [rx, ry, rz] = previous[joint];
            // Zero, which has no logarithm, is given as the smallest positive number.
            let scale = local.scale.max(f64::from(f32::MIN_POSITIVE)).log2();
            let own = &mut pose[joint * PARAMETERS_PER_JOINT..][..PARAMETERS_PER_JOINT];
            own.copy_from_slice(&[shift.x, shift.y, shift.z, rx, ry, rz, scale]);
        }
        let anim = &stored.scene.anim_stacks.as_ref()[chosen].anim;
        for &(at, shape) in &built.channels {
            let channel = &stored.scene.blend_channels.as_ref()[at];
            let weight = match moves.get(channel.element.element_id as usize) {
                Some(true) => channel.evaluate_blend_weight(anim, time),
                _ => channel.weight,
            };
            let coefficients = shapes::coefficients(channel, weight);
            let own = &mut pose[first_shape + shape..][..coefficients.len()];
            own.copy_from_slice(&coefficients);
        }
        if let Some(at) = pose.iter().position(|x| !x.is_finite()) {
            return Err(Error::format(
                format!("AnimationStack at {time} s"),
                "finite values",
                format!(
                    "{} for '{}'",
                    pose[at],
                    character.parameter_transform.names()[at]
                ),
            ));
        }
    }
    let names: Vec<&str> = (0..inexact.len())
        .filter(|&joint| inexact[joint])
        .map(|joint| character.skeleton.joints()[joint].name.as_str())
        .collect();
    if let Some(first) = names.first() {
        stored.warnings.push(format!(
            "{} nodes are scaled differently along their axes or sheared, which joints cannot be; the \
             closest rotation and the mean factor are used, first for '{first}'",
            names.len()
        ));
    }
    Ok(parameters)
}
