//! Forward kinematics and its vjp on one thread: 127 joints, 136 parameters.
//!
//! `KINARRAY_ISA=baseline|avx2|avx512 cargo bench --bench forward`

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use kinarray::array::{Batch, View};
use kinarray::backend::cpu::{Compute, set_num_threads};
use kinarray::backend::operations::{
    ApplyParameterTransform, JointParametersToSkeletonState, ModelParametersToSkeletonState,
};
use kinarray::backend::{Control, Gradient, Operation};
use kinarray::character::{Character, CharacterParts, Joint, ParameterTransform, Skeleton};
use kinarray::kinematics::Prepared;

const JOINTS: usize = 127;
const PARAMETERS: usize = 136;
const BATCHES: [usize; 4] = [1, 4, 16, 4096];

fn main() {
    set_num_threads(1);
    divan::main();
}

/// A body like the ones in use: a root that moves freely, chains of joints with up to three angles, half
/// of them pre-rotated, a few shared scales.
fn character() -> Arc<Prepared> {
    let joints = (0..JOINTS)
        .map(|index| {
            let parent = (index > 0).then(|| if index % 9 == 0 { index / 3 } else { index - 1 });
            let mut joint = Joint::new(format!("j{index}"), parent, [0.1, 0.02, -0.01]);
            if index % 2 == 0 {
                joint.pre_rotation = [0.5, -0.5, 0.5, 0.5];
            }
            joint
        })
        .collect();
    let mut entries: Vec<(usize, usize, f64)> = (0..6).map(|k| (k, k, 1.0)).collect();
    for parameter in 6..130 {
        let joint = 1 + (parameter - 6) / 3 * 3 % (JOINTS - 1);
        entries.push((7 * joint + 3 + parameter % 3, parameter, 1.0));
        entries.push((7 * (joint + 1) + 3 + parameter % 3, parameter, 0.5));
    }
    for parameter in 130..PARAMETERS {
        for joint in (parameter - 129..JOINTS).step_by(12) {
            entries.push((7 * joint + 6, parameter, 1.0));
        }
    }
    let names = (0..PARAMETERS).map(|p| format!("p{p}")).collect();
    let transform = ParameterTransform::new(names, JOINTS, entries).unwrap();
    let parts = CharacterParts::new("body", Skeleton::new(joints).unwrap(), transform);
    Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())))
}

fn numbers<T: Compute>(count: usize) -> Vec<T> {
    (0..count)
        .map(|i| T::from_f64((i as f64 * 0.618_034).fract() - 0.5))
        .collect()
}

fn forward<T: Compute>(bencher: Bencher, operation: impl Operation, core: &[usize], items: usize) {
    let data = numbers::<T>(items * core.iter().product::<usize>());
    let shape = [&[items], core].concat();
    let inputs = [Batch::new(
        View::contiguous(&data, &shape).unwrap(),
        core.len(),
        &[items],
    )];
    let length: usize = operation.output_core(&[core]).iter().product();
    let mut out = vec![T::ZERO; items * length];
    bencher.counter(ItemsCount::new(items)).bench_local(|| {
        operation
            .forward(black_box(&inputs), &mut out, &Control::default())
            .unwrap();
    });
}

fn vjp<T: Compute>(
    bencher: Bencher,
    operation: impl Operation,
    core: &[usize],
    items: usize,
    saved: bool,
) {
    let data = numbers::<T>(items * core.iter().product::<usize>());
    let shape = [&[items], core].concat();
    let inputs = [Batch::new(
        View::contiguous(&data, &shape).unwrap(),
        core.len(),
        &[items],
    )];
    let weights = numbers::<T>(items * 8 * JOINTS);
    let view = View::contiguous(&weights, &[items, 8 * JOINTS]).unwrap();
    let cotangent = Batch::new(view, 1, &[items]);
    let mut output = vec![T::ZERO; items * 8 * JOINTS];
    operation
        .forward(&inputs, &mut output, &Control::default())
        .unwrap();
    let view = View::contiguous(&output, &[items, 8 * JOINTS]).unwrap();
    let output = Batch::new(view, 1, &[items]);
    let mut gradient = vec![T::ZERO; data.len()];
    bencher.counter(ItemsCount::new(items)).bench_local(|| {
        let mut gradients = [Gradient::PerItem(&mut gradient)];
        let output = saved.then_some(&output);
        operation
            .vjp(
                black_box(&inputs),
                output,
                &cotangent,
                &mut gradients,
                &Control::default(),
            )
            .unwrap();
    });
}

#[divan::bench(types = [f32, f64], args = BATCHES)]
fn model_forward<T: Compute>(bencher: Bencher, items: usize) {
    let prepared = character();
    let operation = ModelParametersToSkeletonState { prepared };
    forward::<T>(bencher, operation, &[PARAMETERS], items);
}

#[divan::bench(types = [f32, f64], args = BATCHES)]
fn model_vjp<T: Compute>(bencher: Bencher, items: usize) {
    let prepared = character();
    let operation = ModelParametersToSkeletonState { prepared };
    vjp::<T>(bencher, operation, &[PARAMETERS], items, false);
}

#[divan::bench(types = [f32, f64], args = BATCHES)]
fn model_vjp_with_output<T: Compute>(bencher: Bencher, items: usize) {
    let prepared = character();
    let operation = ModelParametersToSkeletonState { prepared };
    vjp::<T>(bencher, operation, &[PARAMETERS], items, true);
}

#[divan::bench(types = [f32, f64], args = BATCHES)]
fn joint_forward<T: Compute>(bencher: Bencher, items: usize) {
    let prepared = character();
    let operation = JointParametersToSkeletonState { prepared };
    forward::<T>(bencher, operation, &[JOINTS, 7], items);
}

#[divan::bench(types = [f32, f64], args = BATCHES)]
fn joint_vjp<T: Compute>(bencher: Bencher, items: usize) {
    let prepared = character();
    let operation = JointParametersToSkeletonState { prepared };
    vjp::<T>(bencher, operation, &[JOINTS, 7], items, false);
}

#[divan::bench(types = [f32, f64], args = BATCHES)]
fn joint_vjp_with_output<T: Compute>(bencher: Bencher, items: usize) {
    let prepared = character();
    let operation = JointParametersToSkeletonState { prepared };
    vjp::<T>(bencher, operation, &[JOINTS, 7], items, true);
}

#[divan::bench(types = [f32, f64], args = BATCHES)]
fn parameter_transform<T: Compute>(bencher: Bencher, items: usize) {
    let prepared = character();
    let operation = ApplyParameterTransform {
        transform: prepared.transform().clone(),
        flatten: true,
    };
    forward::<T>(bencher, operation, &[PARAMETERS], items);
}

/// The floor: writing the output of a batch.
#[divan::bench(args = [4096])]
fn memory_write(bencher: Bencher, items: usize) {
    let mut out = vec![0.0_f32; items * 8 * JOINTS];
    bencher.counter(ItemsCount::new(items)).bench_local(|| {
        black_box(&mut out).fill(black_box(1.0));
    });
}

/// The same with memory fresh from the system.
#[divan::bench(args = [4096])]
fn model_forward_into_fresh_memory(bencher: Bencher, items: usize) {
    let prepared = character();
    let operation = ModelParametersToSkeletonState { prepared };
    let data = numbers::<f32>(items * PARAMETERS);
    let view = View::contiguous(&data, &[items, PARAMETERS]).unwrap();
    let inputs = [Batch::new(view, 1, &[items])];
    bencher.counter(ItemsCount::new(items)).bench_local(|| {
        let mut out = vec![0.0_f32; items * 8 * JOINTS];
        operation
            .forward(&inputs, &mut out, &Control::default())
            .unwrap();
        out
    });
}
