//! DeepMimic: a skeleton and motions of it, each a JSON file called `.txt`.
//!
//! * Lengths are metres, +y is up, angles are radians.
//! * **Degrees of freedom** are the model parameters: six of the root, `rx ry rz` of a spherical joint, `rz`
//!   of a revolute one. Quaternions (w x y z) are turned into angles without jumps from frame to frame.
//! * **Limits** of revolute joints are kept; those of spherical joints are no limits of single angles and
//!   are left out, as are bodies and drawn shapes.
//! * **Times** are the sums of the durations before each frame, which need not be equal.
//! * **The skeleton of a motion** is the character that is given, else the file beside it whose name the
//!   motion's name begins with (`humanoid3d.txt` for `humanoid3d_walk.txt`). A motion does not name its
//!   joints; they are in the order of the character.

mod entry;
mod motion;
mod skeleton;

pub use entry::{load_character, load_motion};
