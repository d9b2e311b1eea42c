//! What one layer says about prims, added to what stronger layers said.

use super::super::layer::{Prim, Property, Specifier};
use super::paths::absolute;
use super::{ARCS, Composer, Origin};
use crate::error::{Error, Result};

/// Bytes that a prim, a property and a sample take, roughly.
const KEPT_PER_PRIM: usize = 320;
const KEPT_PER_PROPERTY: usize = 240;
const KEPT_PER_SAMPLE: usize = 48;

impl Composer<'_> {
    /// Adds a prim of a layer and all below it to a prim of the whole. Gives those that bring in others, by
    /// their places in the layer and in the whole.
    pub fn merge(
        &mut self,
        origin: &Origin,
        from: usize,
        to: usize,
    ) -> Result<Vec<(usize, usize)>> {
        let mut asking = Vec::new();
        let mut open = vec![(from, to)];
        while let Some((from, to)) = open.pop() {
            let layer = &origin.layer;
            let prim = &layer.prims[from];
            self.budget.charge(|| layer.path(from), 1, KEPT_PER_PRIM)?;
            if to != 0 {
                self.add(origin, from, to)?;
                if ARCS.iter().any(|arc| prim.metadata.contains_key(*arc)) {
                    asking.push((from, to));
                }
            }
            for (what, (place, count)) in &layer.left_out {
                if *place == from {
                    let known = self.whole.left_out.entry(what).or_insert((to, 0));
                    known.1 += count;
                }
            }
            let first = open.len();
            for &child in &prim.children {
                let own = &layer.prims[child];
                let place = match self.whole.child(to, &own.name) {
                    Some(place) => place,
                    None => {
                        let empty = Prim {
                            name: own.name.clone(),
                            ..Prim::default()
                        };
                        self.whole.add(to, empty, || layer.path(child))?
                    }
                };
                open.push((child, place));
            }
            open[first..].reverse();
        }
        Ok(asking)
    }

    /// Adds what is said about one prim.
    fn add(&mut self, origin: &Origin, from: usize, to: usize) -> Result<()> {
        let layer = &origin.layer;
        let prim = &layer.prims[from];
        let known = &mut self.whole.prims[to];
        // Classes are no more part of the scene than what is only spoken of, nor what inherits from them.
        if prim.specifier == Specifier::Def {
            known.specifier = Specifier::Def;
        }
        if known.type_name.is_empty() {
            known.type_name = prim.type_name.clone();
        }
        for (key, value) in &prim.metadata {
            if !ARCS.contains(&&**key) {
                known
                    .metadata
                    .entry(key.clone())
                    .or_insert_with(|| value.clone());
            }
        }
        // A path is needed only where something points from it.
        let has_targets = prim
            .properties
            .values()
            .any(|property| !property.targets.is_empty());
        let base = if has_targets {
            layer.whole_path(from)
        } else {
            String::new()
        };
        for (name, property) in &prim.properties {
            let size = KEPT_PER_PROPERTY
                + KEPT_PER_SAMPLE * property.samples.len()
                + property
                    .targets
                    .iter()
                    .map(|path| path.len() + base.len() + 64)
                    .sum::<usize>();
            self.budget.charge(|| layer.path(from), size, 1)?;
            let own = known.properties.entry(name.clone()).or_default();
            add_property(own, property, origin, &base)?;
        }
        Ok(())
    }
}

fn add_property(known: &mut Property, own: &Property, origin: &Origin, base: &str) -> Result<()> {
    if known.type_name.is_empty() {
        known.type_name = own.type_name.clone();
    }
    // A value of any kind hides all weaker ones.
    if known.default.is_none() && known.samples.is_empty() {
        known.default = own.default.clone();
        let [offset, scale] = origin.clock;
        for (time, value) in &own.samples {
            let time = offset + scale * time;
            if !time.is_finite() {
                return Err(Error::format(base, "finite times", time));
            }
            known.samples.push((time, value.clone()));
        }
    }
    if known.targets.is_empty() {
        let targets = own
            .targets
            .iter()
            .filter_map(|path| origin.map.of(&absolute(base, path)));
        known.targets = targets.map(Into::into).collect();
    }
    for (key, value) in &own.metadata {
        known
            .metadata
            .entry(key.clone())
            .or_insert_with(|| value.clone());
    }
    Ok(())
}
