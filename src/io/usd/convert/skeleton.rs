//! Skeleton prims: joints in the order of the file, whose rest pose is the zero pose.

use nalgebra::{Matrix3, Matrix4, Vector3};
use std::collections::HashMap;
use std::sync::Arc;

use super::attribute::{matrix, numbers, texts};
use super::stage::Stage;
use crate::error::{Error, Result};
use crate::io::nodes::polar::{cleaned, polar};
use crate::io::nodes::{Frame, Local, Similarity};

/// One Skeleton prim.
pub(super) struct Rig {
    pub prim: usize,
    /// The names of its joints with those above them, as other prims name them.
    pub joints: Arc<Vec<Arc<str>>>,
    pub by_name: HashMap<Arc<str>, usize>,
    pub parents: Vec<Option<usize>>,
    /// Where its joints begin among those of all skeletons.
    pub first: usize,
    /// The skeleton's own place in the world, as a joint that is not kept.
    pub base: Frame,
    pub frames: Vec<Frame>,
    /// World to joint, so that what is posed is in the world.
    pub inverse_bind: Vec<Matrix4<f64>>,
    /// The world transform of the skeleton's space at rest.
    pub world: Matrix4<f64>,
}

/// What a matrix does, as a translation, a rotation and a stretch.
pub(super) fn local(matrix: &Matrix4<f64>) -> Local {
    let (rotation, stretch) = polar(&matrix.fixed_view::<3, 3>(0, 0).into_owned());
    Local {
        translation: matrix.fixed_view::<3, 1>(0, 3).into_owned(),
        rotation,
        stretch: cleaned(stretch),
    }
}

/// The parent of each joint: the nearest one whose name is the beginning of its own.
fn parents(joints: &[Arc<str>], location: &dyn Fn() -> String) -> Result<Vec<Option<usize>>> {
    // A tree of the parts of names, so that long names take no longer than reading them.
    let mut steps: HashMap<(usize, &str), usize> = HashMap::new();
    let mut joint_at: Vec<Option<usize>> = vec![None];
    for (joint, name) in joints.iter().enumerate() {
        let mut at = 0;
        for part in name.split('/').filter(|part| !part.is_empty()) {
            let next = joint_at.len();
            at = *steps.entry((at, part)).or_insert(next);
            if at == next {
                joint_at.push(None);
            }
        }
        if at == 0 || joint_at[at].replace(joint).is_some() {
            return Err(Error::format(
                location(),
                "joints of different names",
                format!("'{}' for joint {joint}", crate::io::source::shortened(name)),
            ));
        }
    }
    let mut parents = Vec::with_capacity(joints.len());
    for (joint, name) in joints.iter().enumerate() {
        let mut at = 0;
        let mut above = None;
        for part in name.split('/').filter(|part| !part.is_empty()) {
            at = steps.get(&(at, part)).copied().unwrap_or(0);
            if let Some(found) = joint_at[at].filter(|&found| found != joint) {
                above = Some(found);
            }
        }
        if above.is_some_and(|above| above > joint) {
            return Err(Error::format(
                location(),
                "parents before their children",
                format!("'{}' before its parent", crate::io::source::shortened(name)),
            ));
        }
        parents.push(above);
    }
    Ok(parents)
}

impl Rig {
    /// Reads a Skeleton prim; `scales` says whether the scale of a joint is animated.
    pub fn read(
        stage: &mut Stage<'_>,
        prim: usize,
        first: usize,
        scales: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        let layer = stage.layer;
        let path = layer.path(prim);
        let joints = texts(layer, prim, "joints")?.unwrap_or_default();
        let count = joints.len();
        let parents = parents(&joints, &|| format!("{path}.joints"))?;
        let matrices = |name: &str| -> Result<Option<Vec<Matrix4<f64>>>> {
            let Some(found) = numbers(layer, prim, name, 16)?.filter(|x| !x.values.is_empty())
            else {
                return Ok(None);
            };
            let list: Vec<_> = found.values.chunks_exact(16).filter_map(matrix).collect();
            if list.len() == count {
                return Ok(Some(list));
            }
            Err(Error::format(
                format!("{path}.{name}"),
                format!("a matrix for each of {count} joints"),
                list.len(),
            ))
        };
        let (bind, rest) = (matrices("bindTransforms")?, matrices("restTransforms")?);
        let inverse = |matrix: &Matrix4<f64>, place: String| {
            matrix.try_inverse().ok_or_else(|| {
                Error::format(
                    place,
                    "a transform that can be inverted",
                    "one that flattens",
                )
            })
        };
        let world = stage.world(prim);
        let to_skeleton = inverse(&world, path.clone())?;
        let (bind, rest) = match (bind, rest) {
            (Some(bind), Some(rest)) => (bind, rest),
            (Some(bind), None) => {
                if count > 0 {
                    let text = "bindTransforms stand for the restTransforms that are not there";
                    stage.notes.add(text, &path);
                }
                let mut rest = Vec::new();
                for (joint, parent) in parents.iter().enumerate() {
                    let above = match parent {
                        Some(at) => inverse(&bind[*at], format!("{path}.bindTransforms[{at}]"))?,
                        None => Matrix4::identity(),
                    };
                    rest.push(above * bind[joint]);
                }
                (bind, rest)
            }
            (None, Some(rest)) => {
                let text = "restTransforms stand for the bindTransforms that are not there";
                stage.notes.add(text, &path);
                let mut bind: Vec<Matrix4<f64>> = Vec::new();
                for (joint, parent) in parents.iter().enumerate() {
                    let above = parent.map_or_else(Matrix4::identity, |at| bind[at]);
                    bind.push(above * rest[joint]);
                }
                (bind, rest)
            }
            (None, None) if count == 0 => (Vec::new(), Vec::new()),
            (None, None) => {
                return Err(Error::format(
                    path,
                    "bindTransforms or restTransforms of its joints",
                    "neither",
                ));
            }
        };
        let base = Frame::new(local(&world), Matrix3::identity(), true);
        let mut frames: Vec<Frame> = Vec::new();
        let mut inverse_bind = Vec::new();
        for (joint, parent) in parents.iter().enumerate() {
            let residual = parent.map_or(base.residual, |parent| frames[parent].residual);
            let frame = Frame::new(local(&rest[joint]), residual, scales(&joints[joint]));
            let bound = inverse(&bind[joint], format!("{path}.bindTransforms[{joint}]"))?;
            let bound = frame.residual.to_homogeneous() * bound * to_skeleton;
            let numbers = bound.iter().chain(frame.rest.translation.iter());
            if !numbers.copied().all(f64::is_finite) {
                return Err(Error::format(
                    format!("{path}.restTransforms[{joint}]"),
                    "a transform whose numbers stay finite",
                    "one that is too large",
                ));
            }
            inverse_bind.push(bound);
            frames.push(frame);
        }
        let by_name = joints.iter().cloned().zip(0..).collect();
        Ok(Self {
            prim,
            joints,
            by_name,
            parents,
            first,
            base,
            frames,
            inverse_bind,
            world,
        })
    }

    /// The rest transform of a joint to its parent, or to the world where it has none.
    pub fn rest(&self, joint: usize) -> Similarity {
        self.below(joint, &self.base.rest, &self.frames[joint].rest)
    }

    /// A joint's own transform, with that of the skeleton where the joint has no parent.
    pub fn below(&self, joint: usize, base: &Similarity, own: &Similarity) -> Similarity {
        match self.parents[joint] {
            Some(_) => *own,
            None => base.with_child(own),
        }
    }

    /// How many joints turn below a scale that differs between axes, where that is not exact.
    pub fn n_sheared(&self) -> usize {
        self.frames.iter().filter(|frame| !frame.can_turn()).count()
    }
}

/// A point through an affine map.
pub(super) fn moved(matrix: &Matrix4<f64>, point: &[f64]) -> Vector3<f64> {
    let point = Vector3::new(point[0], point[1], point[2]);
    matrix.fixed_view::<3, 3>(0, 0) * point + matrix.fixed_view::<3, 1>(0, 3)
}
