//! Recorded markers: a node each, which moves where the marker was seen. Momentum's own reader takes the rate
//! and the confidences from the extension; frames in which a marker is hidden have no key. Beside that stands
//! what the keys round, and where hidden markers were said to be.

use serde_json::json;

use super::super::momentum::NAME as MOMENTUM;
use super::super::own::NAME as OWN;
use super::document::{Document, INDICES, VERTICES};
use super::motion::Animation;
use crate::character::{MarkerSequence, Unit};
use crate::error::{Error, Result};

/// How markers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MarkerMesh {
    /// Not at all.
    #[default]
    NoMesh,
    /// As cubes with edges of two centimetres.
    UnitCube,
}

/// A marker in one frame: where, whether it was hidden, and its confidence.
type Seen = (usize, [f64; 3], bool, f64);

/// What a reader takes for granted in frames that are not listed.
const HIDDEN: ([f64; 3], bool, f64) = ([0.0; 3], true, 1.0);

/// Adds the markers of all frames.
pub(super) fn add(
    document: &mut Document,
    animation: &str,
    sequence: &MarkerSequence,
    unit: Unit,
    mesh: MarkerMesh,
) -> Result<()> {
    let (name, fps) = (sequence.name(), sequence.fps());
    let cube = match mesh {
        MarkerMesh::UnitCube if sequence.n_markers() > 0 => Some(cube(document)),
        _ => None,
    };
    let mut animation = Animation::new(animation, 0);
    let mut nodes = Vec::new();
    for (at, name) in sequence.marker_names().iter().enumerate() {
        nodes.push(document.nodes.len());
        let seen: Vec<Seen> = sequence
            .column(at)
            .enumerate()
            .filter(|(_, cell)| *cell != HIDDEN)
            .map(|(frame, (pos, occluded, confidence))| (frame, pos, occluded, confidence))
            .collect();
        add_marker(document, &mut animation, name, &seen, (fps, unit), cube)?;
    }
    let own = json!({"name": name, "fps": fps, "frames": sequence.n_frames(), "unit": unit.symbol(),
                    "nodes": nodes});
    animation.finish(document, true, Some(own));
    Ok(())
}

fn add_marker(
    document: &mut Document,
    animation: &mut Animation,
    name: &str,
    seen: &[Seen],
    (fps, unit): (f64, Unit),
    cube: Option<usize>,
) -> Result<()> {
    let node = document.node(name);
    document.roots.push(node);
    if let Some(cube) = cube {
        document.nodes[node].insert("mesh".into(), cube.into());
    }
    let metres = 1.0 / unit.per_meter();
    let (mut times, mut places, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    let mut confidence = Vec::new();
    for (frame, pos, _, trust) in seen.iter().filter(|(_, _, occluded, _)| !occluded) {
        let place = pos.map(|x| (x * metres) as f32);
        if place.iter().any(|x| !x.is_finite()) {
            return Err(Error::value(
                format!("marker '{name}'"),
                format!("its position in frame {frame} is not finite, but it is not occluded"),
            ));
        }
        times.push((*frame as f64 / fps) as f32);
        places.extend(place);
        confidence.push(*trust as f32);
        sizes.extend([*trust as f32; 3]);
    }
    if times.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(Error::value(
            format!("marker '{name}'"),
            "frames too close for single precision",
        ));
    }
    if !times.is_empty() {
        let input = document.bounded(&times, "SCALAR", None);
        animation.channel(document, node, "translation", &[places], Some(input));
        animation.channel(document, node, "scale", &[sizes], Some(input));
    }
    let value = json!({"type": "marker", "confidence": confidence});
    document.extend_node(node, MOMENTUM, value);
    let frames: Vec<u32> = seen.iter().map(|(frame, ..)| *frame as u32).collect();
    let numbers: Vec<f64> = seen
        .iter()
        .flat_map(|&(_, [x, y, z], occluded, trust)| {
            [x, y, z, trust, f64::from(u8::from(occluded))]
        })
        .collect();
    let value = json!({
        "frames": {"view": document.view(&frames, None), "type": "u32"},
        "samples": {"view": document.view(&numbers, None), "type": "f64"},
    });
    document.extend_node(node, OWN, value);
    Ok(())
}

/// A cube of two centimetres around the origin; its index.
fn cube(document: &mut Document) -> usize {
    let corner = |at: usize| {
        let side = |axis: usize| if at >> axis & 1 == 0 { -0.01 } else { 0.01 };
        [side(0), side(1), side(2)]
    };
    let corners: Vec<f32> = (0..8).flat_map(corner).collect();
    // Counter-clockwise seen from outside.
    let squares = [
        [0, 2, 3, 1],
        [4, 5, 7, 6],
        [0, 1, 5, 4],
        [2, 6, 7, 3],
        [0, 4, 6, 2],
        [1, 3, 7, 5],
    ];
    let corners_of = squares.iter().flat_map(|&[a, b, c, d]| [a, b, c, a, c, d]);
    let indices = document.indices(&corners_of.collect::<Vec<u32>>(), INDICES);
    let positions = document.bounded(&corners, "VEC3", Some(VERTICES));
    document.meshes.push(json!({
        "primitives": [{"attributes": {"POSITION": positions}, "indices": indices}],
    }));
    document.meshes.len() - 1
}
