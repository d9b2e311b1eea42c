//! Recorded points as optical markers.

use std::collections::BTreeMap;

use super::motion;
use super::scene::{Id, ROOT, Scene};
use super::skeleton::{attribute, model, translation};
use crate::character::MarkerSequence;

/// The nodes of all markers and their motion. A marker keeps its last place while it is hidden.
pub(super) fn markers(scene: &mut Scene, layer: Id, sequence: &MarkerSequence, factor: f64) {
    let mut places: BTreeMap<&str, Vec<Option<[f64; 3]>>> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    let n_frames = sequence.frames.len();
    let mut hidden = false;
    for (frame, markers) in sequence.frames.iter().enumerate() {
        for marker in markers {
            let own = places.entry(&marker.name).or_insert_with(|| {
                order.push(&marker.name);
                vec![None; n_frames]
            });
            let seen = !marker.occluded && marker.pos.iter().all(|x| x.is_finite());
            own[frame] = seen.then_some(marker.pos.map(|x| x * factor));
        }
    }
    let group = model(scene, "Markers", "Null", ROOT, []);
    attribute(scene, group, "Markers", "Null", "Null");
    for name in order {
        let own = &places[name];
        let first = own.iter().flatten().next().copied();
        hidden |= own.iter().any(Option::is_none);
        let Some(mut last) = first else { continue };
        let node = model(scene, name, "Marker", group, [translation(last)]);
        attribute(scene, node, name, "Marker", "Marker");
        let frames: Vec<[f64; 7]> = own
            .iter()
            .map(|place| {
                last = place.unwrap_or(last);
                [last[0], last[1], last[2], 0.0, 0.0, 0.0, 0.0]
            })
            .collect();
        motion::transform(scene, layer, node, sequence.fps, [0.0; 3], || {
            frames.iter().map(|own| &own[..])
        });
    }
    if hidden {
        scene.warn(
            "markers keep their last place while they are hidden: FBX does not say when that is",
        );
    }
}
