//! Characters with other shapes: blend shapes, face expressions, pose shapes, and new rest meshes.

use std::sync::Arc;

use super::{
    BlendShape, BlendShapeBase, Character, CharacterParts, Mesh, MeshParts, PoseShape, Reals,
};
use crate::array::DType;
use crate::error::{Error, Result};

impl Character {
    /// The same character with a blend shape, or without, and `n_shapes` parameters (at most; `None` is
    /// one for each shape) that are its coefficients, behind the others and in place of those it had.
    ///
    /// # Errors
    /// [`Error::Character`] where the mesh is missing or has another number of vertices.
    pub fn with_blend_shape(
        &self,
        blend_shape: Option<Arc<BlendShape>>,
        n_shapes: Option<usize>,
    ) -> Result<Self> {
        let mut parts = self.parts();
        let there = blend_shape.as_ref().map(|shape| shape.names().len());
        let count = self.count_of("blend shape", there, n_shapes)?;
        parts.blend_shape = blend_shape;
        parts.set_blend_shape_parameters(count)?;
        Self::new(parts)
    }

    /// The same character with displacements by facial expressions, or without, and `n_shapes`
    /// parameters (at most; `None` is one for each shape) that are their coefficients, behind the others
    /// and in place of those it had.
    ///
    /// # Errors
    /// [`Error::Character`] where the mesh is missing or has another number of vertices.
    pub fn with_face_expression(
        &self,
        face_expression: Option<Arc<BlendShapeBase>>,
        n_shapes: Option<usize>,
    ) -> Result<Self> {
        let mut parts = self.parts();
        let there = face_expression.as_ref().map(|shape| shape.n_shapes());
        let count = self.count_of("face expression blend shape", there, n_shapes)?;
        parts.face_expression = face_expression;
        parts.set_face_expression_parameters(count)?;
        Self::new(parts)
    }

    /// The same character with a pose shape, or without.
    ///
    /// # Errors
    /// [`Error::Character`] where the mesh is missing or has another number of vertices, or a joint does
    /// not exist.
    pub fn with_pose_shape(&self, pose_shape: Option<Arc<PoseShape>>) -> Result<Self> {
        let there = pose_shape.as_ref().map(|_| 1);
        self.count_of("pose shape", there, None)?;
        Self::new(CharacterParts {
            pose_shape,
            ..self.parts()
        })
    }

    /// The same character with the blend shape's vertices for these coefficients as its mesh, and
    /// without the blend shape and its parameters. Coefficients that are not given are zero. Face
    /// expressions stay.
    ///
    /// # Errors
    /// [`Error::Character`] where there are more coefficients than shapes.
    pub fn bake_blend_shape(&self, coefficients: &[f64]) -> Result<Self> {
        let there = self.blend_shape.as_ref().map_or(0, |s| s.names().len());
        if coefficients.len() > there {
            return Err(Error::character(
                "blend shape",
                format!("{} coefficients for {there} shapes", coefficients.len()),
            ));
        }
        let (Some(shape), Some(mesh)) = (&self.blend_shape, &self.mesh) else {
            return Ok(self.clone());
        };
        let mut vertices: Vec<f64> = shape.base().iter().collect();
        let mut numbers = shape.displacements().iter();
        for &c in coefficients {
            for (x, d) in vertices.iter_mut().zip(&mut numbers) {
                *x += c * d;
            }
        }
        let double = [shape.base(), shape.displacements(), &mesh.vertices]
            .iter()
            .any(|numbers| numbers.dtype() == DType::Float64);
        let vertices = if double {
            vertices.into()
        } else {
            let single = vertices.into_iter().map(|x| x as f32);
            single.collect::<Vec<_>>().into()
        };
        let mut parts = self.parts();
        parts.mesh = Some(Arc::new(moved(mesh, vertices)?));
        parts.blend_shape = None;
        parts.set_blend_shape_parameters(0)?;
        Self::new(parts)
    }

    /// The same character with the mesh's vertices elsewhere, `(n_vertices, 3)`, and new normals. Blend
    /// shapes stay as they are, with their own base.
    ///
    /// # Errors
    /// [`Error::Character`] where there is no mesh, or one of another number of vertices.
    pub fn replace_rest_mesh(&self, vertices: Reals) -> Result<Self> {
        let mesh = self.mesh_to_change()?;
        if vertices.len() != mesh.vertices.len() {
            return Err(Error::character(
                "mesh",
                format!(
                    "{} vertices, but the mesh has {}; its triangles cannot change here",
                    vertices.len() / 3,
                    mesh.n_vertices()
                ),
            ));
        }
        Self::new(CharacterParts {
            mesh: Some(Arc::new(moved(mesh, vertices)?)),
            ..self.parts()
        })
    }

    fn mesh_to_change(&self) -> Result<&Arc<Mesh>> {
        let missing = || {
            let subject = format!("character '{}'", self.name);
            Error::character(subject, "it has no mesh")
        };
        self.mesh.as_ref().ok_or_else(missing)
    }

    /// How many parameters shapes get; shapes need a mesh.
    fn count_of(&self, what: &str, there: Option<usize>, wanted: Option<usize>) -> Result<usize> {
        let Some(there) = there else { return Ok(0) };
        if self.mesh.is_none() {
            let problem = format!("character '{}' has no mesh to move", self.name);
            return Err(Error::character(what, problem));
        }
        Ok(wanted.map_or(there, |wanted| wanted.min(there)))
    }
}

/// The same mesh with its vertices elsewhere, and new normals.
fn moved(mesh: &Mesh, vertices: Reals) -> Result<Mesh> {
    Mesh::new(MeshParts {
        vertices,
        normals: Reals::default(),
        ..MeshParts::from(mesh.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::character::{Joint, ParameterTransform, Skeleton, SkinWeights, Unit};

    const COUNT: usize = 3;

    fn character() -> Character {
        let skeleton = Skeleton::new(vec![Joint::new("root", None, [0.0; 3])]).unwrap();
        let transform = ParameterTransform::new(vec!["a".into()], 1, [(0, 0, 1.0)]).unwrap();
        let mut parts = CharacterParts::new("one", skeleton, transform);
        let mesh = MeshParts {
            vertices: vec![0.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0].into(),
            faces: vec![[0, 1, 2]],
            ..MeshParts::default()
        };
        parts.mesh = Some(Arc::new(Mesh::new(mesh).unwrap()));
        let weights = SkinWeights::new(1, vec![0; COUNT], vec![1.0_f32; COUNT].into());
        parts.skin_weights = Some(Arc::new(weights.unwrap()));
        Character::new(parts).unwrap()
    }

    fn shape(vertices: usize) -> Arc<BlendShape> {
        let names = vec!["wide".into(), "tall".into()];
        let base = vec![1.0_f32; 3 * vertices];
        let rows: Vec<f32> = (0..6 * vertices).map(|at| at as f32).collect();
        Arc::new(BlendShape::new(names, base.into(), rows.into()).unwrap())
    }

    fn names(character: &Character) -> Vec<&str> {
        let names = character.parameter_transform.names();
        names.iter().map(String::as_str).collect()
    }

    #[test]
    fn shapes_bring_their_parameters_and_take_them_away() {
        let bare = character();
        let with = bare.with_blend_shape(Some(shape(COUNT)), None).unwrap();
        assert_eq!(names(&with), ["a", "blend_0", "blend_1"]);
        let face = shape(COUNT).offsets().clone();
        let both = with.with_face_expression(Some(face), Some(1)).unwrap();
        assert_eq!(names(&both), ["a", "blend_0", "blend_1", "face_expre_0"]);
        let fewer = both.with_blend_shape(Some(shape(COUNT)), Some(1)).unwrap();
        assert_eq!(names(&fewer), ["a", "face_expre_0", "blend_0"]);
        assert_eq!(fewer.blend_shape.as_ref().unwrap().names().len(), 2);
        let none = both.with_blend_shape(None, None).unwrap();
        assert_eq!(names(&none), ["a", "face_expre_0"]);
        assert_eq!(none.with_face_expression(None, None).unwrap(), bare);
    }

    #[test]
    fn a_baked_shape_is_the_mesh() {
        let with = character()
            .with_blend_shape(Some(shape(COUNT)), None)
            .unwrap();
        let baked = with.bake_blend_shape(&[2.0]).unwrap();
        assert_eq!(names(&baked), ["a"]);
        assert!(baked.blend_shape.is_none());
        let mesh = baked.mesh.as_ref().unwrap();
        let want: Vec<f32> = (0..9).map(|at| 1.0 + 2.0 * at as f32).collect();
        assert_eq!(mesh.vertices.as_f32(), want);
        assert_ne!(mesh.normals, with.mesh.as_ref().unwrap().normals);
        let error = with.bake_blend_shape(&[1.0; 3]).unwrap_err().to_string();
        assert!(error.contains("3 coefficients for 2 shapes"), "{error}");
    }

    #[test]
    fn shapes_of_another_mesh_are_refused() {
        let bare = character();
        let error = bare.with_blend_shape(Some(shape(4)), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "blend shape: 4 vertices, but the mesh has 3"
        );
        let face = shape(4).offsets().clone();
        assert!(bare.with_face_expression(Some(face), None).is_err());
        let no_mesh = Character::new(CharacterParts::empty("none")).unwrap();
        let error = no_mesh.with_blend_shape(Some(shape(4)), None).unwrap_err();
        assert!(error.to_string().contains("no mesh"), "{error}");
        assert!(bare.replace_rest_mesh(vec![0.0_f32; 12].into()).is_err());
    }

    #[test]
    fn a_pose_shape_needs_its_joints_and_follows_the_unit() {
        let bare = character();
        let make = |joint| {
            let (base, rows) = (vec![1.0_f32; 9], vec![0.5_f32; 36]);
            let turn = [0.0, 0.0, 0.0, 1.0];
            PoseShape::new(base.into(), rows.into(), 0, turn, vec![joint]).map(Arc::new)
        };
        let with = bare.with_pose_shape(Some(make(0).unwrap())).unwrap();
        let in_cm = with.in_unit(Unit::Centimeter);
        let scaled = in_cm.pose_shape.as_ref().unwrap().shape();
        assert_eq!(scaled.base().as_f32()[0], 100.0);
        assert_eq!(scaled.displacements().as_f32()[0], 50.0);
        assert_eq!(in_cm.in_unit(Unit::Meter), with);
        let error = bare.with_pose_shape(Some(make(1).unwrap())).unwrap_err();
        assert!(error.to_string().contains("joint index 1"), "{error}");
        assert_eq!(with.with_pose_shape(None).unwrap(), bare);
    }
}
