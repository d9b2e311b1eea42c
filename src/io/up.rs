//! Which axis points up.

use nalgebra::{Matrix4, Rotation3, Vector3};

use crate::error::{Error, Result};

/// The axis that points up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Up {
    /// +x.
    X,
    /// +y, as in glTF, Maya and PyMomentum; the default.
    #[default]
    Y,
    /// +z, as in URDF, MJCF and Blender.
    Z,
}

impl Up {
    /// From its letter.
    ///
    /// # Errors
    /// [`Error::Value`] for any other text.
    pub fn parse(letter: &str) -> Result<Self> {
        match letter {
            "x" | "X" => Ok(Self::X),
            "y" | "Y" => Ok(Self::Y),
            "z" | "Z" => Ok(Self::Z),
            other => Err(Error::value(
                "up",
                format!("expected 'x', 'y' or 'z', got {other:?}"),
            )),
        }
    }

    /// The quarter turn that takes this axis to another: from y to z about x, from x to y about z, and
    /// back.
    #[must_use]
    pub fn turn_to(self, other: Self) -> Rotation3<f64> {
        let quarter = std::f64::consts::FRAC_PI_2;
        let about = |axis: Vector3<f64>, quarters: f64| {
            Rotation3::new(axis * (quarters * quarter))
                .matrix()
                .map(f64::round)
        };
        let matrix = match (self, other) {
            (Self::Y, Self::Z) => about(Vector3::x(), 1.0),
            (Self::Z, Self::Y) => about(Vector3::x(), -1.0),
            (Self::X, Self::Y) => about(Vector3::z(), 1.0),
            (Self::Y, Self::X) => about(Vector3::z(), -1.0),
            (Self::X, Self::Z) => about(Vector3::y(), -1.0),
            (Self::Z, Self::X) => about(Vector3::y(), 1.0),
            _ => return Rotation3::identity(),
        };
        Rotation3::from_matrix_unchecked(matrix)
    }

    /// [`Self::turn_to`] as a row-major 4x4 matrix.
    #[must_use]
    pub fn matrix_to(self, other: Self) -> [f64; 16] {
        let matrix: Matrix4<f64> = self.turn_to(other).to_homogeneous();
        std::array::from_fn(|at| matrix[(at / 4, at % 4)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_is_taken_to_up_exactly() {
        let axis = |up| match up {
            Up::X => Vector3::x(),
            Up::Y => Vector3::y(),
            Up::Z => Vector3::z(),
        };
        for from in [Up::X, Up::Y, Up::Z] {
            for to in [Up::X, Up::Y, Up::Z] {
                let turn = from.turn_to(to);
                assert_eq!(turn * axis(from), axis(to), "{from:?} {to:?}");
                assert_eq!(turn.matrix().determinant(), 1.0);
            }
        }
    }
}
