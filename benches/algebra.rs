//! A million small items on one thread: quaternions.
//!
//! `KINARRAY_ISA=baseline|avx2|avx512 cargo bench --bench algebra`

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use kinarray::array::{Batch, View};
use kinarray::backend::cpu::{Compute, set_num_threads};
use kinarray::backend::operations::quaternion::{Multiply, MultiplyAssumeNormalized};
use kinarray::backend::operations::{PointFunction, Pointwise};
use kinarray::backend::{Control, Gradient, Operation};

const ITEMS: usize = 1_000_000;

fn main() {
    set_num_threads(1);
    divan::main();
}

fn numbers<T: Compute>(count: usize, seed: usize) -> Vec<T> {
    (0..count)
        .map(|i| T::from_f64(((i + seed) as f64 * 0.618_034).fract() - 0.5))
        .collect()
}

/// Reading two arrays of quaternions and writing one: what no multiplication can be quicker than.
#[divan::bench(types = [f32, f64])]
fn add_elementwise<T: Compute>(bencher: Bencher) {
    let (a, b) = (numbers::<T>(4 * ITEMS, 0), numbers::<T>(4 * ITEMS, 7));
    let mut out = vec![T::ZERO; 4 * ITEMS];
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| {
        for ((out, &a), &b) in out.iter_mut().zip(black_box(&a)).zip(&b) {
            *out = a + b;
        }
        black_box(&mut out);
    });
}

fn forward<T: Compute, F: PointFunction<8, 4>>(bencher: Bencher, function: F) {
    let (a, b) = (numbers::<T>(4 * ITEMS, 0), numbers::<T>(4 * ITEMS, 7));
    let mut out = vec![T::ZERO; 4 * ITEMS];
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| {
        let batch = |data| {
            let view = View::contiguous(data, &[ITEMS, 4]).unwrap();
            Batch::new(view, 1, &[ITEMS])
        };
        let inputs = [batch(&a), batch(&b)];
        Pointwise(function)
            .forward(black_box(&inputs), &mut out, &Control::default())
            .unwrap();
    });
}

#[divan::bench(types = [f32, f64])]
fn multiply_assume_normalized<T: Compute>(bencher: Bencher) {
    forward::<T, _>(bencher, MultiplyAssumeNormalized);
}

#[divan::bench(types = [f32, f64])]
fn multiply<T: Compute>(bencher: Bencher) {
    forward::<T, _>(bencher, Multiply);
}

#[divan::bench(types = [f32, f64])]
fn multiply_vjp<T: Compute>(bencher: Bencher) {
    let (a, b) = (numbers::<T>(4 * ITEMS, 0), numbers::<T>(4 * ITEMS, 7));
    let c = numbers::<T>(4 * ITEMS, 3);
    let (mut da, mut db) = (vec![T::ZERO; 4 * ITEMS], vec![T::ZERO; 4 * ITEMS]);
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| {
        let batch = |data| {
            let view = View::contiguous(data, &[ITEMS, 4]).unwrap();
            Batch::new(view, 1, &[ITEMS])
        };
        let inputs = [batch(&a), batch(&b)];
        let mut gradients = [Gradient::PerItem(&mut da), Gradient::PerItem(&mut db)];
        Pointwise(Multiply)
            .vjp(
                black_box(&inputs),
                None,
                &batch(&c),
                &mut gradients,
                &Control::default(),
            )
            .unwrap();
    });
}
