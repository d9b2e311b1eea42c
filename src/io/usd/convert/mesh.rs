//! Mesh prims: points, polygons, texture coordinates and colours.

use std::sync::Arc;

use super::super::value::{Numbers, Value};
use super::attribute::{about, numbers, token};
use super::stage::Stage;
use crate::error::{Error, Result};

/// What a Mesh prim stores.
pub(super) struct Stored {
    pub points: Arc<Numbers>,
    /// Corners of each polygon, all seen counter-clockwise from outside: its vertices, and their places
    /// among the corners of the file.
    pub polygons: Vec<Vec<(u32, u32)>>,
    pub texcoords: Option<Primvar>,
    pub colors: Option<Primvar>,
}

/// Values for vertices, corners or the whole.
pub(super) struct Primvar {
    pub values: Arc<Numbers>,
    pub of: Of,
    indices: Option<Arc<Numbers>>,
}

/// What a value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    All,
    Polygon,
    Vertex,
    Corner,
}

impl Primvar {
    fn read(stage: &Stage<'_>, prim: usize, name: &str, width: usize) -> Result<Option<Self>> {
        let layer = stage.layer;
        let Some(values) = numbers(layer, prim, name, width)?.filter(|x| !x.values.is_empty())
        else {
            return Ok(None);
        };
        let property = &layer.prims[prim].properties[name];
        let path = || format!("{}.{name}", layer.path(prim));
        let of = match about(property, "interpolation").and_then(Value::as_text) {
            None | Some("constant") => Of::All,
            Some("uniform") => Of::Polygon,
            Some("vertex" | "varying") => Of::Vertex,
            Some("faceVarying") => Of::Corner,
            Some(other) => {
                let shown = crate::io::source::shortened(other);
                return Err(Error::format(
                    path(),
                    "an interpolation of USD",
                    format!("'{shown}'"),
                ));
            }
        };
        let indices = numbers(layer, prim, &format!("{name}:indices"), 1)?;
        let primvar = Self {
            values,
            of,
            indices: indices.filter(|x| !x.values.is_empty()),
        };
        Ok(Some(primvar))
    }

    /// The number of different values.
    pub fn len(&self) -> usize {
        self.values.values.len() / self.values.width
    }

    /// Which value a corner has.
    pub fn index(&self, polygon: usize, vertex: u32, corner: u32) -> Option<usize> {
        let at = match self.of {
            Of::All => 0,
            Of::Polygon => polygon,
            Of::Vertex => vertex as usize,
            Of::Corner => corner as usize,
        };
        let at = match &self.indices {
            None => at,
            Some(indices) => {
                let index = *indices.values.get(at)?;
                (index >= 0.0).then_some(index as usize)?
            }
        };
        (at < self.len()).then_some(at)
    }
}

impl Stored {
    /// Reads a prim; `None` for one without points.
    pub fn read(stage: &mut Stage<'_>, prim: usize) -> Result<Option<Self>> {
        let layer = stage.layer;
        let path = layer.path(prim);
        let Some(points) = numbers(layer, prim, "points", 3)?.filter(|x| !x.values.is_empty())
        else {
            return Ok(None);
        };
        if layer.prims[prim]
            .properties
            .get("points")
            .is_some_and(|x| x.samples.len() > 1)
        {
            stage.notes.add("points over time are left out", &path);
        }
        let n_points = points.values.len() / 3;
        let sizes = numbers(layer, prim, "faceVertexCounts", 1)?;
        let corners = numbers(layer, prim, "faceVertexIndices", 1)?;
        let (sizes, corners) = (
            sizes.as_ref().map_or(&[][..], |x| &x.values),
            corners.as_ref().map_or(&[][..], |x| &x.values),
        );
        stage
            .budget
            .charge(|| path.clone(), corners.len() + 3 * sizes.len(), 16)?;
        let is_left = token(layer, prim, "orientation") == Some("leftHanded");
        let mut polygons = Vec::with_capacity(sizes.len());
        let mut start = 0_usize;
        for (face, &size) in sizes.iter().enumerate() {
            let end = (size >= 0.0).then(|| start.saturating_add(size as usize));
            let Some(own) = end.and_then(|end| corners.get(start..end)) else {
                return Err(Error::format(
                    format!("{path}.faceVertexCounts[{face}]"),
                    format!("corners among the {} of faceVertexIndices", corners.len()),
                    format!("{size} from {start} on"),
                ));
            };
            let mut polygon = Vec::with_capacity(own.len());
            for (at, &vertex) in own.iter().enumerate() {
                if !(vertex >= 0.0 && (vertex as usize) < n_points) {
                    return Err(Error::format(
                        format!("{path}.faceVertexIndices[{}]", start + at),
                        format!("one of {n_points} points"),
                        vertex,
                    ));
                }
                polygon.push((vertex as u32, (start + at) as u32));
            }
            if is_left {
                polygon.reverse();
            }
            start += own.len();
            polygons.push(polygon);
        }
        if start != corners.len() {
            return Err(Error::format(
                format!("{path}.faceVertexIndices"),
                format!("{start} corners, as faceVertexCounts say"),
                corners.len(),
            ));
        }
        Ok(Some(Self {
            points,
            polygons,
            texcoords: Primvar::read(stage, prim, "primvars:st", 2)?,
            colors: Primvar::read(stage, prim, "primvars:displayColor", 3)?,
        }))
    }

    pub fn n_points(&self) -> usize {
        self.points.values.len() / 3
    }
}
