//! Coefficients of a shape from its vertices: linear least squares, solved once for all targets.

use std::sync::Arc;

use nalgebra::{DMatrix, SymmetricEigen};

use super::blend_shape::{PreparedShapes, Shapes};
use crate::character::BlendShapeBase;
use crate::error::{Error, Result};

/// Directions of coefficients that move the vertices less than the strongest by this factor, squared,
/// cannot be told from rounding.
const NEGLIGIBLE: f64 = 1e-13;

/// The map from vertices to the coefficients that minimise
/// `Σ_v w_v² |base_v + Σ_k c_k d_kv − target_v|² + regularization² Σ_k c_k²`.
#[derive(Debug)]
pub struct CoefficientEstimate {
    /// One row of vertex factors for each coefficient, as shapes are laid out.
    rows: PreparedShapes,
    /// What the rows make of the base.
    of_base: Vec<f64>,
}

impl CoefficientEstimate {
    /// Solves the normal equations in double precision. Where shapes depend on each other the smallest
    /// coefficients are taken.
    ///
    /// # Errors
    /// [`Error::Shape`] where there is not one weight for each vertex, [`Error::Value`] where a weight
    /// or the regularization is negative or not finite.
    pub fn new(shapes: &Shapes, regularization: f64, weights: Option<&[f64]>) -> Result<Self> {
        let offsets = shapes.offsets();
        let (n_shapes, n_vertices) = (offsets.n_shapes(), offsets.n_vertices());
        let usable = |x: f64| x.is_finite() && x >= 0.0;
        if !usable(regularization) {
            let problem = format!("expected a finite number from 0, got {regularization}");
            return Err(Error::value("regularization", problem));
        }
        let mut rows =
            DMatrix::from_row_iterator(n_shapes, 3 * n_vertices, offsets.displacements().iter());
        let plain = weights.is_none().then(|| rows.clone());
        if let Some(weights) = weights {
            if weights.len() != n_vertices {
                return Err(Error::shape(
                    "weights",
                    format!("({n_vertices},) = (n_vertices,)"),
                    format!("({},)", weights.len()),
                ));
            }
            if let Some(vertex) = weights.iter().position(|&w| !usable(w)) {
                let weight = weights[vertex];
                let problem =
                    format!("vertex {vertex} has {weight}; expected a finite number from 0");
                return Err(Error::value("weights", problem));
            }
            for (at, mut column) in rows.column_iter_mut().enumerate() {
                column *= weights[at / 3];
            }
        }
        let mut squares = &rows * rows.transpose();
        for k in 0..n_shapes {
            squares[(k, k)] += regularization * regularization;
        }
        let mut rows = plain.unwrap_or_else(|| {
            let weights = weights.unwrap_or_default();
            for (at, mut column) in rows.column_iter_mut().enumerate() {
                column *= weights[at / 3];
            }
            rows
        });
        if n_shapes > 0 {
            let eigen = SymmetricEigen::new(squares);
            let least = eigen.eigenvalues.amax() * NEGLIGIBLE;
            let inverse = eigen
                .eigenvalues
                .map(|x| if x > least { 1.0 / x } else { 0.0 });
            let q = &eigen.eigenvectors;
            rows = q * DMatrix::from_diagonal(&inverse) * q.transpose() * rows;
        }
        let of_base = match shapes.base() {
            Some(base) => {
                let base = nalgebra::DVector::from_iterator(3 * n_vertices, base.iter());
                (&rows * base).iter().copied().collect()
            }
            None => vec![0.0; n_shapes],
        };
        let names = offsets.names().to_vec();
        let numbers: Vec<f64> = rows.transpose().iter().copied().collect();
        let rows = BlendShapeBase::new(names, n_vertices, numbers.into())?;
        Ok(Self {
            rows: PreparedShapes::new(Shapes::Offsets(Arc::new(rows))),
            of_base,
        })
    }

    /// One row of vertex factors for each coefficient.
    #[must_use]
    pub fn rows(&self) -> &PreparedShapes {
        &self.rows
    }

    /// What the rows make of the base.
    #[must_use]
    pub fn of_base(&self) -> &[f64] {
        &self.of_base
    }
}
