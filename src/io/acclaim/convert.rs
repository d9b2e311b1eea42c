//! A skeleton as a character.

use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};
use std::sync::Arc;

use super::recipe::{Recipe, Row, Slot};
use super::skeleton::{Dof, Skeleton};
use crate::character::{
    self, Character, CharacterParts, Joint, LimitKind, Locator, PARAMETERS_PER_JOINT,
    ParameterLimit, ParameterTransform, Unit,
};
use crate::error::{Error, Result};
use crate::io::LoadOptions;
use crate::io::angles::about;

/// Metres in an inch.
const INCH: f64 = 0.0254;

const SUFFIXES: [&str; 6] = ["tx", "ty", "tz", "rx", "ry", "rz"];

/// Everything that is collected joint by joint.
#[derive(Default)]
struct Build {
    joints: Vec<Joint>,
    locators: Vec<Locator>,
    parameters: Vec<String>,
    entries: Vec<(usize, usize, f64)>,
    limits: Vec<ParameterLimit>,
    rows: Vec<Row>,
    /// Bones that move along, or stretch.
    moved: usize,
    /// Limits of angles that are turned.
    unlimited: usize,
}

/// The character, and what its motion needs.
pub(super) fn character(
    skeleton: &Skeleton,
    options: &LoadOptions,
    warnings: &mut Vec<String>,
) -> Result<(Character, Recipe)> {
    // In the file's own unit where it is one of ours, so that its numbers stay; else metres.
    let inches = INCH / skeleton.length;
    let (unit, factor) = options
        .file_unit
        .map_or((Unit::Meter, inches), |unit| (unit, 1.0));
    let angle = if skeleton.in_degrees {
        std::f64::consts::PI / 180.0
    } else {
        1.0
    };
    let mut build = Build::default();
    let root = &skeleton.root;
    let position = Vector3::from(root.position) * factor;
    let at_rest = turned(root.axis, root.orientation, angle);
    build.joint("root", None, &at_rest, position);
    // The first rotation that is applied is the innermost one.
    let axes = root.axis.iter().rev().copied();
    let rotations = axes.filter(|&axis| root.order.contains(&Dof::Rotation(axis)));
    build.freedom(
        0,
        "root",
        &root.order,
        rotations.collect(),
        root.position,
        &[],
    )?;
    for (at, joint, parent) in ordered(skeleton)? {
        let bone = &skeleton.bones[at];
        let (parent_rest, parent_end) = match skeleton.parents[at] {
            None => (at_rest, Vector3::zeros()),
            Some(above) => {
                let above = &skeleton.bones[above];
                let end = Vector3::from(above.direction) * (above.length * factor);
                (turned(above.order, above.axis, angle), end)
            }
        };
        let own_rest = turned(bone.order, bone.axis, angle);
        let offset = parent_rest.transpose() * parent_end;
        build.joint(
            &bone.name,
            Some(parent),
            &(parent_rest.transpose() * own_rest),
            offset,
        );
        let end = own_rest.transpose() * Vector3::from(bone.direction) * (bone.length * factor);
        build.locators.push(Locator::new(
            format!("{}_end", bone.name),
            joint,
            end.into(),
        ));
        let rotations = bone.dof.iter().rev().filter_map(|dof| match *dof {
            Dof::Rotation(axis) => Some(axis),
            _ => None,
        });
        let limits: Vec<[f64; 2]> = bone.limits.iter().map(|l| l.map(|x| x * angle)).collect();
        build.freedom(
            joint,
            &bone.name,
            &bone.dof,
            rotations.collect(),
            [0.0; 3],
            &limits,
        )?;
    }
    let mut say = |count: usize, what: &str| {
        if count > 0 {
            warnings.push(what.to_owned());
        }
    };
    say(
        build.moved,
        "translations and stretch of single bones are left out",
    );
    say(
        build.unlimited,
        "limits of bones whose degrees of freedom are in another order than rx ry rz are left out",
    );
    let masses = skeleton.bones.iter().filter(|bone| bone.has_mass).count();
    say(
        masses,
        "masses of bones are left out, since the file does not say their unit",
    );
    build.finish(skeleton, unit, factor / unit.per_meter())
}

/// The rotation of angles about axes, the first applied first.
fn turned(order: [usize; 3], angles: [f64; 3], unit: f64) -> Matrix3<f64> {
    // Angles are listed in the order of their axes.
    let rotations = order.iter().zip(angles).rev();
    rotations
        .map(|(&axis, angle)| about(axis, angle * unit))
        .product()
}

/// Bones after their parents: the bone, its joint and its parent's joint.
fn ordered(skeleton: &Skeleton) -> Result<Vec<(usize, usize, usize)>> {
    let mut children = vec![Vec::new(); skeleton.bones.len()];
    let mut open = Vec::new();
    for at in (0..skeleton.bones.len()).rev() {
        match skeleton.parents[at] {
            Some(parent) => children[parent].push(at),
            None => open.push((at, 0)),
        }
    }
    let mut order = Vec::with_capacity(skeleton.bones.len());
    while let Some((at, parent)) = open.pop() {
        let joint = order.len() + 1;
        order.push((at, joint, parent));
        open.extend(children[at].drain(..).map(|child| (child, joint)));
    }
    if order.len() < skeleton.bones.len() {
        let got = "bones that are each other's parents";
        return Err(Error::format(
            ":hierarchy",
            "every bone to hang from the root",
            got,
        ));
    }
    Ok(order)
}

impl Build {
    fn joint(
        &mut self,
        name: &str,
        parent: Option<usize>,
        rotation: &Matrix3<f64>,
        offset: Vector3<f64>,
    ) {
        let mut joint = Joint::new(name, parent, offset.into());
        let rotation = Rotation3::from_matrix_unchecked(*rotation);
        let rotation = UnitQuaternion::from_rotation_matrix(&rotation);
        joint.pre_rotation = rotation.coords.into();
        self.joints.push(joint);
    }

    /// The degrees of freedom of one joint; `rotations` the axes, the first outermost.
    fn freedom(
        &mut self,
        joint: usize,
        name: &str,
        dofs: &[Dof],
        rotations: Vec<usize>,
        rest: [f64; 3],
        limits: &[[f64; 2]],
    ) -> Result<()> {
        let first = self.parameters.len();
        // Parts of z, y, x.
        let is_ours = rotations.windows(2).all(|pair| pair[0] > pair[1]);
        let is_root = joint == 0;
        let mut columns = [0; 6];
        for (parameter, column) in columns.iter_mut().enumerate() {
            let is_there = match parameter {
                0..3 => is_root && dofs.contains(&Dof::Translation(parameter)),
                _ if is_ours => rotations.contains(&(parameter - 3)),
                _ => true,
            };
            if is_there {
                *column = self.parameters.len();
                let row = joint * PARAMETERS_PER_JOINT + parameter;
                self.entries.push((row, self.parameters.len(), 1.0));
                self.parameters
                    .push(format!("{name}_{}", SUFFIXES[parameter]));
            }
        }
        let slots = dofs.iter().map(|dof| match *dof {
            Dof::Translation(axis) if is_root => Slot::Length(columns[axis], rest[axis]),
            Dof::Rotation(axis) if is_ours => Slot::Angle(columns[3 + axis]),
            Dof::Rotation(axis) => {
                let place = rotations.iter().position(|&own| own == axis);
                Slot::Angle(columns[3] + place.unwrap_or(0))
            }
            _ => {
                self.moved += 1;
                Slot::Nothing
            }
        });
        let slots: Vec<Slot> = slots.collect();
        for (slot, &range) in slots.iter().zip(limits) {
            match *slot {
                Slot::Angle(parameter) if is_ours => {
                    let kind = LimitKind::MinMax { parameter, range };
                    let limit = ParameterLimit::new(kind, 1.0);
                    self.limits.push(limit.map_err(|error| {
                        Error::format(format!("limits of bone '{name}'"), "limits", error)
                    })?);
                }
                Slot::Angle(_) => self.unlimited += 1,
                _ => {}
            }
        }
        if !slots.is_empty() {
            let turned = (!is_ours).then(|| (rotations, columns[3].max(first)));
            self.rows.push(Row {
                bone: name.to_owned(),
                slots,
                turned,
            });
        }
        Ok(())
    }

    fn finish(self, skeleton: &Skeleton, unit: Unit, meters: f64) -> Result<(Character, Recipe)> {
        let recipe = Recipe {
            meters,
            in_degrees: skeleton.in_degrees,
            rows: self.rows,
        };
        let transform = ParameterTransform::new(self.parameters, self.joints.len(), self.entries)?;
        let joints = character::Skeleton::new(self.joints)?;
        let mut parts = CharacterParts::new(skeleton.name.as_str(), joints, transform);
        parts.unit = unit;
        parts.locators = Arc::new(self.locators);
        parts.parameter_limits = Arc::new(self.limits);
        parts.metadata = recipe.to_metadata();
        Ok((Character::new(parts)?, recipe))
    }
}
