//! States to joint parameters against forward kinematics, and derivatives against differences.

use nalgebra::{Matrix3, Quaternion, UnitQuaternion, Vector3};
use std::f64::consts::{FRAC_PI_2, PI};

use super::*;
use crate::backend::operations::checks::{Argument, assert_derivatives, forward, jvp, vjp};
use crate::backend::operations::testing::{character, isas};
use crate::backend::operations::{
    JointParametersToLocalSkeletonState, JointParametersToSkeletonState,
};
use crate::character::{Character, CharacterParts, Joint, ParameterTransform, Skeleton};

const JOINTS: usize = 9;

/// The matrix of a state, for a quaternion of any length.
fn matrix(state: &[f64]) -> (Matrix3<f64>, Vector3<f64>) {
    let q = Quaternion::new(state[6], state[3], state[4], state[5]);
    let r = UnitQuaternion::new_normalize(q).to_rotation_matrix();
    (
        r.into_inner() * state[7],
        Vector3::new(state[0], state[1], state[2]),
    )
}

fn assert_same_states<T: Compute>(got: &[T], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len());
    for (index, (got, want)) in got.chunks(8).zip(want.chunks(8)).enumerate() {
        let got: Vec<f64> = got.iter().map(|x| x.to_f64()).collect();
        let ((r, t), (r_want, t_want)) = (matrix(&got), matrix(want));
        let error = (r - r_want).abs().max().max((t - t_want).abs().max());
        let size = 1.0 + r_want.abs().max() + t_want.abs().max();
        assert!(
            error < tolerance * size,
            "{what}: state {index} is {got:?}, not {want:?}: off by {error}"
        );
    }
}

/// States of poses with all parameters at random, angles up to `angle`, their quaternions made longer or shorter and turned
/// to their negatives here and there.
fn states<T: Compute>(
    prepared: &Arc<Prepared>,
    batch: &[usize],
    local: bool,
    angle: f64,
) -> Argument<T> {
    let mut shape = batch.to_vec();
    shape.extend([JOINTS, 7]);
    let mut parameters = Argument::<f64>::noise(&shape, 3);
    for seven in parameters.data.chunks_mut(7) {
        (3..6).for_each(|k| seven[k] *= angle);
        seven[6] *= 0.3;
    }
    let views = [parameters.view()];
    let mut states = if local {
        forward(
            &JointParametersToLocalSkeletonState {
                prepared: prepared.clone(),
            },
            &views,
        )
    } else {
        forward(
            &JointParametersToSkeletonState {
                prepared: prepared.clone(),
            },
            &views,
        )
    };
    for (index, state) in states.data.chunks_mut(8).enumerate() {
        let factor = [1.0, -2.0, 0.25, -1.0][index % 4];
        state[3..7].iter_mut().for_each(|q| *q *= factor);
    }
    Argument::new(&states.shape, states.data)
}

#[test]
fn forward_kinematics_of_the_parameters_gives_the_states_again() {
    fn check<T: Compute>(tolerance: f64) {
        let prepared = character(5, JOINTS);
        for batch in [&[][..], &[1], &[5], &[2, 3], &[0], &[40]] {
            let f64s = |data: &[T]| -> Vec<f64> { data.iter().map(|x| x.to_f64()).collect() };
            let world = states::<T>(&prepared, batch, false, 2.0);
            let local = states::<T>(&prepared, batch, true, 2.0);
            for isa in isas() {
                let mut shape = batch.to_vec();
                shape.extend([JOINTS, 7]);
                let mut out = Argument::<T>::noise(&shape, 1);
                let input = Batch::new(world.view(), 2, batch);
                SkeletonStateToJointParameters {
                    prepared: prepared.clone(),
                }
                .map_on(isa, &input, None, &mut out.data, &Control::default())
                .unwrap();
                let again = forward(
                    &JointParametersToSkeletonState {
                        prepared: prepared.clone(),
                    },
                    &[out.view()],
                );
                assert_same_states(&again.data, &f64s(&world.data), tolerance, isa.name());

                let input = Batch::new(local.view(), 2, batch);
                LocalSkeletonStateToJointParameters {
                    prepared: prepared.clone(),
                }
                .map_on(isa, &input, None, &mut out.data, &Control::default())
                .unwrap();
                let again = forward(
                    &JointParametersToLocalSkeletonState {
                        prepared: prepared.clone(),
                    },
                    &[out.view()],
                );
                assert_same_states(&again.data, &f64s(&local.data), tolerance, isa.name());
            }
        }
    }
    check::<f32>(3e-6);
    check::<f64>(1e-14);
}

/// One joint, without anything of its own.
fn one_joint() -> Arc<Prepared> {
    let skeleton = Skeleton::new(vec![Joint::new("root", None, [0.0; 3])]).unwrap();
    let transform = ParameterTransform::identity(&skeleton);
    let parts = CharacterParts::new("one", skeleton, transform);
    Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())))
}

fn rotation([rx, ry, rz]: [f64; 3]) -> UnitQuaternion<f64> {
    let axis = |axis, angle| UnitQuaternion::from_axis_angle(&axis, angle);
    axis(Vector3::z_axis(), rz) * axis(Vector3::y_axis(), ry) * axis(Vector3::x_axis(), rx)
}

fn state_of(q: UnitQuaternion<f64>) -> [f64; 8] {
    [0.0, 0.0, 0.0, q.i, q.j, q.k, q.w, 1.0]
}

#[test]
fn angles_are_those_with_ry_within_a_quarter_turn() {
    let prepared = one_joint();
    let operation = SkeletonStateToJointParameters { prepared };
    let state = Argument::<f64>::new(&[1, 8], state_of(rotation([0.3, 2.0, 0.4])));
    let got = forward(&operation, &[state.view()]).data;
    for (got, want) in got[3..6].iter().zip([0.3 - PI, PI - 2.0, 0.4 - PI]) {
        assert!((got - want).abs() < 1e-15, "{got} is not {want}");
    }
    let still = Argument::<f32>::new(&[1, 8], [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    let got = forward(&operation, &[still.view()]).data;
    assert_eq!(got, [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn nothing_is_lost_near_gimbal_lock() {
    fn check<T: Compute>(tolerance: f64) {
        let prepared = one_joint();
        let operation = SkeletonStateToJointParameters { prepared };
        for side in [-1.0, 1.0] {
            for gap in [0.0, 1e-15, 1e-12, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.1] {
                for [rx, rz] in [[0.0, 0.0], [0.3, -0.4], [-2.0, 1.5], [3.0, 3.0]] {
                    let ry = side * (FRAC_PI_2 - gap);
                    let want = rotation([rx, ry, rz]);
                    let state = Argument::<T>::new(&[1, 8], state_of(want));
                    let got = forward(&operation, &[state.view()]).data;
                    let angles: [f64; 3] = std::array::from_fn(|k| got[3 + k].to_f64());
                    let again = rotation(angles).to_rotation_matrix();
                    let error = (again.into_inner() - want.to_rotation_matrix().into_inner())
                        .abs()
                        .max();
                    assert!(error < tolerance, "{angles:?}: rotation off by {error}");
                    assert!(
                        (angles[1] - ry).abs() < tolerance,
                        "ry is {}, not {ry}",
                        angles[1]
                    );
                    if gap == 0.0 {
                        assert_eq!(angles[0], 0.0, "rx in gimbal lock");
                    }
                    let along = Argument::<T>::noise(&[1, 8], 6);
                    let pushed = jvp(&operation, &[state.view()], &[Some(along.view())]);
                    let along = Argument::<T>::noise(&[1, 7], 7);
                    let pulled = &vjp(
                        &operation,
                        &[Argument::<T>::new(&[1, 1, 8], state_of(want)).view()],
                        &Argument {
                            data: along.data,
                            shape: vec![1, 1, 7],
                        },
                    )[0];
                    for x in pushed.data.iter().chain(pulled) {
                        assert!(x.to_f64().is_finite(), "gap {gap}");
                    }
                }
            }
        }
    }
    check::<f32>(1.3e-6);
    check::<f64>(3e-15);
}

#[test]
fn derivatives_agree_with_differences_and_with_each_other() {
    let prepared = character(6, JOINTS);
    for batch in [&[][..], &[1], &[5], &[2, 3], &[0], &[20]] {
        assert_derivatives(
            &SkeletonStateToJointParameters {
                prepared: prepared.clone(),
            },
            &[states(&prepared, batch, false, 1.3)],
        );
        assert_derivatives(
            &LocalSkeletonStateToJointParameters {
                prepared: prepared.clone(),
            },
            &[states(&prepared, batch, true, 1.3)],
        );
    }
}

#[test]
fn nan_stays_with_the_joint_and_scales_without_a_logarithm_show() {
    let prepared = one_joint();
    let operation = SkeletonStateToJointParameters { prepared };
    let mut state = Argument::<f32>::new(&[3, 1, 8], [[0.0; 8]; 3].concat());
    for state in state.data.chunks_mut(8) {
        (state[6], state[7]) = (1.0, 1.0);
    }
    state.data[4] = f32::NAN;
    state.data[15] = -1.0;
    state.data[23] = 0.0;
    let got = forward(&operation, &[state.view()]).data;
    assert!(got[3..6].iter().all(|x| x.is_nan()) && got[..3] == [0.0; 3]);
    assert!(got[7 + 6].is_nan());
    assert_eq!(got[14 + 6], f32::NEG_INFINITY);
}

#[test]
fn a_wrong_shape_is_named() {
    let prepared = one_joint();
    let operation = LocalSkeletonStateToJointParameters { prepared };
    assert_eq!(
        operation.core_rank(0, &[3, 2, 8]).unwrap_err().to_string(),
        "local_skel_state: expected (..., 1, 8) = (..., n_joints, 8), got (3, 2, 8)"
    );
}
