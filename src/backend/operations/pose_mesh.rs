//! A character's mesh in one pose.

use std::sync::Arc;

use super::{ComputeVertexNormals, JointParametersToSkeletonState, RestVertices, SkinPoints};
use crate::array::{Batch, View, show_shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Operation};
use crate::character::{Mesh, MeshParts, Reals};
use crate::error::{Error, Result};
use crate::kinematics::{NormalsPlan, Prepared};

/// The mesh posed by joint parameters `(7 * n_joints,)` or `(n_joints, 7)`: forward kinematics,
/// skinning, and new normals, in the precision of the parameters. With model parameters
/// `(n_parameters,)` the rest mesh is the one that they ask for.
///
/// # Errors
/// [`Error::Character`] where the character has no skinned mesh, [`Error::Shape`] for anything but one
/// pose, [`Error::Interrupted`] where the caller asked to stop.
pub fn pose_mesh<T: Compute>(
    prepared: &Arc<Prepared>,
    joint_parameters: &[T],
    shape: &[usize],
    model_parameters: Option<(&[T], &[usize])>,
    control: &Control<'_>,
) -> Result<Mesh>
where
    Reals: From<Vec<T>>,
{
    let skin = SkinPoints::new(prepared, model_parameters.is_some())?;
    let pose = JointParametersToSkeletonState {
        prepared: prepared.clone(),
    };
    let rank = pose.core_rank(0, shape)?;
    let character = prepared.character();
    let n_joints = character.skeleton.len();
    if rank != shape.len() {
        return Err(Error::shape(
            "joint_params",
            format!(
                "one pose, ({},) or ({n_joints}, 7); for many use \
                 skin_points(joint_parameters_to_skeleton_state(character, joint_params))",
                7 * n_joints
            ),
            show_shape(shape),
        ));
    }
    let mesh = character.mesh.as_deref().ok_or_else(|| {
        Error::character(format!("character '{}'", character.name), "it has no mesh")
    })?;
    let joint_parameters = View::contiguous(joint_parameters, shape)?;
    let mut states = vec![T::ZERO; 8 * n_joints];
    pose.forward(
        &[Batch::new(joint_parameters, rank, &[])],
        &mut states,
        control,
    )?;
    let n_vertices = mesh.n_vertices();
    let states = View::contiguous(&states, &[n_joints, 8])?;
    let mut inputs = vec![Batch::new(states, 2, &[])];
    let mut rest = vec![T::ZERO; 3 * n_vertices];
    if let Some((parameters, shape)) = model_parameters {
        let operation = RestVertices::new(prepared)?;
        if operation.core_rank(0, shape)? != shape.len() {
            let count = character.parameter_transform.len();
            return Err(Error::shape(
                "model_parameters",
                format!("one pose, ({count},) = (n_parameters,)"),
                show_shape(shape),
            ));
        }
        let parameters = Batch::new(View::contiguous(parameters, shape)?, 1, &[]);
        operation.forward(&[parameters], &mut rest, control)?;
        inputs.push(Batch::new(
            View::contiguous(&rest, &[n_vertices, 3])?,
            2,
            &[],
        ));
    }
    let mut vertices = vec![T::ZERO; 3 * n_vertices];
    skin.forward(&inputs, &mut vertices, control)?;
    let mut normals = vec![T::ZERO; 3 * n_vertices];
    let positions = View::contiguous(&vertices, &[n_vertices, 3])?;
    let plan = Arc::new(NormalsPlan::new(mesh.faces.clone(), n_vertices)?);
    ComputeVertexNormals { plan }.forward(
        &[Batch::new(positions, 2, &[])],
        &mut normals,
        control,
    )?;
    Mesh::new(MeshParts {
        vertices: vertices.into(),
        normals: normals.into(),
        ..MeshParts::from(mesh.clone())
    })
}
