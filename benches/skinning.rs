//! Skinning and its derivatives. `KINARRAY_ISA=baseline|avx2` narrows the instruction set.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;
use kinarray::array::{Batch, View};
use kinarray::backend::cpu::set_num_threads;
use kinarray::backend::operations::{
    ComputeVertexNormals, SkeletonStateToJointParameters, SkinPoints,
};
use kinarray::backend::{Control, Gradient, Operation};
use kinarray::character::{
    Character, CharacterParts, Joint, Mesh, MeshParts, ParameterTransform, Skeleton, SkinWeights,
};
use kinarray::kinematics::{NormalsPlan, Prepared};

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
fn character(n_vertices: usize, n_influences: usize) -> Arc<Prepared> {
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
    Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())))
}

const CASES: [(usize, usize, usize); 6] = [
    (18_439, 4, 1),
    (18_439, 4, 3),
    (18_439, 4, 4),
    (18_439, 4, 16),
    (20_000, 4, 256),
    (50_000, 8, 256),
];

#[divan::bench(args = CASES, max_time = 1)]
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

#[divan::bench(args = CASES, max_time = 1)]
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

#[divan::bench(args = [1, 16], max_time = 1)]
fn forward_in_double_precision(bencher: Bencher, poses: usize) {
    let (vertices, influences) = (18_439, 4);
    let prepared = character(vertices, influences);
    let operation = SkinPoints::new(&prepared, false).unwrap();
    let states: Vec<f64> = noise(poses * N_JOINTS * 8, 2)
        .into_iter()
        .map(f64::from)
        .collect();
    let view = View::contiguous(&states, &[poses, N_JOINTS, 8]).unwrap();
    let inputs = [Batch::new(view, 2, &[poses])];
    let mut out = vec![0.0_f64; poses * vertices * 3];
    bencher
        .counter(BytesCount::of_slice(&out[..]))
        .bench_local(|| operation.forward(&inputs, &mut out, &Control::default()));
}

/// Every pose with a rest mesh of its own.
#[divan::bench(args = [1, 16, 256], max_time = 1)]
fn forward_with_rest_meshes(bencher: Bencher, poses: usize) {
    let (vertices, influences) = (18_439, 4);
    let prepared = character(vertices, influences);
    let operation = SkinPoints::new(&prepared, true).unwrap();
    let states = noise(poses * N_JOINTS * 8, 2);
    let rests = noise(poses * vertices * 3, 3);
    let view = View::contiguous(&states, &[poses, N_JOINTS, 8]).unwrap();
    let rest = View::contiguous(&rests, &[poses, vertices, 3]).unwrap();
    let inputs = [Batch::new(view, 2, &[poses]), Batch::new(rest, 2, &[poses])];
    let mut out = vec![0.0_f32; poses * vertices * 3];
    bencher
        .counter(BytesCount::of_slice(&out[..]))
        .bench_local(|| operation.forward(&inputs, &mut out, &Control::default()));
}

/// 18,432 vertices and 36,450 triangles on a grid.
#[divan::bench(args = [1, 16], max_time = 1)]
fn normals(bencher: Bencher, poses: usize) {
    let (rows, columns) = (96_u32, 192_u32);
    let mut triangles = Vec::new();
    for row in 0..rows - 1 {
        for column in 0..columns - 1 {
            let corner = row * columns + column;
            triangles.push([corner, corner + 1, corner + columns]);
            triangles.push([corner + 1, corner + columns + 1, corner + columns]);
        }
    }
    let vertices = (rows * columns) as usize;
    let plan = Arc::new(NormalsPlan::new(triangles, vertices).unwrap());
    let operation = ComputeVertexNormals { plan };
    let points = noise(poses * vertices * 3, 4);
    let view = View::contiguous(&points, &[poses, vertices, 3]).unwrap();
    let inputs = [Batch::new(view, 2, &[poses])];
    let mut out = vec![0.0_f32; points.len()];
    bencher.bench_local(|| operation.forward(&inputs, &mut out, &Control::default()));
}

#[divan::bench(args = [1, 4096], max_time = 1)]
fn states_to_joint_parameters(bencher: Bencher, poses: usize) {
    let prepared = character(3, 1);
    let operation = SkeletonStateToJointParameters { prepared };
    let mut states = noise(poses * N_JOINTS * 8, 2);
    states.chunks_mut(8).for_each(|state| state[7] = 1.0);
    let view = View::contiguous(&states, &[poses, N_JOINTS, 8]).unwrap();
    let inputs = [Batch::new(view, 2, &[poses])];
    let mut out = vec![0.0_f32; poses * N_JOINTS * 7];
    bencher.bench_local(|| operation.forward(&inputs, &mut out, &Control::default()));
}
