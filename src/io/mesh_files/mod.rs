//! Meshes without a skeleton, as robots refer to them: STL, OBJ, GLB, MSH; and solids as triangles.

mod msh;
mod obj;
mod solids;
mod stl;

pub use solids::{ball, block, cylinder};

use crate::error::{Error, Result};
use crate::io::{LoadOptions, Source, gltf};

/// Triangles over points.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Triangles {
    /// Positions.
    pub vertices: Vec<[f64; 3]>,
    /// Vertex indices, counter-clockwise seen from outside.
    pub faces: Vec<[u32; 3]>,
}

/// Reads a mesh file, in its own unit.
///
/// # Errors
/// [`Error::Format`] for another kind of file, and for one that is broken.
pub fn load(bytes: &[u8], suffix: &str) -> Result<Triangles> {
    match suffix {
        "stl" => stl::read(bytes),
        "msh" => msh::read(bytes),
        "obj" => obj::read(&Source::from_bytes(bytes).text()),
        "glb" | "gltf" => {
            let source = Source::from_bytes(bytes);
            let character = gltf::load_character(&source, &LoadOptions::default())?.value;
            let mesh = character.mesh.as_deref();
            let mesh =
                mesh.ok_or_else(|| Error::format("meshes", "a mesh", "a file without one"))?;
            let numbers: Vec<f64> = mesh.vertices.iter().collect();
            Ok(Triangles {
                vertices: numbers.as_chunks().0.to_vec(),
                faces: mesh.faces.clone(),
            })
        }
        other => Err(Error::format(
            "the suffix",
            "a mesh as .stl, .obj, .glb or .msh",
            format!("'.{other}'"),
        )),
    }
}
