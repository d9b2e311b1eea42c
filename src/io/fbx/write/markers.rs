//! Recorded points as optical markers.

use super::motion;
use super::scene::{Id, ROOT, Scene};
use super::skeleton::{attribute, model, translation};
use crate::character::MarkerSequence;

/// The nodes of all markers and their motion. A marker keeps its last place while it is hidden.
pub(super) fn markers(scene: &mut Scene, layer: Id, sequence: &MarkerSequence, factor: f64) {
    let mut hidden = false;
    let group = model(scene, "Markers", "Null", ROOT, []);
    attribute(scene, group, "Markers", "Null", "Null");
    for (at, name) in sequence.marker_names().iter().enumerate() {
        let own: Vec<Option<[f64; 3]>> = sequence
            .column(at)
            .map(|(pos, occluded, _)| {
                let seen = !occluded && pos.iter().all(|x| x.is_finite());
                seen.then(|| pos.map(|x| x * factor))
            })
            .collect();
        hidden |= own.iter().any(Option::is_none);
        let Some(mut last) = own.iter().flatten().next().copied() else {
            continue;
        };
        let node = model(scene, name, "Marker", group, [translation(last)]);
        attribute(scene, node, name, "Marker", "Marker");
        let frames: Vec<[f64; 7]> = own
            .iter()
            .map(|place| {
                last = place.unwrap_or(last);
                [last[0], last[1], last[2], 0.0, 0.0, 0.0, 0.0]
            })
            .collect();
        motion::transform(scene, layer, node, sequence.fps(), [0.0; 3], || {
            frames.iter().map(|own| &own[..])
        });
    }
    if hidden {
        scene.warn(
            "markers keep their last place while they are hidden: FBX does not say when that is",
        );
    }
}
