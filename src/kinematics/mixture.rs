//! How likely a pose is under a mixture of Gaussians, by its best component.

use super::{InPrecision, Precision};
use crate::character::Mppca;
use crate::error::{Error, Result};
use crate::math::Real;

/// A mixture made ready for computing: each component as `L` with `Lᵀ L` its precision, lower triangular.
#[derive(Debug)]
pub struct PreparedMixture {
    n_dimension: usize,
    /// `ln π − ½ ln |C|` of each component.
    constants: Vec<f64>,
    means: Vec<f64>,
    factors: Vec<f64>,
    in_precision: InPrecision,
}

/// A mixture in precision `T`.
#[derive(Debug)]
pub struct MixturePlan<T> {
    n_dimension: usize,
    constants: Vec<T>,
    means: Vec<T>,
    factors: Vec<T>,
}

impl PreparedMixture {
    /// Factors the covariances.
    ///
    /// # Errors
    /// [`Error::Value`] for a covariance that has no inverse in double precision.
    pub fn new(mixture: &Mppca) -> Result<Self> {
        let d = mixture.n_dimension();
        let (mut constants, mut factors) = (Vec::new(), Vec::new());
        for component in 0..mixture.n_mixtures() {
            let singular = || {
                Error::value(
                    "sigma",
                    format!("the covariance of mixture {component} has no inverse"),
                )
            };
            let cholesky = mixture
                .covariance(component)
                .cholesky()
                .ok_or_else(singular)?;
            let lower = cholesky.l();
            let half_log = lower.diagonal().iter().map(|x| x.ln()).sum::<f64>();
            constants.push(mixture.pi[component].ln() - half_log);
            let inverse = nalgebra::DMatrix::identity(d, d);
            let inverse = lower
                .solve_lower_triangular(&inverse)
                .ok_or_else(singular)?;
            factors.extend(inverse.transpose().iter());
        }
        Ok(Self {
            n_dimension: d,
            constants,
            means: mixture.mu.clone(),
            factors,
            in_precision: InPrecision::default(),
        })
    }

    /// The number of parameters.
    #[must_use]
    pub fn n_dimension(&self) -> usize {
        self.n_dimension
    }

    /// The number of components.
    #[must_use]
    pub fn n_mixtures(&self) -> usize {
        self.constants.len()
    }

    /// `ln π − ½ ln |C|` of each component.
    #[must_use]
    pub fn constants(&self) -> &[f64] {
        &self.constants
    }

    /// The mixture in precision `T`.
    #[must_use]
    pub fn plan<T: Precision>(&self) -> &MixturePlan<T> {
        self.in_precision.get::<T, MixturePlan<T>>(|| {
            let cast = |numbers: &[f64]| numbers.iter().map(|&x| T::from_f64(x)).collect();
            MixturePlan {
                n_dimension: self.n_dimension,
                constants: cast(&self.constants),
                means: cast(&self.means),
                factors: cast(&self.factors),
            }
        })
    }
}

impl<T: Real> MixturePlan<T> {
    /// The residual `L (x − μ)` of the component that is most likely at `x`, into `out`, and which one
    /// that is; `None` of an empty mixture, whose residual is 0. `scratch` is as long as `x`.
    pub fn residual(&self, x: &[T], scratch: &mut [T], out: &mut [T]) -> Option<usize> {
        let mut best: Option<(usize, T)> = None;
        out.fill(T::ZERO);
        for (component, &constant) in self.constants.iter().enumerate() {
            let mean = self.means.iter().skip(component * self.n_dimension);
            for ((place, &x), &mean) in scratch.iter_mut().zip(x).zip(mean) {
                *place = x - mean;
            }
            self.multiply(component, scratch);
            let square: T = scratch.iter().map(|&r| r * r).sum();
            let likelihood = constant - T::from_f64(0.5) * square;
            if best.is_none_or(|(_, so_far)| likelihood > so_far) {
                best = Some((component, likelihood));
                out.copy_from_slice(scratch);
            }
        }
        best.map(|(component, _)| component)
    }

    /// `L v` in place; the rows from the last to the first, as each needs what is before it only.
    pub fn multiply(&self, component: usize, v: &mut [T]) {
        for row in (0..self.n_dimension).rev() {
            let factors = self.row(component, row);
            v[row] = factors.iter().zip(&*v).map(|(&l, &x)| l * x).sum();
        }
    }

    /// `Lᵀ v` in place.
    pub fn multiply_transposed(&self, component: usize, v: &mut [T]) {
        for row in 0..self.n_dimension {
            let factors = self.row(component, row);
            let x = v[row];
            v[row] = T::ZERO;
            for (place, &l) in v.iter_mut().zip(factors) {
                *place += l * x;
            }
        }
    }

    /// A row of `L` up to its diagonal.
    fn row(&self, component: usize, row: usize) -> &[T] {
        let start = (component * self.n_dimension + row) * self.n_dimension;
        &self.factors[start..=start + row]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::character::MppcaParts;

    fn mixture() -> Mppca {
        Mppca::new(MppcaParts {
            names: ["a", "b", "c"].map(String::from).to_vec(),
            pi: vec![0.3, 0.7],
            mu: vec![0.1, -0.2, 0.3, 1.0, 0.5, -0.5],
            axes: vec![1.0, 0.5, -0.3, 0.2, 0.9, 0.4, -0.6, 0.2, 0.1, 0.0, 0.3, 1.1],
            sigma: vec![0.4, 0.7],
        })
        .unwrap()
    }

    #[test]
    fn the_residual_is_the_mahalanobis_distance_of_the_best_component() {
        let mixture = mixture();
        let prepared = PreparedMixture::new(&mixture).unwrap();
        for x in [[0.0, 0.1, 0.2], [1.0, 0.4, -0.6], [0.6, 0.2, 0.0]] {
            let score = |component: usize| {
                let c = mixture.covariance(component);
                let d = nalgebra::DVector::from_column_slice(&x)
                    - nalgebra::DVector::from_column_slice(mixture.mean(component));
                let square = d.dot(&(c.clone().try_inverse().unwrap() * &d));
                let constant = mixture.pi[component].ln() - 0.5 * c.determinant().ln();
                (constant - 0.5 * square, square)
            };
            let (first, second) = (score(0), score(1));
            let (want, best) = if first.0 > second.0 {
                (first, 0)
            } else {
                (second, 1)
            };
            let (mut scratch, mut out) = ([0.0; 3], [f64::NAN; 3]);
            let found = prepared.plan::<f64>().residual(&x, &mut scratch, &mut out);
            assert_eq!(found, Some(best));
            let square: f64 = out.iter().map(|r| r * r).sum();
            assert!((square - want.1).abs() < 1e-13, "{square} {}", want.1);
        }
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        let wrong = |change: fn(&mut MppcaParts)| {
            let mut parts = MppcaParts::from(mixture());
            change(&mut parts);
            Mppca::new(parts).unwrap_err().to_string()
        };
        assert!(wrong(|parts| parts.sigma[1] = 0.0).starts_with("sigma"));
        assert!(wrong(|parts| parts.pi[0] = -0.1).starts_with("pi"));
        assert!(wrong(|parts| parts.mu[2] = f64::NAN).starts_with("mu"));
        assert!(wrong(|parts| parts.axes.truncate(11)).starts_with("W"));
        assert!(wrong(|parts| parts.names[0] = "b".into()).contains("'b'"));
    }
}
