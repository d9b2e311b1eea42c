//! One operation for many characters, each with its own part of the batch.

use std::sync::OnceLock;

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
#[derive(Debug, Clone, Copy)]
pub struct PerCharacter<'a, O> {
    operations: &'a [O],
}

impl<'a, O: Operation> PerCharacter<'a, O> {
    /// One operation for each character.
    ///
    /// # Errors
    /// [`Error::Value`] without characters: there would be no shapes.
    pub fn new(operations: &'a [O]) -> Result<Self> {
        if operations.is_empty() {
            return Err(Error::value(
                "character",
                "expected a character or at least one in a list, got an empty list",
            ));
        }
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

impl<O: Operation> Operation for PerCharacter<'_, O> {
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
        if let [only] = self.operations {
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
        if let [only] = self.operations {
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
        if let [only] = self.operations {
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
