//! Motion: model parameters for those who know them, and the same as transforms of nodes and morph weights
//! for everybody else.

use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;

use super::super::momentum::{CENTIMETERS, NAME as MOMENTUM};
use super::super::own::NAME as OWN;
use super::curves::Curves;
use super::document::Document;
use super::skeleton::Nodes;
use crate::character::{Character, PARAMETERS_PER_JOINT};
use crate::error::{Error, Result};

/// Numbers of either precision.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// Single precision.
    Single(&'a [f32]),
    /// Double precision.
    Double(&'a [f64]),
}

impl Values<'_> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn get(&self, at: usize) -> f64 {
        match self {
            Self::Single(values) => f64::from(values[at]),
            Self::Double(values) => values[at],
        }
    }

    fn single(&self, at: usize) -> f32 {
        match self {
            Self::Single(values) => values[at],
            Self::Double(values) => values[at] as f32,
        }
    }
}

/// Motion that is to be written.
#[derive(Debug, Clone, Copy)]
pub struct MotionToWrite<'a> {
    /// The parameters that `values` gives; the character's others are 0.
    pub names: &'a [String],
    /// `(n_frames, n_names)`, in the character's unit.
    pub values: Values<'a>,
    /// Whether single precision is all that there is to `values`, whatever they are kept in.
    pub is_single: bool,
    /// The joints that `offsets` are for.
    pub joint_names: &'a [String],
    /// `(n_joint_names, 7)` joint parameters that are added in every frame; may be empty.
    pub offsets: Values<'a>,
    /// Seconds of each frame; even from 0 where empty.
    pub times: &'a [f64],
    /// Microseconds of each frame by the clock of the recording; may be empty.
    pub timestamps: &'a [i64],
}

impl Default for MotionToWrite<'_> {
    fn default() -> Self {
        Self {
            names: &[],
            values: Values::Single(&[]),
            is_single: false,
            joint_names: &[],
            offsets: Values::Single(&[]),
            times: &[],
            timestamps: &[],
        }
    }
}

impl MotionToWrite<'_> {
    /// The number of frames.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.values.len().checked_div(self.names.len()).unwrap_or(0)
    }

    /// That everything is of the size that it has to be, and finite.
    pub(super) fn check(&self, fps: f64) -> Result<()> {
        check_fps(fps)?;
        let wrong = |what: &str, expected: String, got: usize| {
            Err(Error::shape(what, expected, format!("{got} numbers")))
        };
        let count = self.names.len();
        if count == 0 && !self.values.is_empty() || !self.values.len().is_multiple_of(count.max(1))
        {
            return wrong("motion", format!("(n_frames, {count})"), self.values.len());
        }
        let rows = PARAMETERS_PER_JOINT * self.joint_names.len();
        if self.offsets.len() != rows {
            return wrong(
                "offsets",
                format!("({rows},) = (7 * n_joints,)"),
                self.offsets.len(),
            );
        }
        for (what, count) in [
            ("times", self.times.len()),
            ("timestamps", self.timestamps.len()),
        ] {
            if count != 0 && count != self.n_frames() {
                return wrong(what, format!("({},) = (n_frames,)", self.n_frames()), count);
            }
        }
        for (what, values) in [("motion", &self.values), ("offsets", &self.offsets)] {
            let bad = match values {
                Values::Single(values) => values.iter().position(|x| !x.is_finite()),
                Values::Double(values) => values.iter().position(|x| !(*x as f32).is_finite()),
            };
            if let Some(at) = bad {
                return Err(Error::value(
                    what,
                    format!("number {at} is not finite in single precision, as glTF asks"),
                ));
            }
        }
        Ok(())
    }
}

/// Refuses rates that are none.
pub(super) fn check_fps(fps: f64) -> Result<()> {
    if fps > 0.0 && fps.is_finite() {
        return Ok(());
    }
    Err(Error::value(
        "fps",
        format!("expected more than 0, got {fps}"),
    ))
}

/// The times of frames as an accessor; they have to increase.
pub(super) fn times(
    document: &mut Document,
    fps: f64,
    given: &[f64],
    n_frames: usize,
) -> Result<usize> {
    let times: Vec<f32> = match given {
        [] => (0..n_frames)
            .map(|frame| (frame as f64 / fps) as f32)
            .collect(),
        given => given.iter().map(|&time| time as f32).collect(),
    };
    let increase = times.windows(2).all(|pair| pair[0] < pair[1]);
    if !increase || times.iter().any(|time| !time.is_finite()) {
        return Err(Error::value(
            "times",
            "frames have to follow each other, also in single precision, as glTF keeps them",
        ));
    }
    Ok(document.bounded(&times, "SCALAR", None))
}

/// Puts the parameters themselves into the document.
pub(super) fn store(
    document: &mut Document,
    character: &Character,
    nodes: &Nodes,
    fps: f64,
    motion: &MotionToWrite<'_>,
) {
    let per_centimeter = character.unit.per_meter() / CENTIMETERS;
    let columns = columns(character, motion.names);
    let lengths = character.parameter_transform.length_parameters();
    let is_length: Vec<bool> = columns
        .iter()
        .map(|column| column.is_some_and(|column| lengths[column]))
        .collect();
    let scaled = |value: f64| (value / per_centimeter) as f32;
    let mut stored = json!({"nframes": motion.n_frames()});
    let mut own = json!({});
    if motion.n_frames() > 0 {
        let count = motion.names.len();
        let mut poses: Vec<f32> = match motion.values {
            Values::Single(values) => values.to_vec(),
            Values::Double(values) => values.par_iter().map(|&x| x as f32).collect(),
        };
        if per_centimeter != 1.0 {
            let rows = poses.par_chunks_exact_mut(count).enumerate();
            rows.for_each(|(frame, row)| {
                for (at, value) in row.iter_mut().enumerate().filter(|(at, _)| is_length[*at]) {
                    *value = scaled(motion.values.get(frame * count + at));
                }
            });
        }
        stored["parameterNames"] = json!(motion.names);
        stored["poses"] = document.floats(&poses, "SCALAR", None).into();
        exact_columns(document, motion, &is_length, per_centimeter, &mut own);
    }
    if !motion.offsets.is_empty() {
        let offset = |at: usize| match at % PARAMETERS_PER_JOINT < 3 && per_centimeter != 1.0 {
            true => scaled(motion.offsets.get(at)),
            false => motion.offsets.single(at),
        };
        let offsets: Vec<f32> = (0..motion.offsets.len()).map(offset).collect();
        stored["jointNames"] = json!(motion.joint_names);
        stored["offsets"] = document.floats(&offsets, "SCALAR", None).into();
        let whole: Vec<f64> = (0..motion.offsets.len())
            .map(|at| motion.offsets.get(at))
            .collect();
        own["offsets"] = json!({"view": document.view(&whole, None), "type": "f64"});
    }
    if !motion.timestamps.is_empty() {
        stored["timestamps"] = json!(motion.timestamps);
    }
    let is_even = |(frame, &time): (usize, &f64)| time == frame as f64 / fps;
    if !motion.times.iter().enumerate().all(is_even) {
        own["times"] = json!({"view": document.view(motion.times, None), "type": "f64"});
    }
    document.extensions_used.insert(MOMENTUM);
    document
        .extensions
        .entry(MOMENTUM)
        .or_insert_with(|| json!({}))["motion"] = stored;
    let block = &mut document.nodes[nodes.root]["extensions"][OWN];
    block["motion"] = own;
}

/// The columns that the stored poses hold rounded: lengths, which are in centimetres there, and doubles.
fn exact_columns(
    document: &mut Document,
    motion: &MotionToWrite<'_>,
    is_length: &[bool],
    per_centimeter: f64,
    own: &mut Value,
) {
    let count = motion.names.len();
    let is_double = matches!(motion.values, Values::Double(_)) && !motion.is_single;
    let rounded = |column: usize| match motion.values {
        Values::Double(values) if is_double || is_length[column] => {
            let mut column = values.iter().skip(column).step_by(count);
            column.any(|&x| f64::from(x as f32).to_bits() != x.to_bits())
        }
        _ => false,
    };
    let chosen: Vec<usize> = (0..count)
        .filter(|&column| is_length[column] && per_centimeter != 1.0 || rounded(column))
        .collect();
    // What doubles are is kept, also where singles would have done.
    if is_double {
        own["double"] = true.into();
    }
    if chosen.is_empty() {
        return;
    }
    let places =
        (0..motion.n_frames()).flat_map(|frame| chosen.iter().map(move |at| frame * count + at));
    let view = match motion.values {
        Values::Single(values) => {
            let values: Vec<f32> = places.map(|at| values[at]).collect();
            json!({"view": document.view(&values, None), "type": "f32"})
        }
        Values::Double(values) => {
            let values: Vec<f64> = places.map(|at| values[at]).collect();
            json!({"view": document.view(&values, None), "type": "f64"})
        }
    };
    own["columns"] = json!(chosen);
    own["values"] = view;
}

/// The character's parameter that each name is.
pub(super) fn columns(character: &Character, names: &[String]) -> Vec<Option<usize>> {
    let known = character.parameter_transform.names().iter().enumerate();
    let known: HashMap<&str, usize> = known.map(|(at, name)| (name.as_str(), at)).collect();
    names
        .iter()
        .map(|name| known.get(name.as_str()).copied())
        .collect()
}

/// Morph weights of each frame; empty where no parameter is one.
pub(super) fn morph_weights(
    character: &Character,
    motion: &MotionToWrite<'_>,
    n_shapes: usize,
) -> Vec<f32> {
    let columns = columns(character, motion.names);
    let coefficients = character.parameter_transform.blend_shape_columns();
    let places: Vec<Option<usize>> = (0..n_shapes)
        .map(|shape| {
            let column = coefficients.get(shape).copied().flatten()?;
            columns.iter().position(|&own| own == Some(column))
        })
        .collect();
    if places.iter().all(Option::is_none) {
        return Vec::new();
    }
    let count = motion.names.len();
    (0..motion.n_frames())
        .flat_map(|frame| {
            let weight = move |place: &Option<usize>| place.map(|at| frame * count + at);
            places.iter().map(weight)
        })
        .map(|at| at.map_or(0.0, |at| motion.values.single(at)))
        .collect()
}

/// An animation while its channels are gathered.
pub(super) struct Animation {
    name: String,
    input: usize,
    channels: Vec<Value>,
    samplers: Vec<Value>,
}

impl Animation {
    pub fn new(name: &str, input: usize) -> Self {
        Self {
            name: name.to_owned(),
            input,
            channels: Vec::new(),
            samplers: Vec::new(),
        }
    }

    /// A channel over `values`, which lie in pieces, at other times than the animation's where `input` is given.
    pub fn channel(
        &mut self,
        document: &mut Document,
        node: usize,
        path: &str,
        values: &[impl AsRef<[f32]>],
        input: Option<usize>,
    ) {
        if values.iter().all(|piece| piece.as_ref().is_empty()) {
            return;
        }
        let kind = match path {
            "rotation" => "VEC4",
            "weights" => "SCALAR",
            _ => "VEC3",
        };
        let output = document.floats_in_pieces(values, kind);
        self.channels.push(json!({
            "sampler": self.samplers.len(), "target": {"node": node, "path": path},
        }));
        self.samplers.push(json!({
            "input": input.unwrap_or(self.input), "output": output,
            "interpolation": if input.is_some() { "STEP" } else { "LINEAR" },
        }));
    }

    /// The channels of joints.
    pub fn joints(&mut self, document: &mut Document, nodes: &[usize], curves: &[Curves]) {
        document.reserve(curves.iter().map(|curves| 4 * curves.len() + 32).sum());
        for (&node, curves) in nodes.iter().zip(curves) {
            self.channel(document, node, "translation", &curves.translation, None);
            self.channel(document, node, "rotation", &curves.rotation, None);
            self.channel(document, node, "scale", &curves.scale, None);
        }
    }

    /// Puts it into the document: into the animation of its name where `joins` and there is one, else as
    /// another one; nothing where it has no channels. `markers` says what its markers are.
    pub fn finish(self, document: &mut Document, joins: bool, markers: Option<Value>) {
        if self.channels.is_empty() {
            return;
        }
        let same = |animation: &Value| {
            animation
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default()
                == self.name
        };
        let known = document.animations.iter().position(same).filter(|_| joins);
        let at = known.unwrap_or_else(|| {
            let mut animation = json!({"channels": [], "samplers": []});
            if !self.name.is_empty() {
                animation["name"] = json!(self.name);
            }
            document.animations.push(animation);
            document.animations.len() - 1
        });
        let animation = &mut document.animations[at];
        let first = animation["samplers"].as_array().map_or(0, Vec::len);
        for (key, list) in [("channels", self.channels), ("samplers", self.samplers)] {
            for mut value in list {
                if let Some(sampler) = value.get("sampler").and_then(Value::as_u64) {
                    value["sampler"] = json!(sampler as usize + first);
                }
                if let Some(all) = animation[key].as_array_mut() {
                    all.push(value);
                }
            }
        }
        if let Some(markers) = markers {
            document.extensions_used.insert(OWN);
            let all = &mut animation["extensions"][OWN]["markers"];
            match all.as_array_mut() {
                Some(all) => all.push(markers),
                None => *all = json!([markers]),
            }
        }
    }
}
