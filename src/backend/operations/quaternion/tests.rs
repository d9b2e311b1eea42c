//! Derivatives of every function of the algebra, at random places and where they are delicate.

use super::*;
use crate::backend::Operation;
use crate::backend::operations::Pointwise;
use crate::backend::operations::checks::{
    Argument, assert_derivatives, assert_finite, forward, jvp,
};
use crate::math::EulerOrder;

const HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;
const IDENTITY: [f64; 4] = [0.0, 0.0, 0.0, 1.0];

fn noise(shapes: &[&[usize]]) -> Vec<Argument<f64>> {
    let seeds = 3..;
    shapes
        .iter()
        .zip(seeds)
        .map(|(shape, seed)| Argument::noise(shape, seed))
        .collect()
}

fn given(items: &[&[f64]]) -> Vec<Argument<f64>> {
    items
        .iter()
        .map(|item| Argument::new(&[item.len()], item.iter().copied()))
        .collect()
}

fn every_order() -> impl Iterator<Item = EulerOrder> {
    let letters = ["x", "y", "z"];
    let all = (0..54).map(move |n| {
        let order = [letters[n % 3], letters[n / 3 % 3], letters[n / 9 % 3]].concat();
        if n < 27 { order } else { order.to_uppercase() }
    });
    all.filter_map(|order| EulerOrder::parse(&order).ok())
}

#[test]
fn derivatives_agree_with_differences() {
    let (q, v): (&[usize], &[usize]) = (&[6, 4], &[6, 3]);
    let (one, two) = (noise(&[q]), noise(&[q, q]));
    assert_derivatives(&Pointwise(Normalize), &one);
    assert_derivatives(&Pointwise(Conjugate), &one);
    assert_derivatives(&Pointwise(Inverse), &one);
    assert_derivatives(&Pointwise(Multiply), &two);
    assert_derivatives(&Pointwise(MultiplyAssumeNormalized), &two);
    assert_derivatives(&Pointwise(RotateVector), &noise(&[q, v]));
    assert_derivatives(&Pointwise(RotateVectorAssumeNormalized), &noise(&[q, v]));
    assert_derivatives(&Pointwise(ToRotationMatrix), &one);
    assert_derivatives(&Pointwise(ToRotationMatrixAssumeNormalized), &one);
    assert_derivatives(&Pointwise(FromRotationMatrix), &noise(&[&[6, 3, 3]]));
    assert_derivatives(&Pointwise(FromAxisAngle), &noise(&[v]));
    assert_derivatives(&Pointwise(ToAxisAngle), &one);
    assert_derivatives(&Pointwise(AngularDistance), &two);
    assert_derivatives(&Pointwise(FromTwoVectors), &noise(&[v, v]));
    assert_derivatives(&Pointwise(AlignZWith), &noise(&[v]));
    assert_derivatives(&Pointwise(Slerp { column: false }), &noise(&[q, q, &[6]]));
    assert_derivatives(&Pointwise(Slerp { column: true }), &noise(&[q, q, &[6, 1]]));
    assert_eq!(every_order().count(), 24);
    for order in every_order() {
        assert_derivatives(&Pointwise(FromEuler(order)), &noise(&[v]));
        assert_derivatives(&Pointwise(ToEuler(order)), &noise(&[&[2, 4]]));
    }
}

#[test]
fn derivatives_agree_with_differences_at_the_identity_and_at_half_turns() {
    let long = [0.0, 0.0, 0.0, 3.0];
    for v in [
        [0.0; 3],
        [1e-9, 0.0, 0.0],
        [0.6, 0.8, 0.0],
        [0.0, 3.1, 0.0],
        [6.0, 9.0, 1.0],
    ] {
        assert_derivatives(&Pointwise(FromAxisAngle), &given(&[&v]));
    }
    for q in [IDENTITY, long, [0.0, 1e-9, 0.0, -1.0], [0.1, 0.0, 0.0, 1.0]] {
        assert_derivatives(&Pointwise(ToAxisAngle), &given(&[&q]));
        assert_derivatives(
            &Pointwise(Slerp { column: true }),
            &given(&[&q, &q, &[0.3]]),
        );
        for order in [EulerOrder::XYZ, EulerOrder::ZYX] {
            assert_derivatives(&Pointwise(ToEuler(order)), &given(&[&q]));
        }
    }
    // A half turn has two logarithms; on this side of it there is one.
    assert_derivatives(&Pointwise(ToAxisAngle), &given(&[&[0.6, 0.8, 0.0, 0.01]]));
    for m in [
        [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        [1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, -1.0],
        [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0],
        [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0],
    ] {
        assert_derivatives(&Pointwise(FromRotationMatrix), &[Argument::new(&[3, 3], m)]);
    }
    let (x, z) = ([2.0, 0.0, 0.0], [0.0, 0.0, 0.5]);
    assert_derivatives(&Pointwise(FromTwoVectors), &given(&[&x, &x]));
    assert_derivatives(&Pointwise(FromTwoVectors), &given(&[&x, &z]));
    assert_derivatives(&Pointwise(AlignZWith), &given(&[&z]));
}

#[test]
fn where_derivatives_do_not_exist_they_are_finite() {
    let zero = [0.0; 4];
    for q in [zero, IDENTITY, [0.6, 0.8, 0.0, 0.0], [0.0, HALF, 0.0, HALF]] {
        assert_finite(&Pointwise(Normalize), &given(&[&q]));
        assert_finite(&Pointwise(Inverse), &given(&[&q]));
        assert_finite(&Pointwise(Multiply), &given(&[&q, &IDENTITY]));
        assert_finite(&Pointwise(RotateVector), &given(&[&q, &[0.0; 3]]));
        assert_finite(&Pointwise(ToRotationMatrix), &given(&[&q]));
        assert_finite(&Pointwise(ToAxisAngle), &given(&[&q]));
        for p in [zero, q, q.map(|x| -x), [0.0, 0.0, 1.0, 0.0]] {
            assert_finite(&Pointwise(AngularDistance), &given(&[&q, &p]));
            assert_finite(
                &Pointwise(Slerp { column: true }),
                &given(&[&q, &p, &[0.5]]),
            );
        }
        for order in every_order() {
            assert_finite(&Pointwise(ToEuler(order)), &given(&[&q]));
        }
    }
    assert_finite(
        &Pointwise(FromRotationMatrix),
        &[Argument::new(&[3, 3], [0.0; 9])],
    );
    let a = [0.3, -0.4, 1.2];
    for b in [[0.0; 3], a, a.map(|x| -2.0 * x)] {
        assert_finite(&Pointwise(FromTwoVectors), &given(&[&a, &b]));
        assert_finite(&Pointwise(FromTwoVectors), &given(&[&[0.0; 3], &b]));
    }
    for z in [-1.0, 0.0, 1.0] {
        assert_finite(&Pointwise(AlignZWith), &given(&[&[0.0, 0.0, z]]));
    }
}

/// The rotations of what a function returns, and how they move, as one matrix jvp.
fn moved<O: Operation>(operation: &O, x: &Argument<f64>, dx: &Argument<f64>) -> Argument<f64> {
    jvp(operation, &[x.view()], &[Some(dx.view())])
}

#[test]
fn angles_in_gimbal_lock_move_the_rotation_as_it_moves() {
    // Along what changes of the angles can make: pushed forth and back, nothing is lost.
    for order in every_order() {
        let (compose, decompose) = (Pointwise(FromEuler(order)), Pointwise(ToEuler(order)));
        for middle in [0.0, 1.0, 0.5, -0.5].map(|half| half * std::f64::consts::PI) {
            let angles = Argument::new(&[3], [0.0, middle, 0.7]);
            let reversed = Argument::new(&[3], [0.7, middle, 0.0]);
            for angles in [angles, reversed] {
                let q = forward(&compose, &[angles.view()]);
                let read = forward(&decompose, &[q.view()]);
                let rates = Argument::new(&[3], [0.0, 0.4, 0.9]);
                let rates = if read.data[0] == 0.0 {
                    rates
                } else if read.data[2] == 0.0 {
                    Argument::new(&[3], [0.9, 0.4, 0.0])
                } else {
                    continue; // not in lock in this order
                };
                let dq = moved(&compose, &read, &rates);
                let q = forward(&compose, &[read.view()]);
                let got = moved(&decompose, &q, &dq);
                for (got, want) in got.data.iter().zip(&rates.data) {
                    assert!(
                        (got - want).abs() < 1e-12,
                        "{order:?} {read:?}: {got} {want}"
                    );
                }
            }
        }
    }
}

#[test]
fn opposite_directions_stay_connected_while_they_move() {
    let operation = Pointwise(FromTwoVectors);
    let (a, b) = ([0.3, -0.4, 1.2], [-0.6, 0.8, -2.4]);
    let arguments = given(&[&a, &b]);
    let q = forward(&operation, &[arguments[0].view(), arguments[1].view()]);
    let db = Argument::<f64>::new(&[3], [0.5, 0.1, -0.2]);
    let dq = jvp(
        &operation,
        &[arguments[0].view(), arguments[1].view()],
        &[None, Some(db.view())],
    );
    let rotate = Pointwise(RotateVector);
    let turned = forward(&rotate, &[q.view(), arguments[0].view()]);
    let moved = jvp(
        &rotate,
        &[q.view(), arguments[0].view()],
        &[Some(dq.view()), None],
    );
    // a turned is b at half its length, before and after.
    let along: f64 = (0..3).map(|c| b[c] * db.data[c]).sum::<f64>() / (2.6 * 2.6);
    for c in 0..3 {
        assert!((turned.data[c] - 0.5 * b[c]).abs() < 1e-14);
        let want = 0.5 * (db.data[c] - along * b[c]);
        assert!((moved.data[c] - want).abs() < 1e-14);
    }
}

#[test]
fn second_derivatives_come_from_the_same_formulas() {
    use crate::backend::operations::PointFunction;
    use crate::math::Dual;
    let q = [0.3, -0.2, 0.5, 0.7];
    let (direction, cotangent, h) = ([0.4, 0.1, -0.6, 0.2], [0.3, -0.5, 0.8], 1e-5);
    let at = |step: f64| {
        let q = std::array::from_fn(|k| q[k] + step * direction[k]);
        ToAxisAngle.pull(q, cotangent)
    };
    let moving = Dual::<f64, 1>::moving(q, direction);
    let got = ToAxisAngle.pull(moving, cotangent.map(Dual::constant));
    for k in 0..4 {
        let want = (at(h)[k] - at(-h)[k]) / (2.0 * h);
        assert!((got[k].tangent[0] - want).abs() < 1e-8);
    }
}
