//! Joint parameters back to model parameters, where the scaling parameters are known.

use super::{InPrecision, Precision, PreparedInverse};
use crate::character::{PARAMETERS_PER_JOINT, ParameterTransform};

/// The least-squares inverse for the pose parameters alone, after what known scaling parameters do has
/// been taken away. Parameters that are neither come back as zero.
#[derive(Debug)]
pub struct InverseWithKnownScales {
    pose: PreparedInverse,
    /// The model parameters that are scales, in order.
    scales: Vec<usize>,
    /// How much of each scale, by its place in `scales`, is to be taken away from a pose parameter.
    taken: Vec<(u32, u32, f64)>,
    in_precision: InPrecision,
}

/// [`InverseWithKnownScales`] in precision `T`: model parameter, scale, factor.
pub type Taken<T> = Vec<(u32, u32, T)>;

impl InverseWithKnownScales {
    /// Inverts the pose part of the map.
    #[must_use]
    pub fn new(transform: &ParameterTransform) -> Self {
        let scaling = transform.scaling_parameters();
        let pose = PreparedInverse::new(&transform.with_only(&transform.pose_parameters()));
        let scales: Vec<usize> = (0..transform.len()).filter(|&at| scaling[at]).collect();
        let mut place = vec![None; transform.len()];
        for (at, &parameter) in scales.iter().enumerate() {
            place[parameter] = Some(at);
        }
        let n_rows = PARAMETERS_PER_JOINT * transform.n_joints();
        let inverse = pose.to_dense();
        let mut taken = Vec::new();
        for parameter in 0..transform.len() {
            let mut of_scale = vec![0.0; scales.len()];
            for row in 0..n_rows {
                let weight = inverse[parameter * n_rows + row];
                if weight != 0.0 {
                    for (column, value) in transform.row(row) {
                        if let Some(scale) = place[column] {
                            of_scale[scale] += weight * value;
                        }
                    }
                }
            }
            let some = of_scale.iter().enumerate().filter(|&(_, &x)| x != 0.0);
            taken.extend(some.map(|(scale, &x)| (parameter as u32, scale as u32, x)));
        }
        Self {
            pose,
            scales,
            taken,
            in_precision: InPrecision::default(),
        }
    }

    /// The inverse of the pose part.
    #[must_use]
    pub fn pose(&self) -> &PreparedInverse {
        &self.pose
    }

    /// The model parameters that are scales.
    #[must_use]
    pub fn scales(&self) -> &[usize] {
        &self.scales
    }

    /// What the scales take away, in precision `T`.
    #[must_use]
    pub fn taken<T: Precision>(&self) -> &Taken<T> {
        self.in_precision.get::<T, Taken<T>>(|| {
            let taken = self.taken.iter();
            taken
                .map(|&(parameter, scale, x)| (parameter, scale, T::from_f64(x)))
                .collect()
        })
    }
}
