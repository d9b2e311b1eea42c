//! Named displacements of a mesh: by themselves, and on a base shape.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::reals::Reals;
use crate::error::{Error, Result};

/// Named displacements of a mesh: `Σ coefficient · displacement`. What face expressions are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "OffsetParts", into = "OffsetParts")]
pub struct BlendShapeBase(OffsetParts);

/// What displacements are built from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OffsetParts {
    names: Vec<String>,
    n_vertices: usize,
    displacements: Reals,
}

impl TryFrom<OffsetParts> for BlendShapeBase {
    type Error = Error;
    fn try_from(parts: OffsetParts) -> Result<Self> {
        Self::new(parts.names, parts.n_vertices, parts.displacements)
    }
}

impl From<BlendShapeBase> for OffsetParts {
    fn from(shape: BlendShapeBase) -> Self {
        shape.0
    }
}

impl BlendShapeBase {
    /// From `(n_shapes, n_vertices, 3)` displacements.
    ///
    /// # Errors
    /// [`Error::Character`] where the sizes do not belong together, or a displacement is not finite.
    pub fn new(names: Vec<String>, n_vertices: usize, displacements: Reals) -> Result<Self> {
        let wrong = |problem| Err(Error::character("blend shape", problem));
        let shape_len = n_vertices.checked_mul(3);
        if shape_len.and_then(|len| len.checked_mul(names.len())) != Some(displacements.len()) {
            return wrong(format!(
                "{} displacement numbers for {} shapes over {n_vertices} vertices",
                displacements.len(),
                names.len(),
            ));
        }
        // Kernels leave out shapes whose coefficient is zero, which is right for finite ones only.
        if let Some(at) = displacements.iter().position(|x| !x.is_finite()) {
            let (shape, vertex) = (at / (3 * n_vertices), at / 3 % n_vertices);
            return wrong(format!(
                "the displacement of vertex {vertex} by shape '{}' is not finite",
                names[shape]
            ));
        }
        Ok(Self(OffsetParts {
            names,
            n_vertices,
            displacements,
        }))
    }

    /// The shapes' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0.names
    }

    /// The number of shapes.
    #[must_use]
    pub fn n_shapes(&self) -> usize {
        self.0.names.len()
    }

    /// The number of vertices.
    #[must_use]
    pub fn n_vertices(&self) -> usize {
        self.0.n_vertices
    }

    /// `(n_shapes, n_vertices, 3)` displacements.
    #[must_use]
    pub fn displacements(&self) -> &Reals {
        &self.0.displacements
    }

    /// The index of the first shape called `name`.
    #[must_use]
    pub fn shape_index(&self, name: &str) -> Option<usize> {
        self.names().iter().position(|each| each == name)
    }

    /// The same shapes with every length multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self(OffsetParts {
            displacements: self.0.displacements.scaled(factor),
            ..self.0.clone()
        })
    }
}

/// Named displacements on a base shape: `vertices = base + Σ coefficient · displacement`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WholeParts", into = "WholeParts")]
pub struct BlendShape(WholeParts);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct WholeParts {
    base: Reals,
    offsets: Arc<BlendShapeBase>,
}

impl TryFrom<WholeParts> for BlendShape {
    type Error = Error;
    fn try_from(parts: WholeParts) -> Result<Self> {
        Self::from_offsets(parts.base, parts.offsets)
    }
}

impl From<BlendShape> for WholeParts {
    fn from(shape: BlendShape) -> Self {
        shape.0
    }
}

impl BlendShape {
    /// From `(n_vertices, 3)` base positions and `(n_shapes, n_vertices, 3)` displacements.
    ///
    /// # Errors
    /// [`Error::Character`] where the sizes do not belong together, or a displacement is not finite.
    pub fn new(names: Vec<String>, base: Reals, displacements: Reals) -> Result<Self> {
        let offsets = BlendShapeBase::new(names, base.len() / 3, displacements)?;
        Self::from_offsets(base, Arc::new(offsets))
    }

    /// From base positions and displacements of them.
    ///
    /// # Errors
    /// [`Error::Character`] where they are not of the same number of vertices.
    pub fn from_offsets(base: Reals, offsets: Arc<BlendShapeBase>) -> Result<Self> {
        if base.len() != 3 * offsets.n_vertices() {
            return Err(Error::character(
                "blend shape",
                format!(
                    "{} base numbers, but its displacements are of {} vertices",
                    base.len(),
                    offsets.n_vertices()
                ),
            ));
        }
        Ok(Self(WholeParts { base, offsets }))
    }

    /// The displacements by themselves.
    #[must_use]
    pub fn offsets(&self) -> &Arc<BlendShapeBase> {
        &self.0.offsets
    }

    /// The shapes' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.0.offsets.names()
    }

    /// `(n_vertices, 3)` positions without displacement.
    #[must_use]
    pub fn base(&self) -> &Reals {
        &self.0.base
    }

    /// `(n_shapes, n_vertices, 3)` displacements.
    #[must_use]
    pub fn displacements(&self) -> &Reals {
        self.0.offsets.displacements()
    }

    /// The same shapes with every length multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self(WholeParts {
            base: self.0.base.scaled(factor),
            offsets: Arc::new(self.0.offsets.scaled(factor)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("s{index}")).collect()
    }

    #[test]
    fn sizes_that_do_not_belong_together_are_refused() {
        let (base, two) = (vec![0.0_f32; 6], vec![0.0_f32; 12]);
        assert!(BlendShape::new(names(2), base.clone().into(), two.clone().into()).is_ok());
        for (count, base) in [(1, 6), (2, 7), (2, 3)] {
            let base = vec![0.0_f32; base].into();
            let error = BlendShape::new(names(count), base, two.clone().into()).unwrap_err();
            assert!(error.to_string().starts_with("blend shape"), "{error}");
        }
        assert!(BlendShapeBase::new(names(2), usize::MAX, two.into()).is_err());
        // Shapes of no vertices, and no shapes, are fine.
        assert!(BlendShapeBase::new(names(2), 0, Reals::default()).is_ok());
        assert!(BlendShape::new(names(0), base.into(), Reals::default()).is_ok());
    }

    #[test]
    fn a_displacement_that_is_not_finite_is_named() {
        let mut numbers = vec![0.0_f32; 12];
        numbers[10] = f32::NAN;
        let error = BlendShapeBase::new(names(2), 2, numbers.into()).unwrap_err();
        assert!(
            error.to_string().contains("vertex 1 by shape 's1'"),
            "{error}"
        );
    }

    #[test]
    fn damaged_bytes_do_not_make_a_shape() {
        let shape = BlendShape::new(
            names(2),
            vec![1.0_f32; 6].into(),
            (0..12).map(f64::from).collect::<Vec<_>>().into(),
        )
        .unwrap();
        let bytes = postcard::to_stdvec(&shape).unwrap();
        assert_eq!(postcard::from_bytes::<BlendShape>(&bytes).unwrap(), shape);
        let wrong = WholeParts {
            base: vec![1.0_f32; 3].into(),
            offsets: shape.offsets().clone(),
        };
        let bytes = postcard::to_stdvec(&wrong).unwrap();
        assert!(postcard::from_bytes::<BlendShape>(&bytes).is_err());
    }
}
