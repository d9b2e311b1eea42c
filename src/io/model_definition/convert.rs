//! Names to places: the map from parameters to channels, and named sets of parameters.

use std::collections::{BTreeMap, HashMap};

use super::raw::{Assignment, Line, Set, Term};
use crate::character::{PARAMETERS_PER_JOINT, ParameterTransform, Skeleton};
use crate::error::{Error, Result};
use crate::io::names::{CHANNELS, channel, listed, unknown};

/// No file sets more factors than this. References copy what drives another channel, so that a short file
/// could ask for very many.
const MOST_FACTORS: usize = 1 << 20;

/// No sets have more places than this, all together: each has one for each parameter.
const MOST_PLACES: usize = 1 << 24;

/// What is known of a skeleton by name.
pub(super) struct Joints<'a>(pub &'a Skeleton);

impl Joints<'_> {
    pub fn joint(&self, line: Line<'_>, name: &str) -> Result<usize> {
        self.0.joint_index(name).ok_or_else(|| {
            let names = self.0.joints().iter().map(|joint| joint.name.as_str());
            let got = unknown(name, names);
            Error::format(line.place(), "the name of a joint of the character", got)
        })
    }

    pub fn channel(&self, line: Line<'_>, name: &str) -> Result<usize> {
        channel(name)
            .ok_or_else(|| line.wrong("tx, ty, tz, rx, ry, rz or sc after the joint", name))
    }

    /// The joint and channel of `joint.channel`, where they are there.
    pub fn find(&self, name: &str) -> Option<[usize; 2]> {
        let (joint, end) = name.rsplit_once('.')?;
        Some([self.0.joint_index(joint)?, channel(end)?])
    }
}

/// The transform while its lines are read.
struct Builder<'a> {
    joints: Joints<'a>,
    names: Vec<String>,
    columns: HashMap<&'a str, usize>,
    rows: BTreeMap<usize, BTreeMap<usize, f64>>,
    count: usize,
}

/// Reads the lines of `[ParameterTransform]` for a skeleton, in the file's units.
pub(super) fn transform<'a>(
    lines: &[Line<'a>],
    skeleton: &'a Skeleton,
    warnings: &mut Vec<String>,
) -> Result<ParameterTransform> {
    let mut builder = Builder {
        joints: Joints(skeleton),
        names: Vec::new(),
        columns: HashMap::new(),
        rows: BTreeMap::new(),
        count: 0,
    };
    let mut constants = Vec::new();
    for &line in lines {
        let Some(assignment) = Assignment::read(line)? else {
            warnings.push(format!("{}: left out, it assigns nothing", line.place()));
            continue;
        };
        let joint = builder.joints.joint(line, assignment.joint)?;
        let at = builder.joints.channel(line, assignment.channel)?;
        let row = joint * PARAMETERS_PER_JOINT + at;
        for term in &assignment.terms {
            match *term {
                Term::Scaled(factor, name) => builder.add(line, row, factor, name, warnings)?,
                Term::Constant(0.0) => {}
                Term::Constant(_) => {
                    constants.push(format!("{}.{}", assignment.joint, CHANNELS[at]));
                }
            }
        }
    }
    if !constants.is_empty() {
        let shown = listed(constants.iter().map(String::as_str));
        warnings.push(format!(
            "constants added to channels are left out: those of {shown}"
        ));
    }
    let entries = builder.rows.iter().flat_map(|(&row, entries)| {
        let entries = entries.iter();
        entries.map(move |(&column, &factor)| (row, column, factor))
    });
    ParameterTransform::new(builder.names, skeleton.len(), entries)
}

impl<'a> Builder<'a> {
    fn add(
        &mut self,
        line: Line<'a>,
        row: usize,
        factor: f64,
        name: &'a str,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        if let Some(&column) = self.columns.get(name) {
            self.put(row, column, factor);
            return Ok(());
        }
        if let Some([joint, at]) = self.joints.find(name) {
            return self.copy(
                line,
                row,
                factor,
                name,
                joint * PARAMETERS_PER_JOINT + at,
                warnings,
            );
        }
        let joint = name.rsplit_once('.').map(|(joint, _)| joint.trim());
        if joint.is_some_and(|joint| self.joints.0.joint_index(joint).is_some()) {
            return Err(line.wrong(
                "a channel (tx, ty, tz, rx, ry, rz, sc) after the name of a joint",
                name,
            ));
        }
        let column = self.names.len();
        self.names.push(name.to_owned());
        self.columns.insert(name, column);
        self.put(row, column, factor);
        Ok(())
    }

    /// Adds what drives another channel, times a factor.
    fn copy(
        &mut self,
        line: Line<'a>,
        row: usize,
        factor: f64,
        name: &str,
        other: usize,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        if other == row {
            return Err(line.wrong("another channel than the one on the left", name));
        }
        let Some(entries) = self.rows.get(&other).cloned() else {
            warnings.push(format!(
                "{}: '{name}' adds nothing, since no line above drives it",
                line.place()
            ));
            return Ok(());
        };
        if self.count.saturating_add(entries.len()) > MOST_FACTORS {
            let expected = format!("at most {MOST_FACTORS} factors in all, copies too");
            return Err(Error::format(line.place(), expected, "more"));
        }
        for (column, value) in entries {
            self.put(row, column, factor * value);
        }
        Ok(())
    }

    fn put(&mut self, row: usize, column: usize, factor: f64) {
        let entries = self.rows.entry(row).or_default();
        *entries.entry(column).or_insert(0.0) += factor;
        self.count += 1;
    }
}

/// Adds the sets of `[ParameterSets]`.
pub(super) fn with_sets(
    mut transform: ParameterTransform,
    lines: &[Line<'_>],
    warnings: &mut Vec<String>,
) -> Result<ParameterTransform> {
    let names = transform.names().to_vec();
    let columns: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
    let mut n_places = 0_usize;
    for &line in lines {
        let Some(set) = Set::read(line)? else {
            warnings.push(format!("{}: left out, it is no parameterset", line.place()));
            continue;
        };
        n_places = names.len().saturating_add(n_places);
        if n_places > MOST_PLACES {
            let expected = format!("at most {MOST_PLACES} places in all sets together");
            return Err(Error::format(line.place(), expected, "more"));
        }
        let mut mask = vec![false; names.len()];
        for member in set.members {
            let Some(&column) = columns.get(member) else {
                let got = unknown(member, names.iter().map(String::as_str));
                return Err(Error::format(line.place(), "the name of a parameter", got));
            };
            mask[column] = true;
        }
        transform = transform.with_parameter_set(set.name, mask)?;
    }
    Ok(transform)
}
