//! The binary form (`.usdc`): tables, compressed, and values at places that the tables name.

mod bytes;
mod integers;
mod paths;
mod reaches;
mod scalars;
mod tables;
mod values;

use std::collections::HashMap;
use std::sync::Arc;

use super::layer::{Layer, Prim, Property, Specifier};
use super::value::{Budget, Value};
use crate::error::{Error, Result};
use crate::io::Progress;
use paths::Element;
use tables::{Tables, token_at};
use values::Values;

pub(super) use tables::MAGIC;

/// The kinds of specs that are read.
const ATTRIBUTE: i64 = 1;
const PRIM: i64 = 6;
const ROOT: i64 = 7;
const RELATIONSHIP: i64 = 8;

/// Bytes that a field of a prim or property takes, roughly.
const KEPT_PER_FIELD: usize = 80;

/// Bytes that a prim or property takes, roughly.
const KEPT_PER_SPEC: usize = 320;

/// Reads a layer.
///
/// # Errors
/// [`Error::Format`] with the byte, what the format asks for and what is there.
pub(super) fn read(file: &[u8], progress: &Progress<'_>) -> Result<Layer> {
    let mut budget = Budget::new(file.len());
    let tables = Tables::read(file, &mut budget)?;
    let mut reader = Reader {
        values: Values::new(file, &tables, budget),
        tables: &tables,
        layer: Layer::default(),
        orders: Vec::new(),
    };
    let mut spec_of: HashMap<usize, usize> = HashMap::new();
    for (at, [path, ..]) in tables.specs.iter().enumerate() {
        let path = usize::try_from(*path).unwrap_or(usize::MAX);
        if spec_of.insert(path, at).is_some() || path >= tables.paths.nodes.len() {
            return Err(Error::format(
                format!("spec {at}"),
                format!(
                    "one of {} paths, which no other spec has",
                    tables.paths.nodes.len()
                ),
                path,
            ));
        }
    }
    // The prim of each path, where it is read.
    let mut prims: HashMap<usize, usize> = HashMap::new();
    for (done, &path) in tables.paths.order.iter().enumerate() {
        if done % 1024 == 0 {
            progress.at(done, tables.paths.order.len())?;
        }
        let (Some(node), Some(&spec)) = (&tables.paths.nodes[path], spec_of.get(&path)) else {
            continue;
        };
        if node.element == Element::Root {
            reader.root(spec)?;
            prims.insert(path, 0);
            continue;
        }
        // What hangs on a variant has no parent here.
        let Some(&parent) = prims.get(&node.parent) else {
            continue;
        };
        match (&node.element, tables.specs[spec][2]) {
            (Element::Prim(name), PRIM) => {
                prims.insert(path, reader.prim(name, spec, parent)?);
            }
            (Element::Property(name), kind @ (ATTRIBUTE | RELATIONSHIP)) => {
                reader.property(name, spec, parent, kind == RELATIONSHIP)?;
            }
            (Element::Variant, _) => reader.layer.leave_out("variants", parent),
            _ => {}
        }
    }
    reader.order_children();
    Ok(reader.layer)
}

struct Reader<'a, 't> {
    values: Values<'a, 't>,
    tables: &'t Tables,
    layer: Layer,
    /// The names of children in their order.
    orders: Vec<(usize, Value)>,
}

impl Reader<'_, '_> {
    /// The fields of a spec: their names and values, not read.
    fn fields(&mut self, spec: usize) -> Result<Vec<(Arc<str>, u64)>> {
        let tables = self.tables;
        let location = || format!("spec {spec}");
        let first = usize::try_from(tables.specs[spec][1]).ok();
        let Some(set) = first.and_then(|first| tables.field_sets.get(first..)) else {
            return Err(Error::format(
                location(),
                format!("a place in {} fields of sets", tables.field_sets.len()),
                tables.specs[spec][1],
            ));
        };
        self.values.budget.charge(location, 1, KEPT_PER_SPEC)?;
        let mut fields = Vec::new();
        // All 32 bits set end a set; it is read as signed.
        for &field in set.iter().take_while(|&&field| field != -1) {
            let found = usize::try_from(field)
                .ok()
                .and_then(|at| tables.fields.get(at));
            let &(name, rep) = found.ok_or_else(|| {
                Error::format(
                    location(),
                    format!("one of {} fields", tables.fields.len()),
                    field,
                )
            })?;
            let name = u64::try_from(name).unwrap_or(u64::MAX);
            self.values.budget.charge(location, 1, KEPT_PER_FIELD)?;
            fields.push((token_at(&tables.tokens, name, location)?, rep));
        }
        Ok(fields)
    }

    fn root(&mut self, spec: usize) -> Result<()> {
        if self.tables.specs[spec][2] != ROOT {
            return Err(Error::format(
                format!("spec {spec}"),
                "the root of all prims",
                "another",
            ));
        }
        let mut offsets = Vec::new();
        for (name, rep) in self.fields(spec)? {
            match &*name {
                "primChildren" => {
                    let order = self.values.value(rep)?;
                    self.orders.push((0, order));
                }
                "subLayers" => {
                    let layers = self.values.sub_layers(rep)?;
                    self.layer.metadata.insert(name, layers);
                }
                "subLayerOffsets" => offsets = self.values.clocks(rep)?,
                _ => {
                    let value = self.values.value(rep)?;
                    self.layer.metadata.insert(name, value);
                }
            }
        }
        if let Some(Value::Reaches(layers)) = self.layer.metadata.get_mut("subLayers") {
            for (layer, clock) in Arc::make_mut(layers).iter_mut().zip(offsets) {
                layer.clock = clock;
            }
        }
        Ok(())
    }

    fn prim(&mut self, name: &Arc<str>, spec: usize, parent: usize) -> Result<usize> {
        let mut prim = Prim {
            name: name.clone(),
            ..Prim::default()
        };
        let mut order = None;
        for (name, rep) in self.fields(spec)? {
            if let "references" | "payload" | "inheritPaths" | "specializes" = &*name {
                let found = self.values.reaches(rep)?;
                let name = if &*name == "inheritPaths" {
                    "inherits".into()
                } else {
                    name
                };
                prim.metadata.insert(name, found);
                continue;
            }
            let value = self.values.value(rep)?;
            match &*name {
                "specifier" => {
                    prim.specifier = match value.number() {
                        Some(0.0) => Specifier::Def,
                        Some(2.0) => Specifier::Class,
                        _ => Specifier::Over,
                    };
                }
                "typeName" => prim.type_name = value.as_text().unwrap_or_default().into(),
                "primChildren" => order = Some(value),
                _ => {
                    prim.metadata.insert(name, value);
                }
            }
        }
        let place = self.layer.add(parent, prim, || format!("spec {spec}"))?;
        self.orders.extend(order.map(|order| (place, order)));
        Ok(place)
    }

    fn property(
        &mut self,
        name: &Arc<str>,
        spec: usize,
        prim: usize,
        is_relationship: bool,
    ) -> Result<()> {
        let mut property = Property::default();
        for (name, rep) in self.fields(spec)? {
            match &*name {
                "typeName" => {
                    let value = self.values.value(rep)?;
                    property.type_name = value.as_text().unwrap_or_default().into();
                }
                "default" => property.default = Some(self.values.value(rep)?),
                "timeSamples" => {
                    let samples = self.values.samples(rep)?;
                    property.samples = samples.ok_or_else(|| {
                        Error::format(format!("spec {spec}"), "samples at times", "another value")
                    })?;
                }
                "targetPaths" if is_relationship => property.targets = self.values.targets(rep)?,
                "spline" => self.layer.leave_out("splines", prim),
                _ => {
                    let value = self.values.value(rep)?;
                    property.metadata.insert(name, value);
                }
            }
        }
        self.layer.prims[prim]
            .properties
            .insert(name.clone(), property);
        Ok(())
    }

    /// Children stand in the file as the table of paths has them; their order is a field.
    fn order_children(&mut self) {
        for (prim, order) in std::mem::take(&mut self.orders) {
            let Value::Texts(names) = order else { continue };
            let mut rank: HashMap<&str, usize> = HashMap::new();
            for (at, name) in names.iter().enumerate() {
                rank.entry(name).or_insert(at);
            }
            let mut children = std::mem::take(&mut self.layer.prims[prim].children);
            children.sort_by_key(|&child| {
                let name = &*self.layer.prims[child].name;
                rank.get(name).copied().unwrap_or(usize::MAX)
            });
            self.layer.prims[prim].children = children;
        }
    }
}
