//! From links and joints to a skeleton and its parameters.

use nalgebra::{Isometry3, Unit, UnitQuaternion, Vector3};

use super::raw::{Joint as Stored, Kind, Robot};
use super::tree::{self, Value};
use crate::character::{ParameterLimit, ParameterTransform, Skeleton};
use crate::error::Result;
use crate::io::nodes::Names;
use crate::io::rigid::{Rig, channel_along, frame_along, plane};

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
    rig: Rig,
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
            None => builder.rig.add(name, None, &Isometry3::identity()),
            Some((at, parent)) => {
                let (stored, parent) = (&robot.joints[at], Some(link_joints[parent]));
                builder.add_link(name, parent, stored, values[at], &mut names)
            }
        };
    }
    let (skeleton, transform, limits) = builder.rig.finish()?;
    Ok(Built {
        skeleton,
        transform,
        limits,
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
        self.columns[at] = Some(self.rig.parameters.len());
        match (joint.limit, joint.kind) {
            (Some([low, high]), _) if low <= -FREE && high >= FREE => {}
            (Some(range), _) => self.rig.limit(self.rig.parameters.len(), range),
            (None, Kind::Revolute | Kind::Prismatic) => warnings.push(format!(
                "{}: it has no <limit>, which its type asks for; it moves without one",
                joint.element.place()
            )),
            (None, _) => {}
        }
        self.rig.parameters.extend(names);
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
            return self.rig.add(name, parent, origin);
        };
        match stored.kind {
            Kind::Fixed => self.rig.add(name, parent, origin),
            Kind::Prismatic => {
                let mut place = *origin;
                let direction = origin.rotation * axis;
                place.translation.vector += direction * value.offset;
                let joint = self.rig.add(name, parent, &place);
                self.rig
                    .drive_along(joint, &direction, column, value.factor);
                joint
            }
            Kind::Floating => {
                let joint = self.rig.add(name, parent, origin);
                for channel in 0..3 {
                    let mut direction = Vector3::zeros();
                    direction[channel] = 1.0;
                    self.rig.drive_along(
                        joint,
                        &(origin.rotation * direction),
                        column + channel,
                        1.0,
                    );
                    self.rig
                        .drive(joint, 3 + channel, column + 3 + channel, 1.0);
                }
                joint
            }
            Kind::Planar => {
                let [x, y] = plane(&axis);
                let first = self.rig.joints.len();
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
                self.rig
                    .drive_along(first, &(origin.rotation * x), column, 1.0);
                self.rig
                    .drive_along(first, &(origin.rotation * y), column + 1, 1.0);
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
        if let Some((channel, sign)) = channel_along(axis) {
            let joint = self.rig.add(name, parent, &place);
            self.rig
                .drive(joint, 3 + channel, column, value.factor * sign);
            return joint;
        }
        let turn = frame_along(axis);
        let before = Isometry3::from_parts(place.translation, place.rotation * turn);
        let helper = self.rig.add(names.fresh(joint_name), parent, &before);
        self.rig.drive(helper, 5, column, value.factor);
        let back = Isometry3::from_parts(Vector3::zeros().into(), turn.inverse());
        self.rig.add(name, Some(helper), &back)
    }
}
