//! Parameters moved to other places: between characters by name, or out to the coefficients they are.

use super::rows::{each_gradient, each_item, one_axis};
use crate::array::{Batch, Shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::character::{Character, PARAMETERS_PER_JOINT, ParameterTransform};
use crate::error::{Error, Result};

/// Rough time for one number.
const NUMBER_NS: f64 = 0.7;

/// What the numbers are, which decides about shapes and words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Model parameters `(..., n)`, called `model_parameters` or `motion_data`.
    Model { motion: bool },
    /// Joint parameters `(..., n_joints, 7)` or `(..., 7 * n_joints)`; the layout is kept.
    Joint,
}

/// Each output is one of the inputs, or 0.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectParameters {
    name: &'static str,
    kind: Kind,
    n_inputs: usize,
    places: Vec<Option<usize>>,
}

/// For each target the source of the same name.
fn by_name<'a>(
    source: impl Iterator<Item = &'a str>,
    target: impl Iterator<Item = &'a str>,
) -> Vec<Option<usize>> {
    let places: std::collections::HashMap<&str, usize> =
        source.enumerate().map(|(at, name)| (name, at)).collect();
    target.map(|name| places.get(name).copied()).collect()
}

impl SelectParameters {
    /// Model parameters of one character to those of another, by name.
    ///
    /// # Errors
    /// [`Error::Value`] where two source parameters have one name.
    pub fn map_model_parameters(source: &[String], target: &ParameterTransform) -> Result<Self> {
        let mut seen = std::collections::HashSet::new();
        if let Some(name) = source.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(Error::value(
                "source_parameter_names",
                format!("'{name}' is there twice"),
            ));
        }
        let (from, to) = (source.iter(), target.names().iter());
        Ok(Self {
            name: "map_model_parameters",
            kind: Kind::Model { motion: true },
            n_inputs: source.len(),
            places: by_name(from.map(String::as_str), to.map(String::as_str)),
        })
    }

    /// Joint parameters of one character to those of another, by the joints' names.
    #[must_use]
    pub fn map_joint_parameters(source: &Character, target: &Character) -> Self {
        let names = |character: &'_ Character| {
            let joints = character.skeleton.joints().to_vec();
            joints.into_iter().map(|joint| joint.name)
        };
        let (from, to): (Vec<_>, Vec<_>) = (names(source).collect(), names(target).collect());
        let joints = by_name(
            from.iter().map(String::as_str),
            to.iter().map(String::as_str),
        );
        let seven = |joint: Option<usize>| {
            (0..PARAMETERS_PER_JOINT).map(move |k| joint.map(|at| at * PARAMETERS_PER_JOINT + k))
        };
        Self {
            name: "map_joint_parameters",
            kind: Kind::Joint,
            n_inputs: PARAMETERS_PER_JOINT * from.len(),
            places: joints.into_iter().flat_map(seven).collect(),
        }
    }

    /// Model parameters to the coefficients of the blend shapes.
    #[must_use]
    pub fn blend_shape_coefficients(transform: &ParameterTransform) -> Self {
        Self {
            name: "model_parameters_to_blend_shape_coefficients",
            kind: Kind::Model { motion: false },
            n_inputs: transform.len(),
            places: transform.blend_shape_columns().to_vec(),
        }
    }

    /// Model parameters to the coefficients of the face expressions.
    #[must_use]
    pub fn face_expression_coefficients(transform: &ParameterTransform) -> Self {
        Self {
            name: "model_parameters_to_face_expression_coefficients",
            kind: Kind::Model { motion: false },
            n_inputs: transform.len(),
            places: transform.face_expression_columns().to_vec(),
        }
    }

    fn n_joints(&self) -> usize {
        self.n_inputs / PARAMETERS_PER_JOINT
    }

    fn cost_ns(&self) -> f64 {
        20.0 + NUMBER_NS * (self.places.len() + self.n_inputs) as f64
    }

    fn select<T: Compute>(
        &self,
        input: &Batch<'_, T>,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        each_item(
            [input],
            self.places.len(),
            self.cost_ns(),
            out,
            control,
            || (),
            |[from], (), to| {
                for (to, place) in to.iter_mut().zip(&self.places) {
                    *to = place.map_or(T::ZERO, |place| from[place]);
                }
            },
        )
    }
}

const fn input(name: &'static str) -> [Input; 1] {
    [Input {
        name,
        differentiable: true,
    }]
}

static MODEL_PARAMETERS: [Input; 1] = input("model_parameters");
static MOTION_DATA: [Input; 1] = input("motion_data");

impl Operation for SelectParameters {
    fn name(&self) -> &'static str {
        self.name
    }

    fn inputs(&self) -> &'static [Input] {
        match self.kind {
            Kind::Model { motion: false } => &MODEL_PARAMETERS,
            _ => &MOTION_DATA,
        }
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        let name = self.inputs()[0].name;
        match self.kind {
            Kind::Model { motion: false } => one_axis(name, self.n_inputs, "n_parameters", shape),
            Kind::Model { motion: true } => {
                one_axis(name, self.n_inputs, "n_source_parameters", shape)
            }
            Kind::Joint if shape.ends_with(&[self.n_joints(), PARAMETERS_PER_JOINT]) => Ok(2),
            Kind::Joint => {
                let axes = format!(
                    "7 * n_source_joints) or (..., {}, 7) = (..., n_source_joints, 7",
                    self.n_joints()
                );
                one_axis(name, self.n_inputs, &axes, shape)
            }
        }
    }

    fn output_core(&self, cores: &[&[usize]]) -> Shape {
        let length = self.places.len();
        if self.kind == Kind::Joint && cores[0].len() == 2 {
            Shape::from_slice(&[length / PARAMETERS_PER_JOINT, PARAMETERS_PER_JOINT])
        } else {
            Shape::from_slice(&[length])
        }
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        self.select(&inputs[0], out, control)
    }

    fn vjp<T: Compute>(
        &self,
        _: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        each_gradient(
            [cotangent],
            [self.n_inputs],
            self.cost_ns(),
            gradients,
            control,
            || (),
            |[cotangent], (), [gradient]| {
                let Some(gradient) = gradient else { return };
                for (&cotangent, place) in cotangent.iter().zip(&self.places) {
                    if let Some(place) = *place {
                        gradient[place] += cotangent;
                    }
                }
            },
        )
    }

    fn jvp<T: Compute>(
        &self,
        _: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        match &tangents[0] {
            Some(tangent) => self.select(tangent, out, control),
            None => {
                out.fill(T::ZERO);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::checks::{Argument, assert_derivatives, forward};
    use super::*;
    use crate::character::{CharacterParts, Joint, Skeleton};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn transform(list: &[&str]) -> ParameterTransform {
        ParameterTransform::new(names(list), 1, []).unwrap()
    }

    fn character(joints: &[&str]) -> Character {
        let joints = joints.iter().enumerate();
        let joints = joints.map(|(at, name)| Joint::new(*name, at.checked_sub(1), [0.0; 3]));
        let skeleton = Skeleton::new(joints.collect()).unwrap();
        let transform = ParameterTransform::identity(&skeleton);
        Character::new(CharacterParts::new("", skeleton, transform)).unwrap()
    }

    #[test]
    fn parameters_are_found_by_name_and_what_is_missing_is_zero() {
        let op =
            SelectParameters::map_model_parameters(&names(&["a", "b"]), &transform(&["c", "b"]));
        let given = Argument::<f64>::new(&[2, 2], [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(
            forward(&op.unwrap(), &[given.view()]).data,
            [0.0, 2.0, 0.0, 4.0]
        );
        let twice = SelectParameters::map_model_parameters(&names(&["a", "a"]), &transform(&[]));
        assert!(twice.unwrap_err().to_string().contains("'a'"));
    }

    #[test]
    fn joints_are_found_by_name_in_both_layouts() {
        let (source, target) = (character(&["a", "b"]), character(&["b", "c", "a"]));
        let op = SelectParameters::map_joint_parameters(&source, &target);
        let numbers: Vec<f64> = (0..14).map(f64::from).collect();
        for shape in [&[14][..], &[2, 7]] {
            let given = Argument::<f64>::new(shape, numbers.iter().copied());
            let got = forward(&op, &[given.view()]);
            assert_eq!(got.shape.len(), shape.len());
            assert_eq!(got.data[..7], numbers[7..]);
            assert_eq!(got.data[7..14], [0.0; 7]);
            assert_eq!(got.data[14..], numbers[..7]);
        }
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        let blend = transform(&["a", "b"])
            .with_blend_shape_parameters(3)
            .unwrap();
        let subset = blend.subset(&[true, false, true, false, true]).unwrap();
        let op = SelectParameters::blend_shape_coefficients(&subset);
        assert_derivatives(&op, &[Argument::noise(&[5, 3], 1)]);
        assert_derivatives(&op, &[Argument::noise(&[3], 2)]);
        let face = blend.with_face_expression_parameters(2).unwrap();
        let op = SelectParameters::face_expression_coefficients(&face);
        assert_derivatives(&op, &[Argument::noise(&[2, 3, 7], 3)]);
        let op =
            SelectParameters::map_joint_parameters(&character(&["a", "b"]), &character(&["b"]));
        assert_derivatives(&op, &[Argument::noise(&[4, 2, 7], 4)]);
    }
}
