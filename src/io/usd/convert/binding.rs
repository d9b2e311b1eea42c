//! What skins a prim: its own properties, or those of the nearest prim above that has them.

use super::super::layer::Layer;
use super::attribute::target;

/// For each property the prim that has it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Binding {
    /// The Skeleton prim.
    pub skeleton: Option<usize>,
    /// The SkelAnimation prim.
    pub animation: Option<usize>,
    /// Which has `skel:joints`.
    pub joints: Option<usize>,
    /// Which has the joints and weights of vertices.
    pub indices: Option<usize>,
    pub weights: Option<usize>,
    /// Which has the transform of the mesh in the bind pose.
    pub geometry: Option<usize>,
    /// Which says how skinning is done.
    pub method: Option<usize>,
}

/// The bindings of all prims of the scene, by their places in the layer.
pub(super) fn bindings(layer: &Layer, scene: &[usize]) -> Vec<Binding> {
    let mut all = vec![Binding::default(); layer.prims.len()];
    for &prim in scene {
        let mut own = layer.prims[prim]
            .parent
            .map_or_else(Binding::default, |at| all[at]);
        let has = |name: &str| {
            layer.prims[prim]
                .properties
                .contains_key(name)
                .then_some(prim)
        };
        own.skeleton = target(layer, prim, "skel:skeleton").or(own.skeleton);
        own.animation = target(layer, prim, "skel:animationSource").or(own.animation);
        own.joints = has("skel:joints").or(own.joints);
        own.indices = has("primvars:skel:jointIndices").or(own.indices);
        own.weights = has("primvars:skel:jointWeights").or(own.weights);
        own.geometry = has("primvars:skel:geomBindTransform").or(own.geometry);
        own.method = has("primvars:skel:skinningMethod")
            .or(has("skel:skinningMethod"))
            .or(own.method);
        all[prim] = own;
    }
    all
}
