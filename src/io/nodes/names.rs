//! Names of their own.

use std::collections::{HashMap, HashSet};

/// Names that are taken, and where to go on looking for free ones.
pub(in crate::io) struct Names {
    taken: HashSet<String>,
    next: HashMap<String, usize>,
}

impl Names {
    pub fn new(taken: impl IntoIterator<Item = String>) -> Self {
        Self {
            taken: taken.into_iter().collect(),
            next: HashMap::new(),
        }
    }

    /// `wanted` or, where that is taken, the first free `wanted_1`, `wanted_2`, ...
    pub fn fresh(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let number = self.next.entry(wanted.to_owned()).or_insert(0);
        while !self.taken.insert(name.clone()) {
            *number += 1;
            name = format!("{wanted}_{number}");
        }
        name
    }
}
