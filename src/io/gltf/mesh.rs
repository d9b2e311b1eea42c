//! The primitives of meshes, as the file stores them.

use super::accessor::Data;
use super::momentum;
use crate::error::{Error, Result};
use crate::io::json::Item;
use crate::io::nodes::{Polygons, Primitive};

/// A mesh of the file: primitives that share their morph targets.
pub(super) struct MeshItem<'a> {
    pub primitives: Vec<Item<'a>>,
    pub n_targets: usize,
    /// One for each target.
    pub target_names: Vec<String>,
    /// One for each target.
    pub weights: Vec<f64>,
}

/// Whether a primitive of the mesh has no joints and so moves with its node.
pub(super) fn has_rigid_part(mesh: &MeshItem<'_>) -> bool {
    mesh.primitives.iter().any(|primitive| {
        primitive
            .get("attributes")
            .is_none_or(|attributes| attributes.get("JOINTS_0").is_none())
    })
}

/// Reads all that concerns a mesh as a whole.
pub(super) fn read_all<'a>(root: &Item<'a>) -> Result<Vec<MeshItem<'a>>> {
    let read = |item: Item<'a>| {
        let item = item.object()?;
        let primitives = item.need("primitives")?.items()?;
        let mut n_targets = None;
        for primitive in &primitives {
            let attributes = primitive.clone().object()?.need("attributes")?;
            attributes.object()?;
            let count = primitive.list("targets")?.len();
            if *n_targets.get_or_insert(count) != count {
                return Err(Error::format(
                    format!("{}.targets", primitive.path),
                    format!(
                        "{} targets, as in the mesh's first primitive",
                        n_targets.unwrap_or_default()
                    ),
                    count,
                ));
            }
        }
        let n_targets = n_targets.unwrap_or_default();
        let weights = match item.get("weights") {
            Some(weights) => checked_weights(&weights.path, weights.number_list()?, n_targets)?,
            None => vec![0.0; n_targets],
        };
        let name = item.get("name").map_or(Ok(""), |name| name.str())?;
        let stored: Vec<Item<'_>> = item
            .get("extras")
            .and_then(|extras| extras.get("targetNames"))
            .and_then(|names| names.items().ok())
            .or_else(|| {
                let extensions = primitives.first()?.get("extensions")?;
                extensions
                    .get(momentum::NAME)?
                    .get("shapeNames")?
                    .items()
                    .ok()
            })
            .unwrap_or_default();
        let target_names = (0..n_targets)
            .map(|target| {
                let own = stored.get(target).and_then(|name| name.value.as_str());
                match own.filter(|own| !own.is_empty()) {
                    Some(own) => own.to_owned(),
                    None if name.is_empty() => format!("target_{target}"),
                    None => format!("{name}_{target}"),
                }
            })
            .collect();
        Ok(MeshItem {
            primitives,
            n_targets,
            target_names,
            weights,
        })
    };
    root.list("meshes")?.into_iter().map(read).collect()
}

/// Morph weights, one for each target.
pub(super) fn checked_weights(
    path: impl std::fmt::Display,
    weights: Vec<f64>,
    targets: usize,
) -> Result<Vec<f64>> {
    if weights.len() == targets {
        return Ok(weights);
    }
    Err(Error::format(
        path,
        format!("{targets} weights, one for each morph target"),
        weights.len(),
    ))
}

/// The kind of an attribute's accessor: its types, and whether integers are allowed where they are
/// normalised, or in any case.
struct Attribute {
    kinds: &'static [&'static str],
    normalized: bool,
    any: bool,
}

/// Reads a primitive; `None` where it has no positions.
pub(super) fn read(
    data: &Data<'_>,
    item: &Item<'_>,
    n_materials: usize,
    is_quantized: bool,
    warnings: &mut Vec<String>,
) -> Result<Option<Primitive>> {
    let attributes = item.need("attributes")?;
    let positions = attributes.get("POSITION");
    let index = positions.map(|place| place.index("accessors", data.len()));
    if !index
        .transpose()?
        .is_some_and(|index| data.is_stored(index))
    {
        warnings.push(format!("{}: it has no positions; left out", item.path));
        return Ok(None);
    }
    let read = |place: &Item<'_>, attribute: &Attribute, finite: bool| -> Result<Vec<f32>> {
        let index = if attribute.any {
            data.reference(place, attribute.kinds)?
        } else {
            data.float_reference(place, attribute.kinds, attribute.normalized)?
        };
        if finite {
            data.finite_reals(index)
        } else {
            data.reals(index)
        }
    };
    let vector = Attribute {
        kinds: &["VEC3"],
        normalized: false,
        any: is_quantized,
    };
    let positions = read(&attributes.need("POSITION")?, &vector, true)?;
    let count = positions.len() / 3;
    let equal = |place: &Item<'_>, got: usize| {
        if got == count {
            return Ok(());
        }
        Err(Error::format(
            &place.path,
            format!("an accessor of {count} elements, as many as there are positions"),
            got,
        ))
    };
    let optional = |name: &str, attribute: &Attribute| -> Result<Option<(Vec<f32>, usize)>> {
        let Some(place) = attributes.get(name) else {
            return Ok(None);
        };
        let index = place.index("accessors", data.len())?;
        let values = read(&place, attribute, false)?;
        equal(&place, data.accessor(index).count)?;
        Ok(Some((values, data.accessor(index).width)))
    };
    let finite_or_zero = |mut values: Vec<f32>| {
        for value in values.iter_mut().filter(|value| !value.is_finite()) {
            *value = 0.0;
        }
        values
    };
    let normals = optional("NORMAL", &vector)?.map(|(values, _)| finite_or_zero(values));
    let texcoord = Attribute {
        kinds: &["VEC2"],
        normalized: true,
        any: is_quantized,
    };
    let mut texcoords =
        optional("TEXCOORD_0", &texcoord)?.map(|(values, _)| finite_or_zero(values));
    let color = Attribute {
        kinds: &["VEC3", "VEC4"],
        normalized: true,
        any: false,
    };
    let colors = optional("COLOR_0", &color)?.map(|(values, width)| {
        let byte = |x: f32| (x.clamp(0.0, 1.0) * 255.0).round() as u8;
        values
            .chunks_exact(width)
            .map(|color| [byte(color[0]), byte(color[1]), byte(color[2])])
            .collect()
    });
    let mut influences = Vec::new();
    while let Some(place) = attributes.get(&format!("JOINTS_{}", influences.len())) {
        let index = data.reference(&place, &["VEC4"])?;
        equal(&place, data.accessor(index).count)?;
        let joints = data.unsigned(index)?;
        let place = attributes.need(&format!("WEIGHTS_{}", influences.len()))?;
        let index = data.float_reference(&place, &["VEC4"], true)?;
        equal(&place, data.accessor(index).count)?;
        influences.push((joints, data.finite_reals(index)?));
    }
    let mut targets = Vec::new();
    for target in item.list("targets")? {
        let target = target.object()?;
        targets.push(match target.get("POSITION") {
            Some(place) => {
                let deltas = read(&place, &vector, true)?;
                equal(&place, deltas.len() / 3)?;
                Some(deltas)
            }
            None => None,
        });
    }
    let (faces, lines) = connect(data, item, count, warnings)?;
    let material = item.optional_index("material", "materials", n_materials)?;
    let materials = vec![(material, faces.len())];
    let own = texture_triangles(data, item, faces.len())?;
    let texcoord_faces = own.map(|(own, triangles)| {
        texcoords = Some(finite_or_zero(own));
        triangles
    });
    Ok(Some(Primitive {
        positions,
        normals,
        texcoords,
        texcoord_faces,
        colors,
        faces,
        polygons: Polygons::default(),
        lines,
        materials,
        influences,
        targets,
    }))
}

type TextureTriangles = (Vec<f32>, Vec<[u32; 3]>);

/// Texture coordinates with triangles of their own, as Momentum stores them.
fn texture_triangles(
    data: &Data<'_>,
    item: &Item<'_>,
    n_faces: usize,
) -> Result<Option<TextureTriangles>> {
    let extension = item
        .get("extensions")
        .and_then(|extensions| extensions.get(momentum::NAME));
    let both = extension.and_then(|item| item.get("texcoords").zip(item.get("texfaces")));
    let Some((coordinates, triangles)) = both else {
        return Ok(None);
    };
    let coordinates = data.reals(data.float_reference(&coordinates, &["VEC2"], false)?)?;
    let indices = data.unsigned(data.reference(&triangles, &["SCALAR"])?)?;
    let count = coordinates.len() / 2;
    if indices.len() != n_faces * 3 || indices.iter().any(|&index| index as usize >= count) {
        return Err(Error::format(
            &triangles.path,
            format!("{} indices below {count}", n_faces * 3),
            format!("{} indices, some larger perhaps", indices.len()),
        ));
    }
    let triangles = indices.chunks_exact(3).map(|t| [t[0], t[1], t[2]]);
    Ok(Some((coordinates, triangles.collect())))
}

type Connections = (Vec<[u32; 3]>, Vec<Vec<u32>>);

/// Triangles and polylines of a primitive, from any of the seven modes.
fn connect(
    data: &Data<'_>,
    item: &Item<'_>,
    count: usize,
    warnings: &mut Vec<String>,
) -> Result<Connections> {
    let indices = match item.get("indices") {
        Some(place) => {
            let index = data.reference(&place, &["SCALAR"])?;
            let indices = data.unsigned(index)?;
            // The largest is found without a branch for each.
            let largest = indices.iter().fold(0, |most: u32, &index| most.max(index));
            if !indices.is_empty()
                && largest as usize >= count
                && let Some(at) = indices.iter().position(|&index| index as usize >= count)
            {
                return Err(Error::format(
                    format!("{}, element {at} of accessors[{index}]", place.path),
                    format!("an index below {count}, the number of vertices"),
                    indices[at],
                ));
            }
            indices
        }
        None => (0..count as u32).collect(),
    };
    let triangles = |take: &dyn Fn(usize) -> [usize; 3]| -> Vec<[u32; 3]> {
        (0..indices.len().saturating_sub(2))
            .map(|at| take(at).map(|corner| indices[corner]))
            .filter(|[a, b, c]| a != b && b != c && a != c)
            .collect()
    };
    let mode = item.get("mode");
    Ok(match mode.as_ref().map_or(Ok(4), Item::integer)? {
        0 => {
            warnings.push(format!("{}: points are not connected", item.path));
            Connections::default()
        }
        1 => {
            let lines = indices.chunks_exact(2).map(<[u32]>::to_vec).collect();
            (Vec::new(), lines)
        }
        mode @ (2 | 3) => {
            let mut line = indices;
            if mode == 2 {
                line.extend(line.first().copied());
            }
            (Vec::new(), vec![line])
        }
        4 => {
            if !indices.len().is_multiple_of(3) {
                warnings.push(format!(
                    "{}: {} corners are not a whole number of triangles; the last is left out",
                    item.path,
                    indices.len()
                ));
            }
            (indices.as_chunks::<3>().0.to_vec(), Vec::new())
        }
        // Every other triangle of a strip is turned around; repeated corners only bridge gaps.
        5 => {
            let strip = triangles(&|at| [at, at + 1 + at % 2, at + 2 - at % 2]);
            (strip, Vec::new())
        }
        6 => (triangles(&|at| [at + 1, at + 2, 0]), Vec::new()),
        _ => {
            let wrong = |mode: &Item<'_>| mode.wrong("a primitive mode from 0 to 6");
            return Err(mode.as_ref().map_or_else(|| item.wrong("a mode"), wrong));
        }
    })
}
