//! Limits on model and joint parameters.

use serde::{Deserialize, Serialize};

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
