//! What drives the joints: model parameters through a sparse map, or joint parameters themselves.

use crate::character::{PARAMETERS_PER_JOINT, ParameterTransform};
use crate::math::{Lane, Real};

/// The parameters of a pose, seen as seven joint parameters per joint. Linear in the inputs.
pub trait Drive<T: Real>: Copy + Sync {
    /// The number of inputs of one pose.
    fn len(&self) -> usize;
    /// Whether there are no inputs.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Which of a joint's parameters can differ from zero, bit `k` for parameter `k`.
    fn active(&self, joint: usize) -> u8;
    /// The joint parameters of one joint.
    fn joint_parameters<L: Lane<Scalar = T>>(&self, inputs: &[L], joint: usize) -> [L; 7];
    /// The joint parameters of one pose, `to[k * padded + joint]` for parameter `k`; `to` holds zeros on
    /// entry.
    fn spread(&self, inputs: &[T], to: &mut [T], padded: usize);
    /// The transpose: adds what a cotangent of a joint's parameters means for the inputs.
    fn pull<L: Lane<Scalar = T>>(&self, cotangent: [L; 7], joint: usize, gradient: &mut [L]);
}

/// The rows of a parameter transform in precision `T`.
#[derive(Debug, Clone)]
pub struct TransformPlan<T> {
    n_parameters: usize,
    row_starts: Vec<u32>,
    entries: Vec<(u32, T)>,
    active: Vec<u8>,
    /// The row, joint and kind of parameter of each entry, for going through the entries only.
    rows: Vec<(u32, u32, u32)>,
}

impl<T: Real> TransformPlan<T> {
    /// Lays out the rows.
    #[must_use]
    pub fn new(transform: &ParameterTransform) -> Self {
        let n_joints = transform.n_joints();
        let mut plan = Self {
            n_parameters: transform.len(),
            row_starts: vec![0],
            entries: Vec::new(),
            active: vec![0; n_joints],
            rows: Vec::new(),
        };
        for row in 0..PARAMETERS_PER_JOINT * n_joints {
            for (column, value) in transform.row(row) {
                let (joint, kind) = (row / PARAMETERS_PER_JOINT, row % PARAMETERS_PER_JOINT);
                plan.entries.push((column as u32, T::from_f64(value)));
                plan.rows.push((row as u32, joint as u32, kind as u32));
                plan.active[joint] |= 1 << kind;
            }
            plan.row_starts.push(plan.entries.len() as u32);
        }
        plan
    }

    /// The number of joints.
    #[must_use]
    pub fn n_joints(&self) -> usize {
        self.active.len()
    }

    /// Adds the joint parameters of one pose to `to`, in order of the rows.
    #[inline(always)]
    pub fn apply_one(&self, inputs: &[T], to: &mut [T]) {
        for (&(column, factor), &(row, ..)) in self.entries.iter().zip(&self.rows) {
            to[row as usize] += inputs[column as usize] * factor;
        }
    }

    #[inline(always)]
    fn rows(&self, joint: usize) -> [&[(u32, T)]; PARAMETERS_PER_JOINT] {
        let first = joint * PARAMETERS_PER_JOINT;
        let starts = &self.row_starts[first..first + PARAMETERS_PER_JOINT + 1];
        let mut rows: [&[(u32, T)]; PARAMETERS_PER_JOINT] = [&[]; PARAMETERS_PER_JOINT];
        for k in 0..PARAMETERS_PER_JOINT {
            rows[k] = &self.entries[starts[k] as usize..starts[k + 1] as usize];
        }
        rows
    }
}

impl<T: Real> Drive<T> for &TransformPlan<T> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.n_parameters
    }

    #[inline(always)]
    fn active(&self, joint: usize) -> u8 {
        self.active[joint]
    }

    #[inline(always)]
    fn joint_parameters<L: Lane<Scalar = T>>(&self, inputs: &[L], joint: usize) -> [L; 7] {
        if self.active[joint] == 0 {
            return [L::zero(); 7];
        }
        let rows = self.rows(joint);
        let mut values = [L::zero(); 7];
        for k in 0..PARAMETERS_PER_JOINT {
            if let [(column, factor), rest @ ..] = rows[k] {
                let mut sum = inputs[*column as usize] * L::splat(*factor);
                for &(column, factor) in rest {
                    sum = inputs[column as usize].mul_add(L::splat(factor), sum);
                }
                values[k] = sum;
            }
        }
        values
    }

    #[inline(always)]
    fn spread(&self, inputs: &[T], to: &mut [T], padded: usize) {
        for (&(column, factor), &(_, joint, kind)) in self.entries.iter().zip(&self.rows) {
            to[kind as usize * padded + joint as usize] += inputs[column as usize] * factor;
        }
    }

    #[inline(always)]
    fn pull<L: Lane<Scalar = T>>(&self, cotangent: [L; 7], joint: usize, gradient: &mut [L]) {
        if self.active[joint] == 0 {
            return;
        }
        let rows = self.rows(joint);
        for k in 0..PARAMETERS_PER_JOINT {
            for &(column, factor) in rows[k] {
                let place = &mut gradient[column as usize];
                *place = cotangent[k].mul_add(L::splat(factor), *place);
            }
        }
    }
}

/// Joint parameters as they come.
#[derive(Debug, Clone, Copy)]
pub struct Direct {
    /// The number of joints.
    pub n_joints: usize,
}

impl<T: Real> Drive<T> for Direct {
    #[inline(always)]
    fn len(&self) -> usize {
        PARAMETERS_PER_JOINT * self.n_joints
    }

    #[inline(always)]
    fn active(&self, _: usize) -> u8 {
        0x7f
    }

    #[inline(always)]
    fn joint_parameters<L: Lane<Scalar = T>>(&self, inputs: &[L], joint: usize) -> [L; 7] {
        let from = &inputs[joint * PARAMETERS_PER_JOINT..(joint + 1) * PARAMETERS_PER_JOINT];
        [
            from[0], from[1], from[2], from[3], from[4], from[5], from[6],
        ]
    }

    #[inline(always)]
    fn spread(&self, inputs: &[T], to: &mut [T], padded: usize) {
        for (joint, seven) in inputs
            .as_chunks::<PARAMETERS_PER_JOINT>()
            .0
            .iter()
            .enumerate()
        {
            for (kind, &value) in seven.iter().enumerate() {
                to[kind * padded + joint] = value;
            }
        }
    }

    #[inline(always)]
    fn pull<L: Lane<Scalar = T>>(&self, cotangent: [L; 7], joint: usize, gradient: &mut [L]) {
        let to = &mut gradient[joint * PARAMETERS_PER_JOINT..(joint + 1) * PARAMETERS_PER_JOINT];
        for k in 0..PARAMETERS_PER_JOINT {
            to[k] += cotangent[k];
        }
    }
}
