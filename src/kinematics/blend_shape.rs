//! Shapes linear in coefficients: the constant data, and kernels over a few poses and many numbers.
//!
//! `out[pose][i] = base[i] + Σ_k c[pose][k] · d[k][i]`, a product of matrices of which one is constant
//! and large. Lanes are neighbouring numbers `i`. The constant matrix is cut into panels of [`PANEL`]
//! numbers, panel after panel and shape after shape within one, so that a kernel reads it in a row; a
//! kernel keeps [`POSES`] poses of a part of a panel in registers.

use std::ops::Range;
use std::sync::Arc;

use super::{InPrecision, Precision};
use crate::character::{BlendShape, BlendShapeBase, Reals};
use crate::math::{Lane, Real};

/// Numbers in a panel: whole groups of [`REGISTERS`] registers of any instruction set and precision.
pub const PANEL: usize = 48;
/// Poses that a kernel does at once.
pub const POSES: usize = 4;
/// Registers of numbers that a kernel does at once. With [`POSES`] it fills the 16 registers of AVX2.
const REGISTERS: usize = 3;
/// The same for one pose, which is as fast as the constant data come from memory: whole panels of
/// 256-bit registers.
const WIDE: usize = 6;
/// Shapes whose sums a kernel keeps at once when pulling.
const SHAPES: usize = 3;
/// Bytes of the constant matrix that are used for several groups of poses before moving on; well below
/// a second-level cache.
const BLOCK_BYTES: usize = 256 << 10;

/// The constant data of shapes in one precision.
#[derive(Debug)]
pub struct ShapePlan<T> {
    n_shapes: usize,
    /// Numbers in a shape.
    length: usize,
    /// `(n_panels, n_shapes, PANEL)`, zero where the last panel goes beyond the numbers.
    panels: Vec<T>,
    /// Whole panels; empty where there is no base.
    base: Vec<T>,
    /// Every shape's own index.
    all: Vec<Option<usize>>,
}

/// The numbers in whole panels.
#[must_use]
pub fn in_panels<T: Real>(numbers: &Reals) -> Vec<T> {
    let mut padded = vec![T::ZERO; numbers.len().next_multiple_of(PANEL)];
    for (place, x) in padded.iter_mut().zip(numbers.iter()) {
        *place = T::from_f64(x);
    }
    padded
}

impl<T: Real> ShapePlan<T> {
    /// Lays out displacements, and what they are added to.
    #[must_use]
    pub fn new(offsets: &BlendShapeBase, base: Option<&Reals>) -> Self {
        let (n_shapes, length) = (offsets.n_shapes(), 3 * offsets.n_vertices());
        let mut panels = vec![T::ZERO; length.div_ceil(PANEL) * n_shapes * PANEL];
        let mut numbers = offsets.displacements().iter();
        for shape in 0..n_shapes {
            for (at, x) in numbers.by_ref().take(length).enumerate() {
                let (panel, within) = (at / PANEL, at % PANEL);
                panels[(panel * n_shapes + shape) * PANEL + within] = T::from_f64(x);
            }
        }
        Self {
            n_shapes,
            length,
            panels,
            base: base.map(in_panels).unwrap_or_default(),
            all: (0..n_shapes).map(Some).collect(),
        }
    }

    /// The number of shapes.
    #[must_use]
    pub fn n_shapes(&self) -> usize {
        self.n_shapes
    }

    /// The numbers in a shape.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// What the displacements are added to, in whole panels.
    #[must_use]
    pub fn base(&self) -> Option<&[T]> {
        (!self.base.is_empty()).then_some(&self.base[..])
    }

    /// Every shape's own index.
    #[must_use]
    pub fn all(&self) -> &[Option<usize>] {
        &self.all
    }

    #[inline(always)]
    fn panel(&self, panel: usize) -> &[T] {
        let size = self.n_shapes * PANEL;
        &self.panels[panel * size..(panel + 1) * size]
    }

    /// Panels whose data stay in the cache while several groups of poses use them.
    fn panels_per_block(&self) -> usize {
        (BLOCK_BYTES / (self.n_shapes.max(1) * PANEL * size_of::<T>())).max(1)
    }
}

/// Shapes as a noun has them: by themselves or on a base.
#[derive(Debug, Clone, PartialEq)]
pub enum Shapes {
    /// Displacements by themselves.
    Offsets(Arc<BlendShapeBase>),
    /// Displacements on a base.
    Whole(Arc<BlendShape>),
}

impl Shapes {
    /// The displacements.
    #[must_use]
    pub fn offsets(&self) -> &Arc<BlendShapeBase> {
        match self {
            Self::Offsets(offsets) => offsets,
            Self::Whole(whole) => whole.offsets(),
        }
    }

    /// What they are added to.
    #[must_use]
    pub fn base(&self) -> Option<&Reals> {
        match self {
            Self::Offsets(_) => None,
            Self::Whole(whole) => Some(whole.base()),
        }
    }
}

/// Shapes made ready for computing: laid out in each precision when first asked for.
#[derive(Debug)]
pub struct PreparedShapes {
    shapes: Shapes,
    plans: InPrecision,
}

impl PreparedShapes {
    /// Cheap: the plans are built on first use.
    #[must_use]
    pub fn new(shapes: Shapes) -> Self {
        Self {
            shapes,
            plans: InPrecision::default(),
        }
    }

    /// The shapes.
    #[must_use]
    pub fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// The shapes in precision `T`.
    #[must_use]
    pub fn plan<T: Precision>(&self) -> &ShapePlan<T> {
        let shapes = &self.shapes;
        self.plans
            .get::<T, _>(|| ShapePlan::<T>::new(shapes.offsets(), shapes.base()))
    }
}

/// Shapes, and which number of an item is the coefficient of each. Shapes without one, and those beyond
/// `columns`, stay out.
#[derive(Debug, Clone, Copy)]
pub struct Term<'a, T> {
    /// The shapes.
    pub plan: &'a ShapePlan<T>,
    /// The place of each shape's coefficient.
    pub columns: &'a [Option<usize>],
}

/// The coefficients of one to [`POSES`] poses for the shapes of one term that are not zero in all.
#[derive(Debug)]
struct Active<T> {
    shapes: Vec<u32>,
    /// For each such shape one number for each pose.
    values: Vec<T>,
}

/// The coefficients of one to [`POSES`] poses.
#[derive(Debug)]
pub struct PoseGroup<T> {
    /// Numbers for each shape: 1 or [`POSES`]; the surplus is zero.
    poses: usize,
    terms: Vec<Active<T>>,
}

impl<T: Real> PoseGroup<T> {
    /// Collects from the rows of up to [`POSES`] poses.
    #[must_use]
    pub fn new(terms: &[Term<'_, T>], rows: &[&[T]]) -> Self {
        let poses = if rows.len() == 1 { 1 } else { POSES };
        let terms = terms.iter().map(|term| {
            let (mut shapes, mut values) = (Vec::new(), Vec::new());
            for (shape, column) in term.columns.iter().enumerate() {
                let Some(column) = *column else { continue };
                // True for NaN, which must come through.
                if rows.iter().any(|row| row[column] != T::ZERO) {
                    shapes.push(shape as u32);
                    values.extend(rows.iter().map(|row| row[column]));
                    values.resize(shapes.len() * poses, T::ZERO);
                }
            }
            Active { shapes, values }
        });
        Self {
            poses,
            terms: terms.collect(),
        }
    }
}

/// Writes the panels `panels` of some poses. Row `n` of `rows` starts at the first of them; each group
/// takes as many rows as it has poses, the last one those that are left.
#[inline(always)]
pub fn shape_panels<L: Lane>(
    base: Option<&[L::Scalar]>,
    terms: &[Term<'_, L::Scalar>],
    groups: &[PoseGroup<L::Scalar>],
    panels: Range<usize>,
    rows: &mut [&mut [L::Scalar]],
) {
    let first = panels.start;
    let per_block = terms.iter().map(|term| term.plan.panels_per_block()).min();
    let per_block = per_block.unwrap_or(usize::MAX).min(panels.len()).max(1);
    for start in panels.clone().step_by(per_block) {
        let block = start..panels.end.min(start + per_block);
        let mut next = 0;
        for group in groups {
            let count = group.poses.min(rows.len() - next);
            let rows = &mut rows[next..next + count];
            next += count;
            for panel in block.clone() {
                if group.poses > 1 {
                    shape_panel::<L, POSES, REGISTERS>(base, terms, group, panel, first, rows);
                } else if PANEL.is_multiple_of(WIDE * L::WIDTH) {
                    shape_panel::<L, 1, WIDE>(base, terms, group, panel, first, rows);
                } else {
                    shape_panel::<L, 1, REGISTERS>(base, terms, group, panel, first, rows);
                }
            }
        }
    }
}

// Loops over constant ranges: only so do the sums stay in registers.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn shape_panel<L: Lane, const P: usize, const R: usize>(
    base: Option<&[L::Scalar]>,
    terms: &[Term<'_, L::Scalar>],
    group: &PoseGroup<L::Scalar>,
    panel: usize,
    first: usize,
    rows: &mut [&mut [L::Scalar]],
) {
    let place = (panel - first) * PANEL;
    let width = R * L::WIDTH;
    let mut start = 0;
    while start < PANEL {
        let mut sums = [[L::zero(); R]; P];
        if let Some(base) = base {
            let base = &base[panel * PANEL + start..][..width];
            for r in 0..R {
                let base = L::load(&base[r * L::WIDTH..]);
                for p in 0..P {
                    sums[p][r] = base;
                }
            }
        }
        for (term, active) in terms.iter().zip(&group.terms) {
            let numbers = term.plan.panel(panel);
            let values = active.values.as_chunks::<P>().0;
            for (&shape, values) in active.shapes.iter().zip(values) {
                let numbers = &numbers[shape as usize * PANEL + start..][..width];
                let mut d = [L::zero(); R];
                for r in 0..R {
                    d[r] = L::load(&numbers[r * L::WIDTH..]);
                }
                for p in 0..P {
                    let value = L::splat(values[p]);
                    for r in 0..R {
                        sums[p][r] = d[r].mul_add(value, sums[p][r]);
                    }
                }
            }
        }
        for p in 0..P {
            // There may be fewer rows than poses.
            let Some(row) = rows.get_mut(p) else { continue };
            let at = (place + start).min(row.len());
            let row = &mut row[at..];
            if row.len() >= width {
                for r in 0..R {
                    sums[p][r].store(&mut row[r * L::WIDTH..]);
                }
            } else {
                let mut whole = [L::Scalar::ZERO; PANEL];
                for r in 0..R {
                    sums[p][r].store(&mut whole[r * L::WIDTH..]);
                }
                row.copy_from_slice(&whole[..row.len()]);
            }
        }
        start += width;
    }
}

/// Adds the products of the first `n_shapes` shapes with whole rows, over the panels `panels`, to
/// `sums`, `(rows, n_shapes)`.
#[inline(always)]
pub fn pull_panels<L: Lane>(
    plan: &ShapePlan<L::Scalar>,
    n_shapes: usize,
    panels: Range<usize>,
    rows: &[&[L::Scalar]],
    sums: &mut [L::Scalar],
) {
    // For each group of poses and shape: the sums of each pose, lanes apart.
    let poses = if rows.len() == 1 { 1 } else { POSES };
    let of_shape = poses * L::WIDTH;
    let of_group = n_shapes * of_shape;
    let mut lanes = vec![L::Scalar::ZERO; rows.len().div_ceil(poses) * of_group];
    let per_block = plan.panels_per_block();
    for start in panels.clone().step_by(per_block) {
        let block = start..panels.end.min(start + per_block);
        for (group, rows) in rows.chunks(poses).enumerate() {
            let lanes = &mut lanes[group * of_group..(group + 1) * of_group];
            for panel in block.clone() {
                if poses == 1 {
                    pull_panel::<L, 1>(plan, panel, rows, lanes);
                } else {
                    pull_panel::<L, POSES>(plan, panel, rows, lanes);
                }
            }
        }
    }
    let rows = sums.chunks_exact_mut(n_shapes.max(1));
    for (row, sums) in rows.enumerate() {
        let (group, pose) = (row / poses, row % poses);
        for (shape, sum) in sums.iter_mut().enumerate() {
            let at = group * of_group + shape * of_shape + pose * L::WIDTH;
            *sum += L::load(&lanes[at..]).sum();
        }
    }
}

/// Adds one panel's products with up to `P` rows to `lanes`, `(n_shapes, P, L::WIDTH)`. Shape after shape, so that the constant matrix is read in a row.
#[inline(always)]
fn pull_panel<L: Lane, const P: usize>(
    plan: &ShapePlan<L::Scalar>,
    panel: usize,
    rows: &[&[L::Scalar]],
    lanes: &mut [L::Scalar],
) {
    let place = panel * PANEL;
    // The last panel may go beyond the rows, and the last group has fewer of them.
    let mut padded = [[L::Scalar::ZERO; PANEL]; P];
    let whole = rows.len() == P && place + PANEL <= plan.length;
    if !whole {
        for (padded, row) in padded.iter_mut().zip(rows) {
            let rest = &row[place..plan.length.min(place + PANEL)];
            padded[..rest.len()].copy_from_slice(rest);
        }
    }
    let mut cut: [&[L::Scalar]; P] = [&[]; P];
    for (p, cut) in cut.iter_mut().enumerate() {
        *cut = if whole {
            &rows[p][place..place + PANEL]
        } else {
            &padded[p]
        };
    }
    let of_shape = P * L::WIDTH;
    let numbers = plan.panel(panel);
    let threes = lanes.chunks_mut(SHAPES * of_shape);
    for (lanes, numbers) in threes.zip(numbers.chunks(SHAPES * PANEL)) {
        if lanes.len() == SHAPES * of_shape {
            pull_shapes::<L, P, SHAPES>(numbers, &cut, lanes);
        } else {
            let ones = lanes.chunks_exact_mut(of_shape);
            for (lanes, numbers) in ones.zip(numbers.chunks_exact(PANEL)) {
                pull_shapes::<L, P, 1>(numbers, &cut, lanes);
            }
        }
    }
}

// Loops over constant ranges: only so do the sums stay in registers.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn pull_shapes<L: Lane, const P: usize, const S: usize>(
    numbers: &[L::Scalar],
    rows: &[&[L::Scalar]; P],
    lanes: &mut [L::Scalar],
) {
    let numbers = &numbers[..S * PANEL];
    let lanes = &mut lanes[..S * P * L::WIDTH];
    let mut sums = [[L::zero(); P]; S];
    for s in 0..S {
        for p in 0..P {
            sums[s][p] = L::load(&lanes[(s * P + p) * L::WIDTH..]);
        }
    }
    let mut at = 0;
    while at < PANEL {
        let mut d = [L::zero(); S];
        for s in 0..S {
            d[s] = L::load(&numbers[s * PANEL + at..]);
        }
        for p in 0..P {
            let row = L::load(&rows[p][at..]);
            for s in 0..S {
                sums[s][p] = d[s].mul_add(row, sums[s][p]);
            }
        }
        at += L::WIDTH;
    }
    for s in 0..S {
        for p in 0..P {
            sums[s][p].store(&mut lanes[(s * P + p) * L::WIDTH..]);
        }
    }
}
