//! One operation for many characters, each with its own part of the batch.

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Items, Places, for_each_group};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};

/// How many characters are at work before results are put in place: bounds what is set aside for them.
const BLOCK: usize = 64;
/// Rough time for one number of a result.
const NUMBER_NS: f64 = 3.0;

/// The same operation for several characters of equal sizes. They are a batch axis, the last one:
/// character `k` computes the items whose last batch index is `k`.
#[derive(Debug, Clone, PartialEq)]
pub struct PerCharacter<O> {
    operations: Arc<[O]>,
}

impl<O: Operation> PerCharacter<O> {
    /// One operation for each character.
    ///
    /// # Errors
    /// [`Error::Value`] without characters: there would be no shapes.
    pub fn new(operations: Vec<O>) -> Result<Self> {
        if operations.is_empty() {
            return Err(Error::value(
                "character",
                "expected a character or at least one in a list, got an empty list",
            ));
        }
        let operations = operations.into();
        Ok(Self { operations })
    }

    /// The number of items of each character, and the place of all outputs.
    fn whole<'o, T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &'o mut [T],
    ) -> Result<(usize, Place<'o, T>)> {
        let cores: SmallVec<[&[usize]; 4]> = inputs.iter().map(Batch::core_shape).collect();
        let core = self.output_core(&cores);
        for (character, operation) in self.operations.iter().enumerate() {
            let own = operation.output_core(&cores);
            if *own != *core {
                let (own, core) = (show_shape(&own), show_shape(&core));
                let problem = format!("gives {own}, but character 0 gives {core}");
                return Err(unequal(character, &problem));
            }
        }
        let place = Place {
            data: out,
            length: core.iter().product(),
            sum: false,
        };
        Ok((outer(inputs[0].batch_shape()), place))
    }

    /// Calls `work(character, its part of each place)` for every character and puts the parts in place.
    /// `outer` is the number of items of each character.
    fn each<T: Compute>(
        &self,
        outer: usize,
        places: &mut [Place<'_, T>],
        control: &Control<'_>,
        work: impl Fn(usize, &mut [&mut [T]], &Control<'_>) -> Result<()> + Sync,
    ) -> Result<()> {
        let count = self.operations.len();
        let numbers: usize = places.iter().map(|place| outer * place.length).sum();
        // Many items of few characters are cut by item, in the operation itself.
        let by_item = outer > count;
        let block = if by_item { 1 } else { BLOCK };
        let mut aside: SmallVec<[Vec<T>; 4]> = SmallVec::new();
        for place in places.iter() {
            let size = place.part(outer) * block.min(count);
            aside.push(match place.is_direct(outer) {
                true => Vec::new(),
                false => vec![T::ZERO; size],
            });
        }
        for place in places.iter_mut() {
            place.start();
        }
        for start in (0..count).step_by(block) {
            let end = count.min(start + block);
            let mut parts: SmallVec<[Items<'_, T>; 4]> = SmallVec::new();
            for (place, aside) in places.iter_mut().zip(&mut aside) {
                let length = place.part(outer);
                let data = if place.is_direct(outer) {
                    &mut place.data[start * length..end * length]
                } else {
                    &mut aside[..(end - start) * length]
                };
                parts.push(Items { data, length });
            }
            if by_item {
                let mut slices: SmallVec<[&mut [T]; 4]> =
                    parts.into_iter().map(|part| part.data).collect();
                work(start, &mut slices, control)?;
            } else {
                let failed = OnceLock::new();
                for_each_group(
                    end - start,
                    1,
                    20.0 + NUMBER_NS * numbers as f64,
                    Parts(parts),
                    control,
                    |range, Parts(parts)| {
                        let mut rest = parts;
                        for character in range {
                            let mut slices: SmallVec<[&mut [T]; 4]> = SmallVec::new();
                            for part in &mut rest {
                                let data = std::mem::take(&mut part.data);
                                let (own, others) = data.split_at_mut(part.length);
                                part.data = others;
                                slices.push(own);
                            }
                            let result = work(start + character, &mut slices, &Control::default());
                            if let Err(error) = result {
                                let _ = failed.set(error);
                            }
                        }
                    },
                )?;
                if let Some(error) = failed.into_inner() {
                    return Err(error);
                }
            }
            for (place, aside) in places.iter_mut().zip(&aside) {
                if !place.is_direct(outer) {
                    place.put(aside, start..end, count, outer);
                }
            }
        }
        Ok(())
    }
}

/// Where results go: `length` numbers for each item, or one sum of so many over all of them.
struct Place<'a, T> {
    data: &'a mut [T],
    length: usize,
    sum: bool,
}

impl<T: Compute> Place<'_, T> {
    /// How many numbers one character computes.
    fn part(&self, outer: usize) -> usize {
        if self.sum {
            self.length
        } else {
            outer * self.length
        }
    }

    /// Whether the numbers of one character lie together where they belong.
    fn is_direct(&self, outer: usize) -> bool {
        !self.sum && outer == 1
    }

    fn start(&mut self) {
        if self.sum {
            self.data.fill(T::ZERO);
        }
    }

    /// Takes what some of the characters have computed, `count` being all of them.
    fn put(&mut self, aside: &[T], some: std::ops::Range<usize>, count: usize, outer: usize) {
        let (length, part) = (self.length, self.part(outer));
        if part == 0 {
            return;
        }
        for (own, character) in aside.chunks_exact(part).zip(some) {
            if self.sum {
                let sum = self.data.iter_mut().zip(own);
                sum.for_each(|(sum, &x)| *sum += x);
                continue;
            }
            for (item, row) in own.chunks_exact(length).enumerate() {
                let at = (item * count + character) * length;
                self.data[at..at + length].copy_from_slice(row);
            }
        }
    }
}

/// Parts of several places, cut at characters.
struct Parts<'a, T>(SmallVec<[Items<'a, T>; 4]>);

impl<T: Send> Places for Parts<'_, T> {
    fn split(self, characters: usize) -> (Self, Self) {
        let (mut first, mut rest) = (SmallVec::new(), SmallVec::new());
        for part in self.0 {
            let (a, b) = part.split(characters);
            first.push(a);
            rest.push(b);
        }
        (Self(first), Self(rest))
    }
}

/// The items of one character.
fn of<'a, T: Copy>(batches: &[Batch<'a, T>], character: usize) -> SmallVec<[Batch<'a, T>; 4]> {
    let own = batches.iter().map(|batch| batch.at_last(character));
    own.collect()
}

/// The number of items of each character.
fn outer(batch: &[usize]) -> usize {
    batch[..batch.len() - 1].iter().product()
}

fn unequal(character: usize, problem: &str) -> Error {
    Error::value(
        "character",
        format!("the characters of a list must be of equal sizes: character {character} {problem}"),
    )
}

impl<O: Operation> Operation for PerCharacter<O> {
    fn name(&self) -> &'static str {
        self.operations[0].name()
    }

    fn inputs(&self) -> &'static [Input] {
        self.operations[0].inputs()
    }

    fn batch_axes(&self) -> Shape {
        Shape::from_slice(&[self.operations.len()])
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        let rank = self.operations[0].core_rank(index, shape)?;
        for (character, operation) in self.operations.iter().enumerate().skip(1) {
            match operation.core_rank(index, shape) {
                Ok(own) if own == rank => {}
                Ok(_) => return Err(unequal(character, "reads its arguments otherwise")),
                Err(error) => return Err(unequal(character, &error.to_string())),
            }
        }
        Ok(rank)
    }

    fn output_core(&self, cores: &[&[usize]]) -> Shape {
        self.operations[0].output_core(cores)
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        if let [only] = &*self.operations {
            return only.forward(inputs, out, control);
        }
        let (outer, place) = self.whole(inputs, out)?;
        self.each(outer, &mut [place], control, |character, out, control| {
            self.operations[character].forward(&of(inputs, character), out[0], control)
        })
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        output: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        if let [only] = &*self.operations {
            return only.vjp(inputs, output, cotangent, gradients, control);
        }
        // Which inputs have a gradient, and whether it is a sum.
        let mut sums: SmallVec<[Option<bool>; 4]> = SmallVec::new();
        let mut places: SmallVec<[Place<'_, T>; 4]> = SmallVec::new();
        for (gradient, input) in gradients.iter_mut().zip(inputs) {
            let (sum, data) = match gradient {
                Gradient::Skip => {
                    sums.push(None);
                    continue;
                }
                Gradient::PerItem(data) => (false, data),
                Gradient::Shared(data) => (true, data),
            };
            sums.push(Some(sum));
            places.push(Place {
                data,
                length: input.core_len(),
                sum,
            });
        }
        let outer = outer(cotangent.batch_shape());
        self.each(outer, &mut places, control, |character, parts, control| {
            let mut parts = parts.iter_mut();
            let mut gradients: SmallVec<[Gradient<'_, T>; 4]> = SmallVec::new();
            for sum in &sums {
                let part = sum.and_then(|sum| Some((sum, parts.next()?)));
                gradients.push(match part {
                    None => Gradient::Skip,
                    Some((true, part)) => Gradient::Shared(part),
                    Some((false, part)) => Gradient::PerItem(part),
                });
            }
            self.operations[character].vjp(
                &of(inputs, character),
                output.map(|output| output.at_last(character)).as_ref(),
                &cotangent.at_last(character),
                &mut gradients,
                control,
            )
        })
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        if let [only] = &*self.operations {
            return only.jvp(inputs, tangents, out, control);
        }
        let (outer, place) = self.whole(inputs, out)?;
        self.each(outer, &mut [place], control, |character, out, control| {
            let tangents: SmallVec<[Option<Batch<'_, T>>; 4]> = tangents
                .iter()
                .map(|tangent| tangent.as_ref().map(|t| t.at_last(character)))
                .collect();
            let inputs = of(inputs, character);
            self.operations[character].jvp(&inputs, &tangents, out[0], control)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::View;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward};
    use crate::backend::operations::testing::character;
    use crate::backend::operations::{
        ApplyParameterTransform, ModelParametersToPositions, ModelParametersToSkeletonState,
        SkeletonStateToJointParameters,
    };
    use crate::kinematics::Prepared;

    const JOINTS: usize = 5;
    const PARAMETERS: usize = 2 * JOINTS + 3;

    fn people(count: usize) -> Vec<Arc<Prepared>> {
        (0..count)
            .map(|seed| character(seed as u64 + 1, JOINTS))
            .collect()
    }

    fn posing(people: &[Arc<Prepared>]) -> Vec<ModelParametersToSkeletonState> {
        let each = people.iter();
        each.map(|prepared| ModelParametersToSkeletonState {
            prepared: prepared.clone(),
        })
        .collect()
    }

    /// What each character computes by itself from its part of poses with the batch axes `[outer, count]`.
    fn one_by_one<T: Compute>(people: &[Arc<Prepared>], poses: &[T], outer: usize) -> Vec<T> {
        let mut all = Vec::new();
        for item in 0..outer {
            for (at, prepared) in people.iter().enumerate() {
                let start = (item * people.len() + at) * PARAMETERS;
                let view = View::contiguous(&poses[start..start + PARAMETERS], &[PARAMETERS]);
                let operation = ModelParametersToSkeletonState {
                    prepared: prepared.clone(),
                };
                all.extend(forward(&operation, &[view.unwrap()]).data);
            }
        }
        all
    }

    #[test]
    fn each_character_computes_its_own_items() {
        fn check<T: Compute>(tolerance: f64) {
            // Few items of many characters, many items of few, more characters than a block has.
            for (count, outer) in [(3, 1), (3, 2), (2, 50), (150, 1), (150, 3), (1, 4), (3, 0)] {
                let people = people(count);
                let operations = posing(&people);
                let many = PerCharacter::new(operations).unwrap();
                let poses = Argument::<T>::noise(&[outer, count, PARAMETERS], 3);
                let got = forward(&many, &[poses.view()]);
                assert_eq!(got.shape, [outer, count, JOINTS, 8]);
                let want = one_by_one(&people, &poses.data, outer);
                for (at, (got, want)) in got.data.iter().zip(&want).enumerate() {
                    let error = (got.to_f64() - want.to_f64()).abs();
                    assert!(
                        error < tolerance,
                        "{count} x {outer}: off by {error} at {at}"
                    );
                }
            }
        }
        check::<f32>(1e-5);
        check::<f64>(1e-13);
    }

    #[test]
    fn the_list_broadcasts_with_the_other_batch_axes() {
        let people = people(3);
        let operations = posing(&people);
        let many = PerCharacter::new(operations.clone()).unwrap();
        for (shape, outer) in [
            (vec![PARAMETERS], 1),
            (vec![1, PARAMETERS], 1),
            (vec![4, 1, PARAMETERS], 4),
        ] {
            let poses = Argument::<f64>::noise(&shape, 4);
            let spread: Vec<f64> = poses
                .data
                .chunks(PARAMETERS)
                .flat_map(|pose| pose.repeat(3))
                .collect();
            let got = forward(&many, &[poses.view()]);
            assert_eq!(got.shape[got.shape.len() - 3..], [3, JOINTS, 8]);
            let want = one_by_one(&people, &spread, outer);
            assert!(
                got.data
                    .iter()
                    .zip(&want)
                    .all(|(a, b)| (a - b).abs() < 1e-13)
            );
        }
        // One character in a list stretches, as an axis of size 1 does.
        let one = PerCharacter::new(operations[..1].to_vec()).unwrap();
        let poses = Argument::<f64>::noise(&[2, 5, PARAMETERS], 5);
        let want = forward(&operations[0], &[poses.view()]);
        assert_eq!(forward(&one, &[poses.view()]).data, want.data);
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        let people = people(3);
        let operations = posing(&people);
        let many = PerCharacter::new(operations).unwrap();
        for batch in [&[][..], &[3], &[2, 3], &[7, 3], &[0, 3]] {
            let mut shape = batch.to_vec();
            shape.push(PARAMETERS);
            assert_derivatives(&many, &[Argument::noise(&shape, 6)]);
        }
        let parents: Arc<[u32]> = [0, 2, 4, 4].into();
        let points: Vec<_> = people
            .iter()
            .map(|prepared| ModelParametersToPositions {
                prepared: prepared.clone(),
                parents: parents.clone(),
            })
            .collect();
        let many = PerCharacter::new(points).unwrap();
        for (poses, offsets) in [
            (&[3][..], &[][..]),
            (&[], &[3]),
            (&[2, 3], &[]),
            (&[2, 3], &[2, 3]),
            (&[], &[]),
        ] {
            let with = |batch: &[usize], core: &[usize]| [batch, core].concat();
            assert_derivatives(
                &many,
                &[
                    Argument::noise(&with(poses, &[PARAMETERS]), 7),
                    Argument::noise(&with(offsets, &[4, 3]), 8),
                ],
            );
        }
    }

    #[test]
    fn other_operations_are_many_too() {
        let people = people(2);
        let states = forward(
            &PerCharacter::new(posing(&people)).unwrap(),
            &[Argument::<f64>::noise(&[2, PARAMETERS], 9).view()],
        );
        let inverse: Vec<_> = people
            .iter()
            .map(|prepared| SkeletonStateToJointParameters {
                prepared: prepared.clone(),
            })
            .collect();
        let joints = forward(&PerCharacter::new(inverse).unwrap(), &[states.view()]);
        let maps: Vec<_> = people
            .iter()
            .map(|prepared| ApplyParameterTransform {
                transform: prepared.transform().clone(),
                flatten: false,
            })
            .collect();
        let maps = PerCharacter::new(maps).unwrap();
        let want = forward(&maps, &[Argument::<f64>::noise(&[2, PARAMETERS], 9).view()]);
        assert_eq!(joints.shape, want.shape);
        // Angles of at most two entries of at most 1 each may leave the branch; lengths and scales do not.
        for (got, want) in joints.data.chunks(7).zip(want.data.chunks(7)) {
            for at in [0, 1, 2, 6] {
                assert!((got[at] - want[at]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn unequal_sizes_and_empty_lists_are_refused() {
        let people = [
            character(1, JOINTS),
            character(2, JOINTS),
            character(3, JOINTS + 1),
        ];
        let operations = posing(&people);
        let many = PerCharacter::new(operations).unwrap();
        let error = many.core_rank(0, &[3, PARAMETERS]).unwrap_err();
        assert!(error.to_string().contains("character 2"), "{error}");
        let none: Vec<ModelParametersToSkeletonState> = Vec::new();
        let error = PerCharacter::new(none).unwrap_err();
        assert!(error.to_string().contains("empty list"), "{error}");
    }

    #[test]
    fn long_work_can_be_stopped() {
        let people = people(2);
        let operations = posing(&people);
        let many = PerCharacter::new(operations).unwrap();
        let outer = 2_000_000_usize.div_ceil(PARAMETERS);
        let poses = Argument::<f32>::noise(&[outer, 2, PARAMETERS], 10);
        let batch = Batch::new(poses.view(), 1, &[outer, 2]);
        let mut out = vec![0.0; outer * 2 * JOINTS * 8];
        let stop = || true;
        let stopped = many.forward(&[batch], &mut out, &Control::interruptible(&stop));
        assert_eq!(stopped, Err(Error::Interrupted));
    }
}
