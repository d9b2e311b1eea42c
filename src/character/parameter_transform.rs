//! The sparse linear map from a user's model parameters to joint parameters.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

use super::parameter_columns::ParameterColumns;
use super::skeleton::Skeleton;
use crate::error::{Error, Result};

/// `tx ty tz rx ry rz sc` of each joint, in this order; `sc` is log2 of the uniform scale.
pub const PARAMETERS_PER_JOINT: usize = 7;

/// `joint_parameters = T · model_parameters`, with `T` of shape `(7 · n_joints, n_parameters)` kept by
/// rows; named parameters and named sets of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterTransform {
    names: Vec<String>,
    /// Entries of row `r` are `row_starts[r] .. row_starts[r + 1]`.
    row_starts: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<f64>,
    parameter_sets: BTreeMap<String, Vec<bool>>,
    /// Which parameters are coefficients of shapes or skinned locators.
    pub(super) special: ParameterColumns,
}

impl ParameterTransform {
    /// Builds the map from `(row, column, value)` entries; entries of one place are added up, zeros
    /// are dropped.
    ///
    /// # Errors
    /// [`Error::Character`] for a repeated parameter name, an entry outside the matrix, or a value
    /// that is not finite.
    pub fn new(
        names: Vec<String>,
        n_joints: usize,
        entries: impl IntoIterator<Item = (usize, usize, f64)>,
    ) -> Result<Self> {
        check_names(&names)?;
        let rows = PARAMETERS_PER_JOINT * n_joints;
        let mut by_row: Vec<BTreeMap<u32, f64>> = vec![BTreeMap::new(); rows];
        for (row, column, value) in entries {
            if row >= rows || column >= names.len() {
                return Err(Error::character(
                    "parameter transform",
                    format!(
                        "entry at ({row}, {column}) is outside the shape ({rows}, {}) = \
                         (7 * n_joints, n_parameters)",
                        names.len()
                    ),
                ));
            }
            if !value.is_finite() {
                return Err(Error::character(
                    format!("parameter '{}'", names[column]),
                    format!("its value {value} for joint parameter {row} is not finite"),
                ));
            }
            *by_row[row].entry(column as u32).or_insert(0.0) += value;
        }
        let mut row_starts = Vec::with_capacity(rows + 1);
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        row_starts.push(0);
        for row in by_row {
            for (column, value) in row {
                if value != 0.0 {
                    columns.push(column);
                    values.push(value);
                }
            }
            row_starts.push(columns.len() as u32);
        }
        Ok(Self {
            names,
            row_starts,
            columns,
            values,
            parameter_sets: BTreeMap::new(),
            special: ParameterColumns::default(),
        })
    }

    /// One model parameter for every joint parameter, named `joint_tx` and so on.
    #[must_use]
    pub fn identity(skeleton: &Skeleton) -> Self {
        const SUFFIXES: [&str; PARAMETERS_PER_JOINT] = ["tx", "ty", "tz", "rx", "ry", "rz", "sc"];
        let names: Vec<String> = skeleton
            .joints()
            .iter()
            .flat_map(|joint| SUFFIXES.map(|suffix| format!("{}_{suffix}", joint.name)))
            .collect();
        let count = names.len() as u32;
        Self {
            names,
            row_starts: (0..=count).collect(),
            columns: (0..count).collect(),
            values: vec![1.0; count as usize],
            parameter_sets: BTreeMap::new(),
            special: ParameterColumns::default(),
        }
    }

    /// The same map with one more named set of parameters (or another one of that name).
    ///
    /// # Errors
    /// [`Error::Character`] where the mask does not have one entry per parameter.
    pub fn with_parameter_set(mut self, name: impl Into<String>, mask: Vec<bool>) -> Result<Self> {
        let name = name.into();
        self.check_mask(&format!("parameter set '{name}'"), &mask)?;
        self.parameter_sets.insert(name, mask);
        Ok(self)
    }

    /// The parameters' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of model parameters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no model parameters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The number of joints that the map is for.
    #[must_use]
    pub fn n_joints(&self) -> usize {
        (self.row_starts.len() - 1) / PARAMETERS_PER_JOINT
    }

    /// The `(model parameter, factor)` entries of one joint parameter, by increasing parameter.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.row_starts[row] as usize..self.row_starts[row + 1] as usize;
        self.columns[range.clone()]
            .iter()
            .map(|&column| column as usize)
            .zip(self.values[range].iter().copied())
    }

    /// The named sets.
    #[must_use]
    pub fn parameter_sets(&self) -> &BTreeMap<String, Vec<bool>> {
        &self.parameter_sets
    }

    /// The dense matrix, row-major, `(7 · n_joints, n_parameters)`.
    #[must_use]
    pub fn to_dense(&self) -> Vec<f64> {
        let mut dense = vec![0.0; (self.row_starts.len() - 1) * self.len()];
        for row in 0..self.row_starts.len() - 1 {
            for (column, value) in self.row(row) {
                dense[row * self.len() + column] = value;
            }
        }
        dense
    }

    /// Parameters that change body proportions: the name contains `scale_`.
    #[must_use]
    pub fn scaling_parameters(&self) -> Vec<bool> {
        self.mask(|name| name.contains("scale_"))
    }

    /// Parameters that move the whole character: the name contains `root_` or `hips`.
    #[must_use]
    pub fn rigid_parameters(&self) -> Vec<bool> {
        self.mask(|name| name.contains("root_") || name.contains("hips"))
    }

    /// Parameters that pose the character: all that are neither scaling nor coefficients of blend
    /// shapes, face expressions or skinned locators.
    #[must_use]
    pub fn pose_parameters(&self) -> Vec<bool> {
        let mut mask = self.mask(|name| !name.contains("scale_"));
        for column in self.special.all() {
            mask[column] = false;
        }
        mask
    }

    /// Parameters that act on any of `joints`.
    #[must_use]
    pub fn parameters_for_joints(&self, joints: &[usize]) -> Vec<bool> {
        let mut mask = vec![false; self.len()];
        for &joint in joints.iter().filter(|&&joint| joint < self.n_joints()) {
            for row in joint * PARAMETERS_PER_JOINT..(joint + 1) * PARAMETERS_PER_JOINT {
                for (column, _) in self.row(row) {
                    mask[column] = true;
                }
            }
        }
        mask
    }

    /// Parameters that are lengths: they drive translations and nothing else, or move skinned locators.
    /// Their values are in the character's unit.
    #[must_use]
    pub fn length_parameters(&self) -> Vec<bool> {
        let mut drives = vec![(false, false); self.len()];
        for row in 0..self.row_starts.len() - 1 {
            for (column, _) in self.row(row) {
                let translation = row % PARAMETERS_PER_JOINT < 3;
                drives[column].0 |= translation;
                drives[column].1 |= !translation;
            }
        }
        for &column in self.special.skinned_locators.iter().flatten() {
            drives[column].0 = true;
        }
        drives
            .iter()
            .map(|&(length, other)| length && !other)
            .collect()
    }

    /// The same map with only the parameters that `mask` chooses, in their order; named sets and
    /// coefficients follow. What the others drove stays at rest.
    ///
    /// # Errors
    /// [`Error::Character`] where the mask does not have one entry per parameter.
    pub fn subset(&self, mask: &[bool]) -> Result<Self> {
        self.check_mask("subset", mask)?;
        let places = places(mask);
        let mut subset = self.with_rows(|column| places[column]);
        subset.names = keep(&self.names, mask);
        subset.special = self.special.moved(&places);
        for set in subset.parameter_sets.values_mut() {
            *set = keep(set, mask);
        }
        Ok(subset)
    }

    /// The same parameters, of which only those of `mask` drive anything.
    pub(crate) fn with_only(&self, mask: &[bool]) -> Self {
        self.with_rows(|column| mask[column].then_some(column))
    }

    /// The same with other entries: each column's go to another one, or are dropped.
    fn with_rows(&self, place: impl Fn(usize) -> Option<usize>) -> Self {
        let mut with = self.clone();
        with.row_starts.truncate(1);
        with.columns.clear();
        with.values.clear();
        for row in 0..self.row_starts.len() - 1 {
            for (column, value) in self.row(row) {
                if let Some(place) = place(column) {
                    with.columns.push(place as u32);
                    with.values.push(value);
                }
            }
            with.row_starts.push(with.columns.len() as u32);
        }
        with
    }

    /// The same map with more parameters behind the others, which drive no joint.
    ///
    /// # Errors
    /// [`Error::Character`] for a name that is there already.
    pub(super) fn with_appended(mut self, names: Vec<String>) -> Result<Self> {
        self.names.extend(names);
        check_names(&self.names)?;
        let count = self.names.len();
        for set in self.parameter_sets.values_mut() {
            set.resize(count, false);
        }
        Ok(self)
    }

    /// The same parameters over other joints: joint `j` becomes joint `places[j]`, and one without a place
    /// is driven no more. `more` entries are added.
    ///
    /// # Errors
    /// [`Error::Character`] for an entry outside the matrix.
    pub(super) fn over_joints(
        &self,
        places: &[Option<usize>],
        n_joints: usize,
        more: impl IntoIterator<Item = (usize, usize, f64)>,
    ) -> Result<Self> {
        let moved = places.iter().enumerate().flat_map(|(joint, place)| {
            let rows = place.map(|place| (0..PARAMETERS_PER_JOINT).map(move |at| (place, at)));
            rows.into_iter().flatten().flat_map(move |(place, at)| {
                let row = PARAMETERS_PER_JOINT * place + at;
                let entries = self.row(PARAMETERS_PER_JOINT * joint + at);
                entries.map(move |(column, value)| (row, column, value))
            })
        });
        let rows = Self::new(self.names.clone(), n_joints, moved.chain(more))?;
        Ok(Self {
            parameter_sets: self.parameter_sets.clone(),
            special: self.special.clone(),
            ..rows
        })
    }

    /// The same parameters over translations seen in other axes: those of `joints` become `turn` (row-major
    /// 3x3) times what they were.
    ///
    /// # Errors
    /// [`Error::Character`] where a factor is not finite.
    pub(crate) fn with_turned_translations(
        &self,
        joints: &[usize],
        turn: &[f64; 9],
    ) -> Result<Self> {
        let mut entries = Vec::new();
        for row in 0..PARAMETERS_PER_JOINT * self.n_joints() {
            let (joint, channel) = (row / PARAMETERS_PER_JOINT, row % PARAMETERS_PER_JOINT);
            for (column, factor) in self.row(row) {
                if channel < 3 && joints.contains(&joint) {
                    let first = joint * PARAMETERS_PER_JOINT;
                    let turned = |axis| (first + axis, column, turn[3 * axis + channel] * factor);
                    entries.extend([turned(0), turned(1), turned(2)]);
                } else {
                    entries.push((row, column, factor));
                }
            }
        }
        let rows = Self::new(self.names.clone(), self.n_joints(), entries)?;
        Ok(Self {
            parameter_sets: self.parameter_sets.clone(),
            special: self.special.clone(),
            ..rows
        })
    }

    fn check_mask(&self, part: &str, mask: &[bool]) -> Result<()> {
        if mask.len() == self.len() {
            return Ok(());
        }
        Err(Error::character(
            part,
            format!(
                "its mask has {} entries, but there are {} parameters",
                mask.len(),
                self.len()
            ),
        ))
    }

    /// The same map for a character whose unit is `factor` times smaller. Parameters that are lengths
    /// change their values, so their entries stay; others keep their values, so what they add to
    /// translations grows.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let mut scaled = self.clone();
        let lengths = self.length_parameters();
        for row in (0..self.row_starts.len() - 1).filter(|row| row % PARAMETERS_PER_JOINT < 3) {
            for entry in self.row_starts[row] as usize..self.row_starts[row + 1] as usize {
                if !lengths[self.columns[entry] as usize] {
                    scaled.values[entry] *= factor;
                }
            }
        }
        scaled
    }

    fn mask(&self, choose: impl Fn(&str) -> bool) -> Vec<bool> {
        self.names.iter().map(|name| choose(name)).collect()
    }
}

fn check_names(names: &[String]) -> Result<()> {
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Error::character(
            format!("parameter '{name}'"),
            "another parameter has the same name",
        )),
    }
}

/// Where each parameter lands when only those of `mask` are kept.
#[must_use]
pub fn places(mask: &[bool]) -> Vec<Option<usize>> {
    let mut next = 0;
    mask.iter()
        .map(|&kept| {
            kept.then(|| {
                next += 1;
                next - 1
            })
        })
        .collect()
}

fn keep<T: Clone>(values: &[T], mask: &[bool]) -> Vec<T> {
    let both = values.iter().zip(mask);
    both.filter(|&(_, &kept)| kept)
        .map(|(value, _)| value.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_summed_and_sorted() {
        let names = vec!["a".into(), "b_scale_x".into()];
        let map = ParameterTransform::new(
            names,
            1,
            [(3, 1, 2.0), (3, 0, 1.0), (3, 1, 1.0), (4, 0, 0.0)],
        )
        .unwrap();
        assert_eq!(map.row(3).collect::<Vec<_>>(), [(0, 1.0), (1, 3.0)]);
        assert_eq!(map.row(4).count(), 0);
        assert_eq!(map.scaling_parameters(), [false, true]);
        assert_eq!(map.n_joints(), 1);
    }

    #[test]
    fn entries_outside_are_refused() {
        let error = ParameterTransform::new(vec!["a".into()], 1, [(7, 0, 1.0)]).unwrap_err();
        assert!(error.to_string().contains("(7, 1)"), "{error}");
    }
}
