//! The animations of a file: keyframes of nodes and of morph weights.

use nalgebra::{Quaternion, UnitQuaternion};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::accessor::Data;
use super::nodes::Node;
use crate::error::{Error, Result};
use crate::io::json::Item;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Interpolation {
    Step,
    Linear,
    Cubic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Property {
    Translation,
    Rotation,
    Scale,
    Weights,
}

/// The keys around a time, and how far it is from the first to the second, in 0 to 1.
pub(super) type Span = (usize, usize, f64);

/// Values over time.
#[derive(Debug)]
pub(super) struct Curve {
    interpolation: Interpolation,
    /// One list for all curves that have the same.
    times: Arc<[f32]>,
    /// `(keys, width)`, or `(keys, in-tangent value out-tangent, width)`.
    values: Vec<f32>,
    width: usize,
}

/// A curve and what it moves.
pub(super) struct Channel {
    pub node: usize,
    pub property: Property,
    /// None where only the targets are asked for.
    pub curve: Option<Arc<Curve>>,
}

/// An animation of the file.
pub(super) struct Animation {
    pub name: String,
    pub channels: Vec<Channel>,
}

impl Curve {
    pub fn times(&self) -> &[f32] {
        &self.times
    }

    fn is_cubic(&self) -> bool {
        self.interpolation == Interpolation::Cubic
    }

    /// The value of a key.
    pub fn key(&self, key: usize) -> &[f32] {
        self.part(key, usize::from(self.is_cubic()))
    }

    /// In-tangent, value or out-tangent of a key.
    fn part(&self, key: usize, part: usize) -> &[f32] {
        let parts = if self.is_cubic() { 3 } else { 1 };
        &self.values[(key * parts + part) * self.width..][..self.width]
    }

    /// The keys around a time, and how far it is from the first to the second, in 0 to 1.
    pub fn span(&self, time: f64) -> Span {
        let after = self.times.partition_point(|&key| f64::from(key) <= time);
        if after == 0 {
            return (0, 0, 0.0);
        }
        if after == self.times.len() {
            return (after - 1, after - 1, 0.0);
        }
        let (start, end) = (
            f64::from(self.times[after - 1]),
            f64::from(self.times[after]),
        );
        (after - 1, after, (time - start) / (end - start))
    }

    /// The same, taken from `known` where that is of the same keys.
    pub fn span_from(&self, time: f64, known: &mut Option<(*const f32, Span)>) -> Span {
        let keys = self.times.as_ptr();
        match known {
            Some((of, span)) if *of == keys => *span,
            _ => {
                let span = self.span(time);
                *known = Some((keys, span));
                span
            }
        }
    }

    /// The value at a time; before the first key and after the last one it stays what it is there.
    pub fn at(&self, time: f64, out: &mut [f64]) {
        self.at_span(self.span(time), out);
    }

    /// The value between two keys.
    pub fn at_span(&self, (left, right, u): Span, out: &mut [f64]) {
        let (from, to) = (self.key(left), self.key(right));
        match self.interpolation {
            Interpolation::Cubic if left != right => {
                let step = f64::from(self.times[right]) - f64::from(self.times[left]);
                let (leave, arrive) = (self.part(left, 2), self.part(right, 0));
                let (u2, u3) = (u * u, u * u * u);
                for at in 0..self.width {
                    out[at] = (2.0 * u3 - 3.0 * u2 + 1.0) * f64::from(from[at])
                        + step * (u3 - 2.0 * u2 + u) * f64::from(leave[at])
                        + (3.0 * u2 - 2.0 * u3) * f64::from(to[at])
                        + step * (u3 - u2) * f64::from(arrive[at]);
                }
            }
            Interpolation::Linear => {
                for at in 0..self.width {
                    let (from, to) = (f64::from(from[at]), f64::from(to[at]));
                    out[at] = from + u * (to - from);
                }
            }
            _ => {
                for at in 0..self.width {
                    out[at] = f64::from(from[at]);
                }
            }
        }
    }

    /// The rotation at a time, along the shorter arc between keys.
    pub fn rotation_at(&self, (left, right, u): Span) -> UnitQuaternion<f64> {
        if self.interpolation != Interpolation::Linear {
            let mut xyzw = [0.0; 4];
            self.at_span((left, right, u), &mut xyzw);
            return quaternion(xyzw);
        }
        let of = |key: usize| quaternion(std::array::from_fn(|at| f64::from(self.key(key)[at])));
        let from = of(left);
        if u == 0.0 {
            return from;
        }
        slerp(&from, &of(right), u)
    }

    /// Whether the value is not the same at all keys.
    pub fn moves(&self) -> bool {
        self.is_cubic() || (1..self.times.len()).any(|key| self.key(key) != self.key(0))
    }
}

fn quaternion([x, y, z, w]: [f64; 4]) -> UnitQuaternion<f64> {
    UnitQuaternion::try_new(Quaternion::new(w, x, y, z), 1e-12)
        .unwrap_or_else(UnitQuaternion::identity)
}

fn slerp(from: &UnitQuaternion<f64>, to: &UnitQuaternion<f64>, u: f64) -> UnitQuaternion<f64> {
    let (a, mut b) = (from.coords, to.coords);
    let mut cosine = a.dot(&b);
    if cosine < 0.0 {
        b = -b;
        cosine = -cosine;
    }
    // The angle from its sine and cosine, exact for small ones as well.
    let angle = (b - a * cosine).norm().atan2(cosine);
    let sine = angle.sin();
    let mixed = if sine < 1e-12 {
        a * (1.0 - u) + b * u
    } else {
        a * (((1.0 - u) * angle).sin() / sine) + b * ((u * angle).sin() / sine)
    };
    UnitQuaternion::new_normalize(Quaternion::from_vector(mixed))
}

/// Reads all animations, without their curves where not `with_curves`; `n_targets` gives the number of morph
/// targets of a node's mesh.
pub(super) fn read_all(
    root: &Item<'_>,
    data: &Data<'_>,
    nodes: &[Node<'_>],
    n_targets: impl Fn(usize) -> usize,
    with_curves: bool,
    warnings: &mut Vec<String>,
) -> Result<Vec<Animation>> {
    let mut curves = Curves::default();
    let mut animations = Vec::new();
    for item in root.list("animations")? {
        let item = item.object()?;
        let name = item.get("name").map_or(Ok(""), |name| name.str())?;
        let samplers = item.need("samplers")?.items()?;
        let mut seen = HashSet::new();
        let mut channels = Vec::new();
        for channel in item.need("channels")?.items()? {
            let sampler = channel.need("sampler")?.index("samplers", samplers.len())?;
            let target = channel.need("target")?.object()?;
            let path = target.need("path")?;
            let property = match path.str()? {
                "translation" => Property::Translation,
                "rotation" => Property::Rotation,
                "scale" => Property::Scale,
                "weights" => Property::Weights,
                _ => {
                    warnings.push(format!("{}: not a property of a node; left out", path.path));
                    continue;
                }
            };
            // Without a node the channel is for an extension to use.
            let Some(node) = target.optional_index("node", "nodes", nodes.len())? else {
                continue;
            };
            if property != Property::Weights && nodes[node].has_matrix {
                return Err(Error::format(
                    format!("{}.node", target.path),
                    "a node with translation, rotation and scale",
                    format!("nodes[{node}], which has a matrix"),
                ));
            }
            if !seen.insert((node, property)) {
                return Err(Error::format(
                    &target.path,
                    format!("a target of its own in {}", item.path),
                    format!("the {} of nodes[{node}] again", path.str()?),
                ));
            }
            let width = match property {
                Property::Rotation => 4,
                Property::Weights => n_targets(node),
                _ => 3,
            };
            if width == 0 {
                return Err(Error::format(
                    format!("{}.node", target.path),
                    "a node whose mesh has morph targets",
                    format!("nodes[{node}]"),
                ));
            }
            if !with_curves {
                channels.push(Channel {
                    node,
                    property,
                    curve: None,
                });
                continue;
            }
            let sampler = &samplers[sampler];
            let Some(curve) = read_curve(sampler, property, width, data, &mut curves)? else {
                warnings.push(format!(
                    "{}: the file stores no values for it; left out",
                    sampler.path
                ));
                continue;
            };
            channels.push(Channel {
                node,
                property,
                curve: Some(curve),
            });
        }
        animations.push(Animation {
            name: name.to_owned(),
            channels,
        });
    }
    Ok(animations)
}

/// What has been read: curves, and the times of accessors.
#[derive(Default)]
struct Curves {
    curves: HashMap<(usize, usize, Interpolation, usize), Arc<Curve>>,
    times: HashMap<usize, Arc<[f32]>>,
}

fn read_curve(
    sampler: &Item<'_>,
    property: Property,
    width: usize,
    data: &Data<'_>,
    curves: &mut Curves,
) -> Result<Option<Arc<Curve>>> {
    let interpolation = match sampler.get("interpolation") {
        None => Interpolation::Linear,
        Some(item) => match item.str()? {
            "LINEAR" => Interpolation::Linear,
            "STEP" => Interpolation::Step,
            "CUBICSPLINE" => Interpolation::Cubic,
            _ => return Err(item.wrong("LINEAR, STEP or CUBICSPLINE")),
        },
    };
    let input_item = sampler.need("input")?;
    let input = data.float_reference(&input_item, &["SCALAR"], false)?;
    let output_item = sampler.need("output")?;
    let kind = match property {
        Property::Rotation => "VEC4",
        Property::Weights => "SCALAR",
        _ => "VEC3",
    };
    let output = data.float_reference(&output_item, &[kind], true)?;
    let key = (input, output, interpolation, width);
    if let Some(curve) = curves.curves.get(&key) {
        return Ok(Some(curve.clone()));
    }
    if !data.is_stored(input) {
        return Ok(None);
    }
    let times = match curves.times.get(&input) {
        Some(times) => times.clone(),
        None => {
            let times: Arc<[f32]> = data.finite_reals(input)?.into();
            if let Some(at) = times.windows(2).position(|pair| pair[1] <= pair[0]) {
                return Err(Error::format(
                    format!(
                        "{}, element {} of accessors[{input}]",
                        input_item.path,
                        at + 1
                    ),
                    "times that increase",
                    format!("{} after {}", times[at + 1], times[at]),
                ));
            }
            curves.times.insert(input, times.clone());
            times
        }
    };
    if !data.is_stored(output) {
        return Ok(None);
    }
    let parts = if interpolation == Interpolation::Cubic {
        3
    } else {
        1
    };
    let values = data.finite_reals(output)?;
    if Some(values.len()) != times.len().checked_mul(parts * width) {
        return Err(Error::format(
            &output_item.path,
            format!(
                "{} numbers, for {} keys of {width}{}",
                times.len().saturating_mul(parts * width),
                times.len(),
                if parts == 3 { " with tangents" } else { "" }
            ),
            values.len(),
        ));
    }
    let curve = Arc::new(Curve {
        interpolation,
        times,
        values,
        width,
    });
    curves.curves.insert(key, curve.clone());
    Ok(Some(curve))
}
