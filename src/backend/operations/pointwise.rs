//! Functions of a few numbers, the same for every item of a batch: the transform algebra.
//!
//! A function is written once, over [`Number`]; its derivatives come from running it on
//! [`Dual`] numbers, unless it knows a shorter way back.

use std::ops::Range;

use super::gradients::{Target, for_each_gradient};
use super::lanes::{GroupWork, groups, in_groups};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Isa, Items, for_each_group, isa};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::math::{Dual, Lane, Number};

/// The most inputs that a function may have.
const MAX_INPUTS: usize = 8;

/// A function from `IN` numbers, those of all inputs one after the other, to `OUT` numbers.
pub trait PointFunction<const IN: usize, const OUT: usize>:
    Copy + PartialEq + Send + Sync + 'static
{
    /// The name of the public function.
    const NAME: &'static str;
    /// The inputs, in argument order.
    const INPUTS: &'static [Input];
    /// The shape of one item of each input; their sizes add up to `IN`.
    const ITEMS: &'static [&'static [usize]];
    /// The shape of one item of the output, of `OUT` numbers.
    const OUTPUT: &'static [usize];
    /// The size of one item of each input, and where it starts among all numbers. Not to be set.
    const PLACES: [Place; MAX_INPUTS] = places(Self::ITEMS);
    /// Rough time for one item; it decides only how a batch is cut for threads.
    const COST_NS: f64 = 2.0;

    /// The shape of one item of input `index`, for functions that are not as sure as
    /// [`Self::ITEMS`].
    fn item(&self, index: usize) -> &'static [usize] {
        Self::ITEMS[index]
    }

    /// The function.
    fn apply<N: Number>(self, x: [N; IN]) -> [N; OUT];

    /// The cotangent of `x`, given that of the result.
    #[inline(always)]
    fn pull<N: Number>(self, x: [N; IN], cotangent: [N; OUT]) -> [N; IN] {
        let mut gradient = [N::zero(); IN];
        // The condition is a constant: the other way is not compiled.
        if const { N::RARE } {
            for direction in 0..IN {
                let mut moves = [N::zero(); IN];
                moves[direction] = N::one();
                let y = self.apply(Dual::moving(x, moves));
                for (y, cotangent) in y.iter().zip(cotangent) {
                    gradient[direction] = y.tangent[0].mul_add(cotangent, gradient[direction]);
                }
            }
            return gradient;
        }
        let y = self.apply(Dual::<N, IN>::variables(x, 0));
        for (y, cotangent) in y.iter().zip(cotangent) {
            for (sum, &rate) in gradient.iter_mut().zip(&y.tangent) {
                *sum = rate.mul_add(cotangent, *sum);
            }
        }
        gradient
    }
}

/// A [`PointFunction`] over batches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pointwise<F, const IN: usize, const OUT: usize>(pub F);

/// An input that has derivatives.
pub(super) const fn input(name: &'static str) -> Input {
    Input {
        name,
        differentiable: true,
    }
}

/// `K` numbers of `x` from number `from` on.
#[inline(always)]
pub(super) fn part<N: Number, const K: usize>(x: &[N], from: usize) -> [N; K] {
    let mut part = [N::zero(); K];
    part.copy_from_slice(&x[from..from + K]);
    part
}

/// Several parts, one after the other.
#[inline(always)]
pub(super) fn joined<N: Number, const K: usize>(parts: &[&[N]]) -> [N; K] {
    let mut all = [N::zero(); K];
    let mut rest = &mut all[..];
    for part in parts {
        let (now, later) = rest.split_at_mut(part.len());
        now.copy_from_slice(part);
        rest = later;
    }
    all
}

/// The instruction set for so many items. One item takes the plain one: filling a register with copies of
/// it would take longer.
fn isa_for(items: usize) -> Isa {
    if items == 1 { Isa::Baseline } else { isa() }
}

/// Where the numbers of one input stand among those of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    start: usize,
    size: usize,
}

/// Known to the compiler, so that everything about an item stays in registers.
const fn places(items: &[&[usize]]) -> [Place; MAX_INPUTS] {
    let mut places = [Place { start: 0, size: 0 }; MAX_INPUTS];
    let (mut input, mut start) = (0, 0);
    while input < items.len() {
        let (mut size, mut axis) = (1, 0);
        while axis < items[input].len() {
            size *= items[input][axis];
            axis += 1;
        }
        places[input] = Place { start, size };
        start += size;
        input += 1;
    }
    places
}

/// Does something for each input that there is, with its number as a constant.
macro_rules! each_input {
    ($function:ty, |$index:ident, $place:ident| $body:expr) => {
        each_input!(@ $function, $index, $place, $body; 0 1 2 3 4 5 6 7)
    };
    (@ $function:ty, $index:ident, $place:ident, $body:expr; $($number:literal)*) => {$(
        // The whole condition is a constant: what is not there is not even compiled.
        if const { <$function>::PLACES[$number].size > 0 } {
            let $index: usize = $number;
            let $place: Place = const { <$function>::PLACES[$number] };
            $body;
        }
    )*};
}

/// Where the items of one input are.
enum Source<'w, 'a, T> {
    /// One after the other.
    Run(&'a [T]),
    /// One for all.
    Shared(&'w [T]),
    /// Anywhere.
    Scattered(&'w Batch<'a, T>),
    /// All zero: the tangent of what does not move.
    Zero,
}

impl<'w, 'a, T: Compute> Source<'w, 'a, T> {
    fn of(batch: &'w Batch<'a, T>) -> Self {
        if batch.is_shared() && batch.items_are_slices() && !batch.is_empty() {
            return Self::Shared(batch.item(0, &mut []));
        }
        match batch.as_slice() {
            Some(run) => Self::Run(run),
            None => Self::Scattered(batch),
        }
    }

    /// Loads `count` items from item `start` on, one to a lane, `to.len()` numbers each; lanes beyond
    /// `count` repeat the last item.
    #[inline(always)]
    fn load<L: Lane<Scalar = T>>(
        &self,
        start: usize,
        count: usize,
        scratch: &mut Vec<T>,
        to: &mut [L],
    ) {
        let size = to.len();
        match self {
            Self::Zero => {
                for to in to {
                    *to = L::zero();
                }
            }
            Self::Shared(item) => {
                for (to, &number) in to.iter_mut().zip(*item) {
                    *to = L::splat(number);
                }
            }
            Self::Run(run) if count == L::WIDTH => {
                load_run(&run[start * size..(start + count) * size], to);
            }
            _ => {
                self.gather(start, count, L::WIDTH, size, scratch);
                load_run(scratch, to);
            }
        }
    }

    /// Copies `count` items side by side, and the last one again up to `width`.
    #[inline(never)]
    fn gather(&self, start: usize, count: usize, width: usize, size: usize, scratch: &mut Vec<T>) {
        scratch.resize(width * size, T::ZERO);
        for (lane, row) in scratch.chunks_exact_mut(size).enumerate() {
            let item = start + lane.min(count - 1);
            match self {
                Self::Run(run) => row.copy_from_slice(&run[item * size..(item + 1) * size]),
                Self::Scattered(batch) => batch.copy_item(item, row),
                Self::Shared(_) | Self::Zero => {}
            }
        }
    }
}

/// Loads items of `to.len()` numbers, one to a lane.
#[inline(always)]
fn load_run<L: Lane>(run: &[L::Scalar], to: &mut [L]) {
    let size = to.len();
    if let [a, b, c] = to {
        [*a, *b, *c] = L::load_items3(run);
        return;
    }
    let (blocks, rest) = to.as_chunks_mut::<4>();
    let whole = 4 * blocks.len();
    for (index, block) in blocks.iter_mut().enumerate() {
        *block = L::load_items4(&run[4 * index..], size);
    }
    for (index, place) in rest.iter_mut().enumerate() {
        *place = L::load_items(&run[whole + index..], size);
    }
}

/// Stores one item from every lane.
#[inline(always)]
fn store_run<L: Lane>(values: &[L], run: &mut [L::Scalar]) {
    let size = values.len();
    if let [a, b, c] = *values {
        return L::store_items3([a, b, c], run);
    }
    let (blocks, rest) = values.as_chunks::<4>();
    let whole = 4 * blocks.len();
    for (index, &block) in blocks.iter().enumerate() {
        L::store_items4(block, &mut run[4 * index..], size);
    }
    for (index, value) in rest.iter().enumerate() {
        value.store_items(&mut run[whole + index..], size);
    }
}

/// Stores the items of the first `count` lanes.
#[inline(always)]
fn store<L: Lane>(values: &[L], out: &mut [L::Scalar], count: usize, scratch: &mut Vec<L::Scalar>) {
    if count == L::WIDTH {
        return store_run(values, out);
    }
    scratch.resize(
        L::WIDTH * values.len(),
        <L::Scalar as crate::math::Real>::ZERO,
    );
    store_run(values, scratch);
    out.copy_from_slice(&scratch[..out.len()]);
}

/// Puts the gradients of `count` items where they are wanted, the first being item `item` of the range.
#[inline(always)]
fn put<L: Lane>(values: &[L], target: &mut Target<'_, L::Scalar>, item: usize, count: usize) {
    match target {
        Target::Rows(rows, _) if count == L::WIDTH => {
            let size = values.len();
            store_run(values, &mut rows[item * size..(item + count) * size]);
        }
        _ => target.put(values, 0, item, count),
    }
}

/// The inputs of a function.
struct Sources<'w, 'a, T>([Source<'w, 'a, T>; MAX_INPUTS]);

impl<'w, 'a, T: Compute> Sources<'w, 'a, T> {
    fn of(batches: impl Iterator<Item = Option<&'w Batch<'a, T>>>) -> Self {
        let mut sources = [const { Source::Zero }; MAX_INPUTS];
        for (source, batch) in sources.iter_mut().zip(batches) {
            if let Some(batch) = batch {
                *source = Source::of(batch);
            }
        }
        Self(sources)
    }

    #[inline(always)]
    fn load<L: Lane<Scalar = T>, F: PointFunction<IN, OUT>, const IN: usize, const OUT: usize>(
        &self,
        start: usize,
        count: usize,
        scratch: &mut Vec<T>,
    ) -> [L; IN] {
        let mut x = [L::zero(); IN];
        each_input!(F, |index, place| {
            let to = &mut x[place.start..place.start + place.size];
            self.0[index].load(start, count, scratch, to)
        });
        x
    }
}

struct Forward<'w, 'a, T, F, const IN: usize, const OUT: usize> {
    function: F,
    inputs: &'w Sources<'w, 'a, T>,
    out: &'w mut [T],
    first: usize,
}

impl<T: Compute, F: PointFunction<IN, OUT>, const IN: usize, const OUT: usize> GroupWork<T>
    for Forward<'_, '_, T, F, IN, OUT>
{
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let mut scratch = Vec::new();
        for (start, count) in groups::<L>(items) {
            let x = self
                .inputs
                .load::<L, F, IN, OUT>(start, count, &mut scratch);
            let y = self.function.apply(x);
            let at = (start - self.first) * OUT;
            store(&y, &mut self.out[at..at + count * OUT], count, &mut scratch);
        }
    }

    #[inline(always)]
    fn run_one<L: Lane<Scalar = T>>(&mut self, item: usize) {
        self.run::<L>(item..item + 1);
    }
}

struct Push<'w, 'a, T, F, const IN: usize, const OUT: usize> {
    function: F,
    inputs: &'w Sources<'w, 'a, T>,
    tangents: &'w Sources<'w, 'a, T>,
    out: &'w mut [T],
    first: usize,
}

impl<T: Compute, F: PointFunction<IN, OUT>, const IN: usize, const OUT: usize> GroupWork<T>
    for Push<'_, '_, T, F, IN, OUT>
{
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let mut scratch = Vec::new();
        for (start, count) in groups::<L>(items) {
            let x = self
                .inputs
                .load::<L, F, IN, OUT>(start, count, &mut scratch);
            let dx = self
                .tangents
                .load::<L, F, IN, OUT>(start, count, &mut scratch);
            let y = self.function.apply(Dual::moving(x, dx));
            let mut dy = [L::zero(); OUT];
            for (to, from) in dy.iter_mut().zip(&y) {
                *to = from.tangent[0];
            }
            let at = (start - self.first) * OUT;
            store(
                &dy,
                &mut self.out[at..at + count * OUT],
                count,
                &mut scratch,
            );
        }
    }

    #[inline(always)]
    fn run_one<L: Lane<Scalar = T>>(&mut self, item: usize) {
        self.run::<L>(item..item + 1);
    }
}

struct Pull<'w, 'a, 't, T, F, const IN: usize, const OUT: usize> {
    function: F,
    inputs: &'w Sources<'w, 'a, T>,
    cotangent: &'w Source<'w, 'a, T>,
    targets: [Target<'t, T>; MAX_INPUTS],
    first: usize,
}

impl<T: Compute, F: PointFunction<IN, OUT>, const IN: usize, const OUT: usize> GroupWork<T>
    for Pull<'_, '_, '_, T, F, IN, OUT>
{
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let mut scratch = Vec::new();
        for (start, count) in groups::<L>(items) {
            let x = self
                .inputs
                .load::<L, F, IN, OUT>(start, count, &mut scratch);
            let mut cotangent = [L::zero(); OUT];
            self.cotangent
                .load(start, count, &mut scratch, &mut cotangent);
            let gradient = self.function.pull(x, cotangent);
            each_input!(F, |index, place| put(
                &gradient[place.start..place.start + place.size],
                &mut self.targets[index],
                start - self.first,
                count,
            ));
        }
    }

    #[inline(always)]
    fn run_one<L: Lane<Scalar = T>>(&mut self, item: usize) {
        self.run::<L>(item..item + 1);
    }
}

impl<F: PointFunction<IN, OUT>, const IN: usize, const OUT: usize> Operation
    for Pointwise<F, IN, OUT>
{
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn inputs(&self) -> &'static [Input] {
        F::INPUTS
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        let item = self.0.item(index);
        if shape.ends_with(item) {
            return Ok(item.len());
        }
        let sizes: String = item.iter().map(|size| format!(", {size}")).collect();
        Err(Error::shape(
            F::INPUTS[index].name,
            format!("(...{sizes})"),
            show_shape(shape),
        ))
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(F::OUTPUT)
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let items = inputs[0].len();
        let inputs = Sources::of(inputs.iter().map(Some));
        let places = Items {
            data: out,
            length: OUT,
        };
        let (isa, function) = (isa_for(items), self.0);
        for_each_group(
            items,
            T::width(isa),
            F::COST_NS,
            places,
            control,
            |range, out| {
                let mut work = Forward {
                    function,
                    inputs: &inputs,
                    out: out.data,
                    first: range.start,
                };
                in_groups(isa, range, &mut work);
            },
        )
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let items = inputs[0].len();
        let inputs = Sources::of(inputs.iter().map(Some));
        let cotangent = Source::of(cotangent);
        let mut lengths = [0; MAX_INPUTS];
        for (length, place) in lengths.iter_mut().zip(F::PLACES) {
            *length = place.size;
        }
        let (isa, function) = (isa_for(items), self.0);
        for_each_gradient(
            items,
            T::width(isa),
            4.0 * F::COST_NS,
            lengths,
            gradients,
            control,
            |range, targets| {
                let mut work = Pull {
                    function,
                    inputs: &inputs,
                    cotangent: &cotangent,
                    targets,
                    first: range.start,
                };
                in_groups(isa, range, &mut work);
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
        let items = inputs[0].len();
        let inputs = Sources::of(inputs.iter().map(Some));
        let tangents = Sources::of(tangents.iter().map(Option::as_ref));
        let places = Items {
            data: out,
            length: OUT,
        };
        let (isa, function) = (isa_for(items), self.0);
        for_each_group(
            items,
            T::width(isa),
            2.0 * F::COST_NS,
            places,
            control,
            |range, out| {
                let mut work = Push {
                    function,
                    inputs: &inputs,
                    tangents: &tangents,
                    out: out.data,
                    first: range.start,
                };
                in_groups(isa, range, &mut work);
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward};
    use crate::backend::operations::quaternion::{Multiply, MultiplyAssumeNormalized};

    #[test]
    fn derivatives_agree_with_differences_for_every_batch_shape() {
        for (a, b) in [
            (&[4][..], &[4][..]),
            (&[37, 4], &[37, 4]),
            (&[37, 4], &[4]),
            (&[2, 17, 4], &[4]),
            (&[0, 4], &[4]),
        ] {
            let arguments = [Argument::noise(a, 1), Argument::noise(b, 2)];
            assert_derivatives(&Pointwise(MultiplyAssumeNormalized), &arguments);
            assert_derivatives(&Pointwise(Multiply), &arguments);
        }
    }

    #[test]
    fn every_layout_gives_the_same() {
        let (a, b) = (
            Argument::<f32>::noise(&[53, 4], 3),
            Argument::noise(&[53, 4], 4),
        );
        let want = forward(&Pointwise(Multiply), &[a.view(), b.view()]).data;
        for (row, want) in want.chunks(4).enumerate() {
            let at = 4 * row..4 * row + 4;
            let [a, b] = [&a, &b].map(|all| {
                let q = &all.data[at.clone()];
                nalgebra::Quaternion::new(q[3], q[0], q[1], q[2]).normalize()
            });
            for (got, want) in want.iter().zip((a * b).coords.iter()) {
                assert!((got - want).abs() < 1e-6, "row {row}: {got} is not {want}");
            }
        }
    }
}
