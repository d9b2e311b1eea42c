//! A character's parameters as a model definition.

use std::fmt::Write;

use super::{HEADER, write_limits};
use crate::character::{Character, PARAMETERS_PER_JOINT, ParameterTransform};
use crate::error::{Error, Result};
use crate::io::Saved;
use crate::io::names::{CHANNELS, listed};

/// The text; `character` is in centimetres.
pub(super) fn definition(character: &Character) -> Result<Saved> {
    let transform = &character.parameter_transform;
    let names = Names { character };
    let mut text = format!("{HEADER}\n");
    names.check()?;
    if !transform.is_empty() {
        text.push_str("\n[ParameterTransform]\n");
        write_transform(character, &mut text);
    }
    if !transform.parameter_sets().is_empty() {
        text.push_str("\n[ParameterSets]\n");
        for (name, mask) in transform.parameter_sets() {
            let _ = write!(text, "parameterset {}", word("parameter set", name)?);
            for (name, _) in transform.names().iter().zip(mask).filter(|(_, of)| **of) {
                let _ = write!(text, " {}", word("parameter", name)?);
            }
            text.push('\n');
        }
    }
    let mut warnings = Vec::new();
    let foreign = names.unreadable_by_momentum();
    if !foreign.is_empty() {
        let shown = listed(foreign.iter().copied());
        warnings.push(format!("PyMomentum cannot read the names {shown}"));
    }
    if !character.parameter_limits.is_empty() {
        text.push_str("\n[Limits]\n");
        write_limits::limits(character, &mut text, &mut warnings)?;
    }
    Ok(Saved {
        parts: vec![text.into_bytes()],
        warnings,
    })
}

fn write_transform(character: &Character, text: &mut String) {
    let transform = &character.parameter_transform;
    let joints = character.skeleton.joints();
    let names = transform.names();
    let rows = PARAMETERS_PER_JOINT * joints.len();
    let place = |row: usize| {
        let joint = &joints[row / PARAMETERS_PER_JOINT];
        format!("{}.{}", joint.name, CHANNELS[row % PARAMETERS_PER_JOINT])
    };
    if !are_named_in_order(transform) && rows > 0 {
        text.push_str("# all parameters, in their order\n");
        let driven = (0..rows).find(|&row| transform.row(row).next().is_some());
        let terms: Vec<String> = names.iter().map(|name| format!("0*{name}")).collect();
        let row = place(driven.unwrap_or(0));
        let _ = writeln!(text, "{row} = {}", terms.join(" + "));
    }
    for row in 0..rows {
        let terms = transform.row(row);
        let terms: Vec<String> = terms
            .map(|(column, factor)| format!("{factor}*{}", names[column]))
            .collect();
        if !terms.is_empty() {
            let _ = writeln!(text, "{} = {}", place(row), terms.join(" + "));
        }
    }
}

/// Whether the channels name the parameters first to last, all of them.
fn are_named_in_order(transform: &ParameterTransform) -> bool {
    let mut named = 0;
    for row in 0..PARAMETERS_PER_JOINT * transform.n_joints() {
        for (column, _) in transform.row(row) {
            if column > named {
                return false;
            }
            named = named.max(column + 1);
        }
    }
    named == transform.len()
}

/// A name between spaces.
pub(super) fn word<'a>(what: &str, name: &'a str) -> Result<&'a str> {
    let breaks = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | ',' | '#');
    match name.is_empty() || name.contains(breaks) {
        false => Ok(name),
        true => Err(unfit(
            what,
            name,
            "is no word without spaces, brackets, commas and #",
        )),
    }
}

fn unfit(what: &str, name: &str, problem: &str) -> Error {
    Error::value(
        format!("{what} '{name}'"),
        format!("a model definition cannot hold the name, which {problem}"),
    )
}

/// The names of a character, as this text and its readers see them.
struct Names<'a> {
    character: &'a Character,
}

impl Names<'_> {
    /// Refuses names that would be read as something else.
    fn check(&self) -> Result<()> {
        let skeleton = &self.character.skeleton;
        let spoiled = |name: &str, signs: &str| {
            name.is_empty()
                || name.trim() != name
                || name.contains(|c: char| signs.contains(c) || c.is_control())
        };
        for name in self.character.parameter_transform.names() {
            if spoiled(name, "+*=#") {
                return Err(unfit("parameter", name, "has signs of the text in it"));
            }
            let joint = name.rsplit_once('.').map(|(joint, _)| joint.trim());
            if joint.is_some_and(|joint| skeleton.joint_index(joint).is_some()) {
                return Err(unfit(
                    "parameter",
                    name,
                    "is read as the channel of a joint",
                ));
            }
        }
        let joints = skeleton.joints().iter();
        match joints
            .map(|joint| &joint.name)
            .find(|name| spoiled(name, "=#"))
        {
            Some(name) => Err(unfit("joint", name, "has signs of the text in it")),
            None => Ok(()),
        }
    }

    /// Names that only our reader understands. PyMomentum splits names at their first point, takes a
    /// parameter called like a joint for one, and wants plain words in limits.
    fn unreadable_by_momentum(&self) -> Vec<&str> {
        let skeleton = &self.character.skeleton;
        let transform = &self.character.parameter_transform;
        let in_limits = write_limits::named(self.character);
        let joints = skeleton.joints().iter().map(|joint| joint.name.as_str());
        let joints = joints
            .filter(|name| name.contains('.') || (in_limits.contains(name) && !is_plain(name)));
        let parameters = transform.names().iter().map(String::as_str).filter(|name| {
            let start = name.split('.').next().unwrap_or("");
            skeleton.joint_index(start).is_some() || (in_limits.contains(name) && !is_plain(name))
        });
        joints.chain(parameters).collect()
    }
}

fn is_plain(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
