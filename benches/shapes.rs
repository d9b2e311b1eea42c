//! Blend shapes and their derivatives. `KINARRAY_ISA=baseline|avx2` narrows the instruction set.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use kinarray::array::{Batch, View};
use kinarray::backend::cpu::set_num_threads;
use kinarray::backend::operations::ComputeShape;
use kinarray::backend::{Control, Gradient, Operation};
use kinarray::character::BlendShape;
use kinarray::kinematics::{PreparedShapes, Shapes};

fn main() {
    set_num_threads(1);
    divan::main();
}

/// Pseudo-random numbers in -1 .. 1.
fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

fn shapes(n_shapes: usize, n_vertices: usize) -> Arc<PreparedShapes> {
    let names = (0..n_shapes).map(|k| format!("s{k}")).collect();
    let base = noise(3 * n_vertices, 1).into();
    let rows = noise(3 * n_vertices * n_shapes, 2).into();
    let shape = BlendShape::new(names, base, rows).unwrap();
    Arc::new(PreparedShapes::new(Shapes::Whole(Arc::new(shape))))
}

/// Shapes, vertices, poses.
const CASES: [(usize, usize, usize); 4] = [
    (72, 20_000, 1),
    (72, 20_000, 4),
    (72, 20_000, 64),
    (300, 20_000, 64),
];

/// Items are products.
fn products((shapes, vertices, poses): (usize, usize, usize)) -> ItemsCount {
    ItemsCount::new(3 * shapes * vertices * poses)
}

#[divan::bench(args = CASES, max_time = 1)]
fn forward(bencher: Bencher, case: (usize, usize, usize)) {
    let (n_shapes, vertices, poses) = case;
    let shapes = shapes(n_shapes, vertices);
    let operation = ComputeShape { shapes };
    let coefficients = noise(poses * n_shapes, 3);
    let view = View::contiguous(&coefficients, &[poses, n_shapes]).unwrap();
    let inputs = [Batch::new(view, 1, &[poses])];
    let mut out = vec![0.0_f32; poses * vertices * 3];
    bencher
        .counter(products(case))
        .bench_local(|| operation.forward(&inputs, &mut out, &Control::default()));
}

/// Most expressions of a face are at rest.
#[divan::bench(args = [1, 64], max_time = 1)]
fn forward_with_few_active_shapes(bencher: Bencher, poses: usize) {
    let shapes = shapes(72, 20_000);
    let operation = ComputeShape { shapes };
    let mut coefficients = noise(poses * 72, 3);
    for (at, c) in coefficients.iter_mut().enumerate() {
        if at % 72 % 9 != 0 {
            *c = 0.0;
        }
    }
    let view = View::contiguous(&coefficients, &[poses, 72]).unwrap();
    let inputs = [Batch::new(view, 1, &[poses])];
    let mut out = vec![0.0_f32; poses * 60_000];
    bencher.bench_local(|| operation.forward(&inputs, &mut out, &Control::default()));
}

#[divan::bench(args = CASES, max_time = 1)]
fn vjp(bencher: Bencher, case: (usize, usize, usize)) {
    let (n_shapes, vertices, poses) = case;
    let shapes = shapes(n_shapes, vertices);
    let operation = ComputeShape { shapes };
    let coefficients = noise(poses * n_shapes, 3);
    let view = View::contiguous(&coefficients, &[poses, n_shapes]).unwrap();
    let inputs = [Batch::new(view, 1, &[poses])];
    let cotangent = noise(poses * vertices * 3, 4);
    let view = View::contiguous(&cotangent, &[poses, vertices, 3]).unwrap();
    let cotangent = Batch::new(view, 2, &[poses]);
    let mut gradient = vec![0.0_f32; coefficients.len()];
    bencher.counter(products(case)).bench_local(|| {
        let mut gradients = [Gradient::PerItem(&mut gradient[..])];
        let control = Control::default();
        operation.vjp(&inputs, None, &cotangent, &mut gradients, &control)
    });
}
