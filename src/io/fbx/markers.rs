//! Optical markers: nodes that MotionBuilder calls markers, without being effectors of a rig.

use nalgebra::Matrix4;

use super::joints::{self, index};
use super::motion::{at_time, frame_times, moved};
use super::scene::Stored;
use crate::character::{MarkerSequence, MarkerSequenceParts};
use crate::error::{Error, Result};
use crate::io::{LoadOptions, Markers, Source};

/// Whether a node is a marker: the last value of its record says.
fn is_marker(node: &ufbx::Node) -> bool {
    let record = node.element.dom_node.as_ref();
    let kind = record.and_then(|record| record.values.last());
    kind.is_some_and(|kind| &*kind.value_blob == b"Marker")
}

/// Reads the places of all markers in the first animation; in one frame where there is none.
pub(super) fn read(
    stored: &mut Stored,
    options: &LoadOptions,
    source: &Source<'_>,
) -> Result<Markers> {
    let nodes = stored.scene.nodes.into_iter();
    let markers: Vec<usize> = nodes.filter(|node| is_marker(node)).map(index).collect();
    if markers.is_empty() {
        return Err(Error::format(
            "Objects",
            "nodes that are optical markers",
            "none",
        ));
    }
    let n_stacks = stored.scene.anim_stacks.len();
    if n_stacks > 1 {
        let others = n_stacks - 1;
        stored
            .warnings
            .push(format!("{others} further animations are left out"));
    }
    let moves = if n_stacks > 0 {
        moved(stored, 0)
    } else {
        Vec::new()
    };
    let times = match n_stacks {
        0 => vec![0.0],
        _ => frame_times(stored, 0, stored.fps, 16 * markers.len())?,
    };
    let nodes = stored.scene.nodes.as_ref();
    let name = |&node: &usize| joints::name(&nodes[node], options).to_owned();
    let mut parts = MarkerSequenceParts {
        name: stored.name.clone(),
        marker_names: markers.iter().map(name).collect(),
        fps: stored.fps,
        n_frames: times.len(),
        ..MarkerSequenceParts::default()
    };
    for (frame, &time) in times.iter().enumerate() {
        source.progress.at(times.len() + frame, 2 * times.len())?;
        let placed = match n_stacks {
            0 => joints::placed(stored, |node| node.local_transform),
            _ => at_time(stored, 0, &moves, time),
        };
        let worlds = worlds(stored, &placed);
        for &node in &markers {
            let place = worlds[node].transform_point(&nalgebra::Point3::origin());
            parts.positions.push(place.coords.into());
            parts.occluded.push(!place.iter().all(|x| x.is_finite()));
            parts.confidence.push(1.0);
        }
    }
    Ok(Markers {
        sequences: vec![MarkerSequence::new(parts)?],
        unit: stored.unit,
    })
}

/// The transforms of all nodes to the world; parents come before their children.
fn worlds(stored: &Stored, placed: &[joints::Placed]) -> Vec<Matrix4<f64>> {
    let mut worlds: Vec<Matrix4<f64>> = Vec::with_capacity(placed.len());
    for (node, placed) in stored.scene.nodes.into_iter().zip(placed) {
        let parent = node
            .parent
            .as_ref()
            .and_then(|parent| worlds.get(index(parent)));
        let local = placed.matrix();
        worlds.push(parent.map_or(local, |parent| parent * local));
    }
    worlds
}
