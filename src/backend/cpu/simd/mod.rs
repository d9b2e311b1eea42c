//! Choosing an instruction set at run time.
//!
//! A kernel is a value that implements [`LaneKernel`]; [`dispatch`] calls it with the widest lanes that
//! this machine has. All unsafe code of the kernels is in this folder: the register types, whose
//! methods need an instruction set, and the call that has just checked for it.

#[cfg(all(target_arch = "x86_64", feature = "simd"))]
mod avx2;
#[cfg(all(target_arch = "x86_64", feature = "simd"))]
mod avx512;
#[cfg(all(target_arch = "x86_64", feature = "simd"))]
mod items;
#[cfg(all(target_arch = "x86_64", feature = "simd"))]
mod registers;

use std::sync::OnceLock;

use crate::kinematics::Precision;
use crate::math::{Lane, Moving, Real};

/// A computation written once over lanes.
pub trait LaneKernel<T: Real> {
    /// What it returns.
    type Output;
    /// Runs with lanes of type `L`. Implementations are `#[inline(always)]`, and so is what they call.
    fn run<L: Lane<Scalar = T>>(self) -> Self::Output;
}

/// A real type for which there are registers.
pub trait Compute: Precision + Lane<Scalar = Self> {
    /// Runs a kernel on the given instruction set, which must be one that [`isa`] found or narrower.
    fn run_on<K: LaneKernel<Self>>(isa: Isa, kernel: K) -> K::Output;
    /// The number of lanes of an instruction set.
    fn width(isa: Isa) -> usize;
}

/// Instruction sets, from narrow to wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What every machine of the target has; one item at a time.
    Baseline,
    /// x86 with 256-bit registers and fused multiply-add.
    Avx2,
    /// x86 with 512-bit registers.
    Avx512,
}

impl Isa {
    /// The name, for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2+fma",
            Self::Avx512 => "avx512f",
        }
    }
}

/// The widest instruction set of this machine; `KINARRAY_ISA=baseline|avx2|avx512` narrows it, for
/// measurements.
pub fn isa() -> Isa {
    static FOUND: OnceLock<Isa> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let widest = detect();
        match std::env::var("KINARRAY_ISA").as_deref() {
            Ok("baseline") => Isa::Baseline,
            Ok("avx2") => widest.min(Isa::Avx2),
            _ => widest,
        }
    })
}

#[cfg(all(target_arch = "x86_64", feature = "simd"))]
fn detect() -> Isa {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    if avx2 && is_x86_feature_detected!("avx512f") {
        Isa::Avx512
    } else if avx2 {
        Isa::Avx2
    } else {
        Isa::Baseline
    }
}

#[cfg(not(all(target_arch = "x86_64", feature = "simd")))]
fn detect() -> Isa {
    Isa::Baseline
}

/// Runs a kernel on the widest instruction set of this machine.
pub fn dispatch<T: Compute, K: LaneKernel<T>>(kernel: K) -> K::Output {
    T::run_on(isa(), kernel)
}

macro_rules! compute {
    ($t:ty, $avx2:ident, $avx512:ident) => {
        impl Compute for $t {
            #[inline]
            fn run_on<K: LaneKernel<Self>>(isa: Isa, kernel: K) -> K::Output {
                #[cfg(all(target_arch = "x86_64", feature = "simd"))]
                {
                    #[target_feature(enable = "avx2,fma")]
                    fn with_avx2<K: LaneKernel<$t>>(kernel: K) -> K::Output {
                        kernel.run::<registers::$avx2>()
                    }
                    #[target_feature(enable = "avx2,fma,avx512f")]
                    fn with_avx512<K: LaneKernel<$t>>(kernel: K) -> K::Output {
                        kernel.run::<registers::$avx512>()
                    }
                    assert!(isa <= detect(), "{} is not available", isa.name());
                    match isa {
                        Isa::Baseline => {}
                        // SAFETY: the assertion above found the features on this machine.
                        Isa::Avx2 => return unsafe { with_avx2(kernel) },
                        // SAFETY: as above.
                        Isa::Avx512 => return unsafe { with_avx512(kernel) },
                    }
                }
                let _ = isa;
                kernel.run::<$t>()
            }

            fn width(isa: Isa) -> usize {
                #[cfg(all(target_arch = "x86_64", feature = "simd"))]
                match isa {
                    Isa::Baseline => {}
                    Isa::Avx2 => return registers::$avx2::WIDTH,
                    Isa::Avx512 => return registers::$avx512::WIDTH,
                }
                let _ = isa;
                1
            }
        }
    };
}
compute!(f32, F32x8, F32x16);
compute!(f64, F64x4, F64x8);

/// One at a time: second derivatives are rare.
impl Compute for Moving {
    #[inline]
    fn run_on<K: LaneKernel<Self>>(_: Isa, kernel: K) -> K::Output {
        kernel.run::<Self>()
    }

    fn width(_: Isa) -> usize {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{exp2, sin_cos};

    /// Every method of the lanes against plain arithmetic, one lane at a time.
    struct MethodsAgree;

    impl<T: Compute> LaneKernel<T> for MethodsAgree {
        type Output = ();
        fn run<L: Lane<Scalar = T>>(self) {
            let width = L::WIDTH;
            let number = |i: usize| T::from_f64((i as f64 * 0.7 - 3.1) * (1.0 + i as f64 * 0.01));
            let row = |from: usize| -> Vec<T> { (from..from + width).map(number).collect() };
            let list = |x: L| {
                let mut out = vec![T::ZERO; width];
                x.store(&mut out);
                out
            };
            let (xs, ys) = (row(0), row(3));
            let (x, y) = (L::load(&xs), L::load(&ys));
            let close = |got: L, want: &dyn Fn(f64, f64) -> f64| {
                for ((got, &a), &b) in list(got).into_iter().zip(&xs).zip(&ys) {
                    let want = want(a.to_f64(), b.to_f64());
                    let tolerance = if size_of::<T>() == 4 { 1e-6 } else { 1e-14 };
                    let error = (got.to_f64() - want).abs();
                    assert!(
                        error <= tolerance * (1.0 + want.abs()),
                        "{got} is not {want}"
                    );
                }
            };
            close(x + y, &|a, b| a + b);
            close(x - y, &|a, b| a - b);
            close(x * y, &|a, b| a * b);
            close(x / y, &|a, b| a / b);
            close(-x, &|a, _| -a);
            close(x.mul_add(y, L::one()), &|a, b| a * b + 1.0);
            close(x.abs().sqrt(), &|a, _| a.abs().sqrt());
            close(x.round(), &|a, _| a.round());
            close(x.round().exp2_whole(), &|a, _| a.round().exp2());
            close(L::select(x.lt(L::zero()), x, y), &|a, b| {
                if a < 0.0 { a } else { b }
            });
            close(sin_cos(x).0, &|a, _| a.sin());
            close(sin_cos(x * L::lit(1e7)).1, &|a, _| {
                T::from_f64(a)
                    .to_f64()
                    .mul_add(0.0, (T::from_f64(a) * T::from_f64(1e7)).to_f64().cos())
            });
            close(exp2(x), &|a, _| a.exp2());
            assert!(L::all(x.lt(L::lit(1e9))) && !L::all(x.lt(L::splat(xs[width - 1]))));
            assert!(!L::all(L::lit(f64::NAN).lt(L::one())));
            assert_eq!(x.sum(), xs.iter().copied().sum());

            // Transposes, at an odd place, whole and partial.
            let length = 11;
            let table: Vec<T> = (0..width * length).map(number).collect();
            let rows: Vec<&[T]> = table.chunks(length).collect();
            let columns = L::load_columns8(&rows, 2);
            for (c, &column) in columns.iter().enumerate() {
                let want: Vec<T> = rows.iter().map(|row| row[2 + c]).collect();
                assert_eq!(list(column), want);
                assert_eq!(list(L::load_column(&rows, 2 + c)), want);
            }

            // Items side by side, with and without gaps.
            for stride in [4, 5, 9] {
                let columns = L::load_items4(&table, stride);
                let mut out = vec![T::ZERO; table.len()];
                L::store_items4(columns, &mut out, stride);
                for (c, &column) in columns.iter().enumerate() {
                    let want: Vec<T> = (0..width).map(|l| table[l * stride + c]).collect();
                    assert_eq!(list(column), want);
                    assert_eq!(list(L::load_items(&table[c..], stride)), want);
                }
                for (at, &value) in out.iter().enumerate() {
                    let written = at / stride < width && at % stride < 4;
                    assert_eq!(value, if written { table[at] } else { T::ZERO });
                }
            }
            let items = L::load_items3(&table);
            let mut out = vec![T::ZERO; table.len()];
            L::store_items3(items, &mut out);
            for (c, &column) in items.iter().enumerate() {
                let want: Vec<T> = (0..width).map(|l| table[3 * l + c]).collect();
                assert_eq!(list(column), want);
            }
            assert_eq!(out[..3 * width], table[..3 * width]);
            assert!(out[3 * width..].iter().all(|&x| x == T::ZERO));

            for count in [width, width.saturating_sub(1)] {
                let mut out = vec![T::ZERO; width * length];
                L::store_columns8(&columns, &mut out, 2, length, count);
                for (lane, row) in out.chunks(length).enumerate() {
                    for (c, &value) in row.iter().enumerate() {
                        let written = lane < count && (2..10).contains(&c);
                        assert_eq!(value, if written { rows[lane][c] } else { T::ZERO });
                    }
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_of_this_machine_computes_the_same() {
        for isa in [Isa::Baseline, Isa::Avx2, Isa::Avx512] {
            if isa <= detect() {
                f32::run_on(isa, MethodsAgree);
                f64::run_on(isa, MethodsAgree);
            }
        }
    }
}
