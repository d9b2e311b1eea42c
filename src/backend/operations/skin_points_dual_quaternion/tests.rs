use super::*;
use crate::backend::operations::checks::{Argument, assert_derivatives, forward, noise};
use crate::backend::operations::{SkinPoints, testing};
use crate::character::{Character, Mesh, MeshParts, SkinWeights};

const VERTICES: usize = 11;
const JOINTS: usize = 5;

/// Three joints a vertex, one vertex with one joint, one with none; bound by similarities.
fn prepared() -> Arc<Prepared> {
    let mut parts = testing::character(3, JOINTS).character().parts();
    let mut index: Vec<u32> = (0..VERTICES as u32 * 3).map(|at| at * 7 % 5).collect();
    let mut weight: Vec<f64> = noise(VERTICES * 3, 2).iter().map(|x| 1.1 + x).collect();
    weight[3..6].copy_from_slice(&[0.0, 0.7, 0.0]);
    weight[6..9].fill(0.0);
    index[6] = 4;
    let vertices = noise(VERTICES * 3, 1).into();
    parts.mesh = Some(Arc::new(
        Mesh::new(MeshParts {
            vertices,
            ..MeshParts::default()
        })
        .unwrap(),
    ));
    parts.skin_weights = Some(Arc::new(SkinWeights::new(3, index, weight.into()).unwrap()));
    parts.inverse_bind_pose = Arc::default();
    let mut parts = Character::new(parts).unwrap().parts();
    let scales = [1.0, 0.5, 2.0, 1.5, 0.8];
    for (matrix, scale) in Arc::make_mut(&mut parts.inverse_bind_pose)
        .iter_mut()
        .zip(scales)
    {
        matrix[..12].iter_mut().for_each(|x| *x *= scale);
    }
    Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())))
}

/// States with quaternions of any length and sign.
fn states(batch: &[usize], seed: u64) -> Argument<f64> {
    let mut shape = batch.to_vec();
    shape.extend([JOINTS, 8]);
    let mut states = Argument::noise(&shape, seed);
    for state in states.data.chunks_mut(8) {
        state[7] = 1.2 + 0.5 * state[7];
        state[6] += 0.3;
    }
    states
}

#[test]
fn derivatives_agree_with_differences_and_with_each_other() {
    let prepared = prepared();
    for batch in [&[][..], &[1], &[17], &[2, 3], &[0]] {
        let without = SkinPointsDualQuaternion::new(&prepared, false).unwrap();
        assert_derivatives(&without, &[states(batch, 5)]);
        let with = SkinPointsDualQuaternion::new(&prepared, true).unwrap();
        let shared = Argument::noise(&[VERTICES, 3], 6);
        assert_derivatives(&with, &[states(batch, 7), shared]);
        let mut shape = batch.to_vec();
        shape.extend([VERTICES, 3]);
        let own = Argument::noise(&shape, 8);
        assert_derivatives(&with, &[states(batch, 9), own]);
    }
}

#[test]
fn where_all_joints_move_alike_it_is_linear_blend_skinning() {
    let prepared = prepared();
    let character = prepared.character();
    // The bind poses of all joints times one motion: M_j B_j is the same matrix for every joint.
    let mut together = Vec::new();
    for matrix in character.bind_pose().unwrap() {
        let m = nalgebra::Matrix4::from_row_slice(&matrix);
        let linear = m.fixed_view::<3, 3>(0, 0).into_owned();
        let scale = linear.determinant().cbrt();
        let q = nalgebra::UnitQuaternion::from_matrix(&(linear / scale));
        let turn = nalgebra::UnitQuaternion::from_euler_angles(0.4, -1.2, 2.0);
        let moved = (turn * nalgebra::Vector3::new(m[(0, 3)], m[(1, 3)], m[(2, 3)])) * 1.5
            + nalgebra::Vector3::new(0.3, 2.0, -1.0);
        let q = turn * q;
        together.extend([moved.x, moved.y, moved.z, q.i, q.j, q.k, q.w, scale * 1.5]);
    }
    let together = Argument::<f64>::new(&[JOINTS, 8], together);
    let dual = SkinPointsDualQuaternion::new(&prepared, false).unwrap();
    let normalized = {
        let mut parts = character.parts();
        parts.skin_weights = parts.skin_weights.map(|w| Arc::new(w.normalized()));
        Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())))
    };
    let linear = SkinPoints::new(&normalized, false).unwrap();
    let got = forward(&dual, &[together.view()]).data;
    let want = forward(&linear, &[together.view()]).data;
    for (got, want) in got.iter().zip(&want) {
        assert!((got - want).abs() < 1e-12, "{got} is not {want}");
    }
    // The vertex without weights.
    assert_eq!(got[6..9], [0.0; 3]);
}

#[test]
fn the_sign_of_a_quaternion_means_nothing() {
    let prepared = prepared();
    let dual = SkinPointsDualQuaternion::new(&prepared, false).unwrap();
    let states = states(&[], 11);
    let want = forward(&dual, &[states.view()]).data;
    for joint in 0..JOINTS {
        let mut flipped = states.clone();
        for c in 3..7 {
            flipped.data[joint * 8 + c] *= -2.0;
        }
        let got = forward(&dual, &[flipped.view()]).data;
        assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}

#[test]
fn a_bind_pose_that_shears_is_refused_by_name() {
    let mut parts = prepared().character().parts();
    Arc::make_mut(&mut parts.inverse_bind_pose)[4][1] += 0.5;
    let prepared = Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())));
    let error = SkinPointsDualQuaternion::new(&prepared, false).unwrap_err();
    assert!(error.to_string().starts_with("joint 'joint4': "), "{error}");
}
