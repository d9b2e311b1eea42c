//! Model parameters that are no pose: coefficients of shapes, and where skinned locators are moved to.

use serde::{Deserialize, Serialize};

use super::{CharacterParts, LimitKind, ParameterLimit, ParameterTransform, parameter_transform};
use crate::error::Result;

/// For each coefficient the parameter it is; `None` where no parameter is (any more).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ParameterColumns {
    pub blend_shapes: Vec<Option<usize>>,
    pub face_expressions: Vec<Option<usize>>,
    /// Three for each locator: x, y, z.
    pub skinned_locators: Vec<Option<usize>>,
}

impl ParameterColumns {
    fn lists(&self) -> [&Vec<Option<usize>>; 3] {
        [
            &self.blend_shapes,
            &self.face_expressions,
            &self.skinned_locators,
        ]
    }

    /// All parameters among them.
    pub fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.lists().into_iter().flatten().copied().flatten()
    }

    /// The same after parameters have moved or gone.
    pub fn moved(&self, places: &[Option<usize>]) -> Self {
        let [blend_shapes, face_expressions, skinned_locators] = self.lists().map(|list| {
            let moved = list.iter().map(|column| column.and_then(|at| places[at]));
            moved.collect()
        });
        Self {
            blend_shapes,
            face_expressions,
            skinned_locators,
        }
    }
}

impl ParameterTransform {
    /// For each blend shape coefficient its parameter; `None` where none is.
    #[must_use]
    pub fn blend_shape_columns(&self) -> &[Option<usize>] {
        &self.special.blend_shapes
    }

    /// For each face expression coefficient its parameter; `None` where none is.
    #[must_use]
    pub fn face_expression_columns(&self) -> &[Option<usize>] {
        &self.special.face_expressions
    }

    /// For each skinned locator its parameters x, y, z, one after the other; `None` where none is.
    #[must_use]
    pub fn skinned_locator_columns(&self) -> &[Option<usize>] {
        &self.special.skinned_locators
    }

    /// Parameters that are coefficients of blend shapes.
    #[must_use]
    pub fn blend_shape_parameters(&self) -> Vec<bool> {
        self.mask_of(&self.special.blend_shapes)
    }

    /// Parameters that are coefficients of face expressions.
    #[must_use]
    pub fn face_expression_parameters(&self) -> Vec<bool> {
        self.mask_of(&self.special.face_expressions)
    }

    /// Parameters that move skinned locators.
    #[must_use]
    pub fn skinned_locator_parameters(&self) -> Vec<bool> {
        self.mask_of(&self.special.skinned_locators)
    }

    /// The same map with `count` blend shape parameters `blend_0 ..` behind the others, in place of the
    /// blend shape parameters it had.
    ///
    /// # Errors
    /// [`crate::Error::Character`] where another parameter has such a name.
    pub fn with_blend_shape_parameters(&self, count: usize) -> Result<Self> {
        let names = (0..count).map(|index| format!("blend_{index}"));
        let (mut with, columns) = self.replacing(&self.blend_shape_parameters(), names)?;
        with.special.blend_shapes = columns;
        Ok(with)
    }

    /// The same map with `count` face expression parameters `face_expre_0 ..` behind the others, in place
    /// of the face expression parameters it had.
    ///
    /// # Errors
    /// [`crate::Error::Character`] where another parameter has such a name.
    pub fn with_face_expression_parameters(&self, count: usize) -> Result<Self> {
        let names = (0..count).map(|index| format!("face_expre_{index}"));
        let (mut with, columns) = self.replacing(&self.face_expression_parameters(), names)?;
        with.special.face_expressions = columns;
        Ok(with)
    }

    /// The same map with parameters `<name>_x`, `<name>_y`, `<name>_z` behind the others for each of the
    /// `locators`, in place of the skinned locator parameters it had. A locator that is `None` has none.
    ///
    /// # Errors
    /// [`crate::Error::Character`] where another parameter has such a name.
    pub fn with_skinned_locator_parameters(&self, locators: &[Option<&str>]) -> Result<Self> {
        let moved = locators.iter().flatten();
        let names = moved.flat_map(|name| ["x", "y", "z"].map(|axis| format!("{name}_{axis}")));
        let (mut with, columns) = self.replacing(&self.skinned_locator_parameters(), names)?;
        let mut columns = columns.into_iter();
        with.special.skinned_locators = locators
            .iter()
            .flat_map(|locator| [0, 1, 2].map(|_| locator.and_then(|_| columns.next().flatten())))
            .collect();
        Ok(with)
    }

    /// The same map with the named sets of another one that has the same parameters, and its coefficients.
    ///
    /// # Errors
    /// [`crate::Error::Character`] where the other has more or fewer parameters.
    pub fn with_sets_and_columns_of(mut self, other: &Self) -> Result<Self> {
        for (name, mask) in other.parameter_sets() {
            self = self.with_parameter_set(name, mask.clone())?;
        }
        let [blend_shapes, face_expressions, skinned_locators] =
            other.special.lists().map(Clone::clone);
        self.with_columns(blend_shapes, face_expressions, skinned_locators)
    }

    /// The same map in which these parameters are the coefficients of blend shapes and face expressions, and
    /// move skinned locators (three for each). A parameter is one of them at most once.
    ///
    /// # Errors
    /// [`crate::Error::Character`] for a parameter that there is not, or that is named twice.
    pub fn with_columns(
        mut self,
        blend_shapes: Vec<Option<usize>>,
        face_expressions: Vec<Option<usize>>,
        skinned_locators: Vec<Option<usize>>,
    ) -> Result<Self> {
        let columns = ParameterColumns {
            blend_shapes,
            face_expressions,
            skinned_locators,
        };
        let mut used = vec![false; self.len()];
        for column in columns.all() {
            let problem = match used.get_mut(column) {
                None => format!("parameter {column} of {}", used.len()),
                Some(used) if *used => format!("parameter {column} is two coefficients"),
                Some(used) => {
                    *used = true;
                    continue;
                }
            };
            return Err(crate::Error::character("coefficients of shapes", problem));
        }
        self.special = columns;
        Ok(self)
    }

    fn mask_of(&self, columns: &[Option<usize>]) -> Vec<bool> {
        let mut mask = vec![false; self.len()];
        for &column in columns.iter().flatten() {
            mask[column] = true;
        }
        mask
    }

    /// Without the parameters of a mask and with new ones at the end; where the new ones are.
    fn replacing(
        &self,
        old: &[bool],
        names: impl Iterator<Item = String>,
    ) -> Result<(Self, Vec<Option<usize>>)> {
        let kept: Vec<bool> = old.iter().map(|old| !old).collect();
        let rest = self.subset(&kept)?;
        let first = rest.len();
        let with = rest.with_appended(names.collect())?;
        let columns = (first..with.len()).map(Some).collect();
        Ok((with, columns))
    }
}

impl ParameterLimit {
    /// The same limit after parameters have moved; `None` where a parameter it speaks of has gone.
    #[must_use]
    pub fn moved(&self, places: &[Option<usize>]) -> Option<Self> {
        let mut limit = self.clone();
        match &mut limit.kind {
            LimitKind::MinMax { parameter, .. } => *parameter = places[*parameter]?,
            LimitKind::Linear {
                reference, target, ..
            } => {
                *reference = places[*reference]?;
                *target = places[*target]?;
            }
            LimitKind::HalfPlane { parameters, .. } => {
                *parameters = [places[parameters[0]]?, places[parameters[1]]?];
            }
            LimitKind::MinMaxJoint { .. }
            | LimitKind::MinMaxJointPassive { .. }
            | LimitKind::LinearJoint { .. }
            | LimitKind::Ellipsoid { .. } => {}
        }
        Some(limit)
    }
}

/// Changes of the parameters that the limits must follow.
impl CharacterParts {
    /// Keeps only the model parameters that `mask` chooses, and the limits that speak of no other.
    ///
    /// # Errors
    /// [`crate::Error::Character`] where the mask does not have one entry per parameter.
    pub fn keep_parameters(&mut self, mask: &[bool]) -> Result<()> {
        let transform = self.parameter_transform.subset(mask)?;
        self.replace_parameters(mask, transform);
        Ok(())
    }

    /// Gives the character `count` blend shape parameters, in place of those it has.
    ///
    /// # Errors
    /// [`crate::Error::Character`] where another parameter has such a name.
    pub fn set_blend_shape_parameters(&mut self, count: usize) -> Result<()> {
        let old = self.parameter_transform.blend_shape_parameters();
        let transform = self
            .parameter_transform
            .with_blend_shape_parameters(count)?;
        self.replace_parameters(&not(old), transform);
        Ok(())
    }

    /// Gives the character `count` face expression parameters, in place of those it has.
    ///
    /// # Errors
    /// [`crate::Error::Character`] where another parameter has such a name.
    pub fn set_face_expression_parameters(&mut self, count: usize) -> Result<()> {
        let old = self.parameter_transform.face_expression_parameters();
        let transform = self
            .parameter_transform
            .with_face_expression_parameters(count)?;
        self.replace_parameters(&not(old), transform);
        Ok(())
    }

    /// Gives the character parameters that move skinned locators, in place of those it has.
    ///
    /// # Errors
    /// [`crate::Error::Character`] where another parameter has such a name.
    pub fn set_skinned_locator_parameters(&mut self, locators: &[Option<&str>]) -> Result<()> {
        let old = self.parameter_transform.skinned_locator_parameters();
        let transform = self
            .parameter_transform
            .with_skinned_locator_parameters(locators)?;
        self.replace_parameters(&not(old), transform);
        Ok(())
    }

    fn replace_parameters(&mut self, kept: &[bool], transform: ParameterTransform) {
        let places = parameter_transform::places(kept);
        let limits = self.parameter_limits.iter();
        self.parameter_limits = limits
            .filter_map(|limit| limit.moved(&places))
            .collect::<Vec<_>>()
            .into();
        self.parameter_transform = transform.into();
    }
}

fn not(mut mask: Vec<bool>) -> Vec<bool> {
    mask.iter_mut().for_each(|kept| *kept = !*kept);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::character::{Character, Joint, Skeleton, Unit};

    fn transform(names: &[&str]) -> ParameterTransform {
        let entries = (0..names.len()).map(|at| (at, at, 1.0));
        let names = names.iter().map(|&name| name.to_owned()).collect();
        ParameterTransform::new(names, 1, entries).unwrap()
    }

    fn parts(names: &[&str]) -> CharacterParts {
        let skeleton = Skeleton::new(vec![Joint::new("root", None, [0.0; 3])]).unwrap();
        CharacterParts::new("one joint", skeleton, transform(names))
    }

    #[test]
    fn new_blend_shapes_replace_the_old_ones_and_go_last() {
        let both = transform(&["a", "scale_b"])
            .with_parameter_set("mine", vec![true, false])
            .unwrap()
            .with_blend_shape_parameters(2)
            .unwrap()
            .with_face_expression_parameters(1)
            .unwrap();
        assert_eq!(
            both.names(),
            ["a", "scale_b", "blend_0", "blend_1", "face_expre_0"]
        );
        assert_eq!(both.blend_shape_columns(), [Some(2), Some(3)]);
        let fewer = both.with_blend_shape_parameters(1).unwrap();
        assert_eq!(fewer.names(), ["a", "scale_b", "face_expre_0", "blend_0"]);
        assert_eq!(fewer.blend_shape_columns(), [Some(3)]);
        assert_eq!(fewer.face_expression_columns(), [Some(2)]);
        assert_eq!(fewer.pose_parameters(), [true, false, false, false]);
        assert_eq!(fewer.parameter_sets()["mine"], [true, false, false, false]);
    }

    #[test]
    fn a_subset_forgets_the_coefficients_it_drops() {
        let all = transform(&["a", "b"])
            .with_blend_shape_parameters(3)
            .unwrap();
        let some = all.subset(&[false, true, true, false, true]).unwrap();
        assert_eq!(some.names(), ["b", "blend_0", "blend_2"]);
        assert_eq!(some.blend_shape_columns(), [Some(1), None, Some(2)]);
        assert_eq!(some.row(0).count(), 0);
        assert_eq!(some.row(1).collect::<Vec<_>>(), [(0, 1.0)]);
        assert!(all.subset(&[true]).is_err());
    }

    #[test]
    fn skinned_locators_have_three_parameters_each_and_they_are_lengths() {
        let map = transform(&["a"])
            .with_skinned_locator_parameters(&[Some("nose"), None, Some("chin")])
            .unwrap();
        let columns = map.skinned_locator_columns();
        assert_eq!(columns[..3], [Some(1), Some(2), Some(3)]);
        assert_eq!(columns[3..6], [None; 3]);
        assert_eq!(columns[6..], [Some(4), Some(5), Some(6)]);
        assert_eq!(map.names()[4], "chin_x");
        assert!(map.length_parameters()[1..].iter().all(|&length| length));
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let error = transform(&["blend_0"])
            .with_blend_shape_parameters(1)
            .unwrap_err();
        assert!(error.to_string().contains("blend_0"), "{error}");
    }

    #[test]
    fn limits_follow_their_parameters_or_go_with_them() {
        let mut parts = parts(&["a", "b", "c"]);
        let limit = |kind| ParameterLimit { kind, weight: 2.0 };
        let on = |parameter| {
            limit(LimitKind::MinMax {
                parameter,
                range: [0.0, 1.0],
            })
        };
        let half_plane = limit(LimitKind::HalfPlane {
            parameters: [0, 2],
            normal: [1.0, 0.0],
            offset: 0.0,
        });
        parts.parameter_limits = vec![on(0), on(1), on(2), half_plane].into();
        parts.keep_parameters(&[false, true, true]).unwrap();
        assert_eq!(parts.parameter_limits[..], [on(0), on(1)]);
        parts.set_blend_shape_parameters(2).unwrap();
        let character = Character::new(parts).unwrap();
        assert_eq!(character.parameter_transform.len(), 4);
        let back = character.in_unit(Unit::Centimeter).in_unit(Unit::Meter);
        assert_eq!(back.parameter_transform, character.parameter_transform);
        let bytes = postcard::to_stdvec(&character).unwrap();
        assert_eq!(
            postcard::from_bytes::<Character>(&bytes).unwrap(),
            character
        );
    }
}
