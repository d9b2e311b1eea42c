//! Trees for the items of a batch.

use std::collections::HashMap;

use crate::array::Batch;
use crate::backend::Control;
use crate::backend::cpu::{Compute, Items, for_each_group};
use crate::error::Result;

/// One tree for each distinct item of a batch; items that broadcasting repeats share theirs.
pub(super) struct Forest<Tree> {
    trees: Vec<Option<Tree>>,
    /// The tree of each item; empty where there is one tree.
    of: Vec<u32>,
}

impl<Tree: Send> Forest<Tree> {
    pub(super) fn plant<T: Compute>(
        items: &Batch<'_, T>,
        cost_ns: f64,
        control: &Control<'_>,
        build: impl Fn(&[T]) -> Tree + Sync,
    ) -> Result<Self> {
        let (mut distinct, mut of) = (Vec::new(), Vec::new());
        if items.is_shared() {
            distinct.extend((!items.is_empty()).then_some(0));
        } else {
            let mut known = HashMap::new();
            for item in 0..items.len() {
                let fresh = distinct.len() as u32;
                let tree = *known.entry(items.place(item)).or_insert(fresh);
                if tree == fresh {
                    distinct.push(item);
                }
                of.push(tree);
            }
        }
        let mut trees: Vec<Option<Tree>> = Vec::new();
        trees.resize_with(distinct.len(), || None);
        let places = Items {
            data: &mut trees[..],
            length: 1,
        };
        for_each_group(
            distinct.len(),
            1,
            cost_ns,
            places,
            control,
            |range, places| {
                let mut scratch = vec![T::ZERO; items.core_len()];
                for (tree, place) in range.zip(places.data) {
                    *place = Some(build(items.item(distinct[tree], &mut scratch)));
                }
            },
        )?;
        Ok(Self { trees, of })
    }

    /// The tree of an item.
    pub(super) fn tree(&self, item: usize) -> &Tree {
        let tree = self.of.get(item).map_or(0, |&tree| tree as usize);
        self.trees[tree].as_ref().expect("every one was built")
    }
}
