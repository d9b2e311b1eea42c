//! Numbers that carry their derivatives: any formula over [`Number`] then computes them too.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use super::number::Number;
use super::real::Real;

/// A value and its derivatives along `D` directions. `Dual<Dual<N, A>, B>` has second derivatives.
#[derive(Debug, Clone, Copy)]
pub struct Dual<N, const D: usize> {
    /// The value.
    pub value: N,
    /// The derivative along each direction.
    pub tangent: [N; D],
}

// Loops, not closures: a closure would not inherit the instruction set of the kernel it is used in.
impl<N: Number, const D: usize> Dual<N, D> {
    /// A number that moves along no direction.
    #[inline(always)]
    pub fn constant(value: N) -> Self {
        Self {
            value,
            tangent: [N::zero(); D],
        }
    }

    /// The independent variables: number `i` of `values` moves along direction `first + i`.
    #[inline(always)]
    pub fn variables<const K: usize>(values: [N; K], first: usize) -> [Self; K] {
        let mut variables = [Self::constant(N::zero()); K];
        for i in 0..K {
            variables[i].value = values[i];
            variables[i].tangent[first + i] = N::one();
        }
        variables
    }

    /// `value`, moving `rate` times as fast as this number does.
    #[inline(always)]
    fn chain(self, value: N, rate: N) -> Self {
        let mut tangent = self.tangent;
        for t in &mut tangent {
            *t = *t * rate;
        }
        Self { value, tangent }
    }
}

impl<N: Number> Dual<N, 1> {
    /// Numbers that move along one direction.
    #[inline(always)]
    pub fn moving<const K: usize>(values: [N; K], tangents: [N; K]) -> [Self; K] {
        let mut moving = [Self::constant(N::zero()); K];
        for i in 0..K {
            moving[i] = Self {
                value: values[i],
                tangent: [tangents[i]],
            };
        }
        moving
    }
}

impl<N: Number, const D: usize> Add for Dual<N, D> {
    type Output = Self;
    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl<N: Number, const D: usize> AddAssign for Dual<N, D> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        for d in 0..D {
            self.tangent[d] += other.tangent[d];
        }
    }
}

impl<N: Number, const D: usize> Sub for Dual<N, D> {
    type Output = Self;
    #[inline(always)]
    fn sub(mut self, other: Self) -> Self {
        self -= other;
        self
    }
}

impl<N: Number, const D: usize> SubAssign for Dual<N, D> {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        self.value -= other.value;
        for d in 0..D {
            self.tangent[d] -= other.tangent[d];
        }
    }
}

impl<N: Number, const D: usize> Mul for Dual<N, D> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let mut tangent = self.tangent;
        for (t, o) in tangent.iter_mut().zip(other.tangent) {
            *t = t.mul_add(other.value, o * self.value);
        }
        Self {
            value: self.value * other.value,
            tangent,
        }
    }
}

impl<N: Number, const D: usize> Div for Dual<N, D> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let mut tangent = self.tangent;
        for (t, o) in tangent.iter_mut().zip(other.tangent) {
            *t = (*t - value * o) / other.value;
        }
        Self { value, tangent }
    }
}

impl<N: Number, const D: usize> Neg for Dual<N, D> {
    type Output = Self;
    #[inline(always)]
    fn neg(mut self) -> Self {
        self.value = -self.value;
        for t in &mut self.tangent {
            *t = -*t;
        }
        self
    }
}

impl<N: Number, const D: usize> Number for Dual<N, D> {
    const RARE: bool = N::RARE;
    type Scalar = N::Scalar;
    type Mask = N::Mask;
    type Plain = N::Plain;

    #[inline(always)]
    fn plain(self) -> N::Plain {
        self.value.plain()
    }

    #[inline(always)]
    fn from_plain(value: N::Plain) -> Self {
        Self::constant(N::from_plain(value))
    }

    #[inline(always)]
    fn splat(value: N::Scalar) -> Self {
        Self::constant(N::splat(value))
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, summand: Self) -> Self {
        let mut tangent = summand.tangent;
        for d in 0..D {
            let moved = self.tangent[d].mul_add(factor.value, tangent[d]);
            tangent[d] = factor.tangent[d].mul_add(self.value, moved);
        }
        Self {
            value: self.value.mul_add(factor.value, summand.value),
            tangent,
        }
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, N::lit(0.5) / root)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        let negative = self.value.lt(N::zero());
        let rate = N::select(negative, -N::one(), N::one());
        self.chain(self.value.abs(), rate)
    }

    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        let (sin, cos) = self.value.sin_cos();
        (self.chain(sin, cos), self.chain(cos, -sin))
    }

    #[inline(always)]
    fn exp2(self) -> Self {
        let value = self.value.exp2();
        self.chain(value, value * N::lit(std::f64::consts::LN_2))
    }

    #[inline(always)]
    fn log2(self) -> Self {
        let rate = N::lit(std::f64::consts::LOG2_E) / self.value;
        self.chain(self.value.log2(), rate)
    }

    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        let (a, b) = (self.value, x.value);
        // Divided by the larger coordinate first: squares of small ones would vanish.
        let size = a.abs().max(b.abs());
        let origin = size.lt(N::splat(N::Scalar::MIN_POSITIVE));
        let size = N::select(origin, N::one(), size);
        let (u, v) = (a / size, b / size);
        let square = u.mul_add(u, v * v);
        let square = N::select(origin, N::one(), square) * size;
        let (by_y, by_x) = (v / square, -u / square);
        let mut tangent = self.tangent;
        for d in 0..D {
            tangent[d] = tangent[d].mul_add(by_y, x.tangent[d] * by_x);
        }
        Self {
            value: a.atan2(b),
            tangent,
        }
    }

    #[inline(always)]
    fn lt(self, other: Self) -> N::Mask {
        self.value.lt(other.value)
    }

    #[inline(always)]
    fn select(mask: N::Mask, yes: Self, no: Self) -> Self {
        let mut tangent = no.tangent;
        for d in 0..D {
            tangent[d] = N::select(mask, yes.tangent[d], no.tangent[d]);
        }
        Self {
            value: N::select(mask, yes.value, no.value),
            tangent,
        }
    }

    #[inline(always)]
    fn all(mask: N::Mask) -> bool {
        N::all(mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything a formula may use, away from the places where it has no derivative.
    fn formula<N: Number>([x, y]: [N; 2]) -> N {
        let (sin, cos) = (x * y).sin_cos();
        let wave = sin.mul_add(x, cos / (y * y + N::one()));
        let angle = y.atan2(x) - (-y).abs().sqrt();
        let growth = (x - y).exp2() + (x * x + N::lit(0.5)).log2();
        let chosen = N::select(x.lt(y), x * x, y * x) + x.max(y) - x.min(N::lit(0.1));
        wave * angle + growth * chosen
    }

    #[test]
    fn first_and_second_derivatives_agree_with_differences() {
        for (x, y) in [(0.7, 1.3), (1.9, 0.4), (-0.8, 0.6), (0.3, 2.5)] {
            let h = 1e-5;
            let slopes = |x: f64, y: f64| {
                [
                    (formula([x + h, y]) - formula([x - h, y])) / (2.0 * h),
                    (formula([x, y + h]) - formula([x, y - h])) / (2.0 * h),
                ]
            };
            let got = formula(Dual::<f64, 2>::variables([x, y], 0));
            assert_eq!(got.value, formula([x, y]));
            for (got, want) in got.tangent.into_iter().zip(slopes(x, y)) {
                assert!((got - want).abs() < 1e-8, "{got} is not {want}");
            }
            let gradient = |x: f64, y: f64| formula(Dual::<f64, 2>::variables([x, y], 0)).tangent;
            let inner = Dual::<f64, 1>::moving([x, y], [1.0, 0.0]);
            let second = formula(Dual::<Dual<f64, 1>, 2>::variables(inner, 0));
            let (ahead, behind) = (gradient(x + h, y), gradient(x - h, y));
            for c in 0..2 {
                let want = (ahead[c] - behind[c]) / (2.0 * h);
                let got = second.tangent[c].tangent[0];
                assert!((got - want).abs() < 1e-8, "{got} is not {want}");
            }
        }
    }

    #[test]
    fn the_branch_not_taken_does_not_count() {
        let [x] = Dual::<f64, 1>::variables([0.0], 0);
        let guarded = Dual::select(x.lt(Dual::one()), x, x.sqrt());
        assert_eq!(guarded.tangent, [1.0]);
        assert_eq!(x.atan2(x).tangent, [0.0]);
        let tiny = Dual::<f32, 1>::variables([1e-30], 0)[0];
        assert_eq!(tiny.atan2(Dual::zero()).tangent, [0.0]);
        assert!((Dual::zero().atan2(tiny).tangent[0]).abs() < 1e-6);
    }
}
