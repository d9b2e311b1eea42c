//! Which way up, ahead and aside are, as files say it.

use crate::io::Up;

/// Which of the two axes that do not point up points ahead: the first or the second of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FrontVector {
    /// The first: x, or y where x points up.
    Even,
    /// The second: z, or y where z points up; as in Maya.
    #[default]
    Odd,
}

/// Whether x, y and z are like the thumb, index and middle finger of the right hand or of the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Handedness {
    /// Of the right hand; the default.
    #[default]
    Right,
    /// Of the left hand. Coordinates are written as they are.
    Left,
}

/// The axes that a file's settings name. They say how coordinates are to be understood; nothing is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Axes {
    /// The axis that points up.
    pub up: Up,
    /// The axis that points ahead.
    pub front: FrontVector,
    /// The axis that points aside makes the three a right or a left hand.
    pub handedness: Handedness,
}

impl Axes {
    /// Up, front and side: the number of each axis and its sign.
    pub(super) fn settings(self) -> [(i32, i32); 3] {
        let up = match self.up {
            Up::X => 0,
            Up::Y => 1,
            Up::Z => 2,
        };
        let others: [i32; 2] = match up {
            0 => [1, 2],
            1 => [0, 2],
            _ => [0, 1],
        };
        let (front, side) = match self.front {
            FrontVector::Even => (others[0], others[1]),
            FrontVector::Odd => (others[1], others[0]),
        };
        // Where the side axis, up and front follow each other as x, y and z do, they are a right hand.
        let in_order = (side + 1) % 3 == up;
        let sign = if in_order == (self.handedness == Handedness::Right) {
            1
        } else {
            -1
        };
        // Programs with z up look along +y and have x to the right.
        if self.up == Up::Z && self.front == FrontVector::Odd {
            return [(up, 1), (front, sign), (side, 1)];
        }
        [(up, 1), (front, 1), (side, sign)]
    }
}
