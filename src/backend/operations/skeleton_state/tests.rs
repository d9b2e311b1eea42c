//! Forward kinematics against matrices, differences, and itself.

use super::*;
use crate::array::View;
use crate::backend::operations::testing::{
    Random, batches, cast, character, check_derivatives, forward, isas,
};
use nalgebra as na;

/// Poses by 4x4 matrices, as the conventions are written down; independent of the library's math.
fn oracle(prepared: &Prepared, joint_parameters: &[f64], local: bool) -> Vec<na::Matrix4<f64>> {
    let mut world: Vec<na::Matrix4<f64>> = Vec::new();
    let poses = joint_parameters.chunks(7);
    for (joint, p) in prepared.character().skeleton.joints().iter().zip(poses) {
        let o = joint.translation_offset;
        let [x, y, z, w] = joint.pre_rotation;
        let about = |axis: na::Vector3<f64>, angle: f64| {
            na::Rotation3::from_axis_angle(&na::Unit::new_unchecked(axis), angle).to_homogeneous()
        };
        let pre = na::UnitQuaternion::new_unchecked(na::Quaternion::new(w, x, y, z));
        let own =
            na::Matrix4::new_translation(&na::Vector3::new(o[0] + p[0], o[1] + p[1], o[2] + p[2]))
                * pre.to_homogeneous()
                * about(na::Vector3::z(), p[5])
                * about(na::Vector3::y(), p[4])
                * about(na::Vector3::x(), p[3])
                * na::Matrix4::new_scaling(p[6].exp2());
        world.push(match joint.parent {
            Some(parent) if !local => world[parent] * own,
            _ => own,
        });
    }
    world
}

/// The matrix of a state.
fn matrix(state: &[f64]) -> na::Matrix4<f64> {
    let [tx, ty, tz, x, y, z, w, s] = state.try_into().unwrap();
    let norm = (x * x + y * y + z * z + w * w).sqrt();
    assert!((norm - 1.0).abs() < 1e-5, "a quaternion of length {norm}");
    let turn = na::UnitQuaternion::from_quaternion(na::Quaternion::new(w, x, y, z));
    na::Matrix4::new_translation(&na::Vector3::new(tx, ty, tz))
        * turn.to_homogeneous()
        * na::Matrix4::new_scaling(s)
}

fn assert_poses<T: Compute>(
    prepared: &Prepared,
    joint_parameters: &[f64],
    states: &[T],
    local: bool,
) {
    let tolerance = if size_of::<T>() == 4 { 3e-5 } else { 2e-13 };
    let n_joints = prepared.character().skeleton.len();
    let poses = joint_parameters.chunks(7 * n_joints);
    for (pose, states) in poses.zip(states.chunks(8 * n_joints)) {
        for (want, state) in oracle(prepared, pose, local).iter().zip(states.chunks(8)) {
            let state: Vec<f64> = state.iter().map(|x| x.to_f64()).collect();
            let error = (matrix(&state) - want).abs().max();
            assert!(error <= tolerance * (1.0 + want.abs().max()), "{error}");
        }
    }
}

/// Joint parameters by the dense matrix.
fn dense(prepared: &Prepared, parameters: &[f64]) -> Vec<f64> {
    let transform = &prepared.character().parameter_transform;
    let rows = transform.to_dense();
    parameters
        .chunks(transform.len())
        .flat_map(|pose| {
            rows.chunks(transform.len())
                .map(|row| row.iter().zip(pose).map(|(a, b)| a * b).sum())
                .collect::<Vec<f64>>()
        })
        .collect()
}

fn agrees_with_matrices<T: Compute>() {
    for (seed, n_joints) in [(1, 1), (2, 2), (3, 23), (4, 60)] {
        let prepared = character(seed, n_joints);
        let n_parameters = prepared.transform().transform().len();
        // Around every width: one less, the same, one more, and several with a rest.
        for items in [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 40] {
            let mut random = Random(seed + items as u64);
            let model = random.numbers(items * n_parameters);
            let joint: Vec<f64> = random.numbers(items * 7 * n_joints);
            let driven = dense(&prepared, &model);
            let (model, joint32): (Vec<T>, Vec<T>) = (cast(&model), cast(&joint));
            let model = View::contiguous(&model, &[items, n_parameters]).unwrap();
            let flat = View::contiguous(&joint32, &[items, 7 * n_joints]).unwrap();
            let by_seven = View::contiguous(&joint32, &[items, n_joints, 7]).unwrap();
            for isa in isas() {
                let run = |op: &dyn Fn(&mut [T])| {
                    let mut out = vec![T::from_f64(f64::NAN); items * n_joints * 8];
                    op(&mut out);
                    out
                };
                let control = Control::default();
                macro_rules! check {
                    ($op:ident, $view:expr, $parameters:expr, $local:expr) => {
                        let op = $op {
                            prepared: prepared.clone(),
                        };
                        let (inputs, _, _) = batches(&op, std::slice::from_ref(&$view));
                        let got =
                            run(&|out| op.forward_on(isa, &inputs[0], out, &control).unwrap());
                        assert_poses(&prepared, $parameters, &got, $local);
                    };
                }
                check!(ModelParametersToSkeletonState, model, &driven, false);
                check!(ModelParametersToLocalSkeletonState, model, &driven, true);
                check!(JointParametersToSkeletonState, flat, &joint, false);
                check!(JointParametersToSkeletonState, by_seven, &joint, false);
                check!(JointParametersToLocalSkeletonState, by_seven, &joint, true);
            }
        }
    }
}

#[test]
fn states_agree_with_matrices_in_single_precision() {
    agrees_with_matrices::<f32>();
}

#[test]
fn states_agree_with_matrices_in_double_precision() {
    agrees_with_matrices::<f64>();
}

#[test]
fn derivatives_agree_with_differences_and_with_each_other() {
    let prepared = character(11, 14);
    let prepared = &prepared;
    let n_parameters = prepared.transform().transform().len();
    let leads: [&[usize]; 5] = [&[], &[1], &[5], &[2, 3], &[0]];
    for lead in leads {
        let shape = |core: &[usize]| [lead, core].concat();
        let data = |shape: &[usize]| Random(5).numbers(shape.iter().product());
        let model = shape(&[n_parameters]);
        let flat = shape(&[7 * 14]);
        let by_seven = shape(&[14, 7]);
        let op = ModelParametersToSkeletonState {
            prepared: prepared.clone(),
        };
        check_derivatives(&op, &[(data(&model), &model)]);
        let op = ModelParametersToLocalSkeletonState {
            prepared: prepared.clone(),
        };
        check_derivatives(&op, &[(data(&model), &model)]);
        let op = JointParametersToSkeletonState {
            prepared: prepared.clone(),
        };
        check_derivatives(&op, &[(data(&flat), &flat)]);
        check_derivatives(&op, &[(data(&by_seven), &by_seven)]);
        let op = JointParametersToLocalSkeletonState {
            prepared: prepared.clone(),
        };
        check_derivatives(&op, &[(data(&flat), &flat)]);
    }
}

#[test]
fn derivatives_are_alike_on_every_instruction_set_and_for_shared_inputs() {
    let prepared = character(12, 9);
    let op = ModelParametersToSkeletonState {
        prepared: prepared.clone(),
    };
    let n_parameters = prepared.transform().transform().len();
    let control = Control::default();
    for items in [3, 15, 17, 1200] {
        let mut random = Random(items as u64);
        let parameters = random.numbers(n_parameters);
        let weights = random.numbers(items * 9 * 8);
        let view = View::contiguous(&parameters, &[n_parameters]).unwrap();
        let input = Batch::new(view, 1, &[items]);
        let view = View::contiguous(&weights, &[items, 9, 8]).unwrap();
        let cotangent = Batch::new(view, 2, &[items]);
        let mut first: Option<Vec<f64>> = None;
        for isa in isas() {
            let saved = Saved {
                input: &input,
                output: None,
                cotangent: &cotangent,
            };
            let mut each = vec![f64::NAN; items * n_parameters];
            let mut shared = vec![f64::NAN; n_parameters];
            op.vjp_on(isa, saved, &mut [Gradient::PerItem(&mut each)], &control)
                .unwrap();
            op.vjp_on(isa, saved, &mut [Gradient::Shared(&mut shared)], &control)
                .unwrap();
            for (p, &sum) in shared.iter().enumerate() {
                let want: f64 = each.chunks(n_parameters).map(|row| row[p]).sum();
                assert!((sum - want).abs() < 1e-10 * items as f64);
            }
            let same = first.get_or_insert_with(|| each.clone());
            assert!(same.iter().zip(&each).all(|(a, b)| (a - b).abs() < 1e-11));
        }
    }
}

#[test]
fn any_strides_give_what_a_copy_gives() {
    let prepared = character(13, 8);
    let data = Random(3).numbers(6 * 56);
    // Poses last to first; and joints by parameters, transposed.
    let backwards = View::strided(&data, 5 * 56, [6, 56].into(), [-56, 1].into()).unwrap();
    let transposed = View::strided(&data, 0, [6, 8, 7].into(), [1, 6, 48].into()).unwrap();
    let op = JointParametersToSkeletonState { prepared };
    for view in [backwards, transposed] {
        let copy = view.to_vec();
        let plain = View::contiguous(&copy, view.shape()).unwrap();
        assert_eq!(forward(&op, &[view]), forward(&op, &[plain]));
    }
}

#[test]
fn a_large_batch_over_threads_equals_one_by_one() {
    let prepared = character(14, 40);
    let n_parameters = prepared.transform().transform().len();
    let op = ModelParametersToSkeletonState { prepared };
    let parameters: Vec<f32> = cast(&Random(8).numbers(3001 * n_parameters));
    let all = View::contiguous(&parameters, &[3001, n_parameters]).unwrap();
    let together = forward(&op, &[all]);
    for (pose, states) in parameters.chunks(n_parameters).zip(together.chunks(320)) {
        let alone = forward(&op, &[View::contiguous(pose, &[n_parameters]).unwrap()]);
        for (a, b) in alone.iter().zip(states) {
            assert!((a - b).abs() <= 2e-5 * (1.0 + b.abs()), "{a} {b}");
        }
    }
}

#[test]
fn not_a_number_stays_in_its_pose_and_below_its_joint() {
    let prepared = character(15, 30);
    let skeleton = &prepared.character().skeleton;
    let op = JointParametersToSkeletonState {
        prepared: prepared.clone(),
    };
    for (bad, odd) in [(f32::NAN, 4), (f32::INFINITY, 6), (-f32::INFINITY, 0)] {
        let mut parameters: Vec<f32> = cast(&Random(9).numbers(20 * 210));
        parameters[3 * 210 + 11 * 7 + odd] = bad;
        let view = View::contiguous(&parameters, &[20, 30, 7]).unwrap();
        let states = forward(&op, &[view]);
        for (at, state) in states.chunks(8).enumerate() {
            let hit = at / 30 == 3 && skeleton.is_ancestor(at % 30, 11);
            if !hit {
                assert!(state.iter().all(|x| x.is_finite()), "{at}");
            } else if bad.is_nan() {
                assert!(state.iter().any(|x| x.is_nan()), "{at}");
            }
        }
    }
}

#[test]
fn nothing_to_do_is_done() {
    let prepared = character(16, 0);
    let op = JointParametersToSkeletonState {
        prepared: prepared.clone(),
    };
    let none: [f64; 0] = [];
    for shape in [&[4, 0][..], &[4, 0, 7], &[0, 0]] {
        assert!(forward(&op, &[View::contiguous(&none, shape).unwrap()]).is_empty());
    }
    let prepared = character(17, 3);
    let op = JointParametersToSkeletonState { prepared };
    assert!(forward(&op, &[View::contiguous(&none, &[2, 0, 21]).unwrap()]).is_empty());
}

#[test]
fn wrong_shapes_are_explained() {
    let prepared = character(18, 5);
    let op = ModelParametersToSkeletonState {
        prepared: prepared.clone(),
    };
    assert_eq!(
        op.core_rank(0, &[4, 12]).unwrap_err().to_string(),
        "model_parameters: expected (..., 13) = (..., n_parameters), got (4, 12)"
    );
    assert!(op.core_rank(0, &[]).is_err());
    let op = JointParametersToSkeletonState { prepared };
    assert_eq!(op.core_rank(0, &[35]), Ok(1));
    assert_eq!(op.core_rank(0, &[5, 7]), Ok(2));
    assert_eq!(
        op.core_rank(0, &[6, 7]).unwrap_err().to_string(),
        "joint_parameters: expected (..., 5, 7) = (..., n_joints, 7) or (..., 35) = \
         (..., 7 * n_joints), got (6, 7)"
    );
}
