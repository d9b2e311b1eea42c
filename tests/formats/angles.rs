//! Rotations as joint parameters: exact, also in gimbal lock, and without jumps.

use kinarray::io::angles::{euler_near, euler_xyz, matrix};
use nalgebra::{Matrix3, UnitQuaternion};
use std::f64::consts::{FRAC_PI_2, PI, TAU};

fn rotation([x, y, z]: [f64; 3]) -> Matrix3<f64> {
    matrix(&UnitQuaternion::from_euler_angles(x, y, z))
}

const ANGLES: [[f64; 3]; 5] = [
    [0.3, -0.4, 1.2],
    [0.7, FRAC_PI_2, -0.2],
    [0.7, -FRAC_PI_2, 0.9],
    [3.0, FRAC_PI_2 - 1e-9, 2.0],
    [0.3, 2.0, 0.4],
];

#[test]
fn euler_angles_give_the_rotation_back() {
    for angles in ANGLES {
        let wanted = rotation(angles);
        let error = (wanted - rotation(euler_xyz(&wanted))).norm();
        assert!(error < 1e-14, "{angles:?} {error}");
    }
}

#[test]
fn the_nearest_angles_are_those_we_came_from() {
    for angles in ANGLES {
        for turns in [[0.0, 0.0, 0.0], [1.0, 0.0, -2.0], [-1.0, 3.0, 0.0]] {
            let previous = std::array::from_fn(|at| angles[at] + TAU * turns[at] + 0.01);
            let got = euler_near(&rotation(angles), previous);
            let error = (rotation(angles) - rotation(got)).norm();
            assert!(error < 1e-13, "{angles:?} {error}");
            for at in 0..3 {
                assert!(
                    (got[at] - previous[at]).abs() < 0.03,
                    "{got:?} {previous:?}"
                );
            }
        }
    }
}

#[test]
fn curves_pass_gimbal_lock_without_a_jump() {
    let mut previous = [0.1, 0.0, 0.2];
    for step in 0..=1000 {
        let ry = 4.0 * PI * f64::from(step) / 1000.0;
        let got = euler_near(&rotation([0.1, ry, 0.2]), previous);
        for (got, wanted) in got.iter().zip([0.1, ry, 0.2]) {
            assert!((got - wanted).abs() < 1e-6, "{step}: {got} {wanted}");
        }
        previous = got;
    }
}
