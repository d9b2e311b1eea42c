//! Acclaim: a skeleton of bones (ASF) and their motion (AMC).
//!
//! * **Joints** stand at the start of their bone, turned as the bone's `axis` says at rest. With `C` the
//!   rotation of that axis, the joint's pre-rotation is `C_parent⁻¹ · C`, so that the angles of an AMC file
//!   are the joint's `rx ry rz` as they stand.
//! * **Degrees of freedom** are the model parameters: `<bone>_rx` and so on; their limits are limits of
//!   these. A `dof` in another order than `rx ry rz` applies its first rotation first; it is turned into
//!   all three angles, and its limits are left out. Translations and stretch (`tx ty tz l`) of single
//!   bones are left out with a warning.
//! * **Ends of bones** are locators `<bone>_end`, for every bone, also where another bone begins there.
//! * **The root** is the joint `root`. Position and orientation in ASF are those at rest; an AMC gives the
//!   position itself, not the difference.
//! * **Unit**: recordings of CMU, which most files are, give `length 0.45` and mean that a number divided
//!   by it is inches; so a number is `0.0254 / length` metres, unless `file_unit` says that it is in a unit
//!   of its own. +y is up.
//! * **Rate**: an AMC does not say; 120 frames a second, as CMU records, unless `fps` is given.
//! * **The skeleton of an AMC** is the character that is given, else the `.asf` file beside it with the
//!   longest name that the name of the motion begins with (`01.asf` for `01_01.amc`). A character keeps what
//!   an AMC needs to know in its metadata. It is taken to be along the axes of the file.
//!
//! [`Skeleton`] is what an ASF file stores; `recipe` says how rows of an AMC file become parameters.

mod convert;
mod entry;
mod motion;
mod recipe;
mod skeleton;

pub use entry::{load_character, load_motion};
pub use skeleton::{Bone, Dof, Root, Skeleton};
