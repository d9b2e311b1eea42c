//! When prepared data counts as the same: where it is the same memory. To compare it by content would
//! take as long as to prepare it.

use super::{
    CoefficientEstimate, InverseWithKnownScales, Prepared, PreparedInverse, PreparedLimits,
    PreparedMixture, PreparedPoseShape, PreparedShapes, PreparedTransform,
};

macro_rules! same_memory {
    ($($kind:ty),* $(,)?) => {$(
        impl PartialEq for $kind {
            fn eq(&self, other: &Self) -> bool {
                std::ptr::eq(self, other)
            }
        }
    )*};
}

same_memory!(
    CoefficientEstimate,
    InverseWithKnownScales,
    Prepared,
    PreparedInverse,
    PreparedLimits,
    PreparedMixture,
    PreparedPoseShape,
    PreparedShapes,
    PreparedTransform,
);
