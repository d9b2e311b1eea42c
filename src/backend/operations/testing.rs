//! What the tests of operations share: random characters, and checks that hold for every operation.

use std::sync::Arc;

use crate::array::{Batch, Shape, View, broadcast_batches};
use crate::backend::cpu::{Compute, Isa, isa};
use crate::backend::{Control, Gradient, Operation};
use crate::character::{Character, CharacterParts, Joint, ParameterTransform, Skeleton};
use crate::kinematics::Prepared;

/// A small reproducible source of numbers in -1..1.
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn number(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((self.number() + 1.0) * 0.5 * end as f64) as usize
    }

    pub(crate) fn numbers(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.number()).collect()
    }
}

/// A forest of joints, half of them pre-rotated, driven by parameters of which some drive several joint
/// parameters and some joint parameters are driven by several; a third of the rows are empty.
pub(crate) fn character(seed: u64, n_joints: usize) -> Arc<Prepared> {
    let mut random = Random(seed);
    let joints = (0..n_joints)
        .map(|index| {
            let root = index == 0 || random.number() > 0.9;
            let parent = (!root).then(|| random.below(index));
            let mut joint = Joint::new(
                format!("joint{index}"),
                parent,
                std::array::from_fn(|_| random.number()),
            );
            if random.number() > 0.0 {
                let q: [f64; 4] = std::array::from_fn(|_| random.number());
                let norm = q.iter().map(|x| x * x).sum::<f64>().sqrt();
                joint.pre_rotation = q.map(|x| x / norm);
            }
            joint
        })
        .collect();
    let n_parameters = 2 * n_joints + 3;
    let mut entries = Vec::new();
    for row in 0..7 * n_joints {
        for _ in 0..[0, 1, 2][random.below(3)] {
            entries.push((row, random.below(n_parameters), random.number()));
        }
    }
    let names = (0..n_parameters).map(|p| format!("p{p}")).collect();
    let transform = ParameterTransform::new(names, n_joints, entries).unwrap();
    let skeleton = Skeleton::new(joints).unwrap();
    let parts = CharacterParts::new("random", skeleton, transform);
    Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())))
}

/// The instruction sets of this machine.
pub(crate) fn isas() -> impl Iterator<Item = Isa> {
    [Isa::Baseline, Isa::Avx2, Isa::Avx512]
        .into_iter()
        .filter(|&each| each <= isa())
}

pub(crate) fn cast<T: Compute>(numbers: &[f64]) -> Vec<T> {
    numbers.iter().map(|&x| T::from_f64(x)).collect()
}

/// The arguments as batches of the operation, and the length of the output.
pub(crate) fn batches<'a, T: Compute>(
    operation: &impl Operation,
    views: &[View<'a, T>],
) -> (Vec<Batch<'a, T>>, Shape, usize) {
    let ranks: Vec<usize> = (0..views.len())
        .map(|index| operation.core_rank(index, views[index].shape()).unwrap())
        .collect();
    let mut shapes: Vec<(&[usize], usize)> = views
        .iter()
        .zip(&ranks)
        .map(|(view, &rank)| (view.shape(), rank))
        .collect();
    let own = operation.batch_axes();
    shapes.push((&own, 0));
    let shape = broadcast_batches(operation.name(), &shapes).unwrap();
    let batches: Vec<Batch<'a, T>> = views
        .iter()
        .zip(&ranks)
        .map(|(view, &rank)| Batch::new(view.clone(), rank, &shape))
        .collect();
    let cores: Vec<&[usize]> = batches.iter().map(Batch::core_shape).collect();
    let core = operation.output_core(&cores);
    let length = shape.iter().chain(&core).product();
    (batches, shape, length)
}

/// The output for views of any layout.
pub(crate) fn forward<T: Compute>(operation: &impl Operation, views: &[View<'_, T>]) -> Vec<T> {
    let (batches, _, length) = batches(operation, views);
    // NaN would survive where nothing is written.
    let mut out = vec![T::from_f64(f64::NAN); length];
    operation
        .forward(&batches, &mut out, &Control::default())
        .unwrap();
    out
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn assert_close(got: &[f64], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let size = want.iter().fold(1.0_f64, |size, x| size.max(x.abs()));
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(
            (got - want).abs() <= tolerance * size,
            "{what}: number {index} is {got}, not {want}"
        );
    }
}

/// jvp against central differences, vjp against jvp, with and without the saved output; inputs without
/// batch axes get one summed gradient.
pub(crate) fn check_derivatives(operation: &impl Operation, arguments: &[(Vec<f64>, &[usize])]) {
    let control = Control::default();
    let mut random = Random(77);
    let views: Vec<View<'_, f64>> = arguments
        .iter()
        .map(|(data, shape)| View::contiguous(data, shape).unwrap())
        .collect();
    let (inputs, shape, length) = batches(operation, &views);
    let items: usize = shape.iter().product();
    let output = forward(operation, &views);
    for round in 0..3 {
        let tangents: Vec<Vec<f64>> = arguments
            .iter()
            .map(|(data, _)| random.numbers(data.len()))
            .collect();
        // The second round holds all inputs but the first still.
        let moves = |n: usize| round != 1 || n == 0;
        let shifted = |h: f64| -> Vec<f64> {
            let data: Vec<Vec<f64>> = arguments
                .iter()
                .zip(&tangents)
                .enumerate()
                .map(|(n, ((data, _), tangent))| {
                    let h = if moves(n) { h } else { 0.0 };
                    data.iter().zip(tangent).map(|(x, v)| x + h * v).collect()
                })
                .collect();
            let views: Vec<View<'_, f64>> = data
                .iter()
                .zip(arguments)
                .map(|(data, (_, shape))| View::contiguous(data, shape).unwrap())
                .collect();
            forward(operation, &views)
        };
        let h = 1e-5;
        let slope: Vec<f64> = shifted(h)
            .iter()
            .zip(shifted(-h))
            .map(|(a, b)| (a - b) / (2.0 * h))
            .collect();
        let pushed: Vec<Option<Batch<'_, f64>>> = tangents
            .iter()
            .zip(arguments)
            .enumerate()
            .map(|(n, (data, (_, argument)))| {
                let view = View::contiguous(data, argument).unwrap();
                moves(n).then(|| Batch::new(view, inputs[n].core_shape().len(), &shape))
            })
            .collect();
        let mut jvp = vec![f64::NAN; length];
        operation.jvp(&inputs, &pushed, &mut jvp, &control).unwrap();
        assert_close(&jvp, &slope, 2e-8, "jvp");

        let weights = random.numbers(length);
        let (cores, lead) = (length / items.max(1), &shape[..]);
        let mut whole = lead.to_vec();
        whole.push(cores);
        let cotangent = Batch::new(View::contiguous(&weights, &whole).unwrap(), 1, lead);
        let saved = Batch::new(View::contiguous(&output, &whole).unwrap(), 1, lead);
        let mut found: Vec<Vec<Vec<f64>>> = Vec::new();
        for output in [None, Some(&saved)] {
            let mut data: Vec<Vec<f64>> = arguments
                .iter()
                .map(|(data, _)| vec![f64::NAN; data.len()])
                .collect();
            let mut gradients: Vec<Gradient<'_, f64>> = data
                .iter_mut()
                .zip(&inputs)
                .enumerate()
                .map(|(n, (data, input))| {
                    let own = data.len() == items * input.core_len();
                    if !moves(n) {
                        Gradient::Skip
                    } else if own {
                        Gradient::PerItem(data)
                    } else {
                        Gradient::Shared(data)
                    }
                })
                .collect();
            operation
                .vjp(&inputs, output, &cotangent, &mut gradients, &control)
                .unwrap();
            let pulled: f64 = (0..inputs.len())
                .filter(|&n| moves(n))
                .map(|n| dot(&data[n], &tangents[n]))
                .sum();
            let want = dot(&weights, &jvp);
            assert!(
                (pulled - want).abs() <= 1e-10 * (1.0 + length as f64),
                "vjp: <g, v> is {pulled}, <w, Jv> is {want}"
            );
            found.push(data);
        }
        for (n, (a, b)) in found[0].iter().zip(&found[1]).enumerate() {
            if moves(n) {
                assert_close(a, b, 1e-12, "vjp with the saved output");
            }
        }
    }
}
