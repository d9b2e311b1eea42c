//! Limits on model and joint parameters.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a limit asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LimitKind {
    /// A model parameter between two values.
    MinMax {
        /// Index of the model parameter.
        parameter: usize,
        /// Lower and upper bound.
        range: [f64; 2],
    },
    /// A joint parameter between two values.
    MinMaxJoint {
        /// Index of the joint.
        joint: usize,
        /// Which of its seven parameters.
        joint_parameter: usize,
        /// Lower and upper bound.
        range: [f64; 2],
    },
    /// A joint parameter clamped when a state is built, never penalised.
    MinMaxJointPassive {
        /// Index of the joint.
        joint: usize,
        /// Which of its seven parameters.
        joint_parameter: usize,
        /// Lower and upper bound.
        range: [f64; 2],
    },
    /// `reference = scale · target − offset` while `target` lies in `range`.
    Linear {
        /// Index of the reference parameter.
        reference: usize,
        /// Index of the target parameter.
        target: usize,
        /// Factor of the target.
        scale: f64,
        /// What is taken away.
        offset: f64,
        /// Where the limit applies; `[0, 0]` is everywhere.
        range: [f64; 2],
    },
    /// The same between joint parameters.
    LinearJoint {
        /// Reference joint and which of its seven parameters.
        reference: [usize; 2],
        /// Target joint and which of its seven parameters.
        target: [usize; 2],
        /// Factor of the target.
        scale: f64,
        /// What is taken away.
        offset: f64,
        /// Where the limit applies; `[0, 0]` is everywhere.
        range: [f64; 2],
    },
    /// Two model parameters on one side of a line.
    HalfPlane {
        /// Indices of the two parameters.
        parameters: [usize; 2],
        /// Normal of the line, of unit length.
        normal: [f64; 2],
        /// Distance of the line from the origin along the normal.
        offset: f64,
    },
    /// A point of one joint on an ellipsoid carried by another.
    Ellipsoid {
        /// The joint that carries the ellipsoid.
        ellipsoid_parent: usize,
        /// The joint that carries the point.
        parent: usize,
        /// The point, in its joint's frame.
        offset: [f64; 3],
        /// Unit sphere to ellipsoid, in its joint's frame; row-major 4x4.
        ellipsoid: [f64; 16],
    },
}

/// A limit and how much it counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterLimit {
    /// What it asks for.
    pub kind: LimitKind,
    /// How much it counts; not negative.
    pub weight: f64,
}

impl ParameterLimit {
    /// Checks the numbers; what the indices point to is checked by the character.
    ///
    /// # Errors
    /// [`Error::Value`] for a weight that is negative, numbers that are not finite (the ends of ranges may
    /// be infinite), or a range with nothing in it; [`Error::Character`] for an ellipsoid that is flat.
    pub fn new(kind: LimitKind, weight: f64) -> Result<Self> {
        if !(0.0..f64::INFINITY).contains(&weight) {
            return Err(Error::value(
                "weight",
                format!("expected a finite number that is not negative, got {weight}"),
            ));
        }
        let finite = |what: &str, numbers: &[f64]| match numbers.iter().find(|x| !x.is_finite()) {
            Some(bad) => Err(Error::value(what, format!("{bad} is not finite"))),
            None => Ok(()),
        };
        match &kind {
            LimitKind::MinMax { range, .. }
            | LimitKind::MinMaxJoint { range, .. }
            | LimitKind::MinMaxJointPassive { range, .. } => some_range("max", "min", *range)?,
            LimitKind::Linear {
                scale,
                offset,
                range,
                ..
            }
            | LimitKind::LinearJoint {
                scale,
                offset,
                range,
                ..
            } => {
                finite("scale", &[*scale])?;
                finite("offset", &[*offset])?;
                some_range("range_max", "range_min", *range)?;
            }
            LimitKind::HalfPlane { normal, offset, .. } => {
                finite("normal", normal)?;
                finite("offset", &[*offset])?;
            }
            LimitKind::Ellipsoid {
                offset, ellipsoid, ..
            } => {
                finite("offset", offset)?;
                finite("ellipsoid", ellipsoid)?;
                inverse_ellipsoid(ellipsoid)?;
            }
        }
        Ok(Self { kind, weight })
    }
}

fn some_range(max: &str, min: &str, range: [f64; 2]) -> Result<()> {
    if range[0] <= range[1] {
        return Ok(());
    }
    Err(Error::value(
        max,
        format!(
            "expected a number of at least {min} = {}, got {}",
            range[0], range[1]
        ),
    ))
}

/// Ellipsoid to unit sphere, row-major, from its inverse.
///
/// # Errors
/// [`Error::Character`] for an ellipsoid that is flat.
pub fn inverse_ellipsoid(ellipsoid: &[f64; 16]) -> Result<[f64; 16]> {
    let inverse = nalgebra::Matrix4::from_row_slice(ellipsoid).try_inverse();
    match inverse.filter(|inverse| inverse.iter().all(|x| x.is_finite())) {
        Some(inverse) => Ok(std::array::from_fn(|at| inverse[(at / 4, at % 4)])),
        None => Err(Error::character(
            "ellipsoid",
            "it is flat: the matrix has no inverse",
        )),
    }
}
