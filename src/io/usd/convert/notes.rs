//! What is said about a file besides what it becomes.

use std::collections::BTreeMap;

use super::super::layer::Layer;
use super::clip::{Moving, Weighted};
use crate::error::Error;

/// Sentences about a file, one for each thing however often it is met.
#[derive(Default)]
pub(super) struct Notes {
    said: Vec<String>,
    /// What was met at places: the first one, and how many more there are.
    met: BTreeMap<&'static str, (String, usize)>,
}

impl Notes {
    /// Says something that is said once.
    pub fn say(&mut self, sentence: String) {
        self.said.push(sentence);
    }

    /// Notes that something was met at a place.
    pub fn add(&mut self, what: &'static str, place: &str) {
        match self.met.get_mut(what) {
            Some((_, more)) => *more += 1,
            None => {
                self.met.insert(what, (place.to_owned(), 0));
            }
        }
    }

    /// All of it.
    pub fn sentences(self) -> Vec<String> {
        let met = self
            .met
            .into_iter()
            .map(|(what, (place, more))| match more {
                0 => format!("{what}: {place}"),
                more => format!("{what}: {place} and {more} more"),
            });
        self.said.into_iter().chain(met).collect()
    }
}

/// Shapes that are not meshes.
const OTHER_SHAPES: [&str; 14] = [
    "BasisCurves",
    "Capsule",
    "Capsule_1",
    "Cone",
    "Cube",
    "Cylinder",
    "Cylinder_1",
    "HermiteCurves",
    "NurbsCurves",
    "NurbsPatch",
    "PointInstancer",
    "Points",
    "Sphere",
    "TetMesh",
];

/// What brings in scene description from elsewhere, or from variants, and is not followed: where first.
fn arcs(layer: &Layer) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    for (arc, (place, more)) in &layer.not_followed {
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        found.insert(*arc, format!("{place}{more}"));
    }
    for (place, prim) in layer.prims.iter().enumerate() {
        for arc in ["clips", "variantSetNames"] {
            if prim.metadata.contains_key(arc) {
                found
                    .entry(arc)
                    .or_insert_with(|| format!("of {}", layer.path(place)));
            }
        }
    }
    if let Some(&(place, _)) = layer.left_out.get("variants") {
        found.remove("variantSetNames");
        found.insert("variants", format!("of {}", layer.path(place)));
    }
    found
}

/// There is no character.
pub(super) fn no_character(layer: &Layer) -> Error {
    let mut got = format!("none among {} prims", layer.prims.len() - 1);
    for (arc, place) in arcs(layer) {
        got.push_str(&format!(
            "; '{arc}' {place} is not followed (usdcat --flatten writes one file)"
        ));
    }
    Error::format(
        "the stage",
        "a Skeleton prim with joints, or a Mesh prim with points",
        got,
    )
}

/// One sentence for each thing that is left out.
pub(super) fn of(
    layer: &Layer,
    scene: &[usize],
    rigs: &[Moving],
    shapes: &[Weighted],
) -> Vec<String> {
    let mut warnings = Vec::new();
    for (arc, place) in arcs(layer) {
        warnings.push(format!("what '{arc}' {place} brings in is left out"));
    }
    if let Some((place, count)) = layer.left_out.get("splines") {
        warnings.push(format!(
            "{count} splines are left out, the first at {}",
            layer.path(*place)
        ));
    }
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    let mut n_normals = 0;
    for &prim in scene {
        let own = &layer.prims[prim];
        if OTHER_SHAPES.contains(&&*own.type_name) {
            *others.entry(&own.type_name).or_insert(0) += 1;
        }
        let is_mesh = &*own.type_name == "Mesh";
        let has_normals = ["normals", "primvars:normals"]
            .iter()
            .any(|name| own.properties.contains_key(*name));
        n_normals += usize::from(is_mesh && has_normals);
    }
    for (kind, count) in others {
        warnings.push(format!(
            "{count} prims of type {kind} are left out; meshes are read"
        ));
    }
    let is_material = |prim: &&usize| &*layer.prims[**prim].type_name == "Material";
    let n_materials = scene.iter().filter(is_material).count();
    if n_materials > 0 {
        warnings.push(format!("{n_materials} materials are left out"));
    }
    if n_normals > 0 {
        warnings.push(format!(
            "the normals of {n_normals} meshes are left out; they are computed from the surface"
        ));
    }
    let is_bound = |prim: usize| {
        rigs.iter()
            .any(|moving| moving.animation_prim == Some(prim))
    };
    let loose = scene
        .iter()
        .filter(|&&prim| &*layer.prims[prim].type_name == "SkelAnimation" && !is_bound(prim));
    let n_loose = loose.count();
    if n_loose > 0 {
        warnings.push(format!(
            "{n_loose} animations that no skeleton uses are left out"
        ));
    }
    let n_sheared: usize = rigs.iter().map(|moving| moving.rig.n_sheared()).sum();
    if n_sheared > 0 {
        warnings.push(format!(
            "{n_sheared} joints are below a scale that differs between axes; where they turn, the \
             closest rotation is taken"
        ));
    }
    let uneven = rigs.iter().map(Moving::n_uneven).sum::<usize>();
    if uneven > 0 {
        warnings.push(format!(
            "{uneven} joints are scaled differently along their axes; the mean is taken"
        ));
    }
    let n_between = shapes.iter().filter(|shape| shape.at != 1.0).count();
    if n_between > 0 {
        warnings.push(format!(
            "{n_between} in-betweens of blend shapes are shapes of their own; motion is divided \
             between them as USD does"
        ));
    }
    warnings
}
