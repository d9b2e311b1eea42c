//! Attributes as readers want them: of a known width, finite, at any time.

use std::sync::Arc;

use super::super::layer::{Layer, Property};
use super::super::value::{Numbers, Value};
use crate::error::{Error, Result};

/// Whether a value is the kind that is expected.
fn checked(
    layer: &Layer,
    prim: usize,
    name: &str,
    width: usize,
    value: &Value,
) -> Result<Option<Arc<Numbers>>> {
    let wrong = |got: String| {
        let expected = match width {
            1 => "finite numbers".to_owned(),
            width => format!("tuples of {width} finite numbers"),
        };
        Err(Error::format(
            format!("{}.{name}", layer.path(prim)),
            expected,
            got,
        ))
    };
    match value {
        Value::Blocked => Ok(None),
        Value::Numbers(numbers) if numbers.values.is_empty() || numbers.width == width => {
            match numbers.values.iter().find(|x| !x.is_finite()) {
                Some(x) => wrong(x.to_string()),
                None => Ok(Some(numbers.clone())),
            }
        }
        other => wrong(other.kind()),
    }
}

/// An attribute's value, or its first one where it has values at times only.
pub(super) fn numbers(
    layer: &Layer,
    prim: usize,
    name: &str,
    width: usize,
) -> Result<Option<Arc<Numbers>>> {
    let Some(property) = layer.prims[prim].properties.get(name) else {
        return Ok(None);
    };
    let first = property.samples.first().map(|(_, value)| value);
    match property.default.as_ref().or(first) {
        Some(value) => checked(layer, prim, name, width, value),
        None => Ok(None),
    }
}

/// A 4x4 matrix that acts on columns, from the 16 numbers of one that acts on rows.
pub(super) fn matrix(values: &[f64]) -> Option<nalgebra::Matrix4<f64>> {
    let values: &[f64; 16] = values.try_into().ok()?;
    Some(nalgebra::Matrix4::from_column_slice(values))
}

/// Tokens or strings of an attribute.
pub(super) fn texts(layer: &Layer, prim: usize, name: &str) -> Result<Option<Arc<Vec<Arc<str>>>>> {
    let property = layer.prims[prim].properties.get(name);
    match property.and_then(|property| property.default.as_ref()) {
        None | Some(Value::Blocked) => Ok(None),
        Some(Value::Texts(texts)) => Ok(Some(texts.clone())),
        Some(other) => Err(Error::format(
            format!("{}.{name}", layer.path(prim)),
            "tokens",
            other.kind(),
        )),
    }
}

/// A single token of an attribute.
pub(super) fn token<'a>(layer: &'a Layer, prim: usize, name: &str) -> Option<&'a str> {
    let property = layer.prims[prim].properties.get(name)?;
    property.default.as_ref()?.as_text()
}

/// A piece of a property's metadata.
pub(super) fn about<'a>(property: &'a Property, name: &str) -> Option<&'a Value> {
    property.metadata.get(name)
}

/// The prim that a relationship points to.
pub(super) fn target(layer: &Layer, prim: usize, name: &str) -> Option<usize> {
    let property = layer.prims[prim].properties.get(name)?;
    layer.find(prim, property.targets.first()?)
}

/// Numbers over time: linear between samples, the first one before and the last one behind them.
#[derive(Debug, Clone)]
pub(super) struct Track {
    times: Vec<f64>,
    values: Vec<Arc<Numbers>>,
    is_quaternion: bool,
    /// Whether it has samples, of which there may be one.
    pub is_animated: bool,
}

impl Track {
    /// The values of an attribute; `None` without any.
    pub fn of(
        layer: &Layer,
        prim: usize,
        name: &str,
        width: usize,
        is_quaternion: bool,
    ) -> Result<Option<Self>> {
        let Some(property) = layer.prims[prim].properties.get(name) else {
            return Ok(None);
        };
        let mut track = Self {
            times: Vec::new(),
            values: Vec::new(),
            is_quaternion,
            is_animated: !property.samples.is_empty(),
        };
        for (time, value) in &property.samples {
            if let Some(numbers) = checked(layer, prim, name, width, value)? {
                track.times.push(*time);
                track.values.push(numbers);
            }
        }
        if let (false, Some(value)) = (track.is_animated, &property.default)
            && let Some(numbers) = checked(layer, prim, name, width, value)?
        {
            track.times.push(0.0);
            track.values.push(numbers);
        }
        Ok((!track.times.is_empty()).then_some(track))
    }

    /// The times of its samples; empty where it does not depend on time.
    pub fn times(&self) -> &[f64] {
        if self.is_animated { &self.times } else { &[] }
    }

    /// Its values at all samples.
    pub fn values(&self) -> impl Iterator<Item = &[f64]> {
        self.values.iter().map(|value| &value.values[..])
    }

    /// Refuses samples of another length than `count` numbers.
    pub fn check(&self, location: impl Fn() -> String, count: usize) -> Result<()> {
        let odd = self.values.iter().find(|value| value.values.len() != count);
        match odd {
            Some(value) => Err(Error::format(
                location(),
                format!("{count} numbers at every time"),
                value.values.len(),
            )),
            None => Ok(()),
        }
    }

    /// The numbers that samples hold in all.
    pub fn size(&self) -> usize {
        self.values.iter().map(|value| value.values.len()).sum()
    }

    /// The values at a time code.
    pub fn at(&self, time: f64) -> Vec<f64> {
        let after = self.times.partition_point(|&own| own <= time);
        let (low, high) = (after.saturating_sub(1), after.min(self.times.len() - 1));
        let (left, right) = (&self.values[low].values, &self.values[high].values);
        let span = self.times[high] - self.times[low];
        if low == high || left.len() != right.len() || span <= 0.0 {
            return left.clone();
        }
        let u = (time - self.times[low]) / span;
        if !self.is_quaternion {
            let pairs = left.iter().zip(right);
            return pairs.map(|(a, b)| a * (1.0 - u) + b * u).collect();
        }
        let pairs = left.chunks_exact(4).zip(right.chunks_exact(4));
        pairs.flat_map(|(a, b)| slerp(a, b, u)).collect()
    }
}

/// Between two quaternions on the shorter way, as USD does.
fn slerp(a: &[f64], b: &[f64], u: f64) -> [f64; 4] {
    let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let sign = if dot < 0.0 { -1.0 } else { 1.0 };
    let cosine = dot.abs().min(1.0);
    let (from, to) = if cosine > 1.0 - 1e-9 {
        (1.0 - u, u)
    } else {
        let angle = cosine.acos();
        (
            ((1.0 - u) * angle).sin() / angle.sin(),
            (u * angle).sin() / angle.sin(),
        )
    };
    std::array::from_fn(|at| from * a[at] + sign * to * b[at])
}
