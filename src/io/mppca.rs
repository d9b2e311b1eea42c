//! PyMomentum's files of pose priors (`.mppca`).
//!
//! Little-endian, without a header: the number of parameters and of components, each a `u64`; the
//! parameters' names, each a `u64` length and its bytes; then `f32`: for each component the logarithm of
//! its weight times the greatest density of its Gaussian, for each its inverse covariance, and the means,
//! all components of one parameter after the other. Weights, axes and deviations come back from these.

use nalgebra::{DMatrix, SymmetricEigen};

use crate::character::{Mppca, MppcaParts};
use crate::error::{Error, Result};
use crate::kinematics::PreparedMixture;

/// A variance counts as lying off the axes where it exceeds the smallest by no more than this part; the
/// precision of the file leaves 1e-6.
const SAME: f64 = 1e-5;

/// Half the logarithm of 2π.
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

/// A reader that knows where it is.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8]> {
        let left = self.bytes.len() - self.at;
        if count > left {
            return Err(self.wrong(format!("{what}, {count} bytes"), format!("{left} bytes")));
        }
        self.at += count;
        Ok(&self.bytes[self.at - count..self.at])
    }

    fn wrong(&self, expected: impl std::fmt::Display, got: impl std::fmt::Display) -> Error {
        Error::format(format!("byte {}", self.at), expected, got)
    }

    /// A count of things of which each takes at least one byte.
    fn count(&mut self, what: &str) -> Result<usize> {
        let bytes = self.take(8, what)?;
        let mut eight = [0; 8];
        eight.copy_from_slice(bytes);
        let count = u64::from_le_bytes(eight);
        match usize::try_from(count) {
            Ok(count) if count <= self.bytes.len() => Ok(count),
            _ => Err(self.wrong(format!("{what} that fits in the file"), count)),
        }
    }

    fn reals(&mut self, count: usize, what: &str) -> Result<Vec<f64>> {
        let bytes = self.take(count.saturating_mul(4), what)?;
        let floats = bytes.as_chunks::<4>().0.iter();
        let reals: Vec<f64> = floats
            .map(|&four| f64::from(f32::from_le_bytes(four)))
            .collect();
        match reals.iter().find(|x| !x.is_finite()) {
            Some(bad) => Err(self.wrong(format!("finite {what}"), bad)),
            None => Ok(reals),
        }
    }
}

/// Reads a prior.
///
/// # Errors
/// [`Error::Format`] naming the byte where the file is not what it claims to be.
pub fn load(bytes: &[u8]) -> Result<Mppca> {
    let mut reader = Reader { bytes, at: 0 };
    let d = reader.count("the number of parameters")?;
    let n = reader.count("the number of mixtures")?;
    let mut names = Vec::new();
    for _ in 0..d {
        let length = reader.count("the length of a name")?;
        let name = reader.take(length, "a name")?;
        let name = std::str::from_utf8(name).map_err(|error| reader.wrong("UTF-8", error))?;
        names.push(name.to_owned());
    }
    let peaks = reader.reals(n, "logarithms of densities")?;
    let size = n.saturating_mul(d).saturating_mul(d);
    let precisions = reader.reals(size, "inverse covariances")?;
    let by_parameter = reader.reals(n.saturating_mul(d), "means")?;
    if reader.at != bytes.len() {
        return Err(reader.wrong("the end", format!("{} more bytes", bytes.len() - reader.at)));
    }
    let mut parts = MppcaParts {
        names,
        mu: (0..n * d)
            .map(|at| by_parameter[at % d * n + at / d])
            .collect(),
        ..MppcaParts::default()
    };
    let mut axes = Vec::new();
    for (component, peak) in peaks.into_iter().enumerate() {
        let precision = &precisions[component * d * d..(component + 1) * d * d];
        let found = decompose(DMatrix::from_row_slice(d, d, precision));
        let (log_determinant, sigma, own) = found.ok_or_else(|| {
            reader.wrong(
                "inverse covariances that are positive definite",
                format!("mixture {component}, which is not"),
            )
        })?;
        let log_pi = peak + 0.5 * log_determinant + HALF_LN_TAU * d as f64;
        parts.pi.push(log_pi.exp());
        parts.sigma.push(sigma);
        axes.push(own);
    }
    let longest = axes.iter().map(Vec::len).max().unwrap_or(0);
    for mut own in axes {
        own.resize(longest, 0.0);
        parts.axes.append(&mut own);
    }
    Mppca::new(parts)
}

/// The logarithm of the covariance's determinant, the deviation off the axes, and the axes, longest
/// first, of an inverse covariance.
fn decompose(precision: DMatrix<f64>) -> Option<(f64, f64, Vec<f64>)> {
    let symmetric = (&precision + precision.transpose()) * 0.5;
    let eigen = SymmetricEigen::new(symmetric);
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[a].total_cmp(&eigen.eigenvalues[b]));
    if order
        .first()
        .is_some_and(|&least| eigen.eigenvalues[least] <= 0.0)
    {
        return None;
    }
    let variance = |at: usize| 1.0 / eigen.eigenvalues[at];
    let smallest = order.last().map_or(1.0, |&last| variance(last));
    let mut axes = Vec::new();
    for &at in order
        .iter()
        .filter(|&&at| variance(at) > smallest * (1.0 + SAME))
    {
        let length = (variance(at) - smallest).sqrt();
        axes.extend(eigen.eigenvectors.column(at).iter().map(|x| x * length));
    }
    let log_determinant = order.iter().map(|&at| variance(at).ln()).sum();
    Some((log_determinant, smallest.sqrt(), axes))
}

/// Writes a prior.
///
/// # Errors
/// [`Error::Value`] for a covariance that has no inverse.
pub fn save(mixture: &Mppca) -> Result<Vec<u8>> {
    let (n, d) = (mixture.n_mixtures(), mixture.n_dimension());
    let prepared = PreparedMixture::new(mixture)?;
    let mut bytes = Vec::new();
    let count = |bytes: &mut Vec<u8>, count: usize| {
        bytes.extend((count as u64).to_le_bytes());
    };
    count(&mut bytes, d);
    count(&mut bytes, n);
    for name in &mixture.names {
        count(&mut bytes, name.len());
        bytes.extend(name.as_bytes());
    }
    let mut real = |x: f64| bytes.extend((x as f32).to_le_bytes());
    for constant in prepared.constants() {
        real(constant - HALF_LN_TAU * d as f64);
    }
    for component in 0..n {
        let covariance = mixture.covariance(component);
        let inverse = covariance.cholesky().map(|factors| factors.inverse());
        inverse.iter().flatten().for_each(|&x| real(x));
    }
    for at in 0..d {
        (0..n).for_each(|component| real(mixture.mean(component)[at]));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixture() -> Mppca {
        Mppca::new(MppcaParts {
            names: ["hip", "knee", "größe"].map(String::from).to_vec(),
            pi: vec![0.25, 0.75],
            mu: vec![0.5, -0.25, 0.125, 1.0, 2.0, 3.0],
            axes: vec![1.0, 0.5, -0.25, 0.5, 0.0, 2.0],
            sigma: vec![0.5, 0.25],
        })
        .unwrap()
    }

    #[test]
    fn what_is_saved_is_the_same_distribution() {
        let mixture = mixture();
        let again = load(&save(&mixture).unwrap()).unwrap();
        assert_eq!(again.names, mixture.names);
        assert_eq!(again.mu, mixture.mu);
        assert_eq!(again.n_axes(), 1);
        for component in 0..2 {
            let difference = again.covariance(component) - mixture.covariance(component);
            assert!(difference.amax() < 2e-6, "{difference}");
            assert!((again.pi[component] - mixture.pi[component]).abs() < 1e-6);
        }
        let empty = Mppca::default();
        assert_eq!(load(&save(&empty).unwrap()).unwrap(), empty);
    }

    #[test]
    fn damage_is_refused_and_placed() {
        let good = save(&mixture()).unwrap();
        for length in 0..good.len() {
            let error = load(&good[..length]).unwrap_err().to_string();
            assert!(error.contains("byte"), "{error}");
        }
        let mut longer = good.clone();
        longer.push(0);
        assert!(load(&longer).is_err());
        let mut huge = good.clone();
        huge[..16].fill(0xff);
        assert!(load(&huge).is_err());
        let mut negative = good;
        let first_precision = negative.len() - 4 * (6 + 18);
        negative[first_precision..first_precision + 4].copy_from_slice(&(-9.0_f32).to_le_bytes());
        assert!(
            load(&negative)
                .unwrap_err()
                .to_string()
                .contains("definite")
        );
    }
}
