//! Meshes and materials that geoms refer to.

use nalgebra::{Matrix3, UnitQuaternion, Vector3};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::classes::{Classes, MAIN, Styled};
use super::compiler::Compiler;
use super::files::Files;
use super::place::quat_wxyz;
use crate::error::Result;
use crate::io::Source;
use crate::io::mesh_files::{self, Triangles};
use crate::io::rigid::MAX_MESH_BYTES;
use crate::io::xml::Element;

/// What lies in `<asset>`.
pub(super) struct Assets<'f, 'a> {
    meshes: Vec<MeshAsset<'f, 'a>>,
    by_name: HashMap<String, usize>,
    /// Red, green, blue, opacity of each material.
    colors: HashMap<&'f str, [f64; 4]>,
    /// Whether there are textures, which are left out.
    pub n_textures: usize,
}

struct MeshAsset<'f, 'a> {
    element: Element<'f, 'a>,
    /// Relative to the model.
    file: Option<String>,
    vertices: Vec<[f64; 3]>,
    faces: Vec<[u32; 3]>,
    scale: [f64; 3],
    origin: Vector3<f64>,
    turn: UnitQuaternion<f64>,
    /// How its mass is to be found.
    inertia: Option<&'f str>,
    /// Triangles, or why there are none.
    loaded: OnceCell<std::result::Result<Triangles, String>>,
}

impl<'f, 'a> Assets<'f, 'a> {
    /// Reads all `<asset>` sections.
    pub fn read(
        files: &'f Files<'a>,
        compiler: &Compiler,
        classes: &Classes<'f, 'a>,
    ) -> Result<Self> {
        let mut assets = Self {
            meshes: Vec::new(),
            by_name: HashMap::new(),
            colors: HashMap::new(),
            n_textures: 0,
        };
        let mut materials = HashSet::new();
        for section in files.sections("asset") {
            for element in files.children(&section) {
                match element.tag() {
                    "mesh" => {
                        let styled = classes.styled(&element, MAIN)?;
                        assets.add_mesh(&styled, compiler)?;
                    }
                    "material" => {
                        let styled = classes.styled(&element, MAIN)?;
                        let name = element.need("name")?;
                        if !materials.insert(name) {
                            let expected = "a name that no other material has";
                            return Err(element.wrong(expected, format!("{name:?}")));
                        }
                        let rgba = styled.numbers::<4>("rgba")?;
                        assets.colors.insert(name, rgba.unwrap_or([1.0; 4]));
                    }
                    "texture" => assets.n_textures += 1,
                    _ => {}
                }
            }
        }
        Ok(assets)
    }

    fn add_mesh(&mut self, styled: &Styled<'_, 'f, 'a>, compiler: &Compiler) -> Result<()> {
        let element = styled.own;
        let file = styled.text("file");
        let stem = || {
            let name = file?.rsplit(['/', '\\']).next()?;
            Some(name.rsplit_once('.').map_or(name, |(stem, _)| stem))
        };
        let name = element
            .attribute("name")
            .or_else(stem)
            .ok_or_else(|| element.wrong("a 'name' or a 'file'", "neither"))?;
        let at = self.meshes.len();
        if self.by_name.insert(name.to_owned(), at).is_some() {
            let expected = "a name that no other mesh has";
            return Err(element.wrong(expected, format!("{name:?}")));
        }
        let list = element.number_list("vertex")?.unwrap_or_default();
        let vertices = list.as_chunks().0.to_vec();
        let corner = |x: &f64| {
            let whole = *x >= 0.0 && *x < vertices.len() as f64 && x.fract() == 0.0;
            let expected = format!("numbers of the {} vertices in 'face'", vertices.len());
            whole
                .then_some(*x as u32)
                .ok_or_else(|| element.wrong(expected, x))
        };
        let list = element.number_list("face")?.unwrap_or_default();
        let corners: Result<Vec<u32>> = list.iter().map(corner).collect();
        let faces = corners?.as_chunks().0.to_vec();
        self.meshes.push(MeshAsset {
            element,
            file: file.map(|file| compiler.mesh_path(file)),
            vertices,
            faces,
            scale: styled.numbers::<3>("scale")?.unwrap_or([1.0; 3]),
            origin: Vector3::from(element.numbers::<3>("refpos")?.unwrap_or_default()),
            turn: quat_wxyz(&element, "refquat")?.unwrap_or_default(),
            inertia: styled.text("inertia"),
            loaded: OnceCell::new(),
        });
        Ok(())
    }

    /// Which mesh a geom is.
    pub fn mesh_of(&self, geom: &Styled<'_, 'f, 'a>) -> Result<usize> {
        let name = geom
            .text("mesh")
            .ok_or_else(|| geom.own.wrong("a 'mesh', since it is of type mesh", "none"))?;
        let found = self.by_name.get(name).copied();
        found.ok_or_else(|| geom.wrong("mesh", "a mesh in <asset>", name))
    }

    /// The color that a geom has from its material.
    pub fn color_of(&self, geom: &Styled<'_, 'f, 'a>) -> Result<Option<[f64; 4]>> {
        let Some(name) = geom.text("material") else {
            return Ok(None);
        };
        let found = self.colors.get(name).copied();
        found
            .map(Some)
            .ok_or_else(|| geom.wrong("material", "a material in <asset>", name))
    }

    /// The triangles of a mesh in the geom's frame, or why there are none.
    pub fn triangles(
        &self,
        at: usize,
        source: &Source<'_>,
    ) -> std::result::Result<&Triangles, String> {
        let mesh = self.meshes.get(at).ok_or("no such mesh")?;
        let loaded = mesh.loaded.get_or_init(|| mesh.load(source));
        loaded.as_ref().map_err(Clone::clone)
    }

    /// Volume, centre and moments of a mesh's inside, for a mass of 1 spread evenly.
    pub fn solid(
        &self,
        at: usize,
        source: &Source<'_>,
    ) -> std::result::Result<(f64, Vector3<f64>, Matrix3<f64>), String> {
        let triangles = self.triangles(at, source)?;
        let mesh = self.meshes.get(at).ok_or("no such mesh")?;
        let wrong = |what: &str| format!("{}: {what}", mesh.element.place());
        match mesh.inertia {
            None | Some("legacy" | "exact") => {}
            Some(other) => return Err(wrong(&format!("inertia={other:?} is not computed"))),
        }
        // Without a say every face counts as seen from inside, as MuJoCo has it.
        let is_exact = mesh.inertia == Some("exact");
        solid_of(triangles, is_exact).ok_or_else(|| wrong("it encloses no volume"))
    }
}

/// Volume, centre and moments of what triangles enclose, from the pyramids over each.
fn solid_of(triangles: &Triangles, is_exact: bool) -> Option<(f64, Vector3<f64>, Matrix3<f64>)> {
    let corner = |at: u32| {
        triangles
            .vertices
            .get(at as usize)
            .map(|&x| Vector3::from(x))
    };
    let faces = || {
        let faces = triangles.faces.iter();
        faces.filter_map(|&[a, b, c]| Some([corner(a)?, corner(b)?, corner(c)?]))
    };
    let (mut area, mut middle) = (0.0, Vector3::zeros());
    for [a, b, c] in faces() {
        let own = 0.5 * (b - a).cross(&(c - a)).norm();
        area += own;
        middle += (a + b + c) * (own / 3.0);
    }
    let pyramid = |[a, b, c]: [Vector3<f64>; 3]| {
        let volume = a.dot(&b.cross(&c)) / 6.0;
        if is_exact { volume } else { volume.abs() }
    };
    let tip = middle / area;
    let (mut volume, mut center) = (0.0, Vector3::zeros());
    for face in faces() {
        let face = face.map(|corner| corner - tip);
        let own = pyramid(face);
        volume += own;
        center += face.iter().sum::<Vector3<f64>>() * (own / 4.0);
    }
    // About the centre now, which matters where pyramids overlap: MuJoCo counts what they overlap twice.
    let center = tip + center / volume;
    let (mut volume, mut products) = (0.0, Matrix3::zeros());
    for face in faces() {
        let face = face.map(|corner| corner - center);
        let sum: Vector3<f64> = face.iter().sum();
        let squares = face.iter().map(|corner| corner * corner.transpose());
        let squares = squares.sum::<Matrix3<f64>>() + sum * sum.transpose();
        let own = pyramid(face);
        volume += own;
        products += squares * (own / 20.0);
    }
    let spread = products / volume;
    let moments = Matrix3::identity() * spread.trace() - spread;
    let is_solid = volume > 0.0 && moments.iter().all(|x| x.is_finite());
    is_solid.then_some((volume, center, moments))
}

impl MeshAsset<'_, '_> {
    fn load(&self, source: &Source<'_>) -> std::result::Result<Triangles, String> {
        let mut triangles = match &self.file {
            Some(file) => {
                let suffix = file.rsplit('.').next().unwrap_or_default().to_lowercase();
                // Finding its line takes a while, and there may be many.
                let bytes = source.neighbour("<mesh>", file, MAX_MESH_BYTES);
                let bytes = bytes.map_err(|error| error.in_file(&source.name()).to_string())?;
                mesh_files::load(&bytes, &suffix)
                    .map_err(|error| error.in_file(file).to_string())?
            }
            None if self.faces.is_empty() => {
                let place = self.element.place();
                return Err(format!("{place}: it has no file and no faces"));
            }
            None => Triangles {
                vertices: self.vertices.clone(),
                faces: self.faces.clone(),
            },
        };
        for vertex in &mut triangles.vertices {
            let moved = self.turn.inverse() * (Vector3::from(*vertex) - self.origin);
            *vertex = moved.component_mul(&Vector3::from(self.scale)).into();
        }
        // A mirrored mesh is inside out.
        if self.scale.iter().product::<f64>() < 0.0 {
            triangles.faces.iter_mut().for_each(|face| face.reverse());
        }
        Ok(triangles)
    }
}
