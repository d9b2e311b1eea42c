//! Bytes to characters and motion, and back. One folder a format; what they share:
//!
//! * [`Source`]: a file, the files it may refer to, and who is told how far reading is
//! * [`LoadOptions`], [`MotionChoice`]: what is asked for
//! * [`Loaded`]: what readers bring; [`Motion`], [`Markers`]
//! * [`Format`]: which format a file has
//! * [`load_character`], [`load_motion`], [`load_markers`]: any format, turned and converted as asked
//! * [`angles`]: rotations as the joint parameters `rx ry rz`
//! * `companion`: the skeleton beside a motion
//! * `text`, `json`, `xml`: words, values and elements that know their place

pub mod acclaim;
pub mod angles;
pub mod blend_shape;
pub mod bvh;
pub mod c3d;
mod companion;
pub mod deepmimic;
pub mod fbx;
mod format;
pub mod gltf;
mod json;
pub mod legacy_json;
mod load;
mod loaded;
pub mod locators;
pub mod mesh_files;
pub mod mjcf;
pub mod mmo;
pub mod model_definition;
mod motion;
pub mod mppca;
mod names;
mod nodes;
mod progress;
mod rigid;
mod save;
mod source;
pub mod text;
pub mod trc;
mod unit_word;
mod up;
pub mod urdf;
pub mod usd;
pub mod xml;

pub use format::Format;
pub use load::{load_character, load_markers, load_motion};
pub use loaded::{ClipChoice, LoadOptions, Loaded, Markers, MotionChoice, PositionChannels};
pub use motion::Motion;
pub use progress::Progress;
pub use save::{Extras, SaveOptions, Saved, save_character, save_markers, save_motion};
pub use source::Source;
pub use up::Up;
