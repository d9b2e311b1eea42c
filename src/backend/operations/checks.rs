//! More that tests of operations share: arguments of any batch shape, each verb in one call, and
//! derivatives of each input by itself against differences of the fourth order.

use super::testing;
use crate::array::{Batch, View};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Operation};

/// A real argument: its numbers and its shape.
#[derive(Clone, Debug)]
pub struct Argument<T> {
    pub data: Vec<T>,
    pub shape: Vec<usize>,
}

impl<T: Compute> Argument<T> {
    pub fn new(shape: &[usize], data: impl IntoIterator<Item = f64>) -> Self {
        let data: Vec<T> = data.into_iter().map(T::from_f64).collect();
        assert_eq!(data.len(), shape.iter().product::<usize>());
        Self {
            data,
            shape: shape.to_vec(),
        }
    }
    pub fn noise(shape: &[usize], seed: u64) -> Self {
        let count = shape.iter().product();
        Self::new(shape, noise(count, seed))
    }
    pub fn view(&self) -> View<'_, T> {
        View::contiguous(&self.data, &self.shape).unwrap()
    }
}

/// Pseudo-random numbers in -1 .. 1.
pub fn noise(count: usize, seed: u64) -> Vec<f64> {
    testing::Random(seed).numbers(count)
}

pub fn batches<'a, T: Compute, O: Operation>(
    operation: &O,
    views: &[View<'a, T>],
) -> Vec<Batch<'a, T>> {
    testing::batches(operation, views).0
}

fn output_shape<T: Compute, O: Operation>(operation: &O, inputs: &[Batch<'_, T>]) -> Vec<usize> {
    let cores: Vec<&[usize]> = inputs.iter().map(Batch::core_shape).collect();
    let mut shape = inputs[0].batch_shape().to_vec();
    shape.extend_from_slice(&operation.output_core(&cores));
    shape
}

pub fn forward<T: Compute, O: Operation>(operation: &O, views: &[View<'_, T>]) -> Argument<T> {
    let inputs = batches(operation, views);
    let shape = output_shape(operation, &inputs);
    let mut data = vec![T::from_f64(f64::NAN); shape.iter().product()];
    operation
        .forward(&inputs, &mut data, &Control::default())
        .unwrap();
    Argument { data, shape }
}

pub fn jvp<T: Compute, O: Operation>(
    operation: &O,
    views: &[View<'_, T>],
    tangents: &[Option<View<'_, T>>],
) -> Argument<T> {
    let inputs = batches(operation, views);
    let shape = output_shape(operation, &inputs);
    let tangents: Vec<Option<Batch<'_, T>>> = tangents
        .iter()
        .zip(&inputs)
        .map(|(tangent, input)| {
            let view = tangent.clone()?;
            Some(Batch::new(
                view,
                input.core_shape().len(),
                input.batch_shape(),
            ))
        })
        .collect();
    let mut data = vec![T::from_f64(f64::NAN); shape.iter().product()];
    operation
        .jvp(&inputs, &tangents, &mut data, &Control::default())
        .unwrap();
    Argument { data, shape }
}

/// The cotangents of all inputs: shared where the input has no batch axes, else one per item, summed
/// here over the axes along which the input was stretched.
pub fn vjp<T: Compute, O: Operation>(
    operation: &O,
    views: &[View<'_, T>],
    cotangent: &Argument<T>,
) -> Vec<Vec<T>> {
    let inputs = batches(operation, views);
    let core = cotangent.shape.len() - inputs[0].batch_shape().len();
    let cotangent = Batch::new(cotangent.view(), core, inputs[0].batch_shape());
    let nan = T::from_f64(f64::NAN);
    let mut buffers: Vec<Vec<T>> = inputs
        .iter()
        .zip(views)
        .map(|(input, view)| {
            let shared = view.shape().len() == input.core_shape().len();
            vec![nan; input.core_len() * if shared { 1 } else { input.len() }]
        })
        .collect();
    let mut gradients: Vec<Gradient<'_, T>> = buffers
        .iter_mut()
        .zip(inputs.iter().zip(views))
        .map(|(buffer, (input, view))| {
            if view.shape().len() == input.core_shape().len() {
                Gradient::Shared(buffer)
            } else {
                Gradient::PerItem(buffer)
            }
        })
        .collect();
    operation
        .vjp(
            &inputs,
            None,
            &cotangent,
            &mut gradients,
            &Control::default(),
        )
        .unwrap();
    buffers
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Checks, in double precision and for one set of arguments, that the jvp is what central differences
/// give and that the vjp is its transpose, for each differentiable input by itself. Arguments must not
/// be stretched by axes of size 1.
pub fn assert_derivatives<O: Operation>(operation: &O, arguments: &[Argument<f64>]) {
    let views: Vec<View<'_, f64>> = arguments.iter().map(Argument::view).collect();
    let value = forward(operation, &views);
    let cotangent = Argument::noise(&value.shape, 77);
    let gradients = vjp(operation, &views, &cotangent);
    for (index, input) in operation.inputs().iter().enumerate() {
        if !input.differentiable {
            continue;
        }
        let argument = &arguments[index];
        let direction = Argument::<f64>::noise(&argument.shape, 78 + index as u64);
        let mut tangents: Vec<Option<View<'_, f64>>> = vec![None; arguments.len()];
        tangents[index] = Some(direction.view());
        let pushed = jvp(operation, &views, &tangents);

        let at = |step: f64| {
            let mut moved = arguments.to_vec();
            for (x, d) in moved[index].data.iter_mut().zip(&direction.data) {
                *x += step * d;
            }
            let views: Vec<View<'_, f64>> = moved.iter().map(Argument::view).collect();
            forward(operation, &views)
        };
        let step = 1e-4;
        let [near, far] = [step, 2.0 * step].map(|step| (at(step), at(-step)));
        let scale = 1.0 + pushed.data.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        for (place, &got) in pushed.data.iter().enumerate() {
            let slope = |(ahead, behind): &(Argument<f64>, Argument<f64>)| {
                ahead.data[place] - behind.data[place]
            };
            // Right to the fourth order.
            let want = (8.0 * slope(&near) - slope(&far)) / (12.0 * step);
            assert!(
                (got - want).abs() < 3e-8 * scale,
                "{} along {}: jvp {got}, differences {want} at {place}",
                operation.name(),
                input.name
            );
        }
        // A shared input has one cotangent, a batched one has one per item.
        let pulled = dot(&gradients[index], &direction.data);
        let pushed = dot(&pushed.data, &cotangent.data);
        assert!(
            (pulled - pushed).abs() < 1e-11 * (scale * cotangent.data.len() as f64 + 1.0),
            "{} by {}: vjp {pulled}, jvp {pushed}",
            operation.name(),
            input.name
        );
    }
}

/// Checks, for arguments where derivatives do not exist or differences are of no use, that all of them
/// are finite and that the vjp is the transpose of the jvp.
pub fn assert_finite<O: Operation>(operation: &O, arguments: &[Argument<f64>]) {
    let views: Vec<View<'_, f64>> = arguments.iter().map(Argument::view).collect();
    let value = forward(operation, &views);
    let cotangent = Argument::noise(&value.shape, 77);
    let gradients = vjp(operation, &views, &cotangent);
    let name = operation.name();
    assert!(
        value.data.iter().all(|x| x.is_finite()),
        "{name}: {value:?}"
    );
    for (index, argument) in arguments.iter().enumerate() {
        let direction = Argument::<f64>::noise(&argument.shape, 78 + index as u64);
        let mut tangents: Vec<Option<View<'_, f64>>> = vec![None; arguments.len()];
        tangents[index] = Some(direction.view());
        let pushed = jvp(operation, &views, &tangents).data;
        assert!(pushed.iter().all(|x| x.is_finite()), "{name}: {pushed:?}");
        let (pulled, pushed) = (
            dot(&gradients[index], &direction.data),
            dot(&pushed, &cotangent.data),
        );
        let size = 1.0 + pushed.abs();
        assert!(
            (pulled - pushed).abs() < 1e-9 * size,
            "{name}: {pulled}, {pushed}"
        );
    }
}
