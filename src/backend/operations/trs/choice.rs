//! One of two.

use crate::backend::Input;
use crate::backend::operations::pointwise::PointFunction;
use crate::math::Number;

/// One number of two: the first where the condition is not 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Where;

impl PointFunction<3, 1> for Where {
    const NAME: &'static str = "where";
    const INPUTS: &'static [Input] = &[
        Input {
            name: "trs_true",
            differentiable: true,
        },
        Input {
            name: "trs_false",
            differentiable: true,
        },
        Input {
            name: "condition",
            differentiable: false,
        },
    ];
    const ITEMS: &'static [&'static [usize]] = &[&[], &[], &[]];
    const OUTPUT: &'static [usize] = &[];

    #[inline(always)]
    fn apply<N: Number>(self, [yes, no, condition]: [N; 3]) -> [N; 1] {
        [N::select(N::lit(0.5).lt(condition), yes, no)]
    }

    #[inline(always)]
    fn pull<N: Number>(self, [_, _, condition]: [N; 3], [g]: [N; 1]) -> [N; 3] {
        let (zero, chosen) = (N::zero(), N::lit(0.5).lt(condition));
        [N::select(chosen, g, zero), N::select(chosen, zero, g), zero]
    }
}
