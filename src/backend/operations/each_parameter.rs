//! Functions of each model parameter by itself: clamping to limits, and stretching noise to poses.

use super::rows::{each_gradient, each_item, one_axis};
use crate::array::{Batch, Shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::character::Character;
use crate::error::{Error, Result};

/// Rough time for one number.
const NUMBER_NS: f64 = 0.7;

/// A function of one number, its slope, and what it is called.
trait Each: Send + Sync {
    const NAME: &'static str;
    const INPUTS: &'static [Input];
    /// The number of parameters.
    fn len(&self) -> usize;
    fn value<T: Compute>(&self, parameter: usize, x: T) -> T;
    fn slope<T: Compute>(&self, parameter: usize, x: T) -> T;
    fn rank(&self, shape: &[usize]) -> Result<usize>;
}

/// Model parameters `(..., n_parameters)`, those with a MinMax limit clamped to it. NaN stays NaN. The
/// derivative is 1 inside and at the limits, 0 beyond them.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplyModelParamLimits {
    low: Vec<f64>,
    high: Vec<f64>,
}

impl ApplyModelParamLimits {
    /// The limits of a character.
    ///
    /// # Errors
    /// [`Error::Character`] where the limits of a parameter leave it no value.
    pub fn new(character: &Character) -> Result<Self> {
        let (low, high) = character.model_parameter_limits();
        let names = character.parameter_transform.names().iter();
        for (name, (low, high)) in names.zip(low.iter().zip(&high)) {
            if low > high {
                return Err(Error::character(
                    format!("parameter '{name}'"),
                    format!("its limits leave it no value: at least {low}, at most {high}"),
                ));
            }
        }
        Ok(Self { low, high })
    }
}

impl Each for ApplyModelParamLimits {
    const NAME: &'static str = "Character.apply_model_param_limits";
    const INPUTS: &'static [Input] = &[Input {
        name: "model_params",
        differentiable: true,
    }];

    fn len(&self) -> usize {
        self.low.len()
    }

    #[inline(always)]
    fn value<T: Compute>(&self, parameter: usize, x: T) -> T {
        let (low, high) = (
            T::from_f64(self.low[parameter]),
            T::from_f64(self.high[parameter]),
        );
        if x < low {
            low
        } else if x > high {
            high
        } else {
            x
        }
    }

    #[inline(always)]
    fn slope<T: Compute>(&self, parameter: usize, x: T) -> T {
        let beyond = x < T::from_f64(self.low[parameter]) || x > T::from_f64(self.high[parameter]);
        if beyond { T::ZERO } else { T::ONE }
    }

    fn rank(&self, shape: &[usize]) -> Result<usize> {
        one_axis("model_params", self.len(), "n_parameters", shape)
    }
}

/// Numbers between 0 and 1, `(..., n_parameters)`, to poses of moderate size: scaling parameters to
/// -0.5 .. 0.5, translations to -2.5 .. 2.5 centimetres, all others to -π/8 .. π/8. What a parameter is
/// its name says, as in PyMomentum.
#[derive(Debug, Clone, PartialEq)]
pub struct UniformRandomToModelParameters {
    widths: Vec<f64>,
}

impl UniformRandomToModelParameters {
    /// The ranges for a character, in its unit.
    #[must_use]
    pub fn new(character: &Character) -> Self {
        let transform = &character.parameter_transform;
        // The ranges are PyMomentum's, whose lengths are centimetres.
        let per_centimeter = character.unit.per_meter() / 100.0;
        let parameters = transform.names().iter().zip(transform.length_parameters());
        let widths = parameters.map(|(name, is_length)| {
            let width = if name.contains("scale_") {
                1.0
            } else if ["_tx", "_ty", "_tz"].iter().any(|axis| name.contains(axis)) {
                5.0
            } else {
                std::f64::consts::FRAC_PI_4
            };
            width * if is_length { per_centimeter } else { 1.0 }
        });
        Self {
            widths: widths.collect(),
        }
    }
}

impl Each for UniformRandomToModelParameters {
    const NAME: &'static str = "uniform_random_to_model_parameters";
    const INPUTS: &'static [Input] = &[Input {
        name: "unif_noise",
        differentiable: true,
    }];

    fn len(&self) -> usize {
        self.widths.len()
    }

    #[inline(always)]
    fn value<T: Compute>(&self, parameter: usize, x: T) -> T {
        T::from_f64(self.widths[parameter]) * (x - T::from_f64(0.5))
    }

    #[inline(always)]
    fn slope<T: Compute>(&self, parameter: usize, _: T) -> T {
        T::from_f64(self.widths[parameter])
    }

    fn rank(&self, shape: &[usize]) -> Result<usize> {
        one_axis("unif_noise", self.len(), "n_parameters", shape)
    }
}

macro_rules! operation {
    ($name:ident) => {
        impl Operation for $name {
            fn name(&self) -> &'static str {
                Self::NAME
            }
            fn inputs(&self) -> &'static [Input] {
                Self::INPUTS
            }
            fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
                self.rank(shape)
            }
            fn output_core(&self, _: &[&[usize]]) -> Shape {
                Shape::from_slice(&[self.len()])
            }
            fn forward<T: Compute>(
                &self,
                inputs: &[Batch<'_, T>],
                out: &mut [T],
                control: &Control<'_>,
            ) -> Result<()> {
                forward(self, &inputs[0], out, control)
            }
            fn vjp<T: Compute>(
                &self,
                inputs: &[Batch<'_, T>],
                _: Option<&Batch<'_, T>>,
                cotangent: &Batch<'_, T>,
                gradients: &mut [Gradient<'_, T>],
                control: &Control<'_>,
            ) -> Result<()> {
                vjp(self, [&inputs[0], cotangent], gradients, control)
            }
            fn jvp<T: Compute>(
                &self,
                inputs: &[Batch<'_, T>],
                tangents: &[Option<Batch<'_, T>>],
                out: &mut [T],
                control: &Control<'_>,
            ) -> Result<()> {
                jvp(self, &inputs[0], tangents[0].as_ref(), out, control)
            }
        }
    };
}
operation!(ApplyModelParamLimits);
operation!(UniformRandomToModelParameters);

fn cost_ns(each: &impl Each) -> f64 {
    10.0 + NUMBER_NS * each.len() as f64
}

fn forward<T: Compute>(
    each: &impl Each,
    input: &Batch<'_, T>,
    out: &mut [T],
    control: &Control<'_>,
) -> Result<()> {
    each_item(
        [input],
        each.len(),
        cost_ns(each),
        out,
        control,
        || (),
        |[input], (), out| {
            for (parameter, (out, &x)) in out.iter_mut().zip(input).enumerate() {
                *out = each.value(parameter, x);
            }
        },
    )
}

fn vjp<T: Compute>(
    each: &impl Each,
    given: [&Batch<'_, T>; 2],
    gradients: &mut [Gradient<'_, T>],
    control: &Control<'_>,
) -> Result<()> {
    each_gradient(
        given,
        [each.len()],
        cost_ns(each),
        gradients,
        control,
        || (),
        |[input, cotangent], (), [gradient]| {
            let gradient = gradient.into_iter().flatten();
            let pairs = input.iter().zip(cotangent);
            for (parameter, (gradient, (&x, &cotangent))) in gradient.zip(pairs).enumerate() {
                *gradient += each.slope(parameter, x) * cotangent;
            }
        },
    )
}

fn jvp<T: Compute>(
    each: &impl Each,
    input: &Batch<'_, T>,
    tangent: Option<&Batch<'_, T>>,
    out: &mut [T],
    control: &Control<'_>,
) -> Result<()> {
    let Some(tangent) = tangent else {
        out.fill(T::ZERO);
        return Ok(());
    };
    each_item(
        [input, tangent],
        each.len(),
        cost_ns(each),
        out,
        control,
        || (),
        |[input, tangent], (), out| {
            let pairs = input.iter().zip(tangent);
            for (parameter, (out, (&x, &tangent))) in out.iter_mut().zip(pairs).enumerate() {
                *out = each.slope(parameter, x) * tangent;
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::checks::{self, Argument, assert_derivatives};
    use super::*;
    use crate::character::{
        CharacterParts, Joint, LimitKind, ParameterLimit, ParameterTransform, Skeleton, Unit,
    };

    /// One parameter of each class, the first between -0.25 and 0.5.
    fn character() -> Character {
        let skeleton = Skeleton::new(vec![Joint::new("root", None, [0.0; 3])]).unwrap();
        let names = ["turn", "root_tx", "scale_all", "free"].map(String::from);
        let entries = [(3, 0, 1.0), (0, 1, 1.0), (6, 2, 1.0), (4, 3, 1.0)];
        let transform = ParameterTransform::new(names.to_vec(), 1, entries).unwrap();
        let mut parts = CharacterParts::new("", skeleton, transform);
        let kind = LimitKind::MinMax {
            parameter: 0,
            range: [-0.25, 0.5],
        };
        parts.parameter_limits = vec![ParameterLimit { kind, weight: 0.1 }].into();
        Character::new(parts).unwrap()
    }

    #[test]
    fn limits_clamp_what_lies_beyond_and_keep_nan() {
        let op = ApplyModelParamLimits::new(&character()).unwrap();
        let poses = [-1.0, 9.0, 9.0, 9.0, 0.1, -9.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0];
        let got = checks::forward(&op, &[Argument::<f64>::new(&[3, 4], poses).view()]);
        assert_eq!(got.data[..4], [-0.25, 9.0, 9.0, 9.0]);
        assert_eq!(got.data[4..8], poses[4..8]);
        assert_eq!(got.data[8], 0.5);
        let nan = Argument::<f64>::new(&[4], [f64::NAN, 0.0, 0.0, 0.0]);
        assert!(checks::forward(&op, &[nan.view()]).data[0].is_nan());
    }

    #[test]
    fn noise_fills_the_ranges_in_the_characters_unit() {
        for (unit, translation) in [(Unit::Centimeter, 2.5), (Unit::Meter, 0.025)] {
            let op = UniformRandomToModelParameters::new(&character().in_unit(unit));
            let ends = Argument::<f64>::new(&[2, 4], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
            let got = checks::forward(&op, &[ends.view()]).data;
            let turn = std::f64::consts::PI / 8.0;
            assert_eq!(got[4..], [turn, translation, 0.5, turn]);
            assert_eq!(got[..4], [-turn, -translation, -0.5, -turn]);
        }
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        let character = character();
        let limits = ApplyModelParamLimits::new(&character).unwrap();
        let noise = UniformRandomToModelParameters::new(&character);
        for shape in [&[4][..], &[6, 4], &[2, 0, 4]] {
            assert_derivatives(&limits, &[Argument::noise(shape, 3)]);
            assert_derivatives(&noise, &[Argument::noise(shape, 4)]);
        }
    }
}
