//! From links and joints to a skeleton and its parameters.

use nalgebra::{Isometry3, Rotation3, Unit, UnitQuaternion, Vector3};

use super::raw::{Joint as Stored, Kind, Robot};
use super::tree::{self, Value};
use crate::character::{
    Joint, LimitKind, PARAMETERS_PER_JOINT, ParameterLimit, ParameterTransform, Skeleton,
};
use crate::error::Result;
use crate::io::nodes::Names;

/// How far an axis may be from one of x, y, z to be turned about by a joint's own angle: as far as text
/// with a few digits is.
const ALIGNED: f64 = 1e-9;

/// A range as wide as this is none; prismatic joints have to have one.
pub(super) const FREE: f64 = 1e9;

/// A skeleton, what drives it, and where the links went.
pub(super) struct Built {
    pub skeleton: Skeleton,
    pub transform: ParameterTransform,
    pub limits: Vec<ParameterLimit>,
    /// The joint of each link.
    pub link_joints: Vec<usize>,
}

#[derive(Default)]
struct Builder {
    joints: Vec<Joint>,
    entries: Vec<(usize, usize, f64)>,
    parameters: Vec<String>,
    limits: Vec<ParameterLimit>,
    /// The first parameter of each joint of the file that is no mimic.
    columns: Vec<Option<usize>>,
}

/// Makes one joint for each link, and one more below where an axis is oblique.
pub(super) fn build(robot: &Robot<'_, '_>, warnings: &mut Vec<String>) -> Result<Built> {
    let order = tree::order(robot)?;
    let values = tree::values(robot)?;
    let mut names = Names::new(robot.links.iter().map(|link| link.name.clone()));
    let mut builder = Builder {
        columns: vec![None; robot.joints.len()],
        ..Builder::default()
    };
    for (at, _) in order.iter().filter_map(|placed| placed.carrier) {
        if robot.joints[at].mimic.is_none() {
            builder.add_parameters(at, &robot.joints[at], warnings);
        }
    }
    let mut link_joints = vec![0; robot.links.len()];
    for placed in &order {
        let name = robot.links[placed.link].name.clone();
        link_joints[placed.link] = match placed.carrier {
            None => builder.add(name, None, &Isometry3::identity()),
            Some((at, parent)) => {
                let (stored, parent) = (&robot.joints[at], Some(link_joints[parent]));
                builder.add_link(name, parent, stored, values[at], &mut names)
            }
        };
    }
    let skeleton = Skeleton::new(builder.joints)?;
    let transform = ParameterTransform::new(builder.parameters, skeleton.len(), builder.entries)?;
    Ok(Built {
        skeleton,
        transform,
        limits: builder.limits,
        link_joints,
    })
}

impl Builder {
    fn add_parameters(&mut self, at: usize, joint: &Stored<'_, '_>, warnings: &mut Vec<String>) {
        let name = &joint.name;
        let names: Vec<String> = match joint.kind {
            Kind::Fixed => return,
            Kind::Planar => ["x", "y", "yaw"]
                .map(|part| format!("{name}_{part}"))
                .into(),
            Kind::Floating => ["tx", "ty", "tz", "rx", "ry", "rz"]
                .map(|part| format!("{name}_{part}"))
                .into(),
            _ => vec![name.clone()],
        };
        self.columns[at] = Some(self.parameters.len());
        match (joint.limit, joint.kind) {
            (Some([low, high]), _) if low <= -FREE && high >= FREE => {}
            (Some(range), _) => self.limits.push(ParameterLimit {
                kind: LimitKind::MinMax {
                    parameter: self.parameters.len(),
                    range,
                },
                weight: 1.0,
            }),
            (None, Kind::Revolute | Kind::Prismatic) => warnings.push(format!(
                "{}: it has no <limit>, which its type asks for; it moves without one",
                joint.element.place()
            )),
            (None, _) => {}
        }
        self.parameters.extend(names);
    }

    fn add(&mut self, name: String, parent: Option<usize>, place: &Isometry3<f64>) -> usize {
        let turn = place.rotation.coords;
        self.joints.push(Joint {
            name,
            parent,
            pre_rotation: [turn.x, turn.y, turn.z, turn.w],
            translation_offset: place.translation.vector.into(),
        });
        self.joints.len() - 1
    }

    fn drive(&mut self, joint: usize, channel: usize, column: usize, factor: f64) {
        let row = PARAMETERS_PER_JOINT * joint + channel;
        self.entries.push((row, column, factor));
    }

    /// Drives the translation of a joint along a direction in its parent's frame.
    fn drive_along(&mut self, joint: usize, direction: &Vector3<f64>, column: usize, factor: f64) {
        for axis in 0..3 {
            if direction[axis] != 0.0 {
                self.drive(joint, axis, column, factor * direction[axis]);
            }
        }
    }

    fn add_link(
        &mut self,
        name: String,
        parent: Option<usize>,
        stored: &Stored<'_, '_>,
        value: Value,
        names: &mut Names,
    ) -> usize {
        let origin = &stored.origin;
        let column = self.columns[value.master];
        let (Some(column), axis) = (column, stored.axis) else {
            return self.add(name, parent, origin);
        };
        match stored.kind {
            Kind::Fixed => self.add(name, parent, origin),
            Kind::Prismatic => {
                let mut place = *origin;
                let direction = origin.rotation * axis;
                place.translation.vector += direction * value.offset;
                let joint = self.add(name, parent, &place);
                self.drive_along(joint, &direction, column, value.factor);
                joint
            }
            Kind::Floating => {
                let joint = self.add(name, parent, origin);
                for channel in 0..3 {
                    let mut direction = Vector3::zeros();
                    direction[channel] = 1.0;
                    self.drive_along(joint, &(origin.rotation * direction), column + channel, 1.0);
                    self.drive(joint, 3 + channel, column + 3 + channel, 1.0);
                }
                joint
            }
            Kind::Planar => {
                let [x, y] = plane(&axis);
                let first = self.joints.len();
                let joint = self.turning(
                    name,
                    parent,
                    origin,
                    &axis,
                    column + 2,
                    value,
                    &stored.name,
                    names,
                );
                self.drive_along(first, &(origin.rotation * x), column, 1.0);
                self.drive_along(first, &(origin.rotation * y), column + 1, 1.0);
                joint
            }
            Kind::Revolute | Kind::Continuous => self.turning(
                name,
                parent,
                origin,
                &axis,
                column,
                value,
                &stored.name,
                names,
            ),
        }
    }

    /// A joint that turns about an axis. Where that is none of its own, a joint before it, named after the
    /// URDF joint, turns about its own z, and the link's joint turns back.
    #[allow(clippy::too_many_arguments)] // all of it is one joint
    fn turning(
        &mut self,
        name: String,
        parent: Option<usize>,
        origin: &Isometry3<f64>,
        axis: &Vector3<f64>,
        column: usize,
        value: Value,
        joint_name: &str,
        names: &mut Names,
    ) -> usize {
        let start = UnitQuaternion::from_axis_angle(&Unit::new_unchecked(*axis), value.offset);
        let place = Isometry3::from_parts(origin.translation, origin.rotation * start);
        for channel in 0..3 {
            let along = axis[channel];
            if (along.abs() - 1.0).abs() < ALIGNED {
                let joint = self.add(name, parent, &place);
                self.drive(joint, 3 + channel, column, value.factor * along.signum());
                return joint;
            }
        }
        let [x, y] = plane(axis);
        let turn =
            Rotation3::from_matrix_unchecked(nalgebra::Matrix3::from_columns(&[x, y, *axis]));
        let turn = UnitQuaternion::from_rotation_matrix(&turn);
        let before = Isometry3::from_parts(place.translation, place.rotation * turn);
        let helper = self.add(names.fresh(joint_name), parent, &before);
        self.drive(helper, 5, column, value.factor);
        let back = Isometry3::from_parts(Vector3::zeros().into(), turn.inverse());
        self.add(name, Some(helper), &back)
    }
}

/// Two directions that make a right-handed frame with an axis; x and y for z.
fn plane(axis: &Vector3<f64>) -> [Vector3<f64>; 2] {
    let start = if axis.x.abs() < 0.9 {
        Vector3::x()
    } else {
        Vector3::y()
    };
    let x = (start - axis * axis.dot(&start)).normalize();
    [x, axis.cross(&x)]
}
