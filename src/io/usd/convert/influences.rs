//! Joints and weights of a mesh's vertices.

use nalgebra::Matrix4;

use super::super::value::Value;
use super::attribute::{about, matrix, numbers, texts, token};
use super::binding::Binding;
use super::skeleton::Rig;
use super::stage::Stage;
use crate::error::{Error, Result};

/// How one mesh is bound to one skeleton.
pub(super) struct Influences {
    /// From the mesh's points to the skeleton's space in the bind pose.
    pub geometry: Matrix4<f64>,
    /// Weights of a vertex, or of all vertices where they are bound as one.
    width: usize,
    is_rigid: bool,
    /// Joints of the character and their weights.
    entries: Vec<(u32, f32)>,
}

impl Influences {
    /// Reads them; `None` where the prim has none.
    pub fn read(
        stage: &mut Stage<'_>,
        rig: &Rig,
        binding: &Binding,
        n_points: usize,
    ) -> Result<Option<Self>> {
        let layer = stage.layer;
        let (Some(indices_at), Some(weights_at)) = (binding.indices, binding.weights) else {
            return Ok(None);
        };
        let name = "primvars:skel:jointIndices";
        let indices = numbers(layer, indices_at, name, 1)?;
        let weights = numbers(layer, weights_at, "primvars:skel:jointWeights", 1)?;
        let (Some(indices), Some(weights)) = (indices, weights) else {
            return Ok(None);
        };
        if indices.values.is_empty() && weights.values.is_empty() {
            return Ok(None);
        }
        let path = format!("{}.{name}", layer.path(indices_at));
        let property = &layer.prims[indices_at].properties[name];
        let is_rigid = match about(property, "interpolation").and_then(Value::as_text) {
            Some("vertex" | "varying") => false,
            Some("constant") | None => true,
            Some(other) => {
                return Err(Error::format(
                    path,
                    "interpolation 'vertex' or 'constant'",
                    other,
                ));
            }
        };
        let width = about(property, "elementSize")
            .and_then(Value::number)
            .unwrap_or(1.0);
        let n_rows = if is_rigid { 1 } else { n_points };
        let wanted = (n_rows as f64) * width;
        let is_fitting = width >= 1.0 && width.fract() == 0.0;
        if !is_fitting
            || wanted != indices.values.len() as f64
            || wanted != weights.values.len() as f64
        {
            return Err(Error::format(
                path,
                format!("joints and weights for {n_rows} x {width} influences"),
                format!("{} and {}", indices.values.len(), weights.values.len()),
            ));
        }
        let order = joint_order(stage, rig, binding)?;
        let mut entries = Vec::with_capacity(indices.values.len());
        for (at, (&joint, &weight)) in indices.values.iter().zip(&weights.values).enumerate() {
            let found = (joint >= 0.0).then(|| order.get(joint as usize)).flatten();
            let joint = match found {
                Some(&joint) => rig.first + joint,
                // What has no weight says nothing.
                None if weight == 0.0 => rig.first,
                None => {
                    return Err(Error::format(
                        format!("{path}[{at}]"),
                        format!("one of {} joints", order.len()),
                        joint,
                    ));
                }
            };
            entries.push((u32::try_from(joint).unwrap_or(u32::MAX), weight as f32));
        }
        if binding.method.and_then(|at| {
            token(layer, at, "primvars:skel:skinningMethod")
                .or_else(|| token(layer, at, "skel:skinningMethod"))
        }) == Some("dualQuaternion")
        {
            let text = "what asks for dual quaternions is skinned linearly";
            stage.notes.add(text, &layer.path(weights_at));
        }
        Ok(Some(Self {
            geometry: geometry(stage, binding)?,
            width: width as usize,
            is_rigid,
            entries,
        }))
    }

    /// The most influences that a vertex has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Joints and weights of a vertex.
    pub fn of(&self, vertex: usize) -> &[(u32, f32)] {
        let start = if self.is_rigid {
            0
        } else {
            vertex * self.width
        };
        &self.entries[start..start + self.width]
    }
}

/// The skeleton's joint for each index that the mesh uses.
fn joint_order(stage: &Stage<'_>, rig: &Rig, binding: &Binding) -> Result<Vec<usize>> {
    let own = match binding.joints {
        Some(prim) => texts(stage.layer, prim, "skel:joints")?,
        None => None,
    };
    let Some(own) = own else {
        return Ok((0..rig.joints.len()).collect());
    };
    own.iter()
        .map(|name| {
            rig.by_name.get(name).copied().ok_or_else(|| {
                let prim = binding.joints.unwrap_or_default();
                Error::format(
                    format!("{}.skel:joints", stage.layer.path(prim)),
                    format!("joints of {}", stage.layer.path(rig.prim)),
                    format!("'{}'", crate::io::source::shortened(name)),
                )
            })
        })
        .collect()
}

/// The transform of the mesh in the bind pose.
fn geometry(stage: &Stage<'_>, binding: &Binding) -> Result<Matrix4<f64>> {
    let name = "primvars:skel:geomBindTransform";
    let found = match binding.geometry {
        Some(prim) => numbers(stage.layer, prim, name, 16)?,
        None => None,
    };
    Ok(found
        .and_then(|found| matrix(&found.values))
        .unwrap_or_else(Matrix4::identity))
}
