//! glTF 2.0, as JSON text or GLB: skeleton, skin, morph targets and motion.
//!
//! * `entry`: what is asked of every format
//! * `container`: chunks and buffers
//! * `accessor`: typed, bounds-checked reading
//! * `nodes`, `skin`, `mesh`, `material`, `animation`: what the file stores
//! * `carried`, and [`crate::io`]'s `nodes`: what it becomes
//! * `clip`: motion at any time
//! * `momentum`: PyMomentum's own extension
//! * `own`, `exact`: ours, with what the other one drops or rounds
//! * `markers`: recorded points
//! * [`write`]: all of it the other way round
//!
//! Every node in the scene becomes a joint, except those that hold nothing but a skinned mesh, a camera
//! or a light. The rest pose of the file is the zero pose of the character, with scale 1 everywhere:
//! scales that nodes have at rest go into offsets, the inverse bind pose and the mesh, and
//! [`LoadedScene::node_linear`] keeps them.

mod accessor;
mod animation;
mod carried;
mod clip;
mod container;
mod entry;
mod exact;
mod load;
mod markers;
mod material;
mod mesh;
mod momentum;
mod nodes;
mod own;
mod skin;
pub mod write;

pub use clip::Clip;
pub use entry::{load_character, load_motion, load_stored_motion};
pub use load::load_scene;
pub use markers::load_markers;
pub use momentum::StoredMotion;
pub use write::{save_character, save_markers, save_motion, save_skeleton_states};

use std::ops::Range;

use crate::character::Character;

/// What a file holds.
#[derive(Debug, Clone)]
pub struct LoadedScene {
    /// The skeleton with everything it carries; zero parameters are the file's rest pose.
    pub character: Character,
    /// The file's animations.
    pub clips: Vec<Clip>,
    /// Motion as model parameters, in files that PyMomentum wrote.
    pub motion: Option<StoredMotion>,
    /// For each joint, the index of the node it stands for; `None` for a joint that was added because
    /// two skins bind a node differently.
    pub joint_nodes: Vec<Option<usize>>,
    /// For each joint, what a node's world matrix has on top of the joint's: the 3x3 map `K`, row-major,
    /// in `world(node) = world(joint) · K`. The identity unless nodes are scaled in the rest pose.
    pub node_linear: Vec<[f64; 9]>,
    /// Weights of the morph targets in the rest pose; the mesh has them applied, the blend shape's
    /// base has not.
    pub morph_weights: Vec<f64>,
    /// Which vertices and triangles came from which primitive.
    pub mesh_parts: Vec<MeshPart>,
    /// What was left out or changed, one sentence each.
    pub warnings: Vec<String>,
}

/// The vertices and triangles of one primitive on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeshPart {
    /// Index of the node that holds the mesh.
    pub node: usize,
    /// Index of the mesh.
    pub mesh: usize,
    /// Index of the primitive in its mesh.
    pub primitive: usize,
    /// Its vertices in the character's mesh.
    pub vertices: Range<usize>,
    /// Its triangles in the character's mesh.
    pub faces: Range<usize>,
    /// Whether a skin moves it; otherwise its node does.
    pub is_skinned: bool,
}
