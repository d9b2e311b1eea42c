//! From one rotation to another.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, part};
use crate::math::{Number, rotation};

/// A rotation on the shorter way between two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slerp {
    /// Whether the last axis of `t` is one of size 1, not a batch axis.
    pub column: bool,
}

impl PointFunction<9, 4> for Slerp {
    const NAME: &'static str = "slerp";
    const INPUTS: &'static [Input] = &[input("q0"), input("q1"), input("t")];
    const ITEMS: &'static [&'static [usize]] = &[&[4], &[4], &[1]];
    const OUTPUT: &'static [usize] = &[4];
    const COST_NS: f64 = 15.0;

    fn item(&self, index: usize) -> &'static [usize] {
        match (index, self.column) {
            (2, false) => &[],
            _ => Self::ITEMS[index],
        }
    }

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 9]) -> [N; 4] {
        rotation::interpolate(part(&x, 0), part(&x, 4), x[8])
    }
}
