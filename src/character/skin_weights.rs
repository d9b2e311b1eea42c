//! Which joints carry each vertex, and by how much.

use serde::{Deserialize, Serialize};

use super::reals::Reals;
use crate::error::{Error, Result};

/// Joint indices and weights of each vertex, `n_influences` columns; unused places have weight 0.
///
/// Weights are used as given: they need not sum to one (see [`SkinWeights::normalized`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkinWeights {
    n_influences: usize,
    index: Vec<u32>,
    weight: Reals,
}

impl SkinWeights {
    /// From `(n_vertices, n_influences)` indices and weights, row-major.
    ///
    /// # Errors
    /// [`Error::Character`] where the two do not have the same shape or a weight is not finite.
    pub fn new(n_influences: usize, index: Vec<u32>, weight: Reals) -> Result<Self> {
        let wrong = |problem: String| Err(Error::character("skin weights", problem));
        if index.len() != weight.len() {
            return wrong(format!(
                "{} joint indices, but {} weights",
                index.len(),
                weight.len()
            ));
        }
        if n_influences == 0 || !index.len().is_multiple_of(n_influences) {
            return wrong(format!(
                "{} joint indices do not fill rows of {n_influences}",
                index.len()
            ));
        }
        let not_finite = match weight.dtype() {
            crate::array::DType::Float64 => weight.as_f64().iter().position(|x| !x.is_finite()),
            _ => weight.as_f32().iter().position(|x| !x.is_finite()),
        };
        if let Some(at) = not_finite {
            return wrong(format!(
                "vertex {}: a weight is not finite",
                at / n_influences
            ));
        }
        Ok(Self {
            n_influences,
            index,
            weight,
        })
    }

    /// From a dense `(n_vertices, n_joints)` matrix: the entries above `threshold`, largest first, at
    /// most `max_influences` of each vertex. Nothing is renormalised.
    ///
    /// # Errors
    /// [`Error::Character`] where a weight is not finite, or a vertex has none above the threshold;
    /// [`Error::Value`] where `max_influences` is 0.
    pub fn from_dense(
        dense: &Reals,
        n_joints: usize,
        threshold: f64,
        max_influences: usize,
    ) -> Result<Self> {
        let values: Vec<f64> = dense.iter().collect();
        let mut rows: Vec<Vec<(u32, f64)>> = Vec::new();
        for (vertex, row) in values.chunks(n_joints.max(1)).enumerate() {
            let entries = row.iter().enumerate().map(|(joint, &w)| (joint as u32, w));
            let kept: Vec<_> = entries
                .filter(|(_, w)| *w > threshold || w.is_nan())
                .collect();
            if kept.is_empty() {
                return Err(Error::character(
                    "skin weights",
                    format!("vertex {vertex}: no weight above {threshold}"),
                ));
            }
            rows.push(kept);
        }
        Self::of_largest(rows, max_influences, 8, dense.dtype())
    }

    /// The `count` largest weights of each vertex, largest first; nothing is renormalised.
    ///
    /// # Errors
    /// [`Error::Value`] where `count` is 0.
    pub fn limited(&self, count: usize) -> Result<Self> {
        let weights: Vec<f64> = self.weight.iter().collect();
        let rows = self
            .index
            .chunks(self.n_influences)
            .zip(weights.chunks(self.n_influences))
            .map(|(index, weight)| {
                let slots = index.iter().copied().zip(weight.iter().copied());
                slots.filter(|(_, w)| *w != 0.0).collect()
            })
            .collect();
        Self::of_largest(rows, count, 1, self.weight.dtype())
    }

    /// The `count` largest entries of each row, in at least `width` columns.
    fn of_largest(
        mut rows: Vec<Vec<(u32, f64)>>,
        count: usize,
        width: usize,
        dtype: crate::array::DType,
    ) -> Result<Self> {
        if count == 0 {
            return Err(Error::value("max_influences", "expected at least 1, got 0"));
        }
        for row in &mut rows {
            // A stable sort: of equal weights the first joint comes first.
            row.sort_by(|a, b| b.1.total_cmp(&a.1));
            row.truncate(count);
        }
        let width = rows.iter().map(Vec::len).max().unwrap_or(0).max(width);
        for row in &mut rows {
            row.resize(width, (0, 0.0));
        }
        let flat = rows.concat();
        let index = flat.iter().map(|entry| entry.0).collect();
        let weight = match dtype {
            crate::array::DType::Float64 => flat.iter().map(|e| e.1).collect::<Vec<_>>().into(),
            _ => flat.iter().map(|e| e.1 as f32).collect::<Vec<_>>().into(),
        };
        Self::new(width, index, weight)
    }

    /// The dense `(n_vertices, n_joints)` matrix; joints outside it are left out.
    #[must_use]
    pub fn to_dense(&self, n_joints: usize) -> Vec<f64> {
        let mut dense = vec![0.0; self.n_vertices() * n_joints];
        for (at, (&joint, weight)) in self.index.iter().zip(self.weight.iter()).enumerate() {
            if (joint as usize) < n_joints {
                dense[at / self.n_influences * n_joints + joint as usize] += weight;
            }
        }
        dense
    }

    /// The number of vertices.
    #[must_use]
    pub fn n_vertices(&self) -> usize {
        self.index.len() / self.n_influences
    }

    /// The number of columns.
    #[must_use]
    pub fn n_influences(&self) -> usize {
        self.n_influences
    }

    /// Joint indices, `(n_vertices, n_influences)`.
    #[must_use]
    pub fn index(&self) -> &[u32] {
        &self.index
    }

    /// Weights, `(n_vertices, n_influences)`.
    #[must_use]
    pub fn weight(&self) -> &Reals {
        &self.weight
    }

    /// Checks the indices that carry weight against a skeleton's joint count.
    ///
    /// # Errors
    /// [`Error::Character`] naming the vertex and the joint index.
    pub fn check_joints(&self, n_joints: usize) -> Result<()> {
        // The largest is found without a branch for each.
        let last = self.index.iter().fold(0, |most: u32, &at| most.max(at));
        if self.index.is_empty() || (last as usize) < n_joints {
            return Ok(());
        }
        for (at, (&joint, weight)) in self.index.iter().zip(self.weight.iter()).enumerate() {
            if weight != 0.0 && joint as usize >= n_joints {
                return Err(Error::character(
                    "skin weights",
                    format!(
                        "vertex {}: joint index {joint}, but the skeleton has {n_joints} joints",
                        at / self.n_influences
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The same weights, each vertex' divided by their sum; a vertex whose weights sum to 0 stays.
    #[must_use]
    pub fn normalized(&self) -> Self {
        let mut weights: Vec<f64> = self.weight.iter().collect();
        for row in weights.chunks_mut(self.n_influences) {
            let sum: f64 = row.iter().sum();
            if sum != 0.0 {
                row.iter_mut().for_each(|weight| *weight /= sum);
            }
        }
        let weight = match self.weight.dtype() {
            crate::array::DType::Float64 => weights.into(),
            _ => weights.iter().map(|&w| w as f32).collect::<Vec<_>>().into(),
        };
        Self {
            weight,
            ..self.clone()
        }
    }
}
