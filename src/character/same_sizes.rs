//! Characters that can stand for each other in one batch.

use super::Character;
use crate::error::{Error, Result};

/// Which sizes must be equal besides the number of joints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SameSizes {
    /// The number of model parameters.
    pub parameters: bool,
    /// The number of vertices.
    pub vertices: bool,
}

impl SameSizes {
    /// Checks that all characters have the sizes, and the unit, of the first.
    ///
    /// # Errors
    /// [`Error::Character`] naming the first character that differs, and how.
    pub fn check<'a>(self, characters: impl IntoIterator<Item = &'a Character>) -> Result<()> {
        let mut characters = characters.into_iter();
        let Some(first) = characters.next() else {
            return Ok(());
        };
        for (index, character) in characters.enumerate() {
            let wrong = |own: String, firsts: String| {
                Err(Error::character(
                    format!("character {}", index + 1),
                    format!("{own}, but character 0 has {firsts}"),
                ))
            };
            let sizes = [
                (true, "joints", joints as fn(&Character) -> usize),
                (self.parameters, "model parameters", parameters),
                (self.vertices, "vertices", vertices),
            ];
            for (asked, what, size) in sizes {
                let (own, firsts) = (size(character), size(first));
                if asked && own != firsts {
                    return wrong(format!("it has {own} {what}"), firsts.to_string());
                }
            }
            if character.unit != first.unit {
                let unit = |of: &Character| format!("unit '{}'", of.unit);
                return wrong(format!("it has {}", unit(character)), unit(first));
            }
        }
        Ok(())
    }
}

fn joints(character: &Character) -> usize {
    character.skeleton.len()
}

fn parameters(character: &Character) -> usize {
    character.parameter_transform.len()
}

fn vertices(character: &Character) -> usize {
    character.mesh.as_ref().map_or(0, |mesh| mesh.n_vertices())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::character::{CharacterParts, Joint, ParameterTransform, Skeleton, Unit};

    fn chain(joints: usize) -> CharacterParts {
        let joints =
            (0..joints).map(|at| Joint::new(format!("j{at}"), at.checked_sub(1), [0.0; 3]));
        let skeleton = Skeleton::new(joints.collect()).unwrap();
        let transform = ParameterTransform::identity(&skeleton);
        CharacterParts::new("chain", skeleton, transform)
    }

    #[test]
    fn the_first_that_differs_is_named() {
        let make = |parts| Character::new(parts).unwrap();
        let (two, three) = (make(chain(2)), make(chain(3)));
        let error = SameSizes::default()
            .check([&two, &two, &three])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "character 2: it has 3 joints, but character 0 has 2"
        );
        let mut parts = chain(2);
        parts
            .keep_parameters(&[vec![true; 13], vec![false]].concat())
            .unwrap();
        let fewer = make(parts);
        SameSizes::default().check([&two, &fewer]).unwrap();
        let parameters = SameSizes {
            parameters: true,
            ..SameSizes::default()
        };
        let error = parameters.check([&two, &fewer]).unwrap_err();
        assert!(error.to_string().contains("13 model parameters"), "{error}");
        let error = SameSizes::default().check([&two, &two.in_unit(Unit::Centimeter)]);
        assert!(error.unwrap_err().to_string().contains("unit 'cm'"));
    }
}
