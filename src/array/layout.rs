//! Shapes and strides, counted in elements.

use super::axes::Axes;
use crate::error::{Error, Result};

/// The size of each axis.
pub type Shape = Axes<usize>;

/// Signed strides in elements; negative and zero are ordinary.
pub type Strides = Axes<isize>;

/// The row-major strides of `shape`.
#[must_use]
pub fn contiguous_strides(shape: &[usize]) -> Strides {
    let mut strides: Strides = Axes::from_elem(0, shape.len());
    let mut step = 1_isize;
    for (stride, &size) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step = step.wrapping_mul(size.max(1) as isize);
    }
    strides
}

/// The number of elements of `shape`; `None` where it does not fit in memory.
#[must_use]
#[inline]
pub fn element_count(shape: &[usize]) -> Option<usize> {
    let (mut count, mut overflow, mut empty) = (1_usize, false, false);
    for &size in shape {
        let (product, over) = count.overflowing_mul(size);
        count = product;
        overflow |= over;
        empty |= size == 0;
    }
    if empty {
        return Some(0);
    }
    (!overflow && count <= isize::MAX as usize).then_some(count)
}

/// Broadcasts shapes by NumPy's rule: aligned at the last axis, size 1 stretches.
///
/// # Errors
/// [`Error::Shape`] naming both shapes where an axis differs and neither is 1.
pub fn broadcast_shapes(what: &str, shapes: &[&[usize]]) -> Result<Shape> {
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let mut result: Shape = Axes::from_elem(1, rank);
    for shape in shapes {
        let skip = rank - shape.len();
        for (axis, &size) in shape.iter().enumerate() {
            let joint = &mut result[skip + axis];
            if *joint == size || size == 1 {
                continue;
            }
            if *joint != 1 {
                let all = shapes
                    .iter()
                    .map(|shape| show_shape(shape))
                    .collect::<Vec<_>>()
                    .join(" and ");
                return Err(Error::shape(
                    what,
                    "batch axes that broadcast (equal, or 1)",
                    all,
                ));
            }
            *joint = size;
        }
    }
    Ok(result)
}

/// A shape as Python would print it.
#[must_use]
pub fn show_shape(shape: &[usize]) -> String {
    match shape {
        [] => "()".into(),
        [one] => format!("({one},)"),
        many => format!(
            "({})",
            many.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_broadcast_by_numpys_rule() {
        let joint = broadcast_shapes("x", &[&[3, 1], &[1, 4], &[4]]).unwrap();
        assert_eq!(*joint, [3, 4]);
        assert_eq!(*broadcast_shapes("x", &[&[0], &[1]]).unwrap(), [0]);
        let error = broadcast_shapes("x", &[&[3], &[4]])
            .unwrap_err()
            .to_string();
        assert!(error.contains("(3,) and (4,)"), "{error}");
    }

    #[test]
    fn an_absurd_shape_has_no_count() {
        assert_eq!(element_count(&[usize::MAX, 2]), None);
        assert_eq!(element_count(&[usize::MAX, 0, 2]), Some(0));
    }
}
