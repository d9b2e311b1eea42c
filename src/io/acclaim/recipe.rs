//! How the rows of an AMC file become model parameters of a character.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::skeleton::Dof;
use crate::character::Character;

/// One number of a bone's row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum Slot {
    /// A length, into a model parameter; what it is at rest is taken away.
    Length(usize, f64),
    /// An angle, into a model parameter.
    Angle(usize),
    /// Left out.
    Nothing,
}

/// The numbers of one bone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub bone: String,
    pub slots: Vec<Slot>,
    /// Axes of angles in another order than ours, the first outermost, and the first of their columns.
    pub turned: Option<(Vec<usize>, usize)>,
}

/// Rows, and what their numbers mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Recipe {
    /// What one of the file's lengths is.
    pub meters: f64,
    /// Where the AMC file does not say.
    pub in_degrees: bool,
    pub rows: Vec<Row>,
}

/// What a character's metadata holds.
#[derive(Serialize, Deserialize)]
struct Metadata {
    acclaim: Recipe,
}

impl Recipe {
    /// For [`crate::character::CharacterParts::metadata`].
    pub fn to_metadata(&self) -> String {
        let metadata = Metadata {
            acclaim: self.clone(),
        };
        serde_json::to_string(&metadata).unwrap_or_default()
    }

    /// What the character keeps of its ASF file.
    pub fn of(character: &Character) -> Option<Self> {
        let metadata: Metadata = serde_json::from_str(&character.metadata).ok()?;
        let recipe = metadata.acclaim;
        let count = character.parameter_transform.len();
        let fits = |slot: &Slot| match *slot {
            Slot::Length(at, rest) => at < count && rest.is_finite(),
            Slot::Angle(at) => at < count,
            Slot::Nothing => true,
        };
        let all_fit = recipe.rows.iter().all(|row| {
            let turned = row.turned.as_ref().is_none_or(|(axes, first)| {
                let columns = first.checked_add(3);
                axes.len() <= 3 && columns.is_some_and(|end| end <= count)
            });
            turned && row.slots.iter().all(fits)
        });
        (all_fit && recipe.meters > 0.0 && recipe.meters.is_finite()).then_some(recipe)
    }

    /// For a character that keeps nothing: its parameters `<joint>_tx` ... `<joint>_rz`, in this order,
    /// lengths in `meters`.
    pub fn by_names(character: &Character, meters: f64) -> Self {
        let names = character.parameter_transform.names().iter().enumerate();
        let names: HashMap<&str, usize> = names.map(|(at, name)| (name.as_str(), at)).collect();
        let mut rows = Vec::new();
        for joint in character.skeleton.joints() {
            let mut slots = Vec::new();
            for suffix in ["tx", "ty", "tz", "rx", "ry", "rz"] {
                let wanted = format!("{}_{suffix}", joint.name);
                let is_root = joint.parent.is_none();
                let column = names.get(wanted.as_str()).copied();
                match (column, Dof::parse(suffix)) {
                    (Some(at), Some(Dof::Rotation(_))) => slots.push(Slot::Angle(at)),
                    (Some(at), _) if is_root => slots.push(Slot::Length(at, 0.0)),
                    _ => {}
                }
            }
            if !slots.is_empty() {
                let bone = joint.name.clone();
                rows.push(Row {
                    bone,
                    slots,
                    turned: None,
                });
            }
        }
        Self {
            meters,
            in_degrees: true,
            rows,
        }
    }
}
