//! Skinning against plain matrices, and its derivatives against differences.

use nalgebra::{Matrix4, Quaternion, UnitQuaternion, Vector3, Vector4};

use super::*;
use crate::array::View;
use crate::backend::cpu::Isa;
use crate::backend::operations::checks::{
    Argument, assert_derivatives, batches, forward, noise, vjp,
};
use crate::character::{
    Character, CharacterParts, Joint, Locator, Mesh, MeshParts, ParameterTransform, Skeleton,
    SkinWeights, SkinnedLocator,
};

const JOINTS: usize = 5;
/// Not a multiple of any tile.
const VERTICES: usize = 45;
const INFLUENCES: usize = 3;

/// Five joints with general inverse bind matrices and 45 vertices whose weights sum to 0.7 or so, some
/// of them zero; the last vertex has none.
fn character() -> Character {
    character_of(VERTICES)
}

fn character_of(n_vertices: usize) -> Character {
    let joints = (0..JOINTS)
        .map(|j| Joint::new(format!("j{j}"), j.checked_sub(1), [0.1, 0.2, 0.3]))
        .collect();
    let skeleton = Skeleton::new(joints).unwrap();
    let transform = ParameterTransform::identity(&skeleton);
    let mut parts = CharacterParts::new("test", skeleton, transform);
    parts.mesh = Some(Arc::new(
        Mesh::new(MeshParts {
            vertices: noise(n_vertices * 3, 1).into(),
            ..MeshParts::default()
        })
        .unwrap(),
    ));
    let index = (0..n_vertices * INFLUENCES).map(|slot| match slot % 7 {
        // An index that does not exist, but has no weight.
        3 => 999,
        other => (slot / 5 + other) as u32 % JOINTS as u32,
    });
    let weight = (0..n_vertices * INFLUENCES).map(|slot| {
        if slot % 7 == 3 || slot >= (n_vertices - 1) * INFLUENCES {
            0.0
        } else {
            0.2 + 0.01 * (slot % 5) as f64
        }
    });
    parts.skin_weights = Some(Arc::new(
        SkinWeights::new(
            INFLUENCES,
            index.collect(),
            weight.collect::<Vec<f64>>().into(),
        )
        .unwrap(),
    ));
    let numbers = noise(JOINTS * 16, 2);
    parts.inverse_bind_pose = Arc::new(
        numbers
            .chunks(16)
            .map(|m| {
                std::array::from_fn(|at| match at {
                    12..15 => 0.0,
                    15 => 1.0,
                    _ => m[at],
                })
            })
            .collect(),
    );
    Character::new(parts).unwrap()
}

fn prepared() -> Arc<Prepared> {
    Arc::new(Prepared::new(Arc::new(character())))
}

fn matrix_of(state: &[f64]) -> Matrix4<f64> {
    let q = Quaternion::new(state[6], state[3], state[4], state[5]);
    let mut m = UnitQuaternion::new_normalize(q).to_homogeneous() * state[7];
    m.fixed_view_mut::<3, 1>(0, 3)
        .copy_from(&Vector3::new(state[0], state[1], state[2]));
    m[(3, 3)] = 1.0;
    m
}

/// One pose, by the definition.
fn oracle(worlds: &[Matrix4<f64>], rest: &[f64]) -> Vec<f64> {
    let character = character();
    let weights = character.skin_weights.as_ref().unwrap();
    let weight: Vec<f64> = weights.weight().iter().collect();
    let mut points = Vec::new();
    for vertex in 0..VERTICES {
        let mut sum = Vector4::zeros();
        let r = Vector4::new(
            rest[vertex * 3],
            rest[vertex * 3 + 1],
            rest[vertex * 3 + 2],
            1.0,
        );
        let slots = vertex * INFLUENCES..(vertex + 1) * INFLUENCES;
        for (&joint, &weight) in weights.index()[slots.clone()].iter().zip(&weight[slots]) {
            if weight != 0.0 {
                let joint = joint as usize;
                let bind = Matrix4::from_row_slice(&character.inverse_bind_pose[joint]);
                sum += weight * (worlds[joint] * bind * r);
            }
        }
        points.extend([sum.x, sum.y, sum.z]);
    }
    points
}

fn mesh_points() -> Vec<f64> {
    character().mesh.as_ref().unwrap().vertices.iter().collect()
}

fn expected(states: &[f64], rests: &[f64], poses: usize) -> Vec<f64> {
    (0..poses)
        .flat_map(|pose| {
            let pick = |all: &[f64], length: usize| -> Vec<f64> {
                let pose = if all.len() == length { 0 } else { pose };
                all[pose * length..(pose + 1) * length].to_vec()
            };
            let worlds: Vec<_> = pick(states, JOINTS * 8).chunks(8).map(matrix_of).collect();
            oracle(&worlds, &pick(rests, VERTICES * 3))
        })
        .collect()
}

fn assert_close<T: Compute>(got: &[T], want: &[f64], what: &str) {
    let tolerance = if size_of::<T>() == 4 { 3e-6 } else { 1e-13 };
    assert_eq!(got.len(), want.len(), "{what}");
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(
            (got.to_f64() - want).abs() < tolerance * 3.0,
            "{what}: {got} is not {want} at {at}"
        );
    }
}

const BATCHES: [&[usize]; 7] = [&[], &[1], &[2], &[5], &[2, 3], &[0], &[37]];

fn shape(batch: &[usize], core: &[usize]) -> Vec<usize> {
    [batch, core].concat()
}

#[test]
fn points_are_the_weighted_sum_of_matrices_on_every_instruction_set() {
    let prepared = prepared();
    fn check<T: Compute>(prepared: &Arc<Prepared>) {
        for isa in [Isa::Baseline, Isa::Avx2, Isa::Avx512] {
            if isa > crate::backend::cpu::isa() {
                continue;
            }
            for batch in BATCHES {
                let states = Argument::<T>::noise(&shape(batch, &[JOINTS, 8]), 3);
                let rests = Argument::<T>::noise(&shape(batch, &[VERTICES, 3]), 4);
                let f64s = |data: &[T]| -> Vec<f64> { data.iter().map(|x| x.to_f64()).collect() };
                let poses = batch.iter().product::<usize>();
                for with_rest in [false, true] {
                    let operation = SkinPoints::new(prepared, with_rest).unwrap();
                    let views = [states.view(), rests.view()];
                    let inputs = batches(&operation, &views[..1 + usize::from(with_rest)]);
                    let mut out = vec![T::ZERO; poses * VERTICES * 3];
                    operation
                        .sources(&inputs)
                        .skin(isa, &mut out, &Control::default())
                        .unwrap();
                    let rest = if with_rest {
                        f64s(&rests.data)
                    } else {
                        mesh_points()
                    };
                    let want = expected(&f64s(&states.data), &rest, poses);
                    assert_close(&out, &want, &format!("{} {batch:?}", isa.name()));
                }
            }
        }
    }
    check::<f32>(&prepared);
    check::<f64>(&prepared);
}

#[test]
fn matrices_give_what_states_give_and_their_last_row_is_not_read() {
    let prepared = prepared();
    let states = Argument::<f64>::noise(&[6, JOINTS, 8], 5);
    let matrices = states.data.chunks(8).flat_map(|state| {
        let mut rows: Vec<f64> = matrix_of(state).transpose().as_slice().to_vec();
        rows[12..].fill(f64::NAN);
        rows
    });
    let matrices = Argument::<f64>::new(&[6, JOINTS, 4, 4], matrices);
    let operation = SkinPoints::new(&prepared, false).unwrap();
    let want = forward(&operation, &[states.view()]);
    let got = forward(&operation, &[matrices.view()]);
    assert_close(&got.data, &want.data, "matrices");
}

#[test]
fn poses_and_rest_meshes_broadcast() {
    let prepared = prepared();
    let operation = SkinPoints::new(&prepared, true).unwrap();
    let one_state = Argument::<f64>::noise(&[JOINTS, 8], 6);
    let states = Argument::<f64>::noise(&[20, JOINTS, 8], 6);
    let one_rest = Argument::<f64>::noise(&[VERTICES, 3], 7);
    let rests = Argument::<f64>::noise(&[20, VERTICES, 3], 7);
    for (state, rest) in [
        (&one_state, &rests),
        (&states, &one_rest),
        (&one_state, &one_rest),
    ] {
        let got = forward(&operation, &[state.view(), rest.view()]);
        let poses = if got.shape.len() == 2 { 1 } else { 20 };
        assert_close(
            &got.data,
            &expected(&state.data, &rest.data, poses),
            "broadcast",
        );
    }
    // (2, 1) poses with (3,) rest meshes.
    let states = Argument::<f64>::noise(&[2, 1, JOINTS, 8], 8);
    let rests = Argument::<f64>::noise(&[3, VERTICES, 3], 9);
    let got = forward(&operation, &[states.view(), rests.view()]);
    assert_eq!(got.shape, [2, 3, VERTICES, 3]);
    let (state, rest) = (JOINTS * 8, VERTICES * 3);
    let want = expected(&states.data[state..], &rests.data[2 * rest..], 1);
    assert_close(&got.data[5 * rest..], &want, "(2, 1) with (3,)");
}

#[test]
fn derivatives_agree_with_differences_and_with_each_other() {
    let prepared = prepared();
    let alone = SkinPoints::new(&prepared, false).unwrap();
    let with_rest = SkinPoints::new(&prepared, true).unwrap();
    for batch in BATCHES {
        for core in [&[JOINTS, 8][..], &[JOINTS, 4, 4]] {
            let joints = Argument::noise(&shape(batch, core), 10);
            let rests = Argument::noise(&shape(batch, &[VERTICES, 3]), 11);
            let one_rest = Argument::noise(&[VERTICES, 3], 12);
            let one_pose = Argument::noise(core, 13);
            assert_derivatives(&alone, std::slice::from_ref(&joints));
            assert_derivatives(&with_rest, &[joints.clone(), rests.clone()]);
            assert_derivatives(&with_rest, &[joints, one_rest]);
            assert_derivatives(&with_rest, &[one_pose, rests]);
        }
    }
}

#[test]
fn any_memory_layout_gives_the_same_bits() {
    let prepared = prepared();
    let operation = SkinPoints::new(&prepared, true).unwrap();
    let states = Argument::<f32>::noise(&[33, JOINTS, 8], 14);
    let rests = Argument::<f32>::noise(&[33, VERTICES, 3], 15);
    let want = forward(&operation, &[states.view(), rests.view()]).data;

    // The last axes swapped in memory, the batch backwards.
    let transposed = |argument: &Argument<f32>| -> Vec<f32> {
        let [items, rows, columns] = argument.shape[..] else {
            unreachable!()
        };
        (0..items * rows * columns)
            .map(|at| {
                let (item, column, row) = (at / (rows * columns), at / rows % columns, at % rows);
                argument.data[((items - 1 - item) * rows + row) * columns + column]
            })
            .collect()
    };
    fn backwards<'a>(data: &'a [f32], shape: &[usize]) -> View<'a, f32> {
        let block = shape[1] * shape[2];
        let strides = [-(block as isize), 1, shape[1] as isize].into();
        View::strided(
            data,
            (shape[0] - 1) * block,
            Shape::from_slice(shape),
            strides,
        )
        .unwrap()
    }
    let (state_data, rest_data) = (transposed(&states), transposed(&rests));
    let views = [
        backwards(&state_data, &states.shape),
        backwards(&rest_data, &rests.shape),
    ];
    assert!(forward(&operation, &views).data == want);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    const MANY: usize = 3001;
    let prepared = Arc::new(Prepared::new(Arc::new(character_of(MANY))));
    let operation = SkinPoints::new(&prepared, true).unwrap();
    // Threads share vertices where there are few poses, and poses where there are many.
    for poses in [1, 3, 20, 300] {
        let states = Argument::<f32>::noise(&[poses, JOINTS, 8], 14);
        let one_rest = Argument::<f32>::noise(&[MANY, 3], 16);
        let cotangent = Argument::<f32>::noise(&[poses, MANY, 3], 17);
        let all = |threads: usize| {
            crate::backend::cpu::set_num_threads(threads);
            let views = [states.view(), one_rest.view()];
            let points = forward(&operation, &views).data;
            (points, vjp(&operation, &views, &cotangent))
        };
        let alone = all(1);
        assert!(all(2) == alone && all(3) == alone, "{poses} poses");
    }
    crate::backend::cpu::set_num_threads(0);
}

#[test]
fn nan_reaches_only_what_its_joint_carries() {
    let prepared = prepared();
    let operation = SkinPoints::new(&prepared, false).unwrap();
    let mut states = Argument::<f32>::noise(&[20, JOINTS, 8], 18);
    let want = forward(&operation, &[states.view()]).data;
    states.data[8 + 3] = f32::NAN;
    let got = forward(&operation, &[states.view()]).data;
    let weights = character().skin_weights.clone().unwrap();
    let weight: Vec<f64> = weights.weight().iter().collect();
    for (vertex, (got, want)) in got.chunks(3).zip(want.chunks(3)).enumerate() {
        let slots = vertex * INFLUENCES..(vertex + 1) * INFLUENCES;
        let carried = vertex < VERTICES
            && slots
                .clone()
                .any(|s| weights.index()[s] == 1 && weight[s] != 0.0);
        assert!(
            if carried {
                got[0].is_nan()
            } else {
                got == want
            },
            "{vertex}"
        );
    }
}

#[test]
fn wrong_shapes_and_characters_without_a_skin_are_named() {
    let prepared = prepared();
    let operation = SkinPoints::new(&prepared, true).unwrap();
    let message =
        |index, shape: &[usize]| operation.core_rank(index, shape).unwrap_err().to_string();
    assert_eq!(
        message(0, &[3, 6, 8]),
        "skel_state: expected (..., 5, 8) = (..., n_joints, 8) or (..., 5, 4, 4), got (3, 6, 8)"
    );
    assert_eq!(
        message(1, &[3, 44, 3]),
        "rest_vertices: expected (..., 45, 3) = (..., n_vertices, 3), got (3, 44, 3)"
    );
    let mut parts = character().parts();
    (parts.mesh, parts.skin_weights) = (None, None);
    let bare = Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())));
    assert_eq!(
        SkinPoints::new(&bare, false).unwrap_err().to_string(),
        "character 'test': it has no mesh to skin"
    );
}

/// Locators of both kinds on the joints of [`character`].
fn with_locators() -> Arc<Prepared> {
    let mut parts = character().parts();
    let numbers = noise(40, 31);
    let at = |n: usize| [numbers[n], numbers[n + 1], numbers[n + 2]];
    let mut locators = Vec::new();
    let mut skinned = Vec::new();
    for (n, joint) in [2, 0, 2].into_iter().enumerate() {
        locators.push(Locator::new(format!("locator{n}"), joint, at(n)));
        let parents = vec![joint as u32, 1, 0];
        let weights = vec![0.5, numbers[n + 10], 0.0];
        skinned.push(
            SkinnedLocator::new(format!("skinned{n}"), parents, weights, at(n + 20)).unwrap(),
        );
    }
    parts.locators = Arc::new(locators);
    parts.skinned_locators = Arc::new(skinned);
    Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())))
}

#[test]
fn locators_of_both_kinds_have_derivatives() {
    let prepared = with_locators();
    for batch in [&[][..], &[5], &[0]] {
        let states = Argument::noise(&[batch, &[JOINTS, 8]].concat(), 41);
        for operation in [
            SkinPoints::of_locators(&prepared, false),
            SkinPoints::of_skinned_locators(&prepared, false),
        ] {
            assert_derivatives(&operation, std::slice::from_ref(&states));
        }
        let rest = Argument::noise(&[batch, &[3, 3]].concat(), 42);
        for operation in [
            SkinPoints::of_locators(&prepared, true),
            SkinPoints::of_skinned_locators(&prepared, true),
        ] {
            assert_derivatives(&operation, &[states.clone(), rest.clone()]);
        }
    }
}

#[test]
fn a_character_without_locators_gives_none() {
    let prepared = prepared();
    let states = Argument::<f64>::noise(&[4, JOINTS, 8], 43);
    let operation = SkinPoints::of_skinned_locators(&prepared, false);
    assert_eq!(forward(&operation, &[states.view()]).shape, [4, 0, 3]);
    assert_derivatives(&operation, &[states]);
}
