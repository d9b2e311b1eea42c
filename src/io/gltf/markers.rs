//! Recorded markers, as Momentum keeps them: nodes of type `marker` whose animation has a key for each frame
//! in which the marker was seen. Files that we wrote have the exact samples beside the keys.

use super::accessor::Data;
use super::animation::{self, Property};
use super::nodes::{self, Node};
use super::{container, mesh, momentum, own};
use crate::character::{Marker, MarkerSequence, Unit};
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
    let animations = animation::read_all(&root, &data, &nodes, n_targets, &mut warnings)?;
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
        let item = items
            .get(at)
            .and_then(|item| item.get("extensions")?.get(own::NAME)?.get("markers"));
        sequences.extend(file.sequence(animation, item)?);
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

struct File<'f, 'a> {
    data: &'f Data<'a>,
    nodes: &'f [Node<'a>],
    fps: f64,
    unit: Unit,
    source: &'f Source<'f>,
}

impl File<'_, '_> {
    fn sequence(
        &self,
        animation: &animation::Animation,
        own: Option<Item<'_>>,
    ) -> Result<Option<MarkerSequence>> {
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
        let mut fps = self.fps;
        let mut unit = Unit::Meter;
        let mut name = String::new();
        let mut n_frames = 0;
        if let Some(own) = &own {
            fps = own.need("fps")?.number()?;
            n_frames = own.need("frames")?.integer()?;
            own.need("name")?.str()?.clone_into(&mut name);
            let word = own.need("unit")?;
            unit = Unit::parse(word.str()?).map_err(|_| word.wrong("m, cm or mm"))?;
        }
        if !(fps > 0.0 && fps.is_finite()) {
            return Err(Error::format(
                "extensions.FB_momentum.fps",
                "a positive number",
                fps,
            ));
        }
        let mut seen: Vec<(usize, Marker)> = Vec::new();
        let listed = own
            .as_ref()
            .map(|own| own.need("nodes")?.items())
            .transpose()?;
        let listed = listed.unwrap_or_default();
        for (at, place) in listed.iter().enumerate() {
            self.source.progress.at(at, listed.len())?;
            let node = &self.nodes[place.index("nodes", self.nodes.len())?];
            if let Some(item) = node.extension(own::NAME) {
                self.exact(node, &item, unit, &mut seen)?;
            }
        }
        if own.is_none() {
            for (at, channel) in moved.iter().enumerate() {
                self.source.progress.at(at, moved.len())?;
                self.keys(&self.nodes[channel.node], channel, fps, &mut seen)?;
            }
        }
        let last = seen.iter().map(|(frame, _)| frame + 1).max().unwrap_or(0);
        n_frames = n_frames.max(last);
        if n_frames > MAX_FRAMES {
            return Err(Error::format(
                "animations",
                format!("at most {MAX_FRAMES} frames"),
                n_frames,
            ));
        }
        self.data
            .charge("the frames of the markers", 6 * n_frames)?;
        let mut frames: Vec<Vec<Marker>> = vec![Vec::new(); n_frames];
        for (frame, marker) in seen {
            frames[frame].push(marker);
        }
        Ok(Some(MarkerSequence { name, frames, fps }))
    }

    /// What Momentum stores: keys, and a confidence for each of them.
    fn keys(
        &self,
        node: &Node<'_>,
        channel: &animation::Channel,
        fps: f64,
        seen: &mut Vec<(usize, Marker)>,
    ) -> Result<()> {
        let confidence = match momentum::kind(node).and_then(|(_, item)| item.get("confidence")) {
            Some(list) => list.number_list()?,
            None => Vec::new(),
        };
        let to_unit = self.unit.per_meter();
        let count = channel.curve.times().len();
        self.data.charge(&node.item.path, count * 20)?;
        for (key, &time) in channel.curve.times().iter().enumerate() {
            let frame = (f64::from(time) * fps).round();
            if !(0.0..MAX_FRAMES as f64).contains(&frame) {
                return Err(Error::format(
                    &node.item.path,
                    format!("keys in frames 0 to {MAX_FRAMES}"),
                    format!("frame {frame}"),
                ));
            }
            let [x, y, z] = [0, 1, 2].map(|axis| f64::from(channel.curve.key(key)[axis]) * to_unit);
            let marker = Marker {
                name: node.name.clone(),
                pos: [x, y, z],
                occluded: false,
                confidence: confidence.get(key).copied().unwrap_or(1.0),
            };
            seen.push((frame as usize, marker));
        }
        Ok(())
    }

    /// What we store.
    fn exact(
        &self,
        node: &Node<'_>,
        item: &Item<'_>,
        unit: Unit,
        seen: &mut Vec<(usize, Marker)>,
    ) -> Result<()> {
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
        self.data.charge(&node.item.path, frames.len() * 20)?;
        for (frame, sample) in frames.into_iter().zip(samples.as_chunks::<5>().0) {
            let [x, y, z, confidence, occluded] = *sample;
            let marker = Marker {
                name: node.name.clone(),
                pos: [x, y, z].map(|x| if factor == 1.0 { x } else { x * factor }),
                occluded: occluded != 0.0,
                confidence,
            };
            seen.push((frame as usize, marker));
        }
        Ok(())
    }
}
