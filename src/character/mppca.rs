//! A distribution over poses: a mixture of probabilistic PCA models.

use nalgebra::{DMatrix, DMatrixView};
use serde::{Deserialize, Serialize};

use super::ParameterTransform;
use crate::error::{Error, Result};

/// What a mixture is made of; `n` components over `d` parameters with `q` axes each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MppcaParts {
    /// The parameters' names, `d`.
    pub names: Vec<String>,
    /// The components' weights, `n`.
    pub pi: Vec<f64>,
    /// Means, `(n, d)`.
    pub mu: Vec<f64>,
    /// Principal axes, `(n, q, d)`.
    pub axes: Vec<f64>,
    /// Standard deviations off the axes, `n`.
    pub sigma: Vec<f64>,
}

/// A mixture of Gaussians with covariances `σ² I + Wᵀ W`, `W` holding the axes as rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "MppcaParts", into = "MppcaParts")]
pub struct Mppca(MppcaParts);

impl TryFrom<MppcaParts> for Mppca {
    type Error = Error;
    fn try_from(parts: MppcaParts) -> Result<Self> {
        Self::new(parts)
    }
}

impl From<Mppca> for MppcaParts {
    fn from(mixture: Mppca) -> Self {
        mixture.0
    }
}

impl std::ops::Deref for Mppca {
    type Target = MppcaParts;
    fn deref(&self) -> &MppcaParts {
        &self.0
    }
}

impl Mppca {
    /// Checks that the parts belong together.
    ///
    /// # Errors
    /// [`Error::Value`] naming the part that does not fit, is not finite, or is not positive.
    pub fn new(parts: MppcaParts) -> Result<Self> {
        let (n, d) = (parts.pi.len(), parts.names.len());
        let check = |what: &str, numbers: &[f64], want: usize, shape: &str| {
            if numbers.len() != want {
                return Err(Error::value(
                    what,
                    format!("expected {want} = {shape} numbers, got {}", numbers.len()),
                ));
            }
            match numbers.iter().find(|x| !x.is_finite()) {
                Some(bad) => Err(Error::value(what, format!("{bad} is not finite"))),
                None => Ok(()),
            }
        };
        check("pi", &parts.pi, n, "n_mixtures")?;
        check("sigma", &parts.sigma, n, "n_mixtures")?;
        check("mu", &parts.mu, n * d, "n_mixtures * n_dimension")?;
        let q = parts.axes.len().checked_div(n * d).unwrap_or(0);
        check(
            "W",
            &parts.axes,
            n * q * d,
            "n_mixtures * n_pca * n_dimension",
        )?;
        if let Some(bad) = parts.pi.iter().find(|&&x| x < 0.0) {
            return Err(Error::value("pi", format!("{bad} is negative")));
        }
        if let Some(bad) = parts.sigma.iter().find(|&&x| x <= 0.0) {
            return Err(Error::value("sigma", format!("{bad} is not positive")));
        }
        let mut seen = std::collections::HashSet::new();
        if let Some(name) = parts.names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(Error::value("names", format!("'{name}' is there twice")));
        }
        Ok(Self(parts))
    }

    /// The number of components.
    #[must_use]
    pub fn n_mixtures(&self) -> usize {
        self.pi.len()
    }

    /// The number of parameters.
    #[must_use]
    pub fn n_dimension(&self) -> usize {
        self.names.len()
    }

    /// The number of axes of each component.
    #[must_use]
    pub fn n_axes(&self) -> usize {
        let numbers = self.n_mixtures() * self.n_dimension();
        self.axes.len().checked_div(numbers).unwrap_or(0)
    }

    /// The mean of one component.
    #[must_use]
    pub fn mean(&self, component: usize) -> &[f64] {
        let d = self.n_dimension();
        &self.mu[component * d..(component + 1) * d]
    }

    /// The axes of one component, `(q, d)` row by row.
    #[must_use]
    pub fn axes_of(&self, component: usize) -> &[f64] {
        let length = self.n_axes() * self.n_dimension();
        &self.axes[component * length..(component + 1) * length]
    }

    /// The covariance of one component.
    #[must_use]
    pub fn covariance(&self, component: usize) -> DMatrix<f64> {
        let (q, d) = (self.n_axes(), self.n_dimension());
        // Row-major (q, d) is column-major (d, q).
        let axes = DMatrixView::from_slice(self.axes_of(component), d, q);
        let sigma = self.sigma[component];
        axes * axes.transpose() + DMatrix::identity(d, d) * (sigma * sigma)
    }

    /// Where each of its parameters is among those of a transform.
    #[must_use]
    pub fn columns(&self, transform: &ParameterTransform) -> Vec<Option<usize>> {
        let names = self.names.iter();
        names
            .map(|name| transform.names().iter().position(|known| known == name))
            .collect()
    }
}
