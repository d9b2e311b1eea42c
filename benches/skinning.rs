//! Skinning and its derivatives. `KINARRAY_ISA=baseline|avx2` narrows the instruction set.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;
use kinarray::array::{Batch, View};
use kinarray::backend::cpu::set_num_threads;
use kinarray::backend::operations::SkinPoints;
use kinarray::backend::{Control, Gradient, Operation};
use kinarray::character::{
    Character, CharacterParts, Joint, Mesh, MeshParts, ParameterTransform, Skeleton, SkinWeights,
};
use kinarray::kinematics::Prepared;

const N_JOINTS: usize = 127;

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

/// A mesh whose neighbouring vertices hang on neighbouring joints.
fn character(n_vertices: usize, n_influences: usize) -> Prepared {
    let joints = (0..N_JOINTS)
        .map(|j| Joint::new(format!("j{j}"), j.checked_sub(1), [0.0, 0.1, 0.0]))
        .collect();
    let skeleton = Skeleton::new(joints).unwrap();
    let transform = ParameterTransform::identity(&skeleton);
    let mut parts = CharacterParts::new("bench", skeleton, transform);
    parts.mesh = Some(Arc::new(
        Mesh::new(MeshParts {
            vertices: noise(n_vertices * 3, 1).into(),
            ..MeshParts::default()
        })
        .unwrap(),
    ));
    let index = (0..n_vertices * n_influences)
        .map(|slot| {
            let (vertex, k) = (slot / n_influences, slot % n_influences);
            ((vertex * N_JOINTS / n_vertices + 3 * k) % N_JOINTS) as u32
        })
        .collect();
    let weights = vec![1.0 / n_influences as f32; n_vertices * n_influences];
    parts.skin_weights = Some(Arc::new(
        SkinWeights::new(n_influences, index, weights.into()).unwrap(),
    ));
    Prepared::new(Arc::new(Character::new(parts).unwrap()))
}

const CASES: [(usize, usize, usize); 6] = [
    (18_439, 4, 1),
    (18_439, 4, 3),
    (18_439, 4, 4),
    (18_439, 4, 16),
    (20_000, 4, 256),
    (50_000, 8, 256),
];

#[divan::bench(args = CASES, max_time = 2)]
fn forward(bencher: Bencher, (vertices, influences, poses): (usize, usize, usize)) {
    let prepared = character(vertices, influences);
    let operation = SkinPoints::new(&prepared, false).unwrap();
    let states = noise(poses * N_JOINTS * 8, 2);
    let view = View::contiguous(&states, &[poses, N_JOINTS, 8]).unwrap();
    let inputs = [Batch::new(view, 2, &[poses])];
    let mut out = vec![0.0_f32; poses * vertices * 3];
    bencher
        .counter(BytesCount::of_slice(&out[..]))
        .bench_local(|| operation.forward(&inputs, &mut out, &Control::default()));
}

#[divan::bench(args = CASES, max_time = 2)]
fn vjp(bencher: Bencher, (vertices, influences, poses): (usize, usize, usize)) {
    let prepared = character(vertices, influences);
    let operation = SkinPoints::new(&prepared, false).unwrap();
    let states = noise(poses * N_JOINTS * 8, 2);
    let view = View::contiguous(&states, &[poses, N_JOINTS, 8]).unwrap();
    let inputs = [Batch::new(view, 2, &[poses])];
    let cotangent = noise(poses * vertices * 3, 3);
    let view = View::contiguous(&cotangent, &[poses, vertices, 3]).unwrap();
    let cotangent = Batch::new(view, 2, &[poses]);
    let mut gradient = vec![0.0_f32; states.len()];
    bencher
        .counter(BytesCount::of_slice(cotangent.as_slice().unwrap()))
        .bench_local(|| {
            let mut gradients = [Gradient::PerItem(&mut gradient[..])];
            operation.vjp(
                &inputs,
                None,
                &cotangent,
                &mut gradients,
                &Control::default(),
            )
        });
}
