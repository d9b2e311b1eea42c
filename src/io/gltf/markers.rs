//! Recorded markers, as Momentum keeps them: nodes of type `marker` whose animation has a key for each frame
//! in which the marker was seen. Files that we wrote have the exact samples beside the keys.

use super::accessor::Data;
use super::animation::{self, Property};
use super::nodes::{self, Node};
use super::{container, mesh, momentum, own};
use crate::character::{MarkerSequence, MarkerSequenceParts, Unit};
use crate::error::{Error, Result};
use crate::io::json::Item;
use crate::io::{LoadOptions, Loaded, Markers, Source, Up};

/// More than a day at a thousand frames a second.
const MAX_FRAMES: usize = 1 << 27;

/// Reads the markers in a file: a sequence for each animation that moves any.
///
/// # Errors
/// [`Error::Format`] naming the place, what the format asks for and what is there; also where the file has no
/// markers.
pub fn load_markers(source: &Source<'_>, options: &LoadOptions) -> Result<Loaded<Markers>> {
    let container = container::split(source.bytes())?;
    let root = Item::new(&container.root, "").object()?;
    let buffers = container::buffers(&root, container.binary, source)?;
    let data = Data::new(&root, buffers)?;
    let meshes = mesh::read_all(&root)?;
    let nodes = nodes::read(&root, meshes.len(), root.list("skins")?.len())?;
    let mut warnings = Vec::new();
    let n_targets = |node: usize| nodes[node].mesh.map_or(0, |mesh| meshes[mesh].n_targets);
    let animations = animation::read_all(&root, &data, &nodes, n_targets, true, &mut warnings)?;
    let fps = root
        .get("extensions")
        .and_then(|extensions| extensions.get(momentum::NAME)?.get("fps"))
        .map_or(Ok(0.0), |fps| fps.number())?;
    let file = File {
        data: &data,
        nodes: &nodes,
        fps,
        unit: options.unit,
        source,
    };
    let mut sequences = Vec::new();
    for (at, animation) in animations.iter().enumerate() {
        let items = root.list("animations")?;
        let own = items
            .get(at)
            .and_then(|item| item.get("extensions")?.get(own::NAME));
        match own {
            Some(own) => {
                for item in own.list("markers")? {
                    sequences.push(file.exact_sequence(&item)?);
                }
            }
            None => sequences.extend(file.sequence(animation)?),
        }
    }
    if sequences.is_empty() {
        return Err(Error::format(
            "nodes",
            "markers, as nodes of type 'marker' in FB_momentum",
            "none that an animation moves",
        ));
    }
    Ok(Loaded {
        value: Markers {
            sequences,
            unit: options.unit,
        },
        up: Up::Y,
        warnings,
    })
}

fn check_fps(fps: f64) -> Result<()> {
    if fps > 0.0 && fps.is_finite() {
        return Ok(());
    }
    Err(Error::format(
        "the rate of the markers",
        "a positive number",
        fps,
    ))
}

struct File<'f, 'a> {
    data: &'f Data<'a>,
    nodes: &'f [Node<'a>],
    fps: f64,
    unit: Unit,
    source: &'f Source<'f>,
}

impl File<'_, '_> {
    /// A sequence that Momentum stored.
    fn sequence(&self, animation: &animation::Animation) -> Result<Option<MarkerSequence>> {
        let is_marker = |node: usize| {
            let kind = momentum::kind(&self.nodes[node]);
            kind.is_some_and(|(kind, _)| kind == "marker")
        };
        let moved = animation
            .channels
            .iter()
            .filter(|channel| channel.property == Property::Translation && is_marker(channel.node));
        let moved: Vec<_> = moved.collect();
        if moved.is_empty() {
            return Ok(None);
        }
        check_fps(self.fps)?;
        let mut columns = Vec::with_capacity(moved.len());
        for (at, channel) in moved.iter().enumerate() {
            self.source.progress.at(at, moved.len())?;
            let node = &self.nodes[channel.node];
            columns.push((node.name.clone(), self.keys(node, channel)?));
        }
        Ok(Some(self.table(String::new(), self.fps, columns, 0)?))
    }

    /// A sequence that we stored.
    fn exact_sequence(&self, item: &Item<'_>) -> Result<MarkerSequence> {
        let fps = item.need("fps")?.number()?;
        check_fps(fps)?;
        let word = item.need("unit")?;
        let unit = Unit::parse(word.str()?).map_err(|_| word.wrong("m, cm or mm"))?;
        let places = item.list("nodes")?;
        let mut columns = Vec::new();
        for (at, place) in places.iter().enumerate() {
            self.source.progress.at(at, places.len())?;
            let node = &self.nodes[place.index("nodes", self.nodes.len())?];
            if let Some(item) = node.extension(own::NAME) {
                columns.push((node.name.clone(), self.exact(node, &item, unit)?));
            }
        }
        let name = item.need("name")?.str()?.to_owned();
        self.table(name, fps, columns, item.need("frames")?.integer()?)
    }

    /// Markers through all frames, of which there are at least so many; hidden in those that do not list them.
    fn table(
        &self,
        name: String,
        fps: f64,
        columns: Vec<(String, Vec<Seen>)>,
        least: usize,
    ) -> Result<MarkerSequence> {
        let seen = columns.iter().flat_map(|(_, column)| column);
        let last = seen.map(|seen| seen.frame + 1).max().unwrap_or(0);
        let n_frames = least.max(last);
        if n_frames > MAX_FRAMES {
            return Err(Error::format(
                "animations",
                format!("at most {MAX_FRAMES} frames"),
                n_frames,
            ));
        }
        let size = n_frames.saturating_mul(columns.len());
        self.data
            .charge("the frames of the markers", size.saturating_mul(5))?;
        let mut parts = MarkerSequenceParts {
            name,
            fps,
            n_frames,
            positions: vec![[0.0; 3]; size],
            occluded: vec![true; size],
            confidence: vec![1.0; size],
            ..MarkerSequenceParts::default()
        };
        let n_markers = columns.len();
        for (at, (name, column)) in columns.into_iter().enumerate() {
            parts.marker_names.push(name);
            for seen in column {
                let cell = seen.frame * n_markers + at;
                parts.positions[cell] = seen.pos;
                parts.occluded[cell] = seen.occluded;
                parts.confidence[cell] = seen.confidence;
            }
        }
        MarkerSequence::new(parts)
    }

    /// What Momentum stores: keys, and a confidence for each of them.
    fn keys(&self, node: &Node<'_>, channel: &animation::Channel) -> Result<Vec<Seen>> {
        let Some(curve) = &channel.curve else {
            return Ok(Vec::new());
        };
        let confidence = match momentum::kind(node).and_then(|(_, item)| item.get("confidence")) {
            Some(list) => list.number_list()?,
            None => Vec::new(),
        };
        let to_unit = self.unit.per_meter();
        let times = curve.times();
        self.data.charge(&node.item.path, times.len() * 10)?;
        let key = |(key, &time): (usize, &f32)| {
            let frame = (f64::from(time) * self.fps).round();
            if !(0.0..MAX_FRAMES as f64).contains(&frame) {
                return Err(Error::format(
                    &node.item.path,
                    format!("keys in frames 0 to {MAX_FRAMES}"),
                    format!("frame {frame}"),
                ));
            }
            Ok(Seen {
                frame: frame as usize,
                pos: [0, 1, 2].map(|axis| f64::from(curve.key(key)[axis]) * to_unit),
                occluded: false,
                confidence: confidence.get(key).copied().unwrap_or(1.0),
            })
        };
        times.iter().enumerate().map(key).collect()
    }

    /// What we store.
    fn exact(&self, node: &Node<'_>, item: &Item<'_>, unit: Unit) -> Result<Vec<Seen>> {
        let frames = own::integers(self.data, &item.need("frames")?)?;
        let place = item.need("samples")?;
        let samples = own::doubles(self.data, &place)?;
        if Some(samples.len()) != frames.len().checked_mul(5) {
            return Err(Error::format(
                &place.path,
                format!("five numbers for each of {} frames", frames.len()),
                samples.len(),
            ));
        }
        let factor = self.unit.per_meter() / unit.per_meter();
        self.data.charge(&node.item.path, frames.len() * 10)?;
        let seen = |(frame, &[x, y, z, confidence, occluded]): (u32, &[f64; 5])| Seen {
            frame: frame as usize,
            pos: [x, y, z].map(|x| if factor == 1.0 { x } else { x * factor }),
            occluded: occluded != 0.0,
            confidence,
        };
        let samples = samples.as_chunks::<5>().0;
        Ok(frames.into_iter().zip(samples).map(seen).collect())
    }
}

/// A marker in one frame.
struct Seen {
    frame: usize,
    pos: [f64; 3],
    occluded: bool,
    confidence: f64,
}
