//! Motion as curves with a key in every frame.

use super::record::Record;
use super::scene::{Id, Property, Scene, properties, ticks};
use crate::character::{PARAMETERS_PER_JOINT, Skeleton};

/// Linear between keys.
const LINEAR: i32 = 4;

/// The layer of the scene's one animation, to be added with [`stack`].
pub(super) fn layer(scene: &mut Scene) -> (Id, Record) {
    scene.object("AnimationLayer", "BaseLayer", "AnimLayer", "")
}

/// Adds the animation that has this layer; how long it lasts is known when all is in it.
pub(super) fn stack(
    scene: &mut Scene,
    name: &str,
    layer: Id,
    record: Record,
    (n_frames, fps): (usize, f64),
) {
    let end = ticks(n_frames.saturating_sub(1), fps);
    scene.add(record);
    let (stack, record) = scene.object("AnimationStack", name, "AnimStack", "");
    scene.add(record.inside(properties([
        Property::time("LocalStart", 0),
        Property::time("LocalStop", end),
        Property::time("ReferenceStart", 0),
        Property::time("ReferenceStop", end),
    ])));
    scene.connect(layer, stack);
}

/// One curve of a property: the name of its part, and its values in all frames.
type Curve = (&'static str, Vec<f32>);

/// The curves of a property; none where they stay at `rest`.
pub(super) fn curves(
    scene: &mut Scene,
    layer: Id,
    owner: Id,
    property: &str,
    fps: f64,
    rest: f64,
    curves: Vec<Curve>,
) {
    let moves = |curve: &Curve| curve.1.iter().any(|&value| value != rest as f32);
    if !curves.iter().any(moves) {
        return;
    }
    write(scene, layer, owner, property, fps, curves);
}

fn write(scene: &mut Scene, layer: Id, owner: Id, property: &str, fps: f64, curves: Vec<Curve>) {
    let short = match property {
        "Lcl Translation" => "T",
        "Lcl Rotation" => "R",
        "Lcl Scaling" => "S",
        other => other,
    };
    let (node, record) = scene.object("AnimationCurveNode", short, "AnimCurveNode", "");
    let first = |curve: &Curve| curve.1.first().copied().map_or(0.0, f64::from);
    let defaults = curves
        .iter()
        .map(|curve| Property::new(curve.0, ["Number", ""], "A").value(first(curve)));
    scene.add(record.inside(properties(defaults)));
    scene.connect(node, layer);
    scene.connect_property(node, owner, property);
    for curve in curves {
        let default = first(&curve);
        let (part, values) = curve;
        let count = values.len();
        let (id, record) = scene.object("AnimationCurve", "", "AnimCurve", "");
        let times: Vec<i64> = (0..count).map(|frame| ticks(frame, fps)).collect();
        let record = record
            .field("Default", default)
            .field("KeyVer", 4008)
            .field("KeyTime", times)
            .field("KeyValueFloat", values)
            .field("KeyAttrFlags", vec![LINEAR])
            .field("KeyAttrDataFloat", vec![0.0_f32; 4])
            .field("KeyAttrRefCount", vec![count as i32]);
        scene.add(record);
        scene.connect_property(id, node, part);
    }
}

/// The motion of joints: `(n_frames, 7 · n_joints)` joint parameters.
pub(super) fn joints(
    scene: &mut Scene,
    layer: Id,
    skeleton: &Skeleton,
    nodes: &[Id],
    fps: f64,
    parameters: &[f64],
) {
    let width = PARAMETERS_PER_JOINT * skeleton.len();
    for (index, (joint, &node)) in skeleton.joints().iter().zip(nodes).enumerate() {
        transform(scene, layer, node, fps, joint.translation_offset, || {
            let frames = parameters.chunks_exact(width.max(1));
            frames.map(move |pose| &pose[index * PARAMETERS_PER_JOINT..])
        });
    }
}

/// The motion of one node whose seven parameters come first in each of `frames`.
pub(super) fn transform<'p, I: Iterator<Item = &'p [f64]>>(
    scene: &mut Scene,
    layer: Id,
    node: Id,
    fps: f64,
    offset: [f64; 3],
    frames: impl Fn() -> I,
) {
    const PARTS: [&str; 3] = ["d|X", "d|Y", "d|Z"];
    let of = |value: &dyn Fn(&[f64]) -> f64| -> Vec<f32> {
        frames().map(|own| value(own) as f32).collect()
    };
    let shifts: Vec<Curve> = (0..3)
        .map(|axis| (PARTS[axis], of(&|own| own[axis] + offset[axis])))
        .collect();
    let stays =
        |(axis, curve): (usize, &Curve)| curve.1.iter().all(|&value| value == offset[axis] as f32);
    if !shifts.iter().enumerate().all(stays) {
        write(scene, layer, node, "Lcl Translation", fps, shifts);
    }
    let turns = (0..3).map(|axis| (PARTS[axis], of(&|own| own[3 + axis].to_degrees())));
    curves(
        scene,
        layer,
        node,
        "Lcl Rotation",
        fps,
        0.0,
        turns.collect(),
    );
    let scales = PARTS.map(|part| (part, of(&|own| own[6].exp2())));
    curves(scene, layer, node, "Lcl Scaling", fps, 1.0, scales.into());
}

/// The motion of blend shapes: `(n_frames, n_shapes)` coefficients.
pub(super) fn shapes(
    scene: &mut Scene,
    layer: Id,
    channels: &[Id],
    fps: f64,
    coefficients: &[f64],
) {
    for (at, &channel) in channels.iter().enumerate() {
        let frames = coefficients.chunks_exact(channels.len());
        let values = frames.map(|pose| (100.0 * pose[at]) as f32).collect();
        let curve = ("d|DeformPercent", values);
        curves(
            scene,
            layer,
            channel,
            "DeformPercent",
            fps,
            0.0,
            vec![curve],
        );
    }
}
