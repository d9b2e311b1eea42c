//! Blend shapes of a mesh.

use super::scene::{Id, Property, Scene, properties};
use crate::character::BlendShapeBase;

/// The channels of all shapes, one of each.
pub(super) fn channels(scene: &mut Scene, shapes: &BlendShapeBase, geometry: Id) -> Vec<Id> {
    let (deformer, record) = scene.object("Deformer", "shapes", "Deformer", "BlendShape");
    scene.add(record.field("Version", 100));
    scene.connect(deformer, geometry);
    let mut numbers = shapes.displacements().iter();
    let mut channels = Vec::with_capacity(shapes.n_shapes());
    for name in shapes.names() {
        let (mut indices, mut offsets) = (Vec::new(), Vec::new());
        for vertex in 0..shapes.n_vertices() {
            let own: Vec<f64> = numbers.by_ref().take(3).collect();
            if own.iter().any(|&x| x != 0.0) {
                indices.push(vertex as i32);
                offsets.extend(own);
            }
        }
        let (shape, record) = scene.object("Geometry", name, "Geometry", "Shape");
        let normals = vec![0.0_f64; offsets.len()];
        let record = record
            .field("Version", 100)
            .field("Indexes", indices)
            .field("Vertices", offsets)
            .field("Normals", normals);
        scene.add(record);
        let (channel, record) = scene.object("Deformer", name, "SubDeformer", "BlendShapeChannel");
        let percent = Property::new("DeformPercent", ["Number", ""], "A").value(0.0);
        let record = record
            .field("Version", 100)
            .inside(properties([percent]))
            .field("DeformPercent", 0.0)
            .field("FullWeights", vec![100.0_f64]);
        scene.add(record);
        scene.connect(shape, channel);
        scene.connect(channel, deformer);
        channels.push(channel);
    }
    channels
}
