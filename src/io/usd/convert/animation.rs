//! SkelAnimation prims: what they say about joints and blend shapes.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::layer::Layer;
use super::attribute::{Track, texts};
use crate::error::Result;

/// One SkelAnimation prim.
pub(super) struct Animation {
    pub name: Arc<str>,
    /// The place of each joint that it moves.
    pub joints: HashMap<Arc<str>, usize>,
    pub translations: Option<Track>,
    pub rotations: Option<Track>,
    pub scales: Option<Track>,
    /// The place of each blend shape that it moves.
    pub shapes: HashMap<Arc<str>, usize>,
    pub weights: Option<Track>,
}

impl Animation {
    /// Reads a prim.
    pub fn read(layer: &Layer, prim: usize) -> Result<Self> {
        let named = |name: &str| -> Result<HashMap<Arc<str>, usize>> {
            let list = texts(layer, prim, name)?.unwrap_or_default();
            Ok(list.iter().cloned().zip(0..).collect())
        };
        let (joints, shapes) = (named("joints")?, named("blendShapes")?);
        let track = |name: &str, width: usize, count: usize, is_quaternion: bool| {
            let Some(track) = Track::of(layer, prim, name, width, is_quaternion)? else {
                return Ok(None);
            };
            // Nothing for no joint is as good as no track.
            if track.size() == 0 {
                return Ok(None);
            }
            track.check(|| format!("{}.{name}", layer.path(prim)), width * count)?;
            Ok(Some(track))
        };
        Ok(Self {
            name: layer.prims[prim].name.clone(),
            translations: track("translations", 3, joints.len(), false)?,
            rotations: track("rotations", 4, joints.len(), true)?,
            scales: track("scales", 3, joints.len(), false)?,
            weights: track("blendShapeWeights", 1, shapes.len(), false)?,
            joints,
            shapes,
        })
    }

    pub fn tracks(&self) -> impl Iterator<Item = &Track> {
        let all = [
            &self.translations,
            &self.rotations,
            &self.scales,
            &self.weights,
        ];
        all.into_iter().filter_map(Option::as_ref)
    }

    /// Whether it has a scale of its own for a joint.
    pub fn scales(&self, joint: &str) -> bool {
        self.scales.is_some() && self.joints.contains_key(joint)
    }
}
