//! Derivatives of every function of the algebra.

use super::*;
use crate::backend::operations::Pointwise;
use crate::backend::operations::checks::{Argument, assert_derivatives};

fn noise(shapes: &[&[usize]]) -> Vec<Argument<f64>> {
    (1..)
        .zip(shapes)
        .map(|(seed, shape)| Argument::noise(shape, seed))
        .collect()
}

#[test]
fn derivatives_agree_with_differences() {
    let (t, r, s): (&[usize], &[usize], &[usize]) = (&[5, 3], &[5, 3, 3], &[5, 1]);
    let mut whole = noise(&[t, r, s]);
    whole[2].data.iter_mut().for_each(|s| *s = s.abs() + 0.5);
    assert_derivatives(&Pointwise(TransformPoints), &noise(&[t, r, s, t]));
    assert_derivatives(&Pointwise(MultiplyTranslation), &noise(&[t, r, s, t]));
    assert_derivatives(&Pointwise(MultiplyScale), &noise(&[s, s]));
    assert_derivatives(&Pointwise(InverseTranslation), &whole);
    assert_derivatives(&Pointwise(InverseScale), &whole[2..]);
    assert_derivatives(&Pointwise(MatrixInverse), &noise(&[r]));
    assert_derivatives(&Pointwise(MatrixMultiply), &noise(&[r, r]));
    assert_derivatives(&Pointwise(MatrixRotateVector), &noise(&[r, t]));
    assert_derivatives(&Pointwise(FromEulerXyz), &noise(&[t]));
    assert_derivatives(&Pointwise(ToMatrix), &whole);
    assert_derivatives(&Pointwise(ToSkeletonState), &whole);
    assert_derivatives(&Pointwise(FromSkeletonStateRotation), &noise(&[&[5, 8]]));
    let matrices = noise(&[&[5, 4, 4]]);
    assert_derivatives(&Pointwise(FromMatrixTranslation), &matrices);
    assert_derivatives(&Pointwise(FromMatrixRotation), &matrices);
    assert_derivatives(&Pointwise(FromMatrixScale), &matrices);
    assert_derivatives(
        &Pointwise(SlerpLine::<3> { column: false }),
        &noise(&[t, t, &[5]]),
    );
    assert_derivatives(
        &Pointwise(SlerpLine::<1> { column: true }),
        &noise(&[s, s, s]),
    );
    assert_derivatives(
        &Pointwise(SlerpRotation { column: true }),
        &noise(&[r, r, s]),
    );
    let condition = Argument::new(&[5, 1], [0.0, 1.0, 1.0, 0.0, 1.0]);
    let mut choice = noise(&[&[5, 1], &[5, 1]]);
    choice.push(condition);
    assert_derivatives(&Pointwise(Where), &choice);
}
