//! Rotations as axis and angle, and between directions.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, part};
use crate::math::{Number, rotation};

/// The rotation about an axis, given as axis times angle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromAxisAngle;

impl PointFunction<3, 4> for FromAxisAngle {
    const NAME: &'static str = "from_axis_angle";
    const INPUTS: &'static [Input] = &[input("axis_angle")];
    const ITEMS: &'static [&'static [usize]] = &[&[3]];
    const OUTPUT: &'static [usize] = &[4];
    const COST_NS: f64 = 5.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 3]) -> [N; 4] {
        rotation::exp(x)
    }
}

/// Axis times angle, the angle in 0 ..= π.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToAxisAngle;

impl PointFunction<4, 3> for ToAxisAngle {
    const NAME: &'static str = "to_axis_angle";
    const INPUTS: &'static [Input] = &[input("quaternions")];
    const ITEMS: &'static [&'static [usize]] = &[&[4]];
    const OUTPUT: &'static [usize] = &[3];
    const COST_NS: f64 = 5.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 4]) -> [N; 3] {
        rotation::log(x)
    }
}

/// The angle between two rotations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AngularDistance;

impl PointFunction<8, 1> for AngularDistance {
    const NAME: &'static str = "angular_distance";
    const INPUTS: &'static [Input] = &[input("q0"), input("q1")];
    const ITEMS: &'static [&'static [usize]] = &[&[4], &[4]];
    const OUTPUT: &'static [usize] = &[];
    const COST_NS: f64 = 5.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 8]) -> [N; 1] {
        [rotation::distance(part(&x, 0), part(&x, 4))]
    }
}

/// The shortest rotation of one direction to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromTwoVectors;

impl PointFunction<6, 4> for FromTwoVectors {
    const NAME: &'static str = "from_two_vectors";
    const INPUTS: &'static [Input] = &[input("v1"), input("v2")];
    const ITEMS: &'static [&'static [usize]] = &[&[3], &[3]];
    const OUTPUT: &'static [usize] = &[4];
    const COST_NS: f64 = 10.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 6]) -> [N; 4] {
        let (a, b) = (part(&x, 0), part(&x, 3));
        rotation::between(a, b, rotation::aside(a))
    }
}

/// The shortest rotation of the z axis to a direction; a half turn about x to -z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlignZWith;

impl PointFunction<3, 4> for AlignZWith {
    const NAME: &'static str = "align_z_with";
    const INPUTS: &'static [Input] = &[input("direction")];
    const ITEMS: &'static [&'static [usize]] = &[&[3]];
    const OUTPUT: &'static [usize] = &[4];
    const COST_NS: f64 = 10.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 3]) -> [N; 4] {
        let (zero, one) = (N::zero(), N::one());
        rotation::between([zero, zero, one], x, [zero, -one, zero])
    }
}
