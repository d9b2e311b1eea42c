//! A character's limits as the lines of `[Limits]`.

use nalgebra::{Matrix3, Rotation3};
use std::collections::HashSet;
use std::fmt::Write;

use super::UNBOUNDED;
use super::limits::{GAP, Piece};
use super::write::word;
use crate::character::{Character, LimitKind, ParameterLimit};
use crate::error::Result;
use crate::io::names::CHANNELS;

/// Beyond this a bound is taken for none; conversions of units scale what stands for none.
const FAR: f64 = 1e34;

/// Writes all limits of a character, which is in centimetres.
pub(super) fn limits(
    character: &Character,
    text: &mut String,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let names = Names { character };
    let limits = &character.parameter_limits;
    let mut at = 0;
    while let Some(limit) = limits.get(at) {
        if let Some(first) = Linear::of(&limit.kind) {
            let count = run_length(&first, &limits[at..]);
            let run: Vec<Piece> = limits[at..at + count]
                .iter()
                .filter_map(|limit| Linear::of(&limit.kind))
                .map(|linear| linear.piece)
                .collect();
            match first.problem() {
                Some(problem) => warnings.push(format!("limit {at} is left out: {problem}")),
                None => names.write_linear(&first, &run, limit.weight, text)?,
            }
            at += count;
            continue;
        }
        match names.line(&limit.kind)? {
            Some(line) => {
                text.push_str(&line);
                if limit.weight != 1.0 {
                    let _ = write!(text, " {}", limit.weight);
                }
                text.push('\n');
            }
            None => warnings.push(format!("limit {at} is left out: its ellipsoid is sheared")),
        }
        at += 1;
    }
    Ok(())
}

/// The names that the limits use.
pub(super) fn named(character: &Character) -> HashSet<&str> {
    let parameter = |at: usize| character.parameter_transform.names()[at].as_str();
    let joint = |at: usize| character.skeleton.joints()[at].name.as_str();
    let limits = character.parameter_limits.iter();
    limits
        .flat_map(|limit| match limit.kind {
            LimitKind::MinMax { parameter: p, .. } => [parameter(p); 2],
            LimitKind::MinMaxJoint { joint: j, .. }
            | LimitKind::MinMaxJointPassive { joint: j, .. } => [joint(j); 2],
            LimitKind::Linear {
                reference, target, ..
            } => [parameter(reference), parameter(target)],
            LimitKind::LinearJoint {
                reference, target, ..
            } => [joint(reference[0]), joint(target[0])],
            LimitKind::HalfPlane { parameters, .. } => parameters.map(parameter),
            LimitKind::Ellipsoid {
                ellipsoid_parent,
                parent,
                ..
            } => [joint(ellipsoid_parent), joint(parent)],
        })
        .collect()
}

/// A linear limit, on parameters or on channels.
struct Linear {
    reference: [usize; 2],
    target: [usize; 2],
    on_joints: bool,
    piece: Piece,
}

impl Linear {
    fn of(kind: &LimitKind) -> Option<Self> {
        let (reference, target, on_joints, piece) = match *kind {
            LimitKind::Linear {
                reference,
                target,
                scale,
                offset,
                range,
            } => ([reference, 0], [target, 0], false, (scale, offset, range)),
            LimitKind::LinearJoint {
                reference,
                target,
                scale,
                offset,
                range,
            } => (reference, target, true, (scale, offset, range)),
            _ => return None,
        };
        let (scale, offset, range) = piece;
        // What holds everywhere.
        let range = if range == [0.0, 0.0] {
            [-UNBOUNDED, UNBOUNDED]
        } else {
            range
        };
        Some(Self {
            reference,
            target,
            on_joints,
            piece: Piece {
                scale,
                offset,
                range,
            },
        })
    }

    /// Why a line cannot begin with this piece.
    fn problem(&self) -> Option<&'static str> {
        (self.piece.range[0] > -FAR).then_some(
            "it is linear and has a lower end, at which no other with the same value and weight ends",
        )
    }
}

/// How many limits from the first one on are the pieces of one line.
fn run_length(first: &Linear, limits: &[ParameterLimit]) -> usize {
    let mut count = 1;
    let mut last = first.piece;
    for pair in limits.windows(2) {
        let Some(next) = Linear::of(&pair[1].kind) else {
            break;
        };
        let start = last.range[1];
        let goes_on = next.on_joints == first.on_joints
            && next.reference == first.reference
            && next.target == first.target
            && pair[1].weight == pair[0].weight
            && start < FAR
            && next.piece.range[0] == start
            && (next.piece.at(start) - last.at(start)).abs() <= GAP;
        if !goes_on || first.problem().is_some() {
            break;
        }
        last = next.piece;
        count += 1;
    }
    count
}

struct Names<'a> {
    character: &'a Character,
}

impl Names<'_> {
    fn parameter(&self, at: usize) -> Result<&str> {
        word("parameter", &self.character.parameter_transform.names()[at])
    }

    fn joint(&self, at: usize) -> Result<&str> {
        word("joint", &self.character.skeleton.joints()[at].name)
    }

    fn channel(&self, [joint, at]: [usize; 2]) -> Result<String> {
        Ok(format!("{}.{}", self.joint(joint)?, CHANNELS[at]))
    }

    fn write_linear(
        &self,
        first: &Linear,
        run: &[Piece],
        weight: f64,
        text: &mut String,
    ) -> Result<()> {
        let name = |place: [usize; 2]| match first.on_joints {
            true => self.channel(place),
            false => self.parameter(place[0]).map(str::to_owned),
        };
        let (reference, target) = (name(first.reference)?, name(first.target)?);
        let _ = write!(text, "limit {reference} linear {target}");
        for piece in run {
            let _ = match piece.range[1] < FAR {
                true => write!(
                    text,
                    " [{}, {}, {}]",
                    piece.scale, piece.offset, piece.range[1]
                ),
                false => write!(text, " [{}, {}]", piece.scale, piece.offset),
            };
        }
        let _ = writeln!(text, " {weight}");
        Ok(())
    }

    /// The line of one limit that is not linear; `None` for what the text cannot hold.
    fn line(&self, kind: &LimitKind) -> Result<Option<String>> {
        Ok(Some(match kind {
            LimitKind::MinMax { parameter, range } => {
                format!(
                    "limit {} minmax {}",
                    self.parameter(*parameter)?,
                    vector(range)
                )
            }
            LimitKind::MinMaxJoint {
                joint,
                joint_parameter,
                range,
            } => {
                let channel = self.channel([*joint, *joint_parameter])?;
                format!("limit {channel} minmax {}", vector(range))
            }
            LimitKind::MinMaxJointPassive {
                joint,
                joint_parameter,
                range,
            } => {
                let channel = self.channel([*joint, *joint_parameter])?;
                format!("limit {channel} minmax_passive {}", vector(range))
            }
            LimitKind::HalfPlane {
                parameters: [one, other],
                normal,
                offset,
            } => format!(
                "limit {} halfplane {} {} {offset}",
                self.parameter(*one)?,
                self.parameter(*other)?,
                vector(normal),
            ),
            LimitKind::Ellipsoid {
                ellipsoid_parent,
                parent,
                offset,
                ellipsoid,
            } => {
                let Some((center, turns, radii)) = placed(ellipsoid) else {
                    return Ok(None);
                };
                format!(
                    "limit {} ellipsoid {} {} {} {} {}",
                    self.joint(*parent)?,
                    vector(offset),
                    self.joint(*ellipsoid_parent)?,
                    vector(&center),
                    vector(&turns),
                    vector(&radii),
                )
            }
            LimitKind::Linear { .. } | LimitKind::LinearJoint { .. } => return Ok(None),
        }))
    }
}

/// `[a, b, ...]`; what is infinite becomes the number that PyMomentum takes for it.
fn vector(numbers: &[f64]) -> String {
    let numbers = numbers.iter().map(|x| x.clamp(-UNBOUNDED, UNBOUNDED));
    let numbers: Vec<String> = numbers.map(|x| x.to_string()).collect();
    format!("[{}]", numbers.join(", "))
}

/// The centre of an ellipsoid, degrees about z, y and x, and its half axes; `None` where its axes are not
/// at right angles.
fn placed(matrix: &[f64; 16]) -> Option<([f64; 3], [f64; 3], [f64; 3])> {
    const TOLERANCE: f64 = 1e-5;
    let linear = Matrix3::from_fn(|row, column| matrix[4 * row + column]);
    let mut radii = [0, 1, 2].map(|at| linear.column(at).norm());
    if linear.determinant() < 0.0 {
        radii[0] = -radii[0];
    }
    let turn = Matrix3::from_fn(|row, column| linear[(row, column)] / radii[column]);
    let error = turn.transpose() * turn - Matrix3::identity();
    // An axis of 0 makes what is not a number.
    let is_turn = error.iter().all(|x| x.abs() <= TOLERANCE);
    if !is_turn {
        return None;
    }
    let (x, y, z) = Rotation3::from_matrix_unchecked(turn).euler_angles();
    let turns = [z, y, x].map(f64::to_degrees);
    Some(([matrix[3], matrix[7], matrix[11]], turns, radii))
}
