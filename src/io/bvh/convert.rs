//! A hierarchy as a character, its channels as parameters.

use std::collections::HashSet;
use std::f64::consts::PI;
use std::sync::Arc;

use super::hierarchy::{Channel, Hierarchy};
use super::table::Destination;
use crate::character::{
    Character, CharacterParts, Joint, Locator, PARAMETERS_PER_JOINT, ParameterTransform, Skeleton,
    Unit,
};
use crate::error::Result;
use crate::io::PositionChannels;
use crate::io::angles::Turned;

/// What a degree is, radians.
pub(super) const DEGREE: f64 = PI / 180.0;

const SUFFIXES: [&str; 6] = ["tx", "ty", "tz", "rx", "ry", "rz"];

/// A character and how rows of channels become its parameters.
pub(super) struct Rig {
    pub character: Character,
    /// One a channel, in the order of the numbers.
    pub destinations: Vec<Destination>,
    /// Joints whose rotations are in another order than ours.
    pub turned: Vec<Turned>,
}

pub(super) fn rig(
    hierarchy: &Hierarchy,
    name: String,
    unit: Unit,
    positions: PositionChannels,
    warnings: &mut Vec<String>,
) -> Result<Rig> {
    let names = distinct(
        hierarchy.joints.iter().map(|joint| joint.name.as_str()),
        warnings,
    );
    let mut joints = Vec::with_capacity(names.len());
    let (mut parameters, mut entries) = (Vec::new(), Vec::new());
    let (mut destinations, mut turned) = (Vec::new(), Vec::new());
    for (at, (stored, name)) in hierarchy.joints.iter().zip(&names).enumerate() {
        let mut add = |parameter: usize| {
            entries.push((at * PARAMETERS_PER_JOINT + parameter, parameters.len(), 1.0));
            parameters.push(format!("{name}_{}", SUFFIXES[parameter]));
            parameters.len() - 1
        };
        let moved: Vec<usize> = stored.channels.iter().filter_map(position).collect();
        let axes: Vec<usize> = stored.channels.iter().filter_map(rotation).collect();
        // Parts of z, y, x.
        let is_ours = axes.windows(2).all(|pair| pair[0] > pair[1]);
        let mut columns = [0; 6];
        for (parameter, column) in columns.iter_mut().enumerate() {
            let is_there = match parameter {
                0..3 => moved.contains(&parameter),
                _ if is_ours => axes.contains(&(parameter - 3)),
                _ => true,
            };
            if is_there {
                *column = add(parameter);
            }
        }
        let mut offset = stored.offset;
        let replaces = positions == PositionChannels::ReplaceOffset && !moved.is_empty();
        if replaces {
            // An axis without a channel of its own is replaced by nothing.
            for axis in (0..3).filter(|axis| !moved.contains(axis)) {
                offset[axis] = 0.0;
            }
        }
        let mut n_rotations = 0;
        for channel in &stored.channels {
            destinations.push(match *channel {
                Channel::Position(axis) => Destination {
                    column: columns[axis],
                    factor: 1.0,
                    shift: if replaces { -offset[axis] } else { 0.0 },
                },
                Channel::Rotation(axis) => {
                    let column = if is_ours {
                        columns[3 + axis]
                    } else {
                        columns[3] + n_rotations
                    };
                    n_rotations += 1;
                    Destination {
                        column,
                        factor: DEGREE,
                        shift: 0.0,
                    }
                }
            });
        }
        if !is_ours {
            let first_column = columns[3];
            turned.push(Turned { axes, first_column });
        }
        joints.push(Joint::new(name.as_str(), stored.parent, offset));
    }
    let transform = ParameterTransform::new(parameters, joints.len(), entries)?;
    let mut parts = CharacterParts::new(name, Skeleton::new(joints)?, transform);
    parts.unit = unit;
    parts.locators = Arc::new(ends(hierarchy, &names));
    Ok(Rig {
        character: Character::new(parts)?,
        destinations,
        turned,
    })
}

fn position(channel: &Channel) -> Option<usize> {
    match *channel {
        Channel::Position(axis) => Some(axis),
        Channel::Rotation(_) => None,
    }
}

fn rotation(channel: &Channel) -> Option<usize> {
    match *channel {
        Channel::Rotation(axis) => Some(axis),
        Channel::Position(_) => None,
    }
}

/// Names that differ: a number after each that was there before.
fn distinct<'a>(names: impl Iterator<Item = &'a str>, warnings: &mut Vec<String>) -> Vec<String> {
    let names: Vec<&str> = names.collect();
    let mut taken: HashSet<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut seen = HashSet::new();
    let mut next = std::collections::HashMap::new();
    let mut n_repeated = 0;
    let result = names.iter().map(|&name| {
        if seen.insert(name) {
            return name.to_owned();
        }
        n_repeated += 1;
        let number = next.entry(name).or_insert(1_usize);
        loop {
            *number += 1;
            let candidate = format!("{name}_{number}");
            if taken.insert(candidate.clone()) {
                return candidate;
            }
        }
    });
    let result = result.collect();
    if n_repeated > 0 {
        warnings.push(format!(
            "{n_repeated} joints have a name that another joint has; a number is added to it"
        ));
    }
    result
}

fn ends(hierarchy: &Hierarchy, names: &[String]) -> Vec<Locator> {
    let mut counts = vec![0_usize; names.len()];
    let ends = hierarchy.end_sites.iter().map(|end| {
        let count = &mut counts[end.parent];
        *count += 1;
        let name = &names[end.parent];
        let name = match *count {
            1 => format!("{name}_end"),
            number => format!("{name}_end_{number}"),
        };
        Locator::new(name, end.parent, end.offset)
    });
    ends.collect()
}
