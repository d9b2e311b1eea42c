//! Derivatives of every function of the algebra, at random places and where they are delicate.

use super::*;
use crate::backend::operations::Pointwise;
use crate::backend::operations::checks::{
    Argument, assert_derivatives, assert_finite, forward, jvp,
};

fn noise(shapes: &[&[usize]]) -> Vec<Argument<f64>> {
    (5..)
        .zip(shapes)
        .map(|(seed, shape)| Argument::noise(shape, seed))
        .collect()
}

/// States with scales that are not near 0.
fn states(count: usize, seed: u64) -> Argument<f64> {
    let mut states = Argument::<f64>::noise(&[count, 8], seed);
    for state in states.data.chunks_mut(8) {
        state[7] = state[7].abs() + 0.5;
    }
    states
}

#[test]
fn derivatives_agree_with_differences() {
    let (a, b) = (states(6, 1), states(6, 2));
    let points = Argument::noise(&[6, 3], 3);
    assert_derivatives(&Pointwise(Multiply), &[a.clone(), b.clone()]);
    assert_derivatives(
        &Pointwise(MultiplyAssumeNormalized),
        &[a.clone(), b.clone()],
    );
    assert_derivatives(&Pointwise(TransformPoints), &[a.clone(), points.clone()]);
    assert_derivatives(
        &Pointwise(TransformPointsAssumeNormalized),
        &[a.clone(), points.clone()],
    );
    assert_derivatives(&Pointwise(Inverse), std::slice::from_ref(&a));
    assert_derivatives(&Pointwise(ToMatrix), std::slice::from_ref(&a));
    assert_derivatives(&Pointwise(FromTranslation), &[points]);
    assert_derivatives(&Pointwise(FromQuaternion), &noise(&[&[6, 4]]));
    assert_derivatives(&Pointwise(FromScale), &noise(&[&[6, 1]]));
    assert_derivatives(&Pointwise(Part::<8, 3, 4>), std::slice::from_ref(&a));
    let t = Argument::noise(&[6], 4);
    assert_derivatives(&Pointwise(Slerp { column: false }), &[a, b, t]);
    // Any matrix, also one that mirrors; the singular values are apart.
    assert_derivatives(&Pointwise(FromMatrix), &noise(&[&[6, 4, 4]]));
}

#[test]
fn matrices_of_states_move_as_the_states_do() {
    let mut states = states(9, 8);
    for state in states.data.chunks_mut(8) {
        let length = state[3..7].iter().map(|x| x * x).sum::<f64>().sqrt();
        let sign = state[6].signum();
        state[3..7].iter_mut().for_each(|x| *x *= sign / length);
    }
    states.data[7] *= -1.0; // turned inside out
    states.data[8..16].copy_from_slice(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    let mut rates = Argument::<f64>::noise(&[9, 8], 9);
    for (rate, state) in rates.data.chunks_mut(8).zip(states.data.chunks(8)) {
        let along: f64 = (3..7).map(|k| rate[k] * state[k]).sum();
        (3..7).for_each(|k| rate[k] -= along * state[k]);
    }
    let matrices = forward(&Pointwise(ToMatrix), &[states.view()]);
    let back = forward(&Pointwise(FromMatrix), &[matrices.view()]);
    let moved = jvp(
        &Pointwise(ToMatrix),
        &[states.view()],
        &[Some(rates.view())],
    );
    let pushed = jvp(
        &Pointwise(FromMatrix),
        &[matrices.view()],
        &[Some(moved.view())],
    );
    for k in 0..72 {
        assert!((back.data[k] - states.data[k]).abs() < 1e-14, "{k}");
        assert!((pushed.data[k] - rates.data[k]).abs() < 1e-13, "{k}");
    }
}

#[test]
fn where_derivatives_do_not_exist_they_are_finite() {
    let diagonal = |d: [f64; 3]| {
        let mut m = [0.0; 16];
        (m[0], m[5], m[10], m[15]) = (d[0], d[1], d[2], 1.0);
        Argument::new(&[4, 4], m)
    };
    for d in [
        [0.0, 0.0, 0.0],
        [1.0, 1.0, 1.0],
        [2.0, 2.0, 1.0],
        [1.0, 0.0, 0.0],
        [1.0, 1.0, -1.0],
        [-3.0, -3.0, -3.0],
        [1e-200, 1e-200, 1e-200],
    ] {
        assert_finite(&Pointwise(FromMatrix), &[diagonal(d)]);
    }
    let zero = Argument::new(&[8], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    let point = Argument::new(&[3], [1.0, 2.0, 3.0]);
    assert_finite(&Pointwise(Inverse), std::slice::from_ref(&zero));
    assert_finite(&Pointwise(ToMatrix), std::slice::from_ref(&zero));
    assert_finite(&Pointwise(TransformPoints), &[zero.clone(), point]);
    assert_finite(&Pointwise(Multiply), &[zero.clone(), zero]);
}
