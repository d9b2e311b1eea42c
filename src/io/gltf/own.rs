//! The extension `KA_character`: what neither glTF nor `FB_momentum` holds of a character, so that it comes
//! back exactly as it was saved.
//!
//! It stands on the node above a character. Lengths in it are in the `unit` that it names, the character's
//! own; arrays are buffer views of little-endian numbers (`{"view": 3, "type": "f32"}`; `i8` are steps of the
//! last place from the single that stands in the standard part). It has the order of joints, locators and
//! solids, the double-precision numbers that the other parts round ([`super::exact`]), what a mesh has beside
//! triangles, face expressions, pose shapes, skinned locators, masses and distance fields. A solid of the
//! world has the fields that `FB_momentum` gives to one of a joint; one that is not only turned and moved has
//! its whole matrix. Other programs can leave the extension away: what is left is a glTF file.

use std::collections::HashMap;
use std::sync::Arc;

use super::accessor::Data;
use super::exact::{Numbers, stepped};
use super::nodes::Node;
use crate::character::{
    BlendShape, BlendShapeBase, CharacterParts, JointPhysicalProperties, Material, Mesh, MeshParts,
    PoseShape, Reals, SdfCollider, SignedDistanceField, SkinWeights, SkinnedLocator, Unit,
};
use crate::error::{Error, Result};
use crate::io::json::Item;

pub(super) const NAME: &str = "KA_character";

/// Where the parts of a character are.
pub(super) struct Own<'a> {
    /// The node above the character.
    pub root: usize,
    pub unit: Unit,
    /// The node of each joint.
    pub joints: Vec<usize>,
    /// The place of each locator's and solid's node.
    pub order: HashMap<usize, usize>,
    /// The node of the mesh.
    pub mesh: Option<usize>,
    /// Columns of the skin weights; none where the mesh has none.
    pub influences: Option<usize>,
    item: Item<'a>,
}

/// The first character of the scene, and how many there are.
pub(super) fn find<'a>(nodes: &[Node<'a>], in_scene: &[usize]) -> Result<(Option<Own<'a>>, usize)> {
    let blocks = in_scene.iter().filter_map(|&node| {
        let item = nodes[node].extension(NAME)?;
        item.get("joints").is_some().then_some((node, item))
    });
    let blocks: Vec<_> = blocks.collect();
    let count = blocks.len();
    let first = blocks.into_iter().next();
    let own = first.map(|(root, item)| Own::read(root, item, nodes));
    Ok((own.transpose()?, count))
}

impl<'a> Own<'a> {
    fn read(root: usize, item: Item<'a>, nodes: &[Node<'a>]) -> Result<Self> {
        let list = |key: &str| -> Result<Vec<usize>> {
            let list = item.list(key)?;
            list.iter()
                .map(|node| node.index("nodes", nodes.len()))
                .collect()
        };
        let unit = item.need("unit")?;
        let joints = list("joints")?;
        let mut seen = vec![false; nodes.len()];
        if joints
            .iter()
            .any(|&node| std::mem::replace(&mut seen[node], true))
        {
            return Err(item.need("joints")?.wrong("every joint once"));
        }
        let (locators, solids) = (list("locators")?, list("solids")?);
        let order = locators.iter().enumerate().chain(solids.iter().enumerate());
        let mesh = item.get("mesh");
        let mesh_node = mesh
            .as_ref()
            .map(|mesh| mesh.optional_index("node", "nodes", nodes.len()));
        let influences = mesh.and_then(|mesh| mesh.get("influences"));
        Ok(Self {
            root,
            unit: Unit::parse(unit.str()?).map_err(|_| unit.wrong("m, cm or mm"))?,
            joints,
            order: order.map(|(at, &node)| (node, at)).collect(),
            mesh: mesh_node.transpose()?.flatten(),
            influences: influences.map(|count| count.integer()).transpose()?,
            item,
        })
    }

    /// What belongs to the motion.
    pub fn motion(&self) -> Option<Item<'a>> {
        self.item.get("motion")
    }

    /// The places of the mesh's materials among the file's.
    pub fn materials(&self, n_materials: usize) -> Result<Vec<usize>> {
        let Some(mesh) = self.item.get("mesh") else {
            return Ok(Vec::new());
        };
        let list = mesh.list("materials")?;
        let places = list.iter().map(|at| at.index("materials", n_materials));
        places.collect()
    }

    /// Whether the mesh is drawn in pieces, sorted by material, and its triangles are kept here.
    pub fn is_sorted(&self) -> bool {
        let mesh = self.item.get("mesh");
        mesh.is_some_and(|mesh| mesh.get("faces").is_some())
    }

    /// Completes a character, which is in [`Self::unit`]; `materials` are those of the mesh.
    pub fn complete(
        &self,
        data: &Data<'_>,
        materials: Vec<Material>,
        parts: &mut CharacterParts,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        if let Some(columns) = self.item.get("skinnedLocatorParameters") {
            let transform = (*parts.parameter_transform).clone();
            let (blend, face) = (
                transform.blend_shape_columns().to_vec(),
                transform.face_expression_columns().to_vec(),
            );
            let columns = read_columns(&columns, transform.len())?;
            parts.parameter_transform = transform.with_columns(blend, face, columns)?.into();
        }
        if let Some(place) = self.item.get("numbers") {
            let numbers = doubles(data, &place)?;
            if !Numbers::of(parts).refine(&numbers, parts)? {
                warnings.push(format!(
                    "{}: there are other numbers in the file than when they were written; left out",
                    place.path
                ));
            }
        }
        if let Some(item) = self.item.get("mesh") {
            self.complete_mesh(data, &item, materials, parts)?;
        }
        self.complete_shapes(data, parts)?;
        let joint = |item: &Item<'_>| item.index("joints", self.joints.len());
        let mut locators = Vec::new();
        for item in self.item.list("skinnedLocators")? {
            let joints = item.need("joints")?.items()?;
            let joints: Result<Vec<u32>> = joints.iter().map(|at| Ok(joint(at)? as u32)).collect();
            let name = item.need("name")?.str()?;
            let weights = number_list(&item.need("skinWeights")?)?;
            let position = numbers(&item.need("position")?)?;
            let mut locator = SkinnedLocator::new(name, joints?, weights, position)?;
            locator.weight = number(&item.need("weight")?)?;
            locator.skin_offset = number(&item.need("skinOffset")?)?;
            locators.push(locator);
        }
        parts.skinned_locators = locators.into();
        let mut bodies = Vec::new();
        for item in self.item.list("physicalProperties")? {
            bodies.push(JointPhysicalProperties {
                mass: number(&item.need("mass")?)?,
                center_of_mass_offset: numbers(&item.need("centerOfMass")?)?,
                inertia: numbers(&item.need("inertia")?)?,
                inertia_rotation: numbers(&item.need("inertiaRotation")?)?,
                joint_name: String::new(),
                joint_index: Some(joint(&item.need("joint")?)?),
            });
        }
        parts.physical_properties = bodies.into();
        parts.sdf_colliders = self.colliders(data)?.into();
        Ok(())
    }

    fn complete_mesh(
        &self,
        data: &Data<'_>,
        item: &Item<'_>,
        materials: Vec<Material>,
        parts: &mut CharacterParts,
    ) -> Result<()> {
        if self.influences.is_none() {
            parts.skin_weights = None;
        }
        if let (Some(place), Some(weights)) = (item.get("weights"), &parts.skin_weights) {
            let exact = refined(data, &place, weights.weight())?;
            let index = weights.index().to_vec();
            parts.skin_weights =
                Some(SkinWeights::new(weights.n_influences(), index, exact)?.into());
        }
        const PLAIN: [&str; 3] = ["node", "influences", "weights"];
        let is_plain = item.entries()?.iter().all(|(key, _)| PLAIN.contains(key));
        if is_plain && parts.mesh.is_some() {
            return Ok(());
        }
        let mesh = parts.mesh.take().map(Arc::unwrap_or_clone);
        let mut mesh = mesh.map_or_else(MeshParts::default, MeshParts::from);
        if mesh.vertices.is_empty() && self.influences.is_some() {
            let columns = self.influences.unwrap_or(1).max(1);
            let none = Reals::from(Vec::<f32>::new());
            parts.skin_weights = Some(SkinWeights::new(columns, Vec::new(), none)?.into());
        }
        for (key, values) in [
            ("vertices", &mut mesh.vertices),
            ("normals", &mut mesh.normals),
            ("texcoords", &mut mesh.texcoords),
            ("confidence", &mut mesh.confidence),
        ] {
            if let Some(place) = item.get(key) {
                *values = refined(data, &place, values)?;
            }
        }
        mesh.materials = materials;
        for (key, triangles) in [
            ("faces", &mut mesh.faces),
            ("texcoordFaces", &mut mesh.texcoord_faces),
        ] {
            if let Some(place) = item.get(key) {
                let corners = integers(data, &place)?;
                let (found, rest) = corners.as_chunks::<3>();
                if !rest.is_empty() {
                    return Err(place.wrong("three corners a triangle"));
                }
                *triangles = found.to_vec();
            }
        }
        for (key, values) in [
            ("lines", &mut mesh.lines),
            ("texcoordLines", &mut mesh.texcoord_lines),
        ] {
            if let Some(place) = item.get(key) {
                *values = lines(data, &place)?;
            }
        }
        for (key, values) in [
            ("polyFaces", &mut mesh.poly_faces),
            ("polyFaceSizes", &mut mesh.poly_face_sizes),
            ("polyTexcoordFaces", &mut mesh.poly_texcoord_faces),
            ("faceMaterials", &mut mesh.face_materials),
        ] {
            if let Some(place) = item.get(key) {
                *values = integers(data, &place)?;
            }
        }
        parts.mesh = Some(Mesh::new(mesh)?.into());
        Ok(())
    }

    fn complete_shapes(&self, data: &Data<'_>, parts: &mut CharacterParts) -> Result<()> {
        let names = |item: &Item<'_>| -> Result<Vec<String>> {
            let names = item.list("names")?;
            names
                .iter()
                .map(|name| Ok(name.str()?.to_owned()))
                .collect()
        };
        let stored = |item: &Item<'_>, key: &str| match item.get(key) {
            Some(place) => array(data, &place),
            None => Ok(Reals::default()),
        };
        if let Some(item) = self.item.get("blendShape") {
            let found = parts.blend_shape.take();
            let base = match (item.get("base"), &parts.mesh) {
                (Some(place), _) => array(data, &place)?,
                (None, Some(mesh)) if found.is_some() => mesh.vertices.clone(),
                _ => Reals::default(),
            };
            let found = found.map_or_else(Reals::default, |found| found.displacements().clone());
            let displacements = match item.get("displacements") {
                Some(place) => refined(data, &place, &found)?,
                None => found,
            };
            parts.blend_shape = Some(BlendShape::new(names(&item)?, base, displacements)?.into());
        }
        if let Some(item) = self.item.get("faceExpression") {
            let displacements = stored(&item, "displacements")?;
            let count = item.need("vertices")?.integer()?;
            let shape = BlendShapeBase::new(names(&item)?, count, displacements)?;
            parts.face_expression = Some(shape.into());
        }
        if let Some(item) = self.item.get("poseShape") {
            let joints = item.need("joints")?.items()?;
            let joints = joints
                .iter()
                .map(|at| at.index("joints", self.joints.len()));
            let shape = PoseShape::new(
                stored(&item, "base")?,
                stored(&item, "displacements")?,
                item.need("baseJoint")?.index("joints", self.joints.len())?,
                numbers(&item.need("baseRotation")?)?,
                joints.collect::<Result<_>>()?,
            )?;
            parts.pose_shape = Some(shape.into());
        }
        Ok(())
    }

    fn colliders(&self, data: &Data<'_>) -> Result<Vec<SdfCollider>> {
        let Some(item) = self.item.get("distanceFields") else {
            return Ok(Vec::new());
        };
        let mut fields = Vec::new();
        for field in item.list("fields")? {
            let bounds = field.need("bounds")?;
            let corners = bounds.items()?;
            let [low, high] = corners.as_slice() else {
                return Err(bounds.wrong("two corners"));
            };
            let resolution = field.need("resolution")?;
            let sizes = resolution.items()?;
            let [x, y, z] = sizes.as_slice() else {
                return Err(resolution.wrong("three numbers"));
            };
            let values = array(data, &field.need("values")?)?;
            fields.push(Arc::new(SignedDistanceField::new(
                [numbers(low)?, numbers(high)?],
                [x.integer()?, y.integer()?, z.integer()?],
                values,
            )?));
        }
        let mut colliders = Vec::new();
        for item in item.list("colliders")? {
            let given = |key: &str| item.get(key).filter(|value| !value.value.is_null());
            let parent = given("joint").map(|at| at.index("joints", self.joints.len()));
            let field = given("field").map(|at| at.index("fields", fields.len()));
            let rotation: [f64; 4] = numbers(&item.need("rotation")?)?;
            let mut collider = SdfCollider::new(
                numbers(&item.need("translation")?)?,
                rotation,
                parent.transpose()?,
                field.transpose()?.map(|at| fields[at].clone()),
            )?;
            // As it was, to the last bit, where it is of unit length up to rounding.
            let length = rotation.iter().map(|x| x * x).sum::<f64>().sqrt();
            if (length - 1.0).abs() <= 4.0 * f64::EPSILON {
                collider.rotation = rotation;
            }
            colliders.push(collider);
        }
        Ok(colliders)
    }
}

/// The parameter of each coefficient; none for -1.
pub(super) fn read_columns(item: &Item<'_>, count: usize) -> Result<Vec<Option<usize>>> {
    let columns = item.items()?;
    let columns = columns.iter().map(|column| match column.value.as_i64() {
        Some(-1) => Ok(None),
        _ => column.index("parameters", count).map(Some),
    });
    columns.collect()
}

/// A number that may be infinite.
fn number(item: &Item<'_>) -> Result<f64> {
    match item.value.as_str() {
        Some("NaN") => Ok(f64::NAN),
        Some("inf") => Ok(f64::INFINITY),
        Some("-inf") => Ok(f64::NEG_INFINITY),
        _ => item.number(),
    }
}

fn number_list(item: &Item<'_>) -> Result<Vec<f64>> {
    item.items()?.iter().map(number).collect()
}

fn numbers<const N: usize>(item: &Item<'_>) -> Result<[f64; N]> {
    let list = number_list(item)?;
    list.try_into()
        .map_err(|_| item.wrong(format!("{N} numbers")))
}

/// The bytes of an array, in numbers of `N` bytes.
fn bytes<'d, const N: usize>(data: &'d Data<'_>, item: &Item<'_>) -> Result<&'d [[u8; N]]> {
    let (numbers, rest) = data.view(&item.need("view")?)?.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(item.wrong(format!("a whole number of numbers of {N} bytes")));
    }
    data.charge(&item.path, numbers.len() * N.div_ceil(4))?;
    Ok(numbers)
}

fn kind<'a>(item: &Item<'a>) -> Result<&'a str> {
    item.need("type")?.str()
}

/// Numbers in the precision that they are stored in.
pub(super) fn array(data: &Data<'_>, item: &Item<'_>) -> Result<Reals> {
    match kind(item)? {
        "f32" => {
            let numbers = bytes::<4>(data, item)?.iter();
            Ok(numbers
                .map(|&x| f32::from_le_bytes(x))
                .collect::<Vec<_>>()
                .into())
        }
        "f64" => Ok(doubles(data, item)?.into()),
        _ => Err(item.need("type")?.wrong("f32 or f64")),
    }
}

/// Double-precision numbers.
pub(super) fn doubles(data: &Data<'_>, item: &Item<'_>) -> Result<Vec<f64>> {
    if kind(item)? != "f64" {
        return Err(item.need("type")?.wrong("f64"));
    }
    let numbers = bytes::<8>(data, item)?.iter();
    Ok(numbers.map(|&x| f64::from_le_bytes(x)).collect())
}

/// Integers.
pub(super) fn integers(data: &Data<'_>, item: &Item<'_>) -> Result<Vec<u32>> {
    if kind(item)? != "u32" {
        return Err(item.need("type")?.wrong("u32"));
    }
    let numbers = bytes::<4>(data, item)?.iter();
    Ok(numbers.map(|&x| u32::from_le_bytes(x)).collect())
}

/// Numbers that stand whole, or as steps from those that were found.
fn refined(data: &Data<'_>, item: &Item<'_>, found: &Reals) -> Result<Reals> {
    if kind(item)? != "i8" {
        return array(data, item);
    }
    let steps = data.view(&item.need("view")?)?;
    if steps.len() != found.len() {
        return Err(Error::format(
            &item.path,
            format!("{} steps, one for each number", found.len()),
            steps.len(),
        ));
    }
    data.charge(&item.path, steps.len())?;
    Ok(stepped(found.as_f32(), steps).into())
}

fn lines(data: &Data<'_>, item: &Item<'_>) -> Result<Vec<Vec<u32>>> {
    let sizes = integers(data, &item.need("sizes")?)?;
    let indices = match item.get("indices") {
        Some(place) => integers(data, &place)?,
        None => Vec::new(),
    };
    let mut rest = indices.as_slice();
    let mut lines = Vec::with_capacity(sizes.len());
    for size in sizes {
        let split = rest.split_at_checked(size as usize);
        let (line, left) = split.ok_or_else(|| item.wrong("as many indices as the sizes say"))?;
        lines.push(line.to_vec());
        rest = left;
    }
    Ok(lines)
}
