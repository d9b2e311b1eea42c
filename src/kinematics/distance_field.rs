//! Reading a distance field between its samples, and the derivatives of that.
//!
//! Between samples the distance is trilinear; outside the grid of samples it is the value at the nearest
//! point of the grid plus the distance from there. The gradient is the derivative of exactly that.

use crate::character::SignedDistanceField;
use crate::math::{Lane, Real, Vector, vector};

use super::Precision;

/// A distance field in one precision.
#[derive(Debug)]
pub struct DistanceSampler<'a, T: Precision> {
    values: &'a [T::Constant],
    resolution: [usize; 3],
    min: Vector<T>,
    voxel: Vector<T>,
}

/// Where a point is.
struct Place<T> {
    /// The corners of the voxel, x fastest.
    corners: [T; 8],
    /// Where in the voxel, 0 to 1.
    fraction: Vector<T>,
    /// Along which axes the point is between samples.
    inside: [bool; 3],
    /// From the nearest point of the grid.
    outward: Vector<T>,
    distance: T,
}

impl<'a, T: Precision + Lane<Scalar = T>> DistanceSampler<'a, T> {
    /// Cheap, but for the first one of a precision.
    #[must_use]
    pub fn new(field: &'a SignedDistanceField) -> Self {
        Self {
            values: T::of(field.values()),
            resolution: field.resolution(),
            min: field.bounds()[0].map(T::from_f64),
            voxel: field.voxel_size().map(T::from_f64),
        }
    }

    fn place(&self, point: Vector<T>) -> Place<T> {
        let (mut fraction, mut outward) = (vector::zero(), vector::zero());
        let (mut inside, mut cell) = ([true; 3], [[0; 2]; 3]);
        for axis in 0..3 {
            let last = self.resolution[axis] - 1;
            let top = T::from_f64(last as f64);
            let at = (point[axis] - self.min[axis]) / self.voxel[axis];
            inside[axis] = at >= T::ZERO && at <= top;
            // NaN is at the lower end here, and NaN away from it.
            let nearest = match (at > T::ZERO, at < top) {
                (true, true) => at,
                (true, false) => top,
                _ => T::ZERO,
            };
            let low = (nearest.to_f64() as usize).min(last.saturating_sub(1));
            cell[axis] = [low, (low + 1).min(last)];
            fraction[axis] = nearest - T::from_f64(low as f64);
            if !inside[axis] {
                outward[axis] = point[axis] - (self.min[axis] + nearest * self.voxel[axis]);
            }
        }
        let [nx, ny, _] = self.resolution;
        let corners = std::array::from_fn(|at| {
            let [i, j, k] = [0, 1, 2].map(|axis| cell[axis][at >> axis & 1]);
            self.values[(k * ny + j) * nx + i].into()
        });
        let square = vector::dot(outward, outward);
        Place {
            corners,
            fraction,
            inside,
            // Inside there is no distance, and none that changes: a root has no derivative at 0.
            distance: if square == T::ZERO {
                T::ZERO
            } else {
                square.sqrt()
            },
            outward,
        }
    }

    /// The signed distance at a point.
    #[must_use]
    pub fn sample(&self, point: Vector<T>) -> T {
        let place = self.place(point);
        place.blend([Along::Value; 3]) + place.distance
    }

    /// Its gradient.
    #[must_use]
    pub fn gradient(&self, point: Vector<T>) -> Vector<T> {
        let place = self.place(point);
        let outward = place.direction();
        std::array::from_fn(|axis| {
            if !place.inside[axis] {
                return outward[axis];
            }
            let mut along = [Along::Value; 3];
            along[axis] = Along::Slope;
            place.blend(along) / self.voxel[axis]
        })
    }

    /// The second derivatives times a vector; they are symmetric.
    #[must_use]
    pub fn curve(&self, point: Vector<T>, direction: Vector<T>) -> Vector<T> {
        let place = self.place(point);
        let outward = place.direction();
        let straight = vector::dot(outward, direction);
        std::array::from_fn(|a| {
            if !place.inside[a] {
                let across = direction[a] - outward[a] * straight;
                return across * place.per_distance();
            }
            let mut sum = T::ZERO;
            for b in (0..3).filter(|&b| b != a && place.inside[b]) {
                let mut along = [Along::Value; 3];
                (along[a], along[b]) = (Along::Slope, Along::Slope);
                let second = place.blend(along) / (self.voxel[a] * self.voxel[b]);
                sum += second * direction[b];
            }
            sum
        })
    }
}

/// What is taken along an axis.
#[derive(Clone, Copy)]
enum Along {
    Value,
    Slope,
}

impl<T: Real> Place<T> {
    /// The trilinear blend of the corners, or its derivative along some axes, per voxel.
    fn blend(&self, along: [Along; 3]) -> T {
        let mut values = self.corners;
        for (axis, (&f, along)) in self.fraction.iter().zip(along).enumerate() {
            for at in 0..4 >> axis {
                let (low, high) = (values[2 * at], values[2 * at + 1]);
                values[at] = match along {
                    Along::Value => low * (T::ONE - f) + high * f,
                    Along::Slope => high - low,
                };
            }
        }
        values[0]
    }

    fn per_distance(&self) -> T {
        if self.distance > T::ZERO {
            T::ONE / self.distance
        } else {
            // NaN stays NaN.
            self.distance
        }
    }

    fn direction(&self) -> Vector<T> {
        self.outward.map(|x| x * self.per_distance())
    }
}
