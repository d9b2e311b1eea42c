//! Vertices bound to joints. A joint has one inverse bind pose; what differs between skins, or between
//! a skin and a rigid mesh, is baked into vertices where that is exact, and otherwise gets a joint of
//! its own.

use nalgebra::{Matrix3, Matrix4};

use super::super::{Frame, Primitive, Skin};
use super::Assembly;
use super::geometry::{corners, moved};
use crate::error::{Error, Result};

/// How far, relative to the size of a mesh, two ways to bind it may differ and count as one.
const SAME_BINDING: f64 = 1e-6;

impl Assembly {
    /// Settles the bindings of joints that no mesh has used, from the skins that list them.
    pub(in crate::io) fn bind_rest(&mut self, skins: &[Skin]) {
        for skin in skins {
            for (&node, inverse_bind) in skin.joints.iter().zip(&skin.inverse_bind) {
                let Some(joint) = self.node_joints[node] else {
                    continue;
                };
                let bound = self.frames[joint].residual.to_homogeneous() * inverse_bind;
                self.binding[joint].get_or_insert(bound);
            }
        }
    }

    /// Vertices of a skinned primitive; gives the linear map that was baked into them.
    pub(in crate::io) fn add_skinned(
        &mut self,
        path: &str,
        primitive: &mut Primitive,
        skin: &Skin,
    ) -> Result<Matrix3<f64>> {
        let mut used = vec![false; skin.joints.len()];
        for (joints, weights) in &primitive.influences {
            // Who is wrong is asked where somebody is.
            let largest = joints.iter().fold(0, |most: u32, &joint| most.max(joint));
            if (largest as usize) < used.len() {
                for (&joint, &weight) in joints.iter().zip(weights) {
                    used[joint as usize] |= weight != 0.0;
                }
                continue;
            }
            for (at, (&joint, &weight)) in joints.iter().zip(weights).enumerate() {
                if weight == 0.0 {
                    continue;
                }
                match used.get_mut(joint as usize) {
                    Some(used) => *used = true,
                    None => {
                        return Err(Error::format(
                            format!("{path}.attributes.JOINTS, vertex {}", at / 4),
                            format!("an index into the skin's {} joints", skin.joints.len()),
                            joint,
                        ));
                    }
                }
            }
        }
        let used: Vec<usize> = (0..used.len()).filter(|&at| used[at]).collect();
        let (joints, baked) = self.bind(primitive, skin, &used)?;
        let exact = baked == Matrix4::identity();
        let n_vertices = primitive.n_vertices();
        if exact && self.vertices.is_empty() {
            self.vertices = std::mem::take(&mut primitive.positions);
        } else if exact {
            self.vertices.extend_from_slice(&primitive.positions);
        } else {
            for position in primitive.positions.chunks_exact(3) {
                self.vertices.extend(moved(&baked, position));
            }
        }
        if let Some(columns) = self.columns {
            self.add_columns(primitive, columns, &joints);
            return Ok(baked.fixed_view::<3, 3>(0, 0).into_owned());
        }
        for vertex in 0..n_vertices {
            let sets = primitive.influences.iter().flat_map(|(joints, weights)| {
                let at = vertex * 4..vertex * 4 + 4;
                joints[at.clone()].iter().zip(&weights[at])
            });
            let before = self.influences.len();
            self.influences.extend(
                sets.filter(|&(_, &weight)| weight != 0.0)
                    .map(|(&joint, &weight)| (joints[joint as usize] as u32, weight)),
            );
            if self.influences.len() == before {
                // As three.js does: all on the first joint that the vertex names.
                self.zero_weights += 1;
                let first = primitive.influences[0].0[vertex * 4] as usize;
                let node = skin.joints.get(first).unwrap_or(&skin.joints[0]);
                let joint = self.node_joints[*node].unwrap_or_default();
                self.influences.push((joint as u32, 1.0));
            }
            self.influence_ends.push(self.influences.len());
        }
        Ok(baked.fixed_view::<3, 3>(0, 0).into_owned())
    }

    /// Every column of a primitive, also those that carry nothing.
    fn add_columns(&mut self, primitive: &Primitive, columns: usize, joints: &[usize]) {
        let count = self.vertices.len() / 3;
        let start = self.fixed.1.len();
        let sets = &primitive.influences;
        // More columns than the file has sets of four for are not there.
        if columns > 4 * sets.len() {
            self.columns = Some(4 * sets.len());
            return self.add_columns(primitive, 4 * sets.len(), joints);
        }
        // A short table, which stays in the cache.
        let joints: Vec<u32> = joints.iter().map(|&joint| joint as u32).collect();
        let (index, weight) = &mut self.fixed;
        index.resize(count * columns, 0);
        weight.resize(count * columns, 0.0);
        for (set, (indices, weights)) in sets.iter().enumerate() {
            let first = set * 4;
            if first >= columns {
                break;
            }
            let taken = 4.min(columns - first);
            let rows = indices
                .as_chunks::<4>()
                .0
                .iter()
                .zip(weights.as_chunks::<4>().0);
            let to = index[start..].chunks_exact_mut(columns);
            let to = to.zip(weight[start..].chunks_exact_mut(columns));
            for ((from, factors), (index, weight)) in rows.zip(to) {
                for at in 0..taken {
                    let joint = joints.get(from[at] as usize).copied();
                    index[first + at] = joint.unwrap_or_default();
                    weight[first + at] = factors[at];
                }
            }
        }
    }

    /// The joint for each of the skin's joints, and what to bake into the vertices, so that
    /// `world(joint) · binding(joint) · baked = world(node) · inverse_bind` for all that are used.
    fn bind(
        &mut self,
        primitive: &Primitive,
        skin: &Skin,
        used: &[usize],
    ) -> Result<(Vec<usize>, Matrix4<f64>)> {
        let place = |&node: &usize| self.node_joints[node].unwrap_or_default();
        let mut joints: Vec<usize> = match self.columns {
            Some(_) => skin.joints.iter().map(place).collect(),
            None => vec![0; skin.joints.len()],
        };
        let mut wanted = Vec::with_capacity(used.len());
        for &at in used {
            // Every joint of a skin is in the skeleton, see `in_scene`.
            joints[at] = self.node_joints[skin.joints[at]].unwrap_or_default();
            wanted.push(self.frames[joints[at]].residual.to_homogeneous() * skin.inverse_bind[at]);
        }
        let corners = corners(&primitive.positions);
        let same = |left: &Matrix4<f64>, right: &Matrix4<f64>| {
            let place = |m: &Matrix4<f64>| corners.map(|corner| m.transform_point(&corner));
            let (left, right) = (place(left), place(right));
            let size = (left[0] - left[7]).norm().max((left[1] - left[6]).norm());
            (0..8).all(|at| (left[at] - right[at]).norm() <= SAME_BINDING * size)
        };
        let mut baked = Matrix4::identity();
        let bound = used
            .iter()
            .zip(&wanted)
            .find_map(|(&at, wanted)| Some((self.binding[joints[at]]?, wanted)));
        if let Some((binding, wanted)) = bound
            && !same(&binding, wanted)
            && let Some(inverse) = binding.try_inverse()
        {
            baked = inverse * wanted;
        }
        let bake_fits = |assembly: &Self, baked: &Matrix4<f64>| {
            used.iter().zip(&wanted).all(|(&at, wanted)| {
                assembly.binding[joints[at]].is_none_or(|binding| same(&(binding * baked), wanted))
            })
        };
        let mut unbaked = baked.try_inverse();
        if !bake_fits(self, &baked) || unbaked.is_none() {
            (baked, unbaked) = (Matrix4::identity(), Some(Matrix4::identity()));
        }
        let unbaked = unbaked.unwrap_or_else(Matrix4::identity);
        for (&at, wanted) in used.iter().zip(&wanted) {
            let joint = joints[at];
            let binding = *self.binding[joint].get_or_insert(wanted * unbaked);
            if !same(&(binding * baked), wanted) {
                joints[at] = self.twin(joint, wanted, &same)?;
            }
        }
        Ok((joints, baked))
    }

    /// A joint that moves with `joint` but is bound as `wanted`.
    fn twin(
        &mut self,
        joint: usize,
        wanted: &Matrix4<f64>,
        same: &dyn Fn(&Matrix4<f64>, &Matrix4<f64>) -> bool,
    ) -> Result<usize> {
        let twins = self.twins.get(&joint).map_or(&[][..], Vec::as_slice);
        let found = twins
            .iter()
            .find(|&&twin| self.binding[twin].is_some_and(|binding| same(&binding, wanted)));
        if let Some(&twin) = found {
            return Ok(twin);
        }
        let name = self.taken.fresh(&format!("{}_bind", self.names[joint]));
        let frame = Frame::fixed(self.frames[joint].residual);
        let twin = self.add_joint(name, Some(joint), frame, None)?;
        self.binding[twin] = Some(*wanted);
        self.twins.entry(joint).or_default().push(twin);
        Ok(twin)
    }

    /// Vertices of a primitive that nothing moves.
    pub(super) fn add_unbound(&mut self, primitive: &Primitive) -> Matrix3<f64> {
        self.vertices.extend_from_slice(&primitive.positions);
        let end = self.influences.len();
        let ends = std::iter::repeat_n(end, primitive.n_vertices());
        self.influence_ends.extend(ends);
        Matrix3::identity()
    }

    /// Vertices of a primitive that moves with its node; gives the linear map baked into them.
    pub(in crate::io) fn add_rigid(
        &mut self,
        node: usize,
        primitive: &Primitive,
    ) -> Result<Matrix3<f64>> {
        let Some(mut joint) = self.node_joints[node] else {
            return Err(Error::format(format!("nodes[{node}]"), "a joint", "none"));
        };
        let residual = self.frames[joint].residual.to_homogeneous();
        let rest = self.worlds[joint];
        let rest_inverse = rest.try_inverse().unwrap_or_else(Matrix4::identity);
        let binding = *self.binding[joint].get_or_insert(rest_inverse);
        let baked = match binding.try_inverse() {
            Some(inverse) => inverse * residual,
            None => {
                // Nothing can be baked into a binding that flattens.
                let name = self.taken.fresh(&format!("{}_bind", self.names[joint]));
                let frame = Frame::fixed(self.frames[joint].residual);
                joint = self.add_joint(name, Some(joint), frame, None)?;
                self.binding[joint] = Some(rest_inverse);
                rest * residual
            }
        };
        for position in primitive.positions.chunks_exact(3) {
            self.vertices.extend(moved(&baked, position));
            self.influences.push((joint as u32, 1.0));
            self.influence_ends.push(self.influences.len());
        }
        Ok(baked.fixed_view::<3, 3>(0, 0).into_owned())
    }
}
