//! Distances to a surface, sampled on a grid, and where a joint carries such a grid.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::Reals;
use crate::error::{Error, Result};

/// Signed distances on a regular grid, negative inside.
///
/// Value `(i, j, k)` belongs to the point `min + (i, j, k) · voxel`, where a voxel is the extent of the
/// bounds divided by the resolution: the last samples lie one voxel inside the upper bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct SignedDistanceField {
    bounds: [[f64; 3]; 2],
    resolution: [usize; 3],
    values: Reals,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    bounds: [[f64; 3]; 2],
    resolution: [usize; 3],
    values: Reals,
}

impl TryFrom<Stored> for SignedDistanceField {
    type Error = Error;
    fn try_from(stored: Stored) -> Result<Self> {
        Self::new(stored.bounds, stored.resolution, stored.values)
    }
}

impl From<SignedDistanceField> for Stored {
    fn from(field: SignedDistanceField) -> Self {
        Self {
            bounds: field.bounds,
            resolution: field.resolution,
            values: field.values,
        }
    }
}

impl SignedDistanceField {
    /// From the lower and upper corner, and `nx · ny · nz` values of which x runs fastest.
    ///
    /// # Errors
    /// [`Error::Value`] for an empty grid, bounds without a volume, or values of another number.
    pub fn new(bounds: [[f64; 3]; 2], resolution: [usize; 3], values: Reals) -> Result<Self> {
        let count = resolution
            .iter()
            .try_fold(1_usize, |count, &n| count.checked_mul(n));
        if count == Some(0) || count != Some(values.len()) {
            return Err(Error::value(
                "signed distance field",
                format!(
                    "a grid of {resolution:?} needs as many values, at least one, not {}",
                    values.len()
                ),
            ));
        }
        let [min, max] = bounds;
        for axis in 0..3 {
            let extent = max[axis] - min[axis];
            if !(extent > 0.0 && extent.is_finite()) {
                return Err(Error::value(
                    "bounds",
                    format!(
                        "expected min < max along {}, got {} and {}",
                        ["x", "y", "z"][axis],
                        min[axis],
                        max[axis]
                    ),
                ));
            }
        }
        Ok(Self {
            bounds,
            resolution,
            values,
        })
    }

    /// The lower and the upper corner.
    #[must_use]
    pub fn bounds(&self) -> &[[f64; 3]; 2] {
        &self.bounds
    }

    /// The number of samples along x, y and z.
    #[must_use]
    pub fn resolution(&self) -> [usize; 3] {
        self.resolution
    }

    /// The distance between two samples along x, y and z.
    #[must_use]
    pub fn voxel_size(&self) -> [f64; 3] {
        let [min, max] = &self.bounds;
        std::array::from_fn(|axis| (max[axis] - min[axis]) / self.resolution[axis] as f64)
    }

    /// The distances; x runs fastest.
    #[must_use]
    pub fn values(&self) -> &Reals {
        &self.values
    }

    /// Every length, the distances too, multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            bounds: self.bounds.map(|corner| corner.map(|x| x * factor)),
            resolution: self.resolution,
            values: self.values.scaled(factor),
        }
    }
}

/// A distance field in the frame of a joint, or of the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SdfCollider {
    /// Field to joint.
    pub translation: [f64; 3],
    /// Field to joint, a unit quaternion `x y z w`.
    pub rotation: [f64; 4],
    /// The joint that carries it; `None` is the world.
    pub parent: Option<usize>,
    /// The field; `None` is a place without one.
    pub sdf: Option<Arc<SignedDistanceField>>,
}

impl SdfCollider {
    /// A field in the frame of a joint, or of the world.
    ///
    /// # Errors
    /// [`Error::Character`] where the rotation is not a unit quaternion; what float32 rounds is
    /// normalised away.
    pub fn new(
        translation: [f64; 3],
        rotation: [f64; 4],
        parent: Option<usize>,
        sdf: Option<Arc<SignedDistanceField>>,
    ) -> Result<Self> {
        let length = rotation.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length.is_nan() || (length - 1.0).abs() > 1e-3 {
            return Err(Error::character(
                "SDF collider",
                format!("rotation {rotation:?} is not a unit quaternion"),
            ));
        }
        Ok(Self {
            translation,
            rotation: rotation.map(|x| x / length),
            parent,
            sdf,
        })
    }

    /// Every length multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            translation: self.translation.map(|x| x * factor),
            sdf: self.sdf.as_ref().map(|sdf| Arc::new(sdf.scaled(factor))),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voxel_is_the_extent_by_the_resolution() {
        let field = SignedDistanceField::new(
            [[0.0; 3], [3.0, 4.0, 1.0]],
            [3, 2, 1],
            vec![0.0_f32; 6].into(),
        );
        assert_eq!(field.unwrap().voxel_size(), [1.0, 2.0, 1.0]);
    }

    #[test]
    fn grids_without_volume_or_of_another_size_are_refused() {
        let new = |max, resolution, count| {
            SignedDistanceField::new([[0.0; 3], max], resolution, vec![0.0_f64; count].into())
                .unwrap_err()
                .to_string()
        };
        assert!(new([1.0, -1.0, 1.0], [1; 3], 1).contains("along y"));
        assert!(new([1.0, f64::NAN, 1.0], [1; 3], 1).contains("along y"));
        assert!(new([1.0; 3], [2, 2, 2], 7).contains("not 7"));
        assert!(new([1.0; 3], [0, 2, 2], 0).contains("at least one"));
        assert!(new([1.0; 3], [usize::MAX, 2, 2], 0).contains("not 0"));
    }
}
