//! A part of a mesh, and of everything that a character has for each of its vertices.

use std::sync::Arc;

use super::{
    BlendShape, BlendShapeBase, Character, Mesh, MeshParts, PoseShape, Reals, SkinWeights,
};
use crate::array::DType;
use crate::error::{Error, Result};

/// Which vertices and triangles of a mesh stay.
#[derive(Debug, Clone)]
pub struct Selection {
    vertices: Kept,
    faces: Vec<bool>,
}

/// Which of some things stay, and the new index of each.
#[derive(Debug, Clone)]
struct Kept {
    old: Vec<u32>,
    new: Vec<Option<u32>>,
}

impl Kept {
    fn of(stays: &[bool]) -> Self {
        let mut kept = Self {
            old: Vec::new(),
            new: vec![None; stays.len()],
        };
        for (index, _) in stays.iter().enumerate().filter(|&(_, &stays)| stays) {
            kept.new[index] = Some(kept.old.len() as u32);
            kept.old.push(index as u32);
        }
        kept
    }

    /// The new indices of a group, if all of it stays.
    fn group(&self, indices: &[u32]) -> Option<Vec<u32>> {
        indices
            .iter()
            .map(|&index| self.new[index as usize])
            .collect()
    }

    fn triangle(&self, face: [u32; 3]) -> Option<[u32; 3]> {
        let [a, b, c] = face.map(|index| self.new[index as usize]);
        Some([a?, b?, c?])
    }

    /// The rows that stay, of one table of `width` numbers a row, or of several one after the other.
    fn rows(&self, table: &Reals, width: usize) -> Reals {
        fn pick<T: Copy>(numbers: &[T], old: &[u32], rows: usize, width: usize) -> Vec<T> {
            let tables = numbers.chunks(rows * width);
            let row = |table: &'_ [T], row: u32| table[row as usize * width..][..width].to_vec();
            tables
                .flat_map(|table| old.iter().flat_map(move |&index| row(table, index)))
                .collect()
        }
        if table.is_empty() {
            return table.clone();
        }
        let rows = self.new.len();
        match table.dtype() {
            DType::Float64 => pick(table.as_f64(), &self.old, rows, width).into(),
            _ => pick(table.as_f32(), &self.old, rows, width).into(),
        }
    }

    fn list<T: Copy>(&self, list: &[T]) -> Vec<T> {
        if list.is_empty() {
            return Vec::new();
        }
        self.old.iter().map(|&index| list[index as usize]).collect()
    }
}

fn check(what: &str, axis: &str, stays: &[bool], count: usize) -> Result<()> {
    if stays.len() == count {
        return Ok(());
    }
    Err(Error::shape(
        what,
        format!("({count},) = ({axis},)"),
        format!("({},)", stays.len()),
    ))
}

impl Selection {
    /// These vertices, and the triangles all of whose corners stay.
    ///
    /// # Errors
    /// [`Error::Shape`] where there is not one truth value for each vertex.
    pub fn of_vertices(mesh: &Mesh, stays: &[bool]) -> Result<Self> {
        check("active_vertices", "n_vertices", stays, mesh.n_vertices())?;
        let faces = mesh.faces.iter();
        Ok(Self {
            vertices: Kept::of(stays),
            faces: faces
                .map(|face| face.iter().all(|&v| stays[v as usize]))
                .collect(),
        })
    }

    /// These triangles, and the vertices that they use.
    ///
    /// # Errors
    /// [`Error::Shape`] where there is not one truth value for each triangle.
    pub fn of_faces(mesh: &Mesh, stays: &[bool]) -> Result<Self> {
        check("active_faces", "n_faces", stays, mesh.faces.len())?;
        let mut vertices = vec![false; mesh.n_vertices()];
        for (face, _) in mesh.faces.iter().zip(stays).filter(|&(_, &stays)| stays) {
            face.iter()
                .for_each(|&vertex| vertices[vertex as usize] = true);
        }
        Ok(Self {
            vertices: Kept::of(&vertices),
            faces: stays.to_vec(),
        })
    }

    /// The rows that stay of a table with `width` numbers for each vertex, or of several such tables one
    /// after the other.
    #[must_use]
    pub fn rows(&self, table: &Reals, width: usize) -> Reals {
        self.vertices.rows(table, width)
    }

    /// The rows of skin weights that stay.
    ///
    /// # Errors
    /// [`Error::Character`], which weights that were checked do not raise.
    pub fn skin_weights(&self, weights: &SkinWeights) -> Result<SkinWeights> {
        let width = weights.n_influences();
        let index = self.vertices.old.iter().flat_map(|&vertex| {
            weights.index()[vertex as usize * width..][..width]
                .iter()
                .copied()
        });
        SkinWeights::new(width, index.collect(), self.rows(weights.weight(), width))
    }

    /// The rows of a blend shape that stay.
    ///
    /// # Errors
    /// [`Error::Character`], which a shape that was checked does not raise.
    pub fn blend_shape(&self, shape: &BlendShape) -> Result<BlendShape> {
        BlendShape::new(
            shape.names().to_vec(),
            self.rows(shape.base(), 3),
            self.rows(shape.displacements(), 3),
        )
    }

    /// Displacements of the vertices that stay.
    ///
    /// # Errors
    /// [`Error::Character`], which shapes that were checked do not raise.
    pub fn displacements(&self, shape: &BlendShapeBase) -> Result<BlendShapeBase> {
        let names = shape.names().to_vec();
        let displacements = self.rows(shape.displacements(), 3);
        BlendShapeBase::new(names, self.vertices.old.len(), displacements)
    }

    /// A shape by rotations of joints, of the vertices that stay.
    ///
    /// # Errors
    /// [`Error::Character`], which shapes that were checked do not raise.
    pub fn pose_shape(&self, shape: &PoseShape) -> Result<PoseShape> {
        let whole = shape.shape();
        PoseShape::new(
            self.rows(whole.base(), 3),
            self.rows(whole.displacements(), 3),
            shape.base_joint(),
            *shape.base_rotation(),
            shape.joints().to_vec(),
        )
    }
}

impl Mesh {
    /// The part of the mesh that a selection keeps. Lines and polygons stay where all their vertices do;
    /// texture coordinates where a triangle or polygon that stays uses them.
    ///
    /// # Errors
    /// [`Error::Character`], which a selection of this mesh does not raise.
    pub fn select(&self, selection: &Selection) -> Result<Self> {
        let vertices = &selection.vertices;
        let staying = |faces: &[[u32; 3]]| -> Vec<[u32; 3]> {
            let kept = faces
                .iter()
                .zip(&selection.faces)
                .filter(|&(_, &stays)| stays);
            kept.map(|(&face, _)| face).collect()
        };
        let polygons: Vec<(&[u32], &[u32])> = self
            .polygons()
            .filter(|(corners, _)| vertices.group(corners).is_some())
            .collect();
        let texcoord_faces = staying(&self.texcoord_faces);
        let texcoords = if self.texcoord_faces.is_empty() && self.poly_texcoord_faces.is_empty() {
            // Nothing says where they belong.
            Kept::of(&vec![true; self.texcoords.len() / 2])
        } else {
            let mut used = vec![false; self.texcoords.len() / 2];
            let in_polygons = polygons.iter().flat_map(|(_, texcoords)| *texcoords);
            for &texcoord in texcoord_faces.as_flattened().iter().chain(in_polygons) {
                used[texcoord as usize] = true;
            }
            Kept::of(&used)
        };
        let lines = |lines: &[Vec<u32>], kept: &Kept| -> Vec<Vec<u32>> {
            lines.iter().filter_map(|line| kept.group(line)).collect()
        };
        let of_vertices = |polygon: &(&[u32], &[u32])| vertices.group(polygon.0);
        let of_texcoords = |polygon: &(&[u32], &[u32])| texcoords.group(polygon.1);
        Self::new(MeshParts {
            vertices: vertices.rows(&self.vertices, 3),
            faces: staying(&self.faces)
                .into_iter()
                .filter_map(|f| vertices.triangle(f))
                .collect(),
            normals: vertices.rows(&self.normals, 3),
            lines: lines(&self.lines, vertices),
            colors: vertices.list(&self.colors),
            confidence: vertices.rows(&self.confidence, 1),
            texcoords: texcoords.rows(&self.texcoords, 2),
            texcoord_faces: texcoord_faces
                .into_iter()
                .filter_map(|f| texcoords.triangle(f))
                .collect(),
            texcoord_lines: lines(&self.texcoord_lines, &texcoords),
            poly_faces: polygons.iter().filter_map(of_vertices).flatten().collect(),
            poly_face_sizes: polygons
                .iter()
                .map(|(corners, _)| corners.len() as u32)
                .collect(),
            poly_texcoord_faces: polygons.iter().filter_map(of_texcoords).flatten().collect(),
            materials: self.materials.clone(),
            face_materials: self
                .face_materials
                .iter()
                .zip(&selection.faces)
                .filter_map(|(&material, &stays)| stays.then_some(material))
                .collect(),
        })
    }
}

impl Character {
    /// The mesh to choose a part of.
    ///
    /// # Errors
    /// [`Error::Character`] where there is none.
    pub fn mesh_to_select(&self) -> Result<&Arc<Mesh>> {
        let mesh = self.mesh.as_ref();
        mesh.ok_or_else(|| Error::character("mesh", format!("character '{}' has none", self.name)))
    }

    /// The character with the part of its mesh that a selection keeps, and of all that it has for each
    /// vertex.
    ///
    /// # Errors
    /// [`Error::Character`] where there is no mesh.
    pub fn select(&self, selection: &Selection) -> Result<Self> {
        let mut parts = self.parts();
        parts.mesh = Some(Arc::new(self.mesh_to_select()?.select(selection)?));
        if let Some(weights) = &mut parts.skin_weights {
            *weights = Arc::new(selection.skin_weights(weights)?);
        }
        if let Some(shape) = &mut parts.blend_shape {
            *shape = Arc::new(selection.blend_shape(shape)?);
        }
        if let Some(shape) = &mut parts.face_expression {
            *shape = Arc::new(selection.displacements(shape)?);
        }
        if let Some(shape) = &mut parts.pose_shape {
            *shape = Arc::new(selection.pose_shape(shape)?);
        }
        Self::new(parts)
    }

    /// The character with these vertices, and the triangles all of whose corners stay.
    ///
    /// # Errors
    /// [`Error::Character`] where there is no mesh; [`Error::Shape`].
    pub fn select_vertices(&self, stays: &[bool]) -> Result<Self> {
        self.select(&Selection::of_vertices(self.mesh_to_select()?, stays)?)
    }

    /// The character with these triangles, and the vertices that they use.
    ///
    /// # Errors
    /// [`Error::Character`] where there is no mesh; [`Error::Shape`].
    pub fn select_faces(&self, stays: &[bool]) -> Result<Self> {
        self.select(&Selection::of_faces(self.mesh_to_select()?, stays)?)
    }

    /// The character without the vertices below the waist. Those stay whose heaviest joint, and half of
    /// whose weight, belongs to the joint `b_spine0` (or else `c_spine0`), what is above it, or what it
    /// carries. Without a skinned mesh it is the same character.
    ///
    /// # Errors
    /// [`Error::Character`] where there is no such joint.
    pub fn without_lower_body(&self) -> Result<Self> {
        let (Some(_), Some(weights)) = (&self.mesh, &self.skin_weights) else {
            return Ok(self.clone());
        };
        let names = ["b_spine0", "c_spine0"];
        let waist = names
            .iter()
            .find_map(|name| self.skeleton.joint_index(name));
        let waist = waist.ok_or_else(|| {
            let problem = "no joint 'b_spine0' or 'c_spine0', where the upper body begins";
            Error::character("skeleton", problem)
        })?;
        let joints = self.skeleton.joints();
        let mut upper = vec![false; joints.len()];
        upper[waist] = true;
        // Parents come before children.
        for (index, joint) in joints.iter().enumerate() {
            upper[index] |= joint.parent.is_some_and(|parent| upper[parent]);
        }
        let mut above = joints[waist].parent;
        while let Some(joint) = above {
            upper[joint] = true;
            above = joints[joint].parent;
        }
        let width = weights.n_influences();
        let numbers: Vec<f64> = weights.weight().iter().collect();
        let rows = weights.index().chunks(width).zip(numbers.chunks(width));
        let stays: Vec<bool> = rows
            .map(|(index, weight)| {
                let (mut most, mut heaviest, mut sum) = (0.0, None, 0.0);
                for (&joint, &weight) in index.iter().zip(weight) {
                    // The joint of an unused influence may be anything.
                    let inside = upper.get(joint as usize).copied().unwrap_or(false);
                    if weight > most {
                        (most, heaviest) = (weight, Some(inside));
                    }
                    if inside {
                        sum += weight;
                    }
                }
                heaviest == Some(true) && sum >= 0.5
            })
            .collect();
        self.select_vertices(&stays)
    }
}
