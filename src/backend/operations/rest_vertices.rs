//! The rest mesh that model parameters ask for.

use std::sync::Arc;

use smallvec::SmallVec;

use super::linear_shapes::LinearShapes;
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::blend_shape::Term;
use crate::kinematics::{Prepared, PreparedShapes};

/// Rest vertices `(..., n_vertices, 3)` from model parameters `(..., n_parameters)`: the blend shape by
/// its parameters (the mesh where the character has none), and the displacements of face expressions
/// by theirs.
#[derive(Debug, Clone, PartialEq)]
pub struct RestVertices {
    prepared: Arc<Prepared>,
}

/// What shapes are called, the shapes, and the parameter of each.
type Part<'a> = (
    &'static str,
    Option<&'a PreparedShapes>,
    &'a [Option<usize>],
);

impl RestVertices {
    /// The rest mesh of a character.
    ///
    /// # Errors
    /// [`Error::Character`] where the character has no mesh, or parameters for shapes that it has not.
    pub fn new(prepared: &Arc<Prepared>) -> Result<Self> {
        let character = prepared.character();
        let wrong = |what: String| {
            let subject = format!("character '{}'", character.name);
            Err(Error::character(subject, what))
        };
        if character.mesh.is_none() {
            return wrong("it has no mesh".into());
        }
        let operation = Self {
            prepared: prepared.clone(),
        };
        for (what, shapes, columns) in operation.parts() {
            let there = shapes.map_or(0, |shapes| shapes.shapes().offsets().n_shapes());
            if columns.len() > there {
                let wanted = columns.len();
                return wrong(format!(
                    "it has parameters for {wanted} {what}s, but {there} {what}s"
                ));
            }
        }
        Ok(operation)
    }

    /// The shapes that have parameters, and the parameters of each shape.
    fn parts(&self) -> [Part<'_>; 2] {
        let transform = &self.prepared.character().parameter_transform;
        [
            (
                "blend shape",
                self.prepared.blend_shape().map(|shapes| &**shapes),
                transform.blend_shape_columns(),
            ),
            (
                "face expression",
                self.prepared.face_expression().map(|shapes| &**shapes),
                transform.face_expression_columns(),
            ),
        ]
    }

    fn linear<T: Compute>(&self, with_base: bool) -> LinearShapes<'_, T> {
        let mut base = None;
        let mut terms = SmallVec::new();
        for (_, shapes, columns) in self.parts() {
            if let Some(shapes) = shapes.filter(|_| !columns.is_empty()) {
                let plan = shapes.plan::<T>();
                base = base.or(plan.base());
                terms.push(Term { plan, columns });
            }
        }
        LinearShapes {
            base: with_base.then(|| base.unwrap_or_else(|| self.prepared.mesh_in_panels())),
            terms,
            length: 3 * self.n_vertices(),
        }
    }

    fn n_parameters(&self) -> usize {
        self.prepared.character().parameter_transform.len()
    }

    fn n_vertices(&self) -> usize {
        let mesh = &self.prepared.character().mesh;
        mesh.as_ref().map_or(0, |mesh| mesh.n_vertices())
    }

    /// As [`Operation::core_rank`], for operations that have model parameters among their inputs.
    pub(super) fn rank_of_parameters(&self, shape: &[usize]) -> Result<usize> {
        let count = self.n_parameters();
        if shape.ends_with(&[count]) {
            return Ok(1);
        }
        Err(Error::shape(
            "model_parameters",
            format!("(..., {count}) = (..., n_parameters)"),
            show_shape(shape),
        ))
    }
}

impl Operation for RestVertices {
    fn name(&self) -> &'static str {
        "rest_vertices"
    }

    fn inputs(&self) -> &'static [Input] {
        &[Input {
            name: "model_parameters",
            differentiable: true,
        }]
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        self.rank_of_parameters(shape)
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.n_vertices(), 3])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        self.linear(true).forward(&inputs[0], out, control)
    }

    fn vjp<T: Compute>(
        &self,
        _: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let linear = self.linear::<T>(false);
        linear.pull(cotangent, self.n_parameters(), &mut gradients[0], control)
    }

    fn jvp<T: Compute>(
        &self,
        _: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        match &tangents[0] {
            Some(tangent) => self.linear(false).forward(tangent, out, control),
            None => {
                out.fill(T::ZERO);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward, noise};
    use crate::backend::operations::testing;
    use crate::character::{
        BlendShape, BlendShapeBase, Character, Mesh, MeshParts, Reals, SkinWeights,
    };

    pub const N_VERTICES: usize = 37;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("s{index}")).collect()
    }

    /// A skinned character of five joints.
    pub fn bare() -> Character {
        let mut parts = testing::character(5, 5).character().parts();
        let mesh = MeshParts {
            vertices: noise(3 * N_VERTICES, 1).into(),
            ..MeshParts::default()
        };
        parts.mesh = Some(Arc::new(Mesh::new(mesh).unwrap()));
        let index = (0..2 * N_VERTICES as u32).map(|at| at % 5).collect();
        let weight = Reals::from(noise(2 * N_VERTICES, 2));
        parts.skin_weights = Some(Arc::new(SkinWeights::new(2, index, weight).unwrap()));
        Character::new(parts).unwrap()
    }

    pub fn blend_shape() -> Arc<BlendShape> {
        let (base, rows) = (noise(3 * N_VERTICES, 3), noise(3 * 3 * N_VERTICES, 4));
        Arc::new(BlendShape::new(names(3), base.into(), rows.into()).unwrap())
    }

    pub fn face() -> Arc<BlendShapeBase> {
        let rows = noise(2 * 3 * N_VERTICES, 5);
        Arc::new(BlendShapeBase::new(names(2), N_VERTICES, rows.into()).unwrap())
    }

    pub fn shaped() -> Arc<Prepared> {
        let character = bare().with_blend_shape(Some(blend_shape()), None).unwrap();
        let character = character.with_face_expression(Some(face()), None).unwrap();
        Arc::new(Prepared::new(Arc::new(character)))
    }

    fn rest(prepared: &Arc<Prepared>, parameters: &Argument<f64>) -> Vec<f64> {
        let operation = RestVertices::new(prepared).unwrap();
        forward(&operation, &[parameters.view()]).data
    }

    fn assert_close(got: &[f64], want: impl IntoIterator<Item = f64>) {
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-13, "{got} is not {want}");
        }
    }

    #[test]
    fn identity_and_face_are_added_to_the_base() {
        let prepared = shaped();
        let count = prepared.character().parameter_transform.len();
        let parameters = Argument::<f64>::noise(&[count], 6);
        let c = &parameters.data[count - 5..];
        let (shape, face) = (blend_shape(), face());
        let d = |rows: &Reals, shape: usize, at: usize| rows.as_f64()[shape * 3 * N_VERTICES + at];
        let want = (0..3 * N_VERTICES).map(|at| {
            let identity = (0..3).map(|k| c[k] * d(shape.displacements(), k, at));
            let faces = (0..2).map(|k| c[3 + k] * d(face.displacements(), k, at));
            shape.base().as_f64()[at] + identity.chain(faces).sum::<f64>()
        });
        assert_close(&rest(&prepared, &parameters), want);
    }

    #[test]
    fn without_shapes_it_is_the_mesh() {
        let prepared = Arc::new(Prepared::new(Arc::new(bare())));
        let count = prepared.character().parameter_transform.len();
        let mesh = prepared.character().mesh.clone().unwrap();
        let got = rest(&prepared, &Argument::noise(&[2, count], 6));
        let twice = mesh.vertices.iter().chain(mesh.vertices.iter());
        assert_eq!(got, twice.collect::<Vec<_>>());
    }

    #[test]
    fn a_face_alone_moves_the_mesh() {
        let character = bare().with_face_expression(Some(face()), Some(1)).unwrap();
        let prepared = Arc::new(Prepared::new(Arc::new(character)));
        let count = prepared.character().parameter_transform.len();
        let mut parameters = Argument::<f64>::noise(&[count], 6);
        parameters.data[count - 1] = 0.5;
        let (mesh, face) = (prepared.character().mesh.clone().unwrap(), face());
        let moved = mesh.vertices.iter().zip(face.displacements().iter());
        assert_close(
            &rest(&prepared, &parameters),
            moved.map(|(x, d)| x + 0.5 * d),
        );
    }

    #[test]
    fn a_parameter_that_was_dropped_counts_as_zero() {
        let whole = shaped();
        let count = whole.character().parameter_transform.len();
        let mut mask = vec![true; count];
        mask[count - 4] = false;
        let mut parts = whole.character().parts();
        parts.keep_parameters(&mask).unwrap();
        let reduced = Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())));
        let mut parameters = Argument::<f64>::noise(&[count], 6);
        parameters.data[count - 4] = 0.0;
        let mut fewer = parameters.clone();
        fewer.data.remove(count - 4);
        fewer.shape[0] -= 1;
        assert_eq!(rest(&whole, &parameters), rest(&reduced, &fewer));
    }

    #[test]
    fn derivatives_are_right_and_those_of_each_other() {
        for prepared in [shaped(), Arc::new(Prepared::new(Arc::new(bare())))] {
            let count = prepared.character().parameter_transform.len();
            let operation = RestVertices::new(&prepared).unwrap();
            for batch in [&[][..], &[3], &[70]] {
                let shape: Vec<usize> = batch.iter().copied().chain([count]).collect();
                assert_derivatives(&operation, &[Argument::noise(&shape, 7)]);
            }
        }
    }

    #[test]
    fn parameters_without_their_shapes_are_refused() {
        let mut parts = shaped().character().parts();
        parts.blend_shape = None;
        let prepared = Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())));
        let error = RestVertices::new(&prepared).unwrap_err().to_string();
        assert!(
            error.contains("parameters for 3 blend shapes, but 0"),
            "{error}"
        );
    }
}
