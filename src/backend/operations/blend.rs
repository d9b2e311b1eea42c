//! The middle of several rotations or states.

use std::ops::Range;

use super::gradients::{Target, for_each_gradient};
use super::pointwise::input;
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Items, for_each_group};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::math::{Dual, Number, polar, quaternion};

/// Rough time for one item, and for each thing that is blended.
const ITEM_NS: f64 = 400.0;
const ROW_NS: f64 = 20.0;

/// What is blended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blended {
    /// Quaternions.
    Quaternions,
    /// Skeleton states: their translations and scales by weighted means.
    States,
}

/// `(..., k, 4)` or `(..., k, 8)` and weights `(..., k)` to `(..., 4)` or `(..., 8)`: the rotation `R`
/// with the smallest weighted sum of squares of `R - R_k`. Negative weights count as 0; where all are 0
/// the rotation and everything else is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blend {
    /// What is blended.
    pub blended: Blended,
    /// How many are.
    pub count: usize,
    /// Whether the weights have a last axis of size 1 of their own.
    pub column: bool,
}

/// A weight as it counts.
#[inline(always)]
fn counted<N: Number>(weight: N) -> N {
    N::select(weight.lt(N::zero()), N::zero(), weight)
}

/// How many axes of weights of this shape are one item.
fn weights_rank(count: usize, column: bool, shape: &[usize]) -> Result<usize> {
    let item = if column { &[count, 1][..] } else { &[count] };
    if shape.ends_with(item) {
        return Ok(item.len());
    }
    let expected = format!("(..., {count})");
    Err(Error::shape("weights", expected, show_shape(shape)))
}

impl Blend {
    /// Numbers in one thing, and where its quaternion is.
    const fn row(self) -> (usize, usize) {
        match self.blended {
            Blended::Quaternions => (4, 0),
            Blended::States => (8, 3),
        }
    }

    fn cost_ns(self) -> f64 {
        ITEM_NS + ROW_NS * self.count as f64
    }

    /// The sum of the weights, 1 where that is 0.
    fn total<N: Number>(weights: &[N]) -> N {
        let mut total = N::zero();
        for &weight in weights {
            total += counted(weight);
        }
        N::select(N::zero().lt(total), total, N::one())
    }

    /// `Σ w q qᵀ`.
    fn form<N: Number>(self, rows: &[N], weights: &[N]) -> [[N; 4]; 4] {
        let (size, at) = self.row();
        let per_total = N::one() / Self::total(weights);
        let mut form = [[N::zero(); 4]; 4];
        for (row, &weight) in rows.chunks_exact(size).zip(weights) {
            let q = quaternion::normalize([row[at], row[at + 1], row[at + 2], row[at + 3]]);
            let weight = counted(weight) * per_total;
            for i in 0..4 {
                for j in 0..4 {
                    form[i][j] = (weight * q[i]).mul_add(q[j], form[i][j]);
                }
            }
        }
        form
    }

    /// 1, or -1 where the rotation is on the other side of the first quaternion; 0 without weights.
    fn sign<N: Number>(self, rows: &[N], weights: &[N], middle: [N; 4]) -> N {
        let at = self.row().1;
        let along = quaternion::dot([rows[at], rows[at + 1], rows[at + 2], rows[at + 3]], middle);
        let sign = N::select(along.lt(N::zero()), -N::one(), N::one());
        let mut most = N::zero();
        for &weight in weights {
            most = weight.max(most);
        }
        N::select(N::zero().lt(most), sign, N::zero())
    }

    fn one<N: Number>(self, rows: &[N], weights: &[N], out: &mut [N]) {
        let (size, at) = self.row();
        out.fill(N::zero());
        if self.count == 0 {
            return;
        }
        let middle = polar::middle(&self.form(rows, weights));
        let sign = self.sign(rows, weights, middle).detached();
        for k in 0..4 {
            out[at + k] = middle[k] * sign;
        }
        let per_total = N::one() / Self::total(weights);
        for (row, &weight) in rows.chunks_exact(size).zip(weights) {
            let weight = counted(weight) * per_total;
            for k in (0..size).filter(|k| !(at..at + 4).contains(k)) {
                out[k] = weight.mul_add(row[k], out[k]);
            }
        }
    }

    /// The cotangents of rows and weights.
    fn pull<T: Compute>(
        self,
        rows: &[T],
        weights: &[T],
        cotangent: &[T],
        by_rows: &mut [T],
        by_weights: &mut [T],
    ) {
        let (size, at) = self.row();
        if self.count == 0 {
            return;
        }
        let form = self.form(rows, weights);
        let sign = self.sign(rows, weights, polar::middle(&form));
        let mut by_middle = [T::ZERO; 4];
        for k in 0..4 {
            by_middle[k] = cotangent[at + k] * sign;
        }
        let by_form = polar::middle_pull(&form, by_middle);
        let total = Self::total(weights);
        let mut shared = T::ZERO;
        let each = rows.chunks_exact(size).zip(by_rows.chunks_exact_mut(size));
        for ((row, by_row), (&weight, by_weight)) in each.zip(weights.iter().zip(&mut *by_weights))
        {
            let share = counted(weight) / total;
            let unit = quaternion::unit([row[at], row[at + 1], row[at + 2], row[at + 3]]);
            let mut half = [T::ZERO; 4];
            for i in 0..4 {
                half[i] = quaternion::dot(by_form[i], unit.0);
            }
            let twice = T::from_f64(2.0) * share;
            let by_q = quaternion::unit_pull(unit, half.map(|x| x * twice));
            by_row[at..at + 4].copy_from_slice(&by_q);
            let mut gain = quaternion::dot(half, unit.0);
            for k in (0..size).filter(|k| !(at..at + 4).contains(k)) {
                by_row[k] = cotangent[k] * share;
                gain += cotangent[k] * row[k];
            }
            *by_weight = gain;
            shared += gain * share;
        }
        // A weight counts by its share of all.
        for (by_weight, &weight) in by_weights.iter_mut().zip(weights) {
            let counts = weight >= T::ZERO;
            *by_weight = if counts {
                (*by_weight - shared) / total
            } else {
                T::ZERO
            };
        }
    }

    fn each<T: Compute>(
        self,
        items: usize,
        out: &mut [T],
        control: &Control<'_>,
        work: impl Fn(Range<usize>, &mut [T]) + Sync,
    ) -> Result<()> {
        let places = Items {
            data: out,
            length: self.row().0,
        };
        for_each_group(items, 1, self.cost_ns(), places, control, |range, out| {
            work(range, out.data);
        })
    }
}

impl Operation for Blend {
    fn name(&self) -> &'static str {
        "blend"
    }

    fn inputs(&self) -> &'static [Input] {
        const QUATERNIONS: &[Input] = &[input("quaternions"), input("weights")];
        const STATES: &[Input] = &[input("skel_states"), input("weights")];
        match self.blended {
            Blended::Quaternions => QUATERNIONS,
            Blended::States => STATES,
        }
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        let (count, size) = (self.count, self.row().0);
        if index == 1 {
            return weights_rank(count, self.column, shape);
        }
        if shape.ends_with(&[count, size]) {
            return Ok(2);
        }
        let expected = format!("(..., {count}, {size})");
        Err(Error::shape(
            self.inputs()[0].name,
            expected,
            show_shape(shape),
        ))
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.row().0])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let [rows, weights] = inputs else {
            return Ok(());
        };
        self.each(rows.len(), out, control, |range, out| {
            let mut s0 = vec![T::ZERO; rows.core_len()];
            let mut s1 = vec![T::ZERO; self.count];
            for (item, out) in range.zip(out.chunks_exact_mut(self.row().0)) {
                self.one(rows.item(item, &mut s0), weights.item(item, &mut s1), out);
            }
        })
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let [rows, weights] = inputs else {
            return Ok(());
        };
        let lengths = [rows.core_len(), self.count];
        for_each_gradient(
            rows.len(),
            1,
            8.0 * self.cost_ns(),
            lengths,
            gradients,
            control,
            |range, mut targets| {
                let mut found = lengths.map(|length| vec![T::ZERO; length]);
                let mut scratch = lengths.map(|length| vec![T::ZERO; length]);
                let mut g = vec![T::ZERO; self.row().0];
                for (place, item) in range.enumerate() {
                    let [s0, s1] = &mut scratch;
                    let [by_rows, by_weights] = &mut found;
                    let (rows, weights) = (rows.item(item, s0), weights.item(item, s1));
                    self.pull(
                        rows,
                        weights,
                        cotangent.item(item, &mut g),
                        by_rows,
                        by_weights,
                    );
                    for (target, found) in targets.iter_mut().zip(&found) {
                        add_to(target, place, found);
                    }
                }
            },
        )
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let [rows, weights] = inputs else {
            return Ok(());
        };
        self.each(rows.len(), out, control, |range, out| {
            let size = self.row().0;
            let mut moving = vec![Dual::<T, 1>::constant(T::ZERO); size];
            for (item, out) in range.zip(out.chunks_exact_mut(size)) {
                let rows = moved(rows, tangents[0].as_ref(), item);
                let weights = moved(weights, tangents[1].as_ref(), item);
                self.one(&rows, &weights, &mut moving);
                for (out, moving) in out.iter_mut().zip(&moving) {
                    *out = moving.tangent[0];
                }
            }
        })
    }
}

/// Puts the gradient of one item where it goes.
fn add_to<T: Compute>(target: &mut Target<'_, T>, place: usize, found: &[T]) {
    match target {
        Target::Skip => {}
        Target::Rows(rows, length) => {
            rows[place * *length..(place + 1) * *length].copy_from_slice(found);
        }
        Target::Sum(sums) => {
            for (sum, &x) in sums.iter_mut().zip(found) {
                *sum += x;
            }
        }
    }
}

/// An item and how it moves.
fn moved<T: Compute>(
    batch: &Batch<'_, T>,
    tangent: Option<&Batch<'_, T>>,
    item: usize,
) -> Vec<Dual<T, 1>> {
    let (mut values, mut rates) = (vec![T::ZERO; batch.core_len()], None);
    batch.copy_item(item, &mut values);
    if let Some(tangent) = tangent {
        let mut numbers = vec![T::ZERO; batch.core_len()];
        tangent.copy_item(item, &mut numbers);
        rates = Some(numbers);
    }
    let mut moving = Vec::with_capacity(values.len());
    for (at, &value) in values.iter().enumerate() {
        let tangent = [rates.as_ref().map_or(T::ZERO, |rates| rates[at])];
        moving.push(Dual { value, tangent });
    }
    moving
}

/// Weights `(..., k)` divided by their sum, negative ones as 0; all 0 where none is above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormalizeWeights {
    /// How many weights there are.
    pub count: usize,
    /// Whether they have a last axis of size 1 of their own.
    pub column: bool,
}

impl Operation for NormalizeWeights {
    fn name(&self) -> &'static str {
        "check_and_normalize_weights"
    }

    fn inputs(&self) -> &'static [Input] {
        const WEIGHTS: &[Input] = &[input("weights")];
        WEIGHTS
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        weights_rank(self.count, self.column, shape)
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.count])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        _: &Control<'_>,
    ) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let mut scratch = vec![T::ZERO; self.count];
        for (item, out) in out.chunks_exact_mut(self.count).enumerate() {
            let weights = inputs[0].item(item, &mut scratch);
            let total = Blend::total(weights);
            for (out, &weight) in out.iter_mut().zip(weights) {
                *out = counted(weight) / total;
            }
        }
        Ok(())
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let weights = &inputs[0];
        for_each_gradient(
            weights.len(),
            1,
            ROW_NS,
            [self.count],
            gradients,
            control,
            |range, [mut target]| {
                let mut scratch = [const { Vec::new() }; 2];
                scratch
                    .iter_mut()
                    .for_each(|s| s.resize(self.count, T::ZERO));
                let [s0, s1] = &mut scratch;
                for (place, item) in range.enumerate() {
                    let (weights, g) = (weights.item(item, s0), cotangent.item(item, s1));
                    let total = Blend::total(weights);
                    let mut shared = T::ZERO;
                    for (&weight, &g) in weights.iter().zip(g) {
                        shared += g * counted(weight) / total;
                    }
                    let mut found = vec![T::ZERO; self.count];
                    for ((found, &weight), &g) in found.iter_mut().zip(weights).zip(g) {
                        if weight >= T::ZERO {
                            *found = (g - shared) / total;
                        }
                    }
                    add_to(&mut target, place, &found);
                }
            },
        )
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        _: &Control<'_>,
    ) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        for (item, out) in out.chunks_exact_mut(self.count).enumerate() {
            let weights = moved(&inputs[0], tangents[0].as_ref(), item);
            let total = Blend::total(&weights);
            for (out, &weight) in out.iter_mut().zip(&weights) {
                *out = (counted(weight) / total).tangent[0];
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward};

    #[test]
    fn derivatives_agree_with_differences() {
        for blended in [Blended::Quaternions, Blended::States] {
            let operation = Blend {
                blended,
                count: 3,
                column: false,
            };
            let size = operation.row().0;
            let mut rows = Argument::<f64>::noise(&[5, 3, size], 1);
            // Near each other: far from where two eigenvalues meet.
            for row in rows.data.chunks_mut(size) {
                row[operation.row().1 + 3] += 3.0;
            }
            let mut weights = Argument::<f64>::noise(&[5, 3], 2);
            weights.data.iter_mut().for_each(|w| *w = w.abs() + 0.2);
            assert_derivatives(&operation, &[rows.clone(), weights.clone()]);
            assert_derivatives(
                &NormalizeWeights {
                    count: 3,
                    column: false,
                },
                &[weights],
            );
            let shared = Argument::new(&[3], [0.5, 0.2, 0.3]);
            assert_derivatives(&operation, &[rows, shared]);
        }
    }

    #[test]
    fn what_has_no_middle_is_finite() {
        let operation = Blend {
            blended: Blended::Quaternions,
            count: 2,
            column: false,
        };
        // At right angles as vectors: every rotation on the great circle through them is as good.
        let rows = Argument::<f64>::new(&[2, 4], [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        for weights in [[1.0, 1.0], [0.0, 0.0], [-1.0, -2.0]] {
            let weights = Argument::new(&[2], weights);
            let got = forward(&operation, &[rows.view(), weights.view()]);
            assert!(got.data.iter().all(|x| x.is_finite()));
            let views = [rows.view(), weights.view()];
            let g = Argument::noise(&[4], 3);
            for gradient in crate::backend::operations::checks::vjp(&operation, &views, &g) {
                assert!(gradient.iter().all(|x| x.is_finite()));
            }
        }
    }
}
