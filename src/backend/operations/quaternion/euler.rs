//! Euler angles of any order.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input};
use crate::math::{EulerOrder, Number, quaternion};

/// The rotation of Euler angles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromEuler(pub EulerOrder);

impl PointFunction<3, 4> for FromEuler {
    const NAME: &'static str = "from_euler";
    const INPUTS: &'static [Input] = &[input("angles")];
    const ITEMS: &'static [&'static [usize]] = &[&[3]];
    const OUTPUT: &'static [usize] = &[4];
    const COST_NS: f64 = 5.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 3]) -> [N; 4] {
        self.0.compose(x)
    }
}

/// The Euler angles of a rotation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToEuler(pub EulerOrder);

impl PointFunction<4, 3> for ToEuler {
    const NAME: &'static str = "to_euler";
    const INPUTS: &'static [Input] = &[input("q")];
    const ITEMS: &'static [&'static [usize]] = &[&[4]];
    const OUTPUT: &'static [usize] = &[3];
    const COST_NS: f64 = 10.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 4]) -> [N; 3] {
        self.0.decompose(quaternion::normalize(x))
    }
}
