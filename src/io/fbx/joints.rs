//! Which nodes become joints, and how joints follow them.
//!
//! With inherit modes a node may leave out the scale of its parent, or take that of another node. Then its
//! transform to the parent's space is `diag(1 / S) · T(S t) · R · diag(s S')`, where `S` is the scale that its
//! parent has by itself and `S'` the one that it takes; both are 1 for the usual mode.

use nalgebra::{Matrix3, Matrix4, Quaternion, UnitQuaternion, Vector3};

use super::{LOCATOR, scene::Stored};
use crate::character::Locator;
use crate::error::{Error, Result};
use crate::io::LoadOptions;
use crate::io::nodes::polar::{polar, pseudo_inverse, strain};
use crate::io::nodes::{Assembly, Frame, Local, Names, Similarity};

/// What a difference in scale may be without being worth a warning.
const NEGLIGIBLE: f64 = 1e-4;

/// The place of a node in the lists of a scene.
pub(super) fn index(node: &ufbx::Node) -> usize {
    node.element.typed_id as usize
}

pub(super) fn vector(v: &ufbx::Vec3) -> Vector3<f64> {
    Vector3::new(v.x, v.y, v.z)
}

/// A node's transform, as the file gives it, and the scales that it leaves out and takes.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    translation: Vector3<f64>,
    rotation: UnitQuaternion<f64>,
    /// With what it takes.
    scale: Vector3<f64>,
    /// Of the parent, which it leaves out.
    left_out: Vector3<f64>,
}

/// The transforms of all nodes at one time, from those to their parents.
pub(super) fn placed(
    stored: &Stored,
    local: impl Fn(&ufbx::Node) -> ufbx::Transform,
) -> Vec<Placed> {
    let ones = Vector3::from_element(1.0);
    let mut own: Vec<Vector3<f64>> = vec![ones; stored.scene.nodes.len()];
    let mut all = Vec::with_capacity(own.len());
    for node in &stored.scene.nodes {
        let transform = local(node);
        let mut scale = vector(&transform.scale);
        let mut left_out = ones;
        if let (false, Some(parent)) =
            (node.inherit_mode == ufbx::InheritMode::Normal, &node.parent)
        {
            let taken = node.inherit_scale_node.as_ref();
            let taken = taken.and_then(|node| own.get(index(node)));
            scale.component_mul_assign(taken.unwrap_or(&ones));
            left_out = own.get(index(parent)).copied().unwrap_or(ones);
            // A parent of no size has nothing that could be left out.
            left_out.apply(|x| {
                if *x == 0.0 {
                    *x = 1.0;
                }
            });
        }
        if let Some(own) = own.get_mut(index(node)) {
            *own = scale;
        }
        let q = &transform.rotation;
        let rotation = UnitQuaternion::try_new(Quaternion::new(q.w, q.x, q.y, q.z), 1e-9);
        all.push(Placed {
            translation: vector(&transform.translation) * stored.length,
            rotation: rotation.unwrap_or_else(UnitQuaternion::identity),
            scale,
            left_out,
        });
    }
    all
}

impl Placed {
    fn local(&self) -> Local {
        Local {
            translation: self.translation.component_mul(&self.left_out),
            rotation: self.rotation,
            stretch: Matrix3::from_diagonal(&self.scale),
        }
    }

    /// The whole transform to the parent's space.
    pub fn matrix(&self) -> Matrix4<f64> {
        let rotation = self.rotation.to_rotation_matrix();
        let linear =
            self.residual(&Matrix3::identity()) * rotation * Matrix3::from_diagonal(&self.scale);
        Matrix4::new_translation(&self.translation) * linear.to_homogeneous()
    }

    fn residual(&self, parent: &Matrix3<f64>) -> Matrix3<f64> {
        parent * Matrix3::from_diagonal(&self.left_out.map(f64::recip))
    }
}

/// A joint and what its node was at rest.
pub(super) struct Follower {
    rest: Placed,
    parent_residual: Matrix3<f64>,
}

impl Follower {
    /// The joint's transform to its parent joint where the node is `now`; and whether that is exact.
    pub fn follow(&self, frame: &Frame, now: &Placed) -> (Similarity, bool) {
        let same = (now.left_out - self.rest.left_out).amax() <= 1e-12 * self.rest.left_out.amax();
        if same {
            let scale = now.scale;
            let local = now.local();
            let followed = frame.follow(Some(local.translation), Some(now.rotation), Some(scale));
            let turned = now.rotation.angle_to(&self.rest.rotation) > NEGLIGIBLE;
            let exact = frame.relative_scale(&scale).1 && (frame.can_turn() || !turned);
            return (followed, exact);
        }
        let linear = now.residual(&self.parent_residual)
            * now.rotation.to_rotation_matrix()
            * Matrix3::from_diagonal(&now.scale)
            * pseudo_inverse(&frame.residual);
        let (rotation, stretch) = polar(&linear);
        let followed = Similarity {
            translation: self.parent_residual * now.translation,
            rotation,
            scale: stretch.determinant().max(0.0).cbrt(),
        };
        (followed, strain(&stretch) < NEGLIGIBLE)
    }
}

/// Which nodes become joints, parents first; `needed` are those that a mesh needs.
pub(super) fn kept(stored: &Stored, needed: &[bool]) -> Result<Vec<usize>> {
    let nodes = &stored.scene.nodes;
    let mut kept = vec![false; nodes.len()];
    // Parents come before their children in the list of nodes.
    for at in (0..nodes.len()).rev() {
        let node = &stored.scene.nodes.as_ref()[at];
        if node.is_root {
            continue;
        }
        let only_holds = match node.attrib_type {
            ufbx::ElementType::Camera
            | ufbx::ElementType::StereoCamera
            | ufbx::ElementType::CameraSwitcher
            | ufbx::ElementType::Light => true,
            _ if is_locator(node) => true,
            _ => node.mesh.as_ref().is_some_and(|mesh| is_skinned(mesh)),
        };
        kept[at] |= !only_holds || needed[at];
        if let (true, Some(parent)) = (kept[at], &node.parent) {
            kept[index(parent)] = true;
        }
    }
    let mut order = Vec::new();
    let mut stack = vec![&*stored.scene.root_node];
    while let Some(node) = stack.pop() {
        let at = index(node);
        if !node.is_root && kept[at] {
            order.push(at);
        }
        stack.extend(node.children.as_ref().iter().rev().map(|child| &**child));
    }
    if order.is_empty() {
        return Err(Error::format(
            "Objects",
            "at least one node that can be a joint",
            "none",
        ));
    }
    Ok(order)
}

/// Whether a node is a locator that kinarray wrote, not a joint.
fn is_locator(node: &ufbx::Node) -> bool {
    let mark = node.element.props.find_prop(LOCATOR);
    mark.is_some_and(|mark| mark.value_int != 0)
}

/// The locators of the joints.
pub(super) fn locators(
    stored: &Stored,
    assembly: &Assembly,
    options: &LoadOptions,
) -> Vec<Locator> {
    let nodes = stored.scene.nodes.into_iter().enumerate();
    let marked = nodes.filter(|(at, node)| is_locator(node) && assembly.node_joints[*at].is_none());
    let found = marked.filter_map(|(_, node)| {
        let parent = assembly.node_joints[index(node.parent.as_ref()?)]?;
        let place = vector(&node.local_transform.translation) * stored.length;
        let offset = assembly.frames[parent].residual * place;
        Some(Locator::new(name(node, options), parent, offset.into()))
    });
    found.collect()
}

pub(super) fn is_skinned(mesh: &ufbx::Mesh) -> bool {
    mesh.skin_deformers
        .into_iter()
        .any(|skin| !skin.clusters.is_empty())
}

/// A node's name, without its namespace where that is asked for.
pub(super) fn name<'n>(node: &'n ufbx::Node, options: &LoadOptions) -> &'n str {
    let name: &str = &node.element.name;
    match name.rsplit_once(':') {
        Some((_, own)) if options.strip_namespaces && !own.is_empty() => own,
        _ => name,
    }
}

/// The joints of the nodes in `order`.
pub(super) fn assemble(
    stored: &mut Stored,
    order: &[usize],
    options: &LoadOptions,
) -> Result<(Assembly, Vec<Follower>)> {
    let rest = placed(stored, |node| node.local_transform);
    let scaled = scaled_nodes(stored);
    let nodes = stored.scene.nodes.as_ref();
    let wanted = order.iter().map(|&at| name(&nodes[at], options).to_owned());
    let mut seen = std::collections::HashSet::new();
    let mut names = Names::new(wanted);
    let mut unique = Vec::with_capacity(order.len());
    for &at in order {
        let own = name(&nodes[at], options);
        unique.push(if own.is_empty() {
            names.fresh(&format!("node_{at}"))
        } else if seen.insert(own) {
            own.to_owned()
        } else {
            let fresh = names.fresh(own);
            stored.warnings.push(format!(
                "another node is called {own:?}; this one is now {fresh:?}"
            ));
            fresh
        });
    }
    let mut assembly = Assembly::new(nodes.len(), names);
    let mut followers = Vec::with_capacity(order.len());
    for (&at, name) in order.iter().zip(unique) {
        let above = nodes[at].parent.as_ref().map(|parent| index(parent));
        let parent = above.and_then(|above| assembly.node_joints[above]);
        let parent_residual =
            parent.map_or_else(Matrix3::identity, |parent| assembly.frames[parent].residual);
        let placed = rest[at];
        let residual = placed.residual(&parent_residual);
        let frame = Frame::new(placed.local(), residual, scaled[at]);
        assembly.add_node(at, name, parent, frame)?;
        followers.push(Follower {
            rest: placed,
            parent_residual,
        });
    }
    Ok((assembly, followers))
}

/// The nodes whose scale some animation moves.
fn scaled_nodes(stored: &Stored) -> Vec<bool> {
    let mut scaled = vec![false; stored.scene.nodes.len()];
    for layer in &stored.scene.anim_layers {
        for moved in &layer.anim_props {
            if moved.element.type_ == ufbx::ElementType::Node
                && &*moved.prop_name == "Lcl Scaling"
                && let Some(scaled) = scaled.get_mut(moved.element.typed_id as usize)
            {
                *scaled = true;
            }
        }
    }
    scaled
}
