//! One layer of several: what a layer brings in from layers beside it, or from its own prims, is laid out
//! where it is brought in. What a layer says itself is stronger; it keeps what it says.
//!
//! * `paths`: of prims and files
//! * `files`: the layers that may be brought in
//! * `merge`: what one layer says about a prim, added to what stronger ones said
//!
//! In the order of USD: the layer and its sublayers, inherited prims, references, payloads, specialized
//! prims; of two such on prims one below the other, the one below is stronger. Variants are not followed.

mod files;
mod merge;
mod paths;

use std::sync::Arc;

use super::layer::Layer;
use super::value::{Budget, Reach, Value};
use crate::error::Result;
use crate::io::Progress;
pub(super) use files::Files;
use files::Library;
use paths::{Map, absolute, folder, joined};

/// What brings in prims, the weakest first.
const ARCS: [&str; 4] = ["specializes", "payload", "references", "inherits"];

/// How many such may follow one another.
const DEEPEST: usize = 32;

/// Where a layer that is laid out comes from, and where to.
#[derive(Clone)]
struct Origin {
    layer: Arc<Layer>,
    /// Its path from the folder of the first one, and the layer whose sublayer it is.
    path: Arc<str>,
    stack: Arc<(Arc<Layer>, Arc<str>)>,
    map: Arc<Map>,
    /// From its time codes to those of the first layer: an offset and a factor.
    clock: [f64; 2],
    depth: usize,
}

/// Something that is to be brought in.
struct Task {
    origin: Origin,
    arc: &'static str,
    reach: Reach,
    /// The prim that asks for it, in its own layer and in the whole.
    asking: String,
    to: usize,
}

struct Composer<'a> {
    library: Library<'a>,
    whole: Layer,
    budget: Budget,
    /// The last one is the strongest.
    tasks: Vec<Task>,
}

/// The layer with all that it brings in, and the bytes of all files read.
///
/// # Errors
/// [`crate::Error::Format`] where prims bring in one another without end. What can not be read is noted
/// in the layer.
pub(super) fn composed(
    first: Layer,
    path: &str,
    files: &Files<'_>,
    size: usize,
    progress: Progress<'_>,
) -> Result<(Layer, usize)> {
    let is_arc = |key: &str| ARCS.contains(&key) || key == "subLayers";
    let brings_in = |fields: &super::layer::Fields| fields.keys().any(|key| is_arc(key));
    let is_single =
        !brings_in(&first.metadata) && !first.prims.iter().any(|prim| brings_in(&prim.metadata));
    if is_single {
        return Ok((first, size));
    }
    let mut whole = Layer::default();
    whole.metadata = first.metadata.clone();
    whole.metadata.remove("subLayers");
    let (layer, path): (_, Arc<str>) = (Arc::new(first), path.into());
    let origin = Origin {
        stack: Arc::new((layer.clone(), path.clone())),
        layer,
        path,
        map: Arc::new(Map(vec![("/".into(), "/".into())])),
        clock: [0.0, 1.0],
        depth: 0,
    };
    let mut composer = Composer {
        library: Library::new(files, size, progress),
        whole,
        budget: Budget::new(size),
        tasks: Vec::new(),
    };
    composer.lay(&origin, "/", 0)?;
    let mut done = 0_usize;
    while let Some(task) = composer.tasks.pop() {
        progress.at(done, done + composer.tasks.len() + 1)?;
        done += 1;
        composer.follow(task)?;
    }
    Ok((composer.whole, composer.library.size))
}

impl Composer<'_> {
    /// Lays out what a layer says about a prim and all below it, if anything, and notes what that brings in.
    fn lay(&mut self, origin: &Origin, path: &str, to: usize) -> Result<bool> {
        let found = origin.layer.find(0, path);
        if let Some(from) = found {
            let asking = self.merge(origin, from, to)?;
            for (from, to) in asking {
                let place = origin.layer.whole_path(from);
                for arc in ARCS {
                    match origin.layer.prims[from].metadata.get(arc) {
                        Some(Value::Reaches(reaches)) => {
                            self.ask(origin, arc, reaches, &place, to)?;
                        }
                        Some(Value::Blocked) | None => {}
                        Some(_) => self.note(arc, &place, "it is not understood"),
                    }
                }
            }
        }
        if let Some(Value::Reaches(layers)) = origin.layer.metadata.get("subLayers") {
            self.ask(origin, "subLayers", layers, path, to)?;
        }
        Ok(found.is_some())
    }

    fn ask(
        &mut self,
        origin: &Origin,
        arc: &'static str,
        reaches: &[Reach],
        asking: &str,
        to: usize,
    ) -> Result<()> {
        for reach in reaches.iter().rev() {
            self.budget
                .charge(|| asking.to_owned(), 256 + asking.len(), 1)?;
            self.tasks.push(Task {
                origin: origin.clone(),
                arc,
                reach: reach.clone(),
                asking: asking.to_owned(),
                to,
            });
        }
        Ok(())
    }

    fn follow(&mut self, task: Task) -> Result<()> {
        let Task {
            origin,
            arc,
            reach,
            asking,
            to,
        } = task;
        let [offset, scale] = reach.clock;
        if !(offset.is_finite() && scale.is_finite() && scale > 0.0) {
            self.note(arc, &asking, "its clock runs backwards");
            return Ok(());
        }
        if origin.depth >= DEEPEST {
            self.note(arc, &asking, "it is brought in by too many others");
            return Ok(());
        }
        let mut next = Origin {
            depth: origin.depth + 1,
            ..origin.clone()
        };
        if !reach.asset.is_empty() {
            let path = joined(folder(&origin.path), &reach.asset);
            let before = self.library.size;
            let opened = self.library.layer(&path)?;
            self.budget.grow(self.library.size - before);
            match opened {
                Ok(layer) => next.layer = layer,
                Err(reason) => {
                    self.note(arc, &asking, &reason);
                    return Ok(());
                }
            }
            next.path = path.into();
            // Layers with other clocks keep their seconds.
            let ratio = codes_per_second(&origin.layer) / codes_per_second(&next.layer);
            next.clock = [
                origin.clock[0] + origin.clock[1] * offset,
                origin.clock[1] * scale * ratio,
            ];
        }
        if arc == "subLayers" {
            self.lay(&next, &asking, to)?;
            return Ok(());
        }
        if reach.asset.is_empty() {
            // Of the layer whose sublayer this may be.
            (next.layer, next.path) = (origin.stack.0.clone(), origin.stack.1.clone());
        } else {
            next.stack = Arc::new((next.layer.clone(), next.path.clone()));
        }
        let path = match (&*reach.prim, next.layer.metadata.get("defaultPrim")) {
            ("", Some(name)) => absolute("/", name.as_text().unwrap_or_default()),
            ("", None) => {
                self.note(arc, &asking, "the layer names no default prim");
                return Ok(());
            }
            (path, _) => absolute(&asking, path),
        };
        let mut pairs = vec![(path.clone(), self.whole.whole_path(to))];
        if reach.asset.is_empty() {
            pairs.extend(origin.map.0.iter().cloned());
        }
        let length: usize = pairs
            .iter()
            .map(|(from, to)| from.len() + to.len() + 64)
            .sum();
        self.budget.charge(|| asking.clone(), length, 1)?;
        next.map = Arc::new(Map(pairs));
        let has_more = next.layer.metadata.contains_key("subLayers");
        if !self.lay(&next, &path, to)? && !has_more {
            self.note(
                arc,
                &asking,
                &format!("there is no prim {}", crate::io::source::shortened(&path)),
            );
        }
        Ok(())
    }

    /// Notes that something is not brought in.
    fn note(&mut self, arc: &'static str, asking: &str, reason: &str) {
        let asking = crate::io::source::shortened(asking);
        let first = || (format!("of {asking} ({reason})"), 0);
        let known = self.whole.not_followed.entry(arc);
        known
            .and_modify(|(_, more)| *more += 1)
            .or_insert_with(first);
    }
}

/// Time codes a second of a layer.
fn codes_per_second(layer: &Layer) -> f64 {
    let said = |name: &str| layer.metadata.get(name).and_then(Value::number);
    let said = said("timeCodesPerSecond").or_else(|| said("framesPerSecond"));
    said.filter(|&x| x > 0.0 && x.is_finite()).unwrap_or(24.0)
}
