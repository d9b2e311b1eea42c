//! Constant data made once for each precision that is computed in.

use std::any::Any;
use std::sync::OnceLock;

use crate::math::Real;

/// A slot for single precision, one for double and one for numbers that move; each is filled on first
/// use.
#[derive(Debug, Default)]
pub struct InPrecision {
    single: OnceLock<Box<dyn Any + Send + Sync>>,
    double: OnceLock<Box<dyn Any + Send + Sync>>,
    moving: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl InPrecision {
    /// The data for `T`, made by `make` the first time. One type of data per value of `self` and `T`.
    pub fn get<T: Real, D: Any + Send + Sync>(&self, make: impl FnOnce() -> D) -> &D {
        let slot = match size_of::<T>() {
            4 => &self.single,
            8 => &self.double,
            _ => &self.moving,
        };
        let data: &(dyn Any + Send + Sync) = &**slot.get_or_init(|| Box::new(make()));
        data.downcast_ref()
            .expect("a slot holds one type of data for each precision")
    }
}
