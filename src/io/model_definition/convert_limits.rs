//! Names to places: limits.

use nalgebra::{Matrix4, Rotation3, Vector3};
use std::collections::HashMap;

use super::convert::Joints;
use super::limits::{Form, Limit};
use super::raw::Line;
use crate::character::{LimitKind, ParameterLimit, ParameterTransform, Skeleton};
use crate::error::{Error, Result};
use crate::io::names::unknown;

/// Reads the lines of `[Limits]`, in the file's units.
pub(super) fn limits(
    lines: &[Line<'_>],
    skeleton: &Skeleton,
    transform: &ParameterTransform,
    warnings: &mut Vec<String>,
) -> Result<Vec<ParameterLimit>> {
    let names = transform.names();
    let lookup = Lookup {
        columns: names.iter().map(String::as_str).zip(0..).collect(),
        names,
        joints: Joints(skeleton),
    };
    let mut limits = Vec::new();
    for &line in lines {
        match Limit::read(line, warnings)? {
            Some(limit) => lookup.add(&limit, &mut limits)?,
            None => warnings.push(format!("{}: left out, it is no limit", line.place())),
        }
    }
    Ok(limits)
}

struct Lookup<'a> {
    columns: HashMap<&'a str, usize>,
    names: &'a [String],
    joints: Joints<'a>,
}

/// What a limit is on.
enum Subject {
    Parameter(usize),
    Channel([usize; 2]),
}

impl Lookup<'_> {
    fn parameter(&self, line: Line<'_>, name: &str) -> Result<usize> {
        self.columns.get(name).copied().ok_or_else(|| {
            let got = unknown(name, self.names.iter().map(String::as_str));
            Error::format(line.place(), "the name of a parameter", got)
        })
    }

    fn channel(&self, line: Line<'_>, name: &str) -> Result<[usize; 2]> {
        let Some((joint, end)) = name.rsplit_once('.') else {
            return Err(line.wrong("joint.channel", name));
        };
        Ok([
            self.joints.joint(line, joint)?,
            self.joints.channel(line, end)?,
        ])
    }

    fn subject(&self, line: Line<'_>, name: &str) -> Result<Subject> {
        match self.columns.get(name) {
            Some(&column) => Ok(Subject::Parameter(column)),
            None if name.contains('.') => Ok(Subject::Channel(self.channel(line, name)?)),
            None => self.parameter(line, name).map(Subject::Parameter),
        }
    }

    fn add(&self, limit: &Limit<'_>, limits: &mut Vec<ParameterLimit>) -> Result<()> {
        let line = limit.line;
        let checked = |kind: LimitKind| {
            ParameterLimit::new(kind, limit.weight).map_err(|error| match error {
                Error::Value { what, problem } => {
                    line.wrong("a limit that can be", &format!("{what}: {problem}"))
                }
                Error::Character { problem, .. } => line.wrong("an ellipsoid", &problem),
                other => other,
            })
        };
        let kind = match &limit.form {
            Form::MinMax(range) => match self.subject(line, limit.subject)? {
                Subject::Parameter(parameter) => LimitKind::MinMax {
                    parameter,
                    range: *range,
                },
                Subject::Channel([joint, joint_parameter]) => LimitKind::MinMaxJoint {
                    joint,
                    joint_parameter,
                    range: *range,
                },
            },
            Form::MinMaxPassive(range) => {
                let [joint, joint_parameter] = self.channel(line, limit.subject)?;
                LimitKind::MinMaxJointPassive {
                    joint,
                    joint_parameter,
                    range: *range,
                }
            }
            Form::Linear(target, pieces) => {
                let subject = self.subject(line, limit.subject)?;
                for piece in pieces {
                    let (scale, offset, range) = (piece.scale, piece.offset, piece.range);
                    let kind = match subject {
                        Subject::Parameter(reference) => LimitKind::Linear {
                            reference,
                            target: self.parameter(line, target)?,
                            scale,
                            offset,
                            range,
                        },
                        Subject::Channel(reference) => LimitKind::LinearJoint {
                            reference,
                            target: self.channel(line, target)?,
                            scale,
                            offset,
                            range,
                        },
                    };
                    limits.push(checked(kind)?);
                }
                return Ok(());
            }
            &Form::HalfPlane {
                other,
                normal,
                offset,
            } => {
                let length = normal[0].hypot(normal[1]);
                if !(length > 0.0 && length.is_finite()) {
                    return Err(line.wrong("a normal that is not zero", &format!("{normal:?}")));
                }
                LimitKind::HalfPlane {
                    parameters: [
                        self.parameter(line, limit.subject)?,
                        self.parameter(line, other)?,
                    ],
                    normal: unit(normal, length),
                    offset: if length == 1.0 {
                        offset
                    } else {
                        offset / length
                    },
                }
            }
            &Form::Ellipsoid {
                point,
                carrier,
                center,
                turns: [z, y, x],
                radii,
            } => {
                let turn =
                    Rotation3::from_euler_angles(x.to_radians(), y.to_radians(), z.to_radians());
                let matrix: Matrix4<f64> = Matrix4::new_translation(&Vector3::from(center))
                    * turn.to_homogeneous()
                    * Matrix4::new_nonuniform_scaling(&Vector3::from(radii));
                LimitKind::Ellipsoid {
                    ellipsoid_parent: self.joints.joint(line, carrier)?,
                    parent: self.joints.joint(line, limit.subject)?,
                    offset: point,
                    ellipsoid: std::array::from_fn(|at| matrix[(at / 4, at % 4)]),
                }
            }
        };
        limits.push(checked(kind)?);
        Ok(())
    }
}

/// A normal of unit length; one that is so but for rounding stays as it is.
fn unit(normal: [f64; 2], length: f64) -> [f64; 2] {
    if length == 1.0 {
        normal
    } else {
        normal.map(|x| x / length)
    }
}
