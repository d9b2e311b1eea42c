//! Shapes linear in coefficients, over batches: what the operations on blend shapes share.

use std::ops::Range;

use smallvec::SmallVec;

use super::gradients::{Target, for_each_gradient_by};
use crate::array::{Batch, View};
use crate::backend::cpu::{
    Compute, Isa, Items, LaneKernel, Places, for_each_group, isa, num_threads, rows_of,
};
use crate::backend::{Control, Gradient};
use crate::error::Result;
use crate::kinematics::ShapePlan;
use crate::kinematics::blend_shape::{PANEL, POSES, PoseGroup, Term, pull_panels, shape_panels};
use crate::math::Lane;

/// Poses that go through the constant data together.
const CHUNK: usize = 64;
/// Rough time for one product.
const PRODUCT_NS: f64 = 0.04;
/// Sums over the numbers of a shape are taken in this many pieces, whoever takes them.
const SECTIONS: usize = 16;

/// `base + Σ_terms Σ_k c[columns[k]] · d_k` for each item `c` of a batch.
pub(super) struct LinearShapes<'a, T> {
    pub base: Option<&'a [T]>,
    pub terms: SmallVec<[Term<'a, T>; 2]>,
    /// Numbers in an output item.
    pub length: usize,
}

/// The rows of some poses from the panel where the piece starts.
struct Rows<'a, T>(Vec<&'a mut [T]>);

impl<T: Send> Places for Rows<'_, T> {
    fn split(self, panels: usize) -> (Self, Self) {
        let halves = self.0.into_iter().map(|row| {
            let middle = row.len().min(panels * PANEL);
            row.split_at_mut(middle)
        });
        let (first, rest) = halves.unzip();
        (Self(first), Self(rest))
    }
}

struct Forward<'a, 's, 'r, T> {
    base: Option<&'s [T]>,
    terms: &'a [Term<'s, T>],
    groups: &'a [PoseGroup<T>],
    panels: Range<usize>,
    rows: &'a mut [&'r mut [T]],
}

impl<T: Compute> LaneKernel<T> for Forward<'_, '_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(self) {
        shape_panels::<L>(self.base, self.terms, self.groups, self.panels, self.rows);
    }
}

struct PullPanels<'a, T> {
    plan: &'a ShapePlan<T>,
    n_shapes: usize,
    panels: Range<usize>,
    rows: &'a [&'a [T]],
    sums: &'a mut [T],
}

impl<T: Compute> LaneKernel<T> for PullPanels<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(self) {
        pull_panels::<L>(self.plan, self.n_shapes, self.panels, self.rows, self.sums);
    }
}

impl<T: Compute> LinearShapes<'_, T> {
    fn n_panels(&self) -> usize {
        self.length.div_ceil(PANEL)
    }

    /// Coefficients that count, over all terms.
    fn n_shapes(&self) -> usize {
        self.terms.iter().map(|term| term.columns.len()).sum()
    }

    /// Rough time for one item.
    fn cost_ns(&self) -> f64 {
        50.0 + PRODUCT_NS * (self.length * (1 + self.n_shapes())) as f64
    }

    /// Groups the poses `start .. start + count`.
    fn groups(&self, coefficients: &Batch<'_, T>, start: usize, count: usize) -> Vec<PoseGroup<T>> {
        let mut scratch = Vec::new();
        let starts = (start..start + count).step_by(POSES);
        starts
            .map(|first| {
                let poses = POSES.min(start + count - first);
                let rows = rows_of(coefficients, first, poses, poses, &mut scratch);
                PoseGroup::new(&self.terms, &rows)
            })
            .collect()
    }

    /// The shapes of every item into `out`.
    pub(super) fn forward(
        &self,
        coefficients: &Batch<'_, T>,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let (isa, items, length) = (isa(), coefficients.len(), self.length);
        if items == 0 || length == 0 {
            return Ok(());
        }
        let panels = 0..self.n_panels();
        let run = |groups: &[PoseGroup<T>], panels, rows: &mut [&mut [T]]| {
            let kernel = Forward {
                base: self.base,
                terms: &self.terms,
                groups,
                panels,
                rows,
            };
            T::run_on(isa, kernel);
        };
        let cost = self.cost_ns();
        if items.div_ceil(CHUNK) >= 4 * num_threads() {
            let places = Items { data: out, length };
            return for_each_group(items, CHUNK, cost, places, control, |range, places| {
                for (chunk, out) in places.data.chunks_mut(CHUNK * length).enumerate() {
                    let mut rows: Vec<&mut [T]> = out.chunks_exact_mut(length).collect();
                    let start = range.start + chunk * CHUNK;
                    let groups = self.groups(coefficients, start, rows.len());
                    run(&groups, panels.clone(), &mut rows);
                }
            });
        }
        // Few items: the threads share the numbers of each.
        for (chunk, out) in out.chunks_mut(CHUNK * length).enumerate() {
            let rows: Vec<&mut [T]> = out.chunks_exact_mut(length).collect();
            let groups = self.groups(coefficients, chunk * CHUNK, rows.len());
            let cost = cost * rows.len() as f64 / panels.len() as f64;
            for_each_group(
                panels.len(),
                1,
                cost,
                Rows(rows),
                control,
                |range, mut rows| run(&groups, range, &mut rows.0),
            )?;
        }
        Ok(())
    }

    /// Pulls the cotangents of the shapes back to the coefficients, items of `width` numbers.
    pub(super) fn pull(
        &self,
        cotangent: &Batch<'_, T>,
        width: usize,
        gradient: &mut Gradient<'_, T>,
        control: &Control<'_>,
    ) -> Result<()> {
        if !cotangent.items_are_slices() {
            let length = cotangent.core_len();
            let mut copy = vec![T::ZERO; cotangent.len() * length];
            for (item, row) in copy.chunks_exact_mut(length.max(1)).enumerate() {
                let _ = cotangent.item(item, row);
            }
            let view = View::contiguous(&copy, &[cotangent.len(), length])?;
            let straight = Batch::new(view, 1, &[cotangent.len()]);
            return self.pull(&straight, width, gradient, control);
        }
        let (isa, items) = (isa(), cotangent.len());
        let gradients = std::slice::from_mut(gradient);
        let cost = 2.0 * self.cost_ns();
        if items > CHUNK || items == 0 {
            return for_each_gradient_by(
                CHUNK,
                items,
                CHUNK,
                cost,
                [width],
                gradients,
                control,
                |range, [mut target]| {
                    let mut sums = vec![T::ZERO; CHUNK * self.n_shapes()];
                    for start in range.clone().step_by(CHUNK) {
                        let count = CHUNK.min(range.end - start);
                        let sums = &mut sums[..count * self.n_shapes()];
                        sums.fill(T::ZERO);
                        let mut section_sums = sums.to_vec();
                        for section in 0..SECTIONS {
                            section_sums.fill(T::ZERO);
                            self.pull_section(isa, section, cotangent, start, &mut section_sums);
                            add(sums, &section_sums);
                        }
                        let first = start - range.start;
                        self.put(sums, count, width, first, &mut target);
                    }
                },
            );
        }
        // Few items: the threads share the sections.
        let length = items * self.n_shapes();
        let mut sections = vec![T::ZERO; SECTIONS * length];
        if length > 0 {
            let places = Items {
                data: &mut sections,
                length,
            };
            let cost = cost * items as f64 / SECTIONS as f64;
            for_each_group(SECTIONS, 1, cost, places, control, |range, places| {
                for (section, sums) in range.zip(places.data.chunks_exact_mut(length)) {
                    self.pull_section(isa, section, cotangent, 0, sums);
                }
            })?;
        }
        let mut sums = vec![T::ZERO; length];
        for section in sections.chunks_exact(length.max(1)) {
            add(&mut sums, section);
        }
        match &mut gradients[0] {
            Gradient::Skip => {}
            Gradient::PerItem(rows) => {
                self.put(&sums, items, width, 0, &mut Target::Rows(rows, width));
            }
            Gradient::Shared(total) => {
                total.fill(T::ZERO);
                self.put(&sums, items, width, 0, &mut Target::Sum(total));
            }
        }
        Ok(())
    }

    /// Adds one section's part of the sums, `(items, n_shapes)` of the items from `start`, which are
    /// slices.
    fn pull_section(
        &self,
        isa: Isa,
        section: usize,
        cotangent: &Batch<'_, T>,
        start: usize,
        sums: &mut [T],
    ) {
        let (n_panels, n_shapes) = (self.n_panels(), self.n_shapes());
        let panels = section * n_panels / SECTIONS..(section + 1) * n_panels / SECTIONS;
        if panels.is_empty() || n_shapes == 0 {
            return;
        }
        let count = sums.len() / n_shapes;
        let rows: Vec<&[T]> = (start..start + count)
            .map(|item| cotangent.item(item, &mut []))
            .collect();
        let mut first = 0;
        for term in &self.terms {
            let n = term.columns.len();
            let mut of_term = vec![T::ZERO; count * n];
            let kernel = PullPanels {
                plan: term.plan,
                n_shapes: n,
                panels: panels.clone(),
                rows: &rows,
                sums: &mut of_term,
            };
            T::run_on(isa, kernel);
            for (sums, of_term) in sums
                .chunks_exact_mut(n_shapes)
                .zip(of_term.chunks(n.max(1)))
            {
                add(&mut sums[first..first + n], of_term);
            }
            first += n;
        }
    }

    /// Puts the sums of `items` items, the first being item `first` of the target, at their columns.
    fn put(
        &self,
        sums: &[T],
        items: usize,
        width: usize,
        first: usize,
        target: &mut Target<'_, T>,
    ) {
        let n_shapes = self.n_shapes();
        for item in 0..items {
            let sums = &sums[item * n_shapes..(item + 1) * n_shapes];
            let row = match target {
                Target::Skip => return,
                Target::Rows(rows, _) => {
                    let row = &mut rows[(first + item) * width..(first + item + 1) * width];
                    row.fill(T::ZERO);
                    row
                }
                Target::Sum(total) => &mut total[..],
            };
            let columns = self.terms.iter().flat_map(|term| term.columns);
            for (column, &sum) in columns.zip(sums) {
                if let Some(column) = *column {
                    row[column] += sum;
                }
            }
        }
    }
}

fn add<T: Compute>(sums: &mut [T], more: &[T]) {
    for (sum, &more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}
