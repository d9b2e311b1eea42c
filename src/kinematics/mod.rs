//! The verbs: what can be computed from a character.

mod in_precision;
pub mod skinning;

pub use in_precision::InPrecision;
pub use skinning::SkinPlan;
