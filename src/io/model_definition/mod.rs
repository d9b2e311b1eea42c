//! Momentum's model definitions (`.model`): text that says which model parameters drive which channels of
//! a skeleton's joints, which sets of them have a name, and what limits them.
//!
//! * `raw`: the sections and what their lines store
//! * `limits`: the lines of `[Limits]`
//! * `convert`, `convert_limits`: names to places in a character
//! * `write`, `write_limits`: a character's parameters as such a text
//!
//! ```text
//! Momentum Model Definition V1.0
//! [ParameterTransform]
//! root.tx = 1 * root_tx                  # joint.channel = factor * parameter + ...
//! l_elbow.rx = 1 * l_arm
//! r_elbow.rx = -1 * l_elbow.rx           # what drives a channel above, times a factor
//! [ParameterSets]
//! parameterset arms l_arm
//! [Limits]
//! limit l_arm minmax [-1, 2] 0.5         # the last number is the weight, 1 where not given
//! ```
//!
//! A parameter is there from where it is first named, in that order; a factor of 0 names it only. Lengths
//! are centimetres: parameters that drive nothing but translations, offsets and limits on them. Angles are
//! radians, but degrees in the orientation of an ellipsoid.
//!
//! What differs from PyMomentum: a last line without its end counts; a term that is not `factor *
//! parameter` is an error, not passed over; names of joints may have points; parameters that were
//! coefficients of shapes are so again where the file names them. What our transforms do not have is left
//! out with a warning: constants added to a channel, and `[PoseConstraints]`.

mod convert;
mod convert_limits;
mod entry;
mod limits;
mod raw;
mod write;
mod write_limits;

pub use entry::{load_model_definition, save_model_definition};

/// What a file begins with.
const HEADER: &str = "Momentum Model Definition V1.0";

/// What PyMomentum takes for no bound: the largest number of single precision.
const UNBOUNDED: f64 = f32::MAX as f64;
