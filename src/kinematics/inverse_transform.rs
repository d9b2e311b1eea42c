//! Joint parameters back to model parameters: the pseudo-inverse of a parameter transform.

use nalgebra::{DMatrix, SVD};

use super::{InPrecision, Precision};
use crate::character::{PARAMETERS_PER_JOINT, ParameterTransform};
use crate::math::{Lane, Real};

/// The least-squares inverse of a parameter transform, kept by rows without its zeros.
///
/// Parameters that share no joint parameter, not even through others, do not mix; each such block is
/// inverted by itself. So characters whose parameters drive their own joints have a sparse inverse, and
/// what drives nothing comes back as exactly zero.
#[derive(Debug)]
pub struct PreparedInverse {
    n_joints: usize,
    /// Joint parameter and factor of each entry, for each model parameter.
    rows: Vec<Vec<(u32, f64)>>,
    in_precision: InPrecision,
}

/// The rows in precision `T`.
#[derive(Debug)]
pub struct InverseTransformPlan<T> {
    row_starts: Vec<u32>,
    entries: Vec<(u32, T)>,
}

/// Model parameters that hang together, and the joint parameters they drive.
#[derive(Default)]
struct Block {
    parameters: Vec<usize>,
    joint_parameters: Vec<usize>,
}

impl PreparedInverse {
    /// Inverts the map, in double precision. Directions with singular values below rounding are left
    /// out, so parameters that cannot be told apart share what they could have done.
    #[must_use]
    pub fn new(transform: &ParameterTransform) -> Self {
        let n_rows = PARAMETERS_PER_JOINT * transform.n_joints();
        let blocks = blocks(transform, n_rows);
        let mut place = vec![0; transform.len()];
        for block in &blocks {
            for (index, &parameter) in block.parameters.iter().enumerate() {
                place[parameter] = index;
            }
        }
        let decomposed: Vec<_> = blocks
            .iter()
            .map(|block| {
                let size = (block.joint_parameters.len(), block.parameters.len());
                let mut matrix = DMatrix::zeros(size.0, size.1);
                for (row, &joint_parameter) in block.joint_parameters.iter().enumerate() {
                    for (parameter, value) in transform.row(joint_parameter) {
                        matrix[(row, place[parameter])] = value;
                    }
                }
                SVD::new(matrix, true, true)
            })
            .collect();
        let largest = decomposed
            .iter()
            .flat_map(|svd| svd.singular_values.iter().copied())
            .fold(0.0, f64::max);
        let cutoff = largest * f64::EPSILON * n_rows.max(transform.len()) as f64;
        let mut rows = vec![Vec::new(); transform.len()];
        for (block, svd) in blocks.iter().zip(decomposed) {
            // The parts are there because they were asked for.
            let Ok(inverse) = svd.pseudo_inverse(cutoff) else {
                continue;
            };
            let rounding = inverse.amax() * 4.0 * f64::EPSILON;
            for (index, &parameter) in block.parameters.iter().enumerate() {
                rows[parameter] = block
                    .joint_parameters
                    .iter()
                    .zip(inverse.row(index).iter())
                    .filter(|&(_, value)| value.abs() > rounding)
                    .map(|(&joint_parameter, &value)| (joint_parameter as u32, value))
                    .collect();
            }
        }
        Self {
            n_joints: transform.n_joints(),
            rows,
            in_precision: InPrecision::default(),
        }
    }

    /// The number of joints.
    #[must_use]
    pub fn n_joints(&self) -> usize {
        self.n_joints
    }

    /// The number of model parameters.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.rows.len()
    }

    /// The number of entries that are not zero.
    #[must_use]
    pub fn n_entries(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }

    /// The dense matrix, row-major, `(n_parameters, 7 · n_joints)`.
    #[must_use]
    pub fn to_dense(&self) -> Vec<f64> {
        let width = PARAMETERS_PER_JOINT * self.n_joints;
        let mut dense = vec![0.0; self.rows.len() * width];
        for (parameter, row) in self.rows.iter().enumerate() {
            for &(joint_parameter, value) in row {
                dense[parameter * width + joint_parameter as usize] = value;
            }
        }
        dense
    }

    /// The rows in precision `T`.
    #[must_use]
    pub fn plan<T: Precision>(&self) -> &InverseTransformPlan<T> {
        self.in_precision.get::<T, InverseTransformPlan<T>>(|| {
            let mut plan = InverseTransformPlan {
                row_starts: vec![0],
                entries: Vec::with_capacity(self.n_entries()),
            };
            for row in &self.rows {
                let row = row.iter().map(|&(at, value)| (at, T::from_f64(value)));
                plan.entries.extend(row);
                plan.row_starts.push(plan.entries.len() as u32);
            }
            plan
        })
    }
}

/// The blocks of parameters that drive anything, by union-find over the rows.
fn blocks(transform: &ParameterTransform, n_rows: usize) -> Vec<Block> {
    let mut root: Vec<usize> = (0..transform.len()).collect();
    fn find(root: &mut [usize], mut at: usize) -> usize {
        while root[at] != at {
            root[at] = root[root[at]];
            at = root[at];
        }
        at
    }
    for row in 0..n_rows {
        let mut columns = transform.row(row).map(|(column, _)| column);
        if let Some(first) = columns.next() {
            for column in columns {
                let (a, b) = (find(&mut root, first), find(&mut root, column));
                root[a.max(b)] = a.min(b);
            }
        }
    }
    let mut blocks: Vec<Block> = (0..transform.len()).map(|_| Block::default()).collect();
    for row in 0..n_rows {
        if let Some((column, _)) = transform.row(row).next() {
            let block = find(&mut root, column);
            blocks[block].joint_parameters.push(row);
        }
    }
    for parameter in 0..transform.len() {
        let block = find(&mut root, parameter);
        blocks[block].parameters.push(parameter);
    }
    blocks.retain(|block| !block.joint_parameters.is_empty());
    blocks
}

impl<T: Real> InverseTransformPlan<T> {
    /// The number of model parameters.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.row_starts.len() - 1
    }

    #[inline(always)]
    fn row(&self, parameter: usize) -> &[(u32, T)] {
        &self.entries[self.row_starts[parameter] as usize..self.row_starts[parameter + 1] as usize]
    }

    /// Model parameters from joint parameters.
    #[inline(always)]
    pub fn apply<L: Lane<Scalar = T>>(&self, joint_parameters: &[L], out: &mut [L]) {
        for (parameter, out) in out.iter_mut().enumerate() {
            *out = self
                .row(parameter)
                .iter()
                .fold(L::zero(), |sum, &(at, value)| {
                    joint_parameters[at as usize].mul_add(L::splat(value), sum)
                });
        }
    }

    /// The transpose: adds what a cotangent of the model parameters means for the joint parameters.
    #[inline(always)]
    pub fn pull<L: Lane<Scalar = T>>(&self, cotangent: &[L], gradient: &mut [L]) {
        for (parameter, &cotangent) in cotangent.iter().enumerate() {
            for &(at, value) in self.row(parameter) {
                let place = &mut gradient[at as usize];
                *place = cotangent.mul_add(L::splat(value), *place);
            }
        }
    }
}
